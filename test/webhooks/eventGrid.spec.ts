import { beforeAll, describe, expect, it } from 'vitest'
import { eventGrid } from '../../src/webhooks/eventGrid'
import { segment } from '../auth/issuer'
import { answerOf, createSignedWorld, eventsOf, receive, type Sent, type SignedWorld } from './signedWorld'

const NOW = Date.UTC(2026, 10, 23, 12)
const SECONDS = NOW / 1000
const TENANT = '84bd8158-6d4d-4958-8b9f-9d6445542f95'
const OTHER_TENANT = '11111111-2222-4333-8444-555555555555'
const EVENT_GRID = '4962773b-9cdb-44cf-a8bf-237846a00ab7'
const ISSUER = `https://login.microsoftonline.com/${TENANT}/v2.0`
const KEYS = `https://login.microsoftonline.com/${TENANT}/discovery/v2.0/keys`
const TOKEN = { issuer: ISSUER, audience: 'api://bridge', jwksUri: KEYS }
const SIGNED = { tenantId: TENANT, token: TOKEN }
const SECRET = { tenantId: TENANT }
const ADDRESS = 'https://bridge.example.com/webhooks/eventgrid/c1'

const CLAIMS = {
  aud: 'api://bridge', iss: ISSUER, iat: SECONDS, nbf: SECONDS, exp: SECONDS + 3600, azp: EVENT_GRID, azpacr: '2', sub: 'o', oid: 'o', tid: TENANT, ver: '2.0',
}

type Members = Readonly<Record<string, unknown>>

const cloudEvent = (overrides: Members = {}, data: Members = {}): Members => ({
  id: 'e1', type: 'Microsoft.Graph.UserUpdated', source: `/tenants/${TENANT}/applications/a`, subject: 'Users/u1', time: '2026-11-23T11:59:00Z',
  specversion: '1.0', data: { tenantId: TENANT, resourceData: { id: 'u1' }, ...data }, ...overrides,
})

let world: SignedWorld
let other: SignedWorld

beforeAll(async () => {
  world = await createSignedWorld({ issuer: ISSUER, jwksUri: KEYS, now: () => NOW })
  other = await createSignedWorld({ issuer: ISSUER, jwksUri: KEYS, now: () => NOW })
})

const send = (settings: object, sent: Sent) => receive(eventGrid, settings, world.tools, sent)
const sendSecret = (body: unknown, url = `${ADDRESS}?secret=s`) => send(SECRET, { url, body: typeof body === 'string' ? body : JSON.stringify(body) })

describe('a token', () => {
  const signed = (claims: Members = {}, header: Members = {}) => () => world.token({ ...CLAIMS, ...claims }, { typ: 'JWT', ...header })

  it.each<[string, () => string | Promise<string>, number, string]>([
    ['of another key', () => other.token(CLAIMS, { typ: 'JWT' }), 401, 'bad_signature'],
    ['without signature', () => `${segment({ alg: 'none' })}.${segment(CLAIMS)}.`, 401, 'algorithm_not_allowed'],
    ['of a symmetric algorithm', () => `${segment({ alg: 'HS256' })}.${segment(CLAIMS)}.AAAA`, 401, 'algorithm_not_allowed'],
    ['that is opaque', () => 'arzb_scim_x', 401, 'malformed'],
    ['of another tenant as issuer', signed({ iss: ISSUER.replace(TENANT, OTHER_TENANT) }), 401, 'wrong_issuer'],
    ['of the v1 issuer', signed({ iss: `https://sts.windows.net/${TENANT}/` }), 401, 'wrong_issuer'],
    ['of another tenant', signed({ tid: OTHER_TENANT }), 401, 'wrong_tenant'],
    ['of no tenant', signed({ tid: undefined }), 401, 'wrong_tenant'],
    ['for another application', signed({ aud: 'api://other' }), 401, 'wrong_audience'],
    ['of another caller', signed({ azp: OTHER_TENANT }), 403, 'caller_not_pinned'],
    ['of no caller', signed({ azp: undefined }), 403, 'caller_not_pinned'],
    ['whose subject alone is Event Grid', signed({ azp: undefined, sub: EVENT_GRID }), 403, 'caller_not_pinned'],
    ['that is an ID token', signed({ nonce: 'n' }), 401, 'id_token'],
    ['that is a security event', signed({}, { typ: 'secevent+jwt' }), 401, 'wrong_type'],
    ['that has expired', signed({ exp: SECONDS - 61 }), 401, 'expired'],
    ['without expiry', signed({ exp: undefined }), 401, 'no_expiry'],
    ['from the future', signed({ nbf: SECONDS + 61 }), 401, 'not_yet_valid'],
  ])('%s is not believed', async (_name, token, status, reason) => {
    const headers = { authorization: `Bearer ${await token()}` }
    const received = await send(SIGNED, { headers, url: `${ADDRESS}?secret=s`, body: JSON.stringify(cloudEvent()) })
    expect(eventsOf(received)).toEqual([])
    expect(received).toMatchObject({ kind: 'refused', reason, answer: { status } })
  })

  it('must be there, a secret is none', async () => {
    expect(await send(SIGNED, { url: `${ADDRESS}?secret=s`, body: JSON.stringify(cloudEvent()) })).toMatchObject({
      kind: 'refused', reason: 'missing', answer: { status: 401, headers: { 'www-authenticate': 'Bearer' } },
    })
  })

  it('of version 1 or 2 proves Event Grid', async () => {
    for (const claims of [{}, { azp: undefined, azpacr: undefined, appid: EVENT_GRID, appidacr: '2' }]) {
      const headers = { authorization: `Bearer ${await signed(claims)()}` }
      expect(await send(SIGNED, { headers, body: JSON.stringify(cloudEvent()) })).toMatchObject({ kind: 'delivery', secret: null, caller: EVENT_GRID })
    }
  })

  it('of another cloud comes from the caller that is set', async () => {
    const headers = { authorization: `Bearer ${await signed({ azp: 'gov' })()}` }
    const settings = { ...SIGNED, token: { ...TOKEN, callers: ['gov'] } }
    expect(await send(settings, { headers, body: JSON.stringify(cloudEvent()) })).toMatchObject({ kind: 'delivery', caller: 'gov' })
  })

  it('is not judged while the keys are out of reach', async () => {
    const dark = await createSignedWorld({ issuer: ISSUER, jwksUri: 'https://elsewhere.example.test/keys', now: () => NOW })
    const headers = { authorization: `Bearer ${await dark.token(CLAIMS)}` }
    expect(await receive(eventGrid, SIGNED, dark.tools, { headers, body: '{}' })).toMatchObject({ kind: 'unavailable', answer: { status: 503 } })
  })
})

describe('the secret in the address', () => {
  it.each(['', '?secret=', '?secret=a&secret=b', '?Secret=a', `?secret=${'x'.repeat(513)}`])('is not there: %s', async (query) => {
    expect(await sendSecret(cloudEvent(), ADDRESS + query)).toMatchObject({ kind: 'refused', reason: 'missing', answer: { status: 401 } })
  })

  it('is handed over for the Directory to judge', async () => {
    const received = await sendSecret(cloudEvent())
    expect(received).toMatchObject({ kind: 'delivery', secret: 's', caller: null })
    expect(received.kind === 'delivery' && received.refuse()).toMatchObject({ status: 401 })
  })
})

describe('a handshake', () => {
  it.each(['', ' ', 'a b', 'a\tb', 'https://x', '*', 'x'.repeat(254)])('names no host: %j', async (origin) => {
    const received = await send(SECRET, { method: 'OPTIONS', headers: { 'webhook-request-origin': origin } })
    expect(received).toMatchObject({ kind: 'refused', answer: { status: 400 } })
  })

  const validation = (data: unknown) => ({ eventType: 'Microsoft.EventGrid.SubscriptionValidationEvent', data })

  it.each<[string, unknown]>([
    ['empty', ''], ['no JSON', '{'], ['an object', validation({ validationCode: 'x' })], ['an empty list', []],
    ['two events', [validation({ validationCode: 'x' }), validation({ validationCode: 'y' })]], ['another event', [{ eventType: 'x', data: { validationCode: 'x' } }]],
    ['no code', [validation({ validationUrl: 'https://rp.example/validate' })]], ['a code that is a number', [validation({ validationCode: 7 })]],
    ['a long code', [validation({ validationCode: 'x'.repeat(201) })]], ['no data', [validation(null)]],
  ])('of the Event Grid schema is refused when it is %s', async (_name, body) => {
    world.asked()
    const headers = { 'aeg-event-type': 'SubscriptionValidation' }
    expect(await send(SECRET, { headers, body: typeof body === 'string' ? body : JSON.stringify(body) })).toMatchObject({ kind: 'refused', answer: { status: 400 } })
    expect(world.asked()).toEqual([])
  })
})

describe('a body', () => {
  it.each<[string, unknown]>([
    ['empty', ''], ['no JSON', '<xml/>'], ['null', 'null'], ['a number', '7'], ['an empty list', []], ['an object of its own', {}],
    ['of another version', cloudEvent({ specversion: '0.3' })], ['without id', cloudEvent({ id: undefined })], ['with a long id', cloudEvent({ id: 'x'.repeat(181) })],
    ['with an id that is a number', cloudEvent({ id: 7 })], ['without type', cloudEvent({ type: undefined })], ['without source', cloudEvent({ source: undefined })],
    ['of the Event Grid schema', [{ id: '1', eventType: 'Microsoft.Graph.UserUpdated', data: {}, dataVersion: '1' }]],
    ['a batch in which one is no event', [cloudEvent(), 7]], ['too many', Array.from({ length: 5_001 }, () => 0)],
    ['nested deep', `${'['.repeat(50_000)}${']'.repeat(50_000)}`], ['a batch in a batch', [[cloudEvent()]]],
    ['with a name that reaches a prototype', JSON.stringify(cloudEvent()).replace('"id":"e1"', '"id":"e1","__proto__":{}')],
  ])('%s is refused', async (_name, body) => {
    const received = await sendSecret(body)
    expect(eventsOf(received)).toEqual([])
    expect(received).toMatchObject({ kind: 'refused', reason: 'malformed', answer: { status: 400 } })
  })

  const person = [{ kind: 'person', who: { id: 'u1', userName: null } }]
  const group = [{ kind: 'group', group: { id: 'u1', displayName: null } }]
  const inactive = [{ kind: 'active', who: { id: 'u1', userName: null }, active: false }]

  it.each<[string, object]>([
    ['UserCreated', { refresh: person }], ['UserUpdated', { refresh: person }], ['UserDeleted', { refresh: person, changes: inactive }],
    ['GroupCreated', { refresh: group }], ['GroupUpdated', { refresh: group }], ['GroupDeleted', { refresh: group }],
    ['SubscriptionReauthorizationRequired', { acts: [{ kind: 'stream', status: 'reauthorize', reason: null }] }],
    ['DeviceUpdated', { ignored: 'The event is of a type that is not known here.' }], ['constructor', { ignored: 'The event is of a type that is not known here.' }],
  ])('tells %s', async (name, effect) => {
    const type = `Microsoft.Graph.${name}`
    for (const body of [cloudEvent({ type }), [cloudEvent({ type })]]) {
      const received = await sendSecret(body)
      expect(eventsOf(received)).toEqual([{ id: 'e1', type, at: Date.UTC(2026, 10, 23, 11, 59), changes: [], refresh: [], acts: [], ...effect }])
      expect(answerOf(received)).toEqual({ status: 200 })
    }
  })

  it.each<[string, Members, object]>([
    ['of another tenant', cloudEvent({}, { tenantId: OTHER_TENANT }), { id: 'other-tenant:e1', ignored: 'The event is of another tenant.' }],
    ['of another source', cloudEvent({ source: `/tenants/${OTHER_TENANT}/applications/a` }), { id: 'other-tenant:e1', ignored: 'The event is of another tenant.' }],
    ['of no tenant', cloudEvent({}, { tenantId: undefined }), { id: 'other-tenant:e1', ignored: 'The event is of another tenant.' }],
    ['without data', cloudEvent({ data: undefined }), { id: 'other-tenant:e1', ignored: 'The event is of another tenant.' }],
    ['without person', cloudEvent({}, { resourceData: {} }), { id: 'e1', ignored: 'The event does not say whom it is about (resourceData.id).' }],
    ['of another type', cloudEvent({ type: 'Other.UserDeleted' }), { id: 'e1', ignored: 'The event is of a type that is not known here.' }],
  ])('%s has no effect', async (_name, body, event) => {
    expect(eventsOf(await sendSecret(body))).toMatchObject([{ changes: [], refresh: [], acts: [], ...event }])
  })

  it('of the tenant in capitals and without time counts', async () => {
    const body = cloudEvent({ time: undefined, source: 'urn:other' }, { tenantId: TENANT.toUpperCase() })
    expect(eventsOf(await sendSecret(body))).toMatchObject([{ id: 'e1', at: null, refresh: person }])
    const settings = eventGrid.settings.parse({ tenantId: TENANT.toUpperCase() })
    expect(settings).toEqual(eventGrid.settings.parse(settings))
  })
})

describe('the settings', () => {
  it.each<[string, object]>([
    ['no tenant', {}], ['a tenant by name', { tenantId: 'contoso.onmicrosoft.com' }], ['an unknown name', { tenantId: TENANT, clientState: 'x' }],
    ['a token without keys', { tenantId: TENANT, token: { issuer: ISSUER, audience: 'a' } }],
    ['keys of all tenants', { ...SIGNED, token: { ...TOKEN, jwksUri: 'https://login.microsoftonline.com/common/discovery/v2.0/keys' } }],
    ['the issuer of all tenants', { ...SIGNED, token: { ...TOKEN, issuer: 'https://login.microsoftonline.com/common/v2.0' } }],
    ['another tenant than the issuer', { ...SIGNED, tenantId: OTHER_TENANT }], ['no callers', { ...SIGNED, token: { ...TOKEN, callers: [] } }],
    ['http', { ...SIGNED, token: { ...TOKEN, jwksUri: KEYS.replace('https', 'http') } }],
  ])('refuse %s', (_name, settings) => {
    expect(eventGrid.settings.safeParse(settings).success).toBe(false)
  })
})
