import type { Refresh, SourceEvent } from '../change'
import { err, ok, type Result } from '../result'
import { memberOf, textOf } from './fields'

/**
 * Graph's notifications as events. They say who changed and never how, so all that follows from one is a question: also from the
 * deletion of a user, which the pull tells from one that is restored meanwhile.
 */

export interface ReadOptions {
  /** In lower case. */
  readonly tenantId: string
  readonly nowMs: number
  /** SHA-256 in hexadecimal. */
  readonly hash: (text: string) => Promise<string>
}

const MAX_NOTIFICATIONS = 5_000
/** Of one group: more of them are found by asking for the group. */
const MAX_HINTS = 100

export const readNotifications = async (body: unknown, options: ReadOptions): Promise<Result<readonly SourceEvent[], string>> => {
  const items = memberOf(body, 'value')
  if (!Array.isArray(items)) return err('The body is not that of change notifications (value).')
  if (items.length > MAX_NOTIFICATIONS) return err(`The body has more than ${MAX_NOTIFICATIONS} notifications.`)
  const secrets = new Map<string, string>()
  const events: SourceEvent[] = []
  for (const item of items as readonly unknown[]) events.push(await readNotification(item, options, secrets))
  return ok(events)
}

/** No text has this hash: nothing is believed without a secret. */
const NO_SECRET = 'none'

const hashOf = async (secret: string | undefined, { hash }: ReadOptions, known: Map<string, string>): Promise<string> => {
  if (secret === undefined) return NO_SECRET
  const hashed = known.get(secret) ?? (await hash(secret))
  known.set(secret, hashed)
  return hashed
}

const readNotification = async (item: unknown, options: ReadOptions, secrets: Map<string, string>): Promise<SourceEvent> => {
  const lifecycle = textOf(item, 'lifecycleEvent', 100)
  const event = {
    id: await options.hash(nameOf(item, options.nowMs)),
    type: lifecycle === undefined ? `${textOf(item, 'changeType', 64) ?? 'unknown'} ${kindOf(item) ?? 'resource'}` : `lifecycle ${lifecycle}`,
    at: timeOf(item),
    secretHash: await hashOf(textOf(item, 'clientState', 1024), options, secrets),
    changes: [],
    refresh: [],
    acts: [],
  }
  if (textOf(item, 'tenantId')?.toLowerCase() !== options.tenantId) {
    return { ...event, id: `other-tenant:${event.id}`, ignored: 'The notification is of another tenant.' }
  }
  return { ...event, ...(lifecycle === undefined ? effectOf(item) : effectOfLifecycle(lifecycle)) }
}

const A_MINUTE_MS = 60_000

/**
 * What tells a notification from every other. One without a time or number of its own may truly come again (somebody is added,
 * removed and added): after a minute it is news, which costs a question at most.
 */
const nameOf = (item: unknown, nowMs: number): string => {
  const data = memberOf(item, 'resourceData')
  const time = [memberOf(data, 'eventTime'), memberOf(data, 'sequenceNumber')]
  const isTold = time.some((value) => typeof value === 'string' || typeof value === 'number')
  return JSON.stringify([
    memberOf(item, 'subscriptionId'), memberOf(item, 'lifecycleEvent'), memberOf(item, 'changeType'), memberOf(item, 'resource'),
    memberOf(data, 'id'), memberOf(data, 'members@delta'), ...(isTold ? time : [Math.floor(nowMs / A_MINUTE_MS)]),
  ])
}

const timeOf = (item: unknown): number | null => {
  const time = Date.parse(textOf(memberOf(item, 'resourceData'), 'eventTime', 64) ?? '')
  return Number.isNaN(time) ? null : time
}

const RESOURCE = /^\/?(users|groups)(?:\/([^/()]{1,200})|\('([^/()']{1,200})'\))/i

const kindOf = (item: unknown): 'user' | 'group' | undefined => {
  const type = textOf(memberOf(item, 'resourceData'), '@odata.type', 100)?.toLowerCase()
  if (type !== undefined) return type === '#microsoft.graph.user' ? 'user' : type === '#microsoft.graph.group' ? 'group' : undefined
  const collection = RESOURCE.exec(textOf(item, 'resource', 1024) ?? '')?.[1]?.toLowerCase()
  return collection === undefined ? undefined : collection === 'users' ? 'user' : 'group'
}

const idOf = (item: unknown): string | undefined => {
  const [, , bare, quoted] = RESOURCE.exec(textOf(item, 'resource', 1024) ?? '') ?? []
  return textOf(memberOf(item, 'resourceData'), 'id', 200) ?? bare ?? quoted
}

type Effect = Partial<Pick<SourceEvent, 'refresh' | 'acts' | 'ignored'>>

const personOf = (id: string): Refresh => ({ kind: 'person', who: { id, userName: null } })

const effectOf = (item: unknown): Effect => {
  const kind = kindOf(item)
  const id = idOf(item)
  if (kind === undefined || id === undefined) return { ignored: 'The notification names neither a user nor a group.' }
  if (kind === 'user') return { refresh: [personOf(id)] }
  return { refresh: [{ kind: 'group', group: { id, displayName: null } }, ...hintsOf(item)] }
}

/** Who was added or removed: here `@removed` is text, in delta queries an object; neither is believed. */
const hintsOf = (item: unknown): readonly Refresh[] => {
  const delta = memberOf(memberOf(item, 'resourceData'), 'members@delta')
  const members: readonly unknown[] = Array.isArray(delta) ? delta.slice(0, MAX_HINTS) : []
  return [...new Set(members.flatMap((member) => textOf(member, 'id', 200) ?? []))].map(personOf)
}

const EVERYTHING: Refresh = { kind: 'everything' }

const LIFECYCLE: ReadonlyMap<string, Effect> = new Map<string, Effect>([
  ['reauthorizationRequired', { acts: [{ kind: 'stream', status: 'reauthorize', reason: null }] }],
  ['subscriptionRemoved', { acts: [{ kind: 'stream', status: 'removed', reason: null }], refresh: [EVERYTHING] }],
  ['missed', { refresh: [EVERYTHING] }],
])

const effectOfLifecycle = (event: string): Effect =>
  LIFECYCLE.get(event) ?? { ignored: 'The lifecycle notification is of a type that is not known here.' }
