import { compilePolicy, type CompiledPolicy } from '../policy/evaluate'
import { EMPTY_POLICY, parsePolicy, type PolicyError } from '../policy/document'
import { err, ok, type Result } from '../result'
import { connectionFacts } from './connections'
import { writeJournal } from './journal'
import { changeRules, rulesRevision } from './meta'
import type { Store } from './sql'

/** The policy's versions. The newest one is in force. */

export interface StoredPolicy {
  readonly version: number
  /** As it was given: defaults are filled when it is read. */
  readonly document: unknown
  readonly createdAt: string
  readonly actor: string
}

export const currentPolicy = ({ sql }: Pick<Store, 'sql'>): StoredPolicy | null => {
  const row = sql.one<{ version: number; document: string; created: number; actor: string }>(
    `SELECT version, document, created, actor FROM policies ORDER BY version DESC LIMIT 1`)
  if (row === null) return null
  return { version: row.version, document: JSON.parse(row.document) as unknown, createdAt: new Date(row.created).toISOString(), actor: row.actor }
}

/** Stores a new version if it is valid, and makes everybody's verdict again. Returns the version. */
export const putPolicy = (store: Store, document: unknown, actor: string): Result<number, readonly PolicyError[]> => {
  const parsed = parsePolicy(document, { connections: connectionFacts(store) })
  if (!parsed.ok) return err(parsed.error)
  store.sql.run(`INSERT INTO policies (document, created, actor) VALUES (?, ?, ?)`, JSON.stringify(document), store.now(), actor)
  const version = currentPolicy(store)?.version ?? 0
  changeRules(store)
  writeJournal(store, { kind: 'policy.changed', actor, data: { version, mappings: parsed.value.mappings.length } })
  return ok(version)
}

/** The policy in force, compiled. Null when the stored one is no longer valid: then nothing is removed. */
export interface PolicyInForce {
  /** 0 before the first one is stored. */
  readonly version: number
  readonly compiled: CompiledPolicy | null
}

/** Keeps the compiled policy until a newer one is stored or the connections change. */
export const createPolicyCache = (store: Store): (() => PolicyInForce) => {
  let known: { key: number; policy: PolicyInForce } | null = null
  return () => {
    const key = rulesRevision(store)
    if (known?.key === key) return known.policy
    const stored = currentPolicy(store)
    const parsed = stored === null ? ok(EMPTY_POLICY) : parsePolicy(stored.document, { connections: connectionFacts(store) })
    const policy = { version: stored?.version ?? 0, compiled: parsed.ok ? compilePolicy(parsed.value) : null }
    known = { key, policy }
    return policy
  }
}

