import * as fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { compileValueFilter } from '../../src/scim/filterMatch'
import { MAX_FILTER_DEPTH, MAX_FILTER_LENGTH, MAX_FILTER_TERMS, countComparisons, parseFilter, readFilter } from '../../src/scim/filter'
import { resolveFilter } from '../../src/scim/filterResolve'
import { scan } from '../../src/scim/filterScan'
import type { Characters, Token, Tokens } from '../../src/scim/filterScan'
import { compileFilter } from '../../src/scim/filterSql'
import { MAX_DEPTH, parseJson } from '../../src/scim/json'
import { readAttributeName, readPath, readTarget, splitNames } from '../../src/scim/path'
import { definitionOf, resolveName } from '../../src/scim/schema'

/**
 * Time is not measured, work is counted: every character and every token that is read. What is asked for is the same number of
 * reads for each character, however long a hostile text is.
 */

interface Count {
  reads: number
}

/** A slice reads each of its characters. */
const countCharacters = (text: string, count: Count): Characters => ({
  length: text.length,
  charAt: (at) => {
    count.reads += 1
    return text.charAt(at)
  },
  slice: (start, end) => {
    count.reads += Math.max(end - start, 0)
    return text.slice(start, end)
  },
})

const countTokens = (tokens: readonly Token[], count: Count): Tokens => ({
  length: tokens.length,
  at: (index) => {
    count.reads += 1
    return tokens[index]
  },
})

const user = definitionOf('User')

/** Texts that grow: a head, what is repeated, and a tail that is repeated behind it (closing brackets). */
const FAMILIES: Readonly<Record<string, (times: number) => string>> = {
  'opening brackets': (times) => '('.repeat(times),
  'nested brackets': (times) => `${'('.repeat(times)}a eq 1${')'.repeat(times)}`,
  'closing brackets': (times) => ')'.repeat(times),
  'square brackets': (times) => '['.repeat(times),
  'names and square brackets': (times) => 'a['.repeat(times),
  'pairs of square brackets': (times) => 'emails[]'.repeat(times),
  'not': (times) => 'not ('.repeat(times),
  'nested not': (times) => `${'not ('.repeat(times)}a pr${')'.repeat(times)}`,
  'the word not': (times) => 'not '.repeat(times),
  'quotes': (times) => '"'.repeat(times),
  'empty strings': (times) => '""'.repeat(times),
  'an open string': (times) => `a eq "${'x'.repeat(times)}`,
  'backslashes': (times) => `a eq "${'\\'.repeat(times)}`,
  'escaped quotes': (times) => `a eq "${'\\"'.repeat(times)}"`,
  'escaped backslashes': (times) => `a eq "${'\\\\'.repeat(times)}"`,
  'escaped units': (times) => `a eq "${'\\ud83d\\ude00'.repeat(times)}"`,
  'newlines in a string': (times) => `a eq "${'\n'.repeat(times)}"`,
  'newlines': (times) => '\n'.repeat(times),
  'a backslash and a newline': (times) => `a eq "${'\\\n'.repeat(times)}"`,
  'spaces': (times) => `a${' '.repeat(times)}eq 1`,
  'a long name': (times) => `${'a'.repeat(times)} eq 1`,
  'a dotted name': (times) => `${'a.'.repeat(times)}a eq 1`,
  'a URN': (times) => `${'urn:'.repeat(times)}a eq 1`,
  'a long word': (times) => `a eq ${'x'.repeat(times)}`,
  'a long number': (times) => `a eq 1${'0'.repeat(times)}`,
  'a long fraction': (times) => `a eq 0.${'1'.repeat(times)}e`,
  'and': (times) => `a eq 1${' and a eq 1'.repeat(times)}`,
  'or and and': (times) => `a eq 1${' or a eq 1 and b pr'.repeat(times)}`,
  'words': (times) => 'and or not eq pr '.repeat(times),
  'comparisons without words between': (times) => 'a eq 1 '.repeat(times),
  'value paths': (times) => `a pr${' or emails[type eq "x"].value pr'.repeat(times)}`,
  'a path': (times) => `emails[type eq "x"]${'.value'.repeat(times)}`,
  'a filter in a path': (times) => `emails[type eq "x"${' or type eq "x"'.repeat(times)}].value`,
  'an open filter in a path': (times) => `emails[${'type eq "x" '.repeat(times)}`,
  'commas': (times) => ','.repeat(times),
  'names': (times) => 'userName,'.repeat(times),
  'names with filters': (times) => 'emails[type eq "x,y"].value,'.repeat(times),
  'open filters': (times) => 'emails[type eq "x,'.repeat(times),
  'letters beyond ASCII': (times) => `a eq "${'😀é'.repeat(times)}"`,
  'half characters': (times) => '\ud800'.repeat(times),
}

const scanned = (text: string): readonly Token[] => {
  const tokens = scan(text)
  return tokens.ok ? tokens.value : []
}

/** What reads a text a character at a time, or its tokens one by one. */
const READERS: Readonly<Record<string, (text: string, count: Count) => unknown>> = {
  scan: (text, count) => scan(countCharacters(text, count)),
  splitNames: (text, count) => splitNames(countCharacters(text, count)),
  readFilter: (text, count) => readFilter(countTokens(scanned(text), count), text.length + 1),
  readTarget: (text, count) => readTarget(user, countTokens(scanned(text), count), text),
}

const readsOf = (reader: string, text: string): number => {
  const count = { reads: 0 }
  READERS[reader]?.(text, count)
  return count.reads
}

/** Each character is looked at, and once more when its piece is cut out; a token is at most asked for its kind a few times. */
const READS_PER_CHARACTER = 4

const READING = Object.keys(READERS).flatMap((reader) => Object.keys(FAMILIES).map((family): [string, string] => [reader, family]))

describe('reading a text', () => {
  it.each(READING)('%s takes a number of steps that grows with %s, and no faster', (reader, family) => {
    const make = FAMILIES[family] ?? String
    for (const times of [100, 200, 400, 5_000, 10_000, 20_000]) {
      const text = make(times)
      expect(readsOf(reader, text)).toBeLessThanOrEqual(READS_PER_CHARACTER * text.length + 16)
    }
  })

  it.each(Object.keys(READERS))('%s does with any mixture of them', (reader) => {
    const parts = fc.constantFrom('"', '\\', '\n', '(', ')', '[', ']', 'a eq "', 'not (', ' and ', ' or ', 'a pr', 'emails[', '.value', ',', ' ', 'x', '😀', '\ud800', '\\"')
    const mixture = fc.array(fc.tuple(parts, fc.nat({ max: 200 })), { maxLength: 30 }).map((pieces) => pieces.map(([part, times]) => part.repeat(times)).join(''))
    fc.assert(fc.property(fc.oneof(fc.string({ maxLength: 300 }), mixture), (text) => {
      expect(readsOf(reader, text)).toBeLessThanOrEqual(READS_PER_CHARACTER * text.length + 16)
    }), { numRuns: 200 })
  })

  it('really counts: a scanner that began again at each quote would be seen', () => {
    const count = { reads: 0 }
    const text = countCharacters('"'.repeat(400), count)
    for (let at = 0; at < text.length; at += 1) for (let next = at; next < text.length; next += 1) text.charAt(next)
    expect(count.reads).toBeGreaterThan(READS_PER_CHARACTER * 400 + 16)
  })
})

/** The largest of a family that is no longer than a filter may be. */
const longest = (make: (times: number) => string): string => {
  let times = 1
  while (make(times + 1).length <= MAX_FILTER_LENGTH) times += 1
  return make(times)
}

describe('at the limits', () => {
  it.each(Object.keys(FAMILIES))('%s as long as can be, and longer, are an answer or 400', (family) => {
    const make = FAMILIES[family] ?? String
    for (const text of [longest(make), make(MAX_FILTER_LENGTH)]) {
      const filter = parseFilter(text)
      expect(filter.ok || filter.error.scimType === 'invalidFilter').toBe(true)
      if (filter.ok) expect(countComparisons(filter.value)).toBeLessThanOrEqual(MAX_FILTER_TERMS)
      const path = readPath(user, text)
      expect(path.ok || ['invalidPath', 'invalidFilter'].includes(path.error.scimType ?? '')).toBe(true)
      for (const name of splitNames(text)) readAttributeName(user, name)
    }
    expect(parseFilter(make(MAX_FILTER_LENGTH + 1))).toMatchObject({ ok: false, error: { status: 400, scimType: 'invalidFilter' } })
    expect(readPath(user, make(MAX_FILTER_LENGTH + 1))).toMatchObject({ ok: false, error: { status: 400 } })
  })

  const deep = (levels: number, inner: string): string => `${'not (title pr and '.repeat(levels)}${inner}${')'.repeat(levels)}`
  const wide = (term: string, word: string, times = MAX_FILTER_TERMS): string => Array.from({ length: times }, () => term).join(` ${word} `)

  it.each<[string, string]>([
    ['the deepest', deep(MAX_FILTER_DEPTH, 'title pr')],
    ['the deepest and widest', deep(MAX_FILTER_DEPTH, wide('title pr', 'or', MAX_FILTER_TERMS - MAX_FILTER_DEPTH))],
    ['the widest', wide('title pr', 'and')],
    ['the widest of lists', wide('emails.value pr', 'or')],
    ['the widest inside brackets', `emails[${wide('type pr', 'or')}]`],
    ['the widest negated lists', `not (${wide('emails.value ne "x"', 'and')})`],
  ])('%s filter asks for each of its names once, and its SQL is as long as it is', (_what, text) => {
    const filter = parseFilter(text)
    if (!filter.ok) throw new Error(filter.error.detail)
    let asked = 0
    const resolved = resolveFilter(filter.value, (name) => {
      asked += 1
      return resolveName(user, name)
    })
    expect(resolved.ok).toBe(true)
    expect(asked).toBeLessThanOrEqual(countComparisons(filter.value))
    const compiled = compileFilter(filter.value, 'User', 'https://b.example/scim/v2')
    expect(compiled.ok ? compiled.value.sql.length : 0).toBeLessThanOrEqual(16 * text.length + 400)
  })

  it('more comparisons than one statement takes are tooMany, more than a filter has invalidFilter', () => {
    const filter = parseFilter(wide('title ew "x"', 'or', MAX_FILTER_TERMS / 2 + 1))
    expect(filter.ok && compileFilter(filter.value, 'User', 'https://b.example/scim/v2')).toMatchObject({ ok: false, error: { status: 400, scimType: 'tooMany' } })
    expect(parseFilter(wide('a pr', 'or', MAX_FILTER_TERMS + 1))).toMatchObject({ ok: false, error: { status: 400, scimType: 'invalidFilter' } })
    expect(parseFilter(deep(MAX_FILTER_DEPTH + 1, 'a pr'))).toMatchObject({ ok: false, error: { status: 400, scimType: 'invalidFilter' } })
  })

  it('a value filter looks at each value as often as it has comparisons', () => {
    const emails = definitionOf('User').root.children.get('emails')
    const filter = parseFilter(wide('not (value eq "x")', 'and'))
    const selects = emails === undefined || !filter.ok ? null : compileValueFilter(filter.value, emails)
    if (selects?.ok !== true) throw new Error('no filter')
    let reads = 0
    const value = new Proxy({ value: 'a' }, {
      getOwnPropertyDescriptor: (target, name) => {
        reads += 1
        return Object.getOwnPropertyDescriptor(target, name)
      },
    })
    expect(selects.value(value)).toBe(true)
    expect(reads).toBe(MAX_FILTER_TERMS)
  })
})

describe('reading JSON', () => {
  const bodies: Readonly<Record<string, (times: number) => string>> = {
    'nested lists': (times) => `${'['.repeat(times)}${']'.repeat(times)}`,
    'nested objects': (times) => `${'{"a":'.repeat(times)}1${'}'.repeat(times)}`,
    'open lists': (times) => '['.repeat(times),
    'many objects': (times) => `[${'{"a":[]},'.repeat(times)}{}]`,
    'many names': (times) => `{${Array.from({ length: times }, (_, at) => `"a${at}":{}`).join(',')}}`,
    'wide at every level that may be': (times) => `${`{"b":[${'{},'.repeat(times)}{}],"a":`.repeat(MAX_DEPTH - 2)}1${'}'.repeat(MAX_DEPTH - 2)}`,
  }

  it.each(Object.keys(bodies))('%s are looked at once each, down to the deepest level that may be', (family) => {
    const make = bodies[family] ?? String
    for (const times of [50, 500, 2_000]) {
      const text = make(times)
      const keys = vi.spyOn(Object, 'keys')
      const values = vi.spyOn(Object, 'values')
      const read = parseJson(text)
      const calls = keys.mock.calls.length + values.mock.calls.length
      vi.restoreAllMocks()
      expect(read.ok || read.error.scimType === 'invalidSyntax').toBe(true)
      expect(calls).toBeLessThanOrEqual(text.length)
    }
  })
})
