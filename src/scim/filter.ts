/**
 * The filter language of RFC 7644 figure 1 as a tree, plus what clients send beyond it: unquoted strings, and a sub-attribute
 * behind a value path. Length, depth and number of comparisons are bounded. Knows no attribute: names stay as they came.
 */
import { err, ok } from '../result'
import type { Result } from '../result'
import { invalidFilter } from './error'
import type { ScimError } from './error'
import { scan } from './filterScan'
import type { ScanFault, Token, Tokens } from './filterScan'
import { isBareString } from './quirks'

export type CompareOperator = 'eq' | 'ne' | 'co' | 'sw' | 'ew' | 'gt' | 'ge' | 'lt' | 'le'
export type Literal = string | number | boolean | null

export type Filter =
  | { readonly kind: 'and' | 'or'; readonly terms: readonly Filter[] }
  | { readonly kind: 'not'; readonly term: Filter }
  | { readonly kind: 'compare'; readonly name: string; readonly operator: CompareOperator; readonly value: Literal }
  | { readonly kind: 'present'; readonly name: string }
  /** Some value of a list matches the inner filter, whose names are sub-attributes. */
  | { readonly kind: 'some'; readonly name: string; readonly filter: Filter }

export const MAX_FILTER_LENGTH = 8192
export const MAX_FILTER_DEPTH = 24
export const MAX_FILTER_TERMS = 90

const OPERATORS: ReadonlySet<string> = new Set(['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le'])
const isOperator = (word: string): word is CompareOperator => OPERATORS.has(word)

/** Attribute names, with URN and sub-attribute. Figure 1 has letters, digits, `-`, `_`, `$`; URNs add `:`, `.`, `/`. */
const NAME = /^[A-Za-z$][\w.:$/-]*$/
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

class Fault extends Error {
  constructor(readonly what: string, readonly at: number) { super(what) }
}

/** A number only if it is written as JSON would write it back: `007` and ids of 20 digits stay strings. */
const readWord = (word: string): Literal => {
  if (word === 'true') return true
  if (word === 'false') return false
  if (word === 'null') return null
  return NUMBER.test(word) && String(Number(word)) === word ? Number(word) : word
}

interface Cursor {
  readonly peek: () => Token | undefined
  readonly next: (wanted: string) => Token
  readonly end: number
}

const cursorOver = (tokens: Tokens, end: number): Cursor => {
  let index = 0
  return {
    end,
    peek: () => tokens.at(index),
    next: (wanted) => {
      const token = tokens.at(index)
      if (token === undefined) throw new Fault(`${wanted} is missing`, end)
      index += 1
      return token
    },
  }
}

const isWord = (token: Token | undefined, word: string): boolean => token?.kind === 'word' && token.text.toLowerCase() === word

/** The grammar. Throws {@link Fault} inside this file only. */
const parseTokens = (cursor: Cursor): Filter => {
  let terms = 0

  const expect = (kind: ')' | ']' | '('): void => {
    const token = cursor.next(`"${kind}"`)
    if (token.kind !== kind) throw new Fault(`"${kind}" is missing`, token.at)
  }

  const list = (kind: 'and' | 'or', item: (depth: number) => Filter) => (depth: number): Filter => {
    const items = [item(depth)]
    while (isWord(cursor.peek(), kind)) {
      cursor.next(kind)
      items.push(item(depth))
    }
    const [only] = items
    return items.length === 1 && only !== undefined ? only : { kind, terms: items }
  }

  const value = (operator: string): Literal => {
    const token = cursor.next(`the value after "${operator}"`)
    if (token.kind === 'string') return token.text
    if (token.kind === 'word' && token.text.startsWith("'")) throw new Fault('a string stands in double quotes', token.at)
    if (token.kind !== 'word' || !isBareString(token.text)) throw new Fault(`the value after "${operator}" is missing`, token.at)
    return readWord(token.text)
  }

  const comparison = (name: string): Filter => {
    const token = cursor.next(`the operator after "${name}"`)
    const operator = token.kind === 'word' ? token.text.toLowerCase() : ''
    terms += 1
    if (terms > MAX_FILTER_TERMS) throw new Fault(`there are more than ${MAX_FILTER_TERMS} comparisons`, token.at)
    if (operator === 'pr') return { kind: 'present', name }
    if (!isOperator(operator)) throw new Fault(`there is no operator after "${name}"`, token.at)
    return { kind: 'compare', name, operator, value: value(operator) }
  }

  /** `emails[type eq "work"]`, and `.value eq "x"` behind it (E-04), which asks the same of the same value. */
  const valuePath = (name: string, depth: number, at: number): Filter => {
    const inner = inside(depth, at, ']')
    const after = cursor.peek()
    if (after?.kind !== 'word' || !after.text.startsWith('.')) return { kind: 'some', name, filter: inner }
    cursor.next('name')
    const sub = after.text.slice(1)
    if (!NAME.test(sub)) throw new Fault('a sub-attribute is missing after "."', after.at)
    return { kind: 'some', name, filter: { kind: 'and', terms: [inner, comparison(sub)] } }
  }

  const inside = (depth: number, at: number, close: ')' | ']'): Filter => {
    if (depth >= MAX_FILTER_DEPTH) throw new Fault(`it is nested deeper than ${MAX_FILTER_DEPTH} levels`, at)
    const filter = expression(depth + 1)
    expect(close)
    return filter
  }

  let insideBrackets = false

  const term = (depth: number): Filter => {
    const token = cursor.next('an attribute name')
    if (token.kind === '(') return inside(depth, token.at, ')')
    if (token.kind !== 'word') throw new Fault('an attribute name is missing', token.at)
    const following = cursor.peek()
    if (isWord(token, 'not') && following?.kind === '(') {
      expect('(')
      return { kind: 'not', term: inside(depth, token.at, ')') }
    }
    if (!NAME.test(token.text)) throw new Fault('there is no attribute name', token.at)
    if (following?.kind !== '[') return comparison(token.text)
    if (insideBrackets) throw new Fault('a value path stands inside another', following.at)
    cursor.next('[')
    insideBrackets = true
    try {
      return valuePath(token.text, depth, following.at)
    } finally {
      insideBrackets = false
    }
  }

  const expression: (depth: number) => Filter = list('or', list('and', term))
  const filter = expression(0)
  const rest = cursor.peek()
  if (rest !== undefined) throw new Fault('there is something after its end', rest.at)
  return filter
}

const cannotRead = ({ what, at }: ScanFault): Result<never, ScimError> =>
  err(invalidFilter(`The filter cannot be read: ${what}, at character ${at}.`))

/** The filter that the tokens are, all of them; `end` is the character behind the last. 400 `invalidFilter`. */
export const readFilter = (tokens: Tokens, end: number): Result<Filter, ScimError> => {
  try {
    return ok(parseTokens(cursorOver(tokens, end)))
  } catch (error) {
    if (error instanceof Fault) return cannotRead(error)
    throw error
  }
}

/** 400 `invalidFilter`, with a sentence that says what is wrong and at which character, for anything but a filter. */
export const parseFilter = (text: string): Result<Filter, ScimError> => {
  if (text.length > MAX_FILTER_LENGTH) return err(invalidFilter(`The filter is longer than ${MAX_FILTER_LENGTH} characters.`))
  const scanned = scan(text)
  return scanned.ok ? readFilter(scanned.value, text.length + 1) : cannotRead(scanned.error)
}

/** How many comparisons it makes of one value, at most. */
export const countComparisons = (filter: Filter): number => {
  switch (filter.kind) {
    case 'and':
    case 'or': return filter.terms.reduce((sum, term) => sum + countComparisons(term), 0)
    case 'not': return countComparisons(filter.term)
    case 'some': return countComparisons(filter.filter)
    case 'compare':
    case 'present': return 1
  }
}
