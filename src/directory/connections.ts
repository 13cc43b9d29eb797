import type { IssuerOfConnection, TrustedIssuer } from '../auth/trustedIssuer'
import { sharedCallers } from '../auth/trustedIssuer'
import type { ConnectionKind } from '../change'
import { err, ok, type Result } from '../result'
import type { OauthClient } from './clients'
import { writeJournal } from './journal'
import type { Row, Store } from './sql'

/** Channels of identity providers to this tenant, and the issuers that they trust. */

export interface ConnectionConfig {
  /** What names a user's Arize account: the e-mail (design section 10.1), or always the userName. */
  readonly address: 'email' | 'userName'
  readonly issuers: readonly TrustedIssuer[]
  /** Whether what the policy offers is shown as Roles and Entitlements. Off when absent: Okta locks the editing of attributes with it. */
  readonly entitlements?: boolean
  /** What the kind of the connection asks for beside: its own schema has checked it. */
  readonly settings?: unknown
  /** The client of the token endpoint that this SCIM connection is, if it is one. */
  readonly oauth?: OauthClient
  /** Where a provider that is subscribed to sends its notifications. */
  readonly notificationUrl?: string
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
  /** Rises on rotate, pause and delete: tokens that the bridge issued before die with it. */
  readonly generation: number
  readonly createdAt: string
  readonly lastEventAt: string | null
  readonly lastError: string | null
}

export interface ConnectionRow extends Row {
  id: string
  kind: ConnectionKind
  name: string
  source: string
  state: 'active' | 'paused'
  config: string
  revision: number
  generation: number
  created: number
  last_event: number | null
  last_error: string | null
}

export const COLUMNS = 'id, kind, name, source, state, config, revision, generation, created, last_event, last_error'

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

export const connectionOf = (row: ConnectionRow): Connection => ({
  id: row.id, kind: row.kind, name: row.name, source: row.source, state: row.state,
  config: configOf(row.config), revision: row.revision, generation: row.generation, lastError: row.last_error,
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
