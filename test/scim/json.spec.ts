import { describe, expect, it } from 'vitest'
import { scimErrorBody, tooManyRequests, uniqueness, unavailable } from '../../src/scim/error'
import { MAX_DEPTH, parseJson } from '../../src/scim/json'

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
  it('waits whole seconds', () => expect(tooManyRequests('why', 1.2).retryAfterSeconds).toBe(2))
})
