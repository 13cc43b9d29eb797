import type { PersonRef } from '../change'
import { foldText } from '../scim/text'
import type { Store } from './sql'

/**
 * What event connections said, by person, group or membership, and when it was so: deliveries come late, twice and in any
 * order, and an older statement never overwrites a newer one (design section 10.5).
 */

/** A sender's clock may be wrong by this much, and statements of different senders this close together are not in order. */
export const CLOCK_DOUBT_MS = 5 * 60_000

/** Older events only cause questions. Deliveries and statements are kept at least as long. */
export const OLDEST_MS = 14 * 24 * 3_600_000

/** Kept longer than any event is believed, so that nothing old meets an empty memory. */
const KEPT_MS = OLDEST_MS + 24 * 3_600_000

const TRIM_SLICE = 2_000

/** Of a group there are two: when it had its name, and when it was deleted. */
export type StatementKey = `active ${string}` | `member ${string}` | `group ${string}` | `gone ${string}` | `resource ${string}`

/** A person within a key: by the provider's id, else by the folded name. */
export const nameOf = ({ id, userName }: PersonRef): string => id ?? `name ${foldText(userName ?? '')}`

export const memberKey = (groupId: string, who: PersonRef): StatementKey => `member ${JSON.stringify([groupId, nameOf(who)])}`

/** The time to believe: what lies more than five minutes ahead, or is not said, happened when it was received. */
export const believedTime = (at: number | null, now: number): number => (at === null || at > now + CLOCK_DOUBT_MS ? now : at)

/**
 * Notes a statement unless a newer one is known. Of two at the same time the one that takes away stays. Returns whether it is
 * to be acted on.
 */
export const takeStatement = ({ sql }: Pick<Store, 'sql'>, connectionId: string, key: StatementKey, at: number, gives: boolean): boolean =>
  sql.run(
    `INSERT INTO statements (connection_id, key, at, gives) VALUES (?, ?, ?, ?)
     ON CONFLICT (connection_id, key) DO UPDATE SET at = excluded.at, gives = excluded.gives
     WHERE excluded.at > at OR (excluded.at = at AND excluded.gives <= gives)`,
    connectionId, key, at, gives ? 1 : 0) > 0

export interface Statement {
  readonly at: number
  readonly gives: boolean
}

export const statementOf = ({ sql }: Pick<Store, 'sql'>, connectionId: string, key: StatementKey): Statement | null => {
  const row = sql.one<{ at: number; gives: number }>(`SELECT at, gives FROM statements WHERE connection_id = ? AND key = ?`, connectionId, key)
  return row === null ? null : { at: row.at, gives: row.gives === 1 }
}

/** Forgets what no event can contradict any more, a slice at a time. Returns whether there is more. */
export const trimStatements = ({ sql, now }: Pick<Store, 'sql' | 'now'>): boolean => {
  const before = now() - KEPT_MS
  const statements = sql.run(
    `DELETE FROM statements WHERE (connection_id, key) IN (SELECT connection_id, key FROM statements WHERE at < ? LIMIT ${TRIM_SLICE})`, before)
  const deliveries = sql.run(
    `DELETE FROM deliveries WHERE (connection_id, event_id) IN (SELECT connection_id, event_id FROM deliveries WHERE at < ? LIMIT ${TRIM_SLICE})`, before)
  return statements === TRIM_SLICE || deliveries === TRIM_SLICE
}
