/** Random filters over the attributes, with literals that often fit what random resources hold (arbitraries.ts). */
import * as fc from 'fast-check'
import { texts } from '../arbitraries'
import { ATTRIBUTES, isLeaf, pathsOf, shapeAt, valueShape } from './attributes'
import type { Parts } from './attributes'
import type { Ask, Operator, Single, Time, Wanted } from './filterModel'

const OPERATORS: readonly Operator[] = ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le']

const pad = (number: number, length: number): string => String(number).padStart(length, '0')

/** One time in one of its spellings: with an offset, with up to seven digits behind the second. */
const writeTime = (ticks: bigint, offsetMinutes: number, digits: number, isShort: boolean): string => {
  const shown = new Date(Number(ticks / 10_000n) + offsetMinutes * 60_000).toISOString()
  const fraction = pad(Number(ticks % 10_000_000n), 7)
  const needed = fraction.replace(/0+$/, '').length
  const shownDigits = fraction.slice(0, Math.max(digits, needed))
  const sign = offsetMinutes < 0 ? '-' : '+'
  const offset = Math.abs(offsetMinutes)
  const zone = offsetMinutes === 0 ? (isShort ? '' : 'Z') : `${sign}${pad(Math.floor(offset / 60), 2)}${isShort ? '' : ':'}${pad(offset % 60, 2)}`
  return `${shown.slice(0, 19)}${shownDigits === '' ? '' : `.${shownDigits}`}${zone}`
}

/** Close to the times of the rows, which are whole seconds of the first minute of 2026. */
const times: fc.Arbitrary<Time> = fc.oneof(
  { weight: 8, arbitrary: fc.record({
    second: fc.nat({ max: 8 }), rest: fc.constantFrom(0, 0, 0, 1, -1, 10_000, 9_999, 1_234_567),
    offset: fc.constantFrom(0, 0, 60, -420, 330, 840), digits: fc.constantFrom(0, 3, 7), isShort: fc.boolean(),
  }).map(({ second, rest, offset, digits, isShort }) => {
    const ticks = BigInt(Date.UTC(2026, 0, 1, 0, 0, second)) * 10_000n + BigInt(rest)
    return { ticks, text: writeTime(ticks, offset, digits, isShort) }
  }) },
  { weight: 1, arbitrary: fc.constantFrom<Time>(
    { text: '0001-01-03T00:00:00.0000000Z', ticks: BigInt(Date.parse('0001-01-03T00:00:00Z')) * 10_000n },
    { text: '2026-01-01', ticks: BigInt(Date.UTC(2026, 0, 1)) * 10_000n },
    { text: '9999-12-31T23:59:59Z', ticks: BigInt(Date.UTC(9999, 11, 31, 23, 59, 59)) * 10_000n },
  ) },
)

const literals: fc.Arbitrary<Wanted> = fc.oneof(
  { weight: 8, arbitrary: texts },
  { weight: 2, arbitrary: fc.constantFrom<Wanted>('n', 'User', 'user', 'u0', 'u1', 'g0', 'direct', 'W/"1"', 'W/"', 'http://127.0.0.1/scim/v2/Users/u0', 'http://127.0.0.1/scim/v2/Groups/g0', '/u1', 'urn:ietf') },
  { weight: 2, arbitrary: fc.constantFrom<Wanted>(true, false, 'True', 'false', ' TRUE ') },
  { weight: 1, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: fc.oneof(fc.integer({ min: -9, max: 9 }), fc.constantFrom(0.5, -1.25, 1e21)) },
  { weight: 1, arbitrary: times },
)

/** Mostly what an attribute of the kind is compared with. */
const wantedFor = (leaf: string): fc.Arbitrary<Wanted> => {
  if (leaf === 'time') return fc.oneof({ weight: 9, arbitrary: times }, { weight: 1, arbitrary: literals })
  if (leaf === 'flag') return fc.oneof({ weight: 9, arbitrary: fc.constantFrom<Wanted>(true, false, 'True', 'FALSE', 'false') }, { weight: 1, arbitrary: literals })
  return literals
}

const leafOf = (shape: Parts, path: readonly string[]): string => {
  const found = shapeAt(shape, path)
  const value = found === undefined ? 'text' : valueShape(found)
  return isLeaf(value) ? value : 'text'
}

const operatorsFor = (leaf: string): fc.Arbitrary<Operator> =>
  leaf === 'flag' ? fc.oneof({ weight: 12, arbitrary: fc.constantFrom<Operator>('eq', 'ne') }, { weight: 1, arbitrary: fc.constantFrom(...OPERATORS) }) : fc.constantFrom(...OPERATORS)

const singles = (shape: Parts): fc.Arbitrary<Single> => {
  const paths = fc.oneof({ weight: 15, arbitrary: fc.constantFrom(...pathsOf(shape)) }, { weight: 1, arbitrary: fc.constantFrom(['unknown'], ['name', 'unknown'], ['emails', 'unknown'], ['constructor'], ['toString']) })
  return paths.chain((path) => {
    const leaf = leafOf(shape, path)
    return fc.oneof(
      { weight: 6, arbitrary: fc.record({ kind: fc.constant('compare' as const), path: fc.constant(path), operator: operatorsFor(leaf), wanted: wantedFor(leaf) }) },
      { weight: 1, arbitrary: fc.constant({ kind: 'present' as const, path }) },
    )
  })
}

const joined = (term: fc.Arbitrary<Ask>, maxDepth: number): fc.Arbitrary<Ask> => fc.letrec<{ ask: Ask }>((tie) => ({
  ask: fc.oneof({ maxDepth, withCrossShrink: true },
    term,
    fc.record({ kind: fc.constantFrom('and' as const, 'or' as const), terms: fc.array(tie('ask'), { minLength: 2, maxLength: 3 }) }),
    tie('ask').map((inner): Ask => ({ kind: 'not', term: inner }))),
})).ask

/** Filters of the values of one list. */
export const filtersOf = (parts: Parts): fc.Arbitrary<Ask> => joined(singles(parts), 2)

/** Values and objects by a filter of their own, now and then of what has no parts. */
const withins = (shape: Parts): fc.Arbitrary<Ask> => {
  const paths = pathsOf(shape)
  const objects = paths.filter((path) => {
    const found = shapeAt(shape, path)
    return found !== undefined && !isLeaf(valueShape(found))
  })
  return fc.oneof({ weight: 12, arbitrary: fc.constantFrom(...objects) }, { weight: 1, arbitrary: fc.constantFrom(['unknown'], ...paths) }).chain((path) => {
    const found = shapeAt(shape, path)
    const value = found === undefined ? 'text' : valueShape(found)
    const parts: Parts = isLeaf(value) ? { value: 'text' } : value
    return fc.record({
      kind: fc.constant('within' as const), path: fc.constant(path), inner: filtersOf(parts), behind: fc.option<Single, null>(singles(parts), { freq: 2, nil: null }),
    })
  })
}

export const asks = (resourceType: 'User' | 'Group'): fc.Arbitrary<Ask> => {
  const shape = ATTRIBUTES[resourceType]
  return joined(fc.oneof({ weight: 3, arbitrary: singles(shape) }, { weight: 1, arbitrary: withins(shape) }), 2)
}
