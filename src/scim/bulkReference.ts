/**
 * References of a bulk request to what it creates itself (RFC 7644 section 3.7.2): a string that is `bulkId:` and an id,
 * anywhere in the data, or in quotes inside the path of a PATCH operation. Knows no order and no resource.
 */
import { MAX_FILTER_LENGTH } from './filter'
import { scan } from './filterScan'
import { isObject } from './json'

const PREFIX = 'bulkId:'

/** The bulkId that a text refers to; null when it is no reference. */
export const referenceIn = (text: string): string | null => (text.startsWith(PREFIX) ? text.slice(PREFIX.length) : null)

/** What a reference to this bulkId becomes. */
export type Resolve = (bulkId: string) => string

const resolveText = (text: string, resolve: Resolve): string => {
  const bulkId = referenceIn(text)
  return bulkId === null ? text : resolve(bulkId)
}

const QUOTED = /"(?:[^"\\]|\\[^])*"/g

/**
 * Only in a path that the scanner can cut: there every quote has its partner, so that the search never goes back. Others are
 * refused when the operation is read.
 */
const resolvePath = (path: string, resolve: Resolve): string => {
  if (path.length > MAX_FILTER_LENGTH || !path.includes(PREFIX) || !scan(path).ok) return path
  return path.replace(QUOTED, (quoted) => {
    const text: unknown = JSON.parse(quoted)
    return typeof text === 'string' && referenceIn(text) !== null ? JSON.stringify(resolveText(text, resolve)) : quoted
  })
}

const resolveIn = (value: unknown, resolve: Resolve, hasPaths: boolean): unknown => {
  if (typeof value === 'string') return resolveText(value, resolve)
  if (Array.isArray(value)) return value.map((item: unknown) => resolveIn(item, resolve, hasPaths))
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [
    name,
    hasPaths && typeof item === 'string' && name.toLowerCase() === 'path' ? resolvePath(item, resolve) : resolveIn(item, resolve, hasPaths),
  ]))
}

/** The data of an operation with what its references become; names of attributes are never references. */
export const resolveData = (method: string, data: unknown, resolve: Resolve): unknown => resolveIn(data, resolve, method === 'PATCH')
