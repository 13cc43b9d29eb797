/**
 * Leaves of a resource what the client asked for (RFC 7644 section 3.9, RFC 7643 section 7 `returned`). `id` and `schemas` always
 * stay, what is never returned never does. Adds nothing.
 */
import type { Attribute, AttributePath } from './attribute'
import { isObject } from './json'
import type { JsonObject } from './json'
import { readAttributeName } from './path'
import { definitionOf, resourceTypeOf } from './schema'
import type { Definition } from './schema'

/** Attributes by name, each with the sub-attributes that were named; `whole` when the attribute itself was. */
interface Named {
  readonly below: Map<string, Named>
  isWhole: boolean
}

const nothing = (): Named => ({ below: new Map(), isWhole: false })

const include = (named: Named, path: AttributePath): void => {
  const [head, ...rest] = path
  if (head === undefined) {
    named.isWhole = true
    return
  }
  const next = named.below.get(head.name) ?? nothing()
  named.below.set(head.name, next)
  include(next, rest)
}

const nameAll = (definition: Definition, names: readonly string[]): Named => {
  const named = nothing()
  for (const name of names) {
    const path = readAttributeName(definition, name)
    if (path !== null) include(named, path)
  }
  return named
}

type Keep = (owner: Attribute, object: JsonObject) => JsonObject

const overValue = (attribute: Attribute, value: unknown, keep: Keep): unknown =>
  Array.isArray(value)
    ? value.map((item: unknown) => (isObject(item) ? keep(attribute, item) : item))
    : isObject(value) ? keep(attribute, value) : value

const isEmptyObject = (value: unknown): boolean => isObject(value) && Object.keys(value).length === 0

const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0

/** Values that lost everything go; a list that was empty before (`members: []`) is an answer and stays. */
const sweep = (before: unknown, after: unknown): unknown => {
  const swept: unknown = Array.isArray(after) ? after.filter((item) => !isEmptyObject(item)) : after
  return isEmptyObject(swept) || (isEmptyList(swept) && !isEmptyList(before)) ? undefined : swept
}

/** The object with each of its attributes decided on: undefined drops it. */
const mapAttributes = (
  owner: Attribute, object: JsonObject, decide: (attribute: Attribute, value: unknown) => unknown,
): JsonObject => {
  const result: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(object)) {
    const attribute = owner.children.get(name.toLowerCase())
    const kept = attribute === undefined ? undefined : sweep(value, decide(attribute, value))
    // Only names of the registry come here.
    if (kept !== undefined) result[name] = kept
  }
  return result
}

const NOTHING = nothing()

const shownWhole = new WeakMap<Attribute, boolean>()

/** Whether nothing below the attribute needs to be asked for or hidden: most are passed on as they are, without being walked. */
const isShownWhole = (attribute: Attribute): boolean => {
  const known = shownWhole.get(attribute)
  if (known !== undefined) return known
  const isWhole = attribute.returned !== 'never' && attribute.returned !== 'request' && [...attribute.children.values()].every(isShownWhole)
  shownWhole.set(attribute, isWhole)
  return isWhole
}

/** Without what is never returned, and without what is returned on request and was not asked for by its own name. */
const asked = (named: Named): Keep => (owner, object) =>
  mapAttributes(owner, object, (attribute, value) => {
    if (isShownWhole(attribute)) return value
    const own = named.below.get(attribute.name)
    if (attribute.returned === 'never' || (attribute.returned === 'request' && own === undefined)) return undefined
    return overValue(attribute, value, asked(own ?? NOTHING))
  })

const only = (named: Named): Keep => (owner, object) =>
  mapAttributes(owner, object, (attribute, value) => {
    if (attribute.returned === 'always') return value
    const wanted = named.below.get(attribute.name)
    if (wanted === undefined) return undefined
    return wanted.isWhole ? value : overValue(attribute, value, only(wanted))
  })

const without = (named: Named): Keep => (owner, object) =>
  mapAttributes(owner, object, (attribute, value) => {
    const unwanted = named.below.get(attribute.name)
    if (unwanted === undefined || attribute.returned === 'always') return value
    return unwanted.isWhole ? undefined : overValue(attribute, value, without(unwanted))
  })

/**
 * The part of a resource that an answer shows. Names are compared without case, may carry a URN, a sub-attribute or a value filter, and name nothing when unknown. With
 * neither list the resource is returned whole; with both, `attributes` chooses and `excludedAttributes` takes away from that.
 */
export const project = (
  resource: JsonObject, attributes: readonly string[], excludedAttributes: readonly string[],
  definition: Definition = definitionOf(resourceTypeOf(resource)),
): JsonObject => {
  const named = nameAll(definition, attributes)
  const visible = asked(named)(definition.root, resource)
  const chosen = attributes.length === 0 ? visible : only(named)(definition.root, visible)
  return excludedAttributes.length === 0 ? chosen : without(nameAll(definition, excludedAttributes))(definition.root, chosen)
}

/** Whether the answer will hold an attribute, so that reading it (the members of a large group) can be spared. */
export const isWanted = (
  resourceType: 'User' | 'Group', name: string, attributes: readonly string[], excludedAttributes: readonly string[],
): boolean => {
  const definition = definitionOf(resourceType)
  const isIncluded = attributes.length === 0 || nameAll(definition, attributes).below.has(name)
  return isIncluded && nameAll(definition, excludedAttributes).below.get(name)?.isWhole !== true
}

/** Whether a sub-attribute that is returned on request was asked for (`members.display`), so that reading it can be spared. */
export const isRequested = (resourceType: 'User' | 'Group', name: string, sub: string, attributes: readonly string[]): boolean =>
  nameAll(definitionOf(resourceType), attributes).below.get(name)?.below.has(sub) === true
