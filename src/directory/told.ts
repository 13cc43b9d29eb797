import type { DirectoryChange, GroupRef, PersonFacts, PersonRef } from '../change'
import { foldAddress, isAddress } from '../scim/address'
import { patchGroup, patchUser, readPatch, type MemberOperation } from '../scim/patch'
import { readGroup, readUser, replaceGroup, replaceUser, type Member } from '../scim/resource'
import { foldText } from '../scim/text'
import type { ScimError } from '../scim/error'
import { ok, type Result } from '../result'
import { changeGroup, createGroup, deleteGroup } from './groups'
import { foldMembers } from './members'
import type { ScimContext } from './scimCommand'
import { connectionsOfSource, findPerson, tellSiblings, type PersonKey } from './siblings'
import { CLOCK_DOUBT_MS, memberKey, nameOf, statementOf, takeStatement, type StatementKey } from './statements'
import { effectOf, refused, type Effect, type Telling } from './toldEffect'
import { groupFor, isGone, ownGroup, tellGroup, tellGroupGone } from './toldGroup'
import { changeUser, createUser, deleteUser, findUser, type StoredUser } from './users'

/**
 * What an event said, written as its connection's own statement: users and groups of the connection, by the provider's ids in
 * `externalId`. What one connection tells of a person's activity is carried to the other connections of the source.
 */

const addressOf = (userName: string | null): string | null => {
  const address = foldAddress(userName ?? '')
  return isAddress(address) ? address : null
}

export const keyOf = ({ id, userName }: PersonRef): PersonKey => ({ externalId: id, address: addressOf(userName) })

/** The user that the connection itself has of the person. A name alone is enough only where one of the two has no id. */
export const ownUser = (context: ScimContext, { id, userName }: PersonRef): StoredUser | null => {
  const { store, connection } = context
  const row =
    (id === null ? null : store.sql.one<{ id: string }>(
      `SELECT id FROM users WHERE connection_id = ? AND external_id = ? ORDER BY active DESC, seq LIMIT 1`, connection.id, id)) ??
    (userName === null ? null : store.sql.one<{ id: string }>(
      `SELECT id FROM users WHERE connection_id = ? AND user_name_fold = ? AND (external_id IS NULL OR ? IS NULL)`, connection.id, foldText(userName), id))
  return row === null ? null : findUser(context, row.id)
}

/** Whether any connection of the source has a user of this person. */
export const isKnown = ({ store, connection }: ScimContext, who: PersonRef): boolean =>
  connectionsOfSource(store, connection.id).some((id) => findPerson(store, id, keyOf(who)) !== null)

/** Whether another connection of the source has one: then the person needs no user of this one before they are put in a group. */
const isKnownElsewhere = ({ store, connection }: ScimContext, who: PersonRef): boolean =>
  connectionsOfSource(store, connection.id).some((id) => id !== connection.id && findPerson(store, id, keyOf(who)) !== null)

/** The person's name as another connection of the source tells it, where the event has an id only. */
const named = ({ store, connection }: ScimContext, who: PersonRef): PersonRef => {
  if (who.userName !== null) return who
  for (const id of connectionsOfSource(store, connection.id)) {
    const sibling = findPerson(store, id, keyOf(who))
    const row = sibling === null ? null : store.sql.one<{ user_name: string }>(`SELECT user_name FROM users WHERE id = ?`, sibling.id)
    if (row !== null) return { ...who, userName: row.user_name }
  }
  return who
}

/** A name of somebody who has left goes to whoever has it now. The address stays with both: identity.ts holds the second. */
const freeName = (context: ScimContext, userName: string): void => {
  const former = ownUser(context, { id: null, userName })
  if (former === null || former.user.active || former.state.externalId === null) return
  changeUser(context, former, { ...former.user, userName: `${userName} (${former.state.externalId})` }, 'scim.patch')
}

const createOwn = (context: ScimContext, who: PersonRef, active: boolean): Result<StoredUser, ScimError> | null => {
  const { id, userName } = named(context, who)
  if (userName === null) return null
  const user = readUser({ userName, active, ...(id === null ? {} : { externalId: id }) })
  if (!user.ok) return user
  if (id !== null) freeName(context, userName)
  const made = createUser(context, user.value)
  if (!made.ok) return made
  const stored = findUser(context, made.value.id)
  return stored === null ? null : ok(stored)
}

const setActive = (context: ScimContext, user: StoredUser, active: boolean): Result<unknown, ScimError> => {
  if (user.user.active === active) return ok(user)
  return changeUser(context, user, { ...user.user, active }, 'scim.patch')
}

const activeKeys = ({ id, userName }: PersonRef): readonly StatementKey[] => [
  ...(id === null ? [] : [`active ${nameOf({ id, userName })}` as const]),
  ...(userName === null ? [] : [`active ${nameOf({ id: null, userName })}` as const]),
]

/**
 * Whether another connection of the source has said the opposite later. Of two clocks nobody knows which is right: inactive wins
 * where they are close (design section 10.5).
 */
const isOverruled = ({ context: { store, connection }, at }: Telling, who: PersonRef, active: boolean): boolean =>
  connectionsOfSource(store, connection.id)
    .filter((id) => id !== connection.id)
    .flatMap((id) => activeKeys(who).flatMap((key) => statementOf(store, id, key) ?? []))
    .some((other) => other.gives !== active && (active ? other.at >= at - CLOCK_DOUBT_MS : other.at > at + CLOCK_DOUBT_MS))

/** Activity is a transition: an event says that it happened, not that it still is so. */
const tellActive = (telling: Telling, who: PersonRef, active: boolean): Effect => {
  const { context, at } = telling
  const { store, connection, actor } = context
  const last = statementOf(store, connection.id, `active ${nameOf(who)}`)
  // The same event in another batch: whoever has become active since by another connection's word must not leave twice.
  if (last?.at === at && last.gives === active) return active ? makeKnown(context, who) : 'older'
  const isNews = takeStatement(store, connection.id, `active ${nameOf(who)}`, at, active)
  if (isOverruled(telling, who, active)) return 'older'
  if (!isNews) return active ? makeKnown(context, who) : 'older'
  const own = ownUser(context, who)
  const key = own === null ? keyOf(who) : { externalId: who.id ?? own.state.externalId, address: own.state.address }
  const changed = own === null ? ok(null) : setActive(context, own, active)
  if (!changed.ok) return refused(changed.error)
  const siblings = tellSiblings(store, { connectionId: connection.id, ...key, active, actor })
  if (own !== null || siblings > 0) return 'applied'
  const made = active ? createOwn(context, who, true) : null
  return made === null ? 'unknown' : effectOf(made)
}

/** An activation that comes late still tells of somebody: who is not known is made as the newer statement has it. */
const makeKnown = (context: ScimContext, who: PersonRef): Effect => {
  if (ownUser(context, who) !== null || isKnownElsewhere(context, who)) return 'older'
  const made = userFor(context, who)
  return made === null ? 'unknown' : effectOf(made)
}

/** A user for somebody who was put in a group: active unless the source has said otherwise. */
const userFor = (context: ScimContext, who: PersonRef): Result<StoredUser, ScimError> | null => {
  const { store, connection, actor } = context
  const own = ownUser(context, who)
  if (own !== null) return ok(own)
  const told = statementOf(store, connection.id, `active ${nameOf(who)}`)
  const made = createOwn(context, who, told?.gives ?? true)
  // This connection's own word that they became active came before the user did.
  if (made !== null && made.ok && told?.gives === true && !isOverruled({ context, at: told.at }, who, true)) {
    const { externalId, address } = made.value.state
    tellSiblings(store, { connectionId: connection.id, externalId, address, active: true, actor })
  }
  return made
}

const tellMembership = (telling: Telling, group: GroupRef, who: PersonRef, member: boolean): Effect => {
  const { context, at } = telling
  // Whoever was put in a group is somebody, and the group was there, also when a newer statement has taken it back.
  const user = member ? userFor(context, who) : ok(ownUser(context, who))
  if (isGone(telling, group.id)) return 'older'
  const stored = member ? groupFor(telling, group) : ok(ownGroup(context, group.id))
  if (!takeStatement(context.store, context.connection.id, memberKey(group.id, who), at, member)) return 'older'
  if (stored === null || user === null) return 'unknown'
  if (!stored.ok) return refused(stored.error)
  if (!user.ok) return refused(user.error)
  if (stored.value === null || user.value === null) return isKnown(context, who) ? 'applied' : 'unknown'
  const value = user.value.id
  const edit = foldMembers([member ? { op: 'add', members: [{ value }] } : { op: 'remove', values: [value] }])
  return effectOf(changeGroup(context, stored.value, { group: stored.value.group, changed: false, edit }, 'scim.patch'))
}

/** All that a provider told of a person, as the SCIM resource that says the same. */
export const personBody = ({ id, userName, email, displayName, givenName, familyName, active }: PersonFacts): Readonly<Record<string, unknown>> => ({
  userName, externalId: id, active, displayName,
  name: { givenName, familyName },
  emails: email === null ? [] : [{ value: email, type: 'work', primary: true }],
})

/** Stores what the provider says of a person now. The activity of a new or changed user reaches the source's other connections. */
export const storePerson = (context: ScimContext, person: PersonFacts): Result<string, ScimError> =>
  storeUser(context, { id: person.id, userName: person.userName }, personBody(person))

const storeUser = (context: ScimContext, who: PersonRef, body: unknown): Result<string, ScimError> => {
  const own = ownUser(context, who)
  if (own === null) {
    const user = readUser(body)
    const made = user.ok ? createUser(context, user.value) : user
    return made.ok ? ok(made.value.id) : made
  }
  const next = replaceUser(own.user, body)
  if (!next.ok) return next
  const changed = next.value.changed ? changeUser(context, own, next.value.user, 'scim.replace') : ok(own)
  return changed.ok ? ok(own.id) : changed
}

const tellPerson = ({ context, at }: Telling, person: PersonFacts): Effect => {
  if (!takeStatement(context.store, context.connection.id, `active ${person.id}`, at, person.active)) return 'older'
  return effectOf(storePerson(context, person))
}

/** Ids of the sender's users as ours; those that the connection has no user of are left as they are, and skipped later. */
const translate = ({ store, connection }: ScimContext, members: readonly Member[]): Member[] => {
  const rows = store.sql.rows<{ external_id: string; id: string }>(
    `SELECT u.external_id AS external_id, u.id AS id FROM json_each(?) j
     CROSS JOIN users u ON u.connection_id = ? AND u.external_id = j.value ORDER BY u.active, u.seq DESC`,
    JSON.stringify(members.map(({ value }) => value)), connection.id)
  // Of two with one id the last is the one that ownUser finds.
  const ours = new Map(rows.map((row) => [row.external_id, row.id]))
  return members.map((member) => ({ ...member, value: ours.get(member.value) ?? member.value }))
}

const translateOperation = (context: ScimContext, operation: MemberOperation): MemberOperation => {
  if (operation.op === 'clear') return operation
  if (operation.op === 'remove') return { ...operation, values: translate(context, operation.values.map((value) => ({ value }))).map(({ value }) => value) }
  return { ...operation, members: translate(context, operation.members) }
}

type ResourceChange = Extract<DirectoryChange, { kind: 'resource' }>

/** What was said later of the person's activity alone, which a whole resource of before does not undo; undefined when nothing was. */
const activeSince = ({ context: { store, connection }, at }: Telling, id: string): boolean | undefined => {
  const told = statementOf(store, connection.id, `active ${id}`)
  return told !== null && told.at > at ? told.gives : undefined
}

const isObject = (body: unknown): body is Readonly<Record<string, unknown>> => typeof body === 'object' && body !== null

const putUser = (telling: Telling, id: string, body: unknown): Effect => {
  const { context, at } = telling
  const active = activeSince(telling, id)
  // The body's own externalId is the sender's word on another system: the sender's id is what later events name.
  const said = isObject(body) ? { ...body, externalId: id, ...(active === undefined ? {} : { active }) } : body
  const stored = storeUser(context, { id, userName: null }, said)
  const now = stored.ok ? findUser(context, stored.value) : null
  if (now !== null && active === undefined) takeStatement(context.store, context.connection.id, `active ${id}`, at, now.user.active)
  return effectOf(stored)
}

const patchOwn = (telling: Telling, id: string, own: StoredUser, body: unknown): Effect => {
  const { context, at } = telling
  const operations = readPatch(body)
  const next = operations.ok ? patchUser(own.user, operations.value) : operations
  if (!next.ok) return refused(next.error)
  const active = activeSince(telling, id)
  const user = active === undefined ? next.value.user : { ...next.value.user, active }
  if (user.active !== own.user.active) takeStatement(context.store, context.connection.id, `active ${id}`, at, user.active)
  return next.value.changed ? effectOf(changeUser(context, own, user, 'scim.patch')) : 'applied'
}

const tellUserResource = (telling: Telling, { id, op, body }: ResourceChange): Effect => {
  if (op === 'put') return putUser(telling, id, body)
  const { context } = telling
  const own = ownUser(context, { id, userName: null })
  if (own === null) return 'unknown'
  if (op === 'patch') return patchOwn(telling, id, own, body)
  deleteUser(context, own)
  return 'applied'
}

const tellGroupResource = (context: ScimContext, { id, op, body }: ResourceChange): Effect => {
  const own = ownGroup(context, id)
  if (op === 'put') {
    const said = typeof body === 'object' && body !== null ? { ...body, externalId: id } : body
    const next = own === null ? readGroup(said) : replaceGroup(own.group, said)
    if (!next.ok) return refused(next.error)
    const members = next.value.members === undefined ? undefined : translate(context, next.value.members)
    if (own === null) return effectOf(createGroup(context, next.value.group, foldMembers([{ op: 'add', members: members ?? [] }])))
    const edit = members === undefined ? null : foldMembers([{ op: 'replace', members }])
    return effectOf(changeGroup(context, own, { group: next.value.group, changed: true, edit }, 'scim.replace'))
  }
  if (own === null) return 'unknown'
  if (op === 'delete') {
    deleteGroup(context, own)
    return 'applied'
  }
  const operations = readPatch(body)
  const next = operations.ok ? patchGroup(own.group, operations.value) : operations
  if (!next.ok) return refused(next.error)
  const { group, changed, members } = next.value
  const edit = members.length === 0 ? null : foldMembers(members.map((operation) => translateOperation(context, operation)))
  return effectOf(changeGroup(context, own, { group, changed, edit }, 'scim.patch'))
}

const tellResource = (telling: Telling, change: ResourceChange): Effect => {
  const { context, at } = telling
  const { type, id, op } = change
  if (!takeStatement(context.store, context.connection.id, `resource ${type} ${id}`, at, op !== 'delete')) return 'older'
  return type === 'User' ? tellUserResource(telling, change) : tellGroupResource(context, change)
}

/** Writes one statement of an event. Called inside the transaction that stores the delivery. */
export const tell = (context: ScimContext, at: number, change: DirectoryChange): Effect => {
  const telling: Telling = { context, at }
  switch (change.kind) {
    case 'active': return tellActive(telling, change.who, change.active)
    case 'person': return tellPerson(telling, change.person)
    case 'group': return tellGroup(telling, change.group)
    case 'groupGone': return tellGroupGone(telling, change.group)
    case 'membership': return tellMembership(telling, change.group, change.who, change.member)
    case 'resource': return tellResource(telling, change)
  }
}
