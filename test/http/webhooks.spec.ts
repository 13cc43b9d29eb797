import { beforeAll, describe, expect, it, vi } from 'vitest'
import { createApp } from '../../src/app'
import type { EventKind } from '../../src/change'
import { createTestIssuer, type TestIssuer } from '../auth/issuer'
import { openTenant, own, write, type Message } from './bridge'
import { watchDirectories } from './watchedEnv'
import { createWebhookWorld } from './webhookWorld'

/** Events over HTTP: what each wrong one is answered, what the journal says of it, and that nothing changes. */

const TENANT = 'webhooks'
const PREFIX = `/t/${TENANT}/webhooks`
const ISSUER = 'https://idp.example.test'
const DIRECTORY_TENANT = '84bd8158-6d4d-4958-8b9f-9d6445542f95'

let issuer: TestIssuer
const { send, connect, read, refusals, lastError, unchanged, site } = createWebhookWorld(TENANT)

beforeAll(async () => {
  await openTenant(TENANT)
  issuer = await createTestIssuer({ issuer: ISSUER })
})

const SET_SETTINGS = () => ({ issuer: ISSUER, audience: 'bridge', jwksUri: issuer.jwksUri })

const hookBody = (eventType = 'user.lifecycle.activate', id = 'p1', eventId: string = crypto.randomUUID()) => ({
  eventId,
  data: { events: [{ uuid: crypto.randomUUID(), published: new Date(Date.now() - 1000).toISOString(), eventType, outcome: { result: 'SUCCESS' }, target: [{ id, type: 'User', alternateId: `${id}@example.com` }] }] },
})

const note = (clientState: unknown, more: object = {}) => ({
  changeType: 'updated', clientState, resource: 'Users/u1', resourceData: { '@odata.type': '#Microsoft.Graph.User', id: 'u1' }, subscriptionId: 's1', tenantId: DIRECTORY_TENANT, ...more,
})

const UNPROVEN = { type: 'about:blank', status: 401, detail: 'Nothing proves that this comes from the sender of this connection.' }
const UNKNOWN_TOKEN = 'No connection has this token: it was mistyped, rotated or deleted.'

interface Row {
  readonly kind: EventKind
  readonly path: string
  readonly settings?: () => object
  readonly message: (secret: string) => Message | Promise<Message>
  readonly method?: string
  readonly status: number
  readonly body?: unknown
  /** What the journal says; null for nothing. */
  readonly refusal: { readonly reason: unknown; readonly sentence: unknown } | null
}

const okta = { kind: 'okta-event-hook', path: 'okta' } as const
const graph = { kind: 'graph', path: 'graph', settings: () => ({ tenantId: DIRECTORY_TENANT }) } as const
const events = { kind: 'security-events', path: 'events', settings: SET_SETTINGS } as const
const problemOf = (status: number, detail: string) => ({ type: 'about:blank', status, detail })
const forged = async (): Promise<Message> => ({ body: await (await createTestIssuer({ issuer: ISSUER })).signText('{}', { typ: 'secevent+jwt' }) })

const ROWS: readonly (readonly [string, Row])[] = [
  ['an event hook without a header', { ...okta, message: () => ({ body: hookBody() }), status: 401, body: UNPROVEN, refusal: { reason: 'missing', sentence: 'The request has no credential (Authorization header).' } }],
  ['an event hook with a wrong secret', { ...okta, message: () => ({ authorization: 'guess', body: hookBody() }), status: 401, body: UNPROVEN, refusal: { reason: 'unknown_token', sentence: UNKNOWN_TOKEN } }],
  ['an event hook with a part of the secret', { ...okta, message: (secret) => ({ authorization: secret.slice(0, -1), body: hookBody() }), status: 401, body: UNPROVEN, refusal: { reason: 'unknown_token', sentence: UNKNOWN_TOKEN } }],
  ['an event hook that is not JSON', { ...okta, message: (secret) => ({ authorization: secret, body: 'not JSON' }), status: 400, body: problemOf(400, 'The body is not JSON.'), refusal: { reason: 'malformed', sentence: 'The body is not JSON.' } }],
  ['an event hook that is too large', { ...okta, message: (secret) => ({ authorization: secret, body: 'x'.repeat(1024 * 1024 + 1) }), status: 413, body: { ...problemOf(413, 'The body is larger than 1 MB.'), title: 'Content Too Large' }, refusal: { reason: 'too_large', sentence: 'The body is larger than 1 MB.' } }],
  ['a verification without challenge', { ...okta, method: 'GET', message: () => ({}), status: 400, body: problemOf(400, 'The verification has no usable challenge (x-okta-verification-challenge).'), refusal: null }],
  ['a notification with a wrong clientState', { ...graph, message: () => ({ body: { value: [note('guess')] } }), status: 202, refusal: { reason: 'unknown_token', sentence: UNKNOWN_TOKEN } }],
  ['a notification without one', { ...graph, message: () => ({ body: { value: [note(undefined)] } }), status: 202, refusal: { reason: 'unknown_token', sentence: UNKNOWN_TOKEN } }],
  ['a notification that is none', { ...graph, message: (secret) => ({ body: { values: [note(secret)] } }), status: 400, body: problemOf(400, 'The body is not that of change notifications (value).'), refusal: { reason: 'malformed', sentence: 'The body is not that of change notifications (value).' } }],
  ['a token of another key', { ...events, message: forged, status: 400, body: expect.objectContaining({ err: expect.stringMatching(/^invalid_/) }), refusal: { reason: expect.any(String), sentence: expect.stringMatching(/\.$/) } }],
  ['a token that is too large', { ...events, message: () => ({ body: 'x'.repeat(1024 * 1024 + 1) }), status: 413, body: { err: 'invalid_request', description: expect.stringMatching(/^The body is larger than/) }, refusal: { reason: 'too_large', sentence: expect.stringMatching(/^The body is larger than/) } }],
]

describe('what is not believed', () => {
  it.each(ROWS)('%s', async (_name, { kind, path, settings, message, method = 'POST', status, body, refusal }) => {
    const { id, secret } = await connect(kind, settings?.())
    vi.spyOn(globalThis, 'fetch').mockImplementation((input) => issuer.fetch(input))
    const before = await unchanged()
    for (const _time of [1, 2]) {
      const answer = await send(method, `${PREFIX}/${path}/${id}`, await message(secret))
      expect(answer.status).toBe(status)
      expect(answer.body).toEqual(body)
    }
    vi.restoreAllMocks()
    expect(await unchanged()).toEqual(before)
    expect(await refusals(id)).toEqual(refusal === null ? [] : [refusal])
    expect(await lastError(id)).toEqual(refusal === null ? null : expect.stringMatching(/^A delivery was refused: \S/))
  })

  it('a paused connection takes nothing', async () => {
    const { id, secret } = await connect('okta-event-hook')
    const other = await connect('graph', { tenantId: DIRECTORY_TENANT })
    await write(TENANT, `UPDATE connections SET state = 'paused' WHERE id IN (?, ?)`, id, other.id)
    expect((await send('POST', `${PREFIX}/okta/${id}`, { authorization: secret, body: hookBody() })).status).toBe(401)
    expect((await send('POST', `${PREFIX}/graph/${other.id}`, { body: { value: [note(other.secret)] } })).status).toBe(202)
    for (const paused of [id, other.id]) {
      expect(await refusals(paused)).toEqual([{ reason: 'connection_paused', sentence: 'The connection that this credential belongs to is paused.' }])
      expect(await read(`SELECT event_id FROM deliveries WHERE connection_id = ?`, paused)).toEqual([])
    }
  })

  it('the secret of another connection opens nothing, also none of SCIM', async () => {
    const one = await connect('okta-event-hook')
    const two = await connect('okta-event-hook')
    expect((await send('POST', `${PREFIX}/okta/${one.id}`, { authorization: two.secret, body: hookBody() })).status).toBe(401)
    expect((await send('GET', `/t/${TENANT}/scim/v2/Users`, { authorization: `Bearer ${one.secret}` })).status).toBe(401)
  })
})

describe('what is believed', () => {
  it('is stored once, with its event time, and takes the refusal from the connection', async () => {
    const { id, secret } = await connect('okta-event-hook')
    await send('POST', `${PREFIX}/okta/${id}`, { authorization: 'guess', body: hookBody() })
    const body = hookBody('user.lifecycle.activate', `p-${id.slice(0, 8)}`)
    for (const authorization of [secret, `Bearer ${secret}`]) {
      const answer = await send('POST', `${PREFIX}/okta/${id}`, { authorization, body })
      expect([answer.status, answer.text]).toEqual([204, ''])
    }
    expect(await read(`SELECT active FROM users WHERE connection_id = ?`, id)).toEqual([{ active: 1 }])
    expect(await read(`SELECT json_extract(data, '$.count') AS count FROM journal WHERE kind = 'event.taken' AND connection_id = ?`, id)).toEqual([{ count: 1 }])
    expect(await lastError(id)).toBeNull()
    expect(own(await read(`SELECT last_event FROM connections WHERE id = ?`, id), 0, 'last_event')).toEqual(expect.any(Number))
  })

  it('a batch of two tenants and two secrets gives the one that is ours', async () => {
    const { id, secret } = await connect('graph', { tenantId: DIRECTORY_TENANT, clientId: 'of the pull' })
    const foreign = { tenantId: 'ffffffff-6d4d-4958-8b9f-9d6445542f95' }
    const body = { value: [note(secret, foreign), note('guess'), note(secret, { resource: 'Users/u2', resourceData: { id: 'u2' } })] }
    expect((await send('POST', `${PREFIX}/graph/${id}`, { body })).status).toBe(202)
    const [taken] = await read(`SELECT data FROM journal WHERE kind = 'event.taken' AND connection_id = ?`, id)
    expect(JSON.parse(String(own(taken, 'data')))).toMatchObject({
      count: 2, events: [{ ignored: 'The notification is of another tenant.' }, { type: 'updated user', effects: ['asked'] }],
    })
    expect(await refusals(id)).toEqual([{ reason: 'unknown_token', sentence: UNKNOWN_TOKEN }])
    expect(await read(`SELECT kind, id FROM refreshes WHERE connection_id = ? AND kind = 'person'`, id)).toEqual([{ kind: 'person', id: 'u2' }])
  })

  it('a handshake is answered as text that no browser takes for a page', async () => {
    const { id } = await connect('graph', { tenantId: DIRECTORY_TENANT })
    const answer = await send('POST', `${PREFIX}/graph/${id}?validationToken=%3Cscript%3E+x`)
    expect([answer.status, answer.text, answer.headers.get('content-type'), answer.headers.get('x-content-type-options')]).toEqual([200, '<script> x', 'text/plain', 'nosniff'])
    expect(answer.headers.get('cache-control')).toBe('no-store')
  })

  it('a signed token is verified again when the connection has changed meanwhile', async () => {
    const { id } = await connect('security-events', SET_SETTINGS())
    vi.spyOn(globalThis, 'fetch').mockImplementation((input) => issuer.fetch(input))
    const token = (jti: string) => issuer.signText(JSON.stringify({
      iss: ISSUER, aud: 'bridge', iat: issuer.seconds(), jti, sub_id: { format: 'opaque', id: 'nobody' }, events: { 'https://schemas.openid.net/secevent/risc/event-type/account-disabled': {} },
    }), { typ: 'secevent+jwt' })
    const push = async (jti: string) => (await send('POST', `${PREFIX}/events/${id}`, { body: await token(jti) })).status
    expect(await push('a')).toBe(202)
    await write(TENANT, `UPDATE connections SET revision = revision + 1 WHERE id = ?`, id)
    expect(await push('b')).toBe(202)
    await write(TENANT, `UPDATE connections SET revision = revision + 1, config = json_set(config, '$.settings.audience', 'another') WHERE id = ?`, id)
    expect(await push('c')).toBe(400)
    expect(await read(`SELECT event_id FROM deliveries WHERE connection_id = ? ORDER BY event_id`, id)).toEqual([{ event_id: 'a' }, { event_id: 'b' }])
    vi.restoreAllMocks()
  })
})

describe('an address', () => {
  it.each([
    ['an unknown kind', '/webhooks/xyz/development'], ['a kind of the prototype', '/webhooks/constructor/development'], ['the name of another tenant', '/t/no-such-tenant/webhooks/okta/x'],
    ['the default tenant twice', '/t/default/webhooks/okta/x'], ['a tenant that is no name', '/t/_x/webhooks/okta/x'], ['an id that is none', `${PREFIX}/okta/${'x'.repeat(65)}`],
    ['an id with dots', `${PREFIX}/okta/..%2f..`], ['a SCIM connection', '/webhooks/okta/development'], ['no connection', `${PREFIX}/okta`], ['more than a connection', `${PREFIX}/okta/x/y`],
  ])('with %s is 404', async (_name, path) => {
    for (const method of ['GET', 'POST', 'OPTIONS', 'DELETE']) {
      const answer = await send(method, path, method === 'POST' ? { body: {} } : {})
      expect([answer.status, answer.headers.get('content-type')]).toEqual([404, 'application/problem+json'])
    }
  })

  it('of another kind than the connection is 404', async () => {
    const { id } = await connect('okta-event-hook')
    expect((await send('POST', `${PREFIX}/graph/${id}?validationToken=x`)).status).toBe(404)
  })

  it.each([['okta', 'okta-event-hook', 'PUT', 'GET, POST'], ['graph', 'graph', 'GET', 'POST'], ['graph', 'graph', 'HEAD', 'POST'], ['okta', 'okta-event-hook', 'OPTIONS', 'GET, POST']] as const)(
    'of %s answers %s %s with what it allows', async (path, kind, method, allow) => {
      const { id } = await connect(kind, kind === 'graph' ? { tenantId: DIRECTORY_TENANT } : {})
      const answer = await send(method, `${PREFIX}/${path}/${id}`)
      expect([answer.status, answer.headers.get('allow')]).toEqual([405, allow])
    })

  it('that nobody has costs a look at the tenant every few seconds, and none at tenants that are none', async () => {
    const clock = { at: 1_000_000 }
    const patient = createApp({ now: () => clock.at })
    site.app = patient
    const watched = watchDirectories()
    for (let at = 0; at < 20; at += 1) await send('POST', `${PREFIX}/okta/nobody-${at}`, { body: {} }, watched.env)
    expect(watched.calls.filter((call) => call === `${TENANT}.trust`).length).toBeLessThanOrEqual(2)
    expect(watched.calls.filter((call) => !['default.findTenant', `${TENANT}.trust`].includes(call))).toEqual([])
    const { id, secret } = await connect('okta-event-hook')
    site.app = patient
    clock.at += 10_000
    expect((await send('POST', `${PREFIX}/okta/${id}`, { authorization: secret, body: hookBody('user.account.lock') }, watched.env)).status).toBe(204)
    const asked = watched.calls.length
    for (let at = 0; at < 5; at += 1) await send('POST', `/t/none-${at % 2}/webhooks/okta/x`, { body: {} }, watched.env)
    expect(watched.calls.slice(asked)).toEqual(['default.findTenant', 'default.findTenant'])
  })
})

describe('what cannot be done now', () => {
  it.each([['security-events', 'events', { issuer: 7, audience: 'bridge' }, 'issuer'], ['graph', 'graph', {}, 'tenantId'], ['okta-event-hook', 'okta', { header: 'a b' }, 'header']] as const)(
    'stored settings of %s that do not fit are 503, by name', async (kind, path, settings, name) => {
      const { id, secret } = await connect(kind, settings)
      const answer = await send('POST', `${PREFIX}/${path}/${id}`, { authorization: secret, body: hookBody() })
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '60'])
      expect(own(answer.body, 'detail')).toBe(`The stored settings of this connection cannot be used: ${name}. An administrator has to set them anew.`)
    })

  it('a Directory that is overloaded is 503 with Retry-After, and nothing is acknowledged', async () => {
    const { id, secret } = await connect('okta-event-hook')
    const watched = watchDirectories((call) => {
      if (call === `${TENANT}.receive`) throw Object.assign(new Error('overloaded'), { overloaded: true })
    })
    const answer = await send('POST', `${PREFIX}/okta/${id}`, { authorization: secret, body: hookBody() }, watched.env)
    expect([answer.status, answer.headers.get('retry-after'), answer.headers.get('content-type')]).toEqual([503, '2', 'application/problem+json'])
    expect(await read(`SELECT event_id FROM deliveries WHERE connection_id = ?`, id)).toEqual([])
  })

  it('keys out of reach are 503, never an acknowledgement, and the connection says so', async () => {
    const { id } = await connect('security-events', { ...SET_SETTINGS(), jwksUri: `https://down-${crypto.randomUUID()}.example.test/keys` })
    vi.spyOn(globalThis, 'fetch').mockImplementation(async () => new Response('down', { status: 500 }))
    const answer = await send('POST', `${PREFIX}/events/${id}`, { body: await issuer.signText(JSON.stringify({ iss: ISSUER, aud: 'bridge', iat: issuer.seconds(), jti: 'x', events: { 'urn:x': {} } }), { typ: 'secevent+jwt' }) })
    vi.restoreAllMocks()
    expect(answer.status).toBe(503)
    expect(answer.headers.get('retry-after')).toMatch(/^[1-9]\d*$/)
    expect(await refusals(id)).toMatchObject([{ reason: 'unavailable' }])
  })
})
