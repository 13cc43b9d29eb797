import { compilePolicy, type CompiledPolicy } from '../policy/evaluate'
import { EMPTY_POLICY, parsePolicy, type Policy, type PolicyError } from '../policy/document'
import { err, ok, type Result } from '../result'
import { connectionFacts, namableConnections, type ConnectionFact } from './connections'
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
  const parsed = parsePolicy(document, { connections: namableConnections(store) })
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
  /** Ids of the mappings that should say which connection they mean, since there is more than one source now. */
  readonly unbound: readonly string[]
}

/** Keeps the compiled policy until a newer one is stored or the connections change. */
export const createPolicyCache = (store: Store): (() => PolicyInForce) => {
  let known: { key: string; policy: PolicyInForce } | null = null
  return () => {
    const connections = connectionFacts(store)
    const key = `${rulesRevision(store)} ${JSON.stringify(connections)}`
    if (known?.key !== key) known = { key, policy: inForce(store, connections) }
    return known.policy
  }
}

const inForce = (store: Pick<Store, 'sql'>, connections: readonly ConnectionFact[]): PolicyInForce => {
  const stored = currentPolicy(store)
  if (stored === null) return { version: 0, compiled: compilePolicy(EMPTY_POLICY), unbound: [] }
  // That a mapping must name its connection is judged when a policy is stored, not when a connection is added later.
  const parsed = parsePolicy(stored.document, { connections: connections.map(({ id, name }) => ({ id, name, source: '' })) })
  if (!parsed.ok) return { version: stored.version, compiled: null, unbound: [] }
  const isOneSource = new Set(connections.map(({ source }) => source)).size <= 1
  const unbound = isOneSource ? [] : parsed.value.mappings.filter(({ connection }) => connection === undefined).map(({ id }) => id)
  const policy = isOneSource ? parsed.value : bindToFormer(parsed.value, connections.filter(({ created }) => created <= Date.parse(stored.createdAt)))
  return { version: stored.version, compiled: compilePolicy(policy), unbound }
}

/** Another source must not grant by a name that was written before it came: such mappings mean the connections of their time. */
const bindToFormer = (policy: Policy, former: readonly ConnectionFact[]): Policy => ({
  ...policy,
  mappings: policy.mappings.flatMap((mapping) =>
    mapping.connection === undefined ? former.map(({ id }) => ({ ...mapping, connection: id })) : [mapping],
  ),
})
