import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { errorOfResponse, parseRetryAfter } from '../../src/arize/error'
import { NOW } from './wire'

const respond = (status: number, headers: Record<string, string> = {}) => ({ status, headers: new Headers(headers) })
const of = (status: number, body: unknown = undefined) => errorOfResponse(respond(status), body, NOW)

describe('errorOfResponse', () => {
  it.each([
    [400, 'rejected'],
    [401, 'unauthorized'],
    [402, 'rejected'],
    [403, 'forbidden'],
    [404, 'not_found'],
    [405, 'rejected'],
    [408, 'unavailable'],
    [409, 'conflict'],
    [410, 'rejected'],
    [413, 'rejected'],
    [415, 'rejected'],
    [422, 'rejected'],
    [425, 'unavailable'],
    [429, 'throttled'],
    [451, 'rejected'],
    [301, 'unavailable'],
    [304, 'unavailable'],
    [307, 'unavailable'],
    [500, 'unavailable'],
    [501, 'unavailable'],
    [502, 'unavailable'],
    [503, 'unavailable'],
    [504, 'unavailable'],
    [599, 'unavailable'],
  ])('%i is %s, whatever the body says', (status, kind) => {
    for (const body of [undefined, '', '<html>', null, 7, [], { status: 200, title: 'OK' }, { status: 418 }]) {
      expect(of(status, body).kind).toBe(kind)
    }
  })

  it('keeps the status where the kind does not say it', () => {
    expect(of(422)).toEqual({ kind: 'rejected', status: 422, detail: 'Arize answered 422.' })
    expect(of(503)).toEqual({ kind: 'unavailable', status: 503, detail: 'Arize answered 503.' })
  })

  it.each<[string, unknown, string, string | undefined]>([
    ['detail first', { title: 'Bad Request', detail: 'Users with an annotator account role …' }, 'Users with an annotator account role …', undefined],
    ['then title', { title: 'Bad Request' }, 'Bad Request', undefined],
    ['title when detail is not text', { title: 'Bad Request', detail: { a: 1 } }, 'Bad Request', undefined],
    ['with error_code and request_id', { detail: 'No.', error_code: 'annotator', request_id: 'req_1' }, 'No. (annotator)', 'req_1'],
    ['of wrong types', { detail: 1, title: [], error_code: {}, request_id: 2 }, 'Arize answered 400.', undefined],
    ['HTML', '<html><body>nginx</body></html>', 'Arize answered 400.', undefined],
    ['on one line', { detail: 'a\r\nb\u0000c\u2028d\te' }, 'a b c d e', undefined],
    ['blank', { detail: '   ' }, 'Arize answered 400.', undefined],
  ])('reads a problem leniently: %s', (_name, body, detail, requestId) => {
    expect(of(400, body)).toEqual({ kind: 'rejected', status: 400, detail, ...(requestId === undefined ? {} : { requestId }) })
  })

  it('bounds what it keeps', () => {
    const error = of(400, { detail: 'x'.repeat(1_000_000), error_code: 'y'.repeat(10_000), request_id: 'z'.repeat(10_000) })
    expect(error.detail.length).toBeLessThanOrEqual(500)
    expect(error.requestId?.length).toBe(100)
    expect(of(400, { detail: '💥'.repeat(400) }).detail).toMatch(/^(💥)+…$/u)
  })

  it('takes no harm from any body', () => {
    fc.assert(
      fc.property(fc.integer({ min: 300, max: 599 }), fc.jsonValue(), (status, value) => {
        const error = of(status, value)
        expect(error.detail.length).toBeGreaterThan(0)
        expect(error.detail.length).toBeLessThanOrEqual(500)
      }),
    )
    const hostile: unknown = JSON.parse('{"__proto__": {"detail": "p"}, "constructor": {"title": "c"}, "title": "t"}')
    expect(of(400, hostile).detail).toBe('t')
    expect(Object.hasOwn(Object.prototype, 'detail')).toBe(false)
  })
})

describe('parseRetryAfter', () => {
  it.each([
    ['42', 42_000],
    [' 7 ', 7_000],
    ['0', 0],
    ['3600', 3_600_000],
    ['3601', 3_600_000],
    ['99999999999999999999999', 3_600_000],
    ['Mon, 23 Nov 2026 12:00:30 GMT', 30_000],
    ['Monday, 23-Nov-26 12:00:30 GMT', 30_000],
    ['Mon, 23 Nov 2026 11:00:00 GMT', 0],
    ['Mon, 23 Nov 2099 12:00:00 GMT', 3_600_000],
    [null, null],
    ['', null],
    ['-5', null],
    ['1.5', null],
    ['soon', null],
    ['Xyz, 99 Foo 2026 12:00:30 GMT', null],
    ['2026-11-23T12:00:30Z', null],
  ])('%j is %j ms', (header, expected) => {
    expect(parseRetryAfter(header, NOW)).toBe(expected)
    expect(errorOfResponse(respond(429, header === null ? {} : { 'retry-after': header }), undefined, NOW)).toMatchObject({
      kind: 'throttled',
      retryAfterMs: expected,
    })
  })
})
