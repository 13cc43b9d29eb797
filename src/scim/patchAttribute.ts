/**
 * One PATCH operation on a resource: finds its targets and sets, merges or takes away what they name. The resource is given and
 * returned, never changed in place. Members of a Group are not its matter (patchMembers.ts).
 */
import { ok } from '../result'
import type { Result } from '../result'
import { valueAt } from './attribute'
import type { ScimError } from './error'
import { isObject } from './json'
import type { JsonObject } from './json'
import { patchList } from './patchList'
import type { PatchOperation } from './patchRequest'
import { readPath } from './path'
import type { Target } from './path'
import { unwrapSingle } from './quirks'
import { isProvisioningName, isUnwritable, resolveBelow } from './schema'
import type { Definition } from './schema'
import { assign, assignAll, liftCore, readAssignments, readValue } from './value'
import type { Assignment } from './value'

/** One target, with the operation as it concerns that target alone. */
export interface Step {
  readonly target: Target
  readonly operation: PatchOperation
}

/**
 * What an operation works on. A `path` must name an attribute; a name inside a value without a path that names none is passed
 * over, as in POST, and so is everything that no client may write (`id` on every rename, O-23).
 */
export const readSteps = (definition: Definition, operation: PatchOperation): Result<readonly Step[], ScimError> => {
  if (operation.path !== null) {
    if (isProvisioningName(operation.path)) return ok([])
    const target = readPath(definition, operation.path)
    if (!target.ok) return target
    return ok(isUnwritable(target.value.path) ? [] : [{ target: target.value, operation }])
  }
  const values = isObject(operation.value) ? liftCore(definition.schema, operation.value) : {}
  const steps = Object.entries(values).flatMap(([name, value]) => {
    const target = readPath(definition, name)
    return target.ok && !isUnwritable(target.value.path) ? [{ target: target.value, operation: { ...operation, value } }] : []
  })
  return ok(steps)
}

/** Objects are merged: what they do not mention stays (RFC 7644 section 3.5.2.3, E-52). Everything else takes the place of the old. */
const readSingle = ({ target, operation }: Step): Result<readonly Assignment[], ScimError> => {
  const { path, attribute } = target
  if (operation.op === 'remove') return ok([{ path, value: undefined }])
  const value = unwrapSingle(operation.value)
  if (attribute.type === 'complex' && isObject(value)) {
    const assignments = readAssignments(attribute, value, (name) => resolveBelow(attribute, name), `${attribute.name}.`)
    if (!assignments.ok) return assignments
    return ok(assignments.value.map((assignment) => ({ ...assignment, path: [...path, ...assignment.path] })))
  }
  const read = readValue(attribute, operation.value, path.map(({ name }) => name).join('.'))
  return read.ok ? ok([{ path, value: read.value }]) : read
}

const applyToSingle = (resource: JsonObject, step: Step): Result<JsonObject, ScimError> => {
  const assignments = readSingle(step)
  if (!assignments.ok) return assignments
  return ok(assignAll(resource, assignments.value))
}

/** The resource after one step. It may hold undefined and empty values until it is brought into canonical form. */
export const applyStep = (resource: JsonObject, step: Step): Result<JsonObject, ScimError> => {
  const { target, operation } = step
  if (!target.attribute.multiValued) return applyToSingle(resource, step)
  const old = valueAt(resource, target.path)
  const patched = patchList(Array.isArray(old) ? old.filter(isObject) : [], operation, target)
  return patched.ok ? ok(assign(resource, target.path, patched.value)) : patched
}
