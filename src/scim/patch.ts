/**
 * PATCH of RFC 7644 section 3.5.2 with what Okta and Entra make of it, on one resource at a time: all operations or none. The
 * resource that is given stays as it is; one that comes out unchanged says so, and its `lastModified` must not move.
 */
import { err, ok } from '../result'
import type { Result } from '../result'
import { invalidValue, mutability, payloadTooLarge } from './error'
import type { ScimError } from './error'
import { countComparisons } from './filter'
import type { JsonObject } from './json'
import { applyStep, readSteps } from './patchAttribute'
import type { Step } from './patchAttribute'
import { mergeOperations, readMemberOperations } from './patchMembers'
import type { MemberOperation } from './patchMembers'
import { MAX_OPERATIONS } from './patchRequest'
import type { PatchOperation } from './patchRequest'
import { isSameResource, toGroup, toUser } from './resource'
import type { ScimGroup, ScimUser } from './resource'
import { definitionOf } from './schema'
import type { ResourceType } from './schema'

export { MAX_OPERATIONS, readPatch } from './patchRequest'
export type { PatchOperation } from './patchRequest'
export type { MemberOperation } from './patchMembers'

export interface PatchedUser {
  readonly user: ScimUser
  readonly changed: boolean
}

export interface PatchedGroup {
  readonly group: ScimGroup
  /** Whether anything but the members changed. */
  readonly changed: boolean
  /** What to do with the members, in order; only carrying it out shows whether it changes anything. */
  readonly members: readonly MemberOperation[]
}

const isOfMembers = ({ target }: Step): boolean => target.attribute.name === 'members'

/** In the value filters of all paths together: two for each operation. Each is made of every value of a list. */
const MAX_PATH_COMPARISONS = 2 * MAX_OPERATIONS

/** Every path is read before anything is applied, so that an unknown one is the answer whatever else is wrong (scim-decisions 5). */
const readAllSteps = (resourceType: ResourceType, operations: readonly PatchOperation[]): Result<readonly Step[], ScimError> => {
  const steps: Step[] = []
  let comparisons = 0
  for (const operation of operations) {
    const read = readSteps(definitionOf(resourceType), operation)
    if (!read.ok) return read
    for (const step of read.value) {
      steps.push(step)
      comparisons += step.target.filter === null ? 0 : countComparisons(step.target.filter)
    }
  }
  if (comparisons <= MAX_PATH_COMPARISONS) return ok(steps)
  return err(payloadTooLarge(`The filters in the paths of "Operations" make more than ${MAX_PATH_COMPARISONS} comparisons.`))
}

/**
 * Names cannot be cleared, and `active` is true or false (scim-decisions 20). Looked at when all operations are done: a request
 * may remove a name and add it again (identity-providers B.5, P1 to P7). A removal is `mutability` by RFC 7644 section 3.5.2.2.
 */
const refuseClearing = (resource: JsonObject, steps: readonly Step[]): ScimError | null => {
  const last = steps.findLast(({ target: { attribute, path } }) =>
    path.length === 1 && (attribute.required || attribute.name === 'active') && resource[attribute.name] === undefined)
  if (last === undefined) return null
  const { target: { attribute }, operation } = last
  const refusal = operation.op === 'remove' && attribute.required ? mutability : invalidValue
  return refusal(`"${attribute.name}" is required and must not be removed or empty.`)
}

const applyAll = (resource: JsonObject, steps: readonly Step[]): Result<JsonObject, ScimError> => {
  let result = resource
  for (const step of steps) {
    const applied = applyStep(result, step)
    if (!applied.ok) return applied
    result = applied.value
  }
  const refusal = refuseClearing(result, steps)
  return refusal === null ? ok(result) : err(refusal)
}

/** 400 with `invalidPath`, `invalidFilter`, `invalidValue`, `mutability` or `noTarget`, or 413; then nothing of the request holds. */
export const patchUser = (current: ScimUser, operations: readonly PatchOperation[]): Result<PatchedUser, ScimError> => {
  const steps = readAllSteps('User', operations)
  if (!steps.ok) return steps
  const before = toUser(current)
  if (!before.ok) return before
  const patched = applyAll(before.value, steps.value)
  if (!patched.ok) return patched
  const user = toUser(patched.value)
  return user.ok ? ok({ user: user.value, changed: !isSameResource(before.value, user.value) }) : user
}

/** As {@link patchUser}; `mutability` also for changing a member in place. */
export const patchGroup = (current: ScimGroup, operations: readonly PatchOperation[]): Result<PatchedGroup, ScimError> => {
  const steps = readAllSteps('Group', operations)
  if (!steps.ok) return steps
  const members: MemberOperation[] = []
  for (const step of steps.value.filter(isOfMembers)) {
    const read = readMemberOperations(step)
    if (!read.ok) return read
    members.push(...read.value)
  }
  const before = toGroup(current)
  if (!before.ok) return before
  const patched = applyAll(before.value, steps.value.filter((step) => !isOfMembers(step)))
  if (!patched.ok) return patched
  const group = toGroup(patched.value)
  if (!group.ok) return group
  return ok({ group: group.value, changed: !isSameResource(before.value, group.value), members: mergeOperations(members) })
}
