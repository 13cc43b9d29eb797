import type { ScimError } from '../scim/error'
import { compileFilter, compileSort, type CompiledFilter } from '../scim/filterSql'
import type { JsonObject } from '../scim/json'
import type { ListQuery } from '../scim/query'
import type { ResourceType } from '../scim/schema'
import { ok, type Result } from '../result'
import { groupsCounter } from './groups'
import type { ScimContext } from './scimCommand'
import { fitAnswer, groupTexts, listText, userTexts, type PageItem } from './scimView'
import { usersCounter } from './users'

/** One page of Users or Groups: the filter, the order and the page are SQL, and totals come from counters where they can. */

interface ListTable {
  readonly from: string
  readonly alias: 'u' | 'g'
  readonly counter: (connectionId: string) => string
}

const TABLES: Readonly<Record<ResourceType, ListTable>> = {
  User: { from: 'users u', alias: 'u', counter: usersCounter },
  Group: { from: 'groups g', alias: 'g', counter: groupsCounter },
}

/** Larger resources are read one at a time, so that no page of them fills the memory. */
const SMALL_BYTES = 100_000

interface PageRow {
  readonly [column: string]: string | number | null
  readonly seq: number
  readonly id: string
  readonly data: string | null
}

const pageOf = (
  { store, connection }: ScimContext, type: ResourceType, query: ListQuery, filter: CompiledFilter | null,
): PageItem[] => {
  const { from, alias } = TABLES[type]
  const rows = store.sql.rows<PageRow>(
    `SELECT ${alias}.seq AS seq, ${alias}.id AS id,
       CASE WHEN octet_length(${alias}.data) <= ${SMALL_BYTES} THEN ${alias}.data END AS data
     FROM ${from} WHERE ${alias}.connection_id = ?${filter === null ? '' : ` AND ${filter.sql}`}
     ORDER BY ${compileSort(type, query.sortBy, query.sortOrder)} LIMIT ? OFFSET ?`,
    connection.id, ...(filter?.params ?? []), query.count, query.startIndex - 1)
  const readLarge = (seq: number): string =>
    store.sql.one<{ data: string }>(`SELECT ${alias}.data AS data FROM ${from} WHERE ${alias}.seq = ?`, seq)?.data ?? '{}'
  return rows.map(({ seq, id, data }) => ({ id, read: () => JSON.parse(data ?? readLarge(seq)) as JsonObject }))
}

const countAll = ({ store, connection }: ScimContext, { from, alias, counter }: ListTable, filter: CompiledFilter | null): number => {
  const row = filter === null
    ? store.sql.one<{ n: number }>(`SELECT value AS n FROM counters WHERE name = ? AND hour = 0`, counter(connection.id))
    : store.sql.one<{ n: number }>(
        `SELECT count(*) AS n FROM ${from} WHERE ${alias}.connection_id = ? AND ${filter.sql}`, connection.id, ...filter.params)
  return row?.n ?? 0
}

/** A page that is neither empty nor full ends the list, and so tells how long it is. */
const totalOf = (
  context: ScimContext, type: ResourceType, query: ListQuery, filter: CompiledFilter | null, found: number,
): number =>
  filter !== null && found > 0 && found < query.count ? query.startIndex - 1 + found : countAll(context, TABLES[type], filter)

/** The ListResponse as JSON text. 400 `invalidFilter`; 400 `tooMany` when the page is too large for one answer. */
export const listResources = (context: ScimContext, type: ResourceType, query: ListQuery): Result<string, ScimError> => {
  const filter = query.filter === null ? ok(null) : compileFilter(query.filter, type, context.base)
  if (!filter.ok) return filter
  const items = query.count === 0 ? [] : pageOf(context, type, query, filter.value)
  const total = totalOf(context, type, query, filter.value, items.length)
  const texts = type === 'User' ? userTexts(context, items, query) : groupTexts(context, items, query)
  return fitAnswer(listText(total, query.startIndex, texts))
}
