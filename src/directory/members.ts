import type { MemberOperation } from '../scim/patch'
import type { Row, Store } from './sql'
import { markMembers, markUsersAt } from './subjects'

/**
 * Who is in a group, as rows. A request's member operations are folded into one edit, the edit is compared with the rows
 * in SQL (the list of a large group is never read to change it), and only the difference is written.
 */

/** Ids in one bound value, and rows in one answer: 10,000 ids stay below 1 MB. */
const CHUNK = 10_000

/** As many ids as the journal names. */
const NAMED = 100

/** What a sequence of operations comes down to: keep who is there or start from nobody, less `minus`, and `plus`. */
export interface MemberEdit {
  readonly keeps: boolean
  readonly plus: ReadonlySet<string>
  readonly minus: ReadonlySet<string>
}

/** Some users of a group. */
export interface SomeMembers {
  readonly count: number
  /** The ids of the first 100. */
  readonly ids: readonly string[]
  /** Where their rows are, as JSON lists of at most 10,000 numbers. */
  readonly places: readonly string[]
}

const NOBODY: SomeMembers = { count: 0, ids: [], places: [] }

/** The difference that an edit makes to the rows. */
export interface MemberChange {
  /** Users who are not members yet. */
  readonly added: SomeMembers
  /** Without places when everybody goes. */
  readonly removed: SomeMembers & { readonly everyone: boolean }
  /** Ids that cannot be members: groups, and ids that no user of this connection has. */
  readonly skipped: readonly string[]
}

export const NO_MEMBER_CHANGE: MemberChange = { added: NOBODY, removed: { ...NOBODY, everyone: false }, skipped: [] }

export const changesMembers = (change: MemberChange): boolean => change.added.count > 0 || change.removed.count > 0

/** A group as compared with: its place in its table, and the connection whose users it may have. */
export interface GroupPlace {
  readonly connectionId: string
  readonly seq: number
}

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

const chunksOf = <T>(list: readonly T[]): T[][] => {
  const chunks: T[][] = []
  for (let start = 0; start < list.length; start += CHUNK) chunks.push(list.slice(start, start + CHUNK))
  return chunks
}

/** Ids that we gave out look like this. Others are unknown without asking, and could make a bound value too large. */
const couldBeOurs = (id: string): boolean => /^[\w-]{1,64}$/.test(id)

const idsOf = (json: string): string[] => (JSON.parse(json) as unknown[]).filter((id) => typeof id === 'string')

const placesOf = (json: string): number[] => (JSON.parse(json) as unknown[]).filter((seq) => typeof seq === 'number')

/** What one chunk adds to what others have found. `ids` is read only while the journal can name more. */
const join = (found: SomeMembers, count: number, ids: string, places: string): SomeMembers =>
  count === 0
    ? found
    : {
        count: found.count + count,
        ids: found.ids.length < NAMED ? [...found.ids, ...idsOf(ids)].slice(0, NAMED) : found.ids,
        places: [...found.places, places],
      }

interface Candidates {
  /** The places of all who can be members, as JSON lists. */
  readonly known: readonly string[]
  readonly knownCount: number
  readonly added: SomeMembers
}

/** Finds each user once: its place is all that is needed from then on. */
const candidatesOf = ({ sql }: Pick<Store, 'sql'>, { connectionId, seq }: GroupPlace, ids: readonly string[]): Candidates => {
  let found: Candidates = { known: [], knownCount: 0, added: NOBODY }
  for (const chunk of chunksOf(ids)) {
    const row = sql.one<{ known: string; n: number; ids: string; places: string; added: number }>(
      `SELECT json_group_array(u.seq) AS known, count(*) AS n, json_group_array(u.id) FILTER (WHERE m.user_seq IS NULL) AS ids,
         json_group_array(u.seq) FILTER (WHERE m.user_seq IS NULL) AS places, count(*) FILTER (WHERE m.user_seq IS NULL) AS added
       FROM json_each(?) j CROSS JOIN users u ON u.id = j.value AND u.connection_id = ?
       LEFT JOIN group_members m ON m.group_seq = ? AND m.user_seq = u.seq`,
      JSON.stringify(chunk), connectionId, seq)
    if (row === null) continue
    found = {
      known: [...found.known, row.known],
      knownCount: found.knownCount + row.n,
      added: join(found.added, row.added, row.ids, row.places),
    }
  }
  return found
}

/** Ids that no user of the connection has. */
const unknownAmong = ({ sql }: Pick<Store, 'sql'>, connectionId: string, ids: readonly string[]): string[] => {
  const known = new Set(chunksOf(ids.filter(couldBeOurs)).flatMap((chunk) =>
    idsOf(
      sql.one<{ ids: string }>(
        `SELECT json_group_array(u.id) AS ids FROM json_each(?) j CROSS JOIN users u ON u.id = j.value AND u.connection_id = ?`,
        JSON.stringify(chunk), connectionId)?.ids ?? '[]')))
  return ids.filter((id) => !known.has(id))
}

const presentAmong = ({ sql }: Pick<Store, 'sql'>, { seq }: GroupPlace, ids: readonly string[]): SomeMembers => {
  let found = NOBODY
  for (const chunk of chunksOf(ids)) {
    const row = sql.one<{ n: number; ids: string; places: string }>(
      `SELECT count(*) AS n, json_group_array(u.id) AS ids, json_group_array(u.seq) AS places
       FROM json_each(?) j CROSS JOIN users u ON u.id = j.value CROSS JOIN group_members m ON m.group_seq = ? AND m.user_seq = u.seq`,
      JSON.stringify(chunk), seq)
    if (row !== null) found = join(found, row.n, row.ids, row.places)
  }
  return found
}

/**
 * Members that are not in `known`. The places are sorted and cut, and each cut answers for the stretch of the table between
 * its first place and the next cut's: the difference is made by SQLite without any value above 1 MB.
 */
const presentOutside = ({ sql }: Pick<Store, 'sql'>, { connectionId, seq }: GroupPlace, known: readonly number[]): SomeMembers => {
  const cuts = chunksOf(known.toSorted((a, b) => a - b))
  let outside = NOBODY
  cuts.forEach((cut, index) => {
    const kept = JSON.stringify(cut)
    const before = cuts[index + 1]?.[0] ?? Number.MAX_SAFE_INTEGER
    let from = index === 0 ? 0 : (cut[0] ?? 0)
    for (;;) {
      const page = sql.one<{ ids: string; places: string; last: number | null; n: number }>(
        `SELECT json_group_array(id) AS ids, json_group_array(user_seq) AS places, max(user_seq) AS last, count(*) AS n FROM (
           SELECT m.user_seq AS user_seq, u.id AS id FROM group_members m CROSS JOIN users u INDEXED BY users_connection
             ON u.connection_id = ? AND u.seq = m.user_seq
           WHERE m.group_seq = ? AND m.user_seq > ? AND m.user_seq < ?
           AND m.user_seq NOT IN (SELECT value FROM json_each(?)) ORDER BY m.user_seq LIMIT ${CHUNK})`,
        connectionId, seq, from, before, kept)
      if (page === null || page.last === null) return
      outside = join(outside, page.n, page.ids, page.places)
      if (page.n < CHUNK) return
      from = page.last
    }
  })
  return outside
}

export const everyoneIn = ({ sql }: Pick<Store, 'sql'>, groupSeq: number): MemberChange['removed'] => {
  const count = sql.one<{ n: number }>(`SELECT count(*) AS n FROM group_members WHERE group_seq = ?`, groupSeq)?.n ?? 0
  const first = sql.rows<{ id: string }>(
    `SELECT u.id AS id FROM group_members m CROSS JOIN users u ON u.seq = m.user_seq
     WHERE m.group_seq = ? ORDER BY m.user_seq LIMIT ${NAMED}`, groupSeq)
  return { count, ids: first.map((row) => row.id), places: [], everyone: count > 0 }
}

/** Compares an edit with the rows. Reads only. */
export const compareMembers = (store: Store, group: GroupPlace, edit: MemberEdit): MemberChange => {
  const plus = [...edit.plus]
  const { known, knownCount, added } = candidatesOf(store, group, plus.filter(couldBeOurs))
  const skipped = knownCount === plus.length ? [] : unknownAmong(store, group.connectionId, plus)
  if (edit.keeps) {
    return { added, skipped, removed: { ...presentAmong(store, group, [...edit.minus].filter(couldBeOurs)), everyone: false } }
  }
  const removed = knownCount === 0
    ? everyoneIn(store, group.seq)
    : { ...presentOutside(store, group, known.flatMap(placesOf)), everyone: false }
  return { added, skipped, removed }
}

const isEmpty = ({ sql }: Pick<Store, 'sql'>, groupSeq: number): boolean =>
  sql.one(`SELECT 1 AS one FROM group_members WHERE group_seq = ? LIMIT 1`, groupSeq) === null

/**
 * Writes the difference and marks the subjects of everybody concerned. A group that ends up empty is often filled again at
 * once, so its people wait longer (design section 7, Timing).
 */
export const writeMembers = (store: Store, groupSeq: number, { added, removed }: MemberChange): void => {
  const { sql } = store
  if (removed.everyone) {
    markMembers(store, groupSeq, 'emptied')
    sql.write(`DELETE FROM group_members WHERE group_seq = ?`, groupSeq)
  } else if (removed.count > 0) {
    for (const places of removed.places) {
      sql.write(`DELETE FROM group_members WHERE group_seq = ? AND user_seq IN (SELECT value FROM json_each(?))`, groupSeq, places)
    }
    const mode = added.count === 0 && isEmpty(store, groupSeq) ? 'emptied' : 'quiet'
    for (const places of removed.places) markUsersAt(store, places, mode)
  }
  for (const places of added.places) {
    sql.write(`INSERT INTO group_members (group_seq, user_seq) SELECT ?, value FROM json_each(?)`, groupSeq, places)
    markUsersAt(store, places, 'quiet')
  }
}

/** Takes a user out of every group, unmarked. */
export const removeFromGroups = ({ sql }: Pick<Store, 'sql'>, userId: string): void =>
  sql.write(`DELETE FROM group_members WHERE user_seq = (SELECT seq FROM users WHERE id = ?)`, userId)

/** The ids of a group's members, in chunks, the oldest user first. */
export function* memberIds({ sql }: Pick<Store, 'sql'>, groupId: string): Generator<readonly string[]> {
  const group = sql.one<{ seq: number; connection_id: string }>(`SELECT seq, connection_id FROM groups WHERE id = ?`, groupId)
  if (group === null) return
  let from = 0
  for (;;) {
    const page = sql.one<{ ids: string; last: number | null; n: number }>(
      `SELECT json_group_array(id) AS ids, max(seq) AS last, count(*) AS n FROM (
         SELECT u.id AS id, u.seq AS seq FROM group_members m CROSS JOIN users u INDEXED BY users_connection
           ON u.connection_id = ? AND u.seq = m.user_seq
         WHERE m.group_seq = ? AND m.user_seq > ? ORDER BY m.user_seq LIMIT ${CHUNK})`,
      group.connection_id, group.seq, from)
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
    `SELECT u.id AS user, g.id AS id, g.display_name AS name
     FROM json_each(?) j CROSS JOIN users u ON u.id = j.value CROSS JOIN group_members m ON m.user_seq = u.seq
     CROSS JOIN groups g ON g.seq = m.group_seq ORDER BY g.seq`,
    JSON.stringify(userIds))
  for (const row of rows) groups.get(row.user)?.push({ id: row.id, displayName: row.name })
  return groups
}
