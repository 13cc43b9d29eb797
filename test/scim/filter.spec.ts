import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_FILTER_DEPTH, MAX_FILTER_LENGTH, MAX_FILTER_TERMS, parseFilter } from '../../src/scim/filter'
import type { Filter, Literal } from '../../src/scim/filter'
import { filters } from './arbitraries'
import { printFilter } from './printFilter'

const compare = (name: string, operator: string, value: Literal) => ({ kind: 'compare', name, operator, value })
const and = (...terms: unknown[]) => ({ kind: 'and', terms })
const or = (...terms: unknown[]) => ({ kind: 'or', terms })
const not = (term: unknown) => ({ kind: 'not', term })
const some = (name: string, filter: unknown) => ({ kind: 'some', name, filter })
const pr = (name: string) => ({ kind: 'present', name })
const a = compare('a', 'eq', 1)
const b = compare('b', 'eq', 2)
const c = compare('c', 'eq', 3)

describe('parseFilter', () => {
  it.each<[string, unknown]>([
    // RFC 7644 section 3.4.2.2, the examples.
    ['userName eq "bjensen"', compare('userName', 'eq', 'bjensen')],
    [`name.familyName co "O'Malley"`, compare('name.familyName', 'co', "O'Malley")],
    ['urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J"', compare('urn:ietf:params:scim:schemas:core:2.0:User:userName', 'sw', 'J')],
    ['title pr', pr('title')],
    ['meta.lastModified gt "2011-05-13T04:42:34Z"', compare('meta.lastModified', 'gt', '2011-05-13T04:42:34Z')],
    ['title pr and userType eq "Employee"', and(pr('title'), compare('userType', 'eq', 'Employee'))],
    ['title pr or userType eq "Intern"', or(pr('title'), compare('userType', 'eq', 'Intern'))],
    [
      'schemas eq "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"',
      compare('schemas', 'eq', 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'),
    ],
    [
      'userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")',
      and(compare('userType', 'eq', 'Employee'), or(compare('emails', 'co', 'example.com'), compare('emails.value', 'co', 'example.org'))),
    ],
    [
      'userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")',
      and(compare('userType', 'ne', 'Employee'), not(or(compare('emails', 'co', 'example.com'), compare('emails.value', 'co', 'example.org')))),
    ],
    [
      'emails[type eq "work" and value co "@example.com"]',
      some('emails', and(compare('type', 'eq', 'work'), compare('value', 'co', '@example.com'))),
    ],
    [
      'emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]',
      or(
        some('emails', and(compare('type', 'eq', 'work'), compare('value', 'co', '@example.com'))),
        some('ims', and(compare('type', 'eq', 'xmpp'), compare('value', 'co', '@foo.com'))),
      ),
    ],
    // Precedence, brackets, case, blanks (D.2 rows 1, 7, 11).
    ['a eq 1 or b eq 2 and c eq 3', or(a, and(b, c))],
    ['a eq 1 and b eq 2 or c eq 3', or(and(a, b), c)],
    ['(a eq 1 or b eq 2) and c eq 3', and(or(a, b), c)],
    ['NOT (a EQ 1) AND b Eq 2', and(not(a), b)],
    ['  a   eq   1  ', a],
    ['(((a eq 1)))', a],
    ['a eq 1\tand\nb eq 2', and(a, b)],
    ['(a eq 1)and(b eq 2)', and(a, b)],
    ['a eq"x"', compare('a', 'eq', 'x')],
    // Values (D.2 rows 3, 8, 9; B.7).
    ['a eq true', compare('a', 'eq', true)],
    ['a eq "True"', compare('a', 'eq', 'True')],
    ['a eq True', compare('a', 'eq', 'True')],
    ['a eq null', compare('a', 'eq', null)],
    ['a eq -1.5', compare('a', 'eq', -1.5)],
    ['a eq 007', compare('a', 'eq', '007')],
    ['a eq 12345678901234567890', compare('a', 'eq', '12345678901234567890')],
    ['externalId eq jyoung', compare('externalId', 'eq', 'jyoung')],
    ['emails.Value co example.com', compare('emails.Value', 'co', 'example.com')],
    ['meta.Created gt 2015-10-10T14:38:21.8617979-07:00', compare('meta.Created', 'gt', '2015-10-10T14:38:21.8617979-07:00')],
    ['a eq "say \\"hi\\" \\\\ \\u00e9"', compare('a', 'eq', 'say "hi" \\ é')],
    ['a eq ""', compare('a', 'eq', '')],
    ['a eq "\\ud83d\\ude00\\/"', compare('a', 'eq', '😀/')],
    ['a eq "\\ud83d"', compare('a', 'eq', '\ud83d')],
    ['a eq 1e3', compare('a', 'eq', '1e3')],
    ['a eq 1E+2', compare('a', 'eq', '1E+2')],
    ['a eq 1.50', compare('a', 'eq', '1.50')],
    ['a eq -0', compare('a', 'eq', '-0')],
    ['a eq 0', compare('a', 'eq', 0)],
    ['a eq NULL', compare('a', 'eq', 'NULL')],
    ['a ne null', compare('a', 'ne', null)],
    // Names of figure 1 and of RFC 7643.
    ['members.$ref eq "x"', compare('members.$ref', 'eq', 'x')],
    ['a-b_c9 pr', pr('a-b_c9')],
    ['urn:x-y:a.b_c:2.0:User:emails[type eq "work"].value co "@"', some('urn:x-y:a.b_c:2.0:User:emails', and(compare('type', 'eq', 'work'), compare('value', 'co', '@')))],
    ['emails [ type eq "work" ] .value pr', some('emails', and(compare('type', 'eq', 'work'), pr('value')))],
    ['not(a eq 1)and not(b eq 2)or(c eq 3)', or(and(not(a), not(b)), c)],
    // A sub-attribute behind a value path (D.2 row 4).
    ['emails[type eq "work"].value eq "x"', some('emails', and(compare('type', 'eq', 'work'), compare('value', 'eq', 'x')))],
    ['emails[type eq "work"].value pr and a eq 1', and(some('emails', and(compare('type', 'eq', 'work'), pr('value'))), a)],
    ['members[value eq "u"]', some('members', compare('value', 'eq', 'u'))],
    ['not (emails[not (type pr)])', not(some('emails', not(pr('type'))))],
  ])('%s', (text, filter) => expect(parseFilter(text)).toEqual({ ok: true, value: filter }))

  it.each([
    '', '   ', 'userName', 'userName eq', 'eq "x"', 'userName "x"', 'userName xx "x"', 'userName eq "x', 'userName eq "x" and',
    'and userName eq "x"', 'userName eq "x" userName eq "y"', 'userName eq "x" or or a eq 1', '(userName eq "x"', 'userName eq "x")',
    '()', 'not', 'not userName eq "x"', 'not ()', 'emails[]', 'emails[type eq "x"', 'emails type eq "x"]', 'emails[type eq "x"] eq "y"',
    'emails[type eq "x"].', 'emails[type eq "x"].value', 'emails[a[b eq 1]]', 'emails[x pr].[y pr]', '"userName" eq "x"', 'userName eq and a eq 1',
    'userName eq or', 'userName eq eq', "userName eq 'x'", 'userName pr "x"', 'userName eq "\\x"', 'userName eq "a\u0001b"', 'userName eq "\\u0000"',
    'a,b eq 1', 'a eq (1)', 'a eq [1]', '1 eq 1', '_a pr', '-a pr', '9a pr', 'a!b pr', 'é pr', 'a eq "\\u12"', 'a eq "\\uZZZZ"', 'not not (a pr)', 'emails[a pr](b pr)', 'emails[a pr].b pr.c pr', '; drop table users', "' or 1=1 --", 'a eq 1;', ')(', '[', ']', '"', '\\', 'a eq "\\',
    '('.repeat(8000), 'not('.repeat(1500), `a eq "${'\n'.repeat(5000)}`,
  ])('refuses text %# with a sentence', (text) => {
    const parsed = parseFilter(text)
    expect(parsed).toMatchObject({ ok: false, error: { status: 400, scimType: 'invalidFilter' } })
    if (!parsed.ok) expect(parsed.error.detail).toMatch(/^The filter cannot be read: .+, at character \d+\.$/)
  })

  it('says where', () => {
    expect(parseFilter('userName eq "x" and title xx "y"')).toMatchObject({
      error: { detail: 'The filter cannot be read: there is no operator after "title", at character 27.' },
    })
    expect(parseFilter("userName eq 'joy'")).toMatchObject({
      error: { detail: 'The filter cannot be read: a string stands in double quotes, at character 13.' },
    })
  })

  it('has limits, and none below them', () => {
    const nested = (depth: number) => `${'('.repeat(depth)}a eq 1${')'.repeat(depth)}`
    const long = (terms: number) => Array.from({ length: terms }, () => 'a eq 1').join(' or ')
    const padded = (length: number) => `a eq "${'x'.repeat(length - 7)}"`
    expect(parseFilter(nested(MAX_FILTER_DEPTH)).ok).toBe(true)
    expect(parseFilter(nested(MAX_FILTER_DEPTH + 1))).toMatchObject({ ok: false, error: { scimType: 'invalidFilter' } })
    expect(parseFilter(long(MAX_FILTER_TERMS)).ok).toBe(true)
    expect(parseFilter(long(MAX_FILTER_TERMS + 1))).toMatchObject({ ok: false, error: { scimType: 'invalidFilter' } })
    expect(parseFilter(padded(MAX_FILTER_LENGTH)).ok).toBe(true)
    expect(parseFilter(padded(MAX_FILTER_LENGTH + 1))).toMatchObject({ ok: false, error: { scimType: 'invalidFilter' } })
  })

  it('answers for any text, and never throws', () => {
    const words = fc.constantFrom('a', 'eq', 'and', 'or', 'not', '(', ')', '[', ']', '"', '"x"', '\\', ' ', '\n', '.', 'pr', '1', 'é', '\ud800')
    fc.assert(fc.property(fc.oneof(fc.string(), fc.array(words, { maxLength: 60 }).map((parts) => parts.join(' '))), (text) => {
      const parsed = parseFilter(text)
      expect(parsed.ok || parsed.error.scimType === 'invalidFilter').toBe(true)
    }), { numRuns: 2000 })
  })

  it('reads what it prints', () => {
    fc.assert(fc.property(filters('User'), (filter: Filter) => {
      expect(parseFilter(printFilter(filter))).toEqual({ ok: true, value: filter })
    }), { numRuns: 1000 })
  })
})
