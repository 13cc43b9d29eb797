/**
 * The parameters of a list or search request (RFC 7644 sections 3.4.2 and 3.4.3, RFC 9865 section 2), from a query string or from
 * a search body. Names are compared without case (`startindex`, B.7); parameters that are not SCIM's are ignored. Asks no table,
 * and does not look into a cursor.
 */
import { err, ok } from '../result'
import type { Result } from '../result'
import { invalidCount, invalidCursor, invalidSyntax, invalidValue } from './error'
import type { ScimError } from './error'
import { parseFilter } from './filter'
import type { Filter } from './filter'
import type { SortOrder } from './filterSql'
import { isObject } from './json'
import { splitNames } from './path'

/** Okta jumps by 100 whatever it gets (O-08), so no page may be cut below that. */
export const DEFAULT_COUNT = 100
export const MAX_COUNT = 200

/** How long a cursor is good for, from the answer that brought it. */
export const CURSOR_TIMEOUT_SECONDS = 3600

/** What ServiceProviderConfig says of pages (RFC 9865 section 4). Index stays the default: clients rely on it. */
export const PAGINATION = {
  cursor: true,
  index: true,
  defaultPaginationMethod: 'index',
  defaultPageSize: DEFAULT_COUNT,
  maxPageSize: MAX_COUNT,
  cursorTimeout: CURSOR_TIMEOUT_SECONDS,
} as const

export interface Projection {
  /** Names as they came; empty means every attribute that is returned by default. */
  readonly attributes: readonly string[]
  readonly excludedAttributes: readonly string[]
}

export interface ListQuery extends Projection {
  readonly filter: Filter | null
  /** From 1. */
  readonly startIndex: number
  /** Rows wanted: 0 to {@link MAX_COUNT}. */
  readonly count: number
  readonly sortBy?: string
  readonly sortOrder?: SortOrder
}

/** The query of a page that is asked for by a cursor, empty for the first (RFC 9865 section 2). */
export interface CursorQuery extends ListQuery {
  readonly cursor: string
}

export const isCursorQuery = (query: ListQuery | CursorQuery): query is CursorQuery => 'cursor' in query

/** One parameter by its lower-cased name; undefined when it was not given or, but for the cursor, given empty. */
type Read = (name: string) => unknown

/** Lists of names: HTTP libraries repeat the parameter where RFC 7644 joins the names. */
const LISTS: ReadonlySet<string> = new Set(['attributes', 'excludedattributes'])

/** An empty cursor asks for the first page. */
const MAY_BE_EMPTY: ReadonlySet<string> = new Set(['cursor'])

/** Of a parameter that is given twice the first counts, of a list both. */
const fromParams = (params: URLSearchParams): Read => {
  const values = new Map<string, string>()
  for (const [name, value] of params) {
    const key = name.toLowerCase()
    const known = values.get(key)
    if (value.trim() === '' && !MAY_BE_EMPTY.has(key)) continue
    if (known === undefined) values.set(key, value)
    else if (LISTS.has(key)) values.set(key, `${known},${value}`)
  }
  return (name) => values.get(name)
}

const fromBody = (body: Readonly<Record<string, unknown>>): Read => {
  const values = new Map(Object.entries(body).map(([name, value]) => [name.toLowerCase(), value]))
  return (name) => {
    const value = values.get(name)
    return value === null || (value === '' && !MAY_BE_EMPTY.has(name)) ? undefined : value
  }
}

const readInteger = (value: unknown, name: string, absent: number): Result<number, ScimError> => {
  if (value === undefined) return ok(absent)
  const number = typeof value === 'string' && /^\s*[+-]?\d{1,400}\s*$/.test(value) ? Number(value) : value
  if (typeof number !== 'number' || Number.isNaN(number) || (Number.isFinite(number) && !Number.isInteger(number))) {
    return err(invalidValue(`"${name}" must be a whole number.`))
  }
  return ok(Math.max(Math.min(number, Number.MAX_SAFE_INTEGER), Number.MIN_SAFE_INTEGER))
}

/** Characters in a list of names, all together: they are looked up for each resource of a page. */
export const MAX_NAMES_LENGTH = 8192

const readNames = (value: unknown, name: string): Result<readonly string[], ScimError> => {
  const items: readonly unknown[] = value === undefined ? [] : Array.isArray(value) ? value : [value]
  const texts = items.filter((item) => typeof item === 'string')
  if (texts.length !== items.length) return err(invalidValue(`"${name}" must be a list of attribute names.`))
  // A name takes a comma, or the quotes around it, if nothing else.
  const length = texts.reduce((sum, text) => sum + text.length + 1, 0)
  if (length > MAX_NAMES_LENGTH) return err(invalidValue(`"${name}" is longer than ${MAX_NAMES_LENGTH} characters.`))
  return ok(texts.flatMap(splitNames))
}

const readFilter = (value: unknown): Result<Filter | null, ScimError> => {
  if (value === undefined) return ok(null)
  return typeof value === 'string' ? parseFilter(value) : err(invalidValue('"filter" must be a string.'))
}

const readSortOrder = (value: unknown): Result<SortOrder | undefined, ScimError> => {
  if (value === undefined) return ok(undefined)
  const order = typeof value === 'string' ? value.trim().toLowerCase() : ''
  if (order === 'ascending' || order === 'descending') return ok(order)
  return err(invalidValue('"sortOrder" must be "ascending" or "descending".'))
}

const readProjectionFrom = (read: Read): Result<Projection, ScimError> => {
  const attributes = readNames(read('attributes'), 'attributes')
  if (!attributes.ok) return attributes
  const excludedAttributes = readNames(read('excludedattributes'), 'excludedAttributes')
  if (!excludedAttributes.ok) return excludedAttributes
  return ok({ attributes: attributes.value, excludedAttributes: excludedAttributes.value })
}

const readCursor = (value: unknown): Result<string | undefined, ScimError> =>
  value === undefined || typeof value === 'string' ? ok(value) : err(invalidCursor('"cursor" must be a string.'))

/** RFC 9865 has the two as ways to choose; a first page that is asked for in both is one and the same. */
const TWO_WAYS = invalidValue('"startIndex" and "cursor" are two ways to ask for a page. Send one of them.')

const readQuery = (read: Read): Result<ListQuery | CursorQuery, ScimError> => {
  const filter = readFilter(read('filter'))
  if (!filter.ok) return filter
  const startIndex = readInteger(read('startindex'), 'startIndex', 1)
  if (!startIndex.ok) return startIndex
  const cursor = readCursor(read('cursor'))
  if (!cursor.ok) return cursor
  if (cursor.value !== undefined && startIndex.value > 1) return err(TWO_WAYS)
  const count = readInteger(read('count'), 'count', DEFAULT_COUNT)
  if (!count.ok) return cursor.value === undefined ? count : err(invalidCount(count.error.detail))
  const projection = readProjectionFrom(read)
  if (!projection.ok) return projection
  const sortOrder = readSortOrder(read('sortorder'))
  if (!sortOrder.ok) return sortOrder
  const sortBy = read('sortby')
  return ok({
    ...projection.value,
    filter: filter.value,
    startIndex: Math.max(startIndex.value, 1),
    count: Math.min(Math.max(count.value, 0), MAX_COUNT),
    ...(typeof sortBy === 'string' ? { sortBy: sortBy.trim() } : {}),
    ...(sortOrder.value === undefined ? {} : { sortOrder: sortOrder.value }),
    ...(cursor.value === undefined ? {} : { cursor: cursor.value }),
  })
}

/** The query of GET on a list. 400 `invalidFilter`, `invalidValue`, `invalidCursor` or `invalidCount`, naming the parameter. */
export const readListQuery = (params: URLSearchParams): Result<ListQuery | CursorQuery, ScimError> => readQuery(fromParams(params))

/** The query of GET, POST, PUT and PATCH on one resource. */
export const readProjection = (params: URLSearchParams): Result<Projection, ScimError> => readProjectionFrom(fromParams(params))

/** The body of POST `/.search`; `schemas` in it is not insisted on. */
export const readSearchRequest = (body: unknown): Result<ListQuery | CursorQuery, ScimError> =>
  isObject(body) ? readQuery(fromBody(body)) : err(invalidSyntax('The request body must be a JSON object.'))
