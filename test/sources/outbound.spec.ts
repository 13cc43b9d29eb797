import { describe, expect, it } from 'vitest'
import { exchange, judge, judgeFound, readCursor, retryAfterOf, segmentOf, staysAt, type Provider, type Reply } from '../../src/sources/outbound'
import { failureOf, NOW, valueOf, wireTo, type Answering } from './wire'

const PROVIDER: Provider = { name: 'Okta', mend: () => 'mend it.' }
const URL_OF = 'https://org.okta.com/api/v1/users/secret-looking-path'
const SECRET = 'a-very-secret-value'

const call = async (answer: Answering, url = URL_OF, development = false) => {
  const { tools } = wireTo(answer, development)
  const reply = await exchange(tools, PROVIDER, { method: 'GET', url, headers: { authorization: `SSWS ${SECRET}` } })
  return reply.ok ? judge(tools, PROVIDER, url, reply.value) : reply
}

const said = async (answer: Answering, url?: string) => {
  const judged = await call(answer, url)
  if (judged.ok) throw new Error('no failure')
  return judged.error
}

describe('the meaning of an answer', () => {
  const body = (status: number, json: unknown, headers: Record<string, string> = {}): Answering => () => new Response(typeof json === 'string' ? json : JSON.stringify(json), { status, headers })
  it.each<[string, Answering, unknown]>([
    ['401', body(401, { errorCode: 'E0000011' }), { kind: 'unauthorized', sentence: 'Okta (org.okta.com) answered 401 E0000011: mend it.' }],
    ['403', body(403, ''), { kind: 'unauthorized', sentence: 'Okta (org.okta.com) answered 403: mend it.' }],
    ['404', body(404, {}), { kind: 'missing' }],
    ['410', body(410, { error: { code: 'resyncRequired' } }), { kind: 'expired', sentence: 'Okta (org.okta.com) answered 410 resyncRequired: it has forgotten where the bridge stood, which begins anew.' }],
    ['429', body(429, {}, { 'retry-after': '7' }), { kind: 'throttled', retryAfterMs: 7_000, sentence: 'Okta (org.okta.com) answered 429: it asks for patience.' }],
    ['500 in HTML', body(500, '<html>'), { kind: 'unavailable', sentence: 'Okta (org.okta.com) answered 500.' }],
    ['a redirect', body(302, '', { location: 'https://elsewhere.example/' }), { kind: 'unavailable', sentence: 'Okta (org.okta.com) answered 302.' }],
    ['200 in HTML', body(200, '<html>'), { kind: 'unavailable', sentence: 'Okta (org.okta.com) gave an answer that is no JSON.' }],
    ['a body that breaks off', () => new Response(new ReadableStream({ start: (c) => c.error(new Error('x')) })), { kind: 'unavailable', sentence: 'Okta (org.okta.com) could not be reached.' }],
    ['no answer', () => Promise.reject(new Error(SECRET)), { kind: 'unavailable', sentence: 'Okta (org.okta.com) could not be reached.' }],
    ['a code that nobody knows', body(400, { error: SECRET, errorCode: SECRET, error_description: SECRET }), { kind: 'unavailable', sentence: 'Okta (org.okta.com) answered 400.' }],
    ['a body with strange members', body(400, '{"__proto__":{"errorCode":"E0000001"},"error":{"code":{"toString":1}}}'), { kind: 'unavailable', sentence: 'Okta (org.okta.com) answered 400.' }],
  ])('%s', async (_, answer, expected) => expect(await said(answer)).toEqual(expected))

  it('a 404 where there must be something is a wrong setting', () => {
    const reply: Reply = { status: 404, isOk: false, headers: new Headers(), json: null }
    expect(failureOf(judgeFound({ now: () => NOW }, PROVIDER, URL_OF, reply)).sentence).toContain('check the address')
  })

  it('every success is one, an empty body too', async () => {
    for (const status of [200, 201, 204]) expect((await call(() => new Response(status === 204 ? null : ' ', { status }))).ok).toBe(true)
  })

  it('an answer without an end is not read to its end', async () => {
    let chunks = 0
    const endless = new ReadableStream({ pull: (c) => { chunks += 1; c.enqueue(new Uint8Array(1024 * 1024)) } })
    expect((await said(() => new Response(endless))).kind).toBe('unavailable')
    expect(chunks).toBeLessThan(30)
  })
})

describe('where requests go', () => {
  it.each([
    ['https://org.okta.com/', true, true], ['http://org.okta.com/', false, false], ['http://127.0.0.1:8790/', true, false], ['http://localhost/', true, false],
    ['http://127.0.0.1.example.com/', false, false], ['ftp://org.okta.com/', false, false], ['file:///etc/passwd', false, false], ['not a url', false, false],
  ])('%s: in development %s, elsewhere %s', async (url, inDevelopment, elsewhere) => {
    const isAsked = async (development: boolean): Promise<boolean> => {
      let asked = false
      await call(() => {
        asked = true
        return new Response('{}')
      }, url, development)
      return asked
    }
    expect([await isAsked(true), await isAsked(false)]).toEqual([inDevelopment, elsewhere])
  })

  it.each([
    ['https://org.okta.com/api/v1/users?after=x', true], ['https://org.okta.com:443/x', true], ['https://org.okta.com.evil.example/', false], ['http://org.okta.com/', false],
    ['https://user:pass@org.okta.com/', false], ['https://org.okta.com:8443/', false], ['/api/v1/users', false], ['', false],
  ])('a next page at %s: %s', (url, expected) => expect(staysAt(url, 'https://org.okta.com')).toBe(expected))

  it('a text is one segment of a path or none', () => {
    expect(['a b', 'x/../y', '..', '.', '', 'me?x=1#y', 'x'.repeat(501), 'é'].map(segmentOf)).toEqual(['a%20b', 'x%2F..%2Fy', null, null, null, 'me%3Fx%3D1%23y', null, '%C3%A9'])
  })
})

describe('patience', () => {
  it.each([
    [{ 'retry-after': '10' }, 10_000], [{ 'retry-after': '0' }, 1_000], [{ 'retry-after': '1.5' }, 1_500], [{ 'retry-after': '99999999' }, 3_600_000],
    [{ 'retry-after': 'Fri, 27 Nov 2026 10:00:30 GMT' }, 30_000], [{ 'retry-after': 'Fri, 27 Nov 2020 10:00:30 GMT' }, 1_000],
    [{ 'x-rate-limit-reset': String(NOW / 1000 + 42) }, 42_000], [{ 'x-rate-limit-reset': '1' }, 60_000], [{ 'retry-after': '-5' }, 1_000], [{ 'retry-after': 'soon' }, 60_000], [{}, 60_000],
    [{ 'retry-after': '5', 'x-rate-limit-reset': String(NOW / 1000 + 42) }, 5_000],
  ])('%j is %d ms', (headers, expected) => expect(retryAfterOf(new Headers(headers), NOW)).toBe(expected))
})

it('a cursor that is no JSON is none', () => {
  expect([readCursor('{'), readCursor('{"a":1}')]).toEqual([null, { a: 1 }])
})

it('the sentence of no failure holds a credential', async () => {
  const { tools } = wireTo(() => Promise.reject(new Error(SECRET)))
  const reply = await exchange(tools, PROVIDER, { method: 'GET', url: URL_OF, headers: { authorization: SECRET } })
  expect(JSON.stringify(reply)).not.toContain(SECRET)
  const fine = wireTo(() => new Response('{"a":1}'))
  expect(valueOf(await exchange(fine.tools, PROVIDER, { method: 'GET', url: URL_OF, headers: {} })).json).toEqual({ a: 1 })
})
