/**
 * One PATCH operation on a list (emails, addresses, roles …): which values it selects, what becomes of them, and the value that
 * it creates where it selects none. Values are given and returned, never changed in place.
 */
import { err, ok } from '../result'
import type { Result } from '../result'
import type { Attribute } from './attribute'
import { invalidValue, noTarget } from './error'
import type { ScimError } from './error'
import type { Filter } from './filter'
import { compileValueFilter } from './filterMatch'
import { isObject } from './json'
import type { JsonObject } from './json'
import type { PatchOperation } from './patchRequest'
import type { Target } from './path'
import { removesEverything } from './quirks'
import { isUnwritable, resolveBelow } from './schema'
import { foldText } from './text'
import { MAX_VALUES, assign, canonicalObject, isPrimary, onePrimary, readElement, readValue } from './value'

type Values = readonly JsonObject[]

/**
 * The value that a filter describes: `[type eq "work"]` → `{"type":"work"}`. Only a conjunction of `eq` describes one; null for
 * everything else. Entra counts on it for Add and for Replace (E-09, E-10, V-02; scim-decisions 1).
 */
export const seedFrom = (filter: Filter, list: Attribute): JsonObject | null => {
  if (filter.kind === 'and') {
    let seed: JsonObject = {}
    for (const term of filter.terms) {
      const part = seedFrom(term, list)
      if (part === null) return null
      const isContradiction = Object.entries(part).some(([name, value]) => seed[name] !== undefined && seed[name] !== value)
      if (isContradiction) return null
      seed = { ...seed, ...part }
    }
    return seed
  }
  if (filter.kind !== 'compare' || filter.operator !== 'eq') return null
  const [sub, ...deeper] = resolveBelow(list, filter.name) ?? []
  if (sub === undefined || deeper.length > 0) return null
  const value = readValue(sub, filter.value, sub.name)
  return value.ok && value.value !== undefined ? { [sub.name]: value.value } : null
}

const nothingThere = (target: Target): Result<never, ScimError> =>
  err(noTarget(`The path "${target.text.slice(0, 200)}" selects no value of "${target.attribute.name}".`))

const textOf = (attribute: Attribute, value: unknown): string =>
  typeof value === 'string' && !attribute.caseExact ? foldText(value) : String(value ?? '')

const hasValue = (list: Attribute, value: JsonObject): boolean => list.children.has('value') && value.value !== undefined

/** What a value says in some of its sub-attributes, folded where they are not case exact. No text has a U+0000 in it. */
const keyOf = (list: Attribute, value: JsonObject, names: readonly string[]): string =>
  names.map((name) => {
    const attribute = list.children.get(name.toLowerCase())
    return attribute === undefined ? '' : textOf(attribute, value[name])
  }).join('\u0000')

/** What makes two values of a list one and the same thing: `value` and `type`; for an address all but `primary`. */
const identityOf = (list: Attribute, value: JsonObject): string =>
  hasValue(list, value)
    ? `value ${keyOf(list, value, ['value', 'type'])}`
    : keyOf(list, value, [...list.children.values()].flatMap(({ name }) => (name === 'primary' ? [] : [name])))

/** A value that is there already is completed, not repeated (scim-decisions 15). */
const addTo = (list: Attribute, values: Values, added: Values): Values => {
  const result = [...values]
  const places = new Map(values.map((value, index) => [identityOf(list, value), index]))
  for (const value of added) {
    const identity = identityOf(list, value)
    const place = places.get(identity)
    const old = place === undefined ? undefined : result[place]
    if (old === undefined || place === undefined) {
      places.set(identity, result.length)
      result.push(value)
    } else if (Object.entries(value).some(([name, item]) => old[name] !== item)) result[place] = { ...old, ...value }
  }
  return result
}

/**
 * Whether a stored value is one of those that a remove names: by `value` where it names one, else by all that it says. The named
 * are looked up, not walked through: 500 of them against 500 values is a request that anybody can send.
 */
const isNamedBy = (list: Attribute, named: Values): ((value: JsonObject) => boolean) => {
  const wanted = new Map<string, { readonly names: readonly string[]; readonly keys: Set<string> }>()
  for (const value of named) {
    const names = hasValue(list, value) ? ['value'] : Object.keys(value)
    const alike = wanted.get(names.join()) ?? { names, keys: new Set() }
    wanted.set(names.join(), alike)
    alike.keys.add(keyOf(list, value, names))
  }
  const kinds = [...wanted.values()]
  return (value) => kinds.some(({ names, keys }) => keys.has(keyOf(list, value, names)))
}

const readValues = (list: Attribute, value: unknown): Result<Values, ScimError> => {
  const read = readValue(list, value, list.name)
  return read.ok ? ok(Array.isArray(read.value) ? read.value.filter(isObject) : []) : read
}

/** The list as such: no filter and no sub-attribute. */
const patchWhole = (values: Values, { op, value }: PatchOperation, list: Attribute): Result<Values, ScimError> => {
  if (op === 'remove' && removesEverything(value)) return ok([])
  const given = readValues(list, value)
  if (!given.ok) return given
  if (op === 'add') return ok(addTo(list, values, given.value))
  if (op === 'replace') return given
  const isNamed = isNamedBy(list, given.value)
  return ok(values.filter((old) => !isNamed(old)))
}

type Selects = (value: JsonObject) => boolean

/** One sub-attribute of the selected values. */
const patchSub = (
  values: Values, operation: PatchOperation, target: Target, sub: Attribute, selects: Selects,
): Result<Values, ScimError> => {
  const { attribute: list, filter } = target
  const read = operation.op === 'remove' ? ok(undefined) : readValue(sub, operation.value, `${list.name}.${sub.name}`)
  if (!read.ok) return read
  if (values.some(selects)) return ok(values.map((value) => (selects(value) ? assign(value, [sub], read.value) : value)))
  if (read.value === undefined) return ok(values)
  const seed = filter === null ? {} : seedFrom(filter, list)
  return seed === null ? nothingThere(target) : ok([...values, { ...seed, [sub.name]: read.value }])
}

/** The selected values themselves. */
const patchSelected = (
  values: Values, operation: PatchOperation, target: Target, filter: Filter, selects: Selects,
): Result<Values, ScimError> => {
  const { attribute: list } = target
  if (operation.op === 'remove') return ok(values.filter((value) => !selects(value)))
  const read = readElement(list, operation.value)
  if (!read.ok) return read
  const given = read.value
  const isAdd = operation.op === 'add'
  if (given === undefined) return ok(isAdd ? values : values.filter((value) => !selects(value)))
  const seed = seedFrom(filter, list)
  if (values.some(selects)) {
    return ok(values.map((value) => (selects(value) ? { ...(isAdd ? value : seed), ...given } : value)))
  }
  return seed === null ? nothingThere(target) : ok([...values, { ...seed, ...given }])
}

const patchValues = (values: Values, operation: PatchOperation, target: Target): Result<Values, ScimError> => {
  const { attribute: list, filter, sub } = target
  if (filter === null) return sub === null ? patchWhole(values, operation, list) : patchSub(values, operation, target, sub, () => true)
  const compiled = compileValueFilter(filter, list)
  if (!compiled.ok) return compiled
  return sub === null
    ? patchSelected(values, operation, target, filter, compiled.value)
    : patchSub(values, operation, target, sub, compiled.value)
}

const inOrder = (list: Attribute, value: JsonObject): JsonObject => canonicalObject(list, value) ?? {}

/**
 * The list after the operation. A value that became primary makes the others not so (D.1 row 11). 400 `noTarget` when a value
 * filter that describes no value selects none, `invalidValue` for wrong types and for more than {@link MAX_VALUES} values.
 */
export const patchList = (values: Values, operation: PatchOperation, target: Target): Result<Values, ScimError> => {
  const { attribute: list, sub, filter } = target
  if (sub !== null && isUnwritable([sub])) return ok(values)
  const patched = patchValues(values, operation, target)
  if (!patched.ok) return patched
  if (patched.value.length > MAX_VALUES) return err(invalidValue(`"${list.name}" has more than ${MAX_VALUES} values.`))
  const untouched = new Set(values)
  const after = patched.value.map((value) => (untouched.has(value) ? value : inOrder(list, value)))
  // A list that takes the place of another has no values that were there before; in every other, values keep their index.
  const isAnother = operation.op === 'replace' && filter === null && sub === null
  return ok(onePrimary(after, (index) => !isAnother && !isPrimary(values[index])).filter((value) => Object.keys(value).length > 0))
}
