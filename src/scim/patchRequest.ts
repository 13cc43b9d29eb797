/**
 * Reads the body of PATCH (RFC 7644 section 3.5.2) into operations, and refuses what is not one before anything is applied. Does
 * not look at paths or values.
 */
import { err, ok } from '../result'
import type { Result } from '../result'
import { invalidPath, invalidSyntax, invalidValue, noTarget, payloadTooLarge } from './error'
import type { ScimError } from './error'
import { isObject } from './json'
import type { JsonObject } from './json'

/** An identity provider sends one operation for each member that it removes, at worst; more than this is 413. */
export const MAX_OPERATIONS = 5000

export interface PatchOperation {
  readonly op: 'add' | 'remove' | 'replace'
  /** Null when the operation speaks of the resource; `value` is then an object (but for remove, which needs a path). */
  readonly path: string | null
  /** Undefined only for a remove that names no values. */
  readonly value: unknown
}

/** By name without case: `operations`, `OP`, `Value` are all sent (D.1 row 2); the last counts. Undefined when absent. */
const fieldOf = (object: JsonObject, name: string): unknown =>
  Object.entries(object).findLast(([key]) => key.toLowerCase() === name)?.[1]

const readOp = (value: unknown, at: string): Result<PatchOperation['op'], ScimError> => {
  const op = typeof value === 'string' ? value.trim().toLowerCase() : ''
  if (op === 'add' || op === 'remove' || op === 'replace') return ok(op)
  return err(invalidSyntax(`"${at}.op" must be "add", "remove" or "replace".`))
}

const readOperation = (item: unknown, at: string): Result<PatchOperation, ScimError> => {
  if (!isObject(item)) return err(invalidSyntax(`"${at}" must be an object.`))
  const op = readOp(fieldOf(item, 'op'), at)
  if (!op.ok) return op
  const given = fieldOf(item, 'path') ?? ''
  if (typeof given !== 'string') return err(invalidPath(`"${at}.path" must be a string.`))
  const path = given.trim() === '' ? null : given.trim()
  const value = fieldOf(item, 'value')
  if (op.value === 'remove') {
    return path === null ? err(noTarget(`"${at}" removes without a path.`)) : ok({ op: op.value, path, value })
  }
  if (value === undefined) return err(invalidValue(`"${at}.value" is required for "${op.value}".`))
  if (path === null && !isObject(value)) return err(invalidValue(`"${at}.value" must be an object when there is no path.`))
  return ok({ op: op.value, path, value })
}

/**
 * The operations in order. 400 `invalidSyntax` for a body that is none or an unknown `op`, `noTarget` for a remove without a
 * path, `invalidValue` for a missing value or one that is no object without a path (D.1 row 24), 413 for too many.
 */
export const readPatch = (body: unknown): Result<readonly PatchOperation[], ScimError> => {
  if (!isObject(body)) return err(invalidSyntax('The request body must be a JSON object with "Operations".'))
  const items = fieldOf(body, 'operations')
  if (!Array.isArray(items) || items.length === 0) return err(invalidSyntax('"Operations" must be a list of at least one operation.'))
  if (items.length > MAX_OPERATIONS) return err(payloadTooLarge(`"Operations" has more than ${MAX_OPERATIONS} operations.`))
  const operations: PatchOperation[] = []
  for (const [index, item] of items.entries()) {
    const operation = readOperation(item, `Operations[${index}]`)
    if (!operation.ok) return operation
    operations.push(operation.value)
  }
  return ok(operations)
}
