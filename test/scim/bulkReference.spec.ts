import { describe, expect, it } from 'vitest'
import { referenceIn, resolveData } from '../../src/scim/bulkReference'

const resolve = (bulkId: string): string => `<${bulkId}>`

describe('referenceIn', () => {
  it.each([['bulkId:a', 'a'], ['bulkId:', ''], ['bulkId:a b', 'a b'], ['bulkid:a', null], [' bulkId:a', null], ['xbulkId:a', null], ['a', null]])(
    '%j refers to %j', (text, bulkId) => {
      expect(referenceIn(text)).toBe(bulkId)
    })
})

describe('resolveData', () => {
  it.each<[string, unknown, unknown]>([
    ['members', { members: [{ value: 'bulkId:a', type: 'User' }, { value: 'u7' }] }, { members: [{ value: '<a>', type: 'User' }, { value: 'u7' }] }],
    ['bare ids', { members: ['bulkId:a', 'bulkId:b'] }, { members: ['<a>', '<b>'] }],
    ['a manager', { 'urn:x:User': { manager: { value: 'bulkId:a' } } }, { 'urn:x:User': { manager: { value: '<a>' } } }],
    ['a bare manager', { manager: 'bulkId:a' }, { manager: '<a>' }],
    ['no names', { 'bulkId:a': 'x' }, { 'bulkId:a': 'x' }],
    ['nothing but texts', [1, true, null, 'bulkId', {}, []], [1, true, null, 'bulkId', {}, []]],
    ['a path, which only PATCH has', { path: 'x[y eq "bulkId:a"]' }, { path: 'x[y eq "bulkId:a"]' }],
  ])('%s', (_name, data, expected) => {
    expect(resolveData('POST', data, resolve)).toEqual(expected)
  })

  it.each<[string, string]>([
    ['members[value eq "bulkId:a"]', 'members[value eq "<a>"]'],
    ['members[value eq "bulkId:a" or value eq "bulkId:b"].value', 'members[value eq "<a>" or value eq "<b>"].value'],
    ['members[display eq "the \\"bulkId:a" and value eq "bulkId:a"]', 'members[display eq "the \\"bulkId:a" and value eq "<a>"]'],
    ['members[value eq "\\u0062ulkId:a\\u0022"] bulkId:', 'members[value eq "<a\\">"] bulkId:'],
    ['members[value eq "bulkId:a', 'members[value eq "bulkId:a'],
    ['members[value eq "bulkId:a" and x eq "\\q"]', 'members[value eq "bulkId:a" and x eq "\\q"]'],
    ['displayName', 'displayName'],
  ])('the path %s', (path, expected) => {
    const operation = { op: 'remove', Path: path, value: [{ value: 'bulkId:c' }] }
    expect(resolveData('PATCH', { Operations: [operation] }, resolve)).toEqual({ Operations: [{ op: 'remove', Path: expected, value: [{ value: '<c>' }] }] })
  })

  it('leaves what it was given as it was, and reaches no prototype', () => {
    const data: unknown = JSON.parse('{"__proto__":{"value":"bulkId:a"},"members":["bulkId:a"]}')
    const before = JSON.stringify(data)
    expect(JSON.stringify(resolveData('POST', data, resolve))).toBe('{"__proto__":{"value":"<a>"},"members":["<a>"]}')
    expect(JSON.stringify(data)).toBe(before)
    expect(Object.getOwnPropertyNames(Object.prototype)).not.toContain('value')
  })

  it('looks at a path of quotes without going back', () => {
    const paths = ['"\\"'.repeat(1_000_000), `${'\\"'.repeat(2_000_000)}bulkId:`, '"'.repeat(4_000_001), `"bulkId:${'x'.repeat(4_000_000)}`]
    for (const path of paths) expect(resolveData('PATCH', { path }, resolve)).toEqual({ path })
  })
})
