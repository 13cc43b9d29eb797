import { beforeEach, describe, expect, it } from 'vitest'
import type { KeepOptions } from '../../src/auth/boundedFetch'
import { createDiscovery, type DiscoveryDocument } from '../../src/auth/discovery'

const ISSUER = 'https://idp.example.test/realms/a'
const OPENID = `${ISSUER}/.well-known/openid-configuration`
const SSF = 'https://idp.example.test/.well-known/ssf-configuration/realms/a'
const KEYS = 'https://keys.example.test/a'

let time = Date.UTC(2026, 10, 23, 12)
let asked: { readonly address: string; readonly init: RequestInit }[] = []

beforeEach(() => {
  asked = []
})

const answering = (answers: Readonly<Record<string, () => Response | Promise<Response>>>, options: KeepOptions = {}) =>
  createDiscovery({
    fetch: async (address, init) => {
      asked.push({ address, init })
      return answers[address]?.() ?? new Response('not found', { status: 404 })
    },
    now: () => time,
    ...options,
  })

const document = (overrides: object = {}) => () => Response.json({ issuer: ISSUER, jwks_uri: KEYS, ...overrides })
const safe = { development: false }
const unavailable = (what: string, retryAfterSeconds = 30) => ({ ok: false, error: { kind: 'unavailable', retryAfterSeconds, what } })

describe('the place of a document', () => {
  it.each<[string, DiscoveryDocument, string]>([
    [ISSUER, 'openid-configuration', OPENID],
    [`${ISSUER}/`, 'openid-configuration', OPENID],
    [ISSUER, 'ssf-configuration', SSF],
    [`${ISSUER}/`, 'ssf-configuration', SSF],
    ['https://idp.example.test', 'openid-configuration', 'https://idp.example.test/.well-known/openid-configuration'],
    ['https://idp.example.test', 'ssf-configuration', 'https://idp.example.test/.well-known/ssf-configuration'],
    ['https://idp.example.test/', 'ssf-configuration', 'https://idp.example.test/.well-known/ssf-configuration'],
    ['https://idp.example.test:443/a', 'ssf-configuration', 'https://idp.example.test/.well-known/ssf-configuration/a'],
    ['https://idp.example.test:8443/a', 'ssf-configuration', 'https://idp.example.test:8443/.well-known/ssf-configuration/a'],
  ])('of %s, %s', async (issuer, name, address) => {
    const discover = answering({ [address]: document({ issuer }) })
    expect(await discover(issuer, name, safe)).toEqual({ ok: true, value: KEYS })
    expect(asked).toEqual([{ address, init: expect.objectContaining({ redirect: 'manual', headers: { accept: 'application/json' } }) }])
  })
})

describe('a document', () => {
  it.each<[string, () => Response | Promise<Response>, string]>([
    ['that is missing', () => new Response('', { status: 404 }), 'answered 404'],
    ['behind a redirect', () => new Response(null, { status: 302, headers: { location: OPENID } }), 'answered 302'],
    ['that is no JSON', () => new Response('<html>'), 'is malformed'],
    ['that is null', () => new Response('null'), 'is malformed'],
    ['that is text', () => Response.json('issuer'), 'is malformed'],
    ['larger than the limit', () => new Response(`"${'x'.repeat(256 * 1024)}"`), 'is larger than 262144 bytes'],
    ['of another issuer', document({ issuer: 'https://other.example.test' }), 'is of another issuer'],
    ['of the issuer with a slash', document({ issuer: `${ISSUER}/` }), 'is of another issuer'],
    ['of no issuer', document({ issuer: undefined }), 'is of another issuer'],
    ['without keys', document({ jwks_uri: undefined }), 'names no keys (jwks_uri)'],
    ['with keys that are no text', document({ jwks_uri: [KEYS] }), 'names no keys (jwks_uri)'],
    ['with keys over http', document({ jwks_uri: 'http://keys.example.test/a' }), 'names keys that are not at an https address'],
    ['with keys on this machine', document({ jwks_uri: 'http://127.0.0.1/keys' }), 'names keys that are not at an https address'],
    ['with keys at no address', document({ jwks_uri: '/keys' }), 'names keys that are not at an https address'],
    ['with keys in itself', document({ jwks_uri: 'data:application/json,{"keys":[]}' }), 'names keys that are not at an https address'],
    ['that nobody gives', () => Promise.reject(new TypeError('connection refused')), 'could not be reached'],
  ])('%s is unavailable', async (_name, answer, failure) => {
    const discover = answering({ [OPENID]: answer })
    expect(await discover(ISSUER, 'openid-configuration', safe)).toEqual(unavailable(`the openid-configuration of idp.example.test ${failure}`))
    expect(asked).toHaveLength(1)
  })

  it('that never comes is unavailable', async () => {
    const never = Promise.withResolvers<Response>()
    const discover = answering({ [OPENID]: () => never.promise }, { timeoutMs: 5 })
    expect(await discover(ISSUER, 'openid-configuration', safe)).toEqual(
      unavailable('the openid-configuration of idp.example.test did not answer within 5 ms'),
    )
  })

  it('is asked for over http only on this machine and in development', async () => {
    const issuer = 'http://127.0.0.1:9000'
    const answers = { [`${issuer}/.well-known/openid-configuration`]: document({ issuer, jwks_uri: `${issuer}/keys` }) }
    const discover = answering(answers)
    expect(await discover(issuer, 'openid-configuration', safe)).toMatchObject({ ok: false, error: { kind: 'unavailable' } })
    expect(asked).toEqual([])
    expect(await discover(issuer, 'openid-configuration', { development: true })).toEqual({ ok: true, value: `${issuer}/keys` })
    expect(await discover(issuer, 'openid-configuration', safe)).toMatchObject({ ok: false, error: { kind: 'unavailable' } })
    expect(await discover('http://idp.example.test', 'openid-configuration', { development: true })).toMatchObject({
      ok: false, error: { what: expect.stringContaining('is not at an https address') },
    })
    expect(await discover('no address', 'ssf-configuration', { development: true })).toMatchObject({ ok: false, error: { kind: 'unavailable' } })
    expect(asked).toHaveLength(1)
  })
})

describe('what was found', () => {
  it('is kept for ten minutes, by issuer and document', async () => {
    const discover = answering({ [OPENID]: document(), [SSF]: document({ jwks_uri: `${KEYS}/ssf` }) })
    for (let call = 0; call < 3; call += 1) expect(await discover(ISSUER, 'openid-configuration', safe)).toEqual({ ok: true, value: KEYS })
    expect(await discover(ISSUER, 'ssf-configuration', safe)).toEqual({ ok: true, value: `${KEYS}/ssf` })
    expect(asked.map(({ address }) => address)).toEqual([OPENID, SSF])
    time += 599_999
    await discover(ISSUER, 'openid-configuration', safe)
    expect(asked).toHaveLength(2)
    time += 1
    await discover(ISSUER, 'openid-configuration', safe)
    expect(asked).toHaveLength(3)
  })

  it('is asked for again half a minute after a failure', async () => {
    let answer = () => new Response('', { status: 503 })
    const discover = answering({ [OPENID]: () => answer() })
    expect(await discover(ISSUER, 'openid-configuration', safe)).toEqual(unavailable('the openid-configuration of idp.example.test answered 503'))
    answer = document()
    time += 10_000
    expect(await discover(ISSUER, 'openid-configuration', safe)).toEqual(unavailable('the openid-configuration of idp.example.test answered 503', 20))
    expect(asked).toHaveLength(1)
    time += 20_000
    expect(await discover(ISSUER, 'openid-configuration', safe)).toEqual({ ok: true, value: KEYS })
  })

  it('is of so many issuers at most, the last used', async () => {
    const issuers = ['a', 'b', 'c'].map((name) => `https://${name}.example.test`)
    const answers = Object.fromEntries(issuers.map((issuer) => [`${issuer}/.well-known/openid-configuration`, document({ issuer })]))
    const discover = answering(answers, { maxEntries: 2 })
    const [a = '', b = '', c = ''] = issuers
    for (const issuer of [a, b, a, c, a, b]) await discover(issuer, 'openid-configuration', safe)
    expect(asked.map(({ address }) => address.slice(8, 9))).toEqual(['a', 'b', 'c', 'b'])
  })
})
