/**
 * Carries a filter out on one resource, or on one value of a list, in memory. PATCH value filters need it; for filterSql it
 * is the model that says what is right. Reads nothing but its arguments.
 */
import { ok } from '../result'
import type { Result } from '../result'
import { valueAt } from './attribute'
import type { Attribute } from './attribute'
import type { ScimError } from './error'
import type { Filter } from './filter'
import { resolveFilter } from './filterResolve'
import type { Resolved, Test, TextOperator } from './filterResolve'
import type { JsonObject } from './json'
import { definitionOf, resolveBelow, resolveName, resourceTypeOf } from './schema'
import type { Definition } from './schema'
import { compareText, foldText } from './text'

const comparisons: Readonly<Record<TextOperator, (have: string, want: string) => boolean>> = {
  eq: (have, want) => have === want,
  co: (have, want) => have.includes(want),
  sw: (have, want) => have.startsWith(want),
  ew: (have, want) => have.endsWith(want),
  gt: (have, want) => compareText(have, want) > 0,
  ge: (have, want) => compareText(have, want) >= 0,
  lt: (have, want) => compareText(have, want) < 0,
  le: (have, want) => compareText(have, want) <= 0,
}

type Fold = (text: string) => string

const passes = (value: unknown, test: Test, fold: Fold): boolean => {
  switch (test.kind) {
    case 'present': return value !== undefined && value !== null
    case 'flag': return (value === true) === test.value
    case 'text': return typeof value === 'string' && comparisons[test.operator](fold(value), test.value)
  }
}

const asItIs: Fold = (text) => text

/** Folds a text once, however many comparisons look at it. */
const foldOnce = (): Fold => {
  const known = new Map<string, string>()
  return (text) => {
    const folded = known.get(text) ?? foldText(text)
    known.set(text, folded)
    return folded
  }
}

/** `list` is the attribute whose values are being looked at, where a test has no path of its own. */
const matches = (filter: Resolved, value: unknown, list: Attribute | undefined, fold: Fold): boolean => {
  switch (filter.kind) {
    case 'all': return filter.terms.every((term) => matches(term, value, list, fold))
    case 'any': return filter.terms.some((term) => matches(term, value, list, fold))
    case 'constant': return filter.value
    case 'test': {
      const isCaseExact = (filter.path.at(-1) ?? list)?.caseExact ?? true
      return passes(valueAt(value, filter.path), filter.test, isCaseExact ? asItIs : fold) !== filter.isNegated
    }
    case 'some': {
      const values = valueAt(value, filter.path)
      const attribute = filter.path.at(-1)
      return (Array.isArray(values) && values.some((item) => matches(filter.filter, item, attribute, fold))) !== filter.isNegated
    }
  }
}

/** Whether a resource matches; 400 `invalidFilter` exactly when `compileFilter` says so. */
export const matchesFilter = (filter: Filter, resource: Readonly<Record<string, unknown>>): Result<boolean, ScimError> => {
  const definition = definitionOf(resourceTypeOf(resource))
  const resolved = resolveFilter(filter, (name) => resolveName(definition, name))
  return resolved.ok ? ok(matches(resolved.value, resource, undefined, foldText)) : resolved
}

/** A test for resources of one type. 400 `invalidFilter` as for {@link matchesFilter}. */
export const compileResourceTest = (filter: Filter, definition: Definition): Result<(resource: JsonObject) => boolean, ScimError> => {
  const resolved = resolveFilter(filter, (name) => resolveName(definition, name))
  if (!resolved.ok) return resolved
  const fold = foldOnce()
  return ok((resource) => matches(resolved.value, resource, undefined, fold))
}

/** A test for the values of one list, from the filter between the brackets of a PATCH path. */
export const compileValueFilter = (filter: Filter, list: Attribute): Result<(value: unknown) => boolean, ScimError> => {
  const resolved = resolveFilter(filter, (name) => resolveBelow(list, name))
  if (!resolved.ok) return resolved
  const fold = foldOnce()
  return ok((value) => matches(resolved.value, value, list, fold))
}
