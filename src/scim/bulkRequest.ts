/**
 * Reads the body of a bulk request (RFC 7644 section 3.7) into operations. What is wrong with the request refuses it whole; what
 * is wrong with one operation becomes its fault, and the others go on. Where a path leads is for the caller to say.
 */
import { err, ok } from '../result'
import type { Result } from '../result'
import { MAX_BULK_BYTES, MAX_BULK_OPERATIONS } from './bulk'
import type { BulkOperation, BulkRequest, BulkTarget, BulkWrite } from './bulk'
import { invalidSyntax, invalidValue, payloadTooLarge } from './error'
import type { ScimError } from './error'
import { isObject } from './json'
import type { JsonObject } from './json'
import { readString } from './quirks'
import type { WriteMethod } from './write'

/** 413 as RFC 7644 section 3.7.4 words it. */
export const bulkTooLarge = (): ScimError =>
  payloadTooLarge(`The size of the bulk operation exceeds the maxPayloadSize (${MAX_BULK_BYTES}).`)

const tooManyOperations = (): ScimError =>
  payloadTooLarge(`The number of operations of the bulk operation exceeds the maxOperations (${MAX_BULK_OPERATIONS}).`)

/** What a method may do at a path: the collection or the resource, or the error that a request of its own would get. */
export type ReadTarget = (method: WriteMethod, path: string) => Result<BulkTarget, ScimError>

type Read<T> = Result<T, ScimError>

const METHODS: readonly WriteMethod[] = ['POST', 'PUT', 'PATCH', 'DELETE']

/** By name without case, as in PATCH; the last counts. Undefined when absent. */
const fieldOf = (object: JsonObject, name: string): unknown =>
  Object.entries(object).findLast(([key]) => key.toLowerCase() === name)?.[1]

const readFailOnErrors = (value: unknown): Read<number | null> => {
  if (value === undefined || value === null) return ok(null)
  if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return ok(value)
  return err(invalidValue('"failOnErrors" must be a whole number of at least 1.'))
}

/** A text that may be missing: undefined for what is neither. */
const readOptional = (value: unknown): string | null | undefined =>
  value === undefined || value === null || value === '' ? null : readString(value)

const readMethod = (item: JsonObject, at: string): Read<WriteMethod> => {
  const given = fieldOf(item, 'method')
  const name = typeof given === 'string' ? given.trim().toUpperCase() : ''
  const method = METHODS.find((each) => each === name)
  return method === undefined ? err(invalidSyntax(`"${at}.method" must be "POST", "PUT", "PATCH" or "DELETE".`)) : ok(method)
}

const readTargetOf = (item: JsonObject, at: string, method: WriteMethod, readTarget: ReadTarget): Read<BulkTarget> => {
  const path = fieldOf(item, 'path')
  if (typeof path === 'string' && path.trim() !== '') return readTarget(method, path.trim())
  return err(invalidValue(`"${at}.path" is required, as in "/Users" or "/Users/{id}".`))
}

/** The list of operations itself is the data of PATCH in RFC 7644's own example (section 3.7.3). */
const dataOf = (method: WriteMethod, data: unknown): unknown =>
  method === 'PATCH' && Array.isArray(data) ? { Operations: data } : data

const readWrite = (item: JsonObject, at: string, method: WriteMethod, target: BulkTarget): Read<BulkWrite> => {
  const bulkId = readOptional(fieldOf(item, 'bulkid'))
  if (bulkId === undefined) return err(invalidValue(`"${at}.bulkId" must be a string.`))
  if (bulkId === null && method === 'POST') return err(invalidValue(`"${at}.bulkId" is required for POST.`))
  const version = readOptional(fieldOf(item, 'version'))
  if (version === undefined) return err(invalidValue(`"${at}.version" must be a string.`))
  const data = fieldOf(item, 'data')
  if (method === 'DELETE') return ok({ method, target, version, data: null })
  if (data === undefined) return err(invalidValue(`"${at}.data" is required for ${method}.`))
  return ok({ method, target, version, data: dataOf(method, data) })
}

const MAX_METHOD_LENGTH = 20

const readOperation = (item: JsonObject, index: number, readTarget: ReadTarget): BulkOperation => {
  const at = `Operations[${index}]`
  const method = readMethod(item, at)
  const target = method.ok ? readTargetOf(item, at, method.value, readTarget) : method
  const write = method.ok && target.ok ? readWrite(item, at, method.value, target.value) : null
  const given = readString(fieldOf(item, 'method'))
  const fault = target.ok ? (write === null || write.ok ? null : write.error) : target.error
  return {
    index, fault,
    method: method.ok ? method.value : given?.slice(0, MAX_METHOD_LENGTH) ?? null,
    bulkId: readOptional(fieldOf(item, 'bulkid')) ?? null,
    target: target.ok ? target.value : null,
    write: write?.ok === true ? write.value : null,
  }
}

/**
 * 400 `invalidSyntax` for a body that is no bulk request, `invalidValue` for a failOnErrors that is no positive integer, 413 for
 * more than {@link MAX_BULK_OPERATIONS} operations.
 */
export const readBulk = (body: unknown, readTarget: ReadTarget): Read<BulkRequest> => {
  if (!isObject(body)) return err(invalidSyntax('The request body must be a JSON object with "Operations".'))
  const items = fieldOf(body, 'operations')
  if (!Array.isArray(items) || items.length === 0) return err(invalidSyntax('"Operations" must be a list of at least one operation.'))
  if (items.length > MAX_BULK_OPERATIONS) return err(tooManyOperations())
  const failOnErrors = readFailOnErrors(fieldOf(body, 'failonerrors'))
  if (!failOnErrors.ok) return failOnErrors
  const operations: BulkOperation[] = []
  for (const [index, item] of items.entries()) {
    if (!isObject(item)) return err(invalidSyntax(`"Operations[${index}]" must be an object.`))
    operations.push(readOperation(item, index, readTarget))
  }
  return ok({ failOnErrors: failOnErrors.value, operations })
}
