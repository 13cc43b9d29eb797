import { parsePolicy } from '../policy/document'
import { err, ok, type Result } from '../result'
import { connectionById, connectionFacts, refuse, type Connection, type Refusal } from './connections'
import { writeJournal } from './journal'
import { currentPolicy } from './policies'
import type { Store } from './sql'

/**
 * What an administrator may change of a connection that exists. What names its people's accounts (`address`) is not among it: that
 * would make somebody else of every user at once.
 */
export interface ConnectionChange {
  readonly name?: string
  /** Whether Roles and Entitlements are offered. */
  readonly entitlements?: boolean
}

/** A mapping that says which connection it means by its name would mean none: nothing would be given or taken any more. */
const breaksPolicy = (store: Store, id: string, name: string): boolean => {
  const stored = currentPolicy(store)
  if (stored === null) return false
  const before = connectionFacts(store)
  const after = before.map((connection) => (connection.id === id ? { ...connection, name } : connection))
  return parsePolicy(stored.document, { connections: before }).ok && !parsePolicy(stored.document, { connections: after }).ok
}

const refusalOf = (store: Store, { id, kind, ...before }: Connection, { name, entitlements }: ConnectionChange): Refusal | null => {
  if (entitlements !== undefined && kind !== 'scim') return refuse(422, 'Only SCIM clients discover entitlements.')
  if (name === undefined || name === before.name) return null
  if (store.sql.one(`SELECT 1 AS one FROM connections WHERE name = ? AND id <> ?`, name, id) !== null) {
    return refuse(409, `There is a connection named "${name}" already.`)
  }
  return breaksPolicy(store, id, name)
    ? refuse(409, `The policy names the connection "${before.name}", and would no longer be valid. Write its id (${id}) there first: an id survives a new name.`)
    : null
}

/** Raises the revision, so that nobody goes on with what was known of the connection before. Nothing happens when nothing changes. */
export const changeConnection = (store: Store, id: string, change: ConnectionChange, actor: string): Result<Connection, Refusal> => {
  const before = connectionById(store, id)
  if (before === null) return err(refuse(404, 'No such connection.'))
  const refusal = refusalOf(store, before, change)
  if (refusal !== null) return err(refusal)
  const { name = before.name, entitlements = before.config.entitlements === true } = change
  const changed = [
    ...(name === before.name ? [] : ['name']),
    ...(entitlements === (before.config.entitlements === true) ? [] : ['entitlements']),
  ]
  if (changed.length === 0) return ok(before)
  store.sql.run(
    `UPDATE connections SET name = ?, config = ?, revision = revision + 1 WHERE id = ?`,
    name, JSON.stringify({ ...before.config, entitlements }), id)
  writeJournal(store, { kind: 'connection.changed', connectionId: id, actor, data: { changed, ...(changed.includes('entitlements') ? { entitlements } : {}) } })
  const after = connectionById(store, id)
  return after === null ? err(refuse(404, 'No such connection.')) : ok(after)
}
