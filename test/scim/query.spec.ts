import { describe, expect, it } from 'vitest'
import { readInstant } from '../../src/scim/dateTime'
import { DEFAULT_COUNT, MAX_COUNT, isCursorQuery, PAGINATION, readListQuery, readProjection, readSearchRequest } from '../../src/scim/query'
import { readBoolean, restoreLostPlus, stripEntraFlag } from '../../src/scim/quirks'

const none = { filter: null, startIndex: 1, count: DEFAULT_COUNT, attributes: [], excludedAttributes: [] }
const userName = { kind: 'compare', name: 'userName', operator: 'eq', value: 'x' }

describe('readListQuery', () => {
  it.each<[string, object]>([
    ['', {}],
    ['startIndex=1&count=2', { count: 2 }],
    ['startIndex=101&count=100', { startIndex: 101, count: 100 }],
    ['startindex=0&COUNT=5', { count: 5 }],
    ['startIndex=-7', {}],
    ['startIndex=99999999999999999999', { startIndex: Number.MAX_SAFE_INTEGER }],
    ['count=0', { count: 0 }],
    ['count=-1', { count: 0 }],
    ['count=100000', { count: MAX_COUNT }],
    ['count=', {}],
    ['filter=', {}],
    ['filter=%20', {}],
    ['filter=userName+eq+%22x%22', { filter: userName }],
    ['Filter=userName%20eq%20"x"', { filter: userName }],
    ['filter=userName++eq++x', { filter: userName }],
    ['attributes=id,userName', { attributes: ['id', 'userName'] }],
    ['attributes=emails[type eq "a,b"]&excludedattributes=name', { attributes: ['emails[type eq "a,b"]'], excludedAttributes: ['name'] }],
    ['sortBy=userName&sortOrder=Descending', { sortBy: 'userName', sortOrder: 'descending' }],
    ['aadOptscim062020&x=y&__proto__=1&constructor=2', {}],
    ['count=3&count=4', { count: 3 }],
    ['attributes=id,a&Attributes=&attributes=b', { attributes: ['id', 'a', 'b'] }],
    ['excludedAttributes=a&excludedAttributes=b', { excludedAttributes: ['a', 'b'] }],
    ['cursor', { cursor: '' }],
    ['cursor=&count=10', { cursor: '', count: 10 }],
    ['Cursor=AbC&startIndex=1', { cursor: 'AbC' }],
    ['cursor=a&cursor=b&startIndex=0', { cursor: 'a' }],
    ['cursor&count=-3', { cursor: '', count: 0 }],
    ['cursor&count=100000', { cursor: '', count: MAX_COUNT }],
    ['cursor=%20', { cursor: ' ' }],
  ])('%s', (text, query) => expect(readListQuery(new URLSearchParams(text))).toEqual({ ok: true, value: { ...none, ...query } }))

  it.each([
    ['startIndex=a', 'invalidValue'], ['count=1.5', 'invalidValue'], ['count=1e3', 'invalidValue'], ['sortOrder=up', 'invalidValue'],
    ['filter=userName', 'invalidFilter'], [`count=${'9'.repeat(500)}`, 'invalidValue'],
    ['cursor&count=ten', 'invalidCount'], ['cursor=abc&count=1.5', 'invalidCount'], ['cursor&startIndex=2', 'invalidValue'],
    ['cursor=abc&startIndex=x', 'invalidValue'],
  ])('%.40s is %s', (text, scimType) => {
    expect(readListQuery(new URLSearchParams(text))).toMatchObject({ ok: false, error: { status: 400, scimType } })
  })

  it('never cuts a page below 100', () => expect(Math.min(DEFAULT_COUNT, MAX_COUNT)).toBeGreaterThanOrEqual(100))

  it('asks by cursor only where there is one', () => {
    const asks = (text: string): unknown => {
      const query = readListQuery(new URLSearchParams(text))
      return query.ok && isCursorQuery(query.value)
    }
    expect(['', 'count=1', 'startIndex=1', 'cursor', 'cursor=', 'cursor=x'].map(asks)).toEqual([false, false, false, true, true, true])
  })

  it('is what is published of pages', () => {
    expect(PAGINATION).toEqual({ cursor: true, index: true, defaultPaginationMethod: 'index', defaultPageSize: DEFAULT_COUNT, maxPageSize: MAX_COUNT, cursorTimeout: 3600 })
  })
})

describe('readProjection', () => {
  it('is the two lists and nothing else', () => {
    expect(readProjection(new URLSearchParams('Attributes=a,b&count=x'))).toEqual({ ok: true, value: { attributes: ['a', 'b'], excludedAttributes: [] } })
  })
})

describe('readSearchRequest', () => {
  it.each<[unknown, object]>([
    [{}, {}],
    [{ schemas: [], attributes: ['a', 'b,c'], filter: 'userName eq "x"', startIndex: 2, Count: 0, sortBy: 'a', sortOrder: 'ascending' },
      { attributes: ['a', 'b', 'c'], filter: userName, startIndex: 2, count: 0, sortBy: 'a', sortOrder: 'ascending' }],
    [{ attributes: null, filter: null, startIndex: '3', count: 1e300 }, { startIndex: 3, count: MAX_COUNT }],
    [{ cursor: '', count: 10 }, { cursor: '', count: 10 }],
    [{ cursor: null, sortBy: 'userName', sortOrder: '' }, { sortBy: 'userName' }],
    [{ schemas: 7, CURSOR: 'x' }, { cursor: 'x' }],
  ])('%j', (body, query) => expect(readSearchRequest(body)).toEqual({ ok: true, value: { ...none, ...query } }))
  it.each<[unknown, string]>([
    [null, 'invalidSyntax'], [[], 'invalidSyntax'], [{ count: 1.5 }, 'invalidValue'], [{ count: {} }, 'invalidValue'], [{ filter: 1 }, 'invalidValue'],
    [{ attributes: [1] }, 'invalidValue'], [{ attributes: 'a,'.repeat(5000) }, 'invalidValue'], [{ excludedAttributes: Array.from({ length: 9000 }, () => '') }, 'invalidValue'], [{ excludedAttributes: {} }, 'invalidValue'], [{ sortOrder: 1 }, 'invalidValue'], [{ filter: 'x' }, 'invalidFilter'],
    [{ cursor: 7 }, 'invalidCursor'], [{ cursor: {} }, 'invalidCursor'], [{ cursor: [''] }, 'invalidCursor'], [{ cursor: '', count: 'ten' }, 'invalidCount'],
    [{ cursor: '', startIndex: 2 }, 'invalidValue'],
  ])('refuses %j', (body, scimType) => expect(readSearchRequest(body)).toMatchObject({ ok: false, error: { status: 400, scimType } }))
})

describe('stripEntraFlag', () => {
  const base = 'https://b.example/scim/v2'
  it.each([
    ['/Users?aadOptscim062020&filter=userName+eq+%22x%22', '/Users?filter=userName+eq+%22x%22'],
    ['?aadOptscim062020/Users', '/Users'],
    ['?aadOptscim062020/Users?filter=userName+eq+%22a%3Fb%22&count=1', '/Users?filter=userName+eq+%22a%3Fb%22&count=1'],
    ['?aadOptscim062020/Users&filter=x', '/Users?filter=x'],
    ['?aadOptscim062020/Users/a%2Fb', '/Users/a%2Fb'],
    ['/?AADOPTSCIM062020/Groups/1?excludedAttributes=members', '/Groups/1?excludedAttributes=members'],
    ['/Users?count=1&aadOptscim062020=&startIndex=2', '/Users?count=1&startIndex=2'],
    ['/Users?AzureAdScimPatch2017', '/Users'],
    ['/Users?filter=a+eq+"aadOptscim062020"', '/Users?filter=a+eq+%22aadOptscim062020%22'],
    ['/Users?aadOptscim0620200', '/Users?aadOptscim0620200'],
    ['/Users', '/Users'],
    // Dot segments lead nowhere.
    ['?aadOptscim062020/../../admin/api', '?aadOptscim062020/../../admin/api'],
    ['?aadOptscim062020/%2e%2e/%2e%2e/admin', '?aadOptscim062020/%2e%2e/%2e%2e/admin'],
  ])('%s', (given, expected) => expect(String(stripEntraFlag(new URL(`${base}${given}`)))).toBe(`${base}${expected}`))
})

describe('readInstant', () => {
  it.each<[string, string | null, boolean?]>([
    ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05.000Z'],
    ['2026-01-02T03:04:05.1Z', '2026-01-02T03:04:05.100Z'],
    ['2015-10-10T14:38:21.8617979-07:00', '2015-10-10T21:38:21.861Z', true],
    ['0001-01-03T00:00:00.0000000Z', '0001-01-03T00:00:00.000Z'],
    ['0000-01-01T00:00:00+14:00', '', true],
    ['9999-12-31T23:59:59-01:00', '9999-12-31T23:59:59.999Z', true],
    ['2026-01-02', '2026-01-02T00:00:00.000Z'],
    ['2026-01-02T03:04', '2026-01-02T03:04:00.000Z'],
    ['2026-01-02t03:04:05z', '2026-01-02T03:04:05.000Z'],
    ['2026-01-02T03:04:05+0530', '2026-01-01T21:34:05.000Z'],
    ['2024-02-29', '2024-02-29T00:00:00.000Z'],
    ['2026-01-01T24:00:00.000Z', '2026-01-02T00:00:00.000Z'],
    ['2026-06-30T23:59:60Z', '2026-07-01T00:00:00.000Z'],
    ['2026-01-01T00:00:00+14:00', '2025-12-31T10:00:00.000Z'],
    ['2026-01-01T24:00:01Z', null], ['2026-01-01T24:01:00Z', null], ['2026-01-01T24:00:00.5Z', null],
    ['2026-01-01T00:00:00+14:01', null], ['2026-01-01T00:00:00-99:00', null], ['2026-01-01T00:00:00+01:60', null],
    ['2026-02-29', null], ['2026-13-01', null], ['2026-01-32', null], ['2026-01-01T25:00:00Z', null], ['2026-01-01T00:60:00Z', null],
    ['yesterday', null], ['', null], ['20260101', null], ['2026-01-01T00:00:00.Z', null], ['2026-01-01Z', null],
  ])('%s', (text, expected, isRounded = false) => {
    expect(readInstant(text)).toEqual(expected === null ? null : { text: expected, isRounded })
  })
})

describe('small quirks', () => {
  it.each([[true, true], ['True', true], [' false ', false], ['yes', undefined], [1, undefined], [null, undefined], ['', undefined]])(
    'readBoolean(%j) is %j', (value, expected) => expect(readBoolean(value)).toBe(expected))
  it.each([['a b@x.org', 'a+b@x.org'], ['a@x.org', null], ['a b', null], [' a@x.org', null]])(
    'restoreLostPlus(%j) is %j', (text, expected) => expect(restoreLostPlus(text)).toBe(expected))
})
