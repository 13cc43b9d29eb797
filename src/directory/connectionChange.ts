import type { TrustedIssuer } from '../auth/trustedIssuer'
import { parsePolicy } from '../policy/document'
import { err, ok, type Result } from '../result'
import type { OauthClient } from './clients'
import { restartPull } from './connectionPull'
import {
  callersObjection, connectionById, connectionFacts, endIssued, nameObjection, refuse, type Connection, type ConnectionConfig, type Refusal,
} from './connections'
import { writeJournal } from './journal'
import { currentPolicy } from './policies'
import { keepSecrets } from './secrets'
import type { Store } from './sql'

/**
 * What an administrator may change of a connection that exists. What names its people's accounts (`address`) is not among it: that
 * would make somebody else of every user at once.
 */
export interface ConnectionChange {
  readonly name?: string
  /** Whether Roles and Entitlements are offered. */
  readonly entitlements?: boolean
  /** Checked by the schema of the kind already. */
  readonly settings?: unknown
  readonly issuers?: readonly TrustedIssuer[]
  /** Null: it is no client of the token endpoint any more. */
  readonly oauth?: OauthClient | null
}

/** A mapping that says which connection it means by its name would mean none: nothing would be given or taken any more. */
const breaksPolicy = (store: Store, id: string, name: string): boolean => {
  const stored = currentPolicy(store)
  if (stored === null) return false
  const before = connectionFacts(store)
  const after = before.map((connection) => (connection.id === id ? { ...connection, name } : connection))
  return parsePolicy(stored.document, { connections: before }).ok && !parsePolicy(stored.document, { connections: after }).ok
}

const kindObjection = (kind: Connection['kind'], { entitlements, issuers, oauth, settings }: ConnectionChange): Refusal | null => {
  if (kind === 'scim') return settings === undefined ? null : refuse(422, 'A connection of the kind "scim" has no settings.')
  if (entitlements !== undefined) return refuse(422, 'Only SCIM clients discover entitlements.')
  return issuers === undefined && oauth === undefined ? null : refuse(422, 'Only SCIM clients have issuers and clients of the token endpoint: change the settings.')
}

const renameObjection = (store: Store, { id, name }: Connection, wanted: string): Refusal | null => {
  if (wanted === name) return null
  return nameObjection(store, id, wanted) ?? (breaksPolicy(store, id, wanted)
    ? refuse(409, `The policy names the connection "${name}", and would no longer be valid. Write its id (${id}) there first: an id survives a new name.`)
    : null)
}

const configAfter = ({ config }: Connection, { entitlements, settings, issuers, oauth }: ConnectionChange): ConnectionConfig => {
  const { oauth: client, ...rest } = config
  const kept = oauth === undefined ? client : (oauth ?? undefined)
  return {
    ...rest,
    ...(entitlements === undefined || entitlements === (config.entitlements === true) ? {} : { entitlements }),
    ...(settings === undefined ? {} : { settings }),
    ...(issuers === undefined ? {} : { issuers }),
    ...(kept === undefined ? {} : { oauth: kept }),
  }
}

const PARTS = ['entitlements', 'settings', 'issuers', 'oauth'] as const

/** Where credentials are sent to. */
const SENT_TO = ['orgUrl', 'loginUrl', 'graphUrl', 'pollUrl']

const hostsIn = (settings: unknown): readonly (string | null)[] => {
  const all = new Map(Object.entries(typeof settings === 'object' && settings !== null ? settings : {}))
  return SENT_TO.map((name) => URL.parse(String(all.get(name)))?.origin ?? null)
}

const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

/** Raises the revision, so that nobody goes on with what was known of the connection before. Nothing happens when nothing changes. */
export const changeConnection = (store: Store, id: string, change: ConnectionChange, actor: string): Result<Connection, Refusal> => {
  const before = connectionById(store, id)
  if (before === null) return err(refuse(404, 'No such connection.'))
  if (before.state === 'removing') return err(refuse(409, 'The connection is being removed.'))
  const { name = before.name } = change
  const config = configAfter(before, change)
  const objection = kindObjection(before.kind, change) ?? renameObjection(store, before, name) ?? callersObjection(store, id, config)
  if (objection !== null) return err(objection)
  const parts = PARTS.filter((part) => !isSame(config[part], before.config[part]))
  const changed = [...(name === before.name ? [] : ['name']), ...parts]
  if (changed.length === 0) return ok(before)
  store.sql.run(`UPDATE connections SET name = ?, config = ?, revision = revision + 1 WHERE id = ?`, name, JSON.stringify(config), id)
  if (parts.includes('oauth')) {
    // Perhaps to whoever is no longer trusted.
    endIssued(store, id)
    if (config.oauth === undefined) store.sql.run(`DELETE FROM tokens WHERE connection_id = ? AND purpose = 'client'`, id)
  }
  // What was given for one host is for no other to have, whoever changes the address.
  if (!isSame(hostsIn(config.settings), hostsIn(before.config.settings))) keepSecrets(store, id, null)
  if (parts.includes('settings')) restartPull(store, before)
  const { entitlements } = config
  writeJournal(store, { kind: 'connection.changed', connectionId: id, actor, data: { changed, ...(parts.includes('entitlements') ? { entitlements } : {}) } })
  const after = connectionById(store, id)
  return after === null ? err(refuse(404, 'No such connection.')) : ok(after)
}
