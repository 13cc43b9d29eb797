import { invalid, type AuthFailure } from '../auth/failure'
import type { IssuerOfConnection, TrustedIssuer } from '../auth/trustedIssuer'
import { sharedCallers } from '../auth/trustedIssuer'
import type { ConnectionKind, EventKind } from '../change'
import { err, ok, type Result } from '../result'
import { writeJournal } from './journal'
import type { Row, Store } from './sql'

/** Channels of identity providers to this tenant, their tokens and the issuers that they trust. */

export interface ConnectionConfig {
  /** What names a user's Arize account: the e-mail (design section 10.1), or always the userName. */
  readonly address: 'email' | 'userName'
  readonly issuers: readonly TrustedIssuer[]
  /** Whether what the policy offers is shown as Roles and Entitlements. Off when absent: Okta locks the editing of attributes with it. */
  readonly entitlements?: boolean
  /** What the kind of the connection asks for beside: its own schema has checked it. */
  readonly settings?: unknown
}

export interface Connection {
  readonly id: string
  readonly kind: ConnectionKind
  readonly name: string
  /** The provider behind it. Connections of one provider share it. */
  readonly source: string
  readonly state: 'active' | 'paused'
  readonly config: ConnectionConfig
  readonly revision: number
  readonly createdAt: string
  readonly lastEventAt: string | null
}

interface ConnectionRow extends Row {
  id: string
  kind: ConnectionKind
  name: string
  source: string
  state: 'active' | 'paused'
  config: string
  revision: number
  created: number
  last_event: number | null
}

const COLUMNS = 'id, kind, name, source, state, config, revision, created, last_event'
const COLUMNS_OF_C = COLUMNS.replaceAll(/\w+/g, 'c.$&')

/** Every request reads one and hardly any changes one: each text is parsed once. */
const parsedConfigs = new Map<string, ConnectionConfig>()

const MAX_PARSED = 100

const configOf = (text: string): ConnectionConfig => {
  const known = parsedConfigs.get(text)
  if (known !== undefined) return known
  const config = JSON.parse(text) as ConnectionConfig
  if (parsedConfigs.size >= MAX_PARSED) parsedConfigs.clear()
  parsedConfigs.set(text, config)
  return config
}

const connectionOf = (row: ConnectionRow): Connection => ({
  id: row.id, kind: row.kind, name: row.name, source: row.source, state: row.state,
  config: configOf(row.config), revision: row.revision,
  createdAt: new Date(row.created).toISOString(),
  lastEventAt: row.last_event === null ? null : new Date(row.last_event).toISOString(),
})

export const listConnections = ({ sql }: Pick<Store, 'sql'>): Connection[] =>
  sql.rows<ConnectionRow>(`SELECT ${COLUMNS} FROM connections ORDER BY created, id`).map(connectionOf)

export const connectionById = ({ sql }: Pick<Store, 'sql'>, id: string): Connection | null => {
  const row = sql.one<ConnectionRow>(`SELECT ${COLUMNS} FROM connections WHERE id = ?`, id)
  return row === null ? null : connectionOf(row)
}

/** What the policy may name. `created` is milliseconds since 1970. */
export interface ConnectionFact extends Row {
  readonly id: string
  readonly name: string
  readonly source: string
  readonly created: number
}

export const connectionFacts = ({ sql }: Pick<Store, 'sql'>): ConnectionFact[] =>
  sql.rows<ConnectionFact>(`SELECT id, name, source, created FROM connections ORDER BY created, id`)

export interface NewConnection {
  readonly kind: ConnectionKind
  readonly name: string
  readonly source: string
  readonly config: ConnectionConfig
}

/** A request of an administrator that cannot be met, in a sentence. `status` is the HTTP status that says so. */
export interface Refusal {
  readonly kind: 'refusal'
  readonly status: 400 | 404 | 409 | 422
  readonly sentence: string
}

export const refuse = (status: Refusal['status'], sentence: string): Refusal => ({ kind: 'refusal', status, sentence })

export const createConnection = (store: Store, wanted: NewConnection, actor: string, id = store.newId()): Result<Connection, Refusal> => {
  const { sql, now } = store
  if (sql.one(`SELECT 1 AS one FROM connections WHERE name = ?`, wanted.name) !== null) {
    return err(refuse(409, `There is a connection named "${wanted.name}" already.`))
  }
  const issuers = [...listIssuers(store), ...wanted.config.issuers.map((issuer) => ({ ...issuer, connectionId: id }))]
  const shared = sharedCallers(issuers)[0]
  if (shared !== undefined) {
    return err(refuse(409, `Caller "${shared.caller}" of issuer ${shared.issuer} belongs to another connection already; each caller may belong to one only.`))
  }
  sql.run(
    `INSERT INTO connections (id, kind, name, source, state, config, revision, created) VALUES (?, ?, ?, ?, 'active', ?, 1, ?)`,
    id, wanted.kind, wanted.name, wanted.source, JSON.stringify(wanted.config), now())
  writeJournal(store, { kind: 'connection.created', connectionId: id, actor, data: { kind: wanted.kind } })
  const made = connectionById(store, id)
  return made === null ? err(refuse(404, 'No such connection.')) : ok(made)
}

export const listIssuers = (store: Pick<Store, 'sql'>): IssuerOfConnection[] =>
  listConnections(store).flatMap(({ id, config }) => config.issuers.map((issuer) => ({ ...issuer, connectionId: id })))

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
  readonly revisions: Readonly<Record<string, number>>
}

const EVENT_KINDS: ReadonlySet<string> = new Set<EventKind>(['okta-event-hook', 'universal-logout', 'security-events', 'graph', 'event-grid'])

const isEventKind = (kind: ConnectionKind): kind is EventKind => EVENT_KINDS.has(kind)

export const trustOf = (store: Pick<Store, 'sql'>): Trust => ({
  issuers: listIssuers(store),
  events: listConnections(store).flatMap(({ id, kind, config }) => (isEventKind(kind) ? [{ id, kind, settings: config.settings }] : [])),
  revisions: Object.fromEntries(listConnections(store).map(({ id, revision }) => [id, revision])),
})

export interface TokenFact {
  readonly id: string
  readonly createdAt: string
  readonly expiresAt: string | null
  readonly lastUsedAt: string | null
}

/** Two tokens may live side by side, so that one can be rotated without a gap. */
const MAX_LIVE_TOKENS = 2

const LIVE = `connection_id = ? AND (expires IS NULL OR expires > ?)`

export const listTokens = ({ sql, now }: Pick<Store, 'sql' | 'now'>, connectionId: string): TokenFact[] =>
  sql
    .rows<{ id: string; created: number; expires: number | null; last_used: number | null }>(
      `SELECT id, created, expires, last_used FROM tokens WHERE ${LIVE} ORDER BY created`, connectionId, now())
    .map((row) => ({
      id: row.id, createdAt: new Date(row.created).toISOString(),
      expiresAt: row.expires === null ? null : new Date(row.expires).toISOString(),
      lastUsedAt: row.last_used === null ? null : new Date(row.last_used).toISOString(),
    }))

/** Stores the hash of a token. The token itself is shown once by the caller and never kept. */
export const createToken = (
  store: Store,
  connectionId: string,
  hash: string,
  expiresAt: number | null,
  actor: string,
): Result<TokenFact, Refusal> => {
  const { sql, now, newId } = store
  if (connectionById(store, connectionId) === null) return err(refuse(404, 'No such connection.'))
  sql.run(`DELETE FROM tokens WHERE connection_id = ? AND expires <= ?`, connectionId, now())
  if (listTokens(store, connectionId).length >= MAX_LIVE_TOKENS) {
    return err(refuse(409, `This connection has ${MAX_LIVE_TOKENS} live tokens already: delete the one that is no longer used first.`))
  }
  const id = newId()
  sql.run(`INSERT INTO tokens (hash, id, connection_id, created, expires) VALUES (?, ?, ?, ?, ?)`, hash, id, connectionId, now(), expiresAt)
  writeJournal(store, { kind: 'token.created', connectionId, actor, data: { token: id } })
  const made = listTokens(store, connectionId).find((token) => token.id === id)
  return made === undefined ? err(refuse(422, 'The expiry date lies in the past.')) : ok(made)
}

export const deleteToken = (store: Store, connectionId: string, tokenId: string, actor: string): Result<void, Refusal> => {
  const gone = store.sql.run(`DELETE FROM tokens WHERE connection_id = ? AND id = ?`, connectionId, tokenId)
  if (gone === 0) return err(refuse(404, 'No such token.'))
  writeJournal(store, { kind: 'token.deleted', connectionId, actor, data: { token: tokenId } })
  return ok(undefined)
}

/** Whether a secret with this hash is the connection's now: for events that each bring their own. */
export const hasSecret = ({ sql, now }: Pick<Store, 'sql' | 'now'>, connectionId: string, hash: string): boolean =>
  sql.one(`SELECT 1 AS one FROM tokens WHERE hash = ? AND ${LIVE}`, hash, connectionId, now()) !== null

/** Who calls, as far as the Worker could tell: the hash of a token, or the claims that it verified. */
export type ScimCredential =
  | { readonly kind: 'token'; readonly hash: string }
  | { readonly kind: 'verified'; readonly connectionId: string; readonly revision: number; readonly caller: string }
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
  }
}

/** A connection whose events are proven one by one. */
export const named = (store: Store, connectionId: string): Result<AuthenticatedConnection, AuthFailure> => {
  const connection = connectionById(store, connectionId)
  return connection === null ? err(invalid('unknown_token')) : alive({ connection, actor: connection.kind })
}

const noteEvent = ({ sql, now }: Store, { id, lastEventAt }: Connection): void => {
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
     FROM tokens t JOIN connections c ON c.id = t.connection_id WHERE t.hash = ?`, hash)
  if (row === null) return err(invalid('unknown_token'))
  if (row.expires !== null && row.expires <= now()) return err(invalid('token_expired'))
  if (row.last_used === null || now() - row.last_used > LAST_USED_PRECISION_MS) {
    sql.write(`UPDATE tokens SET last_used = ? WHERE hash = ?`, now(), hash)
  }
  return alive({ connection: connectionOf(row), actor: `token:${row.token}` })
}

const alive = (authenticated: AuthenticatedConnection): Result<AuthenticatedConnection, AuthFailure> =>
  authenticated.connection.state === 'paused' ? err(invalid('connection_paused')) : ok(authenticated)
