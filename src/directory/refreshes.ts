import type { Refresh } from '../change'
import { PULL_KINDS } from '../sources/sources'
import type { Row, Store } from './sql'

/** Whom a provider has to be asked about: a set, as the queue of subjects is one, never a log of events. */

export interface Question extends Row {
  readonly connection_id: string
  readonly kind: 'person' | 'group' | 'everything' | 'changes' | 'subscriptions'
  /** The provider's id; `name:` and the name where only that is known; '' for everything. */
  readonly id: string
  readonly name: string | null
  readonly due: number
  /** Moves with every new reason to ask: an answer that was fetched before it is asked for again. */
  readonly marked: number
  readonly attempts: number
  readonly cursor: string | null
}

const KINDS = `(${PULL_KINDS.map((kind) => `'${kind}'`).join(', ')})`

/** The connection of the same source that can be asked; null when there is none, or it is paused. */
export const pullOf = ({ sql }: Pick<Store, 'sql'>, connectionId: string): string | null =>
  sql.one<{ id: string }>(
    `SELECT o.id AS id FROM connections c JOIN connections o ON o.source = c.source
     WHERE c.id = ? AND o.kind IN ${KINDS} AND o.state = 'active' ORDER BY o.created, o.id LIMIT 1`, connectionId)?.id ?? null

/** What a connection does by the clock. `urgent`: the provider asked for it. */
export type Upkeep = { readonly kind: 'changes' } | { readonly kind: 'subscriptions'; readonly urgent: boolean }

/** Notes that the provider is to be asked. Repeating it costs one question. `isUrgent`: somebody may have left, and is asked about first. */
export const askAbout = ({ sql, now }: Pick<Store, 'sql' | 'now'>, pullId: string, wanted: Refresh | Upkeep, isUrgent = false): void => {
  const [id, name] =
    wanted.kind === 'person' ? [wanted.who.id ?? `name:${wanted.who.userName ?? ''}`, wanted.who.userName]
    : wanted.kind === 'group' ? [wanted.group.id, wanted.group.displayName]
    : ['', wanted.kind === 'subscriptions' && wanted.urgent ? 'urgent' : null]
  sql.run(
    `INSERT INTO refreshes (connection_id, kind, id, name, due, marked, urgent) VALUES (?, ?, ?, ?, ?, 1, ?)
     ON CONFLICT (connection_id, kind, id) DO UPDATE SET due = min(due, excluded.due), marked = marked + 1, attempts = 0,
       name = coalesce(excluded.name, name), urgent = max(urgent, excluded.urgent)`,
    pullId, wanted.kind, id, name, now(), isUrgent ? 1 : 0)
}

/** When a connection may be asked: not before the provider's patience is back, unless it was changed since. */
const ASKABLE = `refreshes r JOIN connections c ON c.id = r.connection_id LEFT JOIN pulls p ON p.connection_id = r.connection_id`
const RESTING = `iif(p.resting_revision = c.revision, coalesce(p.resting_until, 0), 0)`

/** What is due, whoever may have left first, then the longest. */
export const dueQuestions = ({ sql, now }: Pick<Store, 'sql' | 'now'>, limit: number): Question[] =>
  sql.rows<Question>(
    `SELECT r.connection_id, r.kind, r.id, r.name, r.due, r.marked, r.attempts, r.cursor FROM ${ASKABLE}
     WHERE r.due <= ?1 AND c.state = 'active' AND ${RESTING} <= ?1 ORDER BY r.urgent DESC, r.due, r.kind DESC LIMIT ?2`, now(), limit)

/** When the next question is due (ms), or null. */
export const nextQuestion = ({ sql }: Pick<Store, 'sql'>): number | null =>
  sql.one<{ at: number | null }>(`SELECT min(max(r.due, ${RESTING})) AS at FROM ${ASKABLE} WHERE c.state = 'active'`)?.at ?? null

/** Nothing is asked of the provider until then (ms), unless an administrator changes the connection. */
export const rest = ({ sql }: Pick<Store, 'sql'>, connectionId: string, until: number): void => {
  sql.run(
    `INSERT INTO pulls (connection_id, phase, resting_until, resting_revision) SELECT id, 'idle', ?, revision FROM connections WHERE id = ?
     ON CONFLICT (connection_id) DO UPDATE SET resting_until = excluded.resting_until, resting_revision = excluded.resting_revision`, until, connectionId)
}

/** Somebody says that it may be asked again. */
export const endRest = ({ sql }: Pick<Store, 'sql'>, connectionId: string): void => {
  sql.run(`UPDATE pulls SET resting_until = NULL WHERE connection_id = ?`, connectionId)
}

/** The question is answered, unless there was a new reason to ask meanwhile. */
export const answered = ({ sql }: Pick<Store, 'sql'>, { connection_id, kind, id, marked }: Question): void => {
  sql.run(`DELETE FROM refreshes WHERE connection_id = ? AND kind = ? AND id = ? AND marked = ?`, connection_id, kind, id, marked)
}

/** The question could not be answered: it is asked again at `due` (ms). */
export const askAgain = ({ sql }: Pick<Store, 'sql'>, { connection_id, kind, id }: Question, due: number, sentence: string): void => {
  sql.run(
    `UPDATE refreshes SET due = ?, attempts = attempts + 1, last_error = ? WHERE connection_id = ? AND kind = ? AND id = ?`,
    due, sentence, connection_id, kind, id)
}

/** Whether a pull connection has yet to tell of everybody: until then nobody gets an account (design section 6). */
export const isBackfilling = ({ sql }: Pick<Store, 'sql'>): boolean =>
  sql.one(
    `SELECT 1 AS one FROM connections c LEFT JOIN pulls p ON p.connection_id = c.id
     WHERE c.kind IN ${KINDS} AND c.state = 'active' AND p.finished IS NULL LIMIT 1`) !== null
