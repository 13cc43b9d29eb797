import type { Progress } from './pullStaged'
import type { Row, Store } from './sql'

/** Where the pull of everybody of a connection stands, and what is wrong with it. */

export interface PullRow extends Row {
  phase: 'idle' | 'pulling' | 'applying'
  cursor: string | null
  delta: string | null
  finished: number | null
}

const IDLE: PullRow = { phase: 'idle', cursor: null, delta: null, finished: null }

export const pullState = ({ sql }: Pick<Store, 'sql'>, connectionId: string): PullRow =>
  sql.one<PullRow>(`SELECT phase, cursor, delta, finished FROM pulls WHERE connection_id = ?`, connectionId) ?? IDLE

export const movePull = ({ sql }: Pick<Store, 'sql'>, connectionId: string, phase: PullRow['phase'], cursor: string | null): void => {
  sql.run(
    `INSERT INTO pulls (connection_id, phase, cursor) VALUES (?, ?, ?)
     ON CONFLICT (connection_id) DO UPDATE SET phase = excluded.phase, cursor = excluded.cursor`, connectionId, phase, cursor)
}

/** Null: nothing is wrong but for a pull that was not believed, which one that is believed ends, and no other answer. */
export const noteError = ({ sql }: Pick<Store, 'sql'>, connectionId: string, sentence: string | null): void => {
  sql.run(`UPDATE connections SET last_error = coalesce(?1, (SELECT last_error FROM pulls WHERE connection_id = ?2)) WHERE id = ?2`, sentence, connectionId)
}

export const isDoubted = ({ sql }: Pick<Store, 'sql'>, connectionId: string): boolean =>
  sql.one(`SELECT 1 AS one FROM pulls WHERE connection_id = ? AND last_error IS NOT NULL`, connectionId) !== null

export const placeOf = ({ stage, after }: Progress, delta: string | null): string => JSON.stringify({ stage, after, delta })
