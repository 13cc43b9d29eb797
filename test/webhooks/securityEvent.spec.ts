import { beforeAll, describe, expect, it } from 'vitest'
import { securityEvent } from '../../src/webhooks/securityEvent'
import { segment } from '../auth/issuer'
import { answerOf, createSignedWorld, eventsOf, receive, type SignedWorld } from './signedWorld'

const NOW = Date.UTC(2026, 10, 23, 12)
const SECONDS = NOW / 1000
const ISSUER = 'https://idp.example.test/ssf'
const KEYS = 'https://idp.example.test/keys'
const RISC = 'https://schemas.openid.net/secevent/risc/event-type/'
const CAEP = 'https://schemas.openid.net/secevent/caep/event-type/'
const SCIM = 'urn:ietf:params:scim:event:prov:'
const DAY = 86_400

const SETTINGS = { issuer: ISSUER, audience: ['bridge', 'bridge-2'], jwksUri: KEYS }

const ANN = { format: 'email', email: 'ann@example.com' }
const CLAIMS = {
  iss: ISSUER, aud: 'bridge', iat: SECONDS, jti: 'set-1', sub_id: ANN, events: { [`${RISC}account-disabled`]: {} },
}
const SECEVENT = { typ: 'secevent+jwt' }

let world: SignedWorld
let other: SignedWorld

beforeAll(async () => {
  world = await createSignedWorld({ issuer: ISSUER, jwksUri: KEYS, now: () => NOW })
  other = await createSignedWorld({ issuer: ISSUER, jwksUri: KEYS, now: () => NOW })
})

const push = (body: string | Uint8Array, settings: object = {}, headers: Readonly<Record<string, string>> = {}) =>
  receive(securityEvent, { ...SETTINGS, ...settings }, world.tools, { body, headers })

const pushSigned = async (claims: object, header: object = {}, settings: object = {}) =>
  push(await world.token({ ...CLAIMS, ...claims }, { ...SECEVENT, ...header }), settings)

const hmac = async (): Promise<string> => {
  const [header, payload] = [segment({ alg: 'HS256', kid: 'key-1', ...SECEVENT }), segment(CLAIMS)]
  const secret = new TextEncoder().encode(await world.issuer.publicPem())
  const key = await crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  const signature = await crypto.subtle.sign('HMAC', key, new TextEncoder().encode(`${header}.${payload}`))
  return `${header}.${payload}.${segment(String.fromCharCode(...new Uint8Array(signature)))}`
}

const deep = (levels: number): unknown => JSON.parse(`${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`)

type Body = () => string | Uint8Array | Promise<string | Uint8Array>
const signed = (claims: object, header: object = {}): Body => () => world.token({ ...CLAIMS, ...claims }, { ...SECEVENT, ...header })
const event = (type: string, payload: object, subject: unknown = ANN): Body => signed({ sub_id: subject, events: { [type]: payload } })
const scimUser = (uri: unknown) => ({ format: 'scim', uri })

/** Name, the body, the code and the reason that is journalled. */
const REFUSED: readonly (readonly [string, Body, string, string])[] = [
  ['an empty body', () => '', 'invalid_request', 'malformed'],
  ['JSON', () => JSON.stringify(CLAIMS), 'invalid_request', 'malformed'],
  ['a token in quotes', async () => `"${await world.token(CLAIMS, SECEVENT)}"`, 'invalid_request', 'malformed'],
  ['bytes that are no UTF-8', () => new Uint8Array([0xff, 0xfe, 0x2e, 0x2e]), 'invalid_request', 'malformed'],
  ['a payload that is no JSON', () => world.issuer.signText('not json', SECEVENT), 'invalid_request', 'malformed'],
  ['a payload that is a list', () => world.issuer.signText('[]', SECEVENT), 'invalid_request', 'malformed'],
  ['a longer one than the limit', () => `${'a'.repeat(1024 * 1024)}.b.c`, 'invalid_request', 'too_large'],
  ['another key of the same name', () => other.token(CLAIMS, SECEVENT), 'invalid_key', 'bad_signature'],
  ['no signature', async () => (await world.token(CLAIMS, SECEVENT)).replace(/[^.]+$/, ''), 'invalid_key', 'bad_signature'],
  ['alg none', () => `${segment({ alg: 'none', ...SECEVENT })}.${segment(CLAIMS)}.`, 'invalid_key', 'algorithm_not_allowed'],
  ['HS256 with the public key as secret', hmac, 'invalid_key', 'algorithm_not_allowed'],
  ['a key that is not published', signed({}, { kid: 'key-0' }), 'invalid_key', 'unknown_key'],
  ['a key name that is a path', signed({}, { kid: '../../key-1' }), 'invalid_key', 'unknown_key'],
  ['a key name that is no text', signed({}, { kid: ['key-1'] }), 'invalid_request', 'malformed'],
  ['a critical header', signed({}, { crit: ['exp'], exp: SECONDS }), 'invalid_request', 'critical_header'],
  ['an unencoded payload', signed({}, { b64: false, crit: ['b64'] }), 'invalid_request', 'critical_header'],
  ['an unencoded payload that is not critical', signed({}, { b64: false }), 'invalid_request', 'critical_header'],
  ['no type', signed({}, { typ: undefined }), 'invalid_request', 'wrong_type'],
  ['the type JWT', signed({}, { typ: 'JWT' }), 'invalid_request', 'wrong_type'],
  ['an access token', signed({}, { typ: 'at+jwt' }), 'invalid_request', 'wrong_type'],
  ['a logout token', signed({}, { typ: 'logout+jwt' }), 'invalid_request', 'wrong_type'],
  ['another issuer', signed({ iss: 'https://other.example.test' }), 'invalid_issuer', 'wrong_issuer'],
  ['the issuer with a slash', signed({ iss: `${ISSUER}/` }), 'invalid_issuer', 'wrong_issuer'],
  ['no issuer', signed({ iss: undefined }), 'invalid_issuer', 'wrong_issuer'],
  ['another audience', signed({ aud: ['bridge-3', 'bridge/2'] }), 'invalid_audience', 'wrong_audience'],
  ['no audience', signed({ aud: undefined }), 'invalid_audience', 'wrong_audience'],
  ['an audience that is an object', signed({ aud: { 0: 'bridge' } }), 'invalid_audience', 'wrong_audience'],
  ['from the future', signed({ iat: SECONDS + 301 }), 'invalid_request', 'not_yet_valid'],
  ['no time of issue', signed({ iat: undefined }), 'invalid_request', 'no_issue_time'],
  ['a time of issue that is text', signed({ iat: `${SECONDS}` }), 'invalid_request', 'malformed'],
  ['a time of issue before all time', () => world.issuer.signText(JSON.stringify(CLAIMS).replace(`"iat":${SECONDS}`, '"iat":-1e999'), SECEVENT), 'invalid_request', 'no_issue_time'],
  ['an expiry that has passed', signed({ exp: SECONDS - 301 }), 'invalid_request', 'expired'],
  ['a later beginning', signed({ nbf: SECONDS + 301 }), 'invalid_request', 'not_yet_valid'],
  ['no identifier', signed({ jti: undefined }), 'invalid_request', 'no_id'],
  ['an empty identifier', signed({ jti: '' }), 'invalid_request', 'no_id'],
  ['a long identifier', signed({ jti: 'x'.repeat(201) }), 'invalid_request', 'no_id'],
  ['an identifier that is a number', signed({ jti: 7 }), 'invalid_request', 'no_id'],
  ['a claim sub', signed({ sub: 'ann' }), 'invalid_request', 'sub_claim'],
  ['no events', signed({ events: undefined }), 'invalid_request', 'no_events'],
  ['an empty object of events', signed({ events: {} }), 'invalid_request', 'no_events'],
  ['a list of events', signed({ events: [`${RISC}account-disabled`] }), 'invalid_request', 'no_events'],
  ['an event that is text', signed({ events: { [`${RISC}account-disabled`]: 'yes' } }), 'invalid_request', 'no_events'],
  ['21 events', signed({ events: Object.fromEntries(Array.from({ length: 21 }, (_, at) => [`urn:x:${at}`, {}])) }), 'invalid_request', 'no_events'],
  ['a deep payload', event('urn:x', { a: deep(40) }), 'invalid_request', 'unfit_json'],
  ['a very deep subject', () => world.issuer.signText(JSON.stringify({ ...CLAIMS, sub_id: 0 }).replace('"sub_id":0', `"sub_id":${'['.repeat(50_000)}${']'.repeat(50_000)}`), SECEVENT), 'invalid_request', 'unfit_json'],
  ['a name that reaches a prototype', () => world.issuer.signText(JSON.stringify(CLAIMS).replace('"format"', '"__proto__":{"format":"email"},"format"'), SECEVENT), 'invalid_request', 'unfit_json'],
  ['no subject', signed({ sub_id: undefined }), 'invalid_request', 'unfit_event'],
  ['a subject that is text', event(`${RISC}account-disabled`, {}, 'ann@example.com'), 'invalid_request', 'unfit_event'],
  ['a subject without format', event(`${RISC}account-disabled`, {}, { email: 'ann@example.com' }), 'invalid_request', 'unfit_event'],
  ['an e-mail that is a list', event(`${RISC}account-disabled`, {}, { format: 'email', email: ['ann@example.com'] }), 'invalid_request', 'unfit_event'],
  ['a stream status of its own', event('https://schemas.openid.net/secevent/ssf/event-type/stream-updated', { status: 'on' }), 'invalid_request', 'unfit_event'],
  ['a state that is a number', event('https://schemas.openid.net/secevent/ssf/event-type/verification', { state: 7 }), 'invalid_request', 'unfit_event'],
  ['a full event without data', event(`${SCIM}create:full`, {}, scimUser('/Users/1')), 'invalid_request', 'unfit_event'],
  ['a full event with attributes', event(`${SCIM}put:full`, { data: {}, attributes: [] }, scimUser('/Users/1')), 'invalid_request', 'unfit_event'],
  ['a notice with data', event(`${SCIM}put:notice`, { data: {}, attributes: [] }, scimUser('/Users/1')), 'invalid_request', 'unfit_event'],
  ['an active Group', event(`${SCIM}activate`, {}, scimUser('/Groups/1')), 'invalid_request', 'unfit_event'],
  ['a SCIM event about an e-mail', event(`${SCIM}delete`, {}), 'invalid_request', 'unfit_event'],
  ...[
    'https://evil.example.com/Users/1', '//evil.example.com/Users/1', 'http:Users/1', '/Users/../Groups/1', '/Users/..', '/Users/%2e%2e',
    '/Users/1?x=y', '/Users/1#x', '/Users/a%2Fb', '/Users/a%00b', '/Users/%ZZ', '/Users/', '/Users', '\\\\evil\\1', '', 7,
  ].map((uri): (typeof REFUSED)[number] => [`the subject ${JSON.stringify(uri)}`, event(`${SCIM}delete`, {}, scimUser(uri)), 'invalid_request', 'unfit_event']),
  ['one bad event among good ones', signed({ events: { [`${RISC}account-disabled`]: {}, [`${SCIM}delete`]: {} } }), 'invalid_request', 'unfit_event'],
]

describe('a token that is not believed', () => {
  it.each(REFUSED)('%s', async (_name, body, code, reason) => {
    world.asked()
    const received = await push(await body())
    const answer = answerOf(received)
    expect(eventsOf(received)).toEqual([])
    expect(received).toMatchObject({ kind: 'refused', reason, sentence: expect.stringMatching(/[.?]$/) })
    expect(answer).toEqual({
      status: 400,
      headers: { 'content-type': 'application/json', 'content-language': 'en-US' },
      body: JSON.stringify({ err: code, description: received.kind === 'refused' ? received.sentence : '' }),
    })
    expect(world.asked().filter((address) => address !== KEYS)).toEqual([])
  })

  it.each([
    ['alg', { alg: 'none' }, {}], ['typ', { typ: 'JWT' }, {}], ['iss', {}, { iss: 'x' }], ['aud', {}, { aud: 'x' }],
  ])('is refused for its %s before a key is asked for', async (_name, header, claims) => {
    const cold = await createSignedWorld({ issuer: ISSUER, jwksUri: KEYS, now: () => NOW })
    const token = `${segment({ alg: 'RS256', ...SECEVENT, ...header })}.${segment({ ...CLAIMS, ...claims })}.AAAA`
    const received = await receive(securityEvent, SETTINGS, cold.tools, { body: token })
    expect(received.kind).toBe('refused')
    expect(cold.asked()).toEqual([])
  })

  it('is refused when its algorithm is not the configured one', async () => {
    expect(await pushSigned({}, {}, { algorithms: ['ES256'] })).toMatchObject({ kind: 'refused', reason: 'algorithm_not_allowed' })
  })

  it('takes no key from the header', async () => {
    const jwk = other.issuer.publicJwk()
    for (const header of [{ jwk }, { jwk, kid: undefined }, { jku: 'https://evil.example.com/keys' }, { x5u: 'https://evil.example.com/x' }, { x5c: ['AAAA'] }]) {
      world.asked()
      const received = await push(await other.token(CLAIMS, { ...SECEVENT, ...header }))
      expect(received).toMatchObject({ kind: 'refused', reason: 'bad_signature' })
      expect(world.asked()).toEqual([])
    }
  })

  it('is not judged while the keys are out of reach', async () => {
    const dark = await createSignedWorld({ issuer: ISSUER, jwksUri: 'https://idp.example.test/elsewhere', now: () => NOW })
    const received = await receive(securityEvent, SETTINGS, dark.tools, { body: await dark.token(CLAIMS, SECEVENT) })
    expect(received).toMatchObject({ kind: 'unavailable', answer: { status: 503, headers: { 'retry-after': '30' } } })
    const { jwksUri: _, ...discovered } = SETTINGS
    const undiscovered = await receive(securityEvent, discovered, dark.tools, { body: await dark.token(CLAIMS, SECEVENT) })
    expect(undiscovered).toMatchObject({ kind: 'unavailable', answer: { status: 503, headers: { 'retry-after': '30' } } })
    expect(dark.asked()).toEqual([KEYS, 'https://idp.example.test/.well-known/ssf-configuration/ssf'])
  })

  it('is not believed over http outside development', async () => {
    const local = { ...SETTINGS, issuer: 'http://127.0.0.1:9000', jwksUri: 'http://127.0.0.1:9000/keys' }
    const options = { issuer: local.issuer, jwksUri: local.jwksUri, now: () => NOW }
    const claims = { ...CLAIMS, iss: local.issuer }
    for (const [development, kind] of [[false, 'unavailable'], [true, 'delivery']] as const) {
      const place = await createSignedWorld({ ...options, development })
      expect((await receive(securityEvent, local, place.tools, { body: await place.token(claims, SECEVENT) })).kind).toBe(kind)
    }
  })
})

describe('the token of the stream', () => {
  const required = { requiresToken: true }
  const refusal = { kind: 'refused', reason: 'wrong_token', answer: { status: 400, body: expect.stringContaining('"err":"authentication_failed"') } }

  it.each([
    ['missing', {}], ['empty', { authorization: '' }], ['of another scheme', { authorization: 'Digest abc' }],
    ['two merged headers', { authorization: 'Bearer a, Bearer b' }],
  ])('is refused when %s', async (_name, headers) => {
    expect(await push(await world.token(CLAIMS, SECEVENT), required, headers)).toMatchObject(refusal)
  })

  it('is no signed token', async () => {
    const token = await world.token(CLAIMS, SECEVENT)
    expect(await push(token, required, { authorization: `Bearer ${token}` })).toMatchObject(refusal)
  })

  it('is handed over for the Directory to judge', async () => {
    const received = await push(await world.token(CLAIMS, SECEVENT), required, { authorization: 'Bearer arzb_x' })
    expect(received).toMatchObject({ kind: 'delivery', secret: 'arzb_x' })
    expect(received.kind === 'delivery' && received.refuse()).toMatchObject(refusal.answer)
  })

  it('does not count where none is required', async () => {
    const received = await push(await world.token(CLAIMS, SECEVENT), {}, { authorization: 'Bearer whatever' })
    expect(received).toMatchObject({ kind: 'delivery', secret: null, caller: ISSUER })
  })
})

describe('a token that is believed', () => {
  it.each([
    ['at once', {}, {}], ['five minutes ahead', { iat: SECONDS + 300 }, {}], ['with a later expiry', { exp: SECONDS + 1 }, {}],
    ['for several receivers', { aud: ['x', 'bridge-2'] }, {}], ['without key name', {}, { kid: undefined }],
  ])('%s is acknowledged without a body', async (_name, claims, header) => {
    const received = await pushSigned(claims, header)
    expect(eventsOf(received)).toHaveLength(1)
    expect(answerOf(received)).toEqual({ status: 202 })
    expect(answerOf(received, { taken: 0, duplicates: 1, unknown: 0 })).toEqual({ status: 202 })
    expect(answerOf(received, { taken: 1, duplicates: 0, unknown: 1 })).toEqual({ status: 202 })
  })

  it('may have no type where the connection says so, and nothing else', async () => {
    for (const typ of [undefined, 'JWT', 'secevent+jwt']) {
      expect((await pushSigned({}, { typ }, { acceptsUntyped: true })).kind).toBe('delivery')
    }
    for (const typ of ['at+jwt', 'logout+jwt', 7, null]) {
      expect(await pushSigned({}, { typ }, { acceptsUntyped: true })).toMatchObject({ kind: 'refused', reason: 'wrong_type' })
    }
  })

  it('only causes a question when it is older than 14 days', async () => {
    const inTime = await pushSigned({ iat: SECONDS - 14 * DAY })
    expect(eventsOf(inTime)).toMatchObject([{ changes: [{ kind: 'active', active: false }], refresh: [] }])
    const who = { id: null, userName: 'ann@example.com' }
    const old = await pushSigned({ iat: SECONDS - 14 * DAY - 1 })
    expect(answerOf(old).status).toBe(202)
    expect(eventsOf(old)).toMatchObject([
      { changes: [], acts: [], refresh: [{ kind: 'person', who }], ignored: expect.stringContaining('14 days') },
    ])
    const revoked = await pushSigned({ iat: SECONDS - 15 * DAY, events: { [`${CAEP}session-revoked`]: {} } })
    expect(eventsOf(revoked)).toMatchObject([{ changes: [], acts: [], refresh: [{ kind: 'person', who }] }])
  })

  it.each([
    ['event_timestamp in seconds', { event_timestamp: SECONDS - 60 }, SECONDS - 120, NOW - 60_000],
    ['event_timestamp in milliseconds', { event_timestamp: NOW - 60_001 }, SECONDS - 120, NOW - 60_001],
    ['toe in seconds', {}, SECONDS - 120, NOW - 120_000],
    ['toe in milliseconds', {}, NOW - 120_000, NOW - 120_000],
    ['a fraction of a second', { event_timestamp: SECONDS - 0.25 }, undefined, NOW - 250],
    ['iat, without another', {}, undefined, NOW],
    ['iat, when the others are no times', { event_timestamp: 'today' }, -5, NOW],
    ['iat, when the others are beyond all time', { event_timestamp: 1e300 }, null, NOW],
  ])('happened at %s', async (_name, payload, toe, at) => {
    const received = await pushSigned({ toe, events: { [`${CAEP}session-revoked`]: payload } })
    expect(eventsOf(received)).toMatchObject([{ at }])
  })

  it('has one event, however many types describe it', async () => {
    const events = { [`${SCIM}patch:full`]: { data: { a: 1 } }, [`${SCIM}deactivate`]: {}, 'urn:ietf:params:SCIM:event:prov:deactivate': {}, 'urn:x': {} }
    const received = await pushSigned({ sub_id: scimUser('Users/7'), events })
    expect(eventsOf(received)).toEqual([
      {
        id: 'set-1', at: NOW, type: Object.keys(events).join(' ').slice(0, 200), refresh: [], acts: [],
        changes: [
          { kind: 'resource', type: 'User', id: '7', op: 'patch', body: { a: 1 } },
          { kind: 'active', who: { id: '7', userName: null }, active: false },
        ],
      },
    ])
  })

  it('is the same when it comes again with another jti and the same transaction', async () => {
    const idOf = async (claims: object) => eventsOf(await pushSigned({ txn: 't', sub_id: scimUser('/Users/7'), events: { [`${SCIM}delete`]: {} }, ...claims }))[0]?.id
    const id = await idOf({})
    expect(id).toMatch(/^txn:[0-9a-f]{64}$/)
    expect(await idOf({ jti: 'set-2' })).toBe(id)
    expect(await idOf({ sub_id: scimUser('/Users/8') })).not.toBe(id)
    expect(await idOf({ txn: 'u' })).not.toBe(id)
    expect(await idOf({ events: { [`${SCIM}deactivate`]: {} } })).not.toBe(id)
    expect(await idOf({ txn: 7 })).toBe('set-1')
    expect(await idOf({ sub_id: ANN, events: { [`${RISC}account-disabled`]: {} } })).toBe('set-1')
  })
})

describe('the settings', () => {
  it.each([
    ['no issuer', { issuer: undefined }], ['http', { issuer: 'http://idp.example.test' }], ['a template', { issuer: 'https://{tenant}.example.test' }],
    ['no audience', { audience: [] }], ['a symmetric algorithm', { algorithms: ['HS256'] }], ['an unknown name', { jwks: KEYS }],
    ['a poll without address', { delivery: 'poll' }], ['an address without poll', { pollUrl: 'https://idp.example.test/poll' }],
    ['keys over http', { jwksUri: 'http://idp.example.test/keys' }],
  ])('refuse %s', (_name, settings) => {
    expect(securityEvent.settings.safeParse({ ...SETTINGS, ...settings }).success).toBe(false)
  })

  it('are the same when they are read again', () => {
    const settings = securityEvent.settings.parse({ ...SETTINGS, delivery: 'poll', pollUrl: 'https://idp.example.test/poll' })
    expect(securityEvent.settings.parse(structuredClone(settings))).toEqual(settings)
  })

  it('of a polled stream take no push', async () => {
    const received = await push(await world.token(CLAIMS, SECEVENT), { delivery: 'poll', pollUrl: 'https://idp.example.test/poll' })
    expect(received).toMatchObject({ kind: 'refused', reason: 'not_pushed', answer: { status: 400, body: expect.stringContaining('"err":"access_denied"') } })
  })
})
