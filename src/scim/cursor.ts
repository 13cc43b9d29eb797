/**
 * Cursors of RFC 9865 as text: where a page ended, when, and for which `count`, behind a seal over that and over everything else
 * that must not change between pages. Holds rows' numbers, never their values. Neither makes nor checks the seal: that takes a key.
 */
import { err, ok } from '../result'
import type { Result } from '../result'
import { expiredCursor, invalidCount, invalidCursor } from './error'
import type { ScimError } from './error'
import { CURSOR_TIMEOUT_SECONDS } from './query'
import type { ListQuery } from './query'
import type { ResourceType } from './schema'

/** A row that was on the page, as it was then. */
export interface Anchor {
  readonly type: ResourceType
  readonly seq: number
  readonly version: number
}

export interface Claims {
  /** Seconds since 1970. */
  readonly issuedAt: number
  readonly count: number
  /** The end of the page, its last row last. Where rows are sorted it takes several: one of them may be gone or have moved. */
  readonly anchors: readonly Anchor[]
}

/** How many rows of a sorted page a cursor remembers. */
export const MAX_ANCHORS = 8

export interface SealedCursor {
  readonly payload: string
  /** Base64url. */
  readonly seal: string
}

/** Unreserved characters of RFC 3986 alone; the seal is 32 bytes. */
const CURSOR = /^([\w-]{1,400})\.([\w-]{43})$/

const INVALID = invalidCursor(
  'The cursor does not belong to this query. Send the nextCursor of the page before with the other parameters unchanged, or an empty cursor for the first page.')

export const foreignCursor = (): Result<never, ScimError> => err(INVALID)

/** 400 `invalidCursor` for what never was one. */
export const splitCursor = (cursor: string): Result<SealedCursor, ScimError> => {
  const [, payload, seal] = CURSOR.exec(cursor) ?? []
  return payload === undefined || seal === undefined ? foreignCursor() : ok({ payload, seal })
}

export const joinCursor = ({ payload, seal }: SealedCursor): string => `${payload}.${seal}`

const TYPES: readonly ResourceType[] = ['User', 'Group']

const encode = (text: string): string => btoa(text).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')

const decode = (text: string): string | null => {
  try {
    return atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  } catch {
    return null
  }
}

export const writeClaims = ({ issuedAt, count, anchors }: Claims): string =>
  encode([issuedAt, count, ...anchors.flatMap(({ type, seq, version }) => [TYPES.indexOf(type), seq, version])]
    .map((number) => number.toString(36)).join('.'))

const readNumbers = (text: string): readonly number[] =>
  /^[\da-z]{1,11}(?:\.[\da-z]{1,11})+$/.test(text) ? text.split('.').map((number) => Number.parseInt(number, 36)) : []

/** 400 `invalidCursor` for a payload that was not written here. Believed only once its seal was checked. */
export const readClaims = (payload: string): Result<Claims, ScimError> => {
  const [issuedAt, count, ...rest] = readNumbers(decode(payload) ?? '')
  if (issuedAt === undefined || count === undefined) return foreignCursor()
  const anchors: Anchor[] = []
  for (let at = 0; at < rest.length; at += 3) {
    const [index, seq, version] = rest.slice(at, at + 3)
    const type = TYPES[index ?? TYPES.length]
    if (type === undefined || seq === undefined || version === undefined) return foreignCursor()
    anchors.push({ type, seq, version })
  }
  return anchors.length === 0 || anchors.length > MAX_ANCHORS ? foreignCursor() : ok({ issuedAt, count, anchors })
}

/** 400 `invalidCount` for another count than that of the first page, 400 `expiredCursor` after {@link CURSOR_TIMEOUT_SECONDS}. */
export const checkClaims = (claims: Claims, query: ListQuery, nowMs: number): ScimError | null => {
  if (claims.count !== query.count) return invalidCount(`"count" must be that of the first page, which was ${claims.count}.`)
  return nowMs / 1000 - claims.issuedAt > CURSOR_TIMEOUT_SECONDS
    ? expiredCursor(`The cursor is older than ${CURSOR_TIMEOUT_SECONDS} seconds. Begin again with an empty cursor.`)
    : null
}

/** Every row that the cursor remembers is gone or stands elsewhere by now: whatever came next would be a guess. */
export const lostCursor = (): Result<never, ScimError> =>
  err(expiredCursor('The resources at which the page before ended have changed since. Begin again with an empty cursor.'))

const lower = (names: readonly string[]): readonly string[] => [...new Set(names.map((name) => name.toLowerCase()))].toSorted()

/** The names of a filter are compared without case (the second request of RFC 9865 section 2 has `username` for `userName`). */
const foldNames = (key: string, value: unknown): unknown => (key === 'name' && typeof value === 'string' ? value.toLowerCase() : value)

/**
 * Whom a cursor is for, and all parameters that must be the same on every page, `attributes` and `excludedAttributes` among them
 * (RFC 9865 section 2: "all query parameters and values being identical"). `count` is not: it has an error of its own.
 */
export const cursorContext = (connectionId: string, type: ResourceType | null, query: ListQuery): string =>
  JSON.stringify([
    connectionId, type, query.filter, query.sortBy?.toLowerCase() ?? null, query.sortOrder ?? 'ascending',
    lower(query.attributes), lower(query.excludedAttributes),
  ], foldNames)
