import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { SourceEvent } from '../../src/change'
import { oktaEventHook } from '../../src/webhooks/oktaEventHook'
import type { WebhookTools } from '../../src/webhooks/source'
import { answerOf, eventsOf, receive, type Sent } from './signedWorld'

const refuse = () => Promise.reject(new Error('nothing is fetched'))
const TOOLS: WebhookTools = { now: () => 0, jwks: { key: refuse }, discover: refuse, development: false }

const send = (sent: Sent, settings: object = {}) => receive(oktaEventHook, settings, TOOLS, sent)
const post = (body: unknown, headers: Readonly<Record<string, string>> = { authorization: 'secret' }, settings: object = {}) =>
  send({ headers, body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body) }, settings)

const USER = { id: '00u1', type: 'User', alternateId: 'ann@example.com', displayName: 'Ann' }
const GROUP = { id: '00g1', type: 'UserGroup', alternateId: 'unknown', displayName: 'Sales' }
const APP = { id: '0oa1', type: 'AppInstance', alternateId: 'Arize', displayName: 'Arize' }
const APP_USER = { id: '0ua1', type: 'AppUser', alternateId: 'somebody.else@example.com', displayName: 'Ann' }
const WHO = { id: '00u1', userName: 'ann@example.com' }
const SALES = { id: '00g1', displayName: 'Sales' }

const hook = (...events: unknown[]) => ({ eventId: 'e1', data: { events } })
const logEvent = (eventType: unknown, target: unknown, more: object = {}) =>
  ({ uuid: 'u1', published: '2026-11-01T10:00:00.000Z', eventType, outcome: { result: 'SUCCESS' }, target, ...more })

const only = async (event: unknown, settings: object = {}): Promise<SourceEvent> => {
  const [first, ...others] = eventsOf(await post(hook(event), undefined, settings))
  if (first === undefined || others.length > 0) throw new Error('not one event')
  return first
}

const toldOf = ({ changes, refresh, ignored }: SourceEvent) => ({ changes, refresh, ...(ignored === undefined ? {} : { ignored }) })

const INACTIVE = { changes: [{ kind: 'active', who: WHO, active: false }], refresh: [] }
const ACTIVE = { changes: [{ kind: 'active', who: WHO, active: true }], refresh: [] }
const ASKS = { changes: [], refresh: [{ kind: 'person', who: WHO }] }
const ASKS_GROUP = { changes: [], refresh: [{ kind: 'group', group: SALES }] }
const NAMED = { changes: [{ kind: 'group', group: SALES }], refresh: [{ kind: 'group', group: SALES }] }
const NOTHING = { changes: [], refresh: [], ignored: "The event has no bearing on anybody's access." }
const UNKNOWN = { changes: [], refresh: [], ignored: 'The event is of a type that is not known here.' }
const member = (is: boolean) => ({ changes: [{ kind: 'membership', group: SALES, who: WHO, member: is }], refresh: [] })

/** The table of the traffic study's section C.1, with the effects of design section 10.5. */
const TABLE: readonly (readonly [object, readonly string[]])[] = [
  [INACTIVE, ['user.lifecycle.suspend', 'user.lifecycle.deactivate', 'user.lifecycle.delete.initiated']],
  [ACTIVE, ['user.lifecycle.unsuspend', 'user.lifecycle.activate', 'user.lifecycle.reactivate']],
  [NOTHING, ['user.account.lock', 'user.account.unlock', 'user.account.unlock_by_admin', 'user.account.update_password', 'application.user_membership.change_password', 'group.privilege.grant', 'group.privilege.revoke']],
  [ASKS, [
    'user.lifecycle.create', 'user.lifecycle.delete.completed', 'user.account.update_profile', 'user.account.update_user_type',
    'user.account.update_primary_email', 'user.account.update_secondary_email',
    ...['add', 'remove', 'update', 'provision', 'deprovision', 'approve', 'revoke', 'restore'].map((what) => `application.user_membership.${what}`),
    ...['push', 'push_profile', 'activate', 'reactivate', 'deactivate', 'deprovision', 'sync', 'import_profile', 'delete', 'delete.schedule', 'remove_entitlements', 'remove_entitlements.schedule']
      .map((what) => `application.provision.user.${what}`),
  ]],
  [member(true), ['group.user_membership.add']],
  [member(false), ['group.user_membership.remove']],
  [NAMED, ['group.lifecycle.create', 'group.profile.update']],
  [{ changes: [{ kind: 'groupGone', group: SALES }], refresh: [] }, ['group.lifecycle.delete']],
  [ASKS_GROUP, ['group.application_assignment.add', 'group.application_assignment.remove', 'group.application_assignment.update']],
  [UNKNOWN, ['user.mfa.factor.activate', 'group.user_membership.rule.trigger', 'application.provision.group_push.pushed', 'user.lifecycle', 'USER.LIFECYCLE.SUSPEND', '__proto__', 'constructor', 'toString']],
]

const needsPerson = (type: string): boolean => !/^group\.(lifecycle|profile|application)/.test(type)
const needsGroup = (type: string): boolean => /^group\.(lifecycle|profile|application|user)/.test(type)

describe('an event of each type', () => {
  it.each(TABLE.flatMap(([told, types]) => types.map((type) => [type, told] as const)))('%s', async (type, told) => {
    const targets = [APP_USER, APP, ...(needsGroup(type) ? [GROUP] : []), ...(needsPerson(type) ? [USER] : [])]
    const settings = { appId: '0oa1' }
    for (const target of [targets, targets.toReversed()]) {
      expect(toldOf(await only(logEvent(type, target), settings))).toEqual(told)
    }
    if (told === NOTHING || told === UNKNOWN) return
    const bare = toldOf(await only(logEvent(type, [APP, APP_USER]), settings))
    expect(bare).toEqual({ changes: [], refresh: [], ignored: 'The event does not name whom or what it is about (target).' })
  })

  it('of an application counts only for the one that the connection names', async () => {
    for (const type of ['application.user_membership.remove', 'group.application_assignment.remove']) {
      const event = logEvent(type, [USER, GROUP, APP])
      expect(await only(event)).toMatchObject({ changes: [], refresh: [], ignored: 'The event is about an application, and this connection names none (appId).' })
      expect(await only(event, { appId: '0oa2' })).toMatchObject({ changes: [], refresh: [], ignored: 'The event is about another application.' })
    }
  })

  it('that names two people is a question about both', async () => {
    const event = await only(logEvent('user.lifecycle.suspend', [USER, { ...USER, id: '00u2', alternateId: 'unknown' }]))
    expect(toldOf(event)).toEqual({
      changes: [], refresh: [{ kind: 'person', who: WHO }, { kind: 'person', who: { id: '00u2', userName: null } }],
      ignored: 'The event names more than one of a kind (target).',
    })
  })
})

describe('a delivery', () => {
  it.each<[string, unknown, string]>([
    ['empty', '', 'The body is not JSON.'],
    ['not JSON', '<events/>', 'The body is not JSON.'],
    ['not UTF-8', new Uint8Array([0x7b, 0xff, 0x7d]), 'The body is not UTF-8.'],
    ['a list', [], 'The body is not that of an event hook (eventId, data.events).'],
    ['null', 'null', 'The body is not that of an event hook (eventId, data.events).'],
    ['an inline hook', { eventId: 'e1', eventType: 'com.okta.user.pre-registration', data: { context: {} } }, 'The body is not that of an event hook (eventId, data.events).'],
    ['without an id', { data: { events: [] } }, 'The body is not that of an event hook (eventId, data.events).'],
    ['with a long id', { eventId: 'x'.repeat(91), data: { events: [] } }, 'The body is not that of an event hook (eventId, data.events).'],
    ['with events that are an object', { eventId: 'e1', data: { events: { 0: {} } } }, 'The body is not that of an event hook (eventId, data.events).'],
    ['of too many events', { eventId: 'e1', data: { events: Array(5_001).fill(0) } }, 'The body has more than 5000 events.'],
    ['deep', `{"eventId":"e1","data":{"events":[${'['.repeat(60)}${']'.repeat(60)}]}}`, 'The JSON is nested deeper than 32 levels.'],
    ['with a name that reaches a prototype', '{"eventId":"e1","__proto__":{"x":1},"data":{"events":[]}}', 'The JSON has a member with a name that is not allowed.'],
  ])('that is %s is refused', async (_name, body, sentence) => {
    const received = await post(body)
    expect(received).toMatchObject({ kind: 'refused', reason: 'malformed', sentence })
    expect(answerOf(received)).toMatchObject({ status: 400, headers: { 'content-type': 'application/problem+json' } })
  })

  it.each<[string, unknown]>([
    ['null', null], ['text', 'x'], ['a list', []], ['an empty object', {}], ['a type that is no text', logEvent(7, [USER])],
    ['targets that are an object', logEvent('user.lifecycle.suspend', { 0: USER })], ['a target that is null', logEvent('user.lifecycle.suspend', [null])],
    ['an id that is a number', logEvent('user.lifecycle.suspend', [{ ...USER, id: 7 }])], ['an id with a control character', logEvent('user.lifecycle.suspend', [{ ...USER, id: 'a\u0000b' }])],
    ['an outcome that is text', logEvent('user.lifecycle.suspend', [USER], { outcome: 'SUCCESS' })],
  ])('with %s for an event takes the others', async (_name, odd) => {
    const events = eventsOf(await post(hook(odd, logEvent('user.lifecycle.suspend', [USER], { uuid: 'u2' }))))
    expect(events.map(toldOf)).toEqual([{ changes: [], refresh: [], ignored: expect.any(String) }, INACTIVE])
    expect(new Set(events.map(({ id }) => id)).size).toBe(2)
  })

  it('has the time of each event, or none', async () => {
    for (const [published, at] of [['2026-11-01T10:00:00.000Z', 1793527200000], ['yesterday', null], [7, null], [undefined, null], ['', null]] as const) {
      expect((await only(logEvent('user.lifecycle.suspend', [USER], { published }))).at).toBe(at)
    }
  })

  it.each<[string, Readonly<Record<string, string>>, string]>([
    ['no secret', {}, 'missing'], ['an empty one', { authorization: ' ' }, 'missing'], ['two in one', { authorization: 'Bearer a, Bearer b' }, 'malformed'],
    ['a digest', { authorization: 'Digest x y' }, 'unsupported_scheme'], ['a long one', { authorization: 'x'.repeat(9000) }, 'too_large'],
  ])('with %s is refused before it is read', async (_name, headers, reason) => {
    const received = await post('not JSON', headers)
    expect(received).toMatchObject({ kind: 'refused', reason })
    expect(answerOf(received).status).toBe(401)
  })

  it('has its secret in the header that the connection names, and in no other', async () => {
    const settings = { header: 'X-Secret' }
    expect(await post(hook(), { 'x-secret': 'Bearer abc', authorization: 'other' }, settings)).toMatchObject({ kind: 'delivery', secret: 'abc', events: [] })
    expect(await post(hook(), { authorization: 'abc' }, settings)).toMatchObject({ kind: 'refused', reason: 'missing' })
  })

  it('never throws, and believes nothing without the secret', async () => {
    await fc.assert(fc.asyncProperty(fc.oneof(fc.json(), fc.string()), fc.boolean(), async (body, hasSecret) => {
      const received = await post(body, hasSecret ? { authorization: 'secret' } : {})
      expect(received.kind === 'delivery' && !hasSecret).toBe(false)
      expect([204, 400, 401]).toContain(answerOf(received).status)
    }), { numRuns: 500 })
  })
})

describe('the verification', () => {
  it.each([['none', undefined], ['empty', ''], ['long', 'x'.repeat(1025)], ['with a space', 'a b']])('without a usable challenge (%s) is 400, and leaves nothing behind', async (_name, challenge) => {
    const received = await send({ method: 'GET', headers: challenge === undefined ? {} : { 'x-okta-verification-challenge': challenge } })
    expect(received).toMatchObject({ kind: 'answer', answer: { status: 400 } })
  })

  it('is plain JSON, whatever the challenge', async () => {
    const received = await send({ method: 'GET', headers: { 'x-okta-verification-challenge': '"</script>\\' } })
    expect(answerOf(received)).toEqual({ status: 200, headers: { 'content-type': 'application/json' }, body: '{"verification":"\\"</script>\\\\"}' })
  })
})

describe('the settings', () => {
  it.each([
    { header: 'Content-Type' }, { header: 'x-okta-verification-challenge' }, { header: 'a b' }, { header: '' }, { header: 'x\r\ny' }, { header: 7 },
    { appId: '' }, { appId: '../0oa1' }, { appid: '0oa1' },
  ])('refuse %j', (settings) => {
    expect(oktaEventHook.settings.safeParse(settings).success).toBe(false)
  })
})
