import { base64url } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { issueToken, newSigningKey, TOKEN_LIFETIME_SECONDS, verifyIssuedToken, type SigningKey } from '../../src/auth/issuedToken'
import { segment } from './issuer'

const NOW = Date.UTC(2026, 10, 23, 12)
const CLAIMS = { issuer: 'https://bridge.example.com/oauth', audience: 'https://bridge.example.com/scim/v2', connectionId: 'c1', generation: 3, id: 't1' }

let key: SigningKey
let other: SigningKey

beforeAll(async () => {
  key = await newSigningKey('k1')
  other = await newSigningKey('k2')
})

const verify = (token: string, more: object = {}) =>
  verifyIssuedToken(token, { issuer: CLAIMS.issuer, audience: CLAIMS.audience, keys: [other.publicJwk, key.publicJwk], now: () => NOW, development: false, ...more })

const issue = (claims: object = {}, by = key): Promise<string> => issueToken(by, { ...CLAIMS, ...claims }, NOW)

const refused = (reason: string) => ({ ok: false, error: { kind: 'invalid', reason } })

describe('a token of our own', () => {
  it('says whose it is, and of which generation', async () => {
    expect(await verify(await issue())).toEqual({ ok: true, value: { connectionId: 'c1', generation: 3, id: 't1' } })
  })

  it('has a public key without anything private, and ends after an hour', async () => {
    expect(Object.keys(key.publicJwk).toSorted()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
    const token = await issue()
    const after = (seconds: number) => verify(token, { now: () => NOW + seconds * 1000 })
    expect((await after(TOKEN_LIFETIME_SECONDS)).ok).toBe(true)
    expect(await after(TOKEN_LIFETIME_SECONDS + 6)).toEqual(refused('expired'))
  })

  it.each<[string, () => Promise<string>, object, string]>([
    ['of another issuer', () => issue({ issuer: 'https://bridge.example.com/t/x/oauth' }), {}, 'wrong_issuer'],
    ['for another audience', () => issue({ audience: 'https://bridge.example.com/t/x/scim/v2' }), {}, 'wrong_audience'],
    ['without any key', () => issue(), { keys: [] }, 'unknown_key'],
    ["with another key under the same name", async () => issue({}, { ...other, kid: 'k1' }), {}, 'bad_signature'],
    ['with another algorithm', async () => `${segment({ alg: 'RS256', typ: 'at+jwt', kid: 'k1' })}.${(await issue()).split('.').slice(1).join('.')}`, {}, 'algorithm_not_allowed'],
    ['of another type', async () => `${segment({ alg: 'ES256', typ: 'JWT', kid: 'k1' })}.${(await issue()).split('.').slice(1).join('.')}`, {}, 'wrong_type'],
    ['with another generation', async () => {
      const [header, claims = '', signature] = (await issue()).split('.')
      return `${header}.${segment(new TextDecoder().decode(base64url.decode(claims)).replace('"gen":3', '"gen":4'))}.${signature}`
    }, {}, 'bad_signature'],
    ['without an end', async () => `${segment({ alg: 'none' })}.${segment({})}.`, {}, 'algorithm_not_allowed'],
    ['that is none', async () => 'x', {}, 'malformed'],
    ['that is too long', async () => `${await issue()}${'A'.repeat(5000)}`, {}, 'too_large'],
  ])('%s is refused', async (_what, make, rules, reason) => {
    expect(await verify(await make(), rules)).toEqual(refused(reason))
  })
})
