import { err, ok, type Result } from '../result'
import { startPull } from './connectionPull'
import { connectionById, endIssued, refuse, type Connection, type Refusal } from './connections'
import { writeJournal } from './journal'
import { renounceSubscriptions } from './pullSubscriptions'
import { keepSecrets } from './secrets'
import type { Store } from './sql'
import { createToken, type TokenPurpose } from './tokens'

/** New secrets for old ones. The old ones live on for a while, so that nobody is shut out while the new one is pasted. */

export interface Rotation {
  /** Of the new token. */
  readonly id: string
  readonly purpose: TokenPurpose
  /** SHA-256 of the new secret. */
  readonly hash: string
  /** How long the old ones live on, in milliseconds; 0 ends them at once. */
  readonly graceMs: number
}

const changeable = (store: Store, id: string): Result<Connection, Refusal> => {
  const connection = connectionById(store, id)
  if (connection === null) return err(refuse(404, 'No such connection.'))
  return connection.state === 'removing' ? err(refuse(409, 'The connection is being removed.')) : ok(connection)
}

const endOthers = ({ sql, now }: Store, id: string, purpose: TokenPurpose, graceMs: number): void => {
  if (graceMs === 0) sql.run(`DELETE FROM tokens WHERE connection_id = ? AND purpose = ?`, id, purpose)
  else sql.run(`UPDATE tokens SET expires = min(coalesce(expires, ?1), ?1) WHERE connection_id = ?2 AND purpose = ?3`, now() + graceMs, id, purpose)
}

const HOUR_MS = 3_600_000

/** 409 when two live already and none of them is to end at once: three of a kind never live side by side. */
export const rotateToken = (store: Store, id: string, { id: tokenId, purpose, hash, graceMs }: Rotation, actor: string): Result<Connection, Refusal> => {
  const before = changeable(store, id)
  if (!before.ok) return before
  endOthers(store, id, purpose, graceMs)
  const token = createToken(store, id, { id: tokenId, hash, expiresAt: null, purpose }, actor)
  if (!token.ok) return token
  endIssued(store, id)
  writeJournal(store, { kind: 'connection.rotated', connectionId: id, actor, data: { what: purpose, token: token.value.id, graceHours: graceMs / HOUR_MS } })
  return changeable(store, id)
}

/** Sealed already; `clientStateHash`: of the secret that Graph's notifications are to bring from now on, where there is one. */
export interface NewSecrets {
  readonly sealed: string
  readonly clientStateHash: string | null
  readonly graceMs: number
}

/** Other credentials for asking a provider, which is asked anew at once. */
export const replaceSecrets = (store: Store, id: string, { sealed, clientStateHash, graceMs }: NewSecrets, actor: string): Result<Connection, Refusal> => {
  const before = changeable(store, id)
  if (!before.ok) return before
  keepSecrets(store, id, sealed)
  if (clientStateHash !== null) {
    endOthers(store, id, 'bearer', graceMs)
    const token = createToken(store, id, { hash: clientStateHash, expiresAt: null }, actor)
    if (!token.ok) return token
    renounceSubscriptions(store, id)
  }
  store.sql.run(`UPDATE connections SET revision = revision + 1 WHERE id = ?`, id)
  endIssued(store, id)
  startPull(store, before.value)
  writeJournal(store, { kind: 'connection.rotated', connectionId: id, actor, data: { what: 'secrets' } })
  return changeable(store, id)
}
