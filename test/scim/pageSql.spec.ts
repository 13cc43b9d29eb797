import { describe, expect, it } from 'vitest'
import { aliasOf, compileAfter, directionOf, orderOf, staysInPlace, type Order } from '../../src/scim/pageSql'
import { readListQuery, type ListQuery } from '../../src/scim/query'
import type { ResourceType } from '../../src/scim/schema'
import { openStore } from '../directory/memoryStore'
import { build, type World } from './model/rows'

const queryOf = (text: string): ListQuery => {
  const query = readListQuery(new URLSearchParams(text))
  if (!query.ok) throw new Error(query.error.detail)
  return query.value
}

const columnsOf = (types: readonly ResourceType[], text: string): unknown => {
  const orders = orderOf(types, queryOf(text))
  return orders === null ? null : [...orders].map(([type, { column, isDescending }]) => [type, column, isDescending])
}

describe('orderOf', () => {
  it.each<[readonly ResourceType[], string, unknown]>([
    [['User'], '', null],
    [['User'], 'sortOrder=descending', null],
    [['User'], 'sortBy=nonsense', null],
    [['User'], 'sortBy=groups', null],
    [['User'], 'sortBy=__proto__', null],
    [['User'], 'sortBy=USERNAME', [['User', 'u.user_name_fold', false]]],
    [['Group'], 'sortBy=displayName&sortOrder=descending', [['Group', 'g.display_name_fold', true]]],
    [['User', 'Group'], 'sortBy=userName', [['User', 'u.user_name_fold', false], ['Group', 'NULL', false]]],
    [['User', 'Group'], 'sortBy=members', null],
    [['User', 'Group'], 'sortBy=id', [['User', 'u.id', false], ['Group', 'g.id', false]]],
  ])('%j by %j', (types, text, expected) => expect(columnsOf(types, text)).toEqual(expected))

  it('puts missing values last, and first when descending', () => {
    expect([false, true].map((isDescending) => directionOf({ column: 'x', isDescending }))).toEqual(['ASC NULLS LAST', 'DESC NULLS FIRST'])
  })
})

describe('staysInPlace', () => {
  it.each([['u.id', true], ['g.created', true], ['NULL', true], ['u.modified', false], ['u.user_name_fold', false], ['u.active', false]])(
    '%s: %j', (column, expected) => expect(staysInPlace({ column, isDescending: false })).toBe(expected))
})

describe('compileAfter', () => {
  const title: Order = { column: 'x', isDescending: false }
  const falling: Order = { column: 'x', isDescending: true }
  const user = { type: 'User', seq: 7 } as const
  it.each<[ResourceType, Order | null, string | null, string, readonly unknown[]]>([
    ['User', null, null, 'u.seq > ?', [7]],
    ['Group', null, null, '1', []],
    ['User', title, 'k', '(x > ? OR (x = ? AND u.seq > ?) OR x IS NULL)', ['k', 'k', 7]],
    ['Group', title, 'k', '(x > ? OR (x = ? AND 1) OR x IS NULL)', ['k', 'k']],
    ['User', title, null, '(x IS NULL AND u.seq > ?)', [7]],
    ['User', falling, 'k', '(x < ? OR (x = ? AND u.seq > ?))', ['k', 'k', 7]],
    ['User', falling, null, '(x IS NOT NULL OR u.seq > ?)', [7]],
    ['User', { column: 'u.user_name_fold', isDescending: false }, 'k',
      '(u.user_name_fold >= ? AND (u.user_name_fold > ? OR (u.user_name_fold = ? AND u.seq > ?)))', ['k', 'k', 'k', 7]],
  ])('%s %j after %j', (type, order, key, sql, params) => {
    expect(compileAfter(type, order, { ...user, key })).toEqual({ sql, params })
  })

  it('puts Users before Groups among twins', () => {
    expect(compileAfter('User', title, { type: 'Group', seq: 7, key: null }).sql).toBe('(x IS NULL AND 0)')
  })
})

describe('what rows are ordered by', () => {
  const world: World = {
    users: [
      { userName: 'b', title: 'z', emails: [{ value: 'm' }, { value: 'a', primary: true }] },
      { userName: 'A', emails: [{ value: 'c' }] },
      { userName: 'c', title: 'Y', name: { familyName: 'x' } },
    ],
    groups: [{ displayName: 'b' }, { displayName: 'A' }],
    memberships: [],
  }
  it.each<[ResourceType, string | undefined, 'ascending' | 'descending' | undefined, readonly string[]]>([
    ['User', undefined, undefined, ['u0', 'u1', 'u2']],
    ['User', 'userName', undefined, ['u1', 'u0', 'u2']],
    ['User', 'USERNAME', 'descending', ['u2', 'u0', 'u1']],
    ['User', 'title', 'ascending', ['u2', 'u0', 'u1']],
    ['User', 'title', 'descending', ['u1', 'u0', 'u2']],
    ['User', 'emails', 'ascending', ['u0', 'u1', 'u2']],
    ['User', 'emails.value', 'descending', ['u2', 'u1', 'u0']],
    ['User', 'name.familyName', 'ascending', ['u2', 'u0', 'u1']],
    ['User', 'meta.created', 'descending', ['u2', 'u1', 'u0']],
    ['User', 'manager', 'ascending', ['u0', 'u1', 'u2']],
    ['User', 'schemas', 'ascending', ['u0', 'u1', 'u2']],
    ['User', 'name', 'descending', ['u0', 'u1', 'u2']],
    ['User', 'groups', 'descending', ['u0', 'u1', 'u2']],
    ['User', 'unknown"; DROP TABLE users', 'descending', ['u0', 'u1', 'u2']],
    ['Group', 'displayName', 'ascending', ['g1', 'g0']],
    ['Group', 'members', 'descending', ['g0', 'g1']],
  ])('%s by %s %s', async (resourceType, sortBy, sortOrder, ids) => {
    await openStore((store) => {
      build(store, world)
      const order = orderOf([resourceType], { ...(sortBy === undefined ? {} : { sortBy }), ...(sortOrder === undefined ? {} : { sortOrder }) })?.get(resourceType)
      const alias = aliasOf(resourceType)
      const first = order === undefined ? '' : `${order.column} ${directionOf(order)}, `
      const query = `SELECT id FROM ${resourceType === 'User' ? 'users' : 'groups'} ${alias} WHERE connection_id = ? ORDER BY ${first}${alias}.seq`
      expect(store.sql.rows<{ id: string }>(query, 'c').map(({ id }) => id)).toEqual(ids)
    })
  })
})
