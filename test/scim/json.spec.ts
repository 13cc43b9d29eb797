import { describe, expect, it } from 'vitest'
import { invalidPath, scimErrorBody, uniqueness, unavailable } from '../../src/scim/error'
import { MAX_DEPTH, MAX_NAMES, MAX_PARTS, parseJson } from '../../src/scim/json'

const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`

describe('parseJson', () => {
  it.each([
    ['{"a":1}', { a: 1 }],
    ['\uFEFF{"a":1}', { a: 1 }],
    ['[]', []],
    ['"x"', 'x'],
    [nested(MAX_DEPTH), JSON.parse(nested(MAX_DEPTH)) as unknown],
  ])('reads %j', (text, value) => expect(parseJson(text)).toEqual({ ok: true, value }))

  it.each([
    '', ' ', '{', "{'a':1}", '{"a":1}x', '[1,]', 'undefined', '\uFEFF\uFEFF{}',
    '{"__proto__":{"polluted":true}}',
    '{"\\u005f_proto__":{"polluted":true}}',
    '{"a":[{"constructor":{"prototype":{"polluted":true}}}]}',
    '{"a":{"b":{"prototype":1}}}',
    nested(MAX_DEPTH + 1),
    nested(200_000),
    `${'{"a":'.repeat(1000)}1${'}'.repeat(1000)}`,
    '['.repeat(1_000_000),
  ])('refuses text %#', (text) => {
    expect(parseJson(text)).toMatchObject({ ok: false, error: { status: 400, scimType: 'invalidSyntax' } })
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
  })

  it('of a name that is given twice takes the last', () => {
    expect(parseJson('{"a":1,"b":2,"a":3}')).toEqual({ ok: true, value: { a: 3, b: 2 } })
  })

  const named = (names: number): string => JSON.stringify(Object.fromEntries(Array.from({ length: names }, (_, index) => [`n${index}`, 1])))

  it('reads an object of many names, and refuses one of too many at any level', () => {
    expect(parseJson(named(MAX_NAMES)).ok).toBe(true)
    const error = { status: 400, scimType: 'invalidSyntax', detail: 'The request body has an object with more than 10000 names.' }
    for (const text of [named(MAX_NAMES + 1), `[{"a":${named(MAX_NAMES + 1)}}]`]) expect(parseJson(text)).toEqual({ ok: false, error })
  })

  it.each(['[],', '{},', '-0,', '"",'])('refuses millions of %s before it reads them', (item) => {
    const list = (parts: number): string => `[${item.repeat(Math.floor(parts / (item.length === 3 && /[[{]/.test(item) ? 2 : 1)))}0]`
    expect(parseJson(list(MAX_PARTS + 2))).toEqual({
      ok: false, error: { status: 413, detail: 'The request body has more than 2000000 names and values.' },
    })
    expect(parseJson(list(MAX_PARTS / 10)).ok).toBe(true)
  })

  it('names the hostile member', () => {
    expect(parseJson('{"a":{"constructor":1}}')).toMatchObject({ error: { detail: expect.stringContaining('"constructor"') as string } })
  })
})

describe('scimErrorBody', () => {
  it('has a status that is a string, and scimType only where there is one', () => {
    const schemas = ['urn:ietf:params:scim:api:messages:2.0:Error']
    expect(scimErrorBody(uniqueness('why'))).toEqual({ schemas, status: '409', scimType: 'uniqueness', detail: 'why' })
    expect(scimErrorBody(unavailable('why', 3))).toEqual({ schemas, status: '503', detail: 'why' })
  })
  it.each([
    ['a\u0000b\nc\u009bd', 'a\uFFFDb\uFFFDc\uFFFDd'], ['\ud83d "x"', '\uFFFD "x"'], ['evil\u202efdp.exe\u2066', 'evil\uFFFDfdp.exe\uFFFD'],
    ['שלום "你好" 😀 é', 'שלום "你好" 😀 é'],
  ])('quotes %j so that it can be read', (sentence, detail) => {
    expect(scimErrorBody(invalidPath(sentence)).detail).toBe(detail)
  })
  it('waits whole seconds', () => expect(unavailable('why', 1.2).retryAfterSeconds).toBe(2))
})
