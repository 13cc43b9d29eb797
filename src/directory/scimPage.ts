import {
  checkClaims, cursorContext, foreignCursor, joinCursor, lostCursor, MAX_ANCHORS, readClaims, splitCursor, writeClaims,
  type Anchor, type Claims, type SealedCursor,
} from '../scim/cursor'
import type { ScimError } from '../scim/error'
import type { Bind } from '../scim/filterSql'
import { aliasOf, staysInPlace, type Order, type Place } from '../scim/pageSql'
import type { CursorQuery } from '../scim/query'
import { listResponse } from '../scim/render'
import { err, ok, type Result } from '../result'
import { cursorKey, isSealed, sealCursor } from './cursorSeal'
import { sourceOf, tableOf, type PageRow, type Source } from './pageSource'
import type { PageCommand, ScimContext, ScimReply } from './scimCommand'
import { pageTexts, typesOf } from './scimList'
import { fitAnswer } from './scimView'

/**
 * One page by cursor (RFC 9865). All that is read is read at once, by `draftPage`, from what the cursor claims; `finishPage` then
 * looks whether the claims are its own, which takes time, and only then gives the page away.
 */

interface Page {
  readonly totalResults: number
  readonly texts: readonly string[]
  /** Null on the last page. */
  readonly next: Claims | null
}

export interface PageDraft {
  readonly key: string
  readonly context: string
  /** Null for the first page. */
  readonly presented: SealedCursor | null
  /** An error of the cursor's claims counts only if they are genuine. */
  readonly page: Result<Page, ScimError>
}

/** Where a row that was on the page before is now; null when it is gone, or may have moved. */
const placeOf = ({ store, connection }: ScimContext, { type, seq, version }: Anchor, order: Order): Place | null => {
  const alias = aliasOf(type)
  const row = store.sql.one<{ version: number; key: Bind }>(
    `SELECT ${alias}.version AS version, ${order.column} AS key FROM ${tableOf(type)} WHERE ${alias}.seq = ? AND ${alias}.connection_id = ?`,
    seq, connection.id)
  return row === null || (row.version !== version && !staysInPlace(order)) ? null : { type, seq, key: row.key }
}

/**
 * Where the page begins. By `seq` the number is enough, the row may be gone. In a sorted list the last row that still stands where
 * it stood marks it: what was between that row and the end of the page before has been answered already, or has gone.
 */
const findPlace = (context: ScimContext, anchors: readonly Anchor[], orders: Source['orders']): Result<Place, ScimError> => {
  for (const anchor of anchors.toReversed()) {
    const order = orders.get(anchor.type)
    const place = order === undefined ? { type: anchor.type, seq: anchor.seq, key: null } : placeOf(context, anchor, order)
    if (place !== null) return ok(place)
  }
  return lostCursor()
}

const claimsOf = (context: ScimContext, rows: readonly PageRow[], { orders }: Source, count: number): Claims => ({
  issuedAt: Math.floor(context.store.now() / 1000),
  count,
  anchors: rows.slice(orders.size === 0 ? -1 : -MAX_ANCHORS).map(({ type, seq, version }) => ({ type, seq, version })),
})

const readPage = (context: ScimContext, source: Source, query: CursorQuery, after: Place | null): Page => {
  const { count } = query
  // Nothing was asked for, so nothing follows.
  if (count === 0) return { totalResults: source.count(), texts: [], next: null }
  const rows = source.rows({ after, offset: 0, limit: count + 1 })
  const page = rows.slice(0, count)
  const isLast = page.length === rows.length
  return {
    totalResults: isLast && after === null ? page.length : source.count(),
    texts: pageTexts(context, page, query),
    next: isLast ? null : claimsOf(context, page, source, count),
  }
}

const readAfter = (context: ScimContext, source: Source, query: CursorQuery, payload: string): Result<Page, ScimError> => {
  const claims = readClaims(payload)
  if (!claims.ok) return claims
  const fault = checkClaims(claims.value, query, context.store.now())
  if (fault !== null) return err(fault)
  const place = findPlace(context, claims.value.anchors, source.orders)
  return place.ok ? ok(readPage(context, source, query, place.value)) : place
}

/** 400 as for a list by index; 400 `invalidCursor` for what is no cursor. Synchronous: one look at the tables. */
export const draftPage = (context: ScimContext, { type, query }: PageCommand): Result<PageDraft, ScimError> => {
  const source = sourceOf(context, typesOf(type), query)
  if (!source.ok) return source
  const presented = query.cursor === '' ? ok(null) : splitCursor(query.cursor)
  if (!presented.ok) return presented
  return ok({
    key: cursorKey(context.store),
    context: cursorContext(context.connection.id, type, query),
    presented: presented.value,
    page: presented.value === null
      ? ok(readPage(context, source.value, query, null))
      : readAfter(context, source.value, query, presented.value.payload),
  })
}

const textOf = ({ totalResults, texts }: Page, nextCursor: string | null): string => {
  const { schemas } = listResponse({ totalResults, startIndex: 1, resources: [] })
  const message = { schemas, totalResults, itemsPerPage: texts.length, ...(nextCursor === null ? {} : { nextCursor }) }
  return `${JSON.stringify(message).slice(0, -1)},"Resources":[${texts.join(',')}]}`
}

/** 400 `invalidCursor` for a cursor of somebody or something else, whatever it claims; then 400 `invalidCount`, 400 `expiredCursor`. */
export const finishPage = async ({ key, context, presented, page }: PageDraft): Promise<Result<ScimReply, ScimError>> => {
  if (presented !== null && !(await isSealed(key, presented, context))) return foreignCursor()
  if (!page.ok) return page
  const { next } = page.value
  const cursor = next === null ? null : joinCursor(await sealCursor(key, writeClaims(next), context))
  const body = fitAnswer(textOf(page.value, cursor))
  return body.ok ? ok({ status: 200, body: body.value, location: null, etag: null }) : body
}
