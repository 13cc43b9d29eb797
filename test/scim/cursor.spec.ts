import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkClaims, cursorContext, joinCursor, MAX_ANCHORS, readClaims, splitCursor, writeClaims, type Anchor, type Claims } from '../../src/scim/cursor'
import { readListQuery, type ListQuery } from '../../src/scim/query'

const SEAL = 'A'.repeat(43)

const anchors: fc.Arbitrary<Anchor> = fc.record({
  type: fc.constantFrom('User', 'Group'), seq: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), version: fc.integer({ min: 1, max: 2 ** 40 }),
})
const claims: fc.Arbitrary<Claims> = fc.record({
  issuedAt: fc.nat({ max: 2 ** 40 }), count: fc.nat({ max: 200 }), anchors: fc.array(anchors, { minLength: 1, maxLength: MAX_ANCHORS }),
})

const queryOf = (text: string): ListQuery => {
  const query = readListQuery(new URLSearchParams(text))
  if (!query.ok) throw new Error(query.error.detail)
  return query.value
}

describe('what a cursor claims', () => {
  it('is read as it was written, in unreserved characters, and short enough for an address', () => {
    fc.assert(fc.property(claims, (given) => {
      const cursor = joinCursor({ payload: writeClaims(given), seal: SEAL })
      expect(cursor).toMatch(/^[A-Za-z0-9\-._~]+$/)
      expect(cursor.length).toBeLessThan(450)
      const split = splitCursor(cursor)
      expect(split).toEqual({ ok: true, value: { payload: writeClaims(given), seal: SEAL } })
      expect(readClaims(writeClaims(given))).toEqual({ ok: true, value: given })
    }))
  })

  it('is never misread, whatever comes', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[\w-]{1,60}$/)), (text) => {
      const read = readClaims(text)
      if (read.ok) expect(readClaims(writeClaims(read.value))).toEqual(read)
      else expect(read.error).toMatchObject({ status: 400, scimType: 'invalidCursor' })
    }))
  })

  it.each([
    ' ', 'VZUTiyhEQJ94IR', `.${SEAL}`, `abc.${SEAL}A`, `abc.${SEAL.slice(1)}`, `a b.${SEAL}`, `a.b.${SEAL}`, `${'a'.repeat(401)}.${SEAL}`, `abc.${SEAL}\n`,
    '__proto__', `a+b.${SEAL}`,
  ])('%j is no cursor', (text) => {
    expect(splitCursor(text)).toMatchObject({ ok: false, error: { status: 400, scimType: 'invalidCursor' } })
  })

  it.each(['', '1', '1.2', '1.2.0.5', '1.2.2.5.1', '1.2.0.5.1.0', 'x y', '1..0.5.1', `1.2${'.0.5.1'.repeat(MAX_ANCHORS + 1)}`])('%j claims nothing', (text) => {
    expect(readClaims(btoa(text).replaceAll('=', ''))).toMatchObject({ ok: false, error: { scimType: 'invalidCursor' } })
  })
})

describe('checkClaims', () => {
  const given: Claims = { issuedAt: 1000, count: 10, anchors: [{ type: 'User', seq: 1, version: 1 }] }
  it.each<[string, number, string | null]>([
    ['count=10', 1000, null], ['count=10', 4600, null], ['count=10', 4601, 'expiredCursor'], ['count=11', 1000, 'invalidCount'], ['', 1000, 'invalidCount'],
    ['count=9', 4601, 'invalidCount'], ['count=10', 0, null],
  ])('%j after %i s is %j', (text, second, scimType) => {
    expect(checkClaims(given, queryOf(text), second * 1000)?.scimType ?? null).toBe(scimType)
  })
})

describe('cursorContext', () => {
  const contextOf = (text: string, type: 'User' | 'Group' | null = 'User', connection = 'okta'): string => cursorContext(connection, type, queryOf(text))

  it.each([
    ['filter=userName sw J', 'filter=username  SW "J"'], ['attributes=a,B', 'attributes=b&attributes=A,a'], ['sortBy=userName', 'sortBy=USERNAME&sortOrder=ascending'],
    ['', 'count=7&cursor=x&startIndex=1&aadOptscim062020'], ['filter=(a pr)', 'filter=a pr'],
  ])('%j and %j are one query', (a, b) => expect(contextOf(a)).toBe(contextOf(b)))

  it.each([
    ['filter=userName sw J', 'filter=userName sw j'], ['filter=a pr', 'filter=not (a pr)'], ['filter=a eq "1"', 'filter=a eq 1'], ['filter=a pr', ''],
    ['attributes=a', 'excludedAttributes=a'], ['attributes=a', 'attributes=a,b'], ['sortBy=a', 'sortBy=b'], ['sortBy=a', 'sortBy=a&sortOrder=descending'],
    ['filter=a eq "name"', 'filter=a eq "NAME"'],
  ])('%j and %j are two', (a, b) => expect(contextOf(a)).not.toBe(contextOf(b)))

  it('is of one connection and one type', () => {
    expect(new Set([contextOf(''), contextOf('', 'Group'), contextOf('', null), contextOf('', 'User', 'entra')]).size).toBe(4)
  })
})
