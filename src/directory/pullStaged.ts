import type { PersonFacts, Refresh } from '../change'
import type { Policy } from '../policy/document'
import { readGroup } from '../scim/resource'
import type { Pulled, PulledPage } from '../sources/source'
import { changeGroup, createGroup, deleteGroup, findGroup, type StoredGroup } from './groups'
import { writeJournal } from './journal'
import { foldMembers } from './members'
import { keepPerson, KEPT, type Kept, type NameNow } from './pullNames'
import type { ScimContext } from './scimCommand'
import type { Row, Store } from './sql'
import { giveAway, nameFor, nameGroup, ownGroup } from './toldGroup'
import { changeUser, findUser } from './users'

/**
 * A pull of everybody, page by page: pages are put aside and applied in slices once the last one is there, so that a pull that
 * is empty, partial or broken off changes nothing (design section 10.5). Everything here is local and repeatable.
 */

const PEOPLE_PER_SLICE = 200

const GROUPS_PER_SLICE = 20

/** Memberships that one transaction compares, unless a single group has more. */
const MEMBERS_PER_SLICE = 20_000

const nothing = '' as const

/** Puts a page aside. A page that comes twice is there once; what a later page takes back is not there. */
export const stagePage = (store: Pick<Store, 'sql'>, connectionId: string, { items }: PulledPage): void => {
  const rows: StagedItem[] = []
  const stageRows = (): void => stage(store, connectionId, rows.splice(0))
  for (const item of items) {
    const row = stagedRow(item)
    if (row !== null) rows.push(row)
    else {
      stageRows()
      unstage(store, connectionId, item)
    }
    if (rows.length >= ROWS_PER_STATEMENT) stageRows()
  }
  stageRows()
}

const ROWS_PER_STATEMENT = 500

/** Kind, parent, id and data. */
type StagedItem = readonly [string, string, string, string | null]

const stage = ({ sql }: Pick<Store, 'sql'>, connectionId: string, rows: readonly StagedItem[]): void => {
  if (rows.length === 0) return
  sql.run(
    `INSERT OR REPLACE INTO pulled (connection_id, kind, parent, id, data)
     SELECT ?1, v.kind, v.parent, v.id, v.data
     FROM (SELECT value ->> 0 AS kind, value ->> 1 AS parent, value ->> 2 AS id, value ->> 3 AS data FROM json_each(?2)) v
     WHERE NOT ${isFresh('v.kind', 'v.id')}
       AND NOT (v.kind = 'member' AND (${isFresh(`'groups of'`, 'v.id')} OR ${isFresh(`'members of'`, 'v.parent')} OR ${isFresh(`'member ' || v.parent`, 'v.id')}))`,
    connectionId, JSON.stringify(rows))
}

/** What was asked for since the pull began is newer than any of its pages, also than those that come after: a page may be of an older moment. */
export type Fresh = 'person' | 'group' | 'groups of' | 'members of' | `member ${string}`

export const markFresh = ({ sql }: Pick<Store, 'sql'>, connectionId: string, what: Fresh, id: string): void => {
  sql.run(`INSERT OR IGNORE INTO pulled (connection_id, kind, parent, id) VALUES (?, 'fresh', ?, ?)`, connectionId, what, id)
}

const isFresh = (what: string, id: string): string => `EXISTS (SELECT 1 FROM pulled f WHERE f.connection_id = ?1 AND f.kind = 'fresh' AND f.parent = ${what} AND f.id = ${id})`

const stagedRow = (item: Pulled): StagedItem | null => {
  switch (item.kind) {
    case 'person': return ['person', nothing, item.person.id, JSON.stringify(item.person)]
    case 'group': return ['group', nothing, item.group.id, item.group.displayName]
    case 'membership': return ['member', item.groupId, item.personId, null]
    default: return null
  }
}

const unstage = ({ sql }: Pick<Store, 'sql'>, connectionId: string, item: Pulled): void => {
  if (item.kind === 'personGone') sql.run(`DELETE FROM pulled WHERE connection_id = ? AND kind IN ('person', 'member') AND id = ?`, connectionId, item.id)
  if (item.kind === 'groupGone') {
    sql.run(`DELETE FROM pulled WHERE connection_id = ? AND (kind = 'group' AND parent = '' AND id = ? OR kind = 'member' AND parent = ?)`, connectionId, item.id, item.id)
  }
  if (item.kind === 'membershipGone') sql.run(`DELETE FROM pulled WHERE connection_id = ? AND kind = 'member' AND parent = ? AND id = ?`, connectionId, item.groupId, item.personId)
}

/** What was asked of single groups meanwhile is not a part of the pull. */
export const clearStaged = ({ sql }: Pick<Store, 'sql'>, connectionId: string): void => {
  sql.run(`DELETE FROM pulled WHERE connection_id = ? AND kind IN ('person', 'group', 'member', 'fresh')`, connectionId)
}

interface Tally extends Row {
  readonly people: number
  readonly known: number
  readonly missing: number
  readonly groups: number
  readonly knownGroups: number
  readonly members: number
  readonly knownMembers: number
}

const tallyOf = ({ sql }: Pick<Store, 'sql'>, connectionId: string): Tally => {
  const tally = sql.one<Tally>(
    `SELECT (SELECT count(*) FROM pulled WHERE connection_id = ?1 AND kind = 'person') AS people,
       (SELECT count(*) FROM pulled WHERE connection_id = ?1 AND kind = 'group') AS groups,
       EXISTS (SELECT 1 FROM pulled WHERE connection_id = ?1 AND kind = 'member') AS members,
       (SELECT count(*) FROM groups WHERE connection_id = ?1) AS knownGroups,
       EXISTS (SELECT 1 FROM groups g JOIN group_members m ON m.group_seq = g.seq JOIN users u ON u.seq = m.user_seq
         WHERE g.connection_id = ?1 AND u.active = 1) AS knownMembers,
       count(*) AS known, count(*) FILTER (WHERE p.id IS NULL OR p.data ->> 'active' = 0) AS missing
     FROM users u LEFT JOIN pulled p ON p.connection_id = u.connection_id AND p.kind = 'person' AND p.parent = '' AND p.id = u.external_id
     WHERE u.connection_id = ?1 AND u.active = 1`, connectionId)
  if (tally === null) throw new Error('a count without a row')
  return tally
}

/** As the brake: this few are never too many to be told apart from a fault. */
const FLOOR = 5

/** Why a pull that reached its last page is not believed, in a sentence; null when it is. */
export const disbelief = (store: Pick<Store, 'sql'>, connectionId: string, { maxLeaversPerHour, maxLeaversPercent }: Policy['brake']): string | null => {
  const { people, known, missing, groups, knownGroups, members, knownMembers } = tallyOf(store, connectionId)
  if (people === 0 && known > 0) return `The provider listed nobody, although ${known} active users are known: nothing was changed.`
  const isTooMany = missing > maxLeaversPerHour || (missing > FLOOR && missing * 100 > maxLeaversPercent * known)
  if (isTooMany) {
    return `The provider listed ${people} people, and ${missing} of the ${known} active users are missing or inactive there, which is more than the brake allows (brake.maxLeaversPerHour ${maxLeaversPerHour}, brake.maxLeaversPercent ${maxLeaversPercent}): nothing was changed.`
  }
  if (groups === 0 && knownGroups > 0) return `The provider listed no group, although ${knownGroups} are known: nothing was changed.`
  if (members === 0 && knownMembers > 0) return 'The provider listed groups without anybody in them, although members are known: nothing was changed.'
  return null
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

export interface Applied {
  /** Where to go on, or null when all is done. */
  readonly next: Progress | null
  readonly ask: readonly Refresh[]
}

/** Applies one slice. What cannot be stored is journalled and skipped. `asksStrangers`: whether members whom nobody knows are asked about. */
export const applySlice = (context: ScimContext, { stage: at, after }: Progress, asksStrangers: boolean): Applied => {
  const { ids, ask } = SLICES[at](context, after, asksStrangers)
  const last = ids.at(-1)
  if (last !== undefined) return { next: { stage: at, after: last }, ask }
  const following = NEXT_STAGE[at]
  return { next: following === null ? null : { stage: following, after: '' }, ask }
}

interface Slice {
  readonly ids: readonly string[]
  readonly ask: readonly Refresh[]
}

const staged = ({ store, connection }: ScimContext, kind: string, after: string, limit: number): StagedRow[] =>
  store.sql.rows<StagedRow>(
    `SELECT id, data FROM pulled WHERE connection_id = ? AND kind = ? AND parent = '' AND id > ? ORDER BY id LIMIT ?`, connection.id, kind, after, limit)

const tellSkipped = ({ store, connection, actor }: ScimContext, what: string, id: string, sentence: string): void =>
  writeJournal(store, { kind: 'pull.refused', connectionId: connection.id, actor, data: { what, id: id.slice(0, 200), sentence } })

/** What the pull says of somebody's name: null when it does not list them. */
const stagedNameIn = ({ store, connection }: ScimContext): NameNow => (externalId) =>
  store.sql.one<{ name: string }>(
    `SELECT data ->> 'userName' AS name FROM pulled WHERE connection_id = ? AND kind = 'person' AND parent = '' AND id = ?`, connection.id, externalId)?.name ?? null

const applyPeople = (context: ScimContext, after: string): Slice => {
  const rows = staged(context, 'person', after, PEOPLE_PER_SLICE)
  const stagedName = stagedNameIn(context)
  const ask = rows.flatMap(({ id, data }) => {
    const kept = keepPerson(context, JSON.parse(data ?? 'null') as PersonFacts, stagedName)
    if (kept.sentence !== null) tellSkipped(context, 'person', id, kept.sentence)
    return kept.ask
  })
  return { ids: rows.map(({ id }) => id), ask }
}

const sizeOf = ({ store, connection }: ScimContext, groupId: string): number =>
  store.sql.one<{ n: number }>(`SELECT count(*) AS n FROM pulled WHERE connection_id = ? AND kind = 'member' AND parent = ?`, connection.id, groupId)?.n ?? 0

const applyGroups = (context: ScimContext, after: string, asksStrangers: boolean): Slice => {
  const ids: string[] = []
  const ask: Refresh[] = []
  let members = 0
  for (const { id, data } of staged(context, 'group', after, GROUPS_PER_SLICE)) {
    members += sizeOf(context, id)
    if (ids.length > 0 && members > MEMBERS_PER_SLICE) break
    const { sentence } = applyGroup(context, id, data ?? id, 'member')
    if (sentence !== null) tellSkipped(context, 'group', id, sentence)
    if (asksStrangers) ask.push(...strangersIn(context, id, 'member').map((stranger): Refresh => ({ kind: 'person', who: { id: stranger, userName: null } })))
    ids.push(id)
  }
  return { ids, ask }
}

/** Members that belong to a pull of everybody, and those that were asked for because of one group. */
export type MemberKind = 'member' | 'asked'

/** The ids of our users for the members that were put aside for a group. */
const stagedMembers = ({ store, connection }: ScimContext, groupId: string, kind: MemberKind): string[] =>
  store.sql.rows<{ id: string }>(
    `SELECT u.id AS id FROM pulled p CROSS JOIN users u ON u.connection_id = p.connection_id AND u.external_id = p.id
     WHERE p.connection_id = ? AND p.kind = ? AND p.parent = ? ORDER BY u.id`, connection.id, kind, groupId).map((row) => row.id)

/** Members whom the connection has no user of. */
export const strangersIn = ({ store, connection }: ScimContext, groupId: string, kind: MemberKind): string[] =>
  store.sql.rows<{ id: string }>(
    `SELECT p.id AS id FROM pulled p WHERE p.connection_id = ? AND p.kind = ? AND p.parent = ? AND NOT EXISTS (
       SELECT 1 FROM users u WHERE u.connection_id = p.connection_id AND u.external_id = p.id) LIMIT ${STRANGERS}`,
    connection.id, kind, groupId).map((row) => row.id)

/** More of them are no coincidence, and are found by the next pull. */
const STRANGERS = 1_000

/** A group by its name, or by its name and id while another group has the name. */
export const makeGroup = (context: ScimContext, id: string, displayName: string, memberIds: readonly string[]): Kept => {
  const group = readGroup({ displayName: nameFor(context, id, displayName), externalId: id })
  const made = group.ok ? createGroup(context, group.value.group, foldMembers([{ op: 'add', members: memberIds.map((value) => ({ value })) }])) : group
  return made.ok ? KEPT : { ...KEPT, sentence: made.error.detail }
}

/** Makes a group agree with what was put aside for it. Its members count also where its name cannot be stored. */
export const applyGroup = (context: ScimContext, id: string, displayName: string, kind: MemberKind): Kept => {
  const members = stagedMembers(context, id, kind)
  const own = ownGroup(context, id)
  if (own === null) return makeGroup(context, id, displayName, members)
  const named = nameGroup(context, own, displayName)
  const current = findGroup(context, own.id)
  if (current === null) return KEPT
  const edit = foldMembers([{ op: 'replace', members: members.map((value) => ({ value })) }])
  const changed = changeGroup(context, current, { group: current.group, changed: false, edit }, 'scim.replace')
  const refused = [named, changed].find((done) => !done.ok)
  return refused === undefined || refused.ok ? KEPT : { ...KEPT, sentence: refused.error.detail }
}

/** The name is free for the group that waits for it. */
export const dropGroup = (context: ScimContext, group: StoredGroup): void => {
  deleteGroup(context, group)
  giveAway(context, group.group.displayName)
}

/** Whoever the provider does not list any more is asked about, since pages of different moments may both leave somebody out who moved between them. */
const applyGone = (context: ScimContext, after: string): Slice => {
  const { store, connection } = context
  const rows = store.sql.rows<{ id: string; external_id: string | null }>(
    `SELECT u.id AS id, u.external_id AS external_id FROM users u WHERE u.connection_id = ? AND u.id > ? AND u.active = 1 AND NOT EXISTS (
       SELECT 1 FROM pulled p WHERE p.connection_id = u.connection_id AND p.kind = 'person' AND p.parent = '' AND p.id = u.external_id)
     ORDER BY u.id LIMIT ${PEOPLE_PER_SLICE}`, connection.id, after)
  for (const { id, external_id: externalId } of rows) if (externalId === null) deactivate(context, id)
  const ask = rows.flatMap(({ external_id: id }): Refresh[] => (id === null ? [] : [{ kind: 'person', who: { id, userName: null } }]))
  return { ids: rows.map(({ id }) => id), ask }
}

const applyGroupsGone = (context: ScimContext, after: string): Slice => {
  const { store, connection } = context
  const rows = store.sql.rows<{ id: string }>(
    `SELECT g.id AS id FROM groups g WHERE g.connection_id = ? AND g.id > ? AND NOT EXISTS (
       SELECT 1 FROM pulled p WHERE p.connection_id = g.connection_id AND p.kind = 'group' AND p.parent = '' AND p.id = g.external_id)
     ORDER BY g.id LIMIT ${GROUPS_PER_SLICE}`, connection.id, after)
  for (const { id } of rows) {
    const group = findGroup(context, id)
    if (group !== null) dropGroup(context, group)
  }
  return { ids: rows.map(({ id }) => id), ask: [] }
}

const SLICES: Readonly<Record<Stage, (context: ScimContext, after: string, asksStrangers: boolean) => Slice>> = {
  person: applyPeople, group: applyGroups, gone: applyGone, groupGone: applyGroupsGone,
}

export const deactivate = (context: ScimContext, id: string): void => {
  const user = findUser(context, id)
  if (user === null || !user.user.active) return
  const changed = changeUser(context, user, { ...user.user, active: false }, 'scim.patch')
  if (!changed.ok) tellSkipped(context, 'person', id, changed.error.detail)
}
