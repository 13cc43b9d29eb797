/**
 * Turns filters and sort orders into SQL over the tables of design section 5 (`users u`, `groups g`, `members`). Only text of
 * the registry reaches the SQL; every value of the request is bound. Trees are balanced, so that the depth limit of 100
 * holds. Runs nothing, and adds neither connection nor page.
 */
import { err, ok } from '../result'
import type { Result } from '../result'
import type { Attribute, AttributePath } from './attribute'
import { invalidFilter, tooMany } from './error'
import type { ScimError } from './error'
import type { Filter } from './filter'
import { resolveFilter } from './filterResolve'
import type { Resolved, Test } from './filterResolve'
import { PROVISIONING_SCHEMA, definitionOf, resolveName } from './schema'
import type { ResourceType } from './schema'

export type Bind = string | number | null

export interface CompiledFilter {
  /** A condition for WHERE, in parentheses where it needs them. */
  readonly sql: string
  readonly params: readonly Bind[]
}

/** SQLite takes 100 in one statement; ten are left to the statement around the filter. */
export const MAX_FILTER_PARAMETERS = 90

/** SQLite takes expressions of depth 100; the rest is for comparisons and for the statement around the filter. */
const MAX_LEVELS = 80

/** How an attribute of the row, or of one value of a list, is written in SQL. `NULL` for what is stored nowhere. */
type Column = (path: AttributePath) => CompiledFilter

const plain = (sql: string): CompiledFilter => ({ sql, params: [] })

/** Addresses are made when a resource is sent: from the base and the id, and so they are here. */
const addressOf = (base: string, type: ResourceType, id: string): CompiledFilter => ({ sql: `(? || ${id})`, params: [`${base}/${type}s/`] })

/** Names come from the registry, which has no quotes in them. */
const jsonPath = (path: AttributePath): string => `'$${path.map(({ name }) => `."${name}"`).join('')}'`

const keyOf = (path: AttributePath): string => path.map(({ name }) => name).join('.')

/** What our extension says is the subject's, or the hold's where the user does not count for its address (scimProvisioning.ts). */
const ofSubject = (column: string, held: string): string =>
  `CASE WHEN u.hold IS NOT NULL THEN ${held} ELSE (SELECT ${column} FROM subjects s WHERE s.address = u.email) END`

const COLUMNS: Readonly<Record<ResourceType, ReadonlyMap<string, string>>> = {
  User: new Map([
    ['id', 'u.id'], ['externalId', 'u.external_id'], ['meta.created', 'u.created'], ['meta.lastModified', 'u.modified'],
    ['userName', 'u.user_name_fold'], ['active', 'u.active'], ['meta.resourceType', `'User'`],
    [PROVISIONING_SCHEMA, ofSubject('1', '1')],
    [`${PROVISIONING_SCHEMA}.state`, ofSubject('s.state', `'held'`)],
    [`${PROVISIONING_SCHEMA}.arizeUserId`, ofSubject('s.arize_id', 'NULL')],
    [`${PROVISIONING_SCHEMA}.accountRole`, ofSubject('lower(s.arize_role)', 'NULL')],
  ]),
  Group: new Map([
    ['id', 'g.id'], ['externalId', 'g.external_id'], ['meta.created', 'g.created'], ['meta.lastModified', 'g.modified'],
    ['displayName', 'g.display_name_fold'], ['meta.resourceType', `'Group'`],
  ]),
}

const rowColumn = (resourceType: ResourceType, base: string): Column => (path) => {
  const alias = resourceType === 'User' ? 'u' : 'g'
  const key = keyOf(path)
  if (key === 'meta.location') return addressOf(base, resourceType, `${alias}.id`)
  return plain(COLUMNS[resourceType].get(key) ?? `json_extract(${alias}.fold, ${jsonPath(path)})`)
}

const elementOf = (path: AttributePath): string => (path.length === 0 ? 'e.value' : `json_extract(e.value, ${jsonPath(path)})`)

/** Memberships are rows: of the groups that a user is in, and of the members of a group, who are all Users. */
const memberColumns: Readonly<Record<ResourceType, ReadonlyMap<string, string>>> = {
  User: new Map([
    ['value', 'm.group_id'],
    ['display', '(SELECT mg.display_name_fold FROM groups mg WHERE mg.id = m.group_id)'],
    ['type', `'direct'`],
  ]),
  Group: new Map([
    ['value', 'm.member_id'],
    ['display', `(SELECT coalesce(json_extract(mu.fold, '$."displayName"'), mu.user_name_fold) FROM users mu WHERE mu.id = m.member_id)`],
    ['type', 'lower(m.type)'],
  ]),
}

const memberColumn = (resourceType: ResourceType, base: string): Column => (path) => {
  const key = keyOf(path)
  if (key !== '$ref') return plain(memberColumns[resourceType].get(key) ?? 'NULL')
  return resourceType === 'User' ? addressOf(base, 'Group', 'm.group_id') : addressOf(base, 'User', 'm.member_id')
}

interface Rows {
  readonly from: string
  readonly column: Column
}

/** Lists that are rows of their own, not JSON. */
const isMembership = (resourceType: ResourceType, path: AttributePath): boolean =>
  keyOf(path) === (resourceType === 'User' ? 'groups' : 'members')

const elementRows = (resourceType: ResourceType, path: AttributePath): string =>
  `json_each(${resourceType === 'User' ? 'u.fold' : 'g.fold'}, ${jsonPath(path)}) e WHERE 1`

const rowsOf = (resourceType: ResourceType, path: AttributePath, base: string): Rows => {
  if (!isMembership(resourceType, path)) return { from: elementRows(resourceType, path), column: (below) => plain(elementOf(below)) }
  const link = resourceType === 'User' ? 'm.member_id = u.id' : 'm.group_id = g.id'
  return { from: `members m WHERE ${link}`, column: memberColumn(resourceType, base) }
}

const SYMBOLS = { eq: '=', gt: '>', ge: '>=', lt: '<', le: '<=' } as const

const compileTest = ({ sql: column, params }: CompiledFilter, test: Test): CompiledFilter => {
  switch (test.kind) {
    case 'present': return { sql: `${column} IS NOT NULL`, params }
    case 'flag': return { sql: column === 'u.active' ? 'u.active = ?' : `coalesce(${column}, 0) = ?`, params: [...params, test.value ? 1 : 0] }
    case 'text':
      switch (test.operator) {
        // instr and substr instead of LIKE: no pattern limit, no wildcards, no ASCII folding.
        case 'co': return { sql: `instr(${column}, ?) > 0`, params: [...params, test.value] }
        case 'sw': return { sql: `instr(${column}, ?) = 1`, params: [...params, test.value] }
        case 'ew':
          return test.value === ''
            ? { sql: `${column} IS NOT NULL`, params }
            : { sql: `substr(${column}, -length(?)) = ?`, params: [...params, test.value, test.value] }
        default: return { sql: `${column} ${SYMBOLS[test.operator]} ?`, params: [...params, test.value] }
      }
  }
}

/** A condition and how many levels of AND and OR it has. */
interface Condition extends CompiledFilter {
  readonly levels: number
}

const join = (parts: readonly Condition[], word: 'AND' | 'OR'): Condition => {
  const [first] = parts
  if (first === undefined) return { sql: word === 'AND' ? '1' : '0', params: [], levels: 0 }
  if (parts.length === 1) return first
  const middle = Math.ceil(parts.length / 2)
  const left = join(parts.slice(0, middle), word)
  const right = join(parts.slice(middle), word)
  return {
    sql: `(${left.sql} ${word} ${right.sql})`,
    params: [...left.params, ...right.params],
    levels: Math.max(left.levels, right.levels) + 1,
  }
}

/**
 * Questions about one list become one question, so that the list is read once: a value passes A or a value passes B exactly when a
 * value passes one of them. Of negated questions (no value passes A and none B) the same holds under AND.
 */
const mergeSome = (terms: readonly Resolved[], isNegated: boolean): readonly Resolved[] => {
  const filters = new Map<string, Resolved[]>()
  const merged = terms.map((term): Resolved | null => {
    if (term.kind !== 'some' || term.isNegated !== isNegated) return term
    const others = filters.get(keyOf(term.path))
    if (others !== undefined) {
      others.push(term.filter)
      return null
    }
    const own = [term.filter]
    filters.set(keyOf(term.path), own)
    return { ...term, filter: { kind: 'any', terms: own } }
  })
  return merged.filter((term) => term !== null)
}

interface Place {
  readonly resourceType: ResourceType
  readonly base: string
}

const compile = (filter: Resolved, place: Place, column: Column): Condition => {
  switch (filter.kind) {
    case 'all':
    case 'any': {
      const terms = mergeSome(filter.terms, filter.kind === 'all')
      return join(terms.map((term) => compile(term, place, column)), filter.kind === 'all' ? 'AND' : 'OR')
    }
    case 'constant': return { sql: filter.value ? '1' : '0', params: [], levels: 0 }
    case 'test': {
      const { sql, params } = compileTest(column(filter.path), filter.test)
      return { sql: filter.isNegated ? `((${sql}) IS NOT TRUE)` : `(${sql})`, params, levels: 0 }
    }
    case 'some': {
      const rows = rowsOf(place.resourceType, filter.path, place.base)
      const inner = compile(filter.filter, place, rows.column)
      const sql = `${filter.isNegated ? 'NOT ' : ''}EXISTS (SELECT 1 FROM ${rows.from} AND ${inner.sql})`
      // SQLite makes a join of an EXISTS, which doubles the depth of what is in it.
      return { sql, params: inner.params, levels: 2 * inner.levels + 1 }
    }
  }
}

/**
 * 400 `invalidFilter` for what the attributes cannot be asked and for the deepest nesting of all, 400 `tooMany` when the values do not fit one statement. The
 * outcome is what `matchesFilter` says of each row, its addresses (`meta.location`, `$ref`) being made from `base`.
 */
export const compileFilter = (filter: Filter, resourceType: ResourceType, base = ''): Result<CompiledFilter, ScimError> => {
  const definition = definitionOf(resourceType)
  const resolved = resolveFilter(filter, (name) => resolveName(definition, name))
  if (!resolved.ok) return resolved
  const compiled = compile(resolved.value, { resourceType, base }, rowColumn(resourceType, base))
  if (compiled.levels > MAX_LEVELS) return err(invalidFilter('The filter is nested too deeply.'))
  return compiled.params.length > MAX_FILTER_PARAMETERS
    ? err(tooMany(`The filter compares with more than ${MAX_FILTER_PARAMETERS} values.`))
    : ok({ sql: compiled.sql, params: compiled.params })
}

export type SortOrder = 'ascending' | 'descending'

/**
 * The column of a sort key (RFC 7644 section 3.4.2.3), of a list its primary or first value; null when the attribute has no order:
 * unknown, complex without `value`, or not in the row.
 */
export const sortColumn = (resourceType: ResourceType, sortBy: string): string | null => {
  const path = resolveName(definitionOf(resourceType), sortBy)
  const end = path?.at(-1)
  // What became of a person moves while the user stays: no page could be continued by it.
  if (path === null || end === undefined || path[0]?.name === PROVISIONING_SCHEMA) return null
  const full = end.type === 'complex' && end.children.has('value') ? [...path, ...valueOf(end)] : path
  if (full.at(-1)?.type === 'complex') return null
  const at = full.findIndex(({ multiValued }) => multiValued)
  if (at < 0) {
    const { sql, params } = rowColumn(resourceType, '')(full)
    return params.length === 0 ? sql : null
  }
  const list = full.slice(0, at + 1)
  if (isMembership(resourceType, list)) return null
  const primary = full[at]?.children.get('primary')
  const first = primary === undefined ? '' : `coalesce(${elementOf([primary])}, 0) DESC, `
  return `(SELECT ${elementOf(full.slice(at + 1))} FROM ${elementRows(resourceType, list)} ORDER BY ${first}e.key LIMIT 1)`
}

const valueOf = (attribute: Attribute): AttributePath => {
  const value = attribute.children.get('value')
  return value === undefined ? [] : [value]
}
