import { beforeAll, describe, expect, it } from 'vitest'
import { clientKeysSchema, verifyClientAssertion, type ClientKeys } from '../../src/auth/clientAssertion'
import { createJwksCache } from '../../src/auth/jwks'
import { createTestIssuer, type TestIssuer } from './issuer'

const NOW = Date.UTC(2026, 10, 23, 12)
const now = () => NOW
const AUDIENCES = ['https://bridge.example.com/oauth/token', 'https://bridge.example.com/oauth']

let client: TestIssuer

beforeAll(async () => {
  client = await createTestIssuer({ now, issuer: 'client-1', audience: AUDIENCES[0] ?? '', caller: 'client-1', jwksUri: 'https://client.example.test/keys', algorithm: 'PS256' })
})

const verify = async (claims: object = {}, header: object = {}, keys: ClientKeys = { jwksUri: client.jwksUri }, development = false) =>
  verifyClientAssertion(await client.sign({ exp: client.seconds(300), ...claims }, { ...header }), { clientId: 'client-1', audiences: AUDIENCES, keys },
    { now, development, jwks: createJwksCache({ fetch: client.fetch, now }) })

const atHand = (): ClientKeys => clientKeysSchema.parse({ jwks: { keys: [client.publicJwk()] } })

describe('an assertion of a client', () => {
  it('is good for its id until its end, whether the keys are at hand or fetched', async () => {
    for (const keys of [atHand(), { jwksUri: client.jwksUri }]) {
      expect(await verify({}, {}, keys)).toEqual({ ok: true, value: { id: 'token-1', expiresAt: NOW + 300_000 } })
    }
  })

  it.each<[string, object, object, string]>([
    ['about somebody else', { sub: 'client-2' }, {}, 'caller_not_pinned'],
    ['by somebody else', { iss: 'client-2' }, {}, 'wrong_issuer'],
    ['for somebody else', { aud: 'https://bridge.example.com/oauth/token/' }, {}, 'wrong_audience'],
    ['that lives too long', { exp: NOW / 1000 + 3601 }, {}, 'too_long_lived'],
    ['without an end', { exp: undefined }, {}, 'no_expiry'],
    ['that has ended', { exp: NOW / 1000 - 61 }, {}, 'expired'],
    ['of tomorrow', { nbf: NOW / 1000 + 61 }, {}, 'not_yet_valid'],
    ['without an id', { jti: undefined }, {}, 'malformed'],
    ['whose id is a number', { jti: 7 }, {}, 'malformed'],
    ['of another type', {}, { typ: 'at+jwt' }, 'wrong_type'],
    ['with an unknown key', {}, { kid: 'k' }, 'unknown_key'],
    ['with a critical header', {}, { crit: [] }, 'critical_header'],
  ])('%s is refused', async (_what, claims, header, reason) => {
    expect(await verify(claims, header, atHand())).toEqual({ ok: false, error: { kind: 'invalid', reason } })
  })

  it('is not believed with keys at an http address, but in development', async () => {
    const keys = { jwksUri: 'http://127.0.0.1:9/keys' }
    expect(await verify({}, {}, keys)).toMatchObject({ ok: false, error: { kind: 'misconfigured', variable: 'DEVELOPMENT' } })
    expect(await verify({}, {}, keys, true)).toMatchObject({ ok: false, error: { kind: 'unavailable' } })
  })

  it.each<[string, unknown]>([
    ['a private key', { jwks: { keys: [{ kty: 'EC', crv: 'P-256', x: 'x', y: 'y', d: 'secret' }] } }], ['a shared secret', { jwks: { keys: [{ kty: 'oct', k: 'x' }] } }],
    ['no key', { jwks: { keys: [] } }], ['eleven keys', { jwks: { keys: Array.from({ length: 11 }, () => ({ kty: 'RSA' })) } }],
    ['no address', { jwksUri: 'keys' }], ['an http address elsewhere', { jwksUri: 'http://keys.example.com' }], ['a template', { jwksUri: 'https://{tenant}.example.com/keys' }],
    ['both', { jwksUri: 'https://a.example.com', jwks: { keys: [{ kty: 'RSA' }] } }], ['neither', {}],
  ])('%s is not taken as the keys of a client', (_what, keys) => {
    expect(clientKeysSchema.safeParse(keys).success).toBe(false)
  })
})
