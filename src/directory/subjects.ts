import type { Bind, Row, Store } from './sql'

/**
 * The reconciler's queue: which subjects have to be looked at, and when. Marks never say what to do. A mark raises the
 * generation, so that a subject that changes while it is being reconciled stays due (design section 7).
 */

/** Milliseconds of quiet after the last change before a subject is planned, and the longest it can be put off. */
export const QUIET_MS = 2_000
export const LONGEST_QUIET_MS = 15_000

/**
 * `quiet`: after a quiet moment. `emptied`: an emptied, deleted or renamed group, which providers often fill again at
 * once: 15 s. `now`: at once, in its turn. `sweep`: everybody is looked at again after a change of the rules, behind whoever
 * has a change of their own, and never before a quiet time that still runs.
 */
export type MarkMode = 'quiet' | 'emptied' | 'now' | 'sweep'

/** Priorities: 0 leavers, 1 whoever has a change of their own, 2 whoever is only looked at again. */
export const SWEPT = 2

/** Why the mark was made, where the brake treats it differently whatever the number of people. */
export type MarkCause = 'rename'

/** What becomes of a subject beside its mark. `t.what` is a value of its own; of two settings of one column the last one counts. */
interface Turn {
  readonly columns: string
  readonly values: string
  readonly priority: number | null
  readonly sets: string
}

const NO_TURN: Turn = { columns: '', values: '', priority: null, sets: '' }

/** Somebody counts at the address: nobody has left any more. Keys that are asked for by name are revoked all the same. */
const ARRIVAL: Turn = {
  columns: ', holder',
  values: ', t.what',
  priority: null,
  sets: `, holder = excluded.holder, leaver = NULL, renamed_to = NULL, renamed_user = NULL, priority = 1,
    keys_due = CASE WHEN keys_due >= 2 THEN keys_due ELSE 0 END`,
}

/** Nobody counts any more. */
const DEPARTURE: Turn = {
  columns: ', leaver, keys_due',
  values: ', t.what, 1',
  priority: 0,
  sets: `, leaver = excluded.leaver, priority = 0, due = excluded.changed, keys_due = max(keys_due, 1), wait_until = NULL`,
}

/** One statement per mode and kind of selection: times are bound, so that SQLite compiles each once. An address that is selected twice is marked twice. */
const markStatement = (addresses: string, mode: MarkMode, turn: Turn = NO_TURN): string => `
  INSERT INTO subjects (address, due, marked, changed, wait_until, cause, generation, state, priority${turn.columns})
  SELECT a.address, t.first, t.at, t.at, t.wait_until, t.cause, 1, 'due', ${turn.priority ?? (mode === 'sweep' ? SWEPT : 1)}${turn.values}
  FROM (SELECT ? AS at, ? AS first, ? AS wait_until, ? AS cause, ? AS what) t CROSS JOIN (${addresses}) a WHERE a.address IS NOT NULL
  ON CONFLICT (address) DO UPDATE SET
    generation = generation + 1,
    attempts = 0,
    state = 'due',
    scanned = NULL,
    marked = coalesce(marked, excluded.marked),
    changed = ${mode === 'sweep' ? 'changed' : 'excluded.changed'},
    priority = CASE WHEN priority = 0 THEN 0 ${mode === 'sweep' ? `WHEN state <> 'due' OR priority = ${SWEPT} THEN ${SWEPT}` : ''} ELSE 1 END,
    wait_until = max(coalesce(wait_until, 0), coalesce(excluded.wait_until, 0)),
    cause = coalesce(excluded.cause, cause),
    due = CASE WHEN priority = 0 THEN excluded.changed ELSE ${DUE_BY_MODE[mode]} END${turn.sets}`

const QUIET = `max(
  min(excluded.changed + ${QUIET_MS}, coalesce(marked, excluded.changed) + ${LONGEST_QUIET_MS}),
  coalesce(wait_until, 0), coalesce(excluded.wait_until, 0))`

const DUE_BY_MODE: Readonly<Record<MarkMode, string>> = {
  now: 'excluded.changed',
  quiet: QUIET,
  emptied: QUIET,
  sweep: `max(coalesce(CASE WHEN state = 'due' THEN due END, excluded.changed), coalesce(wait_until, 0))`,
}

const mark = (
  { sql, now }: Pick<Store, 'sql' | 'now'>,
  addresses: string,
  values: readonly Bind[],
  mode: MarkMode,
  cause: MarkCause | null,
  turn?: Turn,
  what: string | null = null,
): void => {
  const at = now()
  const waitUntil = mode === 'emptied' ? at + LONGEST_QUIET_MS : null
  const first = mode === 'quiet' ? at + QUIET_MS : (waitUntil ?? at)
  sql.write(markStatement(addresses, mode, turn), at, first, waitUntil, cause, what, ...values)
}

/** Marks the subjects of these users. Users that are held or have no address have none. */
export const markUsers = (store: Store, userIds: readonly string[], mode: MarkMode, cause?: MarkCause): void => {
  for (let start = 0; start < userIds.length; start += 10_000) {
    const slice = JSON.stringify(userIds.slice(start, start + 10_000))
    mark(store, `SELECT u.email AS address FROM json_each(?) j CROSS JOIN users u ON u.id = j.value WHERE u.hold IS NULL`, [slice], mode, cause ?? null)
  }
}

/** As {@link markUsers}, of users whose rows are known: `places` is a JSON list of at most 10,000 of their numbers. */
export const markUsersAt = (store: Store, places: string, mode: MarkMode): void => {
  mark(store, `SELECT u.email AS address FROM json_each(?) j CROSS JOIN users u ON u.seq = j.value WHERE u.hold IS NULL`, [places], mode, null)
}

/** Marks the subjects of all present members of a group. Call it before the rows are deleted. */
export const markMembers = (store: Store, groupSeq: number, mode: MarkMode, cause?: MarkCause): void => {
  mark(
    store,
    `SELECT u.email AS address FROM group_members m CROSS JOIN users u ON u.seq = m.user_seq WHERE m.group_seq = ? AND u.hold IS NULL`,
    [groupSeq], mode, cause ?? null,
  )
}

/** Marks one address, which need not have a row yet. */
export const markAddress = (store: Store, address: string, mode: MarkMode): void => {
  mark(store, `SELECT ? AS address`, [address], mode, null)
}

/** Everybody on a hold. */
export const markHeld = (store: Store, holdId: string): void => {
  mark(store, `SELECT address FROM subjects WHERE hold_id = ?`, [holdId], 'now', null)
}

/** Everybody who has a row of the ledger on the resource, or on anything in it. Call it before the rows are deleted. */
export const markHolders = (store: Store, resource: LedgerColumn): void => {
  mark(store, `SELECT DISTINCT address FROM ledger WHERE ${resource.column} = ?`, [resource.id], 'now', null)
}

/** Which rows of the ledger: those on one resource, or those of a whole organization. */
export interface LedgerColumn {
  readonly column: 'organization_id' | 'resource_id'
  readonly id: string
}

/** Whoever has a grant or a group whose name means nothing in Arize. */
export const markUnresolved = (store: Store): void => {
  mark(store, `SELECT address FROM subjects WHERE awaits_names = 1`, [], 'sweep', null)
}

/** Marks every subject that has a state to lose or gain after a policy or catalogue change, a slice at a time. */
export const markSlice = (store: Store, afterSeq: number, limit: number, policyVersion: number): number | null => {
  const last = store.sql.one<{ seq: number | null; n: number }>(
    `SELECT max(seq) AS seq, count(*) AS n FROM (SELECT seq FROM subjects WHERE seq > ? ORDER BY seq LIMIT ?)`, afterSeq, limit)
  if (last?.seq === null || last === null) return null
  mark(store, `SELECT address FROM subjects WHERE seq > ? AND seq <= ? AND policy_version < ?`, [afterSeq, last.seq, policyVersion], 'sweep', null)
  return last.n < limit ? null : last.seq
}

/** Makes a person without any active user due at once, before everybody else. */
export const markLeaver = (store: Store, address: string, how: 'deactivated' | 'deleted'): void => {
  mark(store, `SELECT ? AS address`, [address], 'now', null, DEPARTURE, how)
}

/** Somebody counts at this address now. `holder` is the whole column (identity.ts). */
export const markArrival = (store: Store, address: string, holder: string | null): void => {
  mark(store, `SELECT ? AS address`, [address], 'quiet', null, ARRIVAL, holder)
}

/** The person's API keys are to be revoked although the person stays: the provider or the policy asked for exactly that. */
export const askToRevokeKeys = (store: Store, address: string): void => {
  markAddress(store, address, 'now')
  store.sql.run(`UPDATE subjects SET keys_due = ${KEYS_ASKED} WHERE address = ?`, address)
}

/** `keys_due`: 0 no, 1 the person left, 2 somebody took the address over, 3 asked for by name. */
export const KEYS_ASKED = 3

export interface SubjectRow extends Row {
  seq: number
  address: string
  holder: string | null
  leaver: 'deactivated' | 'deleted' | null
  renamed_to: string | null
  /** The user that was renamed: only what becomes of them concerns this address. */
  renamed_user: string | null
  identity_hold: string | null
  arize_id: string | null
  arize_role: string | null
  arize_read: number | null
  arize_created: number
  create_intended: number | null
  keys_due: number
  due: number | null
  priority: number
  marked: number | null
  changed: number | null
  wait_until: number | null
  cause: MarkCause | null
  generation: number
  attempts: number
  state: 'in_step' | 'due' | 'held' | 'stuck'
  last_error: string | null
  policy_version: number
  grants: string
  conflicts: string
  withheld: string
  awaits_names: number
  scanned: number | null
  lowers: number
  hold_id: string | null
  held_at: number | null
  held: string | null
  approved: string | null
  removed: number | null
  removed_as: 'mover' | 'leaver' | null
}

export const subjectOf = ({ sql }: Pick<Store, 'sql'>, address: string): SubjectRow | null =>
  sql.one<SubjectRow>(`SELECT * FROM subjects WHERE address = ?`, address)
