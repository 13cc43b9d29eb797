import type { GroupRef } from '../change'
import { foldMembers } from './members'
import { ok, type Result } from '../result'
import type { ScimError } from '../scim/error'
import { readGroup, replaceGroup } from '../scim/resource'
import { foldText } from '../scim/text'
import { changeGroup, createGroup, deleteGroup, findGroup, type StoredGroup } from './groups'
import type { ScimContext } from './scimCommand'
import type { Row } from './sql'
import { memberKey, statementOf, takeStatement } from './statements'
import { effectOf, type Effect, type Telling } from './toldEffect'

/**
 * What events say of groups, by the provider's ids in `externalId`. Names are unique within a connection, and events come in any
 * order: a group whose name another one still has waits for it under the name with its id.
 */

export const ownGroup = (context: ScimContext, id: string): StoredGroup | null => {
  const row = context.store.sql.one<{ id: string }>(
    `SELECT id FROM groups WHERE connection_id = ? AND external_id = ? ORDER BY seq LIMIT 1`, context.connection.id, id)
  return row === null ? null : findGroup(context, row.id)
}

/** Whether the group was deleted then or later: what is said of it is over. */
export const isGone = ({ context: { store, connection }, at }: Telling, id: string): boolean =>
  (statementOf(store, connection.id, `gone ${id}`)?.at ?? -Infinity) >= at

/** The group that the event means, by the name that it has there if that is the newest. Null when it has no name and is not known. */
export const groupFor = (telling: Telling, { id, displayName }: GroupRef): Result<StoredGroup, ScimError> | null => {
  const { context, at } = telling
  const own = ownGroup(context, id)
  if (displayName === null) return own === null ? null : ok(own)
  const isNews = takeStatement(context.store, context.connection.id, `group ${id}`, at, true)
  if (own !== null) return isNews ? nameGroup(context, own, displayName) : ok(own)
  const group = readGroup({ displayName: nameFor(context, id, displayName), externalId: id })
  return group.ok ? createGroup(context, group.value.group, foldMembers([])) : group
}

export const tellGroup = (telling: Telling, group: { readonly id: string; readonly displayName: string }): Effect => {
  const { context: { store, connection }, at } = telling
  const newest = statementOf(store, connection.id, `group ${group.id}`)
  if (isGone(telling, group.id) || (newest !== null && newest.at > at)) return 'older'
  const stored = groupFor(telling, group)
  return stored === null ? 'unknown' : effectOf(stored)
}

export const tellGroupGone = (telling: Telling, { id }: GroupRef): Effect => {
  const { context, at } = telling
  const { store, connection } = context
  if (!takeStatement(store, connection.id, `gone ${id}`, at, false)) return 'older'
  const own = ownGroup(context, id)
  if (own === null) return 'unknown'
  const isBack = (statementOf(store, connection.id, `group ${id}`)?.at ?? -Infinity) > at
  if (isBack) return effectOf(removeFormerMembers(telling, id, own))
  deleteGroup(context, own)
  return effectOf(giveAway(context, own.group.displayName))
}

/** A group that has come back under its id: who was in it before it went is not in it for that. */
const removeFormerMembers = ({ context, at }: Telling, id: string, own: StoredGroup): Result<unknown, ScimError> => {
  const { store, connection } = context
  const values = store.sql
    .rows<{ id: string; external_id: string | null; user_name: string }>(
      `SELECT u.id, u.external_id, u.user_name FROM group_members m JOIN users u ON u.seq = m.user_seq WHERE m.group_seq = ?`, own.seq)
    .filter((user) => (statementOf(store, connection.id, memberKey(id, { id: user.external_id, userName: user.user_name }))?.at ?? -Infinity) <= at)
    .map((user) => user.id)
  return changeGroup(context, own, { group: own.group, changed: false, edit: foldMembers([{ op: 'remove', values }]) }, 'scim.patch')
}

const waitingName = (displayName: string, id: string): string => `${displayName} (${id})`

/** The name, or while another group has it, the name with the id. */
export const nameFor = ({ store, connection }: ScimContext, id: string, displayName: string): string => {
  const holder = store.sql.one<{ external_id: string | null }>(
    `SELECT external_id FROM groups WHERE connection_id = ? AND display_name_fold = ?`, connection.id, foldText(displayName))
  return holder === null || holder.external_id === id ? displayName : waitingName(displayName, id)
}

export const nameGroup = (context: ScimContext, stored: StoredGroup, displayName: string): Result<StoredGroup, ScimError> => {
  const { displayName: former, externalId } = stored.group
  const next = replaceGroup(stored.group, { displayName: externalId === undefined ? displayName : nameFor(context, externalId, displayName) })
  if (!next.ok) return next
  const named = changeGroup(context, stored, { group: next.value.group, changed: next.value.changed, edit: null }, 'scim.replace')
  if (!named.ok || foldText(former) === foldText(named.value.group.displayName)) return named
  const given = giveAway(context, former)
  return given.ok ? named : given
}

interface WaitingRow extends Row {
  id: string
  display_name: string
  external_id: string
}

/** Gives a name that nobody has any more to a group that waits for it. One that has it no more by then gives it away again. */
export const giveAway = (context: ScimContext, name: string): Result<unknown, ScimError> => {
  const { store, connection } = context
  const from = `${foldText(name)} (`
  const [first] = store.sql
    .rows<WaitingRow>(
      `SELECT id, display_name, external_id FROM groups
       WHERE connection_id = ? AND display_name_fold >= ? AND display_name_fold < ? AND external_id IS NOT NULL`, connection.id, from, `${foldText(name)} )`)
    .filter((row) => foldText(row.display_name) === foldText(waitingName(name, row.external_id)))
  const stored = first === undefined ? null : findGroup(context, first.id)
  if (first === undefined || stored === null) return ok(undefined)
  return nameGroup(context, stored, first.display_name.slice(0, -` (${first.external_id})`.length))
}
