/**
 * Users and Groups in canonical form: what POST and PUT bodies become, and what is stored. `id` and `meta` are carried along
 * where a stored resource has them and never taken from a request. Decides nothing about uniqueness or existence.
 */
import { err, ok } from '../result'
import type { Result } from '../result'
import type { Attribute } from './attribute'
import { invalidSyntax, invalidValue } from './error'
import type { ScimError } from './error'
import { isObject } from './json'
import type { JsonObject } from './json'
import { readMembers } from './member'
import type { Member } from './member'
import { KEPT_BY_PUT } from './quirks'
import { ENTERPRISE_SCHEMA, GROUP_SCHEMA, USER_SCHEMA, definitionOf, resolveName, resourceTypeOf, storedRoot } from './schema'
import type { ResourceType } from './schema'
import { foldText } from './text'
import { assignAll, canonicalObject, liftCore, readAssignments } from './value'

export type { Member } from './member'

export type ScimUser = JsonObject & {
  readonly schemas: readonly string[]
  readonly userName: string
  readonly externalId?: string
  readonly active: boolean
}

/** Without `members`: those are rows, not JSON. */
export type ScimGroup = JsonObject & {
  readonly schemas: readonly string[]
  readonly displayName: string
  readonly externalId?: string
}

/** Members, where the request speaks of them: undefined keeps those that are there. */
export interface GroupWithMembers {
  readonly group: ScimGroup
  readonly members: readonly Member[] | undefined
}

const isGiven = (value: unknown): value is string => typeof value === 'string' && value.trim() !== ''

const isRequired = (name: string): ScimError => invalidValue(`"${name}" is required and must not be empty.`)

/** `schemas` says what the resource has, whatever the request listed (scim-decisions 4, D.1 row 18). */
const schemasOf = (resourceType: ResourceType, object: JsonObject): readonly string[] => {
  if (resourceType === 'Group') return [GROUP_SCHEMA]
  return object[ENTERPRISE_SCHEMA] === undefined ? [USER_SCHEMA] : [USER_SCHEMA, ENTERPRISE_SCHEMA]
}

const canonical = (resourceType: ResourceType, object: JsonObject): JsonObject => {
  const { schemas: _computed, ...rest } = canonicalObject(storedRoot(resourceType), object) ?? {}
  return { schemas: schemasOf(resourceType, rest), ...rest }
}

/** The canonical user that an object of registry names is; 400 `invalidValue` when a required attribute is missing. */
export const toUser = (object: JsonObject): Result<ScimUser, ScimError> => {
  const user = canonical('User', object)
  const { userName, active, externalId } = user
  if (!isGiven(userName)) return err(isRequired('userName'))
  if (typeof active !== 'boolean') return err(isRequired('active'))
  return ok({ ...user, schemas: schemasOf('User', user), userName, active, ...(typeof externalId === 'string' ? { externalId } : {}) })
}

/** As {@link toUser}. */
export const toGroup = (object: JsonObject): Result<ScimGroup, ScimError> => {
  const group = canonical('Group', object)
  const { displayName, externalId } = group
  if (!isGiven(displayName)) return err(isRequired('displayName'))
  return ok({ ...group, schemas: schemasOf('Group', group), displayName, ...(typeof externalId === 'string' ? { externalId } : {}) })
}

/** Whether two canonical resources are the same. Equal resources have equal texts, since the order of attributes is fixed. */
export const isSameResource = (a: JsonObject, b: JsonObject): boolean => JSON.stringify(a) === JSON.stringify(b)

const readBody = (resourceType: ResourceType, body: unknown): Result<JsonObject, ScimError> => {
  if (!isObject(body)) return err(invalidSyntax(`The request body must be a JSON object that describes a ${resourceType}.`))
  const definition = definitionOf(resourceType)
  const lifted = liftCore(definition.schema, body)
  const root = storedRoot(resourceType)
  const isStored = (attribute: Attribute | undefined): boolean =>
    attribute !== undefined && root.children.has(attribute.name.toLowerCase())
  const assignments = readAssignments(root, lifted, (name) => {
    const path = resolveName(definition, name)
    return isStored(path?.[0]) ? path : null
  })
  if (!assignments.ok) return assignments
  // Nothing is there yet that a null could clear: E-06 has `manager: null` beside the extension.
  return ok(assignAll({}, assignments.value.filter(({ value }) => value !== undefined)))
}

/** The body of POST. `active` is true unless it says otherwise (scim-decisions 20). 400 `invalidSyntax` or `invalidValue`. */
export const readUser = (body: unknown): Result<ScimUser, ScimError> => {
  const object = readBody('User', body)
  return object.ok ? toUser({ active: true, ...object.value }) : object
}

const identityOf = ({ id, meta }: JsonObject): JsonObject => ({
  ...(id === undefined ? {} : { id }),
  ...(meta === undefined ? {} : { meta }),
})

const keep = (current: JsonObject): JsonObject =>
  Object.fromEntries(KEPT_BY_PUT.flatMap((name) => (current[name] === undefined ? [] : [[name, current[name]]])))

export interface ReplacedUser {
  readonly user: ScimUser
  readonly changed: boolean
}

/** The body of PUT. What it leaves out is unassigned, but for `active` and `externalId`, which stay (scim-decisions 17). */
export const replaceUser = (current: ScimUser, body: unknown): Result<ReplacedUser, ScimError> => {
  const object = readBody('User', body)
  if (!object.ok) return object
  const user = toUser({ ...keep(current), ...object.value, ...identityOf(current) })
  return user.ok ? ok({ user: user.value, changed: !isSameResource(user.value, canonical('User', current)) }) : user
}

const membersOf = (body: JsonObject): Result<readonly Member[] | undefined, ScimError> => {
  const definition = definitionOf('Group')
  let value: unknown
  for (const [name, given] of Object.entries(liftCore(definition.schema, body))) {
    const path = resolveName(definition, name)
    if (path?.length === 1 && path[0]?.name === 'members') value = given
  }
  return value === undefined ? ok(undefined) : readMembers(value)
}

const readGroupOver = (kept: JsonObject, body: unknown): Result<GroupWithMembers, ScimError> => {
  const object = readBody('Group', body)
  if (!object.ok) return object
  const group = toGroup({ ...keep(kept), ...object.value, ...identityOf(kept) })
  if (!group.ok) return group
  const members = membersOf(isObject(body) ? body : {})
  return members.ok ? ok({ group: group.value, members: members.value }) : members
}

/** The body of POST. */
export const readGroup = (body: unknown): Result<GroupWithMembers, ScimError> => readGroupOver({}, body)

export interface ReplacedGroup extends GroupWithMembers {
  /** Whether anything but the members changed. */
  readonly changed: boolean
}

/** The body of PUT. `externalId` stays when it is left out; so do the members, and `[]` or `null` clears them (scim-decisions 17). */
export const replaceGroup = (current: ScimGroup, body: unknown): Result<ReplacedGroup, ScimError> => {
  const read = readGroupOver(current, body)
  return read.ok ? ok({ ...read.value, changed: !isSameResource(read.value.group, canonical('Group', current)) }) : read
}

const fold = (attribute: Attribute, value: unknown): unknown => {
  if (Array.isArray(value)) return value.map((item: unknown) => fold(attribute, item))
  if (typeof value === 'string') return attribute.caseExact || attribute.type === 'complex' ? value : foldText(value)
  if (!isObject(value)) return value
  const folded: Record<string, unknown> = {}
  for (const [name, item] of Object.entries(value)) {
    const child = attribute.children.get(name.toLowerCase())
    // The name is the registry's own.
    if (child !== undefined) folded[child.name] = fold(child, item)
  }
  return folded
}

/** The same JSON with the strings of attributes that are not case exact folded: what filters look at. */
export const foldOf = (resource: JsonObject): JsonObject => {
  const folded = fold(definitionOf(resourceTypeOf(resource)).root, resource)
  return isObject(folded) ? folded : {}
}
