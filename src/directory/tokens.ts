import { err, ok, type Result } from '../result'
import { connectionById, endIssued, refuse, type Refusal } from './connections'
import { writeJournal } from './journal'
import type { Store } from './sql'

/** The static secrets of connections, as hashes: bearer tokens, webhook secrets, client secrets. */

export interface TokenFact {
  readonly id: string
  readonly purpose: TokenPurpose
  readonly createdAt: string
  readonly expiresAt: string | null
  readonly lastUsedAt: string | null
}

/** Two tokens of each purpose may live side by side, so that one can be rotated without a gap. */
const MAX_LIVE_TOKENS = 2

/** `bearer`: opens the endpoint of the connection. `client`: the secret of a client of the token endpoint, which opens nothing else. */
export type TokenPurpose = 'bearer' | 'client'

const LIVE = `connection_id = ? AND (expires IS NULL OR expires > ?)`

export const listTokens = ({ sql, now }: Pick<Store, 'sql' | 'now'>, connectionId: string): TokenFact[] =>
  sql
    .rows<{ id: string; purpose: TokenPurpose; created: number; expires: number | null; last_used: number | null }>(
      `SELECT id, purpose, created, expires, last_used FROM tokens WHERE ${LIVE} ORDER BY created, purpose, id`, connectionId, now())
    .map((row) => ({
      id: row.id, purpose: row.purpose, createdAt: new Date(row.created).toISOString(),
      expiresAt: row.expires === null ? null : new Date(row.expires).toISOString(),
      lastUsedAt: row.last_used === null ? null : new Date(row.last_used).toISOString(),
    }))

export interface NewToken {
  /** SHA-256 of the token. The token itself is shown once by the caller and never kept. */
  readonly hash: string
  /** Milliseconds since 1970, or null. */
  readonly expiresAt: number | null
  readonly purpose?: TokenPurpose
  readonly id?: string
}

export const createToken = (
  store: Store, connectionId: string, { hash, expiresAt, purpose = 'bearer', id = store.newId() }: NewToken, actor: string,
): Result<TokenFact, Refusal> => {
  const { sql, now } = store
  const connection = connectionById(store, connectionId)
  if (connection === null) return err(refuse(404, 'No such connection.'))
  if (connection.state === 'removing') return err(refuse(409, 'The connection is being removed.'))
  if (purpose === 'client' && connection.config.oauth === undefined) return err(refuse(422, 'This connection has no client of the token endpoint.'))
  sql.run(`DELETE FROM tokens WHERE connection_id = ? AND expires <= ?`, connectionId, now())
  if (listTokens(store, connectionId).filter((token) => token.purpose === purpose).length >= MAX_LIVE_TOKENS) {
    return err(refuse(409, `This connection has ${MAX_LIVE_TOKENS} live tokens already: delete the one that is no longer used first.`))
  }
  sql.run(`INSERT INTO tokens (hash, id, connection_id, created, expires, purpose) VALUES (?, ?, ?, ?, ?, ?)`, hash, id, connectionId, now(), expiresAt, purpose)
  writeJournal(store, { kind: 'token.created', connectionId, actor, data: { token: id, purpose } })
  const made = listTokens(store, connectionId).find((token) => token.id === id)
  return made === undefined ? err(refuse(422, 'The expiry date lies in the past.')) : ok(made)
}

export const deleteToken = (store: Store, connectionId: string, tokenId: string, actor: string): Result<void, Refusal> => {
  const gone = store.sql.run(`DELETE FROM tokens WHERE connection_id = ? AND id = ?`, connectionId, tokenId)
  if (gone === 0) return err(refuse(404, 'No such token.'))
  // What was issued for a secret dies with it.
  endIssued(store, connectionId)
  writeJournal(store, { kind: 'token.deleted', connectionId, actor, data: { token: tokenId } })
  return ok(undefined)
}

/** Whether a secret with this hash is the connection's now: for events that each bring their own. */
export const hasSecret = ({ sql, now }: Pick<Store, 'sql' | 'now'>, connectionId: string, hash: string): boolean =>
  sql.one(`SELECT 1 AS one FROM tokens WHERE hash = ? AND purpose = 'bearer' AND ${LIVE}`, hash, connectionId, now()) !== null
