import type { PersonFacts } from '../change'
import type { Policy } from '../policy/document'
import type { Pulled, PulledPage } from '../sources/source'
import { writeJournal } from './journal'
import { foldMembers } from './members'
import { changeGroup, createGroup, deleteGroup, findGroup } from './groups'
import { readGroup } from '../scim/resource'
import type { ScimContext } from './scimCommand'
import type { Row, Store } from './sql'
import { ownUser, storePerson } from './told'
import { nameGroup, ownGroup } from './toldGroup'
import { changeUser, findUser } from './users'

/**
 * A pull of everybody, page by page: pages are put aside and applied in slices once the last one is there, so that a pull that
 * is empty, partial or broken off changes nothing (design section 10.5). Everything here is local and repeatable.
 */

const PEOPLE_PER_SLICE = 200

/** Memberships that one transaction compares at most; larger groups take several. */
const GROUPS_PER_SLICE = 20

const nothing = '' as const

/** Puts a page aside. A page that comes twice is there once. */
export const stagePage = ({ sql }: Pick<Store, 'sql'>, connectionId: string, { items }: PulledPage): void => {
  const rows = items.flatMap(stagedRow)
  for (let start = 0; start < rows.length; start += 500) {
    sql.run(
      `INSERT OR REPLACE INTO pulled (connection_id, kind, parent, id, data)
       SELECT ?, value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?)`,
      connectionId, JSON.stringify(rows.slice(start, start + 500)))
  }
}

const stagedRow = (item: Pulled): [string, string, string, string | null][] => {
  switch (item.kind) {
    case 'person': return [['person', nothing, item.person.id, JSON.stringify(item.person)]]
    case 'group': return [['group', nothing, item.group.id, item.group.displayName]]
    case 'membership': return [['member', item.groupId, item.personId, null]]
    default: return []
  }
}

export const clearStaged = ({ sql }: Pick<Store, 'sql'>, connectionId: string): void => {
  sql.run(`DELETE FROM pulled WHERE connection_id = ?`, connectionId)
}

interface Tally {
  readonly people: number
  readonly known: number
  readonly missing: number
}

const tallyOf = ({ sql }: Pick<Store, 'sql'>, connectionId: string): Tally => {
  const people = sql.one<{ n: number }>(`SELECT count(*) AS n FROM pulled WHERE connection_id = ? AND kind = 'person'`, connectionId)?.n ?? 0
  const row = sql.one<{ known: number; missing: number }>(
    `SELECT count(*) AS known, count(*) FILTER (WHERE p.id IS NULL OR p.data ->> 'active' = 0) AS missing
     FROM users u LEFT JOIN pulled p ON p.connection_id = u.connection_id AND p.kind = 'person' AND p.parent = '' AND p.id = u.external_id
     WHERE u.connection_id = ? AND u.active = 1`, connectionId)
  return { people, known: row?.known ?? 0, missing: row?.missing ?? 0 }
}

/** As the brake: this few are never too many to be told apart from a fault. */
const FLOOR = 5

/** Why a pull that reached its last page is not believed, in a sentence; null when it is. */
export const disbelief = (store: Pick<Store, 'sql'>, connectionId: string, { maxLeaversPerHour, maxLeaversPercent }: Policy['brake']): string | null => {
  const { people, known, missing } = tallyOf(store, connectionId)
  if (people === 0 && known > 0) return `The provider listed nobody, although ${known} active users are known: nothing was changed.`
  const isTooMany = missing > maxLeaversPerHour || (missing > FLOOR && missing * 100 > maxLeaversPercent * known)
  if (!isTooMany) return null
  return `The provider listed ${people} people, and ${missing} of the ${known} active users are missing or inactive there, which is more than the brake allows (brake.maxLeaversPerHour ${maxLeaversPerHour}, brake.maxLeaversPercent ${maxLeaversPercent}): nothing was changed.`
}

/** Where an application of staged pages stands: the kind and the last id that is done. */
export type Stage = 'person' | 'group' | 'gone' | 'groupGone'

export interface Progress {
  readonly stage: Stage
  readonly after: string
}

export const FIRST: Progress = { stage: 'person', after: '' }

const NEXT_STAGE: Readonly<Record<Stage, Stage | null>> = { person: 'group', group: 'gone', gone: 'groupGone', groupGone: null }

interface StagedRow extends Row {
  id: string
  data: string | null
}

/** Applies one slice. Returns where to go on, or null when all is done. What cannot be stored is journalled and skipped. */
export const applySlice = (context: ScimContext, progress: Progress): Progress | null => {
  const { stage, after } = progress
  const ids = SLICES[stage](context, after)
  const last = ids.at(-1)
  if (last !== undefined) return { stage, after: last }
  const next = NEXT_STAGE[stage]
  return next === null ? null : { stage: next, after: '' }
}

const staged = ({ store, connection }: ScimContext, kind: string, after: string, limit: number): StagedRow[] =>
  store.sql.rows<StagedRow>(
    `SELECT id, data FROM pulled WHERE connection_id = ? AND kind = ? AND parent = '' AND id > ? ORDER BY id LIMIT ?`, connection.id, kind, after, limit)

const tellSkipped = ({ store, connection, actor }: ScimContext, what: string, id: string, sentence: string): void =>
  writeJournal(store, { kind: 'pull.refused', connectionId: connection.id, actor, data: { what, id: id.slice(0, 200), sentence } })

const applyPeople = (context: ScimContext, after: string): string[] =>
  staged(context, 'person', after, PEOPLE_PER_SLICE).map(({ id, data }) => {
    const stored = storePerson(context, JSON.parse(data ?? 'null') as PersonFacts)
    if (!stored.ok) tellSkipped(context, 'person', id, stored.error.detail)
    return id
  })

const applyGroups = (context: ScimContext, after: string): string[] =>
  staged(context, 'group', after, GROUPS_PER_SLICE).map(({ id, data }) => {
    const sentence = applyGroup(context, id, data ?? id, 'member')
    if (sentence !== null) tellSkipped(context, 'group', id, sentence)
    return id
  })

/** Members that belong to a pull of everybody, and those that were asked for because of one group. */
type MemberKind = 'member' | 'asked'

/** The ids of our users for the members that were put aside for a group. */
const stagedMembers = ({ store, connection }: ScimContext, groupId: string, kind: MemberKind): string[] =>
  store.sql.rows<{ id: string }>(
    `SELECT u.id AS id FROM pulled p CROSS JOIN users u ON u.connection_id = p.connection_id AND u.external_id = p.id
     WHERE p.connection_id = ? AND p.kind = ? AND p.parent = ? ORDER BY u.id`, connection.id, kind, groupId).map((row) => row.id)

/** Makes a group agree with what was put aside for it. Null, or why it could not be stored. */
const applyGroup = (context: ScimContext, id: string, displayName: string, kind: MemberKind): string | null => {
  const members = stagedMembers(context, id, kind).map((value) => ({ value }))
  const own = ownGroup(context, id)
  if (own === null) {
    const group = readGroup({ displayName, externalId: id })
    const made = group.ok ? createGroup(context, group.value.group, foldMembers([{ op: 'add', members }])) : group
    return made.ok ? null : made.error.detail
  }
  const named = nameGroup(context, own, displayName)
  if (!named.ok) return named.error.detail
  const current = findGroup(context, own.id)
  if (current === null) return null
  const changed = changeGroup(context, current, { group: current.group, changed: false, edit: foldMembers([{ op: 'replace', members }]) }, 'scim.replace')
  return changed.ok ? null : changed.error.detail
}

/** Whoever the provider does not list any more is inactive; the user stays, so that a return is a return. */
const applyGone = (context: ScimContext, after: string): string[] => {
  const { store, connection } = context
  const rows = store.sql.rows<{ id: string }>(
    `SELECT u.id AS id FROM users u WHERE u.connection_id = ? AND u.id > ? AND u.active = 1 AND NOT EXISTS (
       SELECT 1 FROM pulled p WHERE p.connection_id = u.connection_id AND p.kind = 'person' AND p.parent = '' AND p.id = u.external_id)
     ORDER BY u.id LIMIT ${PEOPLE_PER_SLICE}`, connection.id, after)
  return rows.map(({ id }) => {
    deactivate(context, id)
    return id
  })
}

const applyGroupsGone = (context: ScimContext, after: string): string[] => {
  const { store, connection } = context
  const rows = store.sql.rows<{ id: string }>(
    `SELECT g.id AS id FROM groups g WHERE g.connection_id = ? AND g.id > ? AND NOT EXISTS (
       SELECT 1 FROM pulled p WHERE p.connection_id = g.connection_id AND p.kind = 'group' AND p.parent = '' AND p.id = g.external_id)
     ORDER BY g.id LIMIT ${GROUPS_PER_SLICE}`, connection.id, after)
  return rows.map(({ id }) => {
    const group = findGroup(context, id)
    if (group !== null) deleteGroup(context, group)
    return id
  })
}

const SLICES: Readonly<Record<Stage, (context: ScimContext, after: string) => string[]>> = {
  person: applyPeople, group: applyGroups, gone: applyGone, groupGone: applyGroupsGone,
}

const deactivate = (context: ScimContext, id: string): void => {
  const user = findUser(context, id)
  if (user === null || !user.user.active) return
  const changed = changeUser(context, user, { ...user.user, active: false }, 'scim.patch')
  if (!changed.ok) tellSkipped(context, 'person', id, changed.error.detail)
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

/** Members whom the connection has no user of: asking about each brings the membership with it. */
export const strangersIn = ({ store, connection }: ScimContext, groupId: string): string[] =>
  store.sql.rows<{ id: string }>(
    `SELECT p.id AS id FROM pulled p WHERE p.connection_id = ? AND p.kind = 'asked' AND p.parent = ? AND NOT EXISTS (
       SELECT 1 FROM users u WHERE u.connection_id = p.connection_id AND u.external_id = p.id)`, connection.id, groupId).map((row) => row.id)

/** A group whose last page was asked for. What a pull under way put aside for it is older. */
export const applyAsked = (context: ScimContext, { id, displayName }: { readonly id: string; readonly displayName: string }): string | null => {
  const { store: { sql }, connection } = context
  const sentence = applyGroup(context, id, displayName, 'asked')
  if (isUnderWay(context)) {
    sql.run(`DELETE FROM pulled WHERE connection_id = ? AND kind = 'member' AND parent = ?`, connection.id, id)
    sql.run(`INSERT OR REPLACE INTO pulled (connection_id, kind, parent, id, data) VALUES (?, 'group', '', ?, ?)`, connection.id, id, displayName)
    sql.run(`UPDATE pulled SET kind = 'member' WHERE connection_id = ? AND kind = 'asked' AND parent = ?`, connection.id, id)
  }
  sql.run(`DELETE FROM pulled WHERE connection_id = ? AND kind = 'asked' AND parent = ?`, connection.id, id)
  return sentence
}

/** A group that is gone is gone for a pull under way too. */
export const groupGone = (context: ScimContext, id: string): void => {
  const { store: { sql }, connection } = context
  sql.run(`DELETE FROM pulled WHERE connection_id = ? AND (kind = 'member' AND parent = ? OR kind = 'group' AND parent = '' AND id = ?)`, connection.id, id, id)
  const own = ownGroup(context, id)
  if (own !== null) deleteGroup(context, own)
}

const isUnderWay = ({ store, connection }: ScimContext): boolean =>
  store.sql.one(`SELECT 1 AS one FROM pulls WHERE connection_id = ? AND phase <> 'idle'`, connection.id) !== null

/** What a pull under way put aside of a person is older than what was asked for now, and must not come back over it. */
const restagePerson = (context: ScimContext, id: string, person: PersonFacts | null, groupIds: readonly string[] | null): void => {
  if (!isUnderWay(context)) return
  const { store: { sql }, connection } = context
  if (person === null) sql.run(`DELETE FROM pulled WHERE connection_id = ? AND kind = 'person' AND parent = '' AND id = ?`, connection.id, id)
  else sql.run(`INSERT OR REPLACE INTO pulled (connection_id, kind, parent, id, data) VALUES (?, 'person', '', ?, ?)`, connection.id, id, JSON.stringify(person))
  if (groupIds === null) return
  sql.run(`DELETE FROM pulled WHERE connection_id = ? AND kind = 'member' AND id = ?`, connection.id, id)
  sql.run(
    `INSERT OR REPLACE INTO pulled (connection_id, kind, parent, id) SELECT ?, 'member', value, ? FROM json_each(?)`,
    connection.id, id, JSON.stringify(groupIds))
}

/** One person as the provider tells it, with all groups of the connection that they are in. */
export const applyPerson = (
  context: ScimContext, person: PersonFacts, groups: readonly { readonly id: string; readonly displayName: string }[],
): string | null => {
  const stored = storePerson(context, person)
  if (!stored.ok) return stored.error.detail
  restagePerson(context, person.id, person, groups.map(({ id }) => id))
  const { store, connection } = context
  const value = stored.value
  const wanted = new Map(groups.map((group) => [group.id, group.displayName]))
  const present = store.sql.rows<{ id: string; external_id: string | null }>(
    `SELECT g.id AS id, g.external_id AS external_id FROM members m CROSS JOIN groups g ON g.id = m.group_id
     WHERE m.member_id = ? AND g.connection_id = ?`, value, connection.id)
  for (const { id, external_id: externalId } of present) {
    if (externalId === null || !wanted.has(externalId)) editMembership(context, id, value, false)
    else wanted.delete(externalId)
  }
  const sentences = [...wanted].flatMap(([externalId, displayName]) => joinGroup(context, externalId, displayName, value) ?? [])
  return sentences[0] ?? null
}

const editMembership = (context: ScimContext, groupId: string, userId: string, member: boolean): string | null => {
  const group = findGroup(context, groupId)
  if (group === null) return null
  const edit = foldMembers([member ? { op: 'add', members: [{ value: userId }] } : { op: 'remove', values: [userId] }])
  const changed = changeGroup(context, group, { group: group.group, changed: false, edit }, 'scim.patch')
  return changed.ok ? null : changed.error.detail
}

const joinGroup = (context: ScimContext, externalId: string, displayName: string, userId: string): string | null => {
  const own = ownGroup(context, externalId)
  if (own !== null) return editMembership(context, own.id, userId, true)
  const group = readGroup({ displayName, externalId })
  const made = group.ok ? createGroup(context, group.value.group, foldMembers([{ op: 'add', members: [{ value: userId }] }])) : group
  return made.ok ? null : made.error.detail
}

const restageMembership = (context: ScimContext, { kind, groupId, personId }: Extract<Pulled, { groupId: string }>): void => {
  if (!isUnderWay(context)) return
  const { store: { sql }, connection } = context
  if (kind === 'membership') sql.run(`INSERT OR REPLACE INTO pulled (connection_id, kind, parent, id) VALUES (?, 'member', ?, ?)`, connection.id, groupId, personId)
  else sql.run(`DELETE FROM pulled WHERE connection_id = ? AND kind = 'member' AND parent = ? AND id = ?`, connection.id, groupId, personId)
}

/** One item of a page of changes, written at once: it says what became different, and nothing of the rest. */
export const applyChange = (context: ScimContext, item: Pulled): string | null => {
  switch (item.kind) {
    case 'person': {
      const stored = storePerson(context, item.person)
      restagePerson(context, item.person.id, item.person, null)
      return stored.ok ? null : stored.error.detail
    }
    case 'personGone':
      personGone(context, item.id, null)
      return null
    case 'group': {
      const own = ownGroup(context, item.group.id)
      if (own === null) return applyGroup(context, item.group.id, item.group.displayName, 'asked')
      const named = nameGroup(context, own, item.group.displayName)
      return named.ok ? null : named.error.detail
    }
    case 'groupGone':
      groupGone(context, item.id)
      return null
    case 'membership':
    case 'membershipGone': {
      const group = ownGroup(context, item.groupId)
      const user = ownUser(context, { id: item.personId, userName: null })
      restageMembership(context, item)
      return group === null || user === null ? null : editMembership(context, group.id, user.id, item.kind === 'membership')
    }
  }
}
