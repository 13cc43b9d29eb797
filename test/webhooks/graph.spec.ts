import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hashToken } from '../../src/auth/bearer'
import { graph } from '../../src/webhooks/graph'
import type { WebhookTools } from '../../src/webhooks/source'
import { answerOf, eventsOf, receive, type Sent } from './signedWorld'

const TENANT = '84bd8158-6d4d-4958-8b9f-9d6445542f95'
const ADDRESS = 'https://bridge.example.com/webhooks/graph/c1'
const refuse = () => Promise.reject(new Error('nothing is fetched'))
const toolsAt = (now: number): WebhookTools => ({ now: () => now, jwks: { key: refuse }, discover: refuse, development: false })

const send = (sent: Sent, now = 0) => receive(graph, { tenantId: TENANT }, toolsAt(now), sent)
const post = (body: unknown, now = 0) => send({ body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body) }, now)

const USER = { changeType: 'updated', clientState: 'secret', resource: 'Users/u1', resourceData: { '@odata.type': '#Microsoft.Graph.User', id: 'u1' }, subscriptionId: 's1', tenantId: TENANT }
const shaken = (query: string) => send({ url: `${ADDRESS}?${query}`, body: 'not JSON' })
const idsOf = async (body: unknown, now = 0) => eventsOf(await post(body, now)).map(({ id }) => id)

describe('the validation of the address', () => {
  it.each([
    ['a+b%20c%2Bd', 'a b c+d'], ['%E2%82%AC', '€'], ['%3Cscript%3E', '<script>'], ['a%00b', 'a\u0000b'], ['%ZZ', '%ZZ'], ['x'.repeat(4096), 'x'.repeat(4096)],
  ])('gives back %.20s as text, before the body is looked at', async (token, text) => {
    expect(answerOf(await shaken(`validationToken=${token}`))).toEqual({ status: 200, headers: { 'content-type': 'text/plain' }, body: text })
  })

  it.each([['an empty token', 'validationToken='], ['a long one', `validationToken=${'x'.repeat(4097)}`], ['two', 'validationToken=a&validationToken=b']])('refuses %s, and leaves nothing behind', async (_name, query) => {
    expect(await shaken(query)).toMatchObject({ kind: 'answer', answer: { status: 400 } })
  })
})

describe('notifications', () => {
  it.each<[string, unknown, string]>([
    ['empty', '', 'The body is not JSON.'], ['not UTF-8', new Uint8Array([0xff]), 'The body is not UTF-8.'], ['a list', [USER], 'The body is not that of change notifications (value).'],
    ['an object of values', { value: { 0: USER } }, 'The body is not that of change notifications (value).'], ['too many', { value: Array(5_001).fill(0) }, 'The body has more than 5000 notifications.'],
    ['deep', `{"value":${'['.repeat(60)}${']'.repeat(60)}}`, 'The JSON is nested deeper than 32 levels.'],
    ['with a name that reaches a prototype', '{"value":[{"__proto__":{}}]}', 'The JSON has a member with a name that is not allowed.'],
  ])('that are %s are refused', async (_name, body, sentence) => {
    const received = await post(body)
    expect(received).toMatchObject({ kind: 'refused', reason: 'malformed', sentence })
    expect(answerOf(received).status).toBe(400)
  })

  it.each<[string, unknown, string]>([
    ['null', null, 'The notification is of another tenant.'], ['text', 'x', 'The notification is of another tenant.'],
    ['of no tenant', { ...USER, tenantId: undefined }, 'The notification is of another tenant.'], ['of a tenant that is a list', { ...USER, tenantId: [TENANT] }, 'The notification is of another tenant.'],
    ['of a message', { ...USER, resourceData: { '@odata.type': '#Microsoft.Graph.Message', id: 'm1' } }, 'The notification names neither a user nor a group.'],
    ['of nothing', { ...USER, resource: 'me', resourceData: undefined }, 'The notification names neither a user nor a group.'],
    ['with an id that is a number', { ...USER, resource: 'Users', resourceData: { '@odata.type': '#Microsoft.Graph.User', id: 7 } }, 'The notification names neither a user nor a group.'],
    ['of an unknown lifecycle', { ...USER, lifecycleEvent: 'constructor' }, 'The lifecycle notification is of a type that is not known here.'],
  ])('of which one is %s have the others', async (_name, odd, ignored) => {
    const events = eventsOf(await post({ value: [odd, USER] }))
    expect(events).toMatchObject([{ refresh: [], acts: [], changes: [], ignored }, { refresh: [{ kind: 'person', who: { id: 'u1' } }] }])
    expect(answerOf(await post({ value: [odd, USER] }))).toEqual({ status: 202 })
  })

  it('each have the hash of their secret, or one that no text has', async () => {
    const events = eventsOf(await post({ value: [USER, { ...USER, clientState: 'other' }, { ...USER, clientState: undefined }, { ...USER, clientState: '' }, { ...USER, clientState: ['secret'] }, null] }))
    expect(events.map(({ secretHash }) => secretHash)).toEqual([await hashToken('secret'), await hashToken('other'), 'none', 'none', 'none', 'none'])
  })

  it('are read by @odata.type, else by the resource', async () => {
    const resources = ['Users/u1', '/users/u1', "users('u1')", 'groups/u1', 'Groups/u1/members', 'devices/u1', 'usersx/u1', 'users']
    const events = eventsOf(await post({ value: resources.map((resource) => ({ ...USER, resource, resourceData: {} })) }))
    expect(events.map(({ refresh }) => refresh.map((asked) => asked.kind).join())).toEqual(['person', 'person', 'person', 'group', 'group', '', '', ''])
  })

  it('have at most 100 hints, each once, and the group itself', async () => {
    const members = Array.from({ length: 150 }, (_, at) => ({ id: `m${Math.floor(at / 2)}`, '@removed': 'deleted' }))
    const [event] = eventsOf(await post({ value: [{ ...USER, resourceData: { '@odata.type': '#microsoft.graph.group', id: 'g1', 'members@delta': members } }] }))
    expect(event?.refresh).toHaveLength(51)
    expect(event?.refresh[0]).toEqual({ kind: 'group', group: { id: 'g1', displayName: null } })
  })

  it('ignore validationTokens, which users and groups never have', async () => {
    expect(eventsOf(await post({ value: [USER], validationTokens: ['a.b.c'] }))).toHaveLength(1)
  })
})

describe('the id of a notification', () => {
  const timed = { ...USER, resourceData: { ...USER.resourceData, eventTime: '2026-11-22T01:47:00.2455823Z' } }

  it('is the same when it comes again, at any time and under a new expiry', async () => {
    const [first] = await idsOf({ value: [timed] })
    expect(await idsOf({ value: [{ ...timed, subscriptionExpirationDateTime: '2027-01-01T00:00:00Z' }] }, 4 * 3_600_000)).toEqual([first])
  })

  it('is another for another time, person, change, subscription or member', async () => {
    const others = [
      { ...timed, subscriptionId: 's2' }, { ...timed, changeType: 'deleted' }, { ...timed, resource: 'Users/u2' },
      { ...timed, resourceData: { ...timed.resourceData, eventTime: '2026-11-22T01:47:00.2455824Z' } }, { ...timed, resourceData: { ...timed.resourceData, 'members@delta': [{ id: 'm1' }] } },
      { ...timed, lifecycleEvent: 'missed' },
    ]
    expect(new Set(await idsOf({ value: [timed, ...others] })).size).toBe(1 + others.length)
  })

  it('changes after a minute where nothing tells one from the next: somebody may truly be added again', async () => {
    const [first] = await idsOf({ value: [USER] }, 120_000)
    expect(await idsOf({ value: [USER] }, 179_999)).toEqual([first])
    expect(await idsOf({ value: [USER] }, 180_000)).not.toEqual([first])
  })

  it('keeps every digit of numbers above 2^53', async () => {
    const text = (number: string) => JSON.stringify({ value: [USER] }).replace('"id":"u1"', `"id":"u1","sequenceNumber":${number}`)
    const ids = await Promise.all(['636784480202455800', '636784480202455801', '636784480202455802'].map((number) => idsOf(text(number))))
    expect(new Set(ids.flat()).size).toBe(3)
  })

  it('of another tenant takes none of ours', async () => {
    const [ours] = await idsOf({ value: [timed] })
    expect(await idsOf({ value: [{ ...timed, tenantId: 'ffffffff-6d4d-4958-8b9f-9d6445542f95' }] })).toEqual([`other-tenant:${ours}`])
  })
})

it('nothing makes it throw, and no event comes without the hash of a secret', async () => {
  const member = fc.constantFrom(...Object.keys(USER), 'lifecycleEvent')
  const item = fc.tuple(member, fc.jsonValue()).map(([name, value]) => ({ ...USER, [name]: value }))
  await fc.assert(fc.asyncProperty(fc.oneof(fc.json(), fc.array(fc.oneof(item, fc.jsonValue())).map((value) => JSON.stringify({ value }))), async (body) => {
    const received = await post(body)
    expect([202, 400]).toContain(answerOf(received).status)
    expect(eventsOf(received).filter(({ secretHash, id, type }) => secretHash === undefined || id.length > 200 || type.length > 200)).toEqual([])
  }), { numRuns: 500 })
})

it.each([{}, { tenantId: 'common' }, { tenantId: '' }, { tenantId: 7 }])('the settings %j are refused', (settings) => {
  expect(graph.settings.safeParse(settings).success).toBe(false)
})
