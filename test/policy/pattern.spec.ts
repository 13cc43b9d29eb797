import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  fillTemplate,
  matchPattern,
  MAX_MATCHED_NAME,
  MAX_SPLITS,
  parsePattern,
  parseTemplate,
  type Pattern,
} from '../../src/policy/pattern'

const pattern = (text: string): Pattern => {
  const parsed = parsePattern(text)
  if (!parsed.ok) throw new Error(parsed.error)
  return parsed.value
}

const splits = (text: string, name: string): readonly Record<string, string>[] =>
  matchPattern(pattern(text), name).map((captures) => Object.fromEntries(captures))

describe('matchPattern', () => {
  it.each([
    ['arize-{organization}-{role}', 'arize-ml-admin', [{ organization: 'ml', role: 'admin' }]],
    ['arize-{organization}-{role}', 'ARIZE-ML-Admin', [{ organization: 'ML', role: 'Admin' }]],
    ['arize-{organization}-{role}', '  arize-ml-admin  ', [{ organization: 'ml', role: 'admin' }]],
    [
      'arize-{organization}-{role}',
      'arize-ml-read-only',
      [
        { organization: 'ml', role: 'read-only' },
        { organization: 'ml-read', role: 'only' },
      ],
    ],
    ['arize-{organization}-{role}', 'arize--admin', []],
    ['arize-{organization}-{role}', 'arize-ml-', []],
    ['arize-{organization}-{role}', 'arize-ml', []],
    ['arize-{organization}-{role}', 'xarize-ml-admin', []],
    ['arize-{organization}-{role}', '', []],
    ['{a}', 'anything at all', [{ a: 'anything at all' }]],
    ['{a}', '', []],
    ['{a} in {b}', 'x in y', [{ a: 'x', b: 'y' }]],
    ['{a}/{b}/{c}/{d}', '1/2/3/4', [{ a: '1', b: '2', c: '3', d: '4' }]],
    ['team.{x}+(a|b)*', 'TEAM.core+(A|B)*', [{ x: 'core' }]],
    ['{{{x}}}', '{core}', [{ x: 'core' }]],
    ['plain', 'PLAIN', [{}]],
    ['plain', 'plainer', []],
    ['é-{x}', 'E\u0301-Größe', [{ x: 'Größe' }]],
    ['{x}ΟΔΟΣ', 'aοδος', [{ x: 'a' }]],
    ['{x}-i', 'İİ-I', [{ x: 'İİ' }]],
    ['aa{x}aa', 'aaaaa', [{ x: 'a' }]],
    ['aa{x}aa', 'aaaa', []],
    ['{x}', '__proto__', [{ x: '__proto__' }]],
  ])('%j reads %j', (text, name, expected) => expect(splits(text, name)).toEqual(expected))

  it('agrees with trying every way to cut the name', () => {
    const literal = fc.string({ unit: fc.constantFrom('a', 'B', '-'), minLength: 1, maxLength: 3 })
    const shape = fc.array(literal, { minLength: 1, maxLength: 5 })
    const name = fc.string({ unit: fc.constantFrom('a', 'A', 'b', '-', '--'), maxLength: 12 })
    fc.assert(
      fc.property(shape, fc.boolean(), name, (literals, isCaptureFirst, text) => {
        const parts = literals.slice(0, 4).flatMap((one, index) => [one, `{c${index}}`])
        if (isCaptureFirst) parts.shift()
        expect(splits(parts.join(''), text)).toEqual(bruteForce(parts, text.trim()))
      }),
      { numRuns: 500 },
    )
  })

  it('lists one more than the limit, and no more, when there are too many ways', () => {
    expect(splits('{a}-{b}-{c}', '-'.repeat(46)).length).toBeLessThanOrEqual(MAX_SPLITS)
    expect(splits('{a}-{b}-{c}-{d}', '-'.repeat(200))).toHaveLength(MAX_SPLITS + 1)
  })

  it('answers for names made to be slow', () => {
    expect(splits('{a}-{b}-{c}-{d}x', '-'.repeat(MAX_MATCHED_NAME))).toEqual([])
    expect(splits('{a}--+{b}--+{c}--+{d}', '--'.repeat(MAX_MATCHED_NAME / 2))).toEqual([])
    expect(splits('{a}a', 'a'.repeat(MAX_MATCHED_NAME))).toHaveLength(1)
    expect(splits('{a}a', 'a'.repeat(MAX_MATCHED_NAME + 1))).toEqual([])
  })
})

/** Tries every end for every capture. */
const bruteForce = (parts: readonly string[], name: string): readonly Record<string, string>[] => {
  const [part, ...rest] = parts
  if (part === undefined) return name === '' ? [{}] : []
  if (!part.startsWith('{')) {
    return name.slice(0, part.length).toLowerCase() === part.toLowerCase() ? bruteForce(rest, name.slice(part.length)) : []
  }
  return Array.from({ length: name.length }, (_, index) => index + 1).flatMap((end) =>
    bruteForce(rest, name.slice(end)).map((captures) => ({ [part.slice(1, -1)]: name.slice(0, end), ...captures })),
  )
}

describe('parsePattern', () => {
  it.each([
    ['{a}{b}', 'stand side by side'],
    ['x{a}{b}y', 'stand side by side'],
    ['{a}-{a}', 'captured twice'],
    ['{a}-{b}-{c}-{d}-{e}', 'at most 4'],
    ['{', 'A placeholder is a name in braces'],
    ['{}', 'A placeholder is a name in braces'],
    ['{a b}', 'A placeholder is a name in braces'],
    ['{1a}', 'A placeholder is a name in braces'],
    [`{${'a'.repeat(33)}}`, 'A placeholder is a name in braces'],
    ['a}', 'closing brace'],
    ['{a}}', 'closing brace'],
  ])('refuses %j', (text, sentence) => {
    const parsed = parsePattern(text)
    expect(parsed.ok ? null : parsed.error).toContain(sentence)
  })
})

describe('fillTemplate', () => {
  it.each([
    ['{team} Labs', { team: 'Core' }, 'Core Labs'],
    ['{{{team}}}', { team: 'Core' }, '{Core}'],
    ['{a}{b}', { a: '1', b: '2' }, '12'],
    ['{a}', {}, null],
    ['{constructor}', {}, null],
    ['{a}', { a: '{b}', b: 'x' }, '{b}'],
  ])('%j with %j is %j', (text, captures, expected) => {
    const template = parseTemplate(text)
    const filled = template.ok ? fillTemplate(template.value, new Map(Object.entries(captures))) : undefined
    expect(filled).toBe(expected)
  })
})
