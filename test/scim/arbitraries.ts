/** Random filters, resources and JSON, built from the schema: mostly meaningful, sometimes not. */
import * as fc from 'fast-check'
import type { Attribute } from '../../src/scim/attribute'
import type { CompareOperator, Filter, Literal } from '../../src/scim/filter'
import type { JsonObject } from '../../src/scim/json'
import { ENTERPRISE_SCHEMA, definitionOf } from '../../src/scim/schema'
import type { ResourceType } from '../../src/scim/schema'

const OPERATORS: readonly CompareOperator[] = ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le']

/** Few and close to each other, so that comparisons often hold: case, accents, astral characters, LIKE's wildcards. */
export const texts: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('a', 'A', 'ab', 'Ab', 'b', 'ba', 'work', 'Work', 'home', 'a@b.c', 'a+b@c.d', 'a b@c.d') },
  { weight: 2, arbitrary: fc.constantFrom('', 'é', 'É', 'ß', 'İ', 'ΑΣ', '😀', '\uFFFD', '%', '_', 'a%', "'", '"', '\\', ' ') },
  { weight: 1, arbitrary: fc.string({ maxLength: 4 }).map((text) => text.replaceAll('\u0000', '')) },
)

const literals: fc.Arbitrary<Literal> = fc.oneof(
  { weight: 6, arbitrary: texts },
  { weight: 2, arbitrary: fc.constantFrom<Literal>(true, false, 'True', 'false', null) },
  { weight: 1, arbitrary: fc.integer({ min: -9, max: 9 }) },
  { weight: 2, arbitrary: fc.constantFrom('2026-01-01T00:00:01Z', '2026-01-01T00:00:01.0000001Z', '2026-01-01T01:00:02+01:00', '0001-01-01') },
)

/** Every name that a filter can use, dotted and with URNs where they have them. */
const namesOf = (resourceType: ResourceType): readonly string[] => {
  const { root } = definitionOf(resourceType)
  const below = (attribute: Attribute, prefix: string): string[] => [
    `${prefix}${attribute.name}`,
    ...[...attribute.children.values()].flatMap((child) =>
      below(child, `${prefix}${attribute.name}${attribute.name === ENTERPRISE_SCHEMA ? ':' : '.'}`)),
  ]
  return [...root.children.values()].flatMap((attribute) => below(attribute, ''))
}

const listsOf = (resourceType: ResourceType): readonly Attribute[] =>
  [...definitionOf(resourceType).root.children.values()].filter(({ multiValued, type }) => multiValued && type === 'complex')

const scramble = (name: string, isUpper: boolean): string => (isUpper ? name.toUpperCase() : name)

const terms = (names: fc.Arbitrary<string>): fc.Arbitrary<Filter> => fc.oneof(
  { weight: 5, arbitrary: fc.record<Filter & { kind: 'compare' }>({
    kind: fc.constant('compare'), name: names, operator: fc.constantFrom(...OPERATORS), value: literals,
  }) },
  { weight: 1, arbitrary: names.map((name): Filter => ({ kind: 'present', name })) },
)

const joined = (term: fc.Arbitrary<Filter>): fc.Arbitrary<Filter> => fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof({ maxDepth: 3, withCrossShrink: true },
    term,
    fc.record({ kind: fc.constantFrom('and' as const, 'or' as const), terms: fc.array(tie('filter'), { minLength: 2, maxLength: 3 }) }),
    tie('filter').map((inner): Filter => ({ kind: 'not', term: inner }))),
})).filter

/** Filters within the limits, over the attributes of a resource type; a few names that mean nothing. */
export const filters = (resourceType: ResourceType): fc.Arbitrary<Filter> => {
  const known = fc.tuple(fc.constantFrom(...namesOf(resourceType)), fc.boolean()).map(([name, isUpper]) => scramble(name, isUpper))
  const names = fc.oneof({ weight: 12, arbitrary: known }, { weight: 1, arbitrary: fc.constantFrom('unknown', 'name.unknown', 'emails.unknown') })
  const some = fc.constantFrom(...listsOf(resourceType)).chain((list) =>
    joined(terms(fc.constantFrom(...[...list.children.values()].map(({ name }) => name), 'unknown')))
      .map((filter): Filter => ({ kind: 'some', name: list.name, filter })))
  return joined(fc.oneof({ weight: 3, arbitrary: terms(names) }, { weight: 1, arbitrary: some }))
}

const valueOf = (attribute: Attribute): fc.Arbitrary<unknown> => {
  if (attribute.multiValued) return fc.array(singleOf(attribute), { maxLength: 3 })
  return singleOf(attribute)
}

const singleOf = (attribute: Attribute): fc.Arbitrary<unknown> => {
  if (attribute.type === 'boolean') return fc.boolean()
  if (attribute.type !== 'complex') return texts
  return fc.record(Object.fromEntries([...attribute.children.values()].map((child) => [child.name, valueOf(child)])), { requiredKeys: [] })
}

/** A request body of the right shape, most of it there or not by chance. `members` only where asked for by name. */
export const bodies = (resourceType: ResourceType): fc.Arbitrary<JsonObject> => {
  const { root } = definitionOf(resourceType)
  const attributes = [...root.children.values()].filter(({ name }) => name !== 'members')
  const required = resourceType === 'User' ? 'userName' : 'displayName'
  return fc.record({
    ...Object.fromEntries(attributes.map((attribute) => [attribute.name, valueOf(attribute)])),
    [required]: texts.map((text) => `n${text}`),
  }, { requiredKeys: [required] })
}

const HOSTILE = ['__proto__', 'constructor', 'prototype', 'toString', 'Operations', 'op', 'path', 'value', 'userName', 'emails', 'name', 'members', 'active']

/** Any JSON, with a liking for names that mean something. */
export const anyJson: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 4 },
    fc.oneof(texts, fc.integer(), fc.double(), fc.boolean(), fc.constant(null)),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.array(fc.tuple(fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ maxLength: 6 })), tie('value')), { maxLength: 4 })
      .map((entries) => JSON.parse(`{${entries.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value) ?? 'null'}`).join(',')}}`) as unknown)),
})).value

const paths = (resourceType: ResourceType): fc.Arbitrary<string> => {
  const lists = listsOf(resourceType).flatMap(({ name, children }) =>
    ['[type eq "work"]', '[primary eq "True"]', '[value eq "a"]', '[type ne "x"]', '[type eq "work" and value eq "a"]'].flatMap((filter) =>
      ['', ...[...children.keys()].map((sub) => `.${sub}`)].map((sub) => `${name}${filter}${sub}`)))
  return fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...namesOf(resourceType)) },
    { weight: 3, arbitrary: fc.constantFrom(...lists) },
    { weight: 1, arbitrary: fc.oneof(fc.constantFrom('unknown', 'name.', 'emails[', '', '__proto__', 'constructor.prototype'), fc.string({ maxLength: 8 })) },
  )
}

/** PATCH bodies: operations of the right shape over real paths, with values that fit or do not. */
export const patches = (resourceType: ResourceType): fc.Arbitrary<JsonObject> => {
  const value = fc.oneof(
    { weight: 4, arbitrary: texts }, { weight: 2, arbitrary: fc.boolean() }, { weight: 2, arbitrary: fc.constantFrom(null, [], '', 'True') },
    { weight: 2, arbitrary: bodies(resourceType) }, { weight: 3, arbitrary: fc.constantFrom(...listsOf(resourceType)).chain(valueOf) },
    { weight: 1, arbitrary: anyJson },
  )
  const operation = fc.record({
    op: fc.constantFrom('add', 'Add', 'remove', 'Remove', 'replace', 'Replace'), path: paths(resourceType), value,
  }, { requiredKeys: ['op', 'value'] })
  return fc.record({ Operations: fc.array(operation, { minLength: 1, maxLength: 6 }) })
}
