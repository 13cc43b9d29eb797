import type { ConfigFailure } from '../config'
import { notActedOn } from '../policy/notActedOn'
import { hourOf, readMeta } from './meta'
import type { PolicyInForce } from './policies'
import { countStates } from './reconciler'
import type { Store } from './sql'

/** What an administrator and a probe have to know about a tenant. */

export interface Health {
  readonly status: 'ok' | 'halted' | 'paused' | 'unready'
  /** What is wrong and what to do, one sentence each. */
  readonly problems: readonly string[]
  /** What works, but should be looked at. */
  readonly warnings: readonly string[]
  readonly people: { readonly inStep: number; readonly due: number; readonly held: number; readonly stuck: number }
  /** How long the longest due person has been waiting, in milliseconds. */
  readonly lagMs: number
  readonly openHolds: number
  readonly policyVersion: number
  readonly pausedUntil: string | null
  readonly arize: { readonly callsThisHour: number; readonly errorsThisHour: number; readonly ownUser: boolean }
}

export const healthOf = (store: Store, policy: PolicyInForce, unready: ConfigFailure | null, ownUser: string | null): Health => {
  const { sql, now } = store
  const states = countStates(store)
  const halted = readMeta(store, 'halted')
  const pausedUntil = readMeta(store, 'paused')?.until ?? 0
  const isPaused = pausedUntil > now()
  const oldest = sql.one<{ at: number | null }>(`SELECT min(due) AS at FROM subjects WHERE state = 'due' AND due IS NOT NULL`)?.at ?? null
  const counter = (name: string): number =>
    sql.one<{ value: number }>(`SELECT value FROM counters WHERE name = ? AND hour = ?`, name, hourOf(now()))?.value ?? 0
  const problems = [
    ...(unready === null ? [] : [unready.sentence]),
    ...(halted === null ? [] : [`Nothing is sent to Arize since ${new Date(halted.since).toISOString()}: ${halted.sentence}`]),
    ...(policy.compiled === null ? ['The stored policy is not valid any more: nothing is removed until a valid one is stored.'] : []),
    ...(ownUser === null ? ['ARIZE_OWN_USER (ownUser of a tenant) is not set: the bridge cannot tell which account user its own key belongs to, and so cannot leave it alone.'] : []),
  ]
  return {
    status: unready !== null ? 'unready' : halted !== null ? 'halted' : isPaused ? 'paused' : 'ok',
    problems,
    warnings: [...warningsOf(policy), ...connectionWarnings(store)],
    people: { inStep: sql.one<{ n: number }>(`SELECT count(*) AS n FROM subjects WHERE state <> 'due' AND state = 'in_step'`)?.n ?? 0, ...states },
    lagMs: oldest === null ? 0 : Math.max(0, now() - oldest),
    openHolds: sql.one<{ n: number }>(`SELECT count(*) AS n FROM holds WHERE state = 'open'`)?.n ?? 0,
    policyVersion: policy.version,
    pausedUntil: isPaused ? new Date(pausedUntil).toISOString() : null,
    arize: { callsThisHour: counter('arize.calls'), errorsThisHour: counter('arize.errors'), ownUser: ownUser !== null },
  }
}

const MOST_CONNECTIONS = 20

/** What ails connections, and whether one keeps everybody from getting an account. */
const connectionWarnings = ({ sql }: Store): readonly string[] =>
  sql
    .rows<{ name: string; sentence: string | null; unpulled: number }>(
      `SELECT c.name AS name, c.last_error AS sentence, (c.kind IN ('okta', 'graph') AND p.finished IS NULL) AS unpulled
       FROM connections c LEFT JOIN pulls p ON p.connection_id = c.id
       WHERE c.state = 'active' AND (sentence IS NOT NULL OR unpulled = 1) ORDER BY c.created, c.id LIMIT ${MOST_CONNECTIONS}`)
    .flatMap(({ name, sentence, unpulled }) => [
      ...(unpulled === 1 ? [`Nobody gets an account until the first pull of the connection "${name}" is complete, or it is paused.`] : []),
      ...(sentence === null ? [] : [`The connection "${name}": ${sentence}`]),
    ])

const warningsOf = ({ unbound, compiled }: PolicyInForce): readonly string[] => [
  ...(compiled === null ? [] : notActedOn(compiled.policy)),
  ...(unbound.length === 0
    ? []
    : [
        `There is more than one source: mappings ${unbound.slice(0, 5).join(', ')} do not say which connection they mean, and apply to those that existed when the policy was stored. Name a connection in each.`,
      ]),
]
