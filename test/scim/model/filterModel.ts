/**
 * What a filter means (RFC 7644 section 3.4.2.2 and scim-decisions), straight on the JSON that a client sees. Slow and plain; shares
 * with src/scim the folding of texts (text.spec.ts) and nothing else.
 */
import { foldText } from '../../../src/scim/text'
import { isLeaf, isList, partOf, shapeAt, valueShape } from './attributes'
import type { Leaf, Parts, Shape } from './attributes'

export type Operator = 'eq' | 'ne' | 'co' | 'sw' | 'ew' | 'gt' | 'ge' | 'lt' | 'le'

/** A point in time as some client writes it; ticks are 100 ns since 1970. */
export interface Time {
  readonly text: string
  readonly ticks: bigint
}

export type Wanted = string | number | boolean | null | Time

interface Comparison {
  readonly kind: 'compare'
  readonly path: readonly string[]
  readonly operator: Operator
  readonly wanted: Wanted
}

export type Single = Comparison | { readonly kind: 'present'; readonly path: readonly string[] }

export type Ask =
  | { readonly kind: 'and' | 'or'; readonly terms: readonly Ask[] }
  | { readonly kind: 'not'; readonly term: Ask }
  | Single
  /** `path[inner]`, or `path[inner].sub operator wanted`, which asks two things of one value. */
  | { readonly kind: 'within'; readonly path: readonly string[]; readonly inner: Ask; readonly behind: Single | null }

const isTime = (wanted: Wanted): wanted is Time => typeof wanted === 'object' && wanted !== null

const textOf = (wanted: Wanted): string => (isTime(wanted) ? wanted.text : String(wanted)).toWellFormed()

const flagOf = (wanted: Wanted): boolean | undefined => {
  const word = textOf(wanted).trim().toLowerCase()
  return wanted === null || typeof wanted === 'number' ? undefined : word === 'true' ? true : word === 'false' ? false : undefined
}

const isOrder = (operator: Operator): boolean => ['gt', 'ge', 'lt', 'le'].includes(operator)
const isPart = (operator: Operator): boolean => ['co', 'sw', 'ew'].includes(operator)

/** What is compared when an object is named: its `value`. */
const comparedShape = (shape: Shape): Leaf | null => {
  const value = valueShape(shape)
  if (isLeaf(value)) return value
  return value.value !== undefined && isLeaf(value.value) ? value.value : null
}

const isWrong = (leaf: Leaf | null, operator: Operator, wanted: Wanted): boolean => {
  if (wanted === null) return operator !== 'eq' && operator !== 'ne'
  if (leaf === 'flag') return isOrder(operator) || isPart(operator) || flagOf(wanted) === undefined
  if (leaf === 'time') return !isPart(operator) && !isTime(wanted)
  return leaf === 'binary' && isOrder(operator)
}

/** Whether the filter asks of an attribute what it cannot be asked: 400 `invalidFilter`. Unknown attributes can be asked anything. */
export const isRefused = (ask: Ask, shape: Parts): boolean => {
  switch (ask.kind) {
    case 'and':
    case 'or': return ask.terms.some((term) => isRefused(term, shape))
    case 'not': return isRefused(ask.term, shape)
    case 'present': return false
    case 'compare': {
      const found = shapeAt(shape, ask.path)
      return found !== undefined && isWrong(comparedShape(found), ask.operator, ask.wanted)
    }
    case 'within': {
      const found = shapeAt(shape, ask.path)
      if (found === undefined) return false
      const value = valueShape(found)
      return isLeaf(value) || [ask.inner, ask.behind].some((inner) => inner !== null && isRefused(inner, value))
    }
  }
}

const order = (a: string, b: string): number => {
  const [left, right] = [a, b].map((text) => [...text].map((char) => char.codePointAt(0) ?? 0))
  for (let at = 0; ; at += 1) {
    const [x, y] = [left?.[at], right?.[at]]
    if (x === undefined || y === undefined) return (x === undefined ? 0 : 1) - (y === undefined ? 0 : 1)
    if (x !== y) return x - y
  }
}

const holds = (operator: Operator, difference: number): boolean => {
  switch (operator) {
    case 'eq': return difference === 0
    case 'ne': return difference !== 0
    case 'gt': return difference > 0
    case 'ge': return difference >= 0
    case 'lt': return difference < 0
    case 'le': return difference <= 0
    default: throw new Error(`${operator} is no order`)
  }
}

const compareTexts = (operator: Operator, have: string, want: string): boolean => {
  if (operator === 'co') return have.split(want).length > 1 || want === ''
  if (operator === 'sw') return have.slice(0, want.length) === want
  if (operator === 'ew') return want === '' || have.slice(-want.length) === want
  return holds(operator, order(have, want))
}

/** A `+` that came as a space is looked for beside the space (D.2 row 2). */
const spellings = (operator: Operator, want: string): readonly string[] =>
  operator === 'eq' && want.includes(' ') && want.includes('@') && want.trim() === want ? [want, want.replaceAll(' ', '+')] : [want]

const compareLeaf = (leaf: Leaf, have: unknown, { operator, wanted }: Comparison): boolean => {
  if (leaf === 'flag') return ((have === true) === flagOf(wanted)) === (operator === 'eq')
  if (typeof have !== 'string') return operator === 'ne'
  if (leaf === 'time' && isTime(wanted) && !isPart(operator)) {
    const ticks = BigInt(Date.parse(have)) * 10_000n
    return holds(operator, ticks < wanted.ticks ? -1 : ticks > wanted.ticks ? 1 : 0)
  }
  const fold = (text: string): string => (leaf === 'text' ? foldText(text) : text)
  return spellings(operator, textOf(wanted)).some((want) => compareTexts(operator, fold(have), fold(want)))
}

const itemsOf = (node: unknown): readonly unknown[] => (Array.isArray(node) ? node : [])

/** Whether there is anything at the path. */
const isPresent = (node: unknown, shape: Shape, path: readonly string[]): boolean => {
  if (isList(shape)) return itemsOf(node).some((item) => isPresent(item, shape[0], path))
  const [name, ...rest] = path
  if (name === undefined) return node !== undefined
  const child = isLeaf(shape) ? undefined : shape[name]
  return child !== undefined && isPresent(partOf(node, name), child, rest)
}

/** A list passes when one of its values does; by `ne` also when it has none. */
const compare = (node: unknown, shape: Shape, path: readonly string[], asked: Comparison): boolean => {
  if (isList(shape)) {
    const items = itemsOf(node)
    return (asked.operator === 'ne' && items.length === 0) || items.some((item) => compare(item, shape[0], path, asked))
  }
  if (isLeaf(shape)) return compareLeaf(shape, node, asked)
  const [name = 'value', ...rest] = path
  const child = shape[name]
  return child !== undefined && compare(partOf(node, name), child, rest, asked)
}

/** Whether an object matches. Ask only what is not refused. */
export const matches = (ask: Ask, node: unknown, shape: Parts): boolean => {
  switch (ask.kind) {
    case 'and': return ask.terms.every((term) => matches(term, node, shape))
    case 'or': return ask.terms.some((term) => matches(term, node, shape))
    case 'not': return !matches(ask.term, node, shape)
    case 'present': return isPresent(node, shape, ask.path)
    case 'compare': {
      const found = shapeAt(shape, ask.path)
      if (found === undefined) return false
      if (ask.wanted === null) return isPresent(node, shape, ask.path) === (ask.operator === 'ne')
      return comparedShape(found) !== null && compare(node, shape, ask.path, ask)
    }
    case 'within': {
      const found = shapeAt(shape, ask.path)
      if (found === undefined) return false
      const value = valueShape(found)
      if (isLeaf(value)) throw new Error('refused before')
      const there = ask.path.reduce<unknown>(partOf, node)
      const items = isList(found) ? itemsOf(there) : there === undefined ? [] : [there]
      return items.some((item) => [ask.inner, ask.behind].every((inner) => inner === null || matches(inner, item, value)))
    }
  }
}
