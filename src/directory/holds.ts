import { judgeLeavers, judgeMovers, judgeRenamedGroup } from '../reconcile/brake'
import { describeChange, heldKeys } from '../reconcile/plan'
import type { Withheld } from '../reconcile/plan'
import { REVOKE_KEYS, type Clearance, type Verdict } from '../reconcile/store'
import type { Policy } from '../policy/document'
import { err, ok, type Result } from '../result'
import { refuse, type Refusal } from './connections'
import { writeJournal } from './journal'
import type { Row, Store } from './sql'
import { markHeld, subjectOf, type SubjectRow } from './subjects'

/**
 * The brake's memory (design section 10.3): who is counted, what is held, and how a hold ends: by approval of exactly the
 * listed changes, by refusal, or because the directory no longer asks for them. Time alone releases nothing.
 */

const HOUR_MS = 3_600_000

export type HoldKind = 'movers' | 'leavers' | 'rename' | 'last_admin'

export interface Hold {
  readonly id: string
  readonly kind: HoldKind
  readonly state: 'open' | 'approved' | 'refused' | 'ended'
  readonly sentence: string
  /** Rises with every person or change that joins or leaves: an approval can name what it has seen. */
  readonly revision: number
  readonly createdAt: string
  readonly decidedAt: string | null
  readonly actor: string | null
  readonly reason: string | null
  /** The first hundred. `what` is for people, `key` is what an approval means. */
  readonly people: readonly { readonly email: string; readonly changes: readonly { readonly key: string; readonly what: string }[] }[]
  readonly peopleCount: number
}

/** Nobody has judged them yet: approved people and those on a hold are not part of a new burst. */
const FRESH = `approved IS NULL AND hold_id IS NULL`

const CLEARED: Clearance = { isCleared: true, sentence: '' }

const countOf = ({ sql }: Pick<Store, 'sql'>, query: string, ...values: (string | number)[]): number =>
  sql.one<{ n: number }>(query, ...values)?.n ?? 0

/** Everybody who holds a role, and everybody who lost one in the past hour: the base of the limits in percent. Costly. */
export const peopleWithRoles = (store: Pick<Store, 'sql' | 'now'>): number =>
  countOf(store,
    `SELECT count(*) AS n FROM (SELECT address FROM ledger UNION SELECT address FROM subjects WHERE removed_as IS NOT NULL AND removed > ?)`,
    store.now() - HOUR_MS)

/** People who lost a role or were held in the past hour, without those who are counted as due. */
const pastHour = (store: Pick<Store, 'sql' | 'now'>, as: 'mover' | 'leaver'): number => {
  const since = store.now() - HOUR_MS
  const isLeaver = as === 'leaver' ? 'IS NOT NULL' : 'IS NULL'
  return countOf(store,
    `SELECT count(*) AS n FROM (
       SELECT address FROM subjects WHERE removed_as = ? AND removed > ? AND NOT (state = 'due' AND (lowers = 1 OR leaver IS NOT NULL) AND ${FRESH})
       UNION SELECT address FROM subjects WHERE hold_id IS NOT NULL AND held_at > ? AND leaver ${isLeaver})`,
    as, since, since)
}

/** Leavers who are due and have something to lose: roles, or an account with keys. */
const dueLeavers = (store: Pick<Store, 'sql'>): number =>
  countOf(store,
    `SELECT count(*) AS n FROM subjects s WHERE s.priority = 0 AND s.due IS NOT NULL AND s.leaver IS NOT NULL AND s.state = 'due' AND ${FRESH}
       AND ((s.keys_due > 0 AND s.arize_id IS NOT NULL) OR EXISTS (SELECT 1 FROM ledger l WHERE l.address = s.address))`)

const dueMovers = (store: Pick<Store, 'sql'>): number =>
  countOf(store, `SELECT count(*) AS n FROM subjects WHERE lowers = 1 AND leaver IS NULL AND +state = 'due' AND ${FRESH}`)

/** The brake's word on one subject whose plan takes something away. */
export const clearanceOf = (store: Store, address: string, limits: Policy['brake'], base: () => number): Clearance => {
  const row = subjectOf(store, address)
  if (row === null) return CLEARED
  // A rename is never blocked: the new address has its roles by now.
  if (row.renamed_to !== null && row.leaver === null) return CLEARED
  const open = row.hold_id === null ? null : openHold(store, row.hold_id)
  // Somebody who left meanwhile is no mover any more, and the other way round.
  if (open !== null && open.kind !== 'last_admin' && (open.kind === 'leavers') === (row.leaver !== null)) {
    return { isCleared: false, sentence: open.sentence }
  }
  if (row.leaver !== null) return judged(judgeLeavers({ due: Math.max(1, dueLeavers(store)), pastHour: pastHour(store, 'leaver'), peopleWithRoles: base(), limits }))
  store.sql.run(`UPDATE subjects SET lowers = 1 WHERE address = ? AND lowers = 0`, address)
  // At least the subject itself, whose recheck may not be counted as due.
  const due = Math.max(1, dueMovers(store))
  if (row.cause === 'rename') return judged(judgeRenamedGroup({ due }))
  return judged(judgeMovers({ due, pastHour: pastHour(store, 'mover'), peopleWithRoles: base(), limits }))
}

/** The brake's word on a change that is only thought of, by which so many people would lose a role. */
export const foreseeMovers = (store: Store, people: number, limits: Policy['brake']): Clearance =>
  judged(judgeMovers({ due: people + (people === 0 ? 0 : dueMovers(store)), pastHour: pastHour(store, 'mover'), peopleWithRoles: peopleWithRoles(store), limits }))

const judged = (verdict: ReturnType<typeof judgeMovers>): Clearance =>
  verdict.trips ? { isCleared: false, sentence: verdict.sentence } : CLEARED

interface HoldRow extends Row {
  id: string
  kind: HoldKind
  state: Hold['state']
  sentence: string
  revision: number
  created: number
  decided: number | null
  actor: string | null
  reason: string | null
}

const openHold = ({ sql }: Pick<Store, 'sql'>, id: string): HoldRow | null =>
  sql.one<HoldRow>(`SELECT * FROM holds WHERE id = ? AND state = 'open'`, id)

const kindFor = (row: SubjectRow, withheld: readonly Withheld[]): HoldKind => {
  if (row.leaver !== null) return 'leavers'
  if (withheld.every(({ reason }) => reason !== 'brake')) return 'last_admin'
  return row.cause === 'rename' ? 'rename' : 'movers'
}

/** The part of a verdict that a hold is made of. */
type Held = Pick<Verdict, 'withheld' | 'brake' | 'areKeysHeld'>

/** Puts a subject's held changes on the open hold of their kind, or takes the subject off when nothing is held any more. */
export const keepHold = (store: Store, row: SubjectRow, { withheld, brake, areKeysHeld }: Held): void => {
  const { sql, now } = store
  const held = withheld.filter(({ reason }) => reason === 'brake' || reason === 'last_admin')
  const keys = [...heldKeys({ changes: [], withheld: held }), ...(areKeysHeld ? [REVOKE_KEYS] : [])]
  if (keys.length === 0) {
    if (row.hold_id !== null) releaseHold(store, row.address, row.hold_id)
    return
  }
  const kind = kindFor(row, held)
  const sentence = kind === 'last_admin' ? held[0]?.sentence : (brake ?? held[0]?.sentence)
  const id = openHoldOf(store, kind) ?? createHold(store, kind, sentence ?? '')
  const isNew = row.hold_id !== id
  const listed = JSON.stringify(keys)
  if (isNew || listed !== row.held) sql.run(`UPDATE holds SET revision = revision + 1 WHERE id = ?`, id)
  sql.run(`UPDATE subjects SET hold_id = ?, held = ?, held_at = ? WHERE address = ?`, id, listed, isNew ? now() : (row.held_at ?? now()), row.address)
  if (isNew) writeJournal(store, { kind: 'brake.held', subject: row.address, data: { hold: id, kind, changes: keys } })
  if (isNew && row.hold_id !== null) endIfEmpty(store, row.hold_id)
}

const openHoldOf = ({ sql }: Pick<Store, 'sql'>, kind: HoldKind): string | null =>
  sql.one<{ id: string }>(`SELECT id FROM holds WHERE kind = ? AND state = 'open' ORDER BY created LIMIT 1`, kind)?.id ?? null

const createHold = (store: Store, kind: HoldKind, sentence: string): string => {
  const id = store.newId()
  store.sql.run(`INSERT INTO holds (id, kind, state, sentence, created) VALUES (?, ?, 'open', ?, ?)`, id, kind, sentence, store.now())
  return id
}

const releaseHold = (store: Store, address: string, holdId: string): void => {
  store.sql.run(`UPDATE subjects SET hold_id = NULL, held = NULL, held_at = NULL WHERE address = ?`, address)
  store.sql.run(`UPDATE holds SET revision = revision + 1 WHERE id = ?`, holdId)
  endIfEmpty(store, holdId)
}

const endIfEmpty = (store: Store, holdId: string): void => {
  const { sql, now } = store
  if (sql.one(`SELECT 1 AS one FROM subjects WHERE hold_id = ? LIMIT 1`, holdId) !== null) return
  if (sql.run(`UPDATE holds SET state = 'ended', decided = ? WHERE id = ? AND state = 'open'`, now(), holdId) > 0) {
    writeJournal(store, { kind: 'brake.ended', data: { hold: holdId, reason: 'The directory no longer asks for these changes.' } })
  }
}

/** The newest holds first, each with at most 100 of its people. */
export const listHolds = (store: Pick<Store, 'sql'>, limit = 100): Hold[] =>
  store.sql.rows<HoldRow>(`SELECT * FROM holds ORDER BY state = 'open' DESC, created DESC LIMIT ?`, limit).map((row) => holdOf(store, row))

const holdOf = ({ sql }: Pick<Store, 'sql'>, row: HoldRow): Hold => ({
  id: row.id, kind: row.kind, state: row.state, sentence: row.sentence, revision: row.revision, createdAt: new Date(row.created).toISOString(),
  decidedAt: row.decided === null ? null : new Date(row.decided).toISOString(), actor: row.actor, reason: row.reason,
  people: sql
    .rows<{ address: string; held: string; withheld: string }>(`SELECT address, held, withheld FROM subjects WHERE hold_id = ? ORDER BY address LIMIT 100`, row.id)
    .map(({ address, held, withheld }) => ({ email: address, changes: heldChanges(JSON.parse(held) as string[], JSON.parse(withheld) as Withheld[]) })),
  peopleCount: countOf({ sql }, `SELECT count(*) AS n FROM subjects WHERE hold_id = ?`, row.id),
})

/** The held changes in words. A space that goes with its organization is told by the organization's change. */
const heldChanges = (keys: readonly string[], withheld: readonly Withheld[]): Hold['people'][number]['changes'] =>
  [
    ...withheld.filter(({ key }) => keys.includes(key)).map(({ key, change }) => ({ key, what: describeChange(change) })),
    ...(keys.includes(REVOKE_KEYS) ? [{ key: REVOKE_KEYS, what: 'revoke the API keys' }] : []),
  ]

const decide = (store: Store, id: string, state: 'approved' | 'refused', actor: string, reason: string): Result<HoldRow, Refusal> => {
  const row = store.sql.one<HoldRow>(`SELECT * FROM holds WHERE id = ?`, id)
  if (row === null) return err(refuse(404, 'No such hold.'))
  if (row.state !== 'open') return err(refuse(409, `This hold is ${row.state} already.`))
  const decided = store.now()
  store.sql.run(`UPDATE holds SET state = ?, decided = ?, actor = ?, reason = ? WHERE id = ?`, state, decided, actor, reason, id)
  return ok({ ...row, state, decided, actor, reason })
}

/** Holds that have ended and decisions that no longer apply are kept as long as the journal. `before` in ms. */
export const trimHolds = ({ sql }: Pick<Store, 'sql'>, before: number): void => {
  sql.run(`DELETE FROM holds WHERE state <> 'open' AND coalesce(decided, created) < ?`, before)
  sql.run(`DELETE FROM overrides WHERE coalesce(until, created) < ?`, before)
}

/** The listed people are planned anew, off the hold. `isApproved`: with what was held let through. */
const letGo = (store: Store, id: string, isApproved: boolean): void => {
  markHeld(store, id)
  store.sql.run(
    `UPDATE subjects SET approved = CASE WHEN ? THEN held ELSE approved END, hold_id = NULL, held = NULL, held_at = NULL WHERE hold_id = ?`,
    isApproved ? 1 : 0, id)
}

/**
 * Lets exactly the listed changes through. They are planned again before they are made. `revision`: what the administrator has
 * seen; null approves whatever is listed now.
 */
export const approveHold = (store: Store, id: string, actor: string, reason: string, revision: number | null = null): Result<Hold, Refusal> => {
  const seen = openHold(store, id)
  if (revision !== null && seen !== null && seen.revision !== revision) {
    return err(refuse(409, `The hold has changed since you looked at it (revision ${seen.revision} now): look at it again.`))
  }
  const decided = decide(store, id, 'approved', actor, reason)
  if (!decided.ok) return decided
  const shown = holdOf(store, decided.value)
  letGo(store, id, true)
  writeJournal(store, { kind: 'brake.approved', actor, data: { hold: id, people: shown.peopleCount, reason } })
  return ok(shown)
}

/** Keeps what the listed people have, until a date: an exemption for each of them. A leaver is never exempt. */
export const refuseHold = (store: Store, id: string, until: number, actor: string, reason: string): Result<Hold, Refusal> => {
  const before = openHold(store, id)
  if (before?.kind === 'leavers') {
    return err(refuse(422, 'People who left cannot be exempted. Approve the hold, or activate them again in the identity provider.'))
  }
  const decided = decide(store, id, 'refused', actor, reason)
  if (!decided.ok) return decided
  const shown = holdOf(store, decided.value)
  store.sql.run(
    `INSERT INTO overrides (id, address, kind, reason, until, created, actor) SELECT ? || ' ' || address, address, 'exempt', ?, ?, ?, ? FROM subjects WHERE hold_id = ?`,
    id, reason, until, store.now(), actor, id)
  letGo(store, id, false)
  writeJournal(store, { kind: 'brake.refused', actor, data: { hold: id, people: shown.peopleCount, reason, until: new Date(until).toISOString() } })
  return ok(shown)
}
