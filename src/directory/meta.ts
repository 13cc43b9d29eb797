import type { JWK } from 'jose'
import type { Store } from './sql'

/** Single values and timers of one tenant. */

/** `sealed`: the private key. `madeAt` is in milliseconds since 1970. */
export type SigningKeys = readonly { readonly kid: string; readonly publicJwk: JWK; readonly sealed: string; readonly madeAt: number }[]

/** What `meta` holds, by key. */
export interface MetaValues {
  /** Nobody calls Arize before this time (ms); `attempt` counts the 429s in a row that named no time. */
  paused: { readonly until: number; readonly attempt: number }
  /** Nobody calls Arize until a preflight passes. */
  halted: { readonly since: number; readonly sentence: string }
  /** Rises with every change of the policy or of what names mean: subjects evaluated before are due again. */
  rules: number
  /** When the lists of names were last read (ms), by `organization`, `customRole` or `space:{organization id}`. 0: to be read again. */
  namesRead: Readonly<Record<string, number>>
  /** The tenant that this object belongs to and where its Arize is. The default tenant's comes from the environment. */
  tenant: { readonly name: string; readonly arizeBaseUrl: string; readonly sealedKey: string; readonly ownUser: string | null }
  /** When the last preflight passed (ms). */
  preflight: number
  /** The keys of the tokens that the bridge issues, oldest first. */
  signing: SigningKeys
  /** What seals the cursors of this tenant's lists (cursorSeal.ts). Whoever has it can at most go on with somebody's list as that somebody. */
  cursorKey: string
}

export const readMeta = <K extends keyof MetaValues>({ sql }: Pick<Store, 'sql'>, key: K): MetaValues[K] | null => {
  const row = sql.one<{ value: string }>(`SELECT value FROM meta WHERE key = ?`, key)
  return row === null ? null : (JSON.parse(row.value) as MetaValues[K])
}

export const writeMeta = <K extends keyof MetaValues>({ sql }: Pick<Store, 'sql'>, key: K, value: MetaValues[K] | null): void => {
  if (value === null) sql.run(`DELETE FROM meta WHERE key = ?`, key)
  else sql.run(`INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value`, key, JSON.stringify(value))
}

/** The revision of the rules that a subject's verdict was made with. */
export const rulesRevision = (store: Pick<Store, 'sql'>): number => readMeta(store, 'rules') ?? 1

/** `sweep`: mark everybody whose verdict is older than the rules. `names`: read names again. `nightly`: once a day. `preflight`: is the key well again. `trim`: forget what the journal keeps no longer. `removal`: take the next slice of a connection away, whose id is the key. */
export type TimerKind = 'sweep' | 'names' | 'nightly' | 'preflight' | 'trim' | 'removal'

export interface Timer {
  readonly kind: TimerKind
  /** Which of several of one kind; '' where there is one. */
  readonly key: string
  readonly at: number
  readonly cursor: string | null
}

/** Sets a timer; an earlier one of the kind and key stays. */
export const setTimer = ({ sql }: Pick<Store, 'sql'>, kind: TimerKind, at: number, key = ''): void => {
  sql.run(`INSERT INTO timers (kind, key, at) VALUES (?, ?, ?) ON CONFLICT (kind, key) DO UPDATE SET at = min(at, excluded.at)`, kind, key, at)
}

export const moveTimer = ({ sql }: Pick<Store, 'sql'>, kind: TimerKind, at: number, cursor: string | null, key = ''): void => {
  sql.run(`INSERT INTO timers (kind, key, at, cursor) VALUES (?, ?, ?, ?) ON CONFLICT (kind, key) DO UPDATE SET at = excluded.at, cursor = excluded.cursor`, kind, key, at, cursor)
}

export const clearTimer = ({ sql }: Pick<Store, 'sql'>, kind: TimerKind, key = ''): void => {
  sql.run(`DELETE FROM timers WHERE kind = ? AND key = ?`, kind, key)
}

export const dueTimers = ({ sql, now }: Pick<Store, 'sql' | 'now'>): Timer[] =>
  sql.rows<{ kind: TimerKind; key: string; at: number; cursor: string | null }>(`SELECT kind, key, at, cursor FROM timers WHERE at <= ? ORDER BY at`, now())

/** Everybody's verdict is made again under the present rules. */
export const changeRules = (store: Pick<Store, 'sql' | 'now'>): void => {
  writeMeta(store, 'rules', rulesRevision(store) + 1)
  moveTimer(store, 'sweep', store.now(), '0')
}

/** Adds to a counter: totals have hour 0, rates the hour that they fell in. */
export const count = ({ sql }: Pick<Store, 'sql'>, name: string, hour: number, by = 1): void => {
  sql.write(`INSERT INTO counters (name, hour, value) VALUES (?, ?, ?) ON CONFLICT (name, hour) DO UPDATE SET value = value + excluded.value`, name, hour, by)
}

export const hourOf = (at: number): number => Math.floor(at / 3_600_000)
