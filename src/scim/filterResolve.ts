/**
 * Gives a filter its meaning: names become attributes, literals take the attribute's type and case, negations move to the
 * comparisons. What comes out is what both filterSql and filterMatch carry out, so the two cannot disagree about a name.
 */
import { err, ok } from '../result'
import type { Result } from '../result'
import { defaultChild } from './attribute'
import type { Attribute, AttributePath } from './attribute'
import { readInstant } from './dateTime'
import { invalidFilter } from './error'
import type { ScimError } from './error'
import type { CompareOperator, Filter, Literal } from './filter'
import { readBoolean, restoreLostPlus } from './quirks'
import { resolveBelow } from './schema'
import { foldText } from './text'

export type TextOperator = Exclude<CompareOperator, 'ne'>

/** Every test is true or false, never unknown: a missing value passes none of them, and a missing boolean is false. */
export type Test =
  | { readonly kind: 'present' }
  | { readonly kind: 'flag'; readonly value: boolean }
  | { readonly kind: 'text'; readonly operator: TextOperator; readonly value: string }

export type Resolved =
  | { readonly kind: 'all' | 'any'; readonly terms: readonly Resolved[] }
  | { readonly kind: 'constant'; readonly value: boolean }
  /** `path` leads from the resource (or the list's value) through single attributes; empty means the value itself. */
  | { readonly kind: 'test'; readonly path: AttributePath; readonly test: Test; readonly isNegated: boolean }
  /** Some value of the list at `path` passes the inner filter. */
  | { readonly kind: 'some'; readonly path: AttributePath; readonly filter: Resolved; readonly isNegated: boolean }

/** How a name in the filter becomes attributes; null for names that mean nothing here. */
export type Resolve = (name: string) => AttributePath | null

const NEVER: Resolved = { kind: 'constant', value: false }
const ALWAYS: Resolved = { kind: 'constant', value: true }

const any = (...terms: Resolved[]): Resolved => ({ kind: 'any', terms })

const negate = (filter: Resolved): Resolved => {
  switch (filter.kind) {
    case 'all': return { kind: 'any', terms: filter.terms.map(negate) }
    case 'any': return { kind: 'all', terms: filter.terms.map(negate) }
    case 'constant': return filter.value ? NEVER : ALWAYS
    case 'test':
    case 'some': return { ...filter, isNegated: !filter.isNegated }
  }
}

/** What is asked of one attribute, in the words of the filter. */
interface Question {
  readonly name: string
  readonly operator: CompareOperator | 'pr'
  readonly value: Literal
}

const test = (path: AttributePath, asked: Test, isNegated = false): Resolved => ({ kind: 'test', path, test: asked, isNegated })

const isOrder = (operator: string): boolean => operator === 'gt' || operator === 'ge' || operator === 'lt' || operator === 'le'

const cannotCompare = ({ name, operator }: Question, type: string): Result<never, ScimError> =>
  err(invalidFilter(`The filter compares "${name}" by "${operator}", which a ${type} attribute does not have.`))

const askFlag = (path: AttributePath, question: Question): Result<Resolved, ScimError> => {
  if (question.operator !== 'eq' && question.operator !== 'ne') return cannotCompare(question, 'boolean')
  const value = readBoolean(question.value)
  if (value === undefined) return err(invalidFilter(`The filter compares "${question.name}" with a value that is not a boolean.`))
  return ok(test(path, { kind: 'flag', value }, question.operator === 'ne'))
}

const askText = (path: AttributePath, operator: CompareOperator, value: string): Resolved =>
  operator === 'ne'
    ? test(path, { kind: 'text', operator: 'eq', value }, true)
    : test(path, { kind: 'text', operator, value })

/** Stored times end at the millisecond; a literal that goes on is after the one that it is rounded down to. */
const askTime = (path: AttributePath, question: Question): Result<Resolved, ScimError> => {
  const { operator, value } = question
  if (operator === 'co' || operator === 'sw' || operator === 'ew') return ok(askText(path, operator, String(value)))
  const instant = typeof value === 'string' ? readInstant(value) : null
  if (instant === null || operator === 'pr') {
    return err(invalidFilter(`The filter compares "${question.name}" with a value that is not a date.`))
  }
  if (!instant.isRounded) return ok(askText(path, operator, instant.text))
  if (operator === 'eq') return ok(NEVER)
  if (operator === 'ne') return ok(ALWAYS)
  return ok(askText(path, operator === 'ge' ? 'gt' : operator === 'lt' ? 'le' : operator, instant.text))
}

const askString = (path: AttributePath, attribute: Attribute, question: Question): Result<Resolved, ScimError> => {
  const { operator, value } = question
  if (operator === 'pr') return ok(test(path, { kind: 'present' }))
  if (attribute.type === 'binary' && isOrder(operator)) return cannotCompare(question, 'binary')
  const fold = (text: string): string => (attribute.caseExact ? text : foldText(text))
  const literal = String(value).toWellFormed()
  const restored = restoreLostPlus(literal)
  const asked = askText(path, operator, fold(literal))
  return ok(operator === 'eq' && restored !== null ? any(asked, askText(path, 'eq', fold(restored))) : asked)
}

/** `path` has no list in it; `attribute` is its end, or the list whose plain values are asked (then `path` is empty). */
const askSingle = (path: AttributePath, attribute: Attribute, question: Question): Result<Resolved, ScimError> => {
  if (question.operator === 'pr') return ok(test(path, { kind: 'present' }))
  if (question.value === null) {
    if (question.operator === 'eq') return ok(test(path, { kind: 'present' }, true))
    if (question.operator === 'ne') return ok(test(path, { kind: 'present' }))
    return err(invalidFilter(`The filter compares "${question.name}" with null by "${question.operator}".`))
  }
  if (attribute.type === 'complex') {
    const child = defaultChild(attribute)
    return child === undefined ? ok(NEVER) : askSingle([...path, child], child, question)
  }
  if (attribute.type === 'boolean') return askFlag(path, question)
  return attribute.type === 'dateTime' ? askTime(path, question) : askString(path, attribute, question)
}

const isNull = ({ operator, value }: Question): boolean => value === null && (operator === 'eq' || operator === 'ne')

/** A list passes when one of its values does; `ne` also when it has none, as for a single value that is missing. */
const ask = (path: AttributePath, question: Question): Result<Resolved, ScimError> => {
  const end = path.at(-1)
  if (end === undefined) return ok(NEVER)
  const at = path.findIndex(({ multiValued }) => multiValued)
  const list = path[at]
  if (list === undefined) return askSingle(path, end, question)
  const listPath = path.slice(0, at + 1)
  const rest = path.slice(at + 1)
  const isThere: Resolved = { kind: 'some', path: listPath, filter: ALWAYS, isNegated: false }
  if (rest.length === 0 && question.operator === 'pr') return ok(isThere)
  if (isNull(question)) {
    const asked = ask(path, { ...question, operator: 'pr' })
    return asked.ok && question.operator === 'eq' ? ok(negate(asked.value)) : asked
  }
  const inner = askSingle(rest, end, question)
  // What has no value to compare (`addresses`) is compared with nothing, by `ne` neither.
  if (!inner.ok || inner.value === NEVER) return inner
  const some: Resolved = { kind: 'some', path: listPath, filter: inner.value, isNegated: false }
  return ok(question.operator === 'ne' ? any(some, negate(isThere)) : some)
}

const cannotFilter = (name: string): Result<never, ScimError> =>
  err(invalidFilter(`The filter asks for "${name.slice(0, 200)}", which is worked out for each answer and cannot be filtered by.`))

const isFilterable = (path: AttributePath): boolean => path.every((attribute) => attribute.isFilterable !== false)

const resolveSome = (name: string, filter: Filter, resolve: Resolve): Result<Resolved, ScimError> => {
  const path = resolve(name)
  const list = path?.at(-1)
  if (path === null || list === undefined) return ok(NEVER)
  if (!isFilterable(path)) return cannotFilter(name)
  if (list.type !== 'complex') return err(invalidFilter(`The filter selects by sub-attributes of "${name}", which has none.`))
  if (list.multiValued) {
    const inner = resolveFilter(filter, (sub) => resolveBelow(list, sub))
    return inner.ok ? ok({ kind: 'some', path, filter: inner.value, isNegated: false }) : inner
  }
  const inner = resolveFilter(filter, (sub) => {
    const below = resolveBelow(list, sub)
    return below === null ? null : [...path, ...below]
  })
  // Of a value that is not there, nothing holds: `manager[not (value eq "x")]` speaks of a manager.
  return inner.ok ? ok({ kind: 'all', terms: [test(path, { kind: 'present' }), inner.value] }) : inner
}

/**
 * 400 `invalidFilter` for operators that the attribute's type does not have (scim-decisions 16) and literals of another
 * type. A comparison of an unknown attribute is false whatever its operator (identity-providers D.2 row 10).
 */
export const resolveFilter = (filter: Filter, resolve: Resolve): Result<Resolved, ScimError> => {
  switch (filter.kind) {
    case 'and':
    case 'or': {
      const terms: Resolved[] = []
      for (const term of filter.terms) {
        const resolved = resolveFilter(term, resolve)
        if (!resolved.ok) return resolved
        terms.push(resolved.value)
      }
      return ok({ kind: filter.kind === 'and' ? 'all' : 'any', terms })
    }
    case 'not': {
      const resolved = resolveFilter(filter.term, resolve)
      return resolved.ok ? ok(negate(resolved.value)) : resolved
    }
    case 'some': return resolveSome(filter.name, filter.filter, resolve)
    case 'compare':
    case 'present': {
      const path = resolve(filter.name)
      if (path === null) return ok(NEVER)
      if (!isFilterable(path)) return cannotFilter(filter.name)
      return ask(path, filter.kind === 'compare' ? filter : { name: filter.name, operator: 'pr', value: true })
    }
  }
}
