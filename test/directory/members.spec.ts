import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  changesMembers, compareMembers, foldMembers, groupsOfUsers, memberIds, writeMembers, type MemberChange,
} from '../../src/directory/members'
import { LONGEST_QUIET_MS, QUIET_MS, subjectOf } from '../../src/directory/subjects'
import type { Store } from '../../src/directory/sql'
import type { MemberOperation } from '../../src/scim/patch'
import { groupSeq } from './memberRows'
import { openStore, START } from './memoryStore'

const add = (...ids: readonly string[]): MemberOperation => ({ op: 'add', members: ids.map((value) => ({ value })) })
const replace = (...ids: readonly string[]): MemberOperation => ({ op: 'replace', members: ids.map((value) => ({ value })) })
const remove = (...values: readonly string[]): MemberOperation => ({ op: 'remove', values })
const clear: MemberOperation = { op: 'clear' }

const seedUsers = ({ sql }: Store, connectionId: string, prefix: string, count: number): void => {
  sql.run(
    `INSERT INTO users (id, connection_id, user_name, user_name_fold, active, email, created, modified, version, data, fold)
     SELECT printf('%s%06d', ?1, j.value), ?2, printf('%s%06d', ?1, j.value), printf('%s%06d', ?1, j.value), 1,
       printf('%s%06d@example.com', ?1, j.value), '', '', 1, '{}', '{}'
     FROM json_each(?3) j`,
    prefix, connectionId, JSON.stringify(Array.from({ length: count }, (_, index) => index)))
}

const seedGroup = ({ sql }: Store, connectionId: string, id: string): string => {
  sql.run(
    `INSERT INTO groups (id, connection_id, display_name, display_name_fold, created, modified, version, data, fold)
     VALUES (?, ?, ?, ?, '', '', 1, '{}', '{}')`,
    id, connectionId, id, id)
  return id
}

const user = (index: number, prefix = 'u'): string => `${prefix}${String(index).padStart(6, '0')}`
const everyUser = (count: number): string[] => Array.from({ length: count }, (_, index) => user(index))

const edit = (store: Store, groupId: string, operations: readonly MemberOperation[]): MemberChange => {
  const seq = groupSeq(store, groupId)
  const change = compareMembers(store, { connectionId: 'okta', seq }, foldMembers(operations))
  writeMembers(store, seq, change)
  return change
}

const membersOf = (store: Store, groupId: string): string[] => [...memberIds(store, groupId)].flat()

describe('foldMembers', () => {
  const reach = (start: readonly string[], operations: readonly MemberOperation[]): string[] => {
    const { keeps, plus, minus } = foldMembers(operations)
    const members = new Set(keeps ? start.filter((id) => !minus.has(id)) : [])
    for (const id of plus) members.add(id)
    return [...members].toSorted()
  }

  it.each<[string, MemberOperation[], string[]]>([
    ['nothing', [], ['a', 'b']],
    ['add, then remove', [add('c'), remove('c')], ['a', 'b']],
    ['remove, then add', [remove('a'), add('a')], ['a', 'b']],
    ['clear, then add', [clear, add('c')], ['c']],
    ['replace, then remove', [replace('a', 'c'), remove('c', 'b')], ['a']],
    ['add, then replace', [add('c'), replace('b')], ['b']],
    ['remove nobody', [remove()], ['a', 'b']],
    ['replace by nobody', [replace()], []],
    ['clear twice', [clear, clear], []],
  ])('%s', (_name, operations, expected) => {
    expect(reach(['a', 'b'], operations)).toEqual(expected)
  })
})

const without = (a: ReadonlySet<string>, b: ReadonlySet<string>): string[] => [...a].filter((id) => !b.has(id))

describe('membership', () => {
  it('agrees with a set after any sequence of requests', async () => {
    const ids = fc.uniqueArray(fc.integer({ min: 0, max: 9 }).map((index) => user(index)), { maxLength: 6 })
    const strangers = fc.uniqueArray(fc.constantFrom('nobody', 'g', user(3, 'x'), '', '__proto__', 'ü'.repeat(70)), { maxLength: 2 })
    const named = fc.tuple(ids, strangers).map((two) => two.flat())
    const operation: fc.Arbitrary<MemberOperation> = fc.oneof(
      fc.tuple(fc.constantFrom(add, remove, replace), named).map(([make, list]) => make(...list)), fc.constant(clear))
    await openStore((store) => {
      seedUsers(store, 'okta', 'u', 10)
      seedUsers(store, 'entra', 'x', 10)
      let groups = 0
      fc.assert(fc.property(fc.array(fc.array(operation, { maxLength: 4 }), { maxLength: 6 }), (requests) => {
        const group = seedGroup(store, 'okta', `g${++groups}`)
        let model = new Set<string>()
        for (const request of requests) {
          const before = new Set(model)
          for (const step of request) {
            if (step.op === 'clear' || step.op === 'replace') model = new Set()
            if (step.op === 'remove') for (const id of step.values) model.delete(id)
            else if (step.op !== 'clear') for (const { value } of step.members) if (/^u\d{6}$/.test(value)) model.add(value)
          }
          const change = edit(store, group, request)
          expect(membersOf(store, group)).toEqual([...model].toSorted())
          expect([...change.added.ids].toSorted()).toEqual(without(model, before).toSorted())
          expect(change.added.count).toBe(without(model, before).length)
          expect([...change.removed.ids].toSorted()).toEqual(without(before, model).toSorted())
          expect(change.removed.count).toBe(without(before, model).length)
          expect(changesMembers(change)).toBe(without(model, before).length + without(before, model).length > 0)
        }
      }), { numRuns: 150 })
    })
  })

  it('names what cannot be a member: unknown ids, groups, users of another connection', async () => {
    await openStore((store) => {
      seedUsers(store, 'okta', 'u', 2)
      seedUsers(store, 'entra', 'x', 1)
      seedGroup(store, 'okta', 'g')
      const change = edit(store, 'g', [add(user(0), 'g', 'nobody', user(0, 'x'), 'a'.repeat(100_000))])
      expect(change.added).toMatchObject({ count: 1, ids: [user(0)] })
      expect(change.skipped).toEqual(['g', 'nobody', user(0, 'x'), 'a'.repeat(100_000)])
    })
  })

  it('replaces 25,000 members by another 25,000 and writes only the difference', async () => {
    await openStore((store) => {
      for (let from = 0; from < 3; from++) seedUsers(store, 'okta', `${from}-`, 10_000)
      const all = [0, 1, 2].flatMap((from) => Array.from({ length: 10_000 }, (_, index) => user(index, `${from}-`)))
      const group = seedGroup(store, 'okta', 'g')
      edit(store, group, [replace(...all.slice(0, 25_000))])
      expect(membersOf(store, group)).toEqual(all.slice(0, 25_000))
      const change = edit(store, group, [replace(...all.slice(5_000).toReversed())])
      expect(change.added).toMatchObject({ count: 5_000, ids: { length: 100 } })
      expect(change.removed).toMatchObject({ count: 5_000, everyone: false })
      expect(membersOf(store, group)).toEqual(all.slice(5_000))
      const last = edit(store, group, [replace('2-009999')])
      expect(last.removed.count).toBe(24_999)
      expect(membersOf(store, group)).toEqual(['2-009999'])
    })
  })

  it('adds one member to a group of 20,000 with a few statements, none of which reads the list', async () => {
    await openStore((store) => {
      seedUsers(store, 'okta', 'u', 20_001)
      seedGroup(store, 'okta', 'g')
      edit(store, 'g', [replace(...everyUser(20_000))])
      store.statements.forget()
      const change = edit(store, 'g', [add(user(20_000))])
      expect(change).toMatchObject({ added: { count: 1, ids: [user(20_000)] }, skipped: [], removed: { count: 0, ids: [], everyone: false } })
      // The first one reads where the group is, for this test.
      expect(store.statements.all.length).toBe(4)
      for (const statement of store.statements.all.filter((text) => /\bgroup_members m\b/.test(text))) expect(statement).toMatch(/m\.user_seq = u\.seq/)
    })
  })

  it('empties a group of 20,000 by one DELETE and counts everybody', async () => {
    await openStore((store) => {
      seedUsers(store, 'okta', 'u', 20_000)
      seedGroup(store, 'okta', 'g')
      edit(store, 'g', [replace(...everyUser(20_000))])
      store.statements.forget()
      const change = edit(store, 'g', [clear])
      expect(change.removed).toEqual({ count: 20_000, ids: everyUser(100), places: [], everyone: true })
      expect(store.statements.all.filter((text) => text.startsWith('DELETE')).length).toBe(1)
      expect(membersOf(store, 'g')).toEqual([])
    })
  })
})

describe('marks', () => {
  const dueIn = (store: Store, index: number): number | null => {
    const due = subjectOf(store, `${user(index)}@example.com`)?.due ?? null
    return due === null ? null : due - START
  }

  it.each<[string, MemberOperation[], (number | null)[]]>([
    ['adding waits for a quiet moment', [add(user(2))], [null, null, QUIET_MS]],
    ['adding who is there marks nobody', [add(user(0), user(1))], [null, null, null]],
    ['removing some waits for a quiet moment', [remove(user(0), user(2))], [QUIET_MS, null, null]],
    ['removing the last by name waits longer', [remove(user(1), user(0))], [LONGEST_QUIET_MS, LONGEST_QUIET_MS, null]],
    ['clearing waits longer', [clear], [LONGEST_QUIET_MS, LONGEST_QUIET_MS, null]],
    ['replacing by nobody waits longer', [replace()], [LONGEST_QUIET_MS, LONGEST_QUIET_MS, null]],
    ['replacing marks only the difference', [replace(user(1), user(2))], [QUIET_MS, null, QUIET_MS]],
    ['replacing by somebody else leaves nobody out', [replace(user(2))], [QUIET_MS, QUIET_MS, QUIET_MS]],
    ['clearing and filling in one request is a replacement', [clear, add(user(0), user(1))], [null, null, null]],
  ])('%s', async (_name, operations, expected) => {
    await openStore((store) => {
      seedUsers(store, 'okta', 'u', 3)
      seedGroup(store, 'okta', 'g')
      edit(store, 'g', [add(user(0), user(1))])
      store.sql.run(`DELETE FROM subjects`)
      edit(store, 'g', operations)
      expect([0, 1, 2].map((index) => dueIn(store, index))).toEqual(expected)
    })
  })
})

describe('groupsOfUsers', () => {
  it('reads the groups of a page of users by one statement, oldest group first', async () => {
    await openStore((store) => {
      seedUsers(store, 'okta', 'u', 3)
      for (const id of ['z', 'a']) seedGroup(store, 'okta', id)
      edit(store, 'z', [add(user(0), user(1))])
      edit(store, 'a', [add(user(0))])
      store.statements.forget()
      const groups = groupsOfUsers(store, everyUser(3))
      expect([...groups].map(([id, list]) => [id, list.map((group) => group.displayName)])).toEqual([
        [user(0), ['z', 'a']], [user(1), ['z']], [user(2), []],
      ])
      expect(store.statements.all.length).toBe(1)
    })
  })
})
