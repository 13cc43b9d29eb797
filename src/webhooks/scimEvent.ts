import type { DirectoryChange } from '../change'
import { err, ok, type Result } from '../result'
import { isMembers, memberOf, type Members } from './fields'
import { invalidRequest, type Rule } from './securityEventRule'
import { groupOf, NEITHER_USER_NOR_GROUP, personOf, readScimResource, refreshOf } from './securityEventSubject'

/**
 * SCIM events (RFC 9967): a full event is a SCIM write on the publisher's resource, a notice says only that it changed. Events of
 * the feed and answers to asynchronous requests change nothing.
 */

interface Told {
  readonly type: 'User' | 'Group'
  readonly id: string
}

/** The changes of an event about a User or Group, or what is wrong with its payload. */
type Read = (told: Told, payload: Members) => Result<readonly DirectoryChange[], string>

const resource = ({ type, id }: Told, op: 'put' | 'patch' | 'delete', body: unknown): DirectoryChange =>
  ({ kind: 'resource', type, id, op, body })

/** Section 2.4: a full event has `data`, a notice `attributes`, none has both. */
const full = (op: 'put' | 'patch'): Read => (told, payload) => {
  const data = memberOf(payload, 'data')
  return isMembers(data) && !Object.hasOwn(payload, 'attributes')
    ? ok([resource(told, op, data)])
    : err('The full event has no data, or attributes beside it.')
}

const notice: Read = (_told, payload) =>
  Array.isArray(memberOf(payload, 'attributes')) && !Object.hasOwn(payload, 'data')
    ? ok([])
    : err('The notice has no list of attributes, or data beside it.')

/** Drafts told full from notice by the payload alone. */
const either = (op: 'put' | 'patch'): Read => (told, payload) =>
  (Object.hasOwn(payload, 'data') ? full(op) : notice)(told, payload)

const remove: Read = (told) => ok([resource(told, 'delete', null)])

const setActive = (active: boolean): Read => (told) =>
  told.type === 'User'
    ? ok([{ kind: 'active', who: { id: told.id, userName: null }, active }])
    : err('A Group is neither active nor inactive.')

const onlyTold: Read = () => ok([])

const EVENTS: Readonly<Record<string, Read>> = {
  'feed:add': onlyTold,
  'feed:remove': onlyTold,
  'prov:create:full': full('put'),
  'prov:put:full': full('put'),
  'prov:patch:full': full('patch'),
  'prov:create:notice': notice,
  'prov:put:notice': notice,
  'prov:patch:notice': notice,
  'prov:create': either('put'),
  'prov:put': either('put'),
  'prov:patch': either('patch'),
  'prov:delete': remove,
  'prov:activate': setActive(true),
  'prov:deactivate': setActive(false),
}

/** The name of the RFC, and the two of its drafts. */
const PREFIXES = ['urn:ietf:params:scim:event:', 'urn:ietf:params:event:scim:']

const ruleOf =
  (read: Read): Rule =>
  ({ subject, payload }) => {
    if (!isMembers(subject) || memberOf(subject, 'format') !== 'scim') {
      return invalidRequest('The subject of a SCIM event (sub_id) must be of the format scim.')
    }
    const resource = readScimResource(subject)
    if (!resource.ok) return invalidRequest(resource.error)
    const { type, id } = resource.value
    if (type === null) return ok({ about: [], ignored: NEITHER_USER_NOR_GROUP })
    const changes = read({ type, id }, payload)
    if (!changes.ok) return invalidRequest(changes.error)
    const about = refreshOf(type === 'User' ? personOf(id, null) : groupOf(id))
    return ok(changes.value.length > 0 ? { about, changes: changes.value } : { about, refresh: about })
  }

const answerToAsynchronous: Rule = () =>
  ok({ about: [], ignored: 'The answer to an asynchronous request, of which the bridge makes none.' })

/** By event type in lower case: one draft wrote `SCIM`, which the RFC writes `scim`. */
export const SCIM_RULES: ReadonlyMap<string, Rule> = new Map(
  PREFIXES.flatMap((prefix): [string, Rule][] => [
    ...Object.entries(EVENTS).map(([name, read]): [string, Rule] => [prefix + name, ruleOf(read)]),
    [`${prefix}misc:asyncresp`, answerToAsynchronous],
  ]),
)
