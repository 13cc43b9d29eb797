/** Users and Groups as rows of a test store, and the same resources as a client sees them. */
import type { TestStore } from '../../directory/memoryStore'
import type { JsonObject } from '../../../src/scim/json'
import { renderGroup, renderUser } from '../../../src/scim/render'
import { readGroup, readUser } from '../../../src/scim/resource'
import type { ResourceType } from '../../../src/scim/schema'
import { groupColumns, storedGroup, storedUser, userColumns } from '../../../src/scim/stored'

export const base = 'http://127.0.0.1/scim/v2'

/** What the tables are filled with. */
export interface World {
  readonly users: readonly JsonObject[]
  readonly groups: readonly JsonObject[]
  /** Index of a group, index of a user. */
  readonly memberships: readonly (readonly [number, number])[]
}

const identity = (id: string, second: number) => {
  const at = new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString()
  return { id, created: at, modified: at, version: second }
}

const insertUser = ({ sql }: TestStore, body: JsonObject, index: number): JsonObject => {
  const user = readUser(body)
  if (!user.ok) throw new Error(user.error.detail)
  const row = identity(`u${index}`, index)
  const columns = userColumns(user.value, row)
  sql.run(
    `INSERT INTO users (id, connection_id, user_name, user_name_fold, external_id, active, email, created, modified, version, data, fold)
     VALUES (?, 'c', ?, ?, ?, ?, NULL, ?, ?, ?, ?, ?)`,
    row.id, columns.userName, `${columns.userNameFold}`, columns.externalId, columns.active, row.created, row.modified, row.version,
    columns.data, columns.fold)
  return storedUser(user.value, row)
}

const insertGroup = ({ sql }: TestStore, body: JsonObject, index: number): JsonObject => {
  const read = readGroup(body)
  if (!read.ok) throw new Error(read.error.detail)
  const row = identity(`g${index}`, index)
  const columns = groupColumns(read.value.group, row)
  sql.run(
    `INSERT INTO groups (id, connection_id, display_name, display_name_fold, external_id, created, modified, version, data, fold)
     VALUES (?, 'c', ?, ?, ?, ?, ?, ?, ?, ?)`,
    row.id, columns.displayName, columns.displayNameFold, columns.externalId, row.created, row.modified, row.version,
    columns.data, columns.fold)
  return storedGroup(read.value.group, row)
}

const display = (resource: JsonObject | undefined): string => String(resource?.displayName ?? resource?.userName ?? '')

/** Fills the tables; the same resources as a client would see them. */
export const build = (store: TestStore, world: World): Readonly<Record<ResourceType, readonly JsonObject[]>> => {
  for (const table of ['group_members', 'users', 'groups']) store.sql.run(`DELETE FROM ${table}`)
  const users = world.users.map((body, index) => insertUser(store, { ...body, userName: `${String(body.userName)}${index}` }, index))
  const groups = world.groups.map((body, index) => insertGroup(store, { ...body, displayName: `${String(body.displayName)}${index}` }, index))
  const pairs = world.memberships.filter(([group, user]) => group < groups.length && user < users.length)
  for (const [group, user] of pairs) {
    store.sql.run(
      `INSERT OR IGNORE INTO group_members (group_seq, user_seq) SELECT g.seq, u.seq FROM groups g, users u WHERE g.id = ? AND u.id = ?`,
      `g${group}`, `u${user}`)
  }
  return {
    User: users.map((user, at) => renderUser(user, {
      base,
      groups: pairs.filter(([, member]) => member === at).map(([group]) => ({ value: `g${group}`, display: display(groups[group]) })),
    })),
    Group: groups.map((group, at) => renderGroup(group, {
      base,
      members: pairs.filter(([of]) => of === at).map(([, member]) => ({ value: `u${member}`, display: display(users[member]) })),
    })),
  }
}
