import { err, ok, type Result } from '../result'
import { isPull } from '../sources/sources'
import { listConnections, refuse, type Connection, type Refusal } from './connections'
import { groupsCounter } from './groups'
import { subscriptionsOf } from './pullSubscriptions'
import type { Store } from './sql'
import { listTokens, type TokenFact } from './tokens'
import { usersCounter } from './users'

/** How connections are doing: what an administrator has to know of each. Times are ISO 8601. */

export interface ConnectionStatus {
  readonly users: number
  readonly groups: number
  /** How long the oldest question that is due waits to be asked of the provider, in milliseconds. */
  readonly lagMs: number
  readonly openQuestions: number
  /** Of a connection that pulls; null of others. */
  readonly pull: { readonly phase: 'idle' | 'pulling' | 'applying'; readonly startedAt: string | null; readonly finishedAt: string | null } | null
  /** Of one whose provider sends notifications to a subscription that the bridge keeps alive. */
  readonly subscriptions: readonly { readonly resource: string; readonly expiresAt: string }[]
  /** When the subscriptions are looked at next. */
  readonly nextRenewalAt: string | null
  /** When a stream that is polled is asked next. */
  readonly nextPollAt: string | null
  readonly tokens: readonly TokenFact[]
}

export type ConnectionWithStatus = Connection & { readonly status: ConnectionStatus }

const isoOf = (at: number | null | undefined): string | null => (at === null || at === undefined ? null : new Date(at).toISOString())

const totalOf = ({ sql }: Pick<Store, 'sql'>, counter: string): number =>
  sql.one<{ value: number }>(`SELECT value FROM counters WHERE name = ? AND hour = 0`, counter)?.value ?? 0

interface PullFact {
  readonly [column: string]: string | number | null
  readonly phase: 'idle' | 'pulling' | 'applying'
  readonly started: number | null
  readonly finished: number | null
}

const statusOf = (store: Pick<Store, 'sql' | 'now'>, { id, kind }: Connection): ConnectionStatus => {
  const { sql, now } = store
  const pull = sql.one<PullFact>(`SELECT phase, started, finished FROM pulls WHERE connection_id = ?`, id)
  const questions = sql.one<{ n: number; oldest: number | null; renewal: number | null }>(
    `SELECT count(*) FILTER (WHERE due <= ?1) AS n, min(due) AS oldest, min(due) FILTER (WHERE kind = 'subscriptions') AS renewal FROM refreshes WHERE connection_id = ?2`,
    now(), id)
  const poll = sql.one<{ due: number }>(`SELECT due FROM polls WHERE connection_id = ?`, id)
  const oldest = questions?.oldest ?? null
  return {
    users: totalOf(store, usersCounter(id)),
    groups: totalOf(store, groupsCounter(id)),
    lagMs: oldest === null ? 0 : Math.max(0, now() - oldest),
    openQuestions: questions?.n ?? 0,
    pull: !isPull(kind) ? null : { phase: pull?.phase ?? 'idle', startedAt: isoOf(pull?.started), finishedAt: isoOf(pull?.finished) },
    subscriptions: subscriptionsOf(store, id).map(({ resource, expiresAt }) => ({ resource, expiresAt: new Date(expiresAt).toISOString() })),
    nextRenewalAt: isoOf(questions?.renewal),
    nextPollAt: isoOf(poll?.due),
    tokens: listTokens(store, id),
  }
}

/** All connections, or the one with this id. */
export const describeConnections = (store: Pick<Store, 'sql' | 'now'>, id: string | null): ConnectionWithStatus[] =>
  listConnections(store)
    .filter((connection) => id === null || connection.id === id)
    .map((connection) => ({ ...connection, status: statusOf(store, connection) }))

/** What an administrator's change of a connection is answered with: the connection as it is now, and how it is doing. */
export const describeDone = (store: Pick<Store, 'sql' | 'now'>, done: Result<Pick<Connection, 'id'>, Refusal>): Result<ConnectionWithStatus, Refusal> => {
  if (!done.ok) return done
  const [described] = describeConnections(store, done.value.id)
  return described === undefined ? err(refuse(404, 'No such connection.')) : ok(described)
}
