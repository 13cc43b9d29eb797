import type { IssuerOfConnection, TrustedIssuer } from '../auth/trustedIssuer'
import { sharedCallers } from '../auth/trustedIssuer'
import type { ConnectionKind } from '../change'
import { invalid, type AuthFailure } from '../auth/failure'
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

/** `removing`: nobody is let in, and what the connection told is being taken away. */
export type ConnectionState = 'active' | 'paused' | 'removing'

export interface Connection {
  readonly id: string
  readonly kind: ConnectionKind
  readonly name: string
  /** The provider behind it. Connections of one provider share it. */
  readonly source: string
  readonly state: ConnectionState
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
  state: ConnectionState
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

/** Those that a new policy may name. */
export const namableConnections = ({ sql }: Pick<Store, 'sql'>): ConnectionFact[] =>
  sql.rows<ConnectionFact>(`SELECT id, name, source, created FROM connections WHERE state <> 'removing' ORDER BY created, id`)

export interface NewConnection {
  readonly kind: ConnectionKind
  readonly name: string
  readonly source: string
  /** Without an `address`: as the source's first connection has it. */
  readonly config: Omit<ConnectionConfig, 'address'> & { readonly address?: ConnectionConfig['address'] }
}

/** A request of an administrator that cannot be met, in a sentence. `status` is the HTTP status that says so. */
export interface Refusal {
  readonly kind: 'refusal'
  readonly status: 400 | 404 | 409 | 422
  readonly sentence: string
}

export const refuse = (status: Refusal['status'], sentence: string): Refusal => ({ kind: 'refusal', status, sentence })

/** Why nobody is let in by this connection now; null when callers are. */
export const closedTo = ({ state }: Pick<Connection, 'state'>): AuthFailure | null =>
  state === 'active' ? null : invalid(state === 'paused' ? 'connection_paused' : 'unknown_token')

type Callers = Pick<ConnectionConfig, 'issuers' | 'oauth'>

/** Everybody who is pinned: whoever calls with a token of their issuer, and whoever gets a token of ours for one. */
const pinned = (connectionId: string, { issuers, oauth }: Callers): IssuerOfConnection[] =>
  [...issuers, ...(oauth?.federation ?? [])].map((issuer) => ({ ...issuer, connectionId }))

/** Why these callers cannot be the connection's: each caller, and each client of the token endpoint, belongs to one connection. */
export const callersObjection = (store: Pick<Store, 'sql'>, id: string, callers: Callers): Refusal | null => {
  const others = listConnections(store).filter((other) => other.id !== id && other.state !== 'removing')
  const shared = sharedCallers([...others.flatMap((other) => pinned(other.id, other.config)), ...pinned(id, callers)])[0]
  if (shared !== undefined) {
    return refuse(409, `Caller "${shared.caller}" of issuer ${shared.issuer} belongs to another connection already; each caller may belong to one only.`)
  }
  const clientId = callers.oauth?.clientId
  return clientId !== undefined && others.some(({ config }) => config.oauth?.clientId === clientId)
    ? refuse(409, `Another connection is the client "${clientId}" already.`)
    : null
}

export const nameObjection = ({ sql }: Pick<Store, 'sql'>, id: string, name: string): Refusal | null => {
  const twin = sql.one<{ state: ConnectionState }>(`SELECT state FROM connections WHERE name = ? AND id <> ?`, name, id)
  if (twin === null) return null
  return refuse(409, twin.state === 'removing' ? `The connection named "${name}" is still being removed.` : `There is a connection named "${name}" already.`)
}

/** How the provider's people are named already: two connections of one source must mean the same person. */
const addressOfSource = ({ sql }: Pick<Store, 'sql'>, source: string): ConnectionConfig['address'] | null => {
  const first = sql.one<ConnectionRow>(`SELECT ${COLUMNS} FROM connections WHERE source = ? ORDER BY created, id LIMIT 1`, source)
  return first === null ? null : connectionOf(first).config.address
}

export const createConnection = (store: Store, wanted: NewConnection, actor: string, id = store.newId()): Result<Connection, Refusal> => {
  const { sql, now } = store
  const objection = nameObjection(store, id, wanted.name) ?? callersObjection(store, id, wanted.config)
  if (objection !== null) return err(objection)
  const config: ConnectionConfig = { ...wanted.config, address: wanted.config.address ?? addressOfSource(store, wanted.source) ?? 'email' }
  sql.run(
    `INSERT INTO connections (id, kind, name, source, state, config, revision, created) VALUES (?, ?, ?, ?, 'active', ?, 1, ?)`,
    id, wanted.kind, wanted.name, wanted.source, JSON.stringify(config), now())
  writeJournal(store, { kind: 'connection.created', connectionId: id, actor, data: { kind: wanted.kind, source: wanted.source } })
  const made = connectionById(store, id)
  return made === null ? err(refuse(404, 'No such connection.')) : ok(made)
}

/** The issuers whose tokens open a connection by themselves. */
export const listIssuers = (store: Pick<Store, 'sql'>): IssuerOfConnection[] =>
  listConnections(store)
    .filter(({ state }) => state !== 'removing')
    .flatMap(({ id, config }) => config.issuers.map((issuer) => ({ ...issuer, connectionId: id })))

/** Tokens that the bridge issued to the connection before die: what they were issued for is no more. */
export const endIssued = ({ sql }: Pick<Store, 'sql'>, id: string): void => sql.write(`UPDATE connections SET generation = generation + 1 WHERE id = ?`, id)
