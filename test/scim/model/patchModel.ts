/**
 * PATCH (RFC 7644 section 3.5.2, scim-decisions 1 to 8, 15 and 20, identity-providers D.1) on plain JSON, one operation after the
 * other. Takes operations that know what they are about, so that it needs no parser; shares nothing with the engine of src/scim.
 */
import { foldText } from '../../../src/scim/text'
import { ATTRIBUTES, isLeaf, isList, shapeAt, valueShape } from './attributes'
import type { Leaf, Parts } from './attributes'
import { isRefused, matches } from './filterModel'
import type { Ask, Wanted } from './filterModel'

export type Json = Readonly<Record<string, unknown>>

/** What a path names; `sub` is a part of the values of a list. */
export interface Named {
  readonly path: readonly string[]
  readonly filter: Ask | null
  readonly sub: string | null
}

/** A path that names nothing, and what is said of it. */
export interface Nothing {
  readonly wrong: 'invalidPath' | 'invalidFilter'
  readonly text: string
}

export interface Entry {
  readonly target: Named | Nothing
  readonly value: unknown
}

export interface Change {
  readonly op: 'add' | 'replace' | 'remove'
  /** Null for an operation without a path, whose value is the object of these entries, if there are any. */
  readonly target: Named | Nothing | null
  readonly entries: readonly Entry[]
  readonly value: unknown
}

export class Refused extends Error {}

const refuse = (scimType: string): never => {
  throw new Refused(scimType)
}

/** What is no operation at all, whatever it is about. */
const refuseShape = ({ op, target, entries, value }: Change): void => {
  if (op === 'remove' && target === null) refuse('noTarget')
  if (op !== 'remove' && target !== null && value === undefined) refuse('invalidValue')
  if (target === null && entries.length === 0 && !isObject(value)) refuse('invalidValue')
}

export const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

/** What no client writes. */
const READ_ONLY = ['schemas', 'id', 'meta', 'groups', '$ref', 'manager.displayName']
const isReadOnly = (path: readonly string[]): boolean =>
  READ_ONLY.includes(path[0] ?? '') || READ_ONLY.includes(path.at(-1) ?? '') || READ_ONLY.includes(path.slice(-2).join('.'))

export const isNothing = (value: unknown): boolean => value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)

const single = (value: unknown): unknown => (Array.isArray(value) && value.length === 1 ? value[0] : value)

/** What a resource must have, and is found by. */
const NAMES = { User: 'userName', Group: 'displayName' } as const

const readLeaf = (leaf: Leaf, value: unknown, isRequired: boolean): unknown => {
  if (isRequired && typeof value !== 'string') return refuse('invalidValue')
  if (leaf === 'flag') {
    const word = typeof value === 'string' ? value.trim().toLowerCase() : value
    if (word !== true && word !== false && word !== 'true' && word !== 'false') return refuse('invalidValue')
    return word === true || word === 'true'
  }
  const isNumber = typeof value === 'number' && Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))
  if (typeof value !== 'string' && !isNumber) return refuse('invalidValue')
  return String(value).includes('\u0000') ? refuse('invalidValue') : String(value).toWellFormed()
}

/** The known and writable parts that an object speaks of, in any case. */
const spokenParts = (parts: Parts, value: Json, above: readonly string[]): [string, unknown][] =>
  Object.entries(value).flatMap(([key, given]) => {
    const name = Object.keys(parts).find((known) => known.toLowerCase() === key.toLowerCase())
    return name === undefined || isReadOnly([...above, name]) ? [] : [[name, given]]
  })

/** A value of a list, or an object where none was; undefined when it says nothing. */
const readObject = (parts: Parts, value: unknown, above: readonly string[]): Json | undefined => {
  const object = typeof value === 'string' && parts.value !== undefined ? { value } : value
  if (!isObject(object)) return refuse('invalidValue')
  const read = Object.fromEntries(spokenParts(parts, object, above).flatMap(([name, given]) => {
    const shape = parts[name] ?? 'text'
    const kept = readValue(shape, given, [...above, name], false)
    return kept === undefined ? [] : [[name, kept]]
  }))
  return Object.keys(read).length === 0 ? undefined : read
}

const readValue = (shape: Parts[string], value: unknown, path: readonly string[], isRequired: boolean): unknown => {
  if (isNothing(value)) return undefined
  if (isList(shape)) {
    const items: readonly unknown[] = Array.isArray(value) ? value : [value]
    const read = items.flatMap((item) => (isNothing(item) ? [] : [readOne(valueShape(shape), item, path, false)])).filter((item) => item !== undefined)
    return read.length === 0 ? undefined : read
  }
  if (Array.isArray(value) && value.length > 1) return refuse('invalidValue')
  const one = single(value)
  return isNothing(one) ? undefined : readOne(valueShape(shape), one, path, isRequired)
}

const readOne = (shape: Leaf | Parts, value: unknown, path: readonly string[], isRequired: boolean): unknown =>
  isLeaf(shape) ? readLeaf(shape, value, isRequired) : readObject(shape, value, path)

/** What an object assigns to the parts of another: what it does not mention stays. */
const merge = (parts: Parts, old: unknown, value: Json, above: readonly string[]): Json =>
  spokenParts(parts, value, above).reduce<Json>((result, [name, given]) => {
    const shape = parts[name] ?? 'text'
    const one = isList(shape) ? given : single(given)
    const merged = !isList(shape) && !isLeaf(shape) && isObject(one)
      ? merge(shape, result[name], one, [...above, name])
      : readValue(shape, given, [...above, name], false)
    return { ...result, [name]: merged }
  }, isObject(old) ? old : {})

const patchSingle = (shape: Parts[string], old: unknown, { op, value }: Change, path: readonly string[], name: string): unknown => {
  if (op === 'remove') return undefined
  const one = single(value)
  if (!isLeaf(shape) && !isList(shape) && isObject(one)) return merge(shape, old, one, path)
  return readValue(shape, value, path, path.length === 1 && path[0] === name)
}

/** What a filter says of the value that it looks for; null when it does not describe one. */
const described = (ask: Ask, parts: Parts): Json | null => {
  if (ask.kind === 'and') {
    return ask.terms.reduce<Json | null>((known, term) => {
      const more = described(term, parts)
      if (known === null || more === null) return null
      return Object.keys(more).every((name) => known[name] === undefined || known[name] === more[name]) ? { ...known, ...more } : null
    }, {})
  }
  if (ask.kind !== 'compare' || ask.operator !== 'eq' || ask.path.length !== 1) return null
  const [name = ''] = ask.path
  const leaf = parts[name]
  if (leaf === undefined || !isLeaf(leaf) || isNothing(plain(ask.wanted))) return null
  try {
    return { [name]: readLeaf(leaf, plain(ask.wanted), false) }
  } catch {
    return null
  }
}

const plain = (wanted: Wanted): unknown => (typeof wanted === 'object' && wanted !== null ? wanted.text : wanted)

const isSameText = (leaf: Parts[string] | undefined, a: unknown, b: unknown): boolean =>
  typeof a === 'string' && typeof b === 'string' && leaf === 'text' ? foldText(a) === foldText(b) : a === b

const agree = (parts: Parts, names: readonly string[], a: Json, b: Json): boolean => names.every((name) => isSameText(parts[name], a[name], b[name]))

/** One and the same thing: of one value and type; an object without a value, if it says the same but for `primary`. */
const isSame = (parts: Parts, a: Json, b: Json): boolean => {
  if ((a.value === undefined) !== (b.value === undefined)) return false
  return agree(parts, a.value === undefined ? Object.keys(parts).filter((name) => name !== 'primary') : ['value', 'type'], a, b)
}

const addTo = (parts: Parts, values: readonly Json[], added: readonly Json[]): readonly Json[] =>
  added.reduce((result, value) => {
    const at = result.findLastIndex((old) => isSame(parts, old, value))
    return at < 0 ? [...result, value] : result.map((old, index) => (index === at ? { ...old, ...value } : old))
  }, values)

const isNamedBy = (parts: Parts, named: Json, value: Json): boolean =>
  agree(parts, named.value === undefined ? Object.keys(named) : ['value'], named, value)

/** A value that is nothing but a label is none yet. */
const isHollow = (value: Json): boolean => Object.keys(value).every((name) => name === 'type' || name === 'primary')
const isPrimary = (value: Json | undefined): boolean => value !== undefined && value.primary === true && !isHollow(value)

const withOnePrimary = (values: readonly Json[], isNew: (index: number) => boolean): readonly Json[] => {
  const primaries = values.flatMap((value, index) => (isPrimary(value) ? [index] : []))
  const kept = primaries.find(isNew) ?? primaries[0]
  return values.map((value, index) => (primaries.includes(index) && index !== kept ? { ...value, primary: false } : value))
}

const compact = (value: Json): Json => Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined))

const changeList = (parts: Parts, values: readonly Json[], { op, value }: Change, { path, filter, sub }: Named): readonly Json[] => {
  if (filter !== null && isRefused(filter, parts)) return refuse('invalidFilter')
  const isSelected = (item: Json): boolean => filter === null || matches(filter, item, parts)
  const seed = filter === null ? {} : described(filter, parts)
  const create = (more: Json): readonly Json[] => (seed === null ? refuse('noTarget') : [...values, { ...seed, ...more }])
  if (sub !== null) {
    const read = op === 'remove' ? undefined : readValue(parts[sub] ?? 'text', value, [...path, sub], false)
    if (values.some(isSelected)) return values.map((item) => (isSelected(item) ? { ...item, [sub]: read } : item))
    return read === undefined ? values : create({ [sub]: read })
  }
  if (filter !== null) {
    if (op === 'remove') return values.filter((item) => !isSelected(item))
    const one = single(value)
    const read = isNothing(one) ? undefined : readObject(parts, one, path)
    if (read === undefined) return op === 'add' ? values : values.filter((item) => !isSelected(item))
    if (!values.some(isSelected)) return create(read)
    return values.map((item) => (isSelected(item) ? { ...(op === 'add' ? item : seed), ...read } : item))
  }
  if (op === 'remove' && (value === undefined || value === null)) return []
  const read = readValue([parts], value, path, false)
  const given = Array.isArray(read) ? read.filter(isObject) : []
  if (op === 'remove') return values.filter((item) => !given.some((named) => isNamedBy(parts, named, item)))
  return op === 'replace' ? given : addTo(parts, values, given)
}

const patchList = (parts: Parts, old: unknown, change: Change, named: Named): readonly Json[] => {
  const values = Array.isArray(old) ? old.filter(isObject) : []
  const isAnother = change.op === 'replace' && named.filter === null && named.sub === null
  const after = changeList(parts, values, change, named).map(compact)
  return withOnePrimary(after, (index) => !isAnother && !isPrimary(values[index])).filter((value) => Object.keys(value).length > 0)
}

const setAt = (object: Json, [name = '', ...rest]: readonly string[], value: unknown): Json =>
  ({ ...object, [name]: rest.length === 0 ? value : setAt(isObject(object[name]) ? object[name] : {}, rest, value) })

const apply = (resource: Json, resourceType: 'User' | 'Group', change: Change, named: Named): Json => {
  const shape = ATTRIBUTES[resourceType]
  const found = shapeAt(shape, named.path) ?? 'text'
  const old = named.path.reduce<unknown>((node, name) => (isObject(node) ? node[name] : undefined), resource)
  const value = valueShape(found)
  const after = isList(found) && !isLeaf(value)
    ? patchList(value, old, change, named)
    : patchSingle(found, old, change, named.path, NAMES[resourceType])
  return setAt(resource, named.path, after)
}

const distinct = (values: readonly Json[]): readonly Json[] =>
  values.filter((value, at) => values.findIndex((other) => isSameJson(other, value)) === at)

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted)
  return isObject(value) ? Object.entries(value).map(([name, part]): unknown => [name, sorted(part)]).toSorted((a, b) => (String(a) < String(b) ? -1 : 1)) : value
}

/** The same, whatever the order of names. */
export const isSameJson = (a: unknown, b: unknown): boolean => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b))

/** Without what is empty, twice, or a second primary. */
export const clean = (value: unknown): unknown => {
  if (Array.isArray(value)) {
    const objects = value.map(clean).filter(isObject).filter((item) => !isHollow(item))
    const kept = value.some(isObject) ? distinct(withOnePrimary(distinct(objects), () => false)) : value
    return kept.length === 0 ? undefined : kept
  }
  if (!isObject(value)) return value ?? undefined
  const kept = compact(Object.fromEntries(Object.entries(value).map(([name, part]) => [name, clean(part)])))
  return Object.keys(kept).length === 0 ? undefined : kept
}

/** One change for each thing that a request speaks of; a name without a path that names nothing is passed over, and so is what is read-only. */
export const stepsOf = (changes: readonly Change[]): readonly [Change, Named][] => {
  changes.forEach(refuseShape)
  return changes.flatMap((change): [Change, Named][] => {
    const entries = change.target === null ? change.entries : [{ target: change.target, value: change.value }]
    return entries.flatMap(({ target, value }): [Change, Named][] => {
      if ('wrong' in target) return change.target === null ? [] : refuse(target.wrong)
      return isReadOnly(target.path) ? [] : [[{ ...change, value }, target]]
    })
  })
}

/** The resource after the steps, none of which is about members; a {@link Refused} is thrown for what is refused. */
export const patchResource = (resourceType: 'User' | 'Group', before: Json, steps: readonly [Change, Named][]): Json => {
  const after = steps.reduce((resource, [change, named]) => apply(resource, resourceType, change, named), before)
  const name = NAMES[resourceType]
  const needed: readonly string[] = resourceType === 'User' ? [name, 'active'] : [name]
  const cleared = steps.findLast(([, { path }]) => path.length === 1 && needed.includes(path[0] ?? '') && after[path[0] ?? ''] === undefined)
  if (cleared !== undefined) refuse(cleared[0].op === 'remove' && cleared[1].path[0] !== 'active' ? 'mutability' : 'invalidValue')
  if (String(after[name]).trim() === '') refuse('invalidValue')
  const cleaned = clean(after)
  return isObject(cleaned) ? cleaned : {}
}
