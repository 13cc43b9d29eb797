import { payloadTooLarge, preconditionFailed, notFound, type ScimError } from '../scim/error'
import { etagOf, matchesEtag } from '../scim/etag'
import type { JsonObject } from '../scim/json'
import type { ResourceType } from '../scim/schema'
import { err, ok, type Result } from '../result'

/** What Users and Groups have in common when they are written. */

/** What every stored resource has. */
export interface Stored {
  readonly id: string
  readonly version: number
}

/** Cloudflare refuses rows above 2 MB; one value is kept below 1 MB (design section 11, "Size"). */
const MAX_VALUE_BYTES = 1_000_000
const MAX_ROW_BYTES = 1_900_000

const ENCODER = new TextEncoder()

const bytesOf = (text: string): number => ENCODER.encode(text).length

/** UTF-8 takes at most this many bytes for a unit of a string. */
const MAX_BYTES_A_UNIT = 3

/** 413 when the texts of a row would not fit the table. */
export const checkSize = (type: ResourceType, texts: readonly (string | null)[]): ScimError | null => {
  const length = texts.reduce((sum, text) => sum + (text?.length ?? 0), 0)
  if (length * MAX_BYTES_A_UNIT <= MAX_VALUE_BYTES) return null
  const sizes = texts.map((text) => (text === null ? 0 : bytesOf(text)))
  const isTooLarge = sizes.some((size) => size > MAX_VALUE_BYTES) || sizes.reduce((sum, size) => sum + size, 0) > MAX_ROW_BYTES
  if (!isTooLarge) return null
  return payloadTooLarge(`The ${type} is too large to be stored: its attributes together must stay below about 900 kB.`)
}

/** A text of the request inside a sentence or a journal row. */
export const excerpt = (text: string, length = 100): string => (text.length <= length ? text : `${text.slice(0, length)}…`)

export const noSuch = (type: ResourceType, id: string): ScimError => notFound(`There is no ${type} with the id "${excerpt(id)}".`)

/** 412 when the If-Match header names another version (RFC 7644 section 3.14). */
export const checkVersion = <T extends Stored>(type: ResourceType, stored: T, ifMatch: string | null): Result<T, ScimError> =>
  ifMatch === null || matchesEtag(ifMatch, stored.version)
    ? ok(stored)
    : err(preconditionFailed(`The ${type} was changed in the meantime: its version is ${etagOf(stored.version)}.`))

const OURS: ReadonlySet<string> = new Set(['schemas', 'id', 'meta'])

/** The names of the attributes in which two canonical resources differ, for the journal: never their values. */
export const changedAttributes = (before: JsonObject, after: JsonObject): string[] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((name) => !OURS.has(name) && JSON.stringify(before[name]) !== JSON.stringify(after[name]))

/** `modified` never goes back, whatever the clock does. */
export const laterOf = (previous: string, now: number): string => {
  const time = new Date(now).toISOString()
  return time > previous ? time : previous
}
