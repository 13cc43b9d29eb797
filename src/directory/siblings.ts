import { userChanged, type UserState } from './identity'
import { writeJournal } from './journal'
import type { Row, Store } from './sql'
import { nameOf, statementOf } from './statements'

/**
 * Connections of one source tell of the same people. A deactivation told by any of them holds for the users of all until the
 * source says that the person has become active again; that somebody still is active says nothing (design section 10.1).
 */

/** A person as the tables know them. */
export interface PersonKey {
  readonly externalId: string | null
  /** Folded. */
  readonly address: string | null
}

interface SiblingRow extends Row {
  id: string
  connection_id: string
  external_id: string | null
  active: number
  email: string | null
  hold: string | null
  stopped: number | null
}

const COLUMNS = 'id, connection_id, external_id, active, email, hold, stopped'

/** All connections of the connection's source, itself included. */
export const connectionsOfSource = ({ sql }: Pick<Store, 'sql'>, connectionId: string): string[] =>
  sql
    .rows<{ id: string }>(
      `SELECT o.id AS id FROM connections c JOIN connections o ON o.source = c.source WHERE c.id = ? ORDER BY o.created, o.id`, connectionId)
    .map(({ id }) => id)

/** Ids whose form says which provider gave them: Okta's users, and the object ids of Entra. */
const ID_FORMS = [/^00u[A-Za-z0-9]{17}$/, /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i]

/** Whether two ids are of two people: both of one provider's form. Of others nobody can tell, since a client may use ids of its own. */
const areOfTwo = (a: string | null, b: string | null): boolean =>
  a !== null && b !== null && a.toLowerCase() !== b.toLowerCase() && ID_FORMS.some((form) => form.test(a) && form.test(b))

/**
 * The user that one connection has of a person: by the provider's id, and by address only where the connection knows no such
 * id, and the user is not somebody else by theirs, since an address may have had another owner before.
 */
export const findPerson = ({ sql }: Pick<Store, 'sql'>, connectionId: string, { externalId, address }: PersonKey): SiblingRow | null => {
  const byId = externalId === null ? null : sql.one<SiblingRow>(
    `SELECT ${COLUMNS} FROM users WHERE connection_id = ? AND external_id = ? ORDER BY active DESC, seq LIMIT 1`, connectionId, externalId)
  if (byId !== null || address === null) return byId
  return sql
    .rows<SiblingRow>(`SELECT ${COLUMNS} FROM users WHERE email = ? AND connection_id = ? ORDER BY active DESC, seq LIMIT ${MOST_OF_ONE_ADDRESS}`, address, connectionId)
    .find((row) => !areOfTwo(row.external_id, externalId)) ?? null
}

const MOST_OF_ONE_ADDRESS = 20

/**
 * The addresses whose accounts are the person's: what cannot be given back is done to nobody else's. One that is held, or that
 * somebody else of the source has now, is not theirs.
 */
export const addressesOf = (store: Pick<Store, 'sql'>, connectionId: string, person: PersonKey): string[] => {
  const connections = connectionsOfSource(store, connectionId)
  const isTheirs = (row: SiblingRow): boolean =>
    row.hold === null && !store.sql
      .rows<SiblingRow>(`SELECT ${COLUMNS} FROM users WHERE email = ? AND active = 1 AND stopped IS NULL AND hold IS NULL ORDER BY seq LIMIT ${MOST_OF_ONE_ADDRESS}`, row.email)
      .some((other) => (other.connection_id === row.connection_id ? other.id !== row.id
        : connections.includes(other.connection_id) && areOfTwo(other.external_id, row.external_id)))
  const rows = connections.flatMap((id) => findPerson(store, id, person) ?? [])
  return [...new Set(rows.flatMap((row) => (row.email !== null && isTheirs(row) ? [row.email] : [])))]
}

const stateOf = (row: SiblingRow, active: boolean): UserState => ({
  id: row.id, connectionId: row.connection_id, externalId: row.external_id, active, address: row.email,
})

export interface Told extends PersonKey {
  readonly connectionId: string
  /** Whether the person became active or inactive. */
  readonly active: boolean
  readonly actor: string
}

const stop = (store: Store, row: SiblingRow, actor: string): void => {
  if (row.active === 0 || row.stopped !== null) return
  store.sql.run(`UPDATE users SET stopped = ? WHERE id = ?`, store.now(), row.id)
  writeJournal(store, { kind: 'identity.stopped', subject: row.email, connectionId: row.connection_id, actor, data: { user: row.id } })
  userChanged(store, { before: { ...stateOf(row, true), held: row.hold !== null }, after: stateOf(row, false), actor, how: 'deactivated' })
}

const resume = (store: Store, row: SiblingRow, actor: string): void => {
  if (row.stopped === null) return
  store.sql.run(`UPDATE users SET stopped = NULL WHERE id = ?`, row.id)
  writeJournal(store, { kind: 'identity.resumed', subject: row.email, connectionId: row.connection_id, actor, data: { user: row.id } })
  if (row.active === 0) return
  userChanged(store, { before: { ...stateOf(row, false), held: row.hold !== null }, after: stateOf(row, true), actor, how: 'deactivated' })
}

/** Carries what one connection told to the users that the source's other connections have. Returns how many of them there are. */
export const tellSiblings = (store: Store, { connectionId, active, actor, ...person }: Told): number => {
  const known = connectionsOfSource(store, connectionId).flatMap((id) => {
    const row = id === connectionId && !active ? null : findPerson(store, id, person)
    return row === null ? [] : [row]
  })
  for (const row of known) {
    if (active) resume(store, row, actor)
    else stop(store, row, actor)
  }
  return known.filter((row) => row.connection_id !== connectionId).length
}

/**
 * What a SCIM client said of a person's activity, beside what event connections say: an event that comes late must not undo it.
 * A client that makes a user repeats what it knows, which says something only where it had said the opposite.
 */
export const noteActivity = (store: Pick<Store, 'sql' | 'now'>, { connectionId, externalId, active }: UserState, userName: string, isRepeated = false): void => {
  store.sql.run(
    `INSERT INTO statements (connection_id, key, at, gives) SELECT c.id, ?2, ?3, ?4 FROM connections c
     WHERE c.id = ?1 AND c.kind = 'scim' AND EXISTS (SELECT 1 FROM connections o WHERE o.source = c.source AND o.id <> c.id)
       AND (?5 = 0 OR EXISTS (SELECT 1 FROM statements s WHERE s.connection_id = ?1 AND s.key = ?2 AND s.gives = 0))
     ON CONFLICT (connection_id, key) DO UPDATE SET at = excluded.at, gives = excluded.gives`,
    connectionId, `active ${nameOf({ id: externalId, userName })}`, store.now(), active ? 1 : 0, isRepeated ? 1 : 0)
}

/** When another connection of the source has said that the person is inactive (ms), so that a user made now does not count; else null. */
export const stoppedBySibling = (store: Store, connectionId: string, person: PersonKey): number | null => {
  for (const id of connectionsOfSource(store, connectionId)) {
    if (id === connectionId) continue
    const row = findPerson(store, id, person)
    if (row !== null && (row.active === 0 || row.stopped !== null)) return row.stopped ?? store.now()
    const told = person.externalId === null ? null : statementOf(store, id, `active ${person.externalId}`)
    if (told !== null && !told.gives) return told.at
  }
  return null
}

/** An administrator says that the person is active, whatever was told. Returns whether anything held them. */
export const resumePerson = (store: Store, address: string, actor: string): boolean => {
  const rows = store.sql.rows<SiblingRow>(`SELECT ${COLUMNS} FROM users WHERE email = ? AND stopped IS NOT NULL ORDER BY seq LIMIT 50`, address)
  for (const row of rows) resume(store, row, actor)
  return rows.length > 0
}
