import { describe, expect, it } from 'vitest'
import { parsePolicy } from '../../src/policy/document'
import { notActedOn } from '../../src/policy/notActedOn'

const MAPPING = { id: 'ml', group: 'Engineers', grants: [{ organization: 'ML', role: 'MEMBER' }] }

const sentences = (document: unknown): readonly string[] => {
  const parsed = parsePolicy(document)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error))
  return notActedOn(parsed.value)
}

describe('notActedOn', () => {
  it('is silent about what is carried out', () => {
    expect(sentences({ mappings: [MAPPING], offboarding: { onDelete: 'remove', revokeApiKeys: false }, protected: ['a@example.com'] })).toEqual([])
  })

  it.each([
    [{ offboarding: { onDeactivate: 'block' } }, 'block'],
    [{ offboarding: { onDelete: 'block' } }, 'block'],
    [{ drift: { changedByHand: 'repair' } }, 'drift.changedByHand'],
    [{ organizations: [{ name: 'ML' }] }, 'not created'],
    [{ mappings: [{ ...MAPPING, authoritative: true }] }, '"ml" say "authoritative"'],
    [{ mappings: [{ ...MAPPING, grants: [{ organization: 'ML', space: 'S', project: 'P', customRole: 'Reviewer' }] }] }, '"ml" grant project roles'],
  ])('%j', (part, words) => {
    const said = sentences({ mappings: [MAPPING], ...part })
    expect(said).toHaveLength(1)
    expect(said[0]).toContain(words)
  })
})
