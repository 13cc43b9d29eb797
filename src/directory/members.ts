import type { MemberOperation } from '../scim/patch'
import type { Row, Store } from './sql'
import { markMembers, markUsers } from './subjects'

/**
 * Who is in a group, as rows. A request's member operations are folded into one edit, the edit is compared with the rows
 * in SQL (the list of a large group is never read to change it), and only the difference is written.
 */

/** Ids in one bound value, and rows in one answer: 10,000 ids stay below 1 MB. */
const CHUNK = 10_000

/** What a sequence of operations comes down to: keep who is there or start from nobody, less `minus`, and `plus`. */
export interface MemberEdit {
  readonly keeps: boolean
  readonly plus: ReadonlySet<string>
  readonly minus: ReadonlySet<string>
}

/** The difference that an edit makes to the rows. */
export interface MemberChange {
  /** Users who are not members yet. */
  readonly added: readonly string[]
  readonly removed: {
    readonly count: number
    /** All of them, or the first 100 when `everyone` goes. */
    readonly ids: readonly string[]
    readonly everyone: boolean
  }
  /** Ids that cannot be members: groups, and ids that no user of this connection has. */
  readonly skipped: readonly string[]
}

export const NO_MEMBER_CHANGE: MemberChange = { added: [], removed: { count: 0, ids: [], everyone: false }, skipped: [] }

export const changesMembers = (change: MemberChange): boolean => change.added.length > 0 || change.removed.count > 0

/** Folds operations, applied in their order, into one edit. An id that is added and removed again leaves no trace. */
export const foldMembers = (operations: readonly MemberOperation[]): MemberEdit => {
  let keeps = true
  const plus = new Set<string>()
  const minus = new Set<string>()
  for (const operation of operations) {
    if (operation.op === 'clear' || operation.op === 'replace') {
      keeps = false
      plus.clear()
      minus.clear()
    }
    if (operation.op === 'remove') {
      for (const id of operation.values) {
        plus.delete(id)
        if (keeps) minus.add(id)
      }
    } else if (operation.op !== 'clear') {
      for (const { value } of operation.members) {
        minus.delete(value)
        plus.add(value)
      }
    }
  }
  return { keeps, plus, minus }
}

const chunksOf = (ids: readonly string[]): string[][] => {
  const chunks: string[][] = []
  for (let start = 0; start < ids.length; start += CHUNK) chunks.push(ids.slice(start, start + CHUNK))
  return chunks
}

/** Ids that we gave out look like this. Others are unknown without asking, and could make a bound value too large. */
const couldBeOurs = (id: string): boolean => /^[\w-]{1,64}$/.test(id)

const idsOf = (json: string): string[] => (JSON.parse(json) as unknown[]).filter((id) => typeof id === 'string')

interface Candidates {
  readonly known: string[]
  readonly added: string[]
}

const candidatesOf = ({ sql }: Pick<Store, 'sql'>, connectionId: string, groupId: string, ids: readonly string[]): Candidates => {
  const found: Candidates = { known: [], added: [] }
  for (const chunk of chunksOf(ids)) {
    const row = sql.one<{ known: string; added: string }>(
      `SELECT json_group_array(j.value) AS known, json_group_array(j.value) FILTER (WHERE m.member_id IS NULL) AS added
       FROM json_each(?) j CROSS JOIN users u ON u.id = j.value AND u.connection_id = ?
       LEFT JOIN members m ON m.group_id = ? AND m.member_id = j.value`,
      JSON.stringify(chunk), connectionId, groupId)
    if (row === null) continue
    for (const id of idsOf(row.known)) found.known.push(id)
    for (const id of idsOf(row.added)) found.added.push(id)
  }
  return found
}

const presentAmong = ({ sql }: Pick<Store, 'sql'>, groupId: string, ids: readonly string[]): string[] =>
  chunksOf(ids).flatMap((chunk) =>
    idsOf(
      sql.one<{ ids: string }>(
        `SELECT json_group_array(m.member_id) AS ids
         FROM json_each(?) j CROSS JOIN members m ON m.group_id = ? AND m.member_id = j.value`,
        JSON.stringify(chunk), groupId)?.ids ?? '[]'))

/** After every id of ours, in the order of SQLite's bytes. */
const LAST = '\u{10FFFF}'

/**
 * Members that are not in `known`. The ids are sorted and cut, and each cut answers for the stretch of the table between
 * its first id and the next cut's: the difference is made by SQLite without any value above 1 MB.
 */
const presentOutside = ({ sql }: Pick<Store, 'sql'>, groupId: string, known: readonly string[]): string[] => {
  const cuts = chunksOf(known.toSorted())
  const outside: string[] = []
  cuts.forEach((cut, index) => {
    const kept = JSON.stringify(cut)
    const before = cuts[index + 1]?.[0] ?? LAST
    let from = index === 0 ? '' : (cut[0] ?? '')
    for (;;) {
      const page = sql.one<{ ids: string; last: string | null; n: number }>(
        `SELECT json_group_array(member_id) AS ids, max(member_id) AS last, count(*) AS n FROM (
           SELECT member_id FROM members WHERE group_id = ? AND member_id > ? AND member_id < ?
           AND member_id NOT IN (SELECT value FROM json_each(?)) ORDER BY member_id LIMIT ${CHUNK})`,
        groupId, from, before, kept)
      if (page === null || page.last === null) return
      for (const id of idsOf(page.ids)) outside.push(id)
      if (page.n < CHUNK) return
      from = page.last
    }
  })
  return outside
}

export const everyoneIn = ({ sql }: Pick<Store, 'sql'>, groupId: string): MemberChange['removed'] => {
  const count = sql.one<{ n: number }>(`SELECT count(*) AS n FROM members WHERE group_id = ?`, groupId)?.n ?? 0
  const first = sql.rows<{ id: string }>(
    `SELECT member_id AS id FROM members WHERE group_id = ? ORDER BY member_id LIMIT 100`, groupId)
  return { count, ids: first.map((row) => row.id), everyone: count > 0 }
}

const listed = (ids: readonly string[]): MemberChange['removed'] => ({ count: ids.length, ids, everyone: false })

/** Compares an edit with the rows. Reads only. */
export const compareMembers = (store: Store, connectionId: string, groupId: string, edit: MemberEdit): MemberChange => {
  const { known, added } = candidatesOf(store, connectionId, groupId, [...edit.plus].filter(couldBeOurs))
  const knownSet = new Set(known)
  const skipped = [...edit.plus].filter((id) => !knownSet.has(id))
  if (edit.keeps) {
    return { added, skipped, removed: listed(presentAmong(store, groupId, [...edit.minus].filter(couldBeOurs))) }
  }
  const removed = known.length === 0 ? everyoneIn(store, groupId) : listed(presentOutside(store, groupId, known))
  return { added, skipped, removed }
}

const isEmpty = ({ sql }: Pick<Store, 'sql'>, groupId: string): boolean =>
  sql.one(`SELECT 1 AS one FROM members WHERE group_id = ? LIMIT 1`, groupId) === null

/**
 * Writes the difference and marks the subjects of everybody concerned. A group that ends up empty is often filled again at
 * once, so its people wait longer (design section 7, Timing).
 */
export const writeMembers = (store: Store, groupId: string, { added, removed }: MemberChange): void => {
  const { sql } = store
  if (removed.everyone) {
    markMembers(store, groupId, 'emptied')
    sql.run(`DELETE FROM members WHERE group_id = ?`, groupId)
  } else if (removed.count > 0) {
    for (const chunk of chunksOf(removed.ids)) {
      sql.run(
        `DELETE FROM members WHERE group_id = ? AND member_id IN (SELECT value FROM json_each(?))`,
        groupId, JSON.stringify(chunk))
    }
    markUsers(store, removed.ids, added.length === 0 && isEmpty(store, groupId) ? 'emptied' : 'quiet')
  }
  for (const chunk of chunksOf(added)) {
    sql.run(
      `INSERT INTO members (group_id, member_id, type) SELECT ?, value, 'User' FROM json_each(?)`,
      groupId, JSON.stringify(chunk))
  }
  if (added.length > 0) markUsers(store, added, 'quiet')
}

/** The ids of a group's members, in chunks, in the order of the ids. */
export function* memberIds({ sql }: Pick<Store, 'sql'>, groupId: string): Generator<readonly string[]> {
  let from = ''
  for (;;) {
    const page = sql.one<{ ids: string; last: string | null; n: number }>(
      `SELECT json_group_array(member_id) AS ids, max(member_id) AS last, count(*) AS n
       FROM (SELECT member_id FROM members WHERE group_id = ? AND member_id > ? ORDER BY member_id LIMIT ${CHUNK})`,
      groupId, from)
    if (page === null || page.last === null) return
    yield idsOf(page.ids)
    if (page.n < CHUNK) return
    from = page.last
  }
}

interface UserGroupRow extends Row {
  user: string
  id: string
  name: string
}

export interface UserGroup {
  readonly id: string
  readonly displayName: string
}

/** The groups of at most a page of users, by one statement: user id → groups, oldest group first. */
export const groupsOfUsers = ({ sql }: Pick<Store, 'sql'>, userIds: readonly string[]): ReadonlyMap<string, readonly UserGroup[]> => {
  const groups = new Map<string, UserGroup[]>(userIds.map((id) => [id, []]))
  if (userIds.length === 0) return groups
  const rows = sql.rows<UserGroupRow>(
    `SELECT m.member_id AS user, g.id AS id, g.display_name AS name
     FROM json_each(?) j CROSS JOIN members m ON m.member_id = j.value CROSS JOIN groups g ON g.id = m.group_id ORDER BY g.seq`,
    JSON.stringify(userIds))
  for (const row of rows) groups.get(row.user)?.push({ id: row.id, displayName: row.name })
  return groups
}
