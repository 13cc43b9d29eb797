import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { EventKind } from '../../src/change'
import { createTestIssuer, segment, type TestIssuer } from '../auth/issuer'
import { openTenant, own } from './bridge'
import { createWebhookWorld } from './webhookWorld'

/** Signed events and logouts that are wrong in one thing: the exact answer, the journal's line, and nothing changed. */

const TENANT = 'signed-deliveries'
const ISSUER = 'https://idp.example.test'
const AUDIENCE = 'bridge'
const RISC = 'https://schemas.openid.net/secevent/risc/event-type/'

const { send, connect, read, refusals, lastError, unchanged } = createWebhookWorld(TENANT)

let issuer: TestIssuer
let stranger: TestIssuer

beforeAll(async () => {
  await openTenant(TENANT)
  issuer = await createTestIssuer({ issuer: ISSUER })
  stranger = await createTestIssuer({ issuer: ISSUER })
})
beforeEach(() => {
  vi.spyOn(globalThis, 'fetch').mockImplementation((input) => String(input instanceof Request ? input.url : input).endsWith('/.well-known/openid-configuration')
    ? Promise.resolve(Response.json({ issuer: ISSUER, jwks_uri: issuer.jwksUri })) : issuer.fetch(input))
})
afterEach(() => void vi.restoreAllMocks())

type Members = Readonly<Record<string, unknown>>

const TYPED = { typ: 'secevent+jwt' }

const setClaims = (overrides: Members = {}): string => JSON.stringify({
  iss: ISSUER, aud: AUDIENCE, iat: issuer.seconds(), jti: crypto.randomUUID(), sub_id: { format: 'opaque', id: 'p1' }, events: { [`${RISC}account-disabled`]: {} }, ...overrides,
})

const setOf = (overrides: Members = {}, header: Members = {}): Promise<string> => issuer.signText(setClaims(overrides), { ...TYPED, ...header })

interface Wrong {
  readonly token: () => Promise<string>
  readonly answer: { readonly err: string; readonly description: string }
  readonly reason: string
}

const wrong = (token: Wrong['token'], err: string, reason: string, description: string): Wrong => ({ token, answer: { err, description }, reason })

const SETS: readonly (readonly [string, Wrong])[] = [
  ['a wrong signature', wrong(() => stranger.signText(setClaims(), TYPED), 'invalid_key', 'bad_signature', 'The signature of the token does not fit its content.')],
  ['an unknown key', wrong(() => setOf({}, { kid: 'another' }), 'invalid_key', 'unknown_key', 'The token is signed with a key that its issuer does not publish.')],
  ['no signature (alg none)', wrong(async () => `${segment({ alg: 'none', ...TYPED })}.${segment(setClaims())}.`, 'invalid_key', 'algorithm_not_allowed', 'The token is signed with an algorithm that is not allowed for its issuer.')],
  ['a symmetric algorithm', wrong(() => setOf({}, { alg: 'HS256' }), 'invalid_key', 'algorithm_not_allowed', 'The token is signed with an algorithm that is not allowed for its issuer.')],
  ['another issuer', wrong(() => setOf({ iss: `${ISSUER}/` }), 'invalid_issuer', 'wrong_issuer', 'The issuer (iss) is not the one that this stream is configured for.')],
  ['another audience', wrong(() => setOf({ aud: ['bridge.example'] }), 'invalid_audience', 'wrong_audience', 'The audience (aud) is not this receiver.')],
  ['another type', wrong(() => setOf({}, { typ: 'at+jwt' }), 'invalid_request', 'wrong_type', 'The token is not of the type secevent+jwt (typ).')],
  ['no type', wrong(() => setOf({}, { typ: undefined }), 'invalid_request', 'wrong_type', 'The token is not of the type secevent+jwt (typ).')],
  ['a time in the future', wrong(() => setOf({ iat: issuer.seconds(360) }), 'invalid_request', 'not_yet_valid', 'The token is not valid yet (nbf or iat lies in the future); is a clock wrong?')],
  ['no time', wrong(() => setOf({ iat: undefined }), 'invalid_request', 'no_issue_time', 'The token has no time of issue (iat).')],
  ['no id', wrong(() => setOf({ jti: undefined }), 'invalid_request', 'no_id', 'The token has no identifier (jti) of 1 to 200 characters.')],
  ['a sub', wrong(() => setOf({ sub: 'p1' }), 'invalid_request', 'sub_claim', 'The token has the claim sub, which a security event must not have: sub_id names its subject.')],
  ['an absolute uri as its subject', wrong(
    () => setOf({ sub_id: { format: 'scim', uri: 'https://evil.example/Users/p1' }, events: { 'urn:ietf:params:scim:event:prov:patch:notice': { attributes: ['active'] } } }),
    'invalid_request', 'unfit_event', 'The subject of the format scim has no usable uri: it must be relative, as /Users/{id}.')],
  ['JSON', wrong(async () => setClaims(), 'invalid_request', 'malformed', 'The body is no signed security event token in compact form.')],
]

describe('a security event token with', () => {
  it.each(SETS)('%s', async (_name, { token, answer, reason }) => {
    const { id } = await connect('security-events', { issuer: ISSUER, audience: AUDIENCE, jwksUri: issuer.jwksUri })
    const before = await unchanged()
    const got = await send('POST', `/t/${TENANT}/webhooks/events/${id}`, { body: await token() })
    expect([got.status, got.body, got.headers.get('content-type'), got.headers.get('content-language')]).toEqual([400, answer, 'application/json', 'en-US'])
    expect(await unchanged()).toEqual(before)
    expect(await refusals(id)).toEqual([{ reason, sentence: answer.description }])
    expect(await lastError(id)).toBe(`A delivery was refused: ${answer.description}`)
  })
})

/** Users of the tenant, and people who are due for anything. */
const people = (): Promise<unknown[]> => read(`SELECT user_name AS name, active FROM users UNION ALL SELECT address, keys_due FROM subjects ORDER BY 1`)

describe('a security event token that is believed changes nobody', () => {
  it.each<[string, Members, unknown]>([
    ['of a type that nobody knows', { events: { [`${RISC}account-promoted`]: {} } }, { ignored: 'The event is of a type that is not known here.', effects: [] }],
    ['about somebody whom nobody knows', {}, { effects: ['unknown'] }],
    ['that is more than 14 days old', { iat: -15 * 86_400 }, { ignored: 'The event was issued more than 14 days ago: it only causes a question to the provider.', effects: [] }],
  ])('%s', async (_name, { iat, ...claims }, line) => {
    const { id } = await connect('security-events', { issuer: ISSUER, audience: AUDIENCE, jwksUri: issuer.jwksUri })
    const before = await people()
    const body = await setOf({ ...claims, ...(typeof iat === 'number' ? { iat: issuer.seconds(iat) } : {}) })
    // The second time it is a replay, acknowledged as the first.
    for (const _time of [1, 2]) {
      const got = await send('POST', `/t/${TENANT}/webhooks/events/${id}`, { body })
      expect([got.status, got.text]).toEqual([202, ''])
    }
    expect(await people()).toEqual(before)
    const taken = await read(`SELECT data FROM journal WHERE kind = 'event.taken' AND connection_id = ?`, id)
    expect(taken.map((row) => JSON.parse(String(own(row, 'data'))) as unknown)).toEqual([{ count: 1, events: [expect.objectContaining(line)] }])
  })
})

const UNPROVEN = 'Nothing proves that this comes from the sender of this connection.'
const SUBJECT = { sub_id: { format: 'email', email: 'nobody@example.com' } }

describe('a universal logout with', () => {
  const url = (id: string): string => `https://bridge.example.com/t/${TENANT}/webhooks/logout/${id}`

  it.each<[string, Members, Members, unknown, number, string]>([
    ['another type', {}, { typ: 'JWT' }, SUBJECT, 401, 'wrong_type'],
    ['another audience', { aud: 'https://bridge.example.com/elsewhere' }, {}, SUBJECT, 401, 'wrong_audience'],
    ['another issuer', { iss: 'https://other.example.test' }, {}, SUBJECT, 401, 'wrong_issuer'],
    ['another caller', { sub: 'another app' }, {}, SUBJECT, 403, 'caller_not_pinned'],
    ['an end in the past', { exp: 1_700_000_000 }, {}, SUBJECT, 401, 'expired'],
    ['no end', { exp: undefined }, {}, SUBJECT, 401, 'no_expiry'],
    ['an unknown key', {}, { kid: 'another' }, SUBJECT, 401, 'unknown_key'],
    ['a subject of another format', {}, {}, { sub_id: { format: 'phone_number', phone_number: '+1' } }, 400, 'malformed'],
    ['no subject', {}, {}, {}, 400, 'malformed'],
    ['a subject of another issuer', {}, {}, { sub_id: { format: 'iss_sub', iss: 'https://other.example.test', sub: 'p1' } }, 404, 'foreign_subject'],
  ])('%s', async (_name, claims, header, body, status, reason) => {
    const { id } = await connect('universal-logout' satisfies EventKind, { issuer: ISSUER, subjects: ['app'], audience: url('x') })
    const before = await unchanged()
    const token = await issuer.sign({ iss: ISSUER, sub: 'app', aud: url('x'), jti: crypto.randomUUID(), ...claims }, { typ: 'global-token-revocation+jwt', ...header })
    const got = await send('POST', `/t/${TENANT}/webhooks/logout/${id}`, { authorization: `Bearer ${token}`, body })
    const sentence = own(await refusals(id), 0, 'sentence')
    expect([got.status, own(got.body, 'detail')]).toEqual([status, status === 401 || status === 403 ? UNPROVEN : sentence])
    expect(await unchanged()).toEqual(before)
    expect(await refusals(id)).toEqual([{ reason, sentence }])
  })
})

const ENTRA_TENANT = '84bd8158-6d4d-4958-8b9f-9d6445542f95'
const EVENT_GRID = '4962773b-9cdb-44cf-a8bf-237846a00ab7'
const CLOUD_EVENT = {
  id: 'e1', type: 'Microsoft.Graph.UserDeleted', source: `/tenants/${ENTRA_TENANT}/applications/x`, subject: 'Users/p1', time: '2026-11-22T22:24:31Z', specversion: '1.0',
  data: { changeType: 'deleted', resource: 'Users/p1', resourceData: { '@odata.type': '#Microsoft.Graph.User', id: 'p1' }, tenantId: ENTRA_TENANT },
}

describe('an Event Grid delivery with', () => {
  const gridToken = (claims: Members, header: Members = {}): Promise<string> =>
    issuer.sign({ iss: ISSUER, aud: 'bridge', sub: 'service', azp: EVENT_GRID, azpacr: '1', tid: ENTRA_TENANT, ...claims }, header)
  const signed = { tenantId: ENTRA_TENANT, token: { issuer: ISSUER, audience: 'bridge', jwksUri: `${ISSUER}/keys` } }

  it.each<[string, Members, Members, unknown, number, string]>([
    ['another audience', { aud: 'elsewhere' }, {}, CLOUD_EVENT, 401, 'wrong_audience'],
    ['another issuer', { iss: 'https://other.example.test' }, {}, CLOUD_EVENT, 401, 'wrong_issuer'],
    ['another caller', { azp: 'another app' }, {}, CLOUD_EVENT, 403, 'caller_not_pinned'],
    ['another tenant', { tid: 'another' }, {}, CLOUD_EVENT, 401, 'wrong_tenant'],
    ['an end in the past', { exp: 1_700_000_000 }, {}, CLOUD_EVENT, 401, 'expired'],
    ['an unknown key', {}, { kid: 'another' }, CLOUD_EVENT, 401, 'unknown_key'],
    ['a body that is none', {}, {}, 'not JSON', 400, 'malformed'],
  ])('%s', async (_name, claims, header, body, status, reason) => {
    const { id } = await connect('event-grid' satisfies EventKind, signed)
    const before = await unchanged()
    const got = await send('POST', `/t/${TENANT}/webhooks/eventgrid/${id}`, { authorization: `Bearer ${await gridToken(claims, header)}`, body })
    const sentence = own(await refusals(id), 0, 'sentence')
    expect([got.status, own(got.body, 'detail')]).toEqual([status, status === 400 ? sentence : UNPROVEN])
    expect(await unchanged()).toEqual(before)
    expect(await refusals(id)).toEqual([{ reason, sentence }])
    expect(await lastError(id)).toBe(`A delivery was refused: ${String(sentence)}`)
  })

  it.each<[string, string, string]>([
    ['no secret', '', 'missing'], ['a wrong secret', '?secret=guess', 'unknown_token'], ['two secrets', '?secret=a&secret=b', 'missing'],
  ])('%s in the address', async (_name, query, reason) => {
    const { id } = await connect('event-grid' satisfies EventKind, { tenantId: ENTRA_TENANT })
    const before = await unchanged()
    const got = await send('POST', `/t/${TENANT}/webhooks/eventgrid/${id}${query}`, { body: CLOUD_EVENT })
    expect([got.status, own(got.body, 'detail')]).toEqual([401, UNPROVEN])
    expect(await unchanged()).toEqual(before)
    expect(await refusals(id)).toEqual([{ reason, sentence: expect.stringMatching(/\.$/) }])
  })
})

describe('keys that are out of reach', () => {
  it.each<[EventKind, string, object, () => Promise<readonly [string, string]>]>([
    ['security-events', 'events', { issuer: 'https://dark.example.test', audience: AUDIENCE, jwksUri: 'https://dark.example.test/keys' },
      async () => [await issuer.signText(setClaims({ iss: 'https://dark.example.test' }), TYPED), '']],
    ['universal-logout', 'logout', { issuer: 'https://darker.example.test', subjects: ['app'], audience: 'https://bridge.example.com/x' },
      async () => [JSON.stringify(SUBJECT), await issuer.sign({ iss: 'https://darker.example.test', sub: 'app', aud: 'https://bridge.example.com/x', jti: 'j1' }, { typ: 'global-token-revocation+jwt' })]],
  ])('are 503 to %s, which is tried again, and nothing is accepted', async (kind, path, settings, make) => {
    vi.spyOn(globalThis, 'fetch').mockImplementation(() => Promise.resolve(new Response('down', { status: 502 })))
    const { id } = await connect(kind, settings)
    const before = await unchanged()
    const [body, token] = await make()
    const got = await send('POST', `/t/${TENANT}/webhooks/${path}/${id}`, { body, ...(token === '' ? {} : { authorization: `Bearer ${token}` }) })
    expect([got.status, got.headers.get('retry-after')]).toEqual([503, expect.stringMatching(/^\d+$/)])
    expect(await unchanged()).toEqual(before)
    expect(await refusals(id)).toEqual([{ reason: 'unavailable', sentence: expect.stringMatching(/\.$/) }])
  })
})
