/** Random PATCH operations over the attributes: mostly right, sometimes of a wrong type or about nothing. */
import * as fc from 'fast-check'
import { anyJson, texts } from '../arbitraries'
import { ATTRIBUTES, CORE, isLeaf, isList, pathsOf, shapeAt, valueShape } from './attributes'
import type { Leaf, Parts, Shape } from './attributes'
import type { Ask } from './filterModel'
import { filtersOf } from './filterArbitrary'
import { oneOf, spell, spellName } from './filterText'
import type { Random } from './filterText'
import type { Change, Named, Nothing } from './patchModel'

const unassigned = fc.constantFrom<unknown>(null, '', [], [null])

const leafValues = (leaf: Leaf): fc.Arbitrary<unknown> =>
  leaf === 'flag' ? fc.constantFrom<unknown>(true, false, 'True', 'false', [true]) : fc.oneof({ weight: 6, arbitrary: texts }, { weight: 1, arbitrary: fc.constantFrom<unknown>(7, 0.5, ['a'], '\ud800') })

/** Names in any case, and names that mean nothing. */
const objectOf = (parts: Parts): fc.Arbitrary<unknown> =>
  fc.tuple(fc.record(Object.fromEntries(Object.entries(parts).map(([name, shape]) => [name, valueOf(shape)])), { requiredKeys: [] }), fc.boolean(), fc.boolean())
    .map(([object, isUpper, isMore]): unknown => ({
      ...Object.fromEntries(Object.entries(object).map(([name, value]) => [isUpper ? name.toUpperCase() : name, value])),
      ...(isMore ? { unknown: 1, toString: 'x' } : {}),
    }))

const fitting = (shape: Shape): fc.Arbitrary<unknown> => {
  const value = valueShape(shape)
  if (!isList(shape)) return isLeaf(value) ? leafValues(value) : objectOf(value)
  const item = isLeaf(value) ? leafValues(value) : fc.oneof({ weight: 6, arbitrary: objectOf(value) }, { weight: 1, arbitrary: fc.oneof(texts, unassigned) })
  return fc.oneof({ weight: 5, arbitrary: fc.array(item, { minLength: 1, maxLength: 3 }) }, { weight: 1, arbitrary: item })
}

const valueOf = (shape: Shape): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 14, arbitrary: fitting(shape) }, { weight: 3, arbitrary: unassigned }, { weight: 1, arbitrary: fc.constantFrom<unknown>(5, true, 'x', {}, { a: 1 }, [[]], ['a', 'b'], 1e300, 'a\u0000') })

const WRONG: readonly Nothing[] = [
  ...['nickNam', 'name.nickName', 'emails[type eq "work"', 'emails]', 'emails[type eq "a"].x', 'name[givenName eq "x"]', 'title[value eq "x"]', '__proto__',
    'constructor.prototype', 'emails.value[value eq "x"]', 'emails[type eq "a"].value x', '"title"', 'emails[type eq "x].value'].map((text): Nothing => ({ wrong: 'invalidPath', text })),
  ...['emails[]', 'emails[type eq].value', 'emails[value eq "a" and].value'].map((text): Nothing => ({ wrong: 'invalidFilter', text })),
]

/** The filters that clients send, and any other. */
const listFilters = (parts: Parts): fc.Arbitrary<Ask> => {
  const equals = (name: string, wanted: string | boolean): Ask => ({ kind: 'compare', path: [name], operator: 'eq', wanted })
  const usual: readonly Ask[] = [equals('type', 'work'), equals('type', 'home'), equals('primary', 'True'), equals('primary', true), equals('value', 'a'), equals('value', 'ab')]
  return fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...usual) },
    { weight: 1, arbitrary: fc.subarray([...usual], { minLength: 2, maxLength: 2 }).map((terms): Ask => ({ kind: 'and', terms })) },
    { weight: 2, arbitrary: filtersOf(parts) },
  )
}

/** A path as far as its list, and the part of the list's values behind it. */
const cutAtList = (shape: Parts, path: readonly string[]): Named => {
  const at = path.findIndex((_name, index) => isList(shapeAt(shape, path.slice(0, index + 1)) ?? 'text'))
  return at < 0 ? { path, filter: null, sub: null } : { path: path.slice(0, at + 1), filter: null, sub: path[at + 1] ?? null }
}

const namedOf = (shape: Parts, path: readonly string[]): fc.Arbitrary<Named> => {
  const named = cutAtList(shape, path)
  const value = valueShape(shapeAt(shape, named.path) ?? 'text')
  const isListed = isList(shapeAt(shape, named.path) ?? 'text') && !isLeaf(value)
  return isListed ? fc.option(listFilters(value), { freq: 3, nil: null }).map((filter): Named => ({ ...named, filter })) : fc.constant(named)
}

const shapeOf = (shape: Parts, { path, filter, sub }: Named): Shape => {
  const found = shapeAt(shape, sub === null ? path : [...path, sub]) ?? 'text'
  return filter !== null && sub === null ? valueShape(found) : found
}

interface Aim {
  readonly target: Named | Nothing
  readonly value: unknown
}

/** A Group has no e-mails, whatever is between the brackets. */
const wrongIn = (shape: Parts): readonly Nothing[] => WRONG.map((nothing): Nothing => (shape.emails === undefined ? { ...nothing, wrong: 'invalidPath' } : nothing))

const aims = (shape: Parts): fc.Arbitrary<Aim> =>
  fc.oneof(
    { weight: 30, arbitrary: fc.constantFrom(...pathsOf(shape)).chain((path) => namedOf(shape, path)).chain((target) =>
      fc.record<Aim>({ target: fc.constant(target), value: fc.oneof({ weight: 9, arbitrary: valueOf(shapeOf(shape, target)) }, { weight: 1, arbitrary: anyJson }) })) },
    { weight: 1, arbitrary: fc.record<Aim>({ target: fc.constantFrom(...wrongIn(shape)), value: texts }) },
  )

const OPS = ['add', 'replace', 'remove'] as const

const changesOf = (aim: fc.Arbitrary<Aim>): fc.Arbitrary<Change> => fc.oneof(
  { weight: 16, arbitrary: fc.record({ op: fc.constantFrom(...OPS), aim, isBare: fc.boolean() }).map(({ op, aim: { target, value }, isBare }): Change =>
    ({ op, target, entries: [], value: op === 'remove' && isBare ? undefined : value })) },
  { weight: 6, arbitrary: fc.record({ op: fc.constantFrom('add' as const, 'replace' as const), entries: fc.array(aim, { minLength: 1, maxLength: 4 }) })
    .map(({ op, entries }): Change => ({ op, target: null, entries, value: undefined })) },
  { weight: 1, arbitrary: fc.constantFrom<Change>(
    { op: 'remove', target: null, entries: [], value: undefined }, { op: 'add', target: null, entries: [], value: 'x' },
    { op: 'replace', target: null, entries: [], value: ['x'] }, { op: 'replace', target: null, entries: [], value: {} },
    { op: 'add', target: { path: ['title'], filter: null, sub: null }, entries: [], value: undefined },
  ) },
)

const userAims = aims(ATTRIBUTES.User)
const { members: _members, ...groupParts } = ATTRIBUTES.Group
const groupAims = aims(groupParts)

/** The ids of `people` and some that nobody has. */
const memberAims = (people: readonly string[]): fc.Arbitrary<Aim> => {
  const id = fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...people) }, { weight: 1, arbitrary: fc.constantFrom('nobody', 'a"]b', '__proto__', '7') })
  const item = fc.oneof(
    { weight: 6, arbitrary: id.map((value): unknown => ({ value })) }, { weight: 2, arbitrary: id.map((value): unknown => ({ $ref: null, Value: value, display: 'x', type: 'User' })) },
    { weight: 2, arbitrary: id }, { weight: 1, arbitrary: fc.constantFrom<unknown>({ display: 'x' }, {}, true, 7, { value: 7 }, { value: ' ' }, { value: {} }, null) })
  const value = fc.oneof({ weight: 6, arbitrary: fc.array(item, { maxLength: 3 }) }, { weight: 2, arbitrary: item }, { weight: 2, arbitrary: unassigned })
  const named: fc.Arbitrary<Ask> = id.map((wanted): Ask => ({ kind: 'compare', path: ['value'], operator: 'eq', wanted }))
  const kind: fc.Arbitrary<Ask> = fc.constantFrom('user', 'User', 'Group').map((wanted): Ask => ({ kind: 'compare', path: ['type'], operator: 'eq', wanted }))
  const filter: fc.Arbitrary<Ask> = fc.oneof(
    { weight: 6, arbitrary: named }, { weight: 1, arbitrary: kind },
    { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('and' as const, 'or' as const), terms: fc.array(fc.oneof(named, named, kind), { minLength: 2, maxLength: 3 }) }) },
    { weight: 1, arbitrary: fc.constantFrom<Ask>(
      { kind: 'present', path: ['value'] }, { kind: 'not', term: { kind: 'compare', path: ['value'], operator: 'eq', wanted: 'x' } },
      { kind: 'compare', path: ['value'], operator: 'sw', wanted: 'x' }, { kind: 'compare', path: ['display'], operator: 'eq', wanted: 'x' },
      { kind: 'compare', path: ['value'], operator: 'eq', wanted: null }, { kind: 'compare', path: ['value'], operator: 'eq', wanted: 7 }) })
  const sub = fc.oneof({ weight: 8, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.constantFrom('value', 'display', 'type', '$ref') })
  return fc.record<Aim>({
    target: fc.record<Named>({ path: fc.constant(['members']), filter: fc.option(filter, { freq: 2, nil: null }), sub }), value,
  })
}

const some = (change: fc.Arbitrary<Change>): fc.Arbitrary<readonly Change[]> => fc.array(change, { minLength: 1, maxLength: 5 })

export const userChanges: fc.Arbitrary<readonly Change[]> = some(changesOf(userAims))
export const groupChanges = (people: readonly string[]): fc.Arbitrary<readonly Change[]> =>
  some(changesOf(fc.oneof({ weight: 3, arbitrary: memberAims(people) }, { weight: 1, arbitrary: groupAims })))

const pathText = (random: Random, target: Named | Nothing, resourceType: 'User' | 'Group'): string => {
  if ('wrong' in target) return target.text
  const { path, filter, sub } = target
  if (filter === null) return spellName(random, sub === null ? path : [...path, sub], resourceType)
  return `${spellName(random, path, resourceType)}[${spell(random, filter, null)}]${sub === null ? '' : `.${spellName(random, [sub], null)}`}`
}

const spellOp = (random: Random, op: string): string => oneOf(random, [op, op, op.toUpperCase(), `${op.charAt(0).toUpperCase()}${op.slice(1)}`])

/** The operations as some client sends them; of entries with one and the same name the last one counts, where the first stood. */
export const write = (random: Random, changes: readonly Change[], resourceType: 'User' | 'Group'): { readonly operations: readonly unknown[]; readonly changes: readonly Change[] } => {
  const written = changes.map((change): { readonly operation: unknown; readonly change: Change } => {
    const { op, target, entries, value } = change
    const given = value === undefined ? {} : { [oneOf(random, ['value', 'value', 'Value'])]: value }
    if (target !== null) return { change, operation: { [oneOf(random, ['op', 'op', 'OP'])]: spellOp(random, op), path: pathText(random, target, resourceType), ...given } }
    if (entries.length === 0) return { change, operation: { op: spellOp(random, op), ...given } }
    const named = new Map(entries.map((entry) => [pathText(random, entry.target, resourceType), entry]))
    const object = Object.fromEntries([...named].map(([text, entry]) => [text, entry.value]))
    const wrapped = random() < 0.1 ? { [oneOf(random, [CORE[resourceType], CORE[resourceType].toUpperCase()])]: object } : object
    return { change: { ...change, entries: [...named.values()] }, operation: { op: spellOp(random, op), value: wrapped } }
  })
  return { operations: written.map(({ operation }) => operation), changes: written.map(({ change }) => change) }
}
