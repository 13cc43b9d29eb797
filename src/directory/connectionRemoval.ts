import { err, ok, type Result } from '../result'
import { meansConnection } from '../policy/rules'
import { connectionById, connectionFacts, refuse, type Connection, type Refusal } from './connections'
import { groupsCounter } from './groups'
import { userChanged } from './identity'
import { writeJournal } from './journal'
import { removeFromGroups } from './members'
import { changeRules, clearTimer, count, moveTimer, type Timer } from './meta'
import { currentPolicy } from './policies'
import type { Row, Store } from './sql'
import { usersCounter } from './users'

/**
 * Deletion of a connection: closed at once, then everything that it told is taken away in slices by a timer, which goes on after
 * a crash. Nobody has said that its people left, so nobody becomes a leaver: what only this connection's groups gave goes
 * under the brake, API keys stay, and other connections' users of the same people go on counting (design section 10.2).
 */

const USERS_PER_SLICE = 500
const ROWS_PER_SLICE = 2_000

interface Progress {
  readonly actor: string
  readonly users: number
  readonly groups: number
}

/** The ids of the mappings that say they mean this connection. They would mean nothing without it. */
export const mappingsNaming = (store: Pick<Store, 'sql'>, connection: Pick<Connection, 'id' | 'name'>): readonly string[] => {
  const document = currentPolicy(store)?.document
  const mappings: unknown = typeof document === 'object' && document !== null && 'mappings' in document ? document.mappings : []
  const others = connectionFacts(store).filter(({ id }) => id !== connection.id)
  return (Array.isArray(mappings) ? mappings : []).flatMap((mapping: unknown) => {
    if (typeof mapping !== 'object' || mapping === null || !('connection' in mapping) || typeof mapping.connection !== 'string') return []
    const written = mapping.connection
    const isNamed = meansConnection(written, connection) && !others.some(({ id }) => id === written)
    return isNamed ? ['id' in mapping && typeof mapping.id === 'string' ? mapping.id : written] : []
  })
}

const quoted = (ids: readonly string[]): string => ids.slice(0, 5).map((id) => `"${id}"`).join(', ')

/** `confirm`: the name of the connection, typed by the administrator. */
export const removeConnection = (store: Store, id: string, confirm: string, actor: string): Result<Connection, Refusal> => {
  const { sql } = store
  const connection = connectionById(store, id)
  if (connection === null) return err(refuse(404, 'No such connection.'))
  if (connection.state === 'removing') return ok(connection)
  if (confirm !== connection.name) return err(refuse(422, `Type the name of the connection to confirm: "${connection.name}".`))
  const mappings = mappingsNaming(store, connection)
  if (mappings.length > 0) return err(refuse(409, `The policy names this connection (mappings ${quoted(mappings)}): change them first.`))
  sql.run(`UPDATE connections SET state = 'removing', revision = revision + 1, generation = generation + 1, secrets = NULL, last_error = NULL WHERE id = ?`, id)
  for (const table of ['tokens', 'refreshes', 'pulls', 'polls']) sql.run(`DELETE FROM ${table} WHERE connection_id = ?`, id)
  const progress: Progress = { actor, users: 0, groups: 0 }
  moveTimer(store, 'removal', store.now(), JSON.stringify(progress), id)
  writeJournal(store, { kind: 'connection.removing', connectionId: id, actor, data: { kind: connection.kind, name: connection.name } })
  const removing = connectionById(store, id)
  return removing === null ? err(refuse(404, 'No such connection.')) : ok(removing)
}

interface UserRow extends Row {
  id: string
  connection_id: string
  external_id: string | null
  email: string | null
  /** Whether its own connection says so and no other of the source has said otherwise. */
  active: number
  hold: string | null
}

const USER_COLUMNS = 'id, connection_id, external_id, email, (active = 1 AND stopped IS NULL) AS active, hold'

const takeUser = (store: Store, row: UserRow, actor: string): void => {
  removeFromGroups(store, row.id)
  store.sql.write(`DELETE FROM users WHERE id = ?`, row.id)
  const state = { id: row.id, connectionId: row.connection_id, externalId: row.external_id, active: row.active === 1, address: row.email }
  userChanged(store, { before: { ...state, held: row.hold !== null }, after: null, actor, how: 'disconnected' })
}

/** Takes a connection's users of some people away. For whoever wants to see what follows, in a transaction that is undone. */
export const takeUsersOf = (store: Store, connectionId: string, addresses: readonly string[], actor: string): void => {
  const rows = store.sql.rows<UserRow>(
    `SELECT ${USER_COLUMNS} FROM users WHERE connection_id = ? AND email IN (SELECT value FROM json_each(?)) ORDER BY seq`,
    connectionId, JSON.stringify(addresses))
  for (const row of rows) takeUser(store, row, actor)
}

const takeUsers = (store: Store, id: string, actor: string): number => {
  const rows = store.sql.rows<UserRow>(`SELECT ${USER_COLUMNS} FROM users WHERE connection_id = ? ORDER BY seq LIMIT ${USERS_PER_SLICE}`, id)
  for (const row of rows) takeUser(store, row, actor)
  if (rows.length > 0) count(store, usersCounter(id), 0, -rows.length)
  return rows.length
}

/** Groups have no members any more: only users of their own connection can be. */
const takeGroups = (store: Store, id: string): number => {
  const taken = store.sql.run(
    `DELETE FROM groups WHERE seq IN (SELECT seq FROM groups WHERE connection_id = ? ORDER BY seq LIMIT ${ROWS_PER_SLICE})`, id)
  if (taken > 0) count(store, groupsCounter(id), 0, -taken)
  return taken
}

/** What else is kept of the connection, by the key of its table. */
const REST: readonly (readonly [table: string, key: string])[] = [
  ['statements', 'connection_id, key'], ['deliveries', 'connection_id, event_id'], ['pulled', 'connection_id, kind, parent, id'],
]

const takeRest = ({ sql }: Store, id: string): number =>
  REST.reduce((taken, [table, key]) =>
    taken + sql.run(`DELETE FROM ${table} WHERE (${key}) IN (SELECT ${key} FROM ${table} WHERE connection_id = ? LIMIT ${ROWS_PER_SLICE})`, id), 0)

const finish = (store: Store, id: string, { actor, users, groups }: Progress): void => {
  const { sql } = store
  const name = connectionById(store, id)?.name ?? id
  for (const table of ['tokens', 'refreshes', 'pulls', 'polls']) sql.run(`DELETE FROM ${table} WHERE connection_id = ?`, id)
  sql.run(`DELETE FROM counters WHERE name IN (?, ?)`, usersCounter(id), groupsCounter(id))
  sql.run(`DELETE FROM connections WHERE id = ?`, id)
  clearTimer(store, 'removal', id)
  writeJournal(store, { kind: 'connection.deleted', connectionId: id, actor, data: { name, users, groups } })
  // With one source less, mappings that name none may mean other groups than before.
  changeRules(store)
}

/** Takes the next slice away. Synchronous, and so whole or not at all. */
export const removeSlice = (store: Store, { key: id, cursor }: Pick<Timer, 'key' | 'cursor'>): void => {
  const progress = JSON.parse(cursor ?? '{"actor":"","users":0,"groups":0}') as Progress
  const goOn = (next: Progress): void => moveTimer(store, 'removal', store.now(), JSON.stringify(next), id)
  const users = takeUsers(store, id, progress.actor)
  if (users > 0) return goOn({ ...progress, users: progress.users + users })
  const groups = takeGroups(store, id)
  if (groups > 0) return goOn({ ...progress, groups: progress.groups + groups })
  return takeRest(store, id) > 0 ? goOn(progress) : finish(store, id, progress)
}
