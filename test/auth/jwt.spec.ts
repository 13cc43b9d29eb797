import { base64url } from 'jose'
import * as fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { AuthReason } from '../../src/auth/failure'
import { createJwksCache } from '../../src/auth/jwks'
import { verifyAccessToken } from '../../src/auth/jwt'
import type { IssuerOfConnection } from '../../src/auth/trustedIssuer'
import { createTestIssuer, segment, type TestIssuer } from './issuer'

const NOW = Date.UTC(2026, 10, 23, 12)
const now = () => NOW
const NOW_SECONDS = NOW / 1000

let issuer: TestIssuer
let other: TestIssuer

beforeAll(async () => {
  issuer = await createTestIssuer({ now })
  other = await createTestIssuer({ now, issuer: 'https://other.example.test/', connectionId: 'connection-2' })
})

const verify = (
  token: string,
  trusted: readonly IssuerOfConnection[] = [issuer.trusted],
  fetch: TestIssuer['fetch'] = issuer.fetch,
) => verifyAccessToken(token, trusted, { now, jwks: createJwksCache({ fetch, now }) })

const refusal = (reason: AuthReason) => ({ ok: false, error: { kind: 'invalid', reason } })

const hmac = async (header: string, payload: string, secret: string): Promise<string> => {
  const key = await crypto.subtle.importKey(
    'raw', new TextEncoder().encode(secret), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'],
  )
  const bytes = await crypto.subtle.sign('HMAC', key, new TextEncoder().encode(`${header}.${payload}`))
  return `${header}.${payload}.${base64url.encode(new Uint8Array(bytes))}`
}

const parts = (token: string): [string, string, string] => {
  const [header = '', payload = '', signature = ''] = token.split('.')
  return [header, payload, signature]
}

const sameBytes = (token: string, good: string): boolean => {
  const [header, payload, signature] = parts(token)
  const [goodHeader, goodPayload, goodSignature] = parts(good)
  if (token.split('.').length !== 3 || header !== goodHeader || payload !== goodPayload) return false
  try {
    return base64url.decode(signature).toString() === base64url.decode(goodSignature).toString()
  } catch {
    return false
  }
}

describe('a good token', () => {
  it('is the caller that its connection pins', async () => {
    expect(await verify(await issuer.sign())).toEqual({
      ok: true,
      value: {
        connectionId: 'connection-1',
        issuer: issuer.issuer,
        caller: issuer.caller,
        tokenId: 'token-1',
        expiresAt: NOW + 3_600_000,
      },
    })
  })

  it.each(['PS256', 'ES256', 'EdDSA'] as const)('may be signed with %s', async (algorithm) => {
    const signer = await createTestIssuer({ now, algorithm })
    expect(await verify(await signer.sign(), [signer.trusted], signer.fetch)).toMatchObject({ ok: true })
  })

  const variations: [string, Record<string, unknown>, Record<string, unknown>][] = [
    ['without typ', {}, { typ: undefined }],
    ['typ jwt in small letters', {}, { typ: 'jwt' }],
    ['typ at+jwt', {}, { typ: 'at+jwt' }],
    ['typ application/AT+JWT', {}, { typ: 'application/AT+JWT' }],
    ['without nbf, iat and jti', { nbf: undefined, iat: undefined, jti: undefined }, {}],
    ['several audiences, one of them ours', { aud: ['urn:other', 'https://bridge.example.test/scim/v2'] }, {}],
    ['expired 59 s ago', { exp: NOW_SECONDS - 59 }, {}],
    ['valid 60 s from now', { nbf: NOW_SECONDS + 60, iat: NOW_SECONDS + 60 }, {}],
    ['with a header jku, jwk, x5u that is ignored', {}, { jku: 'https://evil.example.test/keys', jwk: {}, x5u: 'x' }],
    ['of a person, by at+jwt (RFC 9068)', { auth_time: NOW_SECONDS, amr: ['pwd'] }, { typ: 'at+jwt' }],
    ['for its own client, with a scope', { azp: 'https://bridge.example.test/scim/v2', scope: 'scim' }, {}],
    ['Keycloak: typ Bearer in the claims', { typ: 'Bearer', azp: 'provisioning-client', scope: 'scim' }, {}],
    ['with keys that are no own keys of ours', { constructor: 1, hasOwnProperty: 1, toString: null }, {}],
  ]
  it.each(variations)('%s', async (_name, claims, header) => {
    expect(await verify(await issuer.sign(claims, header))).toMatchObject({ ok: true })
  })

  it('may come without kid while one published key fits', async () => {
    const token = await issuer.sign({}, { kid: undefined })
    expect(await verify(token)).toMatchObject({ ok: true })
    const both = { status: 200, keys: [issuer.publicJwk(), { ...other.publicJwk(), kid: 'second' }] }
    expect(await verify(token, [issuer.trusted], async () => Response.json(both))).toEqual(refusal('unknown_key'))
  })

  it('keeps Entra v1 and v2 app tokens whose audience is their own application', async () => {
    const client = 'c8242cf6-29d0-4fc4-90cc-bad7449545ad'
    const tid = 'f08e6aff-ca0f-4f11-81fa-1ffd43323373'
    const trusted = { ...issuer.trusted, audience: client, tid }
    const v2: IssuerOfConnection = { ...trusted, caller: { claim: 'azp', values: [client] } }
    const tokenV2 = await issuer.sign({ aud: client, azp: client, azpacr: '1', tid, jti: undefined, uti: 'u-1' })
    expect(await verify(tokenV2, [v2])).toMatchObject({ ok: true, value: { caller: client, tokenId: 'u-1' } })
    const v1: IssuerOfConnection = { ...trusted, caller: { claim: 'appid', values: [client] } }
    const tokenV1 = await issuer.sign({ aud: client, appid: client, appidacr: '2', tid })
    expect(await verify(tokenV1, [v1])).toMatchObject({ ok: true })
  })
})

describe('a token that is refused', () => {
  const SET = { events: { 'https://schemas.openid.net/secevent/caep/event-type/session-revoked': {} } }
  const LOGOUT = { events: { 'http://schemas.openid.net/event/backchannel-logout': {} }, sid: 's' }
  const cases: [string, AuthReason, Record<string, unknown>, Record<string, unknown>][] = [
    ['expired', 'expired', { exp: NOW_SECONDS - 3600 }, {}],
    ['expired exactly at the tolerance', 'expired', { exp: NOW_SECONDS - 60 }, {}],
    ['not valid yet', 'not_yet_valid', { nbf: NOW_SECONDS + 61 }, {}],
    ['issued in the far future', 'not_yet_valid', { iat: NOW_SECONDS + 86_400, nbf: undefined }, {}],
    ['issued and valid in the far future', 'not_yet_valid', { iat: 4e9, nbf: 4e9, exp: 5e9 }, {}],
    ['without exp', 'no_expiry', { exp: undefined }, {}],
    ['exp as text', 'malformed', { exp: String(NOW_SECONDS + 3600) }, {}],
    ['exp null', 'malformed', { exp: null }, {}],
    ['nbf as text', 'malformed', { nbf: '0' }, {}],
    ['iat as an object', 'malformed', { iat: {} }, {}],
    ['wrong audience', 'wrong_audience', { aud: 'https://bridge.example.test' }, {}],
    ['audience with a longer path', 'wrong_audience', { aud: 'https://bridge.example.test/scim/v2/' }, {}],
    ['audience in an object', 'wrong_audience', { aud: { 'https://bridge.example.test/scim/v2': true } }, {}],
    ['no audience', 'wrong_audience', { aud: undefined }, {}],
    ['wrong issuer', 'wrong_issuer', { iss: 'https://evil.example.test' }, {}],
    ['issuer with a trailing slash', 'wrong_issuer', { iss: 'https://idp.example.test/oauth2/default/' }, {}],
    ['issuer in other letters', 'wrong_issuer', { iss: 'https://IDP.example.test/oauth2/default' }, {}],
    ['no issuer', 'wrong_issuer', { iss: undefined }, {}],
    ['issuer in an array', 'wrong_issuer', { iss: ['https://idp.example.test/oauth2/default'] }, {}],
    ['another caller', 'caller_not_pinned', { sub: 'somebody-else' }, {}],
    ['the caller in another claim', 'caller_not_pinned', { sub: 'x', azp: 'provisioning-client' }, {}],
    ['no caller', 'caller_not_pinned', { sub: undefined }, {}],
    ['the caller in an array', 'caller_not_pinned', { sub: ['provisioning-client'] }, {}],
    ['unknown kid', 'unknown_key', {}, { kid: 'no-such-key' }],
    ['kid of an inherited name', 'unknown_key', {}, { kid: '__proto__' }],
    ['kid as a number', 'malformed', {}, { kid: 1 }],
    ['alg that does not suit the key', 'unknown_key', {}, { alg: 'ES256' }],
    ['crit', 'critical_header', {}, { crit: ['exp'], exp: NOW_SECONDS }],
    ['crit with an unencoded payload', 'critical_header', {}, { crit: ['b64'], b64: false }],
    ['empty crit', 'critical_header', {}, { crit: [] }],
    ['a SET by its typ', 'wrong_type', {}, { typ: 'secevent+jwt' }],
    ['a SET by its full typ', 'wrong_type', {}, { typ: 'application/secevent+jwt' }],
    ['a SET without typ', 'wrong_type', SET, { typ: undefined }],
    ['a SET under a false typ', 'wrong_type', { ...SET, scope: 'scim' }, { typ: 'at+jwt' }],
    ['a logout token', 'wrong_type', LOGOUT, { typ: 'logout+jwt' }],
    ['a logout token with typ JWT', 'wrong_type', LOGOUT, {}],
    ['a Universal Logout token', 'wrong_type', {}, { typ: 'global-token-revocation+jwt' }],
    ['a Keycloak refresh token', 'wrong_type', { typ: 'Refresh', scope: 'scim' }, {}],
    ['a DPoP proof', 'wrong_type', {}, { typ: 'dpop+jwt' }],
    ['typ as a number', 'wrong_type', {}, { typ: 1 }],
    ['typ null', 'wrong_type', {}, { typ: null }],
    ['empty typ', 'wrong_type', {}, { typ: '' }],
    ['an ID token by nonce', 'id_token', { nonce: 'n-0S6_WzA2Mj' }, {}],
    ['an ID token by at_hash', 'id_token', { at_hash: '77QmUPtjPfzWtF2AnpK9RQ', scope: 'openid' }, {}],
    ['an ID token by c_hash', 'id_token', { c_hash: 'LDktKdoQak3Pk0cnXxCltA' }, {}],
    ['an ID token by auth_time', 'id_token', { auth_time: NOW_SECONDS - 5 }, {}],
    ['an ID token by amr', 'id_token', { amr: ['pwd', 'mfa'] }, {}],
    ['an ID token for its own client', 'id_token', { azp: 'https://bridge.example.test/scim/v2' }, {}],
    ['an ID token of Keycloak', 'id_token', { typ: 'ID', azp: 'x' }, {}],
    ['an ID token of Cognito', 'id_token', { token_use: 'id', scope: 'scim' }, {}],
  ]
  it.each(cases)('%s: %s', async (_name, reason, claims, header) => {
    expect(await verify(await issuer.sign(claims, header))).toEqual(refusal(reason))
  })

  it('is an ID token when its audience is the pinned caller itself', async () => {
    const trusted = { ...issuer.trusted, audience: issuer.caller }
    expect(await verify(await issuer.sign({ aud: issuer.caller }), [trusted])).toEqual(refusal('id_token'))
  })

  it.each(['none', 'None', 'NONE', 'HS256', 'HS512', 'RSA-OAEP', 'dir', '', 'constructor'])('alg %j', async (alg) => {
    const header = segment({ alg, typ: 'JWT' })
    const payload = segment(issuer.claims())
    expect(await verify(`${header}.${payload}.`)).toEqual(refusal('algorithm_not_allowed'))
  })

  it('HS256 signed with the public key: as PEM, as JWK text, as modulus', async () => {
    const jwk = issuer.publicJwk()
    const header = segment({ alg: 'HS256', kid: 'key-1', typ: 'JWT' })
    const payload = segment(issuer.claims())
    for (const secret of [await issuer.publicPem(), JSON.stringify(jwk), String(jwk['n'])]) {
      expect(await verify(await hmac(header, payload, secret))).toEqual(refusal('algorithm_not_allowed'))
      const disguised = await hmac(segment({ alg: 'RS256', kid: 'key-1', typ: 'JWT' }), payload, secret)
      expect(await verify(disguised)).toEqual(refusal('bad_signature'))
    }
  })

  it('a symmetric key in the key set verifies nothing', async () => {
    const oct = { kty: 'oct', k: segment('secret'), kid: 'key-1', alg: 'HS256' }
    const token = await hmac(segment({ alg: 'HS256', kid: 'key-1' }), segment(issuer.claims()), 'secret')
    expect(await verify(token, [issuer.trusted], async () => Response.json({ keys: [oct] }))).toEqual(
      refusal('algorithm_not_allowed'),
    )
  })

  it('tampered payload, tampered header, foreign, cut and missing signature', async () => {
    const [header, , signature] = parts(await issuer.sign())
    const better = segment(issuer.claims({ exp: NOW_SECONDS + 999_999 }))
    const payload = segment(issuer.claims())
    expect(await verify(`${header}.${better}.${signature}`)).toEqual(refusal('bad_signature'))
    expect(await verify(`${segment({ alg: 'RS256', kid: 'key-1', typ: 'at+jwt' })}.${payload}.${signature}`)).toEqual(
      refusal('bad_signature'),
    )
    expect(await verify(`${header}.${payload}.${parts(await other.sign())[2]}`)).toEqual(refusal('bad_signature'))
    expect(await verify(`${header}.${payload}.${signature.slice(0, -8)}`)).toEqual(refusal('bad_signature'))
    expect(await verify(`${header}.${payload}.`)).toEqual(refusal('bad_signature'))
  })

  it('a key offered in the header (jwk, jku) or another issuer’s key', async () => {
    const injected = await other.sign(issuer.claims(), { jwk: other.publicJwk(), jku: other.jwksUri, kid: 'key-1' })
    expect(await verify(injected)).toEqual(refusal('bad_signature'))
    const asked: string[] = []
    const fetch = (input: unknown) => {
      asked.push(String(input))
      return issuer.fetch(input)
    }
    await verify(injected, [issuer.trusted], fetch)
    expect(asked).toEqual([issuer.jwksUri])
  })

  it('of another Entra tenant', async () => {
    const tid = 'f08e6aff-ca0f-4f11-81fa-1ffd43323373'
    const trusted = [{ ...issuer.trusted, tid }]
    expect(await verify(await issuer.sign({ tid }), trusted)).toMatchObject({ ok: true })
    for (const wrong of ['00000000-ca0f-4f11-81fa-1ffd43323373', tid.toUpperCase(), [tid], null, undefined]) {
      expect(await verify(await issuer.sign({ tid: wrong }), trusted)).toEqual(refusal('wrong_tenant'))
    }
  })

  it('with an algorithm that its issuer does not use', async () => {
    const trusted: IssuerOfConnection[] = [{ ...issuer.trusted, algorithms: ['ES256', 'PS256'] }]
    expect(await verify(await issuer.sign(), trusted)).toEqual(refusal('algorithm_not_allowed'))
  })

  it('too large, or not a token at all', async () => {
    expect(await verify(await issuer.sign({ padding: 'x'.repeat(9_000) }))).toEqual(refusal('too_large'))
    const deep = '['.repeat(3_000) + ']'.repeat(3_000)
    for (const text of ['', '.', '..', 'a.b.c', 'opaque', '\u0000', `${segment('{"alg":"RS256"}')}.e30`]) {
      expect(await verify(text)).toEqual(refusal('malformed'))
    }
    expect(await verify(`${segment({ alg: 'RS256' })}.${segment(deep)}.x`)).toEqual(refusal('malformed'))
    for (const payload of ['null', '[]', '"text"', '1', '{', '\u0000']) {
      expect(await verify(await issuer.signText(payload))).toEqual(refusal('malformed'))
    }
  })

  it('needs no fetch when it is hopeless', async () => {
    const before = issuer.fetches()
    const [, payload] = parts(await issuer.sign())
    await verify(await issuer.sign({ iss: 'https://evil.example.test' }))
    await verify(await issuer.sign({ sub: 'somebody-else' }))
    await verify(await issuer.sign({}, { typ: 'secevent+jwt' }))
    await verify(await issuer.sign({}, { crit: ['x'] }))
    await verify(`${segment({ alg: 'none' })}.${payload}.`)
    expect(issuer.fetches()).toBe(before)
  })

  it('is refused by a key that is too weak to trust, without blaming the caller', async () => {
    const weak = { ...issuer.publicJwk(), n: base64url.encode(new Uint8Array(128).fill(0xc5)) }
    const answer = await verify(await issuer.sign(), [issuer.trusted], async () => Response.json({ keys: [weak] }))
    expect(answer).toMatchObject({ ok: false, error: { kind: 'unavailable' } })
  })
})

describe('whose caller it is', () => {
  it('is decided by issuer and caller together', async () => {
    const second: IssuerOfConnection = {
      ...issuer.trusted,
      connectionId: 'connection-9',
      caller: { claim: 'sub', values: ['second-client', 'third-client'] },
    }
    const both = [issuer.trusted, second, other.trusted]
    expect(await verify(await issuer.sign(), both)).toMatchObject({ value: { connectionId: 'connection-1' } })
    expect(await verify(await issuer.sign({ sub: 'third-client' }), both)).toMatchObject({
      value: { connectionId: 'connection-9', caller: 'third-client' },
    })
    expect(await verify(await other.sign(), both, other.fetch)).toMatchObject({ value: { connectionId: 'connection-2' } })
  })

  it('is nobody’s when two connections name the caller', async () => {
    const twin = { ...issuer.trusted, connectionId: 'connection-9' }
    expect(await verify(await issuer.sign(), [issuer.trusted, twin])).toEqual(refusal('ambiguous_caller'))
    const byClient: IssuerOfConnection = { ...twin, caller: { claim: 'client_id', values: ['c'] } }
    expect(await verify(await issuer.sign({ client_id: 'c' }), [issuer.trusted, byClient])).toEqual(
      refusal('ambiguous_caller'),
    )
  })

  it('takes the entry whose audience fits when one connection trusts an issuer twice', async () => {
    const elsewhere = { ...issuer.trusted, audience: 'urn:elsewhere' }
    expect(await verify(await issuer.sign(), [elsewhere, issuer.trusted])).toMatchObject({ ok: true })
  })

  it('is nobody’s when nothing is trusted', async () => {
    expect(await verify(await issuer.sign(), [])).toEqual(refusal('wrong_issuer'))
  })
})

describe('an http issuer', () => {
  it('is believed in development only', async () => {
    const local = await createTestIssuer({ now, issuer: 'http://127.0.0.1:9000', algorithm: 'ES256' })
    const jwks = createJwksCache({ fetch: local.fetch, now })
    const token = await local.sign()
    expect(await verifyAccessToken(token, [local.trusted], { now, jwks })).toMatchObject({
      error: { kind: 'misconfigured', variable: 'DEVELOPMENT' },
    })
    expect(local.fetches()).toBe(0)
    expect(await verifyAccessToken(token, [local.trusted], { now, jwks, development: true })).toMatchObject({ ok: true })
  })
})

describe('arbitrary input', () => {
  it('is never accepted and never throws', async () => {
    const good = await issuer.sign()
    const jwks = createJwksCache({ fetch: issuer.fetch, now })
    const [header, payload, signature] = parts(good)
    const piece = fc.oneof(
      fc.constantFrom(header, payload, signature, '', 'e30', '.', '='),
      fc.json().map(segment),
      fc.record({ alg: fc.constantFrom('RS256', 'none', 'HS256'), kid: fc.constantFrom('key-1', 'x', null) }).map(segment),
      fc.string({ unit: 'binary' }),
    )
    const composed = fc.tuple(piece, piece, piece).map((all) => all.join('.'))
    const mutated = fc
      .tuple(fc.nat(good.length - 1), fc.constantFrom('A', 'b', '_', '.', ' ', '\u0000', ''))
      .map(([at, by]) => good.slice(0, at) + by + good.slice(at + 1))
    const tokens = fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), composed, mutated)
    await fc.assert(
      fc.asyncProperty(tokens, async (token) => {
        const answer = await verifyAccessToken(token, [issuer.trusted], { now, jwks })
        // The last character of a signature has unused bits: only text that decodes to the very same bytes may pass.
        expect(answer.ok).toBe(sameBytes(token, good))
      }),
      { numRuns: 1_000 },
    )
  })
})
