/**
 * The order of a list and the place in it where a page begins, as SQL. Rows are ordered by the sort key, missing values last when
 * ascending and first when descending, then by type (Users, Groups), then by `seq`, which grows with every new row and never
 * changes: so a row that stays where it is keeps its neighbours whoever comes and goes. Runs nothing.
 */
import { sortColumn } from './filterSql'
import type { Bind, CompiledFilter } from './filterSql'
import type { ListQuery } from './query'
import type { ResourceType } from './schema'

export const aliasOf = (type: ResourceType): 'u' | 'g' => (type === 'User' ? 'u' : 'g')

/** The order of one type's rows. */
export interface Order {
  /** Of the sort key; `NULL` where the type does not have it. */
  readonly column: string
  readonly isDescending: boolean
}

/** What each type is ordered by; null when by `seq` alone, `sortBy` being absent or naming nothing that has an order. */
export const orderOf = (
  types: readonly ResourceType[], { sortBy, sortOrder }: Pick<ListQuery, 'sortBy' | 'sortOrder'>,
): ReadonlyMap<ResourceType, Order> | null => {
  const columns = sortBy === undefined ? [] : types.map((type) => sortColumn(type, sortBy))
  if (columns.every((column) => column === null)) return null
  return new Map(types.map((type, index) => [type, { column: columns[index] ?? 'NULL', isDescending: sortOrder === 'descending' }]))
}

export const directionOf = ({ isDescending }: Order): string => (isDescending ? 'DESC NULLS FIRST' : 'ASC NULLS LAST')

/** Columns in which every row has a value. */
const NEVER_NULL: ReadonlySet<string> = new Set([
  'u.user_name_fold', 'g.display_name_fold', 'u.id', 'g.id', 'u.created', 'g.created', 'u.modified', 'g.modified',
])

/** Columns that stay as they are for as long as the row does. */
const CONSTANT: ReadonlySet<string> = new Set(['u.id', 'g.id', 'u.created', 'g.created', 'NULL'])

/** Whether a row keeps its place in the order although it is changed. */
export const staysInPlace = ({ column }: Order): boolean => CONSTANT.has(column)

/** The last row of the page before, as it is now. */
export interface Place {
  readonly type: ResourceType
  readonly seq: number
  /** Its sort key. */
  readonly key: Bind
}

const TYPES: readonly ResourceType[] = ['User', 'Group']

/** Among rows with one sort key: those of `type` that come after the place. */
const laterTwins = (type: ResourceType, place: Place): CompiledFilter => {
  if (type === place.type) return { sql: `${aliasOf(type)}.seq > ?`, params: [place.seq] }
  return { sql: TYPES.indexOf(type) > TYPES.indexOf(place.type) ? '1' : '0', params: [] }
}

/** The condition that a row of `type` comes after the place. */
export const compileAfter = (type: ResourceType, order: Order | null, place: Place): CompiledFilter => {
  const twins = laterTwins(type, place)
  if (order === null) return twins
  const { column, isDescending } = order
  const { key } = place
  if (key === null) {
    return isDescending
      ? { sql: `(${column} IS NOT NULL OR ${twins.sql})`, params: twins.params }
      : { sql: `(${column} IS NULL AND ${twins.sql})`, params: twins.params }
  }
  if (isDescending) return { sql: `(${column} < ? OR (${column} = ? AND ${twins.sql}))`, params: [key, key, ...twins.params] }
  const after = `(${column} > ? OR (${column} = ? AND ${twins.sql})`
  const params = [key, key, ...twins.params]
  // A bound at the front lets SQLite begin in the index where the page does.
  return NEVER_NULL.has(column)
    ? { sql: `(${column} >= ? AND ${after}))`, params: [key, ...params] }
    : { sql: `${after} OR ${column} IS NULL)`, params }
}
