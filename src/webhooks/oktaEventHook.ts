import * as z from 'zod'
import { readCredential } from '../auth/bearer'
import type { PersonRef, SourceEvent } from '../change'
import { err, ok, type Result } from '../result'
import { NOT_PROVEN, problem, refuse, refuseCaller } from './answer'
import { memberOf, parseBody, textOf } from './fields'
import { effectOf, isAboutApplication, readGroup, type Target } from './oktaEvent'
import type { Received, Webhook } from './source'

/**
 * Okta event hooks: events of the System Log, believed by the secret in a header, since Okta signs nothing. A batch is taken as a
 * whole; what one of its events does not tell or is not about keeps no other from being taken.
 */

/** Headers that mean something else already. */
const TAKEN: ReadonlySet<string> = new Set(['content-type', 'content-length', 'host', 'cookie', 'connection', 'accept', 'user-agent'])

const settings = z.strictObject({
  /** The header that Okta sends the secret in: the hook's "authentication field". */
  header: z
    .string()
    .regex(/^[A-Za-z0-9-]{1,64}$/, 'This must be the name of a header.')
    .refine((name) => !TAKEN.has(name.toLowerCase()) && !name.toLowerCase().startsWith('x-okta-'), 'This header has another use.')
    .default('Authorization'),
  /** The Okta application whose assignments count (its id, 0oa…). Without it events about applications have no effect. */
  appId: z.string().regex(/^[A-Za-z0-9]{1,64}$/, 'This must be the id of an Okta application.').optional(),
})

export type OktaEventHookSettings = z.infer<typeof settings>

export const oktaEventHook: Webhook<OktaEventHookSettings> = {
  kind: 'okta-event-hook',
  path: 'okta',
  methods: ['GET', 'POST'],
  maxBytes: 1024 * 1024,
  settings,
  hasSecret: true,
  receive: async (request, { settings: { header, appId } }) => {
    if (request.method === 'GET') return verify(request.headers.get('x-okta-verification-challenge'))
    const credential = readCredential(request.headers.get(header))
    if (!credential.ok) return refuseCaller(credential.error)
    const events = readHook(request.body, appId ?? null)
    if (!events.ok) return refuse(400, 'malformed', events.error)
    return {
      kind: 'delivery',
      events: events.value,
      secret: credential.value.token,
      caller: null,
      answer: () => ({ status: 204 }),
      refuse: () => problem(401, NOT_PROVEN),
    }
  },
}

/** Okta's own are 32 characters of base64url. */
const CHALLENGE = /^[\x21-\x7e]{1,1024}$/

/** The one-time verification, for whoever asks: it reveals nothing. Leaves nothing behind, well or not. */
const verify = (challenge: string | null): Received => {
  if (challenge === null || !CHALLENGE.test(challenge)) {
    return { kind: 'answer', answer: problem(400, 'The verification has no usable challenge (x-okta-verification-challenge).') }
  }
  const headers = { 'content-type': 'application/json' }
  return { kind: 'answer', answer: { status: 200, headers, body: JSON.stringify({ verification: challenge }) } }
}

const MAX_EVENTS = 5_000
/** Two of them and what joins them are one event's name. */
const MAX_ID_LENGTH = 90

const readHook = (body: Uint8Array, appId: string | null): Result<readonly SourceEvent[], string> => {
  const parsed = parseBody(body)
  if (!parsed.ok) return parsed
  const eventId = textOf(parsed.value, 'eventId', MAX_ID_LENGTH)
  const items = memberOf(memberOf(parsed.value, 'data'), 'events')
  if (eventId === undefined || !Array.isArray(items)) return err('The body is not that of an event hook (eventId, data.events).')
  if (items.length > MAX_EVENTS) return err(`The body has more than ${MAX_EVENTS} events.`)
  return ok(items.map((item: unknown, index) => readEvent(item, { eventId, index, appId })))
}

interface Place {
  readonly eventId: string
  readonly index: number
  readonly appId: string | null
}

const NOTHING = { changes: [], refresh: [], acts: [] } as const

const readEvent = (item: unknown, { eventId, index, appId }: Place): SourceEvent => {
  const type = textOf(item, 'eventType', 200)
  const event = {
    // Batches may be put together anew, so that neither of the two is enough.
    id: `${eventId} ${textOf(item, 'uuid', MAX_ID_LENGTH) ?? `#${index}`}`,
    type: type ?? 'unknown',
    at: readTime(textOf(item, 'published', 64)),
    ...NOTHING,
  }
  if (type === undefined) return { ...event, ignored: 'The event has no type (eventType).' }
  if (memberOf(memberOf(item, 'outcome'), 'result') !== 'SUCCESS') {
    return { ...event, ignored: 'What the event tells of did not succeed (outcome.result).' }
  }
  const targets = readTargets(memberOf(item, 'target'))
  if (isAboutApplication(type) && (appId === null || !targets.some((target) => target.type === 'AppInstance' && target.id === appId))) {
    const whose = appId === null ? 'an application, and this connection names none (appId)' : 'another application'
    return { ...event, ignored: `The event is about ${whose}.` }
  }
  return { ...event, ...effectOf(type, { persons: targets.flatMap(readPerson), groups: targets.flatMap(readGroup) }) }
}

const MAX_TARGETS = 100

/** By type, never by place: Okta says nothing of their order. */
const readTargets = (value: unknown): readonly Target[] => {
  const items: readonly unknown[] = Array.isArray(value) ? value.slice(0, MAX_TARGETS) : []
  return items.flatMap((item) => {
    const id = textOf(item, 'id', 200)
    const type = textOf(item, 'type', 64)
    return id === undefined || type === undefined ? [] : [{ id, type, alternateId: nameIn(item, 'alternateId'), displayName: nameIn(item, 'displayName') }]
  })
}

/** Okta writes "unknown" where it has none. */
const nameIn = (item: unknown, member: string): string | null => {
  const name = textOf(item, member)
  return name === undefined || name === 'unknown' ? null : name
}

const readPerson = ({ id, type, alternateId }: Target): readonly PersonRef[] => (type === 'User' ? [{ id, userName: alternateId }] : [])

const readTime = (text: string | undefined): number | null => {
  const time = Date.parse(text ?? '')
  return Number.isNaN(time) ? null : time
}
