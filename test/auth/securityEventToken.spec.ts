import { beforeAll, describe, expect, it } from 'vitest'
import { createJwksCache } from '../../src/auth/jwks'
import { setFailure, verifySecurityEventToken, type SetRules } from '../../src/auth/securityEventToken'
import type { AuthFailure } from '../../src/auth/failure'
import { ok } from '../../src/result'
import { createTestIssuer, type TestIssuer } from './issuer'

const NOW = Date.UTC(2026, 10, 23, 12)
const now = () => NOW
const CLAIMS = { sub: undefined, exp: undefined, nbf: undefined, jti: 'set-1', events: { 'urn:a': { x: 1 }, 'urn:b': {} } }

let issuer: TestIssuer

beforeAll(async () => {
  issuer = await createTestIssuer({ now, algorithm: 'ES256' })
})

const verify = async (claims: object = {}, rules: Partial<SetRules> = {}) => {
  const token = await issuer.sign({ ...CLAIMS, ...claims }, { typ: 'secevent+jwt' })
  const all = { issuer: issuer.issuer, audience: issuer.audience, acceptsUntyped: false, findKeys: async () => ok(issuer.jwksUri), ...rules }
  return verifySecurityEventToken(token, all, { now, jwks: createJwksCache({ fetch: issuer.fetch, now }) })
}

describe('a security event token', () => {
  it('says who signed it, when, and what happened', async () => {
    expect(await verify({ toe: 7, txn: 't', sub_id: { format: 'opaque', id: 'u' } })).toEqual({
      ok: true,
      value: {
        issuer: issuer.issuer, id: 'set-1', issuedAt: NOW - 10_000, timeOfEvent: 7, transaction: 't',
        subject: { format: 'opaque', id: 'u' }, events: [['urn:a', { x: 1 }], ['urn:b', {}]],
      },
    })
  })

  it('may leave out whatever is not needed, and be as old as it likes', async () => {
    expect(await verify({ iat: 1 })).toMatchObject({ ok: true, value: { issuedAt: 1000, timeOfEvent: undefined, transaction: null, subject: undefined } })
    for (const txn of ['', 7, {}]) expect(await verify({ txn })).toMatchObject({ ok: true, value: { transaction: null } })
  })

  it('needs keys that can be found', async () => {
    const failure: AuthFailure = { kind: 'unavailable', retryAfterSeconds: 7, what: 'the document is away' }
    expect(await verify({}, { findKeys: async () => ({ ok: false, error: failure }) })).toMatchObject({
      ok: false, error: { kind: 'unavailable', retryAfterSeconds: 7 },
    })
  })
})

describe('a failure', () => {
  it.each<[AuthFailure, object]>([
    [{ kind: 'missing' }, { kind: 'refused', code: 'authentication_failed' }],
    [{ kind: 'invalid', reason: 'bad_signature' }, { kind: 'refused', code: 'invalid_key' }],
    [{ kind: 'invalid', reason: 'unknown_key' }, { kind: 'refused', code: 'invalid_key' }],
    [{ kind: 'invalid', reason: 'algorithm_not_allowed' }, { kind: 'refused', code: 'invalid_key' }],
    [{ kind: 'invalid', reason: 'wrong_issuer' }, { kind: 'refused', code: 'invalid_issuer' }],
    [{ kind: 'invalid', reason: 'wrong_audience' }, { kind: 'refused', code: 'invalid_audience' }],
    [{ kind: 'invalid', reason: 'malformed' }, { kind: 'refused', code: 'invalid_request' }],
    [{ kind: 'invalid', reason: 'wrong_type' }, { kind: 'refused', code: 'invalid_request' }],
    [{ kind: 'unavailable', retryAfterSeconds: 9, what: 'x' }, { kind: 'unavailable', retryAfterSeconds: 9 }],
    [{ kind: 'misconfigured', variable: 'DEVELOPMENT', sentence: 'Set it.' }, { kind: 'unavailable', retryAfterSeconds: 60, sentence: 'Set it.' }],
  ])('%j has a code of the registry, or is tried again', (failure, answer) => {
    expect(setFailure(failure)).toMatchObject(answer)
  })
})
