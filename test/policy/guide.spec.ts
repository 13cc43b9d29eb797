import { describe, expect, it } from 'vitest'
import guide from '../../docs/policy.md?raw'
import { ANNOTATOR_MATRIX } from '../../src/policy/annotator'
import { EMPTY_POLICY, MAX_POLICY_BYTES, parsePolicy } from '../../src/policy/document'
import { MAX_MATCHED_NAME, MAX_SPLITS } from '../../src/policy/pattern'
import { evaluated, grantsOf } from './world'

const blocks = [...guide.matchAll(/^```json\n([\s\S]*?)^```$/gm)].map((match): unknown => JSON.parse(match[1] ?? ''))

/** The cells of every table row whose first cell is one of these. */
const rows = (...firsts: readonly string[]): readonly (readonly string[])[] =>
  guide
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim()))
    .filter(([first]) => firsts.includes(first ?? ''))

describe('docs/policy.md', () => {
  it('has documents', () => expect(blocks.length).toBeGreaterThan(12))

  it.each(blocks.map((block, index) => [index, block] as const))('document %i is a policy', (_index, block) => {
    const connections = [
      { id: 'c1', name: 'Okta', source: 'okta' },
      { id: 'c2', name: 'Entra ID', source: 'entra' },
    ]
    const parsed = parsePolicy(block)
    expect(parsed.ok ? [] : parsed.error).toEqual([])
    if (JSON.stringify(block).includes('"connection"')) expect(parsePolicy(block, { connections }).ok).toBe(true)
  })

  it('writes all the defaults', () => {
    expect(blocks).toContainEqual(JSON.parse(JSON.stringify(EMPTY_POLICY)))
  })

  it('has a row for every key', () => {
    const { mappings: _mappings, protected: _protected, organizations: _organizations, ...sections } = EMPTY_POLICY
    const keys = Object.entries(sections).flatMap(([section, values]) => Object.keys(values).map((key) => `${section}.${key}`))
    for (const key of [...keys, 'mappings', 'protected', 'organizations']) expect(guide).toContain(`\`${key}\``)
  })

  it('draws the annotator matrix as it is', () => {
    const drawn = rows('ADMIN', 'MEMBER', 'ANNOTATOR').map(([account, ...cells]) => [account, cells.map((cell) => cell === 'given')])
    const real = Object.entries(ANNOTATOR_MATRIX).map(([account, row]) => [account, Object.values(row)])
    expect(drawn).toEqual(real)
  })

  it('gives what its table of group names says', () => {
    const [mapping] = blocks.flatMap((block) => parsePolicy(block).ok && JSON.stringify(block).includes('by-name') ? [block] : [])
    const given = (name: string): readonly string[] =>
      grantsOf(evaluated((mapping as { mappings: unknown[] }).mappings, { groups: [name], organizations: ['ML Platform', 'Risk'] }))
    expect(given('arize-risk-member')).toEqual(['Risk: MEMBER'])
    expect(given('Arize-ML Platform-Read-Only')).toEqual(['ML Platform: READ_ONLY'])
    for (const name of ['arize-risk-owner', 'arize-sales-member', 'arize-risk-admin']) {
      expect(guide).toContain(`\`${name}\``)
      expect(given(name)).toEqual([])
    }
  })

  it('says the limits as they are', () => {
    for (const limit of [MAX_SPLITS, MAX_MATCHED_NAME, MAX_POLICY_BYTES]) expect(guide).toContain(limit.toLocaleString('en-US'))
  })
})
