import { primaryAddress } from '../scim/address'
import { uniqueness, type ScimError } from '../scim/error'
import type { ScimUser } from '../scim/resource'
import { userColumns, type Identity, type UserColumns } from '../scim/stored'
import { foldText } from '../scim/text'
import { err, ok, type Result } from '../result'
import { bumpGroupsOf } from './groups'
import { userChanged, type UserState } from './identity'
import { someIds, writeJournal } from './journal'
import { removeFromGroups } from './members'
import { count } from './meta'
import { changedAttributes, checkSize, excerpt, laterOf, type Stored } from './resources'
import type { ScimContext } from './scimCommand'
import { noteActivity, stoppedBySibling, tellSiblings } from './siblings'
import type { Row } from './sql'
import { markUsers } from './subjects'

/** Users as rows: created, changed and deleted, each with what it means for the person behind it. */

export interface CurrentUser extends Stored {
  /** The wire JSON but for `meta.location` and `groups`. */
  readonly user: ScimUser
}

export interface StoredUser extends CurrentUser {
  readonly created: string
  readonly modified: string
  readonly state: UserState
  readonly held: boolean
  /** When another connection of the source said that the person is inactive (ms), or null. */
  readonly stopped: number | null
}

interface UserRow extends Row {
  id: string
  external_id: string | null
  active: number
  email: string | null
  hold: string | null
  stopped: number | null
  created: string
  modified: string
  version: number
  data: string
}

/** Total of one connection's users, kept so that a list need not count them. */
export const usersCounter = (connectionId: string): string => `users:${connectionId}`

/** A user of this connection; the others' do not exist. */
export const findUser = ({ store, connection }: ScimContext, id: string): StoredUser | null => {
  const row = store.sql.one<UserRow>(
    `SELECT id, external_id, active, email, hold, stopped, created, modified, version, data FROM users WHERE id = ? AND connection_id = ?`,
    id, connection.id)
  if (row === null) return null
  const { version, created, modified, stopped } = row
  const active = row.active === 1 && stopped === null
  return {
    id, version, created, modified, stopped,
    user: JSON.parse(row.data) as ScimUser,
    state: { id, connectionId: connection.id, externalId: row.external_id, active, address: row.email },
    held: row.hold !== null,
  }
}

/** 409 when another user of the connection has the name, 413 when the row would be too large. */
const checkColumns = ({ store, connection }: ScimContext, columns: UserColumns, before: StoredUser | null): ScimError | null => {
  const isOwnName = before !== null && foldText(before.user.userName) === columns.userNameFold
  const twin = isOwnName ? null : store.sql.one(
    `SELECT 1 AS one FROM users WHERE connection_id = ? AND user_name_fold = ?`, connection.id, columns.userNameFold)
  if (twin !== null) return uniqueness(`A User with the userName "${excerpt(columns.userName)}" exists already.`)
  return checkSize('User', [columns.userName, columns.userNameFold, columns.externalId, columns.data, columns.fold])
}

/** What the user's own connection says; {@link counting} says whether another connection of the source has said otherwise. */
const stateOf = (context: ScimContext, id: string, user: ScimUser, previousAddress: string | null): UserState => ({
  id,
  connectionId: context.connection.id,
  externalId: user.externalId ?? null,
  active: user.active,
  // An address that was cleared stays the person's: clearing never offboards (design section 10.1).
  address: primaryAddress(user, context.connection.address) ?? previousAddress,
})

const counting = (state: UserState, stopped: number | null): UserState => ({ ...state, active: state.active && stopped === null })

const currentOf = ({ id, version }: Identity, columns: UserColumns): CurrentUser => ({
  id, version, user: columns.resource as ScimUser,
})

/** 409 `uniqueness` for a userName that the connection knows already, inactive users included (scim-decisions 18). */
export const createUser = (context: ScimContext, user: ScimUser): Result<CurrentUser, ScimError> => {
  const { store, connection, actor } = context
  const time = new Date(store.now()).toISOString()
  const identity: Identity = { id: store.newId(), created: time, modified: time, version: 1 }
  const { id } = identity
  const columns = userColumns(user, identity)
  const fault = checkColumns(context, columns, null)
  if (fault !== null) return err(fault)
  const said = stateOf(context, id, user, null)
  const stopped = said.active ? stoppedBySibling(store, connection.id, said) : null
  const state = counting(said, stopped)
  store.sql.write(
    `INSERT INTO users (
       id, connection_id, user_name, user_name_fold, external_id, active, email, created, modified, version, data, fold, stopped)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    id, connection.id, columns.userName, columns.userNameFold, columns.externalId, columns.active, state.address, time, time, 1,
    columns.data, columns.fold, stopped)
  count(store, usersCounter(connection.id), 0, 1)
  writeJournal(store, {
    kind: 'scim.create', subject: state.address, connectionId: connection.id, actor,
    data: { type: 'User', id, attributes: changedAttributes({}, user) },
  })
  userChanged(store, { before: null, after: state, actor, how: 'deactivated' })
  if (!said.active) tellSiblings(store, { ...said, actor })
  if (said.active && stopped === null) noteActivity(store, said, user.userName, true)
  return ok(currentOf(identity, columns))
}

const isSameState = (a: UserState, b: UserState): boolean =>
  a.active === b.active && a.externalId === b.externalId && a.address === b.address

/** Whether every column that has an index is as it was. Then none of them is touched. */
const hasSameNames = (before: StoredUser, user: ScimUser, { externalId, address }: UserState): boolean =>
  before.user.userName === user.userName && before.state.externalId === externalId && before.state.address === address

/** What mappings by `entitlement` look at. */
const ENTITLING: ReadonlySet<string> = new Set(['entitlements', 'roles'])

/** Stores what a PUT or PATCH made of the user. 409 and 413 as for a new one. */
export const changeUser = (
  context: ScimContext, before: StoredUser, user: ScimUser, kind: 'scim.replace' | 'scim.patch',
): Result<CurrentUser, ScimError> => {
  const { store, connection, actor } = context
  const { id, created } = before
  const identity: Identity = { id, created, modified: laterOf(before.modified, store.now()), version: before.version + 1 }
  const columns = userColumns(user, identity)
  const fault = checkColumns(context, columns, before)
  if (fault !== null) return err(fault)
  const said = stateOf(context, id, user, before.state.address)
  // Becoming active is news; still being active is none.
  const isTransition = user.active !== before.user.active
  const stopped = isTransition ? null : before.stopped
  const state = counting(said, stopped)
  store.sql.write(
    `UPDATE users SET active = ?, modified = ?, version = ?, data = ?, fold = ? WHERE id = ?`,
    columns.active, identity.modified, identity.version, columns.data, columns.fold, id)
  if (stopped !== before.stopped) store.sql.write(`UPDATE users SET stopped = ? WHERE id = ?`, stopped, id)
  if (!hasSameNames(before, user, state)) {
    store.sql.write(
      `UPDATE users SET user_name = ?, user_name_fold = ?, external_id = ?, email = ? WHERE id = ?`,
      columns.userName, columns.userNameFold, columns.externalId, state.address, id)
  }
  const attributes = changedAttributes(before.user, user)
  writeJournal(store, {
    kind, subject: state.address, connectionId: connection.id, actor, data: { type: 'User', id, attributes },
  })
  if (!isSameState(before.state, state)) {
    userChanged(store, { before: { ...before.state, held: before.held }, after: state, actor, how: 'deactivated' })
  }
  if (isTransition) {
    tellSiblings(store, { ...said, actor })
    noteActivity(store, said, user.userName)
  }
  if (state.active && attributes.some((name) => ENTITLING.has(name))) markUsers(store, [id], 'quiet')
  return ok(currentOf(identity, columns))
}

/** Every address that counted on the user leaves, and so does the user from every group. */
export const deleteUser = (context: ScimContext, user: StoredUser): void => {
  const { store, connection, actor } = context
  const groups = bumpGroupsOf(store, user.id)
  removeFromGroups(store, user.id)
  store.sql.write(`DELETE FROM users WHERE id = ?`, user.id)
  count(store, usersCounter(connection.id), 0, -1)
  writeJournal(store, {
    kind: 'scim.delete', subject: user.state.address, connectionId: connection.id, actor,
    data: { type: 'User', id: user.id, ...(groups.length === 0 ? {} : { groups: someIds(groups) }) },
  })
  userChanged(store, { before: { ...user.state, held: user.held }, after: null, actor, how: 'deleted' })
  tellSiblings(store, { ...user.state, active: false, actor })
  noteActivity(store, { ...user.state, active: false }, user.user.userName)
}
