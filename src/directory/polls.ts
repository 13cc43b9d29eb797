import { backoffMs, LONGEST_WAIT_MS } from '../reconcile/backoff'
import { writeJournal } from './journal'
import { openSecrets, type SecretSite } from './secrets'
import type { Row, Store } from './sql'

/** Streams of security events that are polled (RFC 8936): when, with which secrets, and how it went. The Worker asks; what it was given is stored by a delivery. */

/** A stream to be asked now. Settings and secrets are as they were stored: their own schemas read them. */
export interface DuePoll {
  readonly connectionId: string
  readonly revision: number
  readonly settings: unknown
  readonly secrets: unknown
}

export interface PollOutcome {
  readonly connectionId: string
  /** What went wrong, in a sentence without anything secret; null when the transmitter answered. */
  readonly failure: string | null
  /** How long the transmitter wants to be left alone, in milliseconds; null when it did not say. */
  readonly retryAfterMs: number | null
}

/** The cron comes once a minute, and not on the second. */
const EVERY_MS = 50_000
/** Whoever asks may be cut off: another one asks after this. What was taken twice has one effect. */
const LEASE_MS = 5 * 60_000
const MOST_AT_ONCE = 20

/** How a failure begins in `last_error`, so that an answer takes it away and nothing else. */
const FAILED = 'The stream could not be polled: '

interface PollRow extends Row {
  id: string
  revision: number
  settings: string | null
}

const setDue = ({ sql }: Pick<Store, 'sql'>, connectionId: string, due: number, attempts: number): void => {
  sql.run(
    `INSERT INTO polls (connection_id, due, attempts) VALUES (?, ?, ?)
     ON CONFLICT (connection_id) DO UPDATE SET due = excluded.due, attempts = excluded.attempts`, connectionId, due, attempts)
}

const attemptsOf = ({ sql }: Pick<Store, 'sql'>, connectionId: string): number =>
  sql.one<{ attempts: number }>(`SELECT attempts FROM polls WHERE connection_id = ?`, connectionId)?.attempts ?? 0

/** Hands out each stream that is due, once. */
export const takeDuePolls = async (site: SecretSite & { readonly store: Store }, random: () => number): Promise<DuePoll[]> => {
  const { store } = site
  const rows = store.sql.rows<PollRow>(
    `SELECT c.id, c.revision, json_extract(c.config, '$.settings') AS settings FROM connections c LEFT JOIN polls p ON p.connection_id = c.id
     WHERE c.kind = 'security-events' AND c.state = 'active' AND json_extract(c.config, '$.settings.delivery') = 'poll' AND coalesce(p.due, 0) <= ?
     ORDER BY p.due LIMIT ${MOST_AT_ONCE}`, store.now())
  for (const { id } of rows) setDue(store, id, store.now() + LEASE_MS, attemptsOf(store, id))
  const polls: DuePoll[] = []
  for (const { id: connectionId, revision, settings } of rows) {
    const secrets = await openSecrets(site, connectionId)
    if (secrets.ok) polls.push({ connectionId, revision, settings: JSON.parse(settings ?? '{}') as unknown, secrets: secrets.value })
    else notePoll(store, { connectionId, failure: secrets.error.sentence, retryAfterMs: null }, random)
  }
  return polls
}

/** Says when to ask again. */
export const notePoll = (store: Store, { connectionId, failure, retryAfterMs }: PollOutcome, random: () => number): void => {
  const { sql, now } = store
  if (sql.one(`SELECT 1 AS one FROM connections WHERE id = ?`, connectionId) === null) return
  if (failure === null) {
    setDue(store, connectionId, now() + EVERY_MS, 0)
    sql.run(`UPDATE connections SET last_error = NULL WHERE id = ? AND substr(last_error, 1, ?) = ?`, connectionId, FAILED.length, FAILED)
    return
  }
  const attempts = attemptsOf(store, connectionId) + 1
  const wait = retryAfterMs === null ? backoffMs(attempts, random) : Math.min(retryAfterMs, LONGEST_WAIT_MS)
  setDue(store, connectionId, now() + Math.max(EVERY_MS, wait), attempts)
  sql.run(`UPDATE connections SET last_error = ? WHERE id = ?`, FAILED + failure, connectionId)
  if (attempts === 1) writeJournal(store, { kind: 'pull.failed', connectionId, data: { what: 'stream', sentence: failure } })
}
