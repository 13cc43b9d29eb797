import type { JWK } from 'jose'
import { invalid, type AuthFailure } from '../auth/failure'
import type { IssuerOfConnection } from '../auth/trustedIssuer'
import type { ConnectionKind, EventKind } from '../change'
import { err, ok, type Result } from '../result'
import { clientFacts, publishedKeys, type ClientFact } from './clients'
import { closedTo, COLUMNS, connectionById, connectionOf, listConnections, listIssuers, type Connection, type ConnectionRow } from './connections'
import type { Row, Store } from './sql'

/** Who calls: what the Worker may believe of this tenant's callers, and whose a credential is. */

/** A connection that events arrive at. */
export interface EventConnection {
  readonly id: string
  readonly kind: EventKind
  readonly settings: unknown
}

/** Whom callers of this tenant may come from, with the revisions that the Worker's answer is good for. */
export interface Trust {
  readonly issuers: readonly IssuerOfConnection[]
  readonly events: readonly EventConnection[]
  readonly clients: readonly ClientFact[]
  /** The public keys of tokens that the bridge issued. */
  readonly signingKeys: readonly JWK[]
  readonly revisions: Readonly<Record<string, number>>
}

const EVENT_KINDS: Readonly<Record<EventKind, true>> = {
  'okta-event-hook': true, 'universal-logout': true, 'security-events': true, 'graph': true, 'event-grid': true,
}

const isEventKind = (kind: ConnectionKind): kind is EventKind => Object.hasOwn(EVENT_KINDS, kind)

export const trustOf = (store: Pick<Store, 'sql'>): Trust => ({
  issuers: listIssuers(store),
  events: listConnections(store).flatMap(({ id, kind, state, config }) => (isEventKind(kind) && state !== 'removing' ? [{ id, kind, settings: config.settings }] : [])),
  clients: clientFacts(store),
  signingKeys: publishedKeys(store).map(({ publicJwk }) => publicJwk),
  revisions: Object.fromEntries(listConnections(store).map(({ id, revision }) => [id, revision])),
})

const COLUMNS_OF_C = COLUMNS.replaceAll(/\w+/g, 'c.$&')

/** Who calls, as far as the Worker could tell: the hash of a token, or the claims that it verified. */
export type ScimCredential =
  | { readonly kind: 'token'; readonly hash: string }
  | { readonly kind: 'verified'; readonly connectionId: string; readonly revision: number; readonly caller: string }
  /** A token that the bridge itself issued. */
  | { readonly kind: 'issued'; readonly connectionId: string; readonly generation: number; readonly id: string }
  /** The Worker refused it already: the Directory only journals. */
  | { readonly kind: 'refused'; readonly failure: AuthFailure }

export interface AuthenticatedConnection {
  readonly connection: Connection
  /** For the journal: the id of the token, or the caller's. */
  readonly actor: string
}

/** `stale`: the Worker verified against an older set of issuers and must ask for the present one. */
export type AuthenticationFailure = AuthFailure | { readonly kind: 'stale' }

/** `last_used` is a help for rotation, not an audit: it is written hourly at most. */
const LAST_USED_PRECISION_MS = 3_600_000

/** `last_event` tells a connection that fell silent: every five minutes is often enough. */
const LAST_EVENT_PRECISION_MS = 300_000

export const authenticate = (store: Store, credential: ScimCredential): Result<AuthenticatedConnection, AuthenticationFailure> => {
  const caller = identify(store, credential)
  if (caller.ok) noteEvent(store, caller.value.connection)
  return caller
}

const identify = (store: Store, credential: ScimCredential): Result<AuthenticatedConnection, AuthenticationFailure> => {
  switch (credential.kind) {
    case 'refused':
      return err(credential.failure)
    case 'token':
      return authenticateToken(store, credential.hash)
    case 'verified': {
      const connection = connectionById(store, credential.connectionId)
      if (connection === null || connection.revision !== credential.revision) return err({ kind: 'stale' })
      return alive({ connection, actor: credential.caller })
    }
    case 'issued': {
      const connection = connectionById(store, credential.connectionId)
      if (connection === null || connection.generation !== credential.generation) return err(invalid('unknown_token'))
      return alive({ connection, actor: `issued:${credential.id}` })
    }
  }
}

/** A connection whose events are proven one by one. */
export const named = (store: Store, connectionId: string): Result<AuthenticatedConnection, AuthFailure> => {
  const connection = connectionById(store, connectionId)
  return connection === null ? err(invalid('unknown_token')) : alive({ connection, actor: connection.kind })
}

/** Called once the caller is believed. */
export const noteEvent = ({ sql, now }: Store, { id, lastEventAt }: Connection): void => {
  if (lastEventAt !== null && now() - Date.parse(lastEventAt) < LAST_EVENT_PRECISION_MS) return
  sql.run(`UPDATE connections SET last_event = ? WHERE id = ?`, now(), id)
}

interface TokenRow extends Row {
  token: string
  expires: number | null
  last_used: number | null
}

const authenticateToken = (store: Store, hash: string): Result<AuthenticatedConnection, AuthFailure> => {
  const { sql, now } = store
  // The look-up is by the SHA-256 of the token: what its timing could tell is a hash that nobody can turn into a token.
  const row = sql.one<ConnectionRow & TokenRow>(
    `SELECT t.id AS token, t.expires, t.last_used, ${COLUMNS_OF_C}
     FROM tokens t JOIN connections c ON c.id = t.connection_id WHERE t.hash = ? AND t.purpose = 'bearer'`, hash)
  if (row === null) return err(invalid('unknown_token'))
  if (row.expires !== null && row.expires <= now()) return err(invalid('token_expired'))
  if (row.last_used === null || now() - row.last_used > LAST_USED_PRECISION_MS) {
    sql.write(`UPDATE tokens SET last_used = ? WHERE hash = ?`, now(), hash)
  }
  return alive({ connection: connectionOf(row), actor: `token:${row.token}` })
}

const alive = (authenticated: AuthenticatedConnection): Result<AuthenticatedConnection, AuthFailure> => {
  const closed = closedTo(authenticated.connection)
  return closed === null ? ok(authenticated) : err(closed)
}
