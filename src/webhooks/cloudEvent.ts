import type { Act, DirectoryChange, Refresh, SourceEvent } from '../change'
import { err, ok, type Result } from '../result'
import { memberOf, parseBody, textOf } from './fields'

/**
 * Graph's change notifications as CloudEvents 1.0 (JSON, one or a batch). An event says who changed and never how, so it asks for a
 * refresh; only the deletion of a user says more.
 */

interface Effect {
  readonly changes?: readonly DirectoryChange[]
  readonly refresh?: readonly Refresh[]
  readonly acts?: readonly Act[]
}

const personOf = (id: string) => ({ id, userName: null })

const refreshPerson = (id: string): Effect => ({ refresh: [{ kind: 'person', who: personOf(id) }] })
const refreshGroup = (id: string): Effect => ({ refresh: [{ kind: 'group', group: { id, displayName: null } }] })

/** By type without the prefix. Deleting a user in Entra is for 30 days a deactivation. */
const EFFECTS: ReadonlyMap<string, (id: string) => Effect> = new Map([
  ['UserCreated', refreshPerson],
  ['UserUpdated', refreshPerson],
  ['UserDeleted', (id) => ({ ...refreshPerson(id), changes: [{ kind: 'active', who: personOf(id), active: false }] })],
  ['GroupCreated', refreshGroup],
  ['GroupUpdated', refreshGroup],
  ['GroupDeleted', refreshGroup],
])

const PREFIX = 'Microsoft.Graph.'
const REAUTHORIZE = `${PREFIX}SubscriptionReauthorizationRequired`

const MAX_EVENTS = 5_000
const MAX_ID_LENGTH = 180

/**
 * The events of a body, whatever its content type says: a list is a batch. One that is no CloudEvent refuses them all. Those of
 * another tenant have no effect and cannot use up the id of one of ours.
 */
export const readCloudEvents = (body: Uint8Array, tenantId: string): Result<readonly SourceEvent[], string> => {
  const parsed = parseBody(body)
  if (!parsed.ok) return parsed
  const items: readonly unknown[] = Array.isArray(parsed.value) ? parsed.value : [parsed.value]
  if (items.length === 0 || items.length > MAX_EVENTS) return err(`The body is no list of 1 to ${MAX_EVENTS} events.`)
  const events = items.flatMap((item) => readCloudEvent(item, tenantId) ?? [])
  return events.length === items.length ? ok(events) : err('The body holds something that is no CloudEvent of version 1.0.')
}

const readCloudEvent = (item: unknown, tenantId: string): SourceEvent | undefined => {
  const id = textOf(item, 'id', MAX_ID_LENGTH)
  const type = textOf(item, 'type', 200)
  const source = textOf(item, 'source', 1024)
  if (id === undefined || type === undefined || source === undefined || memberOf(item, 'specversion') !== '1.0') return undefined
  const event = { id, type, at: readTime(textOf(item, 'time', 64)), changes: [], refresh: [], acts: [] }
  const data = memberOf(item, 'data')
  if (!isOfTenant(data, source, tenantId)) return { ...event, id: `other-tenant:${id}`, ignored: 'The event is of another tenant.' }
  if (type === REAUTHORIZE) return { ...event, acts: [{ kind: 'stream', status: 'reauthorize', reason: null }] }
  const effect = type.startsWith(PREFIX) ? EFFECTS.get(type.slice(PREFIX.length)) : undefined
  if (effect === undefined) return { ...event, ignored: 'The event is of a type that is not known here.' }
  const subject = textOf(memberOf(data, 'resourceData'), 'id')
  if (subject === undefined) return { ...event, ignored: 'The event does not say whom it is about (resourceData.id).' }
  return { ...event, ...effect(subject) }
}

/** Both places that name a tenant must name ours, the one in `source` only if it is there. */
const isOfTenant = (data: unknown, source: string, tenantId: string): boolean => {
  const inSource = /^\/tenants\/([^/]+)/i.exec(source)?.[1] ?? tenantId
  const inData = textOf(data, 'tenantId')
  return inData?.toLowerCase() === tenantId && inSource.toLowerCase() === tenantId
}

const readTime = (text: string | undefined): number | null => {
  const time = Date.parse(text ?? '')
  return Number.isNaN(time) ? null : time
}
