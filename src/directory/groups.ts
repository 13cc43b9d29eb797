import type { GroupFact } from '../policy/mapping'
import { invalidValue, uniqueness, type ScimError } from '../scim/error'
import type { ScimGroup } from '../scim/resource'
import { groupColumns, type GroupColumns, type Identity } from '../scim/stored'
import { foldText } from '../scim/text'
import { err, ok, type Result } from '../result'
import { someIds, writeJournal } from './journal'
import {
  changesMembers, compareMembers, everyoneIn, NO_MEMBER_CHANGE, writeMembers, type MemberChange, type MemberEdit,
} from './members'
import { count } from './meta'
import { changedAttributes, checkSize, excerpt, laterOf, type Stored } from './resources'
import type { ScimContext } from './scimCommand'
import type { Row, Store } from './sql'
import { markMembers } from './subjects'

/** Groups as rows: created, changed and deleted. Their members are rows of their own (members.ts). */

export interface StoredGroup extends Stored {
  /** Where its row is. */
  readonly seq: number
  readonly created: string
  readonly modified: string
  /** The wire JSON but for `meta.location` and `members`. */
  readonly group: ScimGroup
}

interface GroupRow extends Row {
  seq: number
  id: string
  created: string
  modified: string
  version: number
  data: string
}

/** Total of one connection's groups, kept so that a list need not count them. */
export const groupsCounter = (connectionId: string): string => `groups:${connectionId}`

const readRow = ({ seq, id, created, modified, version, data }: GroupRow): StoredGroup => ({
  seq, id, created, modified, version, group: JSON.parse(data) as ScimGroup,
})

/** A group of this connection; the others' do not exist. */
export const findGroup = ({ store, connection }: ScimContext, id: string): StoredGroup | null => {
  const row = store.sql.one<GroupRow>(
    `SELECT seq, id, created, modified, version, data FROM groups WHERE id = ? AND connection_id = ?`, id, connection.id)
  return row === null ? null : readRow(row)
}

/** 409 when another group of the connection has the name (scim-decisions 10), 413 when the row would be too large. */
const checkColumns = ({ store, connection }: ScimContext, columns: GroupColumns, before: StoredGroup | null): ScimError | null => {
  const isOwnName = before !== null && foldText(before.group.displayName) === columns.displayNameFold
  const twin = isOwnName ? null : store.sql.one(
    `SELECT 1 AS one FROM groups WHERE connection_id = ? AND display_name_fold = ?`, connection.id, columns.displayNameFold)
  if (twin !== null) return uniqueness(`A Group with the displayName "${excerpt(columns.displayName)}" exists already.`)
  return checkSize('Group', [columns.displayName, columns.displayNameFold, columns.externalId, columns.data, columns.fold])
}

const storedOf = (seq: number, identity: Identity, columns: GroupColumns): StoredGroup => ({
  seq, ...identity, group: columns.resource as ScimGroup,
})

const excerpts = (ids: readonly string[]): { readonly ids: readonly string[]; readonly count: number } => {
  const some = someIds(ids)
  return { ids: some.ids.map((id) => excerpt(id)), count: some.count }
}

/** What the journal tells of members: nothing about those who stay. */
const memberFacts = ({ added, removed, skipped }: MemberChange): Readonly<Record<string, unknown>> => ({
  ...(added.count === 0 ? {} : { added: { ids: added.ids, count: added.count } }),
  ...(removed.count === 0 ? {} : { removed: { ids: removed.ids, count: removed.count } }),
  ...(skipped.length === 0 ? {} : { skipped: excerpts(skipped) }),
})

/** Returns the place of the row. */
const insertGroup = ({ store, connection }: ScimContext, { id, created, modified, version }: Identity, columns: GroupColumns): number => {
  const row = store.sql.one<{ seq: number }>(
    `INSERT INTO groups (id, connection_id, display_name, display_name_fold, external_id, created, modified, version, data, fold)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING seq`,
    id, connection.id, columns.displayName, columns.displayNameFold, columns.externalId, created, modified, version,
    columns.data, columns.fold)
  if (row === null) throw new Error('a row that was inserted has no place')
  return row.seq
}

/** 409 `uniqueness` for a displayName that the connection has. Members that cannot be are skipped and journalled. */
export const createGroup = (context: ScimContext, group: ScimGroup, edit: MemberEdit): Result<StoredGroup, ScimError> => {
  const { store, connection, actor } = context
  const time = new Date(store.now()).toISOString()
  const identity: Identity = { id: store.newId(), created: time, modified: time, version: 1 }
  const columns = groupColumns(group, identity)
  const fault = checkColumns(context, columns, null)
  if (fault !== null) return err(fault)
  const seq = insertGroup(context, identity, columns)
  const members = compareMembers(store, { connectionId: connection.id, seq }, edit)
  count(store, groupsCounter(connection.id), 0, 1)
  writeMembers(store, seq, members)
  writeJournal(store, {
    kind: 'scim.create', connectionId: connection.id, actor,
    data: { type: 'Group', id: identity.id, attributes: changedAttributes({}, group), ...memberFacts(members) },
  })
  return ok(storedOf(seq, identity, columns))
}

/** A new version of a group whose names are the same, so that no index but the id's is touched. */
const writeVersion = ({ sql }: Pick<Store, 'sql'>, seq: number, { modified, version }: Identity, { data, fold }: GroupColumns): void =>
  sql.write(`UPDATE groups SET modified = ?, version = ?, data = ?, fold = ? WHERE seq = ?`, modified, version, data, fold, seq)

const writeNames = ({ sql }: Pick<Store, 'sql'>, seq: number, { displayName, displayNameFold, externalId }: GroupColumns): void =>
  sql.write(
    `UPDATE groups SET display_name = ?, display_name_fold = ?, external_id = ? WHERE seq = ?`,
    displayName, displayNameFold, externalId, seq)

const hasSameNames = (a: ScimGroup, b: ScimGroup): boolean => a.displayName === b.displayName && a.externalId === b.externalId

const nextOf = ({ id, created, modified, version }: Omit<StoredGroup, 'group' | 'seq'>, now: number): Identity => ({
  id, created, modified: laterOf(modified, now), version: version + 1,
})

const factOf = ({ connection: { id, name } }: ScimContext, { id: group, displayName, externalId }: {
  readonly id: string; readonly displayName: string; readonly externalId?: string
}): GroupFact => ({ id: group, displayName, externalId: externalId ?? null, connection: { id, name } })

/**
 * A group that policies know by another name or externalId now: its people are looked at again. When that takes the group away
 * from a mapping they wait longer, and the brake holds what follows whatever the number (design section 10.3).
 */
const markRenamed = (context: ScimContext, { seq, id, group: before }: StoredGroup, after: ScimGroup): void => {
  const isUnmapped = context.unmaps(factOf(context, { ...before, id }), factOf(context, { ...after, id }))
  if (isUnmapped) markMembers(context.store, seq, 'emptied', 'rename')
  else markMembers(context.store, seq, 'quiet')
}

const cannotBeMembers = (skipped: readonly string[]): ScimError => {
  const named = skipped.slice(0, 10).map((id) => `"${excerpt(id)}"`).join(', ')
  const others = skipped.length > 10 ? ` and ${skipped.length - 10} others` : ''
  return invalidValue(`"members" names ${named}${others}, which no User of this connection has as its id. Groups cannot be members.`)
}

export interface GroupChange {
  readonly group: ScimGroup
  /** Whether anything but the members changed. */
  readonly changed: boolean
  /** Null keeps the members. */
  readonly edit: MemberEdit | null
}

/**
 * Stores what a PUT or PATCH made of the group and its members. Writes nothing when nothing changes. 400 `invalidValue` when
 * the request asks for nothing but members that cannot be (scim-decisions 19); 409 and 413 as for a new one.
 */
export const changeGroup = (
  context: ScimContext, before: StoredGroup, { group, changed, edit }: GroupChange, kind: 'scim.replace' | 'scim.patch',
): Result<StoredGroup, ScimError> => {
  const { store, connection, actor } = context
  const members = edit === null ? NO_MEMBER_CHANGE : compareMembers(store, { connectionId: connection.id, seq: before.seq }, edit)
  if (!changed && !changesMembers(members)) {
    return members.skipped.length === 0 ? ok(before) : err(cannotBeMembers(members.skipped))
  }
  const identity = nextOf(before, store.now())
  const columns = groupColumns(group, identity)
  const fault = checkColumns(context, columns, before)
  if (fault !== null) return err(fault)
  writeVersion(store, before.seq, identity, columns)
  if (!hasSameNames(before.group, group)) {
    writeNames(store, before.seq, columns)
    markRenamed(context, before, group)
  }
  writeMembers(store, before.seq, members)
  writeJournal(store, {
    kind, connectionId: connection.id, actor,
    data: { type: 'Group', id: before.id, attributes: changedAttributes(before.group, group), ...memberFacts(members) },
  })
  return ok(storedOf(before.seq, identity, columns))
}

/** The users stay (Okta C9318); what the group gave them goes. */
export const deleteGroup = ({ store, connection, actor }: ScimContext, { seq, id }: StoredGroup): void => {
  const members: MemberChange = { ...NO_MEMBER_CHANGE, removed: everyoneIn(store, seq) }
  writeMembers(store, seq, members)
  store.sql.write(`DELETE FROM groups WHERE seq = ?`, seq)
  count(store, groupsCounter(connection.id), 0, -1)
  writeJournal(store, {
    kind: 'scim.delete', connectionId: connection.id, actor,
    data: { type: 'Group', id, ...memberFacts(members) },
  })
}

/** A new version of every group that a user is in, who is about to be deleted. Returns the ids of the groups. */
export const bumpGroupsOf = (store: Store, userId: string): string[] => {
  const rows = store.sql.rows<GroupRow>(
    `SELECT g.seq, g.id, g.created, g.modified, g.version, g.data
     FROM users u CROSS JOIN group_members m ON m.user_seq = u.seq CROSS JOIN groups g ON g.seq = m.group_seq WHERE u.id = ?`, userId)
  for (const { group, ...row } of rows.map(readRow)) {
    const identity = nextOf(row, store.now())
    writeVersion(store, row.seq, identity, groupColumns(group, identity))
  }
  return rows.map((row) => row.id)
}
