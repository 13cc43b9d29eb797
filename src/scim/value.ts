/**
 * Brings the values of a request into the form of the schema: canonical names, the attribute's type, nothing unassigned. Unknown
 * and unwritable attributes are dropped, wrong types refused by name. Does not know requests, only values.
 */
import { err, ok } from '../result'
import type { Result } from '../result'
import type { Attribute, AttributePath } from './attribute'
import { invalidValue } from './error'
import type { ScimError } from './error'
import { isObject } from './json'
import type { JsonObject } from './json'
import { isUnassigned, readBoolean, readString, readValueObject, unwrapSingle } from './quirks'
import { isUnwritable, resolveBelow } from './schema'
import type { Resolve } from './filterResolve'

/** More values than any person has; keeps comparing them cheap. */
export const MAX_VALUES = 500

/** One attribute and its new value, undefined meaning that it is to be unassigned. */
export interface Assignment {
  readonly path: AttributePath
  readonly value: unknown
}

const wrongType = (at: string, wanted: string): Result<never, ScimError> => err(invalidValue(`"${at}" must be ${wanted}.`))

const readText = (value: unknown, at: string): Result<string, ScimError> => {
  const text = readString(value)
  if (text === undefined) return wrongType(at, 'a string')
  return text.includes('\u0000') ? err(invalidValue(`"${at}" has a character U+0000.`)) : ok(text.toWellFormed())
}

const readScalar = (attribute: Attribute, value: unknown, at: string): Result<unknown, ScimError> => {
  // What a resource is found by is not guessed: no recording has a number there.
  if (attribute.required && typeof value !== 'string') return wrongType(at, 'a string')
  if (attribute.type !== 'boolean') return readText(value, at)
  const flag = readBoolean(value)
  return flag === undefined ? wrongType(at, 'true or false') : ok(flag)
}

const readComplex = (attribute: Attribute, value: unknown, at: string): Result<JsonObject | undefined, ScimError> => {
  const object = isObject(value) || attribute.children.has('value') ? readValueObject(value) : undefined
  if (object === undefined) return wrongType(at, 'an object')
  const assignments = readAssignments(attribute, object, (name) => resolveBelow(attribute, name), `${at}.`)
  if (!assignments.ok) return assignments
  return ok(canonicalObject(attribute, assignAll({}, assignments.value)))
}

/** One value of a list, or the value of a single attribute. Undefined means unassigned. */
const readOne = (attribute: Attribute, value: unknown, at: string): Result<unknown, ScimError> => {
  if (isUnassigned(value)) return ok(undefined)
  return attribute.type === 'complex' ? readComplex(attribute, value, at) : readScalar(attribute, value, at)
}

/** One value for a list, given bare or as a list of one. */
export const readElement = (list: Attribute, value: unknown): Result<JsonObject | undefined, ScimError> => {
  const single = unwrapSingle(value)
  return isUnassigned(single) ? ok(undefined) : readComplex(list, single, list.name)
}

const readList = (attribute: Attribute, value: unknown, at: string): Result<readonly unknown[] | undefined, ScimError> => {
  const items: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (items.length > MAX_VALUES) return err(invalidValue(`"${at}" has more than ${MAX_VALUES} values.`))
  const list: unknown[] = []
  for (const [index, item] of items.entries()) {
    const one = readOne(attribute, item, `${at}[${index}]`)
    if (!one.ok) return one
    if (one.value !== undefined) list.push(one.value)
  }
  return ok(list.length === 0 ? undefined : list)
}

/** The value of an attribute, undefined when it is unassigned. 400 `invalidValue` that names `at`. */
export const readValue = (attribute: Attribute, value: unknown, at: string): Result<unknown, ScimError> => {
  if (isUnassigned(value)) return ok(undefined)
  if (attribute.multiValued) return readList(attribute, value, at)
  if (Array.isArray(value) && value.length > 1) return wrongType(at, 'a single value')
  return readOne(attribute, unwrapSingle(value), at)
}

/**
 * The object with what stands below the core schema's own URN moved to the root, where RFC 7643 section 3 has it: some clients
 * write core attributes as they write those of an extension. What is at the root already stays.
 */
export const liftCore = (schema: string, object: JsonObject): JsonObject => {
  const below = Object.entries(object).flatMap(([name, value]) =>
    name.toLowerCase() === schema.toLowerCase() && isObject(value) ? Object.entries(value) : [])
  return below.length === 0 ? object : Object.fromEntries([...below, ...Object.entries(object)])
}

/**
 * What the members of an object assign, each name being a path (`name.givenName`, a URN; E-50). Objects are taken apart, so that
 * what they do not mention stays as it is; names that mean nothing, and what no client may write, are left out.
 */
export const readAssignments = (
  owner: Attribute, object: JsonObject, resolve: Resolve, prefix = '',
): Result<readonly Assignment[], ScimError> => {
  const assignments: Assignment[] = []
  for (const [name, value] of Object.entries(object)) {
    const path = resolve(name)
    const end = path?.at(-1)
    if (path === null || end === undefined || isUnwritable([owner, ...path])) continue
    const single = end.multiValued ? value : unwrapSingle(value)
    if (end.type === 'complex' && !end.multiValued && isObject(single)) {
      const below = readAssignments(end, single, (sub) => resolveBelow(end, sub), `${prefix}${end.name}.`)
      if (!below.ok) return below
      assignments.push(...below.value.map((assignment) => ({ ...assignment, path: [...path, ...assignment.path] })))
    } else {
      const read = readValue(end, value, `${prefix}${end.name}`)
      if (!read.ok) return read
      assignments.push({ path, value: read.value })
    }
  }
  return ok(assignments)
}

const objectAt = (value: unknown): JsonObject => (isObject(value) ? value : {})

/** The object with one attribute set, or taken away when the value is undefined. A path through a list means its first value. */
export const assign = (object: JsonObject, path: AttributePath, value: unknown): JsonObject => {
  const [head, ...rest] = path
  if (head === undefined) return object
  const old = Object.hasOwn(object, head.name) ? object[head.name] : undefined
  if (rest.length === 0) return { ...object, [head.name]: value }
  if (!head.multiValued) return { ...object, [head.name]: assign(objectAt(old), rest, value) }
  const [first, ...others]: readonly unknown[] = Array.isArray(old) ? old : []
  return { ...object, [head.name]: [assign(objectAt(first), rest, value), ...others] }
}

export const assignAll = (object: JsonObject, assignments: readonly Assignment[]): JsonObject =>
  assignments.reduce((result, { path, value }) => assign(result, path, value), object)

/** A value with nothing but a label says nothing: `{"type":"work","primary":true}` is what clearing an e-mail leaves (E-20). */
const isHollow = (value: JsonObject): boolean => Object.keys(value).every((name) => name === 'type' || name === 'primary')

/** Whether a value is the primary one; one that says nothing (yet) is none. */
export const isPrimary = (value: unknown): boolean => isObject(value) && value.primary === true && !isHollow(value)

/** At most one value is primary: the first that is and whose index `isPreferred`, else the first. The others say `false` (RFC 7644 3.5.2). */
export const onePrimary = <T>(values: readonly T[], isPreferred: (index: number) => boolean = () => false): readonly T[] => {
  const primaries = [...values.keys()].filter((index) => isPrimary(values[index]))
  if (primaries.length < 2) return values
  const kept = primaries.find(isPreferred) ?? primaries[0]
  return values.map((value, index) => (index !== kept && isPrimary(value) ? { ...value, primary: false } : value))
}

const distinct = (values: readonly unknown[]): readonly unknown[] =>
  [...new Map(values.map((value) => [JSON.stringify(value), value])).values()]

const canonicalList = (list: Attribute, values: readonly unknown[]): readonly unknown[] | undefined => {
  const whole = list.type === 'complex'
    ? values.map((value) => canonicalObject(list, objectAt(value))).filter((value) => value !== undefined && !isHollow(value))
    : values
  // Before and after: a value that is there twice is not one of two primaries, and one that lost `primary` may be there already.
  const kept = distinct(onePrimary(distinct(whole)))
  return kept.length === 0 ? undefined : kept
}

/**
 * The same object in the one form that equal objects share: attributes in the order of the schema, nothing empty, no value
 * twice, one primary. Undefined when nothing is left. Doing it twice changes nothing.
 */
export const canonicalObject = (owner: Attribute, object: JsonObject): JsonObject | undefined => {
  const result: Record<string, unknown> = {}
  for (const attribute of owner.children.values()) {
    const value = Object.hasOwn(object, attribute.name) ? object[attribute.name] : undefined
    const kept = Array.isArray(value)
      ? canonicalList(attribute, value)
      : attribute.type === 'complex' && isObject(value) ? canonicalObject(attribute, value) : value
    if (kept !== undefined && kept !== null) result[attribute.name] = kept
  }
  return Object.keys(result).length === 0 ? undefined : result
}
