/** Lists: oldest first, `limit` 1..100 (50), opaque cursors, `next_cursor` only when there is more. */
import { err, ok, type Result } from '../../../src/result'
import { type Call, found, type Json, type Reply } from './call'
import { badRequest, type Problem } from './problem'

type Numbered = { readonly n: number }

const DEFAULT_LIMIT = 50
const MAX_LIMIT = 100

type Position = { readonly after: number; readonly limit: number }

const readLimit = (text: string | null): Result<number, Problem> => {
  if (text === null) return ok(DEFAULT_LIMIT)
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (limit >= 1 && limit <= MAX_LIMIT) return ok(limit)
  return err(badRequest(`The 'limit' parameter must be between 1 and ${MAX_LIMIT}.`))
}

const makeCursor = (list: string, after: number): string => btoa(`${list}|after|${after}`)

const readCursor = (list: string, cursor: string | null): Result<number, Problem> => {
  if (cursor === null || cursor === '') return ok(0)
  const decoded = /^[A-Za-z0-9+/]+={0,2}$/.test(cursor) && cursor.length % 4 === 0 ? atob(cursor) : ''
  const [of, , after] = decoded.split('|')
  return of === list && after !== undefined && /^\d{1,15}$/.test(after)
    ? ok(Number(after))
    : err(badRequest("The 'cursor' parameter is not valid."))
}

const readPosition = (call: Call, list: string): Result<Position, Problem> => {
  const limit = readLimit(call.query.get('limit'))
  if (!limit.ok) return limit
  const after = readCursor(list, call.query.get('cursor'))
  return after.ok ? ok({ after: after.value, limit: limit.value }) : after
}

/** `select` gives at most `limit` rows with n > after, by n. */
type Page = <T extends Numbered>(
  select: (after: number, limit: number) => readonly T[],
  render: (row: T) => Json,
) => Reply

/** Called before anything is looked up: a bad `limit` or `cursor` is 400 whoever asks. */
export const readPage = (call: Call, list: string): Result<Page, Problem> => {
  const position = readPosition(call, list)
  if (!position.ok) return position
  const { after, limit } = position.value
  return ok((select, render) => {
    const size = Math.min(limit, call.shortPage ?? limit)
    const fetched = select(after, size + 1)
    const page = fetched.slice(0, size)
    const hasMore = fetched.length > size || call.shortPage !== undefined
    const cursor = makeCursor(list, page.at(-1)?.n ?? after)
    const pagination = hasMore ? { has_more: true, next_cursor: cursor } : { has_more: false }
    return found({ [list]: page.map(render), pagination })
  })
}

/** A case-insensitive substring filter; no wildcard has a meaning. Empty when there is none. */
export const readSubstring = (call: Call, name: string): string => (call.query.get(name) ?? '').toLowerCase()
