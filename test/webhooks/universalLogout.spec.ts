import { beforeAll, describe, expect, it } from 'vitest'
import { universalLogout } from '../../src/webhooks/universalLogout'
import { segment } from '../auth/issuer'
import { answerOf, createSignedWorld, eventsOf, receive, type Sent, type SignedWorld } from './signedWorld'

const NOW = Date.UTC(2026, 10, 23, 12)
const SECONDS = NOW / 1000
const ISSUER = 'https://org.okta.com'
const KEYS = `${ISSUER}/oauth2/v1/keys`
const DISCOVERY = `${ISSUER}/.well-known/openid-configuration`
const ADDRESS = 'https://bridge.example.com/webhooks/logout/c1'
const TYPED = { typ: 'global-token-revocation+jwt' }
const CLAIMS = { jti: 'u1', iss: ISSUER, sub: '0oa1client', aud: ADDRESS, exp: SECONDS + 300, nbf: SECONDS - 300, iat: SECONDS }
const SETTINGS = { issuer: ISSUER, subjects: ['0oa1client'] }
const GOOD_BODY = JSON.stringify({ sub_id: { format: 'email', email: 'user@example.com' } })

const options = { issuer: ISSUER, jwksUri: KEYS, documents: { [DISCOVERY]: { issuer: ISSUER, jwks_uri: KEYS } }, now: () => NOW }

let world: SignedWorld
let other: SignedWorld

beforeAll(async () => {
  world = await createSignedWorld(options)
  other = await createSignedWorld(options)
})

const signed = (claims: object = {}, header: object = {}) => () => world.token({ ...CLAIMS, ...claims }, { ...TYPED, ...header })
const send = (sent: Sent, settings: object = SETTINGS) => receive(universalLogout, settings, world.tools, sent)
const sendToken = (token: string, body: Sent['body'] = GOOD_BODY, url = ADDRESS) =>
  send({ url, body, headers: { authorization: `Bearer ${token}` } })

const NOT_PROVEN = 'Nothing proves that this comes from the sender of this connection.'

describe('a caller that is not believed', () => {
  it.each<[string, () => string | Promise<string>, number, string]>([
    ['opaque', () => 'arzb_scim_x', 401, 'malformed'],
    ['signed with another key', () => other.token(CLAIMS, TYPED), 401, 'bad_signature'],
    ['not signed', () => `${segment({ alg: 'none', ...TYPED })}.${segment(CLAIMS)}.`, 401, 'algorithm_not_allowed'],
    ['of a symmetric algorithm', () => `${segment({ alg: 'HS256', ...TYPED })}.${segment(CLAIMS)}.AAAA`, 401, 'algorithm_not_allowed'],
    ['without type', signed({}, { typ: undefined }), 401, 'wrong_type'],
    ['an ID token', signed({}, { typ: 'JWT' }), 401, 'wrong_type'],
    ['a security event', signed({}, { typ: 'secevent+jwt' }), 401, 'wrong_type'],
    ['critical', signed({}, { crit: ['x'], x: 1 }), 401, 'critical_header'],
    ['of another issuer', signed({ iss: 'https://other.okta.com' }), 401, 'wrong_issuer'],
    ['for another address', signed({ aud: `${ADDRESS}x` }), 401, 'wrong_audience'],
    ['for the address with its query', signed({ aud: `${ADDRESS}?from=okta` }), 401, 'wrong_audience'],
    ['of another application', signed({ sub: '0oa9other' }), 403, 'caller_not_pinned'],
    ['of no application', signed({ sub: undefined }), 401, 'malformed'],
    ['expired', signed({ exp: SECONDS - 61 }), 401, 'expired'],
    ['without expiry', signed({ exp: undefined }), 401, 'no_expiry'],
    ['not yet valid', signed({ nbf: SECONDS + 61 }), 401, 'not_yet_valid'],
    ['from the future', signed({ iat: SECONDS + 61 }), 401, 'not_yet_valid'],
    ['without time of issue', signed({ iat: undefined }), 401, 'malformed'],
    ['without identifier', signed({ jti: undefined }), 401, 'malformed'],
    ['with a long identifier', signed({ jti: 'x'.repeat(201) }), 401, 'malformed'],
    ['longer than 8 KiB', signed({ pad: 'x'.repeat(8 * 1024) }), 401, 'too_large'],
  ])('has a token %s', async (_name, token, status, reason) => {
    const received = await sendToken(await token(), GOOD_BODY, `${ADDRESS}?from=okta`)
    expect(eventsOf(received)).toEqual([])
    expect(received).toMatchObject({ kind: 'refused', reason })
    const { body, ...answer } = answerOf(received)
    expect(answer).toEqual({
      status, headers: { 'content-type': 'application/problem+json', ...(status === 401 ? { 'www-authenticate': 'Bearer' } : {}) },
    })
    expect(JSON.parse(body ?? '')).toEqual({ type: 'about:blank', status, detail: NOT_PROVEN })
  })

  it.each<[string, Record<string, string>]>([['no header', {}], ['an empty header', { authorization: '' }]])('has %s', async (_name, headers) => {
    expect(await send({ body: GOOD_BODY, headers })).toMatchObject({ kind: 'refused', reason: 'missing', answer: { status: 401 } })
  })

  it('is answered later while the issuer says not where its keys are', async () => {
    const dark = await createSignedWorld({ ...options, documents: {} })
    const sent = { body: GOOD_BODY, headers: { authorization: `Bearer ${await dark.token(CLAIMS, TYPED)}` } }
    expect(await receive(universalLogout, SETTINGS, dark.tools, sent)).toMatchObject({
      kind: 'unavailable', answer: { status: 503, headers: { 'retry-after': '30' } },
    })
    expect(dark.asked()).toEqual([DISCOVERY])
  })
})

describe('a body', () => {
  it.each<[string, string | Uint8Array, number, string]>([
    ['empty', '', 400, 'malformed'],
    ['no JSON', 'sub_id=x', 400, 'malformed'],
    ['no UTF-8', new Uint8Array([0xff]), 400, 'malformed'],
    ['null', 'null', 400, 'malformed'],
    ['a list', '[]', 400, 'malformed'],
    ['without subject', '{}', 400, 'malformed'],
    ['with a subject that is text', '{"sub_id":"user@example.com"}', 400, 'malformed'],
    ['with a subject without format', '{"sub_id":{"email":"user@example.com"}}', 400, 'malformed'],
    ['with an opaque subject', '{"sub_id":{"format":"opaque","id":"1"}}', 400, 'malformed'],
    ['with a complex subject', '{"sub_id":{"format":"complex","user":{"format":"email","email":"a@b"}}}', 400, 'malformed'],
    ['with no e-mail', '{"sub_id":{"format":"email"}}', 400, 'malformed'],
    ['with an e-mail that is a list', '{"sub_id":{"format":"email","email":["a@b"]}}', 400, 'malformed'],
    ['with no sub', `{"sub_id":{"format":"iss_sub","iss":"${ISSUER}"}}`, 400, 'malformed'],
    ['with a name that reaches a prototype', '{"sub_id":{"__proto__":{"format":"email"},"format":"email","email":"a@b"}}', 400, 'malformed'],
    ['nested deep', `{"sub_id":${'['.repeat(7_000)}${']'.repeat(7_000)}}`, 400, 'malformed'],
    ['about a subject of another issuer', '{"sub_id":{"format":"iss_sub","iss":"https://other.okta.com","sub":"1"}}', 404, 'foreign_subject'],
  ])('%s is refused', async (_name, body, status, reason) => {
    const received = await sendToken(await signed()(), body)
    expect(eventsOf(received)).toEqual([])
    expect(received).toMatchObject({ kind: 'refused', reason, answer: { status } })
  })

  it('is answered by what became of the person', async () => {
    const received = await sendToken(await signed()())
    if (received.kind !== 'delivery') throw new Error('refused')
    expect(received.answer({ taken: 1, duplicates: 0, unknown: 0 })).toEqual({ status: 204 })
    expect(received.answer({ taken: 0, duplicates: 1, unknown: 0 })).toEqual({ status: 204 })
    expect(received.answer({ taken: 1, duplicates: 0, unknown: 1 })).toMatchObject({ status: 404 })
    expect(received.refuse()).toMatchObject({ status: 422 })
  })
})

describe('the audience', () => {
  it('may be another address, if the connection says so', async () => {
    const audience = 'https://public.example.com/logout'
    const sent = { body: GOOD_BODY, headers: { authorization: `Bearer ${await signed({ aud: audience })()}` } }
    expect((await send(sent, { ...SETTINGS, audience })).kind).toBe('delivery')
    expect((await send(sent)).kind).toBe('refused')
  })

  it.each([[{}], [{ issuer: ISSUER }], [{ issuer: ISSUER, subjects: [] }], [{ ...SETTINGS, issuer: 'org.okta.com' }], [{ ...SETTINGS, x: 1 }]])(
    'and the caller must be settled: %j', (settings) => {
      expect(universalLogout.settings.safeParse(settings).success).toBe(false)
    },
  )
})
