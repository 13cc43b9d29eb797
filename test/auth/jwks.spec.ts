import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createJwksCache, type Fetch } from '../../src/auth/jwks'
import { verifyAccessToken } from '../../src/auth/jwt'
import { createTestIssuer, type TestIssuer } from './issuer'

const START = Date.UTC(2026, 10, 23, 12)
const RS256 = { alg: 'RS256', kid: 'key-1' }
const KEYS_URI = 'https://idp.example.test/keys'

let time = START
const now = () => time
let issuer: TestIssuer
let fetches = 0

beforeAll(async () => {
  issuer = await createTestIssuer({ now })
})

beforeEach(() => {
  time = START
  fetches = issuer.fetches()
  issuer.answerWith(undefined)
})

const cacheOf = (options: { maxEntries?: number; timeoutMs?: number } = {}) =>
  createJwksCache({ fetch: issuer.fetch, now, ...options })

const fetched = () => issuer.fetches() - fetches

const unknownKey = { ok: false, error: { kind: 'invalid', reason: 'unknown_key' } }

const unavailable = (what: string, retryAfterSeconds = 30) => ({
  ok: false,
  error: { kind: 'unavailable', retryAfterSeconds, what: expect.stringContaining(what) },
})

describe('the cache of key sets', () => {
  it('fetches once for many tokens and again after ten minutes', async () => {
    const jwks = cacheOf()
    for (let call = 0; call < 5; call += 1) expect(await jwks.key(issuer.jwksUri, RS256)).toMatchObject({ ok: true })
    expect(fetched()).toBe(1)
    time += 599_999
    await jwks.key(issuer.jwksUri, RS256)
    expect(fetched()).toBe(1)
    time += 1
    await jwks.key(issuer.jwksUri, RS256)
    expect(fetched()).toBe(2)
  })

  it('fetches once for 20 tokens with unknown keys on a cold cache, in turn and at once', async () => {
    const inTurn = cacheOf()
    for (let call = 0; call < 20; call += 1) {
      expect(await inTurn.key(issuer.jwksUri, { alg: 'RS256', kid: `unknown-${call}` })).toEqual(unknownKey)
    }
    expect(fetched()).toBe(1)
    const atOnce = cacheOf()
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, call) => atOnce.key(issuer.jwksUri, { alg: 'RS256', kid: `unknown-${call}` })),
    )
    expect(new Set(answers.map((answer) => JSON.stringify(answer)))).toEqual(new Set([JSON.stringify(unknownKey)]))
    expect(fetched()).toBe(2)
  })

  it('fetches once more in each cool-down for unknown keys on a warm cache', async () => {
    const jwks = cacheOf()
    await jwks.key(issuer.jwksUri, RS256)
    for (let call = 0; call < 20; call += 1) await jwks.key(issuer.jwksUri, { alg: 'RS256', kid: `unknown-${call}` })
    expect(fetched()).toBe(2)
    time += 29_999
    await jwks.key(issuer.jwksUri, { alg: 'RS256', kid: 'unknown' })
    expect(fetched()).toBe(2)
    time += 1
    await jwks.key(issuer.jwksUri, { alg: 'RS256', kid: 'unknown' })
    expect(fetched()).toBe(3)
    expect(await jwks.key(issuer.jwksUri, RS256)).toMatchObject({ ok: true })
    expect(fetched()).toBe(3)
  })

  it('takes up a rotated key at once, and after the cool-down when unknown keys have just been asked for', async () => {
    const rotating = await createTestIssuer({ now, algorithm: 'ES256' })
    const jwks = createJwksCache({ fetch: rotating.fetch, now })
    const verify = (token: string) => verifyAccessToken(token, [rotating.trusted], { now, jwks })
    const before = await rotating.sign()
    expect(await verify(before)).toMatchObject({ ok: true })
    await rotating.rotate()
    expect(await verify(await rotating.sign())).toMatchObject({ ok: true })
    expect(rotating.fetches()).toBe(2)
    expect(await verify(before)).toEqual(unknownKey)
    expect(rotating.fetches()).toBe(3)
    await rotating.rotate()
    const third = await rotating.sign()
    expect(await verify(third)).toEqual(unknownKey)
    expect(rotating.fetches()).toBe(3)
    time += 30_000
    expect(await verify(third)).toMatchObject({ ok: true })
    expect(rotating.fetches()).toBe(4)
  })

  it('keeps a bounded number of key sets, dropping the one not used for longest', async () => {
    const asked: string[] = []
    const fetch: Fetch = async (url) => {
      asked.push(url)
      return Response.json({ keys: [issuer.publicJwk()] })
    }
    const jwks = createJwksCache({ fetch, now, maxEntries: 2 })
    for (const name of ['a', 'b', 'a', 'c', 'a', 'b']) await jwks.key(`https://${name}.example.test/keys`, RS256)
    expect(asked.map((url) => new URL(url).hostname[0])).toEqual(['a', 'b', 'c', 'b'])
  })

  it('keeps the key sets of different addresses apart', async () => {
    const second = await createTestIssuer({ now, issuer: 'https://second.example.test', algorithm: 'ES256' })
    const fetch: Fetch = (url, init) => (second.handles(url) ? second.fetch(url, init) : issuer.fetch(url, init))
    const jwks = createJwksCache({ fetch, now })
    expect(await jwks.key(issuer.jwksUri, RS256)).toMatchObject({ ok: true })
    expect(await jwks.key(second.jwksUri, RS256)).toEqual(unknownKey)
    expect(await jwks.key(second.jwksUri, { alg: 'ES256', kid: 'key-1' })).toMatchObject({ ok: true })
  })
})

const json = (text: string, init?: ResponseInit) => () => new Response(text, init)
const stalled = () => new Response(new ReadableStream({ pull: () => new Promise<void>(() => undefined) }))
const endless = () =>
  new Response(
    new ReadableStream({
      pull: (controller) => {
        controller.enqueue(new TextEncoder().encode(' '.repeat(65_536)))
      },
    }),
  )

describe('a key set that can’t be read', () => {
  const outages: [string, string, () => Response | Promise<Response>][] = [
    ['network down', 'could not be reached', () => Promise.reject(new TypeError('network'))],
    ['500', 'answered 500', json('{"keys":[]}', { status: 500 })],
    ['404', 'answered 404', json('{}', { status: 404 })],
    ['204', 'answered 204', () => new Response(null, { status: 204 })],
    ['redirect', 'answered 302', json('', { status: 302, headers: { location: 'https://evil.example.test/keys' } })],
    ['html', 'is malformed', json('<!doctype html><h1>Sign in</h1>', { headers: { 'content-type': 'text/html' } })],
    ['empty body', 'is malformed', json('')],
    ['half a document', 'is malformed', json('{"keys":[{"kty":"RSA"')],
    ['keys of the wrong type', 'holds no keys', json('{"keys":{"0":{}}}')],
    ['no keys', 'holds no keys', json('{"keys":[]}')],
    ['an array', 'holds no keys', json('[]')],
    ['null', 'holds no keys', json('null')],
    ['keys that are no objects', 'is malformed', json('{"keys":[1,null]}')],
    ['too many keys', 'holds no keys', () => Response.json({ keys: Array.from({ length: 201 }, () => ({ kty: 'RSA' })) })],
    ['oversized', 'larger than 262144 bytes', json(`{"keys":[],"x":"${'x'.repeat(300_000)}"}`)],
    ['endless', 'larger than 262144 bytes', endless],
    ['slow headers', 'did not answer within 20 ms', () => new Promise<Response>(() => undefined)],
    ['slow body', 'did not answer within 20 ms', stalled],
  ]
  it.each(outages)('%s: unavailable, fetched once in the cool-down, healed after it', async (_name, what, answer) => {
    const jwks = cacheOf(what.includes('20 ms') ? { timeoutMs: 20 } : {})
    issuer.answerWith(answer)
    const token = await issuer.sign()
    for (let call = 0; call < 5; call += 1) {
      expect(await verifyAccessToken(token, [issuer.trusted], { now, jwks })).toEqual(unavailable(what))
    }
    expect(fetched()).toBe(1)
    time += 29_000
    issuer.answerWith(undefined)
    expect(await jwks.key(issuer.jwksUri, RS256)).toEqual(unavailable(what, 1))
    time += 1_000
    expect(await verifyAccessToken(token, [issuer.trusted], { now, jwks })).toMatchObject({ ok: true })
    expect(fetched()).toBe(2)
  })

  it('leaves known keys working and makes unknown ones unavailable, not unknown', async () => {
    const jwks = cacheOf()
    expect(await jwks.key(issuer.jwksUri, RS256)).toMatchObject({ ok: true })
    issuer.answerWith(() => new Response('', { status: 503 }))
    expect(await jwks.key(issuer.jwksUri, { alg: 'RS256', kid: 'rotated' })).toEqual(unavailable('answered 503'))
    expect(await jwks.key(issuer.jwksUri, { alg: 'RS256', kid: 'rotated' })).toEqual(unavailable('answered 503'))
    expect(await jwks.key(issuer.jwksUri, RS256)).toMatchObject({ ok: true })
    expect(fetched()).toBe(2)
  })

  it('is not held against a private key in it, other than not using it', async () => {
    const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
    if (!('privateKey' in pair)) throw new Error('expected a key pair')
    const jwk = await crypto.subtle.exportKey('jwk', pair.privateKey)
    issuer.answerWith(() => Response.json({ keys: [{ ...jwk, key_ops: undefined, kid: 'leaked' }, issuer.publicJwk()] }))
    const jwks = cacheOf()
    expect(await jwks.key(issuer.jwksUri, { alg: 'ES256', kid: 'leaked' })).toEqual(unavailable("can't be used"))
    expect(await jwks.key(issuer.jwksUri, RS256)).toMatchObject({ ok: true })
  })

  it.each([
    'http://idp.example.test/keys',
    'http://127.0.0.1.example.test/keys',
    'ftp://localhost/keys',
    'file:///etc/passwd',
    'data:application/json,{}',
    'nonsense',
  ])('%s is never asked', async (address) => {
    let asked = 0
    const jwks = createJwksCache({ now, fetch: () => Promise.resolve(Response.json({ keys: [asked++] })) })
    expect(await jwks.key(address, RS256)).toEqual(unavailable('is not at an https address'))
    expect(asked).toBe(0)
  })

  it('is asked without following redirects and with a signal that ends a slow call', async () => {
    const inits: RequestInit[] = []
    const fetch: Fetch = (_url, init) => {
      inits.push(init)
      return new Promise<Response>(() => undefined)
    }
    await createJwksCache({ fetch, now, timeoutMs: 20 }).key(KEYS_URI, RS256)
    expect(inits).toMatchObject([{ redirect: 'manual', signal: { aborted: true } }])
  })
})

const keySet = () => Response.json({ keys: [issuer.publicJwk()] })

/** A fetch whose answers the test gives one by one, in the order of the calls. */
const handFed = () => {
  const calls: PromiseWithResolvers<Response>[] = []
  let called = Promise.withResolvers<void>()
  const fetch: Fetch = () => {
    const call = Promise.withResolvers<Response>()
    calls.push(call)
    called.resolve()
    called = Promise.withResolvers<void>()
    return call.promise
  }
  return { calls, fetch, nextCall: () => called.promise }
}

describe('a fetch under way', () => {
  it('is shared by those who come meanwhile', async () => {
    const { calls, fetch, nextCall } = handFed()
    const jwks = createJwksCache({ fetch, now })
    const asked = nextCall()
    const answers = Array.from({ length: 10 }, () => jwks.key(KEYS_URI, RS256))
    await asked
    calls[0]?.resolve(keySet())
    for (const answer of await Promise.all(answers)) expect(answer).toMatchObject({ ok: true })
    expect(calls).toHaveLength(1)
  })

  it('is given up when it has not ended in time, and does no harm when it fails later', async () => {
    const { calls, fetch, nextCall } = handFed()
    const jwks = createJwksCache({ fetch, now })
    const asked = nextCall()
    const first = jwks.key(KEYS_URI, RS256)
    await asked
    time += 3_000
    const askedAgain = nextCall()
    const second = jwks.key(KEYS_URI, RS256)
    await askedAgain
    calls[1]?.resolve(keySet())
    expect(await second).toMatchObject({ ok: true })
    calls[0]?.reject(new TypeError('connection reset'))
    expect(await first).toEqual(unavailable('could not be reached', 1))
    expect(await jwks.key(KEYS_URI, RS256)).toMatchObject({ ok: true })
    expect(calls).toHaveLength(2)
  })
})
