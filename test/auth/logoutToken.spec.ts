import { beforeAll, describe, expect, it } from 'vitest'
import { createJwksCache } from '../../src/auth/jwks'
import { verifyLogoutToken } from '../../src/auth/logoutToken'
import { ok } from '../../src/result'
import { createTestIssuer, type TestIssuer } from './issuer'

const NOW = Date.UTC(2026, 10, 23, 12)
const now = () => NOW
const ADDRESS = 'https://bridge.example.com/webhooks/logout/c1'

let issuer: TestIssuer

beforeAll(async () => {
  issuer = await createTestIssuer({ now, audience: ADDRESS, caller: 'app-1' })
})

const verify = async (claims: object = {}, typ: unknown = 'global-token-revocation+jwt') => {
  const rules = { issuer: issuer.issuer, audience: ADDRESS, subjects: ['app-0', 'app-1'], findKeys: async () => ok(issuer.jwksUri) }
  return verifyLogoutToken(await issuer.sign({ ...claims }, { typ }), rules, { now, jwks: createJwksCache({ fetch: issuer.fetch, now }) })
}

describe('a logout token', () => {
  it('says which application calls, and when', async () => {
    const good = { ok: true, value: { issuer: issuer.issuer, subject: 'app-1', id: 'token-1', issuedAt: NOW - 10_000 } }
    expect(await verify()).toEqual(good)
    expect(await verify({ aud: ['https://other.example.com', ADDRESS] }, 'application/Global-Token-Revocation+JWT')).toEqual(good)
  })

  it.each<[object, string]>([
    [{ sub: 'app-2' }, 'caller_not_pinned'], [{ sub: ['app-1'] }, 'caller_not_pinned'], [{ sub: undefined }, 'malformed'], [{ jti: '' }, 'malformed'],
    [{ jti: 7 }, 'malformed'], [{ iat: '1' }, 'malformed'], [{ exp: undefined }, 'no_expiry'], [{ aud: `${ADDRESS}/` }, 'wrong_audience'],
  ])('%j is refused', async (claims, reason) => {
    expect(await verify(claims)).toEqual({ ok: false, error: { kind: 'invalid', reason } })
  })

  it.each([undefined, 'JWT', 'at+jwt', 'secevent+jwt', 7])('of the type %j is none', async (typ) => {
    expect(await verify({}, typ ?? null)).toEqual({ ok: false, error: { kind: 'invalid', reason: 'wrong_type' } })
  })
})
