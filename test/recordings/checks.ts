/**
 * What a step may say about a body: a path that selects from JSON and an operator that judges the selection. Knows
 * nothing about SCIM or HTTP.
 */
import type { Check } from './recording'

const own = (node: unknown, key: string): unknown => {
  if (Array.isArray(node)) return /^\d+$/.test(key) ? node[Number(key)] : undefined
  if (typeof node !== 'object' || node === null) return undefined
  return Object.getOwnPropertyDescriptor(node, key)?.value
}

const follow = (node: unknown, segment: string): unknown => {
  if (!segment.startsWith('?')) return own(node, segment)
  const split = segment.indexOf('=')
  const key = segment.slice(1, split)
  const wanted = segment.slice(split + 1)
  return Array.isArray(node) ? node.find((item) => String(own(item, key)) === wanted) : undefined
}

/**
 * Segments are parted by `/` (attribute names and URNs hold dots and colons, never a slash): a key or an index,
 * `?key=value` for the first element with that value, `*` for all elements. A path with `*` selects a list, which may be empty.
 */
export const select = (root: unknown, path: string): unknown => {
  let nodes: unknown[] = [root]
  let isList = false
  for (const segment of path === '' ? [] : path.split('/')) {
    if (segment === '*') {
      isList = true
      nodes = nodes.flatMap((node) => (Array.isArray(node) ? node : []))
    } else {
      nodes = nodes.map((node) => follow(node, segment)).filter((node) => node !== undefined)
    }
  }
  return isList ? nodes : nodes[0]
}

const isSame = (left: unknown, right: unknown): boolean => {
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return left === right
  if (Array.isArray(left) !== Array.isArray(right)) return false
  const keys = Object.keys(left)
  const isShared = (key: string): boolean => Object.hasOwn(right, key) && isSame(own(left, key), own(right, key))
  return keys.length === Object.keys(right).length && keys.every(isShared)
}

/** Whether `got` has all that `want` has, lists being of one length; objects may have more. */
const isLike = (got: unknown, want: unknown): boolean => {
  if (typeof got !== 'object' || typeof want !== 'object' || got === null || want === null) return got === want
  if (Array.isArray(got) !== Array.isArray(want) || (Array.isArray(got) && got.length !== Object.keys(want).length)) return false
  return Object.keys(want).every((key) => Object.hasOwn(got, key) && isLike(own(got, key), own(want, key)))
}

const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null || value === '' || (typeof value === 'object' && Object.keys(value).length === 0)

const holdsNull = (value: unknown): boolean =>
  value === null || (typeof value === 'object' && Object.values(value ?? {}).some(holdsNull))

const holds = (list: readonly unknown[], item: unknown): boolean => list.some((other) => isSame(other, item))

const contains = (got: unknown, want: unknown): boolean =>
  Array.isArray(got) ? holds(got, want) : typeof got === 'string' && typeof want === 'string' && got.includes(want)

const isOfType = (got: unknown, want: unknown): boolean => {
  if (want === 'integer') return Number.isInteger(got)
  return want === 'array' ? Array.isArray(got) : typeof got === want && got !== null && !Array.isArray(got)
}

const isSameSet = (got: unknown, want: unknown): boolean =>
  Array.isArray(got) && Array.isArray(want) && got.length === want.length && want.every((item) => holds(got, item))

const hasKeys = (got: unknown, want: unknown): boolean =>
  typeof got === 'object' && got !== null && !Array.isArray(got) && isSameSet(Object.keys(got), want)

const isWithin = (got: unknown, want: unknown): boolean => {
  if (!Array.isArray(want)) return false
  return Array.isArray(got) ? got.length > 0 && got.every((item) => holds(want, item)) : holds(want, got)
}

type Operator = (got: unknown, want: unknown) => boolean

export const operators: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ['eq', isSame],
  ['ne', (got, want) => got !== undefined && !isSame(got, want)],
  ['like', isLike],
  ['keys', hasKeys],
  ['present', (got) => !isEmpty(got)],
  ['absent', (got) => got === undefined],
  ['absentOrEmpty', isEmpty],
  ['type', isOfType],
  ['length', (got, want) => Array.isArray(got) && got.length === want],
  ['atMost', (got, want) => typeof got === 'number' && typeof want === 'number' && got <= want],
  ['contains', contains],
  ['lacks', (got, want) => (Array.isArray(got) || typeof got === 'string') && !contains(got, want)],
  ['sameSet', isSameSet],
  ['within', isWithin],
  ['noNulls', (got) => got !== undefined && !holdsNull(got)],
])

/** A sentence when the check does not hold, else nothing. An unknown operator is a fault of the recording: it throws. */
export const findFault = (body: unknown, check: Check): string | undefined => {
  const operator = operators.get(check.op)
  if (operator === undefined) throw new Error(`unknown operator ${check.op}`)
  const got = select(body, check.path)
  if (operator(got, check.value)) return undefined
  const wanted = check.value === undefined ? '' : ` ${JSON.stringify(check.value)}`
  return `${check.path || 'body'} ${check.op}${wanted}: got ${JSON.stringify(got)?.slice(0, 300)}`
}
