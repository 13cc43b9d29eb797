import type { PersonFacts, PersonRef, Refresh } from '../change'
import { foldAddress, isAddress } from '../scim/address'
import type { Pulled, PulledPerson } from '../sources/source'
import { changeGroup, findGroup } from './groups'
import { foldMembers } from './members'
import { keepPerson, KEPT, type Kept, type NameNow } from './pullNames'
import { applyGroup, deactivate, dropGroup, makeGroup, markFresh, strangersIn } from './pullStaged'
import type { ScimContext } from './scimCommand'
import { findPerson } from './siblings'
import type { Row, Store } from './sql'
import { ownUser } from './told'
import { nameGroup, ownGroup } from './toldGroup'

/**
 * One person, one group or one change as a provider told it when it was asked, written at once. What a pull under way put aside
 * of them is older, and must not come back over it.
 */

const isUnderWay = ({ store, connection }: ScimContext): boolean =>
  store.sql.one(`SELECT 1 AS one FROM pulls WHERE connection_id = ? AND phase <> 'idle'`, connection.id) !== null

const restagePerson = (context: ScimContext, id: string, person: PersonFacts | null, groupIds: readonly string[] | null): void => {
  if (!isUnderWay(context)) return
  const { store, connection } = context
  const { sql } = store
  markFresh(store, connection.id, 'person', id)
  if (person === null) sql.run(`DELETE FROM pulled WHERE connection_id = ? AND kind = 'person' AND parent = '' AND id = ?`, connection.id, id)
  else sql.run(`INSERT OR REPLACE INTO pulled (connection_id, kind, parent, id, data) VALUES (?, 'person', '', ?, ?)`, connection.id, id, JSON.stringify(person))
  if (groupIds === null) return
  markFresh(store, connection.id, 'groups of', id)
  sql.run(`DELETE FROM pulled WHERE connection_id = ? AND kind = 'member' AND id = ?`, connection.id, id)
  sql.run(
    `INSERT OR REPLACE INTO pulled (connection_id, kind, parent, id) SELECT ?, 'member', value, ? FROM json_each(?)`,
    connection.id, id, JSON.stringify(groupIds))
}

const restageGroup = (context: ScimContext, id: string, displayName: string): void => {
  if (!isUnderWay(context)) return
  const { store, connection } = context
  markFresh(store, connection.id, 'group', id)
  store.sql.run(`INSERT OR REPLACE INTO pulled (connection_id, kind, parent, id, data) VALUES (?, 'group', '', ?, ?)`, connection.id, id, displayName)
}

const restageMembership = (context: ScimContext, { kind, groupId, personId }: Extract<Pulled, { groupId: string }>): void => {
  if (!isUnderWay(context)) return
  const { store, connection } = context
  const { sql } = store
  markFresh(store, connection.id, `member ${groupId}`, personId)
  if (kind === 'membership') sql.run(`INSERT OR REPLACE INTO pulled (connection_id, kind, parent, id) VALUES (?, 'member', ?, ?)`, connection.id, groupId, personId)
  else sql.run(`DELETE FROM pulled WHERE connection_id = ? AND kind = 'member' AND parent = ? AND id = ?`, connection.id, groupId, personId)
}

/** Somebody of whom an event had a name only, by the provider's id where the connection knows it: names change. */
export const identify = (context: ScimContext, { id, userName }: PersonRef): PersonRef => {
  if (id !== null) return { id, userName }
  const folded = foldAddress(userName ?? '')
  const { store, connection } = context
  const known = ownUser(context, { id, userName })?.state.externalId
    ?? (isAddress(folded) ? findPerson(store, connection.id, { externalId: null, address: folded })?.external_id : null)
  return { id: known ?? null, userName }
}

/** The provider knows the person no more. */
export const personGone = (context: ScimContext, id: string | null, userName: string | null): void => {
  const own = ownUser(context, { id, userName })
  const providerId = id ?? own?.state.externalId ?? null
  if (providerId !== null) restagePerson(context, providerId, null, [])
  if (own !== null) deactivate(context, own.id)
}

/** A page of the members of one group. The first begins anew. */
export const stageMembers = ({ sql }: Pick<Store, 'sql'>, connectionId: string, groupId: string, ids: readonly string[], isFirst: boolean): void => {
  if (isFirst) sql.run(`DELETE FROM pulled WHERE connection_id = ? AND kind = 'asked' AND parent = ?`, connectionId, groupId)
  sql.run(
    `INSERT OR REPLACE INTO pulled (connection_id, kind, parent, id) SELECT ?, 'asked', ?, value FROM json_each(?)`,
    connectionId, groupId, JSON.stringify(ids))
}

const personOf = (id: string): Refresh => ({ kind: 'person', who: { id, userName: null } })

/** A group whose last page was asked for. Asking about each member who is not known brings the membership with it; a pull under way brings both. */
export const applyAsked = (context: ScimContext, { id, displayName }: { readonly id: string; readonly displayName: string }, asksStrangers: boolean): Kept => {
  const { store, connection } = context
  const { sql } = store
  const { sentence } = applyGroup(context, id, displayName, 'asked')
  const ask = isUnderWay(context) || !asksStrangers ? [] : strangersIn(context, id, 'asked').map(personOf)
  if (isUnderWay(context)) {
    restageGroup(context, id, displayName)
    markFresh(store, connection.id, 'members of', id)
    sql.run(`DELETE FROM pulled WHERE connection_id = ? AND kind = 'member' AND parent = ?`, connection.id, id)
    sql.run(`UPDATE pulled SET kind = 'member' WHERE connection_id = ? AND kind = 'asked' AND parent = ?`, connection.id, id)
  }
  sql.run(`DELETE FROM pulled WHERE connection_id = ? AND kind = 'asked' AND parent = ?`, connection.id, id)
  return { sentence, ask }
}

/** A group that is gone is gone for a pull under way too. */
export const groupGone = (context: ScimContext, id: string): void => {
  const { store, connection } = context
  if (isUnderWay(context)) for (const what of ['group', 'members of'] as const) markFresh(store, connection.id, what, id)
  store.sql.run(`DELETE FROM pulled WHERE connection_id = ? AND (kind IN ('member', 'asked') AND parent = ? OR kind = 'group' AND parent = '' AND id = ?)`, connection.id, id, id)
  const own = ownGroup(context, id)
  if (own !== null) dropGroup(context, own)
}

interface Present extends Row {
  readonly id: string
  readonly external_id: string | null
}

/** One person as the provider tells it, with all groups of the connection that they are in. */
export const applyPerson = (
  context: ScimContext, { person, groups }: PulledPerson, nameNow?: NameNow,
): Kept => {
  const kept = keepPerson(context, person, nameNow)
  const { store, connection } = context
  const own = ownUser(context, { id: person.id, userName: person.userName })
  if (kept.sentence !== null || own === null) return kept
  restagePerson(context, person.id, person, groups.map(({ id }) => id))
  const wanted = new Map(groups.map((group) => [group.id, group.displayName]))
  const present = store.sql.rows<Present>(
    `SELECT g.id AS id, g.external_id AS external_id FROM members m CROSS JOIN groups g ON g.id = m.group_id
     WHERE m.member_id = ? AND g.connection_id = ?`, own.id, connection.id)
  for (const { id, external_id: externalId } of present) {
    if (externalId === null || !wanted.has(externalId)) editMembership(context, id, own.id, false)
    else wanted.delete(externalId)
  }
  const joined = [...wanted].map(([externalId, displayName]) => joinGroup(context, externalId, displayName, own.id))
  return { sentence: joined.find(({ sentence }) => sentence !== null)?.sentence ?? null, ask: joined.flatMap(({ ask }) => ask) }
}

const editMembership = (context: ScimContext, groupId: string, userId: string, member: boolean): Kept => {
  const group = findGroup(context, groupId)
  if (group === null) return KEPT
  const edit = foldMembers([member ? { op: 'add', members: [{ value: userId }] } : { op: 'remove', values: [userId] }])
  const changed = changeGroup(context, group, { group: group.group, changed: false, edit }, 'scim.patch')
  return changed.ok ? KEPT : { ...KEPT, sentence: changed.error.detail }
}

/** A group that nobody knew has others in it too. */
const joinGroup = (context: ScimContext, externalId: string, displayName: string, userId: string): Kept => {
  const own = ownGroup(context, externalId)
  if (own !== null) return editMembership(context, own.id, userId, true)
  const { sentence } = makeGroup(context, externalId, displayName, [userId])
  return { sentence, ask: sentence === null ? [{ kind: 'group', group: { id: externalId, displayName } }] : [] }
}

/** One item of a page of changes: it says what became different, and nothing of the rest. */
export const applyChange = (context: ScimContext, item: Pulled): Kept => {
  switch (item.kind) {
    case 'person': {
      const kept = keepPerson(context, item.person)
      restagePerson(context, item.person.id, item.person, null)
      return kept
    }
    case 'personGone':
      personGone(context, item.id, null)
      return KEPT
    case 'group': {
      const { id, displayName } = item.group
      const own = ownGroup(context, id)
      restageGroup(context, id, displayName)
      if (own === null) return makeGroup(context, id, displayName, [])
      const named = nameGroup(context, own, displayName)
      return named.ok ? KEPT : { ...KEPT, sentence: named.error.detail }
    }
    case 'groupGone':
      groupGone(context, item.id)
      return KEPT
    case 'membership':
    case 'membershipGone': {
      restageMembership(context, item)
      const group = ownGroup(context, item.groupId)
      const user = ownUser(context, { id: item.personId, userName: null })
      if (group !== null && user !== null) return editMembership(context, group.id, user.id, item.kind === 'membership')
      // Whoever is told of in a group before they are told of at all: the person brings the membership, and the group its members.
      if (item.kind === 'membershipGone') return KEPT
      return { ...KEPT, ask: [...(user === null ? [personOf(item.personId)] : []), ...(group === null ? [{ kind: 'group' as const, group: { id: item.groupId, displayName: null } }] : [])] }
    }
  }
}
