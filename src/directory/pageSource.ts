import { tooMany, type ScimError } from '../scim/error'
import { resolveFilter } from '../scim/filterResolve'
import { compileFilter, type Bind, type CompiledFilter } from '../scim/filterSql'
import { emailIn, membershipIn, type MembershipTerm } from '../scim/membership'
import { aliasOf, compileAfter, directionOf, orderOf, type Order, type Place } from '../scim/pageSql'
import type { ListQuery } from '../scim/query'
import { definitionOf, resolveName, type ResourceType } from '../scim/schema'
import { err, ok, type Result } from '../result'
import { groupsCounter } from './groups'
import { START } from './pageMarks'
import type { ScimContext } from './scimCommand'
import { LIMIT } from './sql'
import { usersCounter } from './users'

/**
 * Where the rows of a list come from: the table in its own order, the members of one group, whoever has one e-mail address, a filter, a
 * sort, or one type after the other. Each is SQL that begins where the page does, as near as it can, and reads no more rows than the
 * page has.
 */

/** Larger resources are read one at a time, so that no page of them fills the memory. */
const SMALL_BYTES = 100_000

export interface PageRow {
  readonly [column: string]: string | number | null
  readonly type: ResourceType
  readonly seq: number
  readonly id: string
  readonly version: number
  /** Null when it is too large to be read with the others. */
  readonly data: string | null
}

/** A stretch of the list: after a row, or from an offset. */
export interface Stretch {
  readonly after: Place | null
  /** 0 when there is an `after`. */
  readonly offset: number
  /** At least 1. */
  readonly limit: number
}

export interface Source {
  readonly count: () => number
  readonly rows: (stretch: Stretch) => PageRow[]
  /** What places in it are found by; types that are not here by `seq` alone. */
  readonly orders: ReadonlyMap<ResourceType, Order>
}

const TABLES: Readonly<Record<ResourceType, string>> = { User: 'users u', Group: 'groups g' }

export const tableOf = (type: ResourceType): string => TABLES[type]

const columnsOf = (type: ResourceType): string => {
  const alias = aliasOf(type)
  return `'${type}' AS type, ${alias}.seq AS seq, ${alias}.id AS id, ${alias}.version AS version,
    CASE WHEN octet_length(${alias}.data) <= ${SMALL_BYTES} THEN ${alias}.data END AS data`
}

/** The stored JSON of a row that was too large for its page. */
export const readLarge = ({ store }: ScimContext, { type, seq }: PageRow): string => {
  const alias = aliasOf(type)
  return store.sql.one<{ data: string }>(`SELECT ${alias}.data AS data FROM ${tableOf(type)} WHERE ${alias}.seq = ?`, seq)?.data ?? '{}'
}

interface Key {
  readonly [column: string]: string | number | null
  readonly type: ResourceType
  readonly seq: number
}

/** Rows are sorted by their numbers alone, and read once they are known: a sorter that carries resources carries all of them. */
const rowsOf = ({ store }: ScimContext, keys: readonly Key[]): PageRow[] => {
  const found = new Map<string, PageRow>()
  for (const type of new Set(keys.map((key) => key.type))) {
    const seqs = keys.flatMap((key) => (key.type === type ? [key.seq] : []))
    const rows = store.sql.rows<PageRow>(
      `SELECT ${columnsOf(type)} FROM json_each(?) j CROSS JOIN ${tableOf(type)} ON ${aliasOf(type)}.seq = j.value`, JSON.stringify(seqs))
    for (const row of rows) found.set(`${type} ${row.seq}`, row)
  }
  return keys.flatMap(({ type, seq }) => found.get(`${type} ${seq}`) ?? [])
}

const memoized = (count: () => number): (() => number) => {
  let known: number | null = null
  return () => (known ??= count())
}

const countIn = ({ store }: ScimContext, query: string, ...params: readonly Bind[]): number =>
  store.sql.one<{ n: number }>(query, ...params)?.n ?? 0

/** How many there are of a type, without counting them. */
const totalOf = (context: ScimContext, type: ResourceType): number => {
  const name = type === 'User' ? usersCounter(context.connection.id) : groupsCounter(context.connection.id)
  return countIn(context, `SELECT value AS n FROM counters WHERE name = ? AND hour = 0`, name)
}

const NO_ORDERS: ReadonlyMap<ResourceType, Order> = new Map()

/** From here on it pays to look for a nearer place to begin than the start. */
const FAR = 1000

/** Everything of one type, in its own order. A page far from the start is reached from the end or from a mark if that is nearer. */
const wholeTable = (context: ScimContext, type: ResourceType): Source => {
  const { store, connection, marks } = context
  const seq = `${aliasOf(type)}.seq`
  const count = memoized(() => totalOf(context, type))
  const read = (from: number, direction: 'ASC' | 'DESC', limit: number, offset: number): PageRow[] =>
    store.sql.rows<PageRow>(
      `SELECT ${columnsOf(type)} FROM ${tableOf(type)}
       WHERE ${aliasOf(type)}.connection_id = ? AND ${seq} > ? ORDER BY ${seq} ${direction} ${LIMIT} OFFSET ?`,
      connection.id, from, limit, offset)
  const readFar = (offset: number, limit: number): PageRow[] => {
    const total = count()
    if (offset >= total) return []
    const wanted = Math.min(limit, total - offset)
    const behind = total - offset - wanted
    const mark = marks?.before(context, type, total, offset) ?? START
    const rows = behind < offset - mark.offset
      ? read(0, 'DESC', wanted, behind).toReversed()
      : read(mark.seq, 'ASC', wanted, offset - mark.offset)
    const last = rows.at(-1)
    if (last !== undefined) marks?.put(context, type, { offset: offset + rows.length, seq: last.seq })
    return rows
  }
  return {
    count, orders: NO_ORDERS,
    rows: ({ after, offset, limit }) =>
      after === null && offset >= FAR ? readFar(offset, limit) : read(after?.seq ?? 0, 'ASC', limit, offset),
  }
}

/** The part that one type has in a list. */
interface Arm {
  readonly type: ResourceType
  readonly from: string
  /** The number of a row. */
  readonly seq: string
  readonly where: string
  readonly params: readonly Bind[]
  /** Whether it leaves nobody out. */
  readonly isWhole: boolean
}

const whole = ({ connection }: ScimContext, type: ResourceType, filter: CompiledFilter | null): Arm => {
  const alias = aliasOf(type)
  return {
    type, from: tableOf(type), seq: `${alias}.seq`,
    where: `${alias}.connection_id = ?${filter === null ? '' : ` AND ${filter.sql}`}`,
    params: [connection.id, ...(filter?.params ?? [])],
    isWhole: filter === null,
  }
}

interface Link {
  /** The number of the group or member that the filter names. */
  readonly given: string
  /** The resource's own. */
  readonly own: string
  /** Where the one that the filter names is found. */
  readonly owner: string
}

const LINKS: Readonly<Record<ResourceType, Link>> = {
  User: { given: 'd.group_seq', own: 'd.user_seq', owner: 'groups' },
  Group: { given: 'd.user_seq', own: 'd.group_seq', owner: 'users' },
}

/** The members of one group (or the groups of one member), and no others. They are of the connection whose the group is. */
const linked = ({ connection }: ScimContext, type: ResourceType, id: string): Arm => {
  const { given, own, owner } = LINKS[type]
  return {
    type, from: 'group_members d', seq: own,
    where: `${given} = (SELECT o.seq FROM ${owner} o WHERE o.id = ? AND o.connection_id = ?)`,
    params: [id, connection.id],
    isWhole: false,
  }
}

/** The users of every connection who have an e-mail address. */
const addressed = (address: string): Arm => ({
  type: 'User', from: 'user_emails d', seq: 'd.user_seq', where: 'd.address = ?', params: [address], isWhole: false,
})

/** Those of `arm` that are linked as well, looked for from the link on. */
const joined = (link: Arm, arm: Arm): Arm => ({
  ...link,
  from: `${link.from} CROSS JOIN ${arm.from} ON ${arm.seq} = ${link.seq}`,
  where: `${link.where} AND ${arm.where}`,
  params: [...link.params, ...arm.params],
})

const countArm = (context: ScimContext, { type, from, where, params, isWhole }: Arm): number =>
  isWhole ? totalOf(context, type) : countIn(context, `SELECT count(*) AS n FROM ${from} WHERE ${where}`, ...params)

/** What a filter leaves of one type, in the order of the table. */
const filtered = (context: ScimContext, arm: Arm): Source => {
  const { type, from, seq } = arm
  return {
    count: memoized(() => countArm(context, arm)),
    orders: NO_ORDERS,
    rows: ({ after, offset, limit }) => {
      const rest = `FROM ${from} WHERE ${arm.where} AND ${seq} > ? ORDER BY ${seq} ${LIMIT} OFFSET ?`
      const params = [...arm.params, after?.seq ?? 0, limit, offset]
      return from === tableOf(type)
        ? context.store.sql.rows<PageRow>(`SELECT ${columnsOf(type)} ${rest}`, ...params)
        : rowsOf(context, context.store.sql.rows<Key>(`SELECT '${type}' AS type, ${seq} AS seq ${rest}`, ...params))
    },
  }
}

/** One or several types, sorted together. */
const sorted = (context: ScimContext, arms: readonly Arm[], orders: ReadonlyMap<ResourceType, Order>): Source => {
  const compileArm = ({ type, from, seq, where, params }: Arm, rank: number, after: Place | null): CompiledFilter => {
    const order = orders.get(type) ?? null
    const place = after === null ? { sql: '1', params: [] } : compileAfter(type, order, after)
    return {
      sql: `SELECT '${type}' AS type, ${seq} AS seq, ${order?.column ?? 'NULL'} AS sort_key, ${rank} AS rank
            FROM ${from} WHERE ${where} AND ${place.sql}`,
      params: [...params, ...place.params],
    }
  }
  const [first] = orders.values()
  const direction = first === undefined ? 'ASC' : directionOf(first)
  return {
    orders,
    count: memoized(() => arms.reduce((sum, arm) => sum + countArm(context, arm), 0)),
    rows: ({ after, offset, limit }) => {
      const selects = arms.map((arm, rank) => compileArm(arm, rank, after))
      const keys = context.store.sql.rows<Key>(
        `SELECT type, seq FROM (${selects.map(({ sql }) => sql).join(' UNION ALL ')}) ORDER BY sort_key ${direction}, rank, seq ${LIMIT} OFFSET ?`,
        ...selects.flatMap(({ params }) => params), limit, offset)
      return rowsOf(context, keys)
    },
  }
}

interface Typed {
  readonly type: ResourceType
  readonly source: Source
}

/** One type after the other. */
const concatenated = (parts: readonly Typed[]): Source => ({
  orders: new Map(parts.flatMap(({ source }) => [...source.orders])),
  count: () => parts.reduce((sum, { source }) => sum + source.count(), 0),
  rows: ({ after, offset, limit }) => {
    const rows: PageRow[] = []
    const begin = after === null ? 0 : parts.findIndex(({ type }) => type === after.type)
    let skip = offset
    for (const { type, source } of parts.slice(Math.max(begin, 0))) {
      const wanted = limit - rows.length
      if (wanted === 0) break
      if (skip > 0 && source.count() <= skip) {
        skip -= source.count()
        continue
      }
      rows.push(...source.rows({ after: after?.type === type ? after : null, offset: skip, limit: wanted }))
      skip = 0
    }
    return rows
  },
})

/** SQLite binds 100 values in one statement: each type has up to seven beside its filter (connection, membership, place), the page two. */
const MAX_TOGETHER = 84

const TOO_MANY_TOGETHER = tooMany(
  `The filter compares with more than ${MAX_TOGETHER} values, counted for each type of resource. Ask for Users and Groups one by one, or without sortBy.`)

interface Wanted {
  readonly type: ResourceType
  readonly filter: CompiledFilter | null
  readonly membership: MembershipTerm | null
  readonly email: string | null
}

const compileFor = ({ base }: ScimContext, type: ResourceType, { filter }: ListQuery): Result<Wanted, ScimError> => {
  if (filter === null) return ok({ type, filter: null, membership: null, email: null })
  const compiled = compileFilter(filter, type, base)
  if (!compiled.ok) return compiled
  const definition = definitionOf(type)
  const resolved = resolveFilter(filter, (name) => resolveName(definition, name))
  return ok({
    type, filter: compiled.value,
    membership: resolved.ok ? membershipIn(resolved.value, type) : null,
    email: resolved.ok && type === 'User' ? emailIn(resolved.value) : null,
  })
}

const unsorted = (context: ScimContext, wanted: Wanted): Source => {
  const { type, filter, membership } = wanted
  if (filter === null) return wholeTable(context, type)
  if (membership?.isAll === true) return filtered(context, linked(context, type, membership.id))
  return filtered(context, armOf(context, wanted))
}

const armOf = (context: ScimContext, { type, filter, membership, email }: Wanted): Arm => {
  const arm = whole(context, type, filter)
  if (email !== null) return joined(addressed(email), arm)
  return membership === null ? arm : joined(linked(context, type, membership.id), arm)
}

/** 400 `invalidFilter`; 400 `tooMany` when the filter has more values than one statement can take. */
export const sourceOf = (
  context: ScimContext, types: readonly ResourceType[], query: ListQuery,
): Result<Source, ScimError> => {
  const wanted: Wanted[] = []
  for (const type of types) {
    const compiled = compileFor(context, type, query)
    if (!compiled.ok) return compiled
    wanted.push(compiled.value)
  }
  const orders = orderOf(types, query)
  if (orders !== null) {
    const values = wanted.reduce((sum, { filter }) => sum + (filter?.params.length ?? 0), 0)
    if (types.length > 1 && values > MAX_TOGETHER) return err(TOO_MANY_TOGETHER)
    return ok(sorted(context, wanted.map((part) => armOf(context, part)), orders))
  }
  const parts = wanted.map((part) => ({ type: part.type, source: unsorted(context, part) }))
  const [only] = parts
  return ok(parts.length === 1 && only !== undefined ? only.source : concatenated(parts))
}
