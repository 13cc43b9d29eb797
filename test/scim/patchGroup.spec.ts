import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { patchGroup, readPatch } from '../../src/scim/patch'
import type { MemberOperation } from '../../src/scim/patch'
import { readGroup } from '../../src/scim/resource'
import { GROUP_SCHEMA } from '../../src/scim/schema'
import { op } from './joy'

const group = () => {
  const read = readGroup({ displayName: 'Staff', externalId: 'e1' })
  if (!read.ok) throw new Error(read.error.detail)
  return read.value.group
}

const patch = (...operations: readonly unknown[]) => {
  const read = readPatch({ Operations: operations })
  return read.ok ? patchGroup(group(), read.value) : read
}

/** What becomes of the members, or the error in short. */
const members = (...operations: readonly unknown[]): readonly MemberOperation[] | string => {
  const result = patch(...operations)
  return result.ok ? result.value.members : `${result.error.status} ${result.error.scimType ?? ''}`
}

const add = (...values: readonly string[]) => ({ op: 'add', members: values.map((value) => ({ value })) })
const remove = (...values: readonly string[]) => ({ op: 'remove', values })
const replace = (...values: readonly string[]) => ({ op: 'replace', members: values.map((value) => ({ value })) })
const clear = { op: 'clear' }

describe('patchGroup, members', () => {
  it.each<[string, readonly unknown[], unknown]>([
    ['O-24', [op('remove', 'members[value eq "a"]'), op('add', 'members', [{ value: 'b', display: 'B' }])],
      [remove('a'), { op: 'add', members: [{ value: 'b', display: 'B' }] }]],
    ['O-25', [op('replace', 'members', [{ value: 'a', display: null }, { value: 'b' }])], [replace('a', 'b')]],
    ['E-33', [op('Add', 'members', [{ $ref: null, value: 'a' }])], [add('a')]],
    ['E-34: only the listed', [op('Remove', 'members', [{ $ref: null, value: 'a' }])], [remove('a')]],
    ['E-35: several', [op('Remove', 'members', [{ value: 'a' }, { value: 'b' }])], [remove('a', 'b')]],
    ['E-35: bare id', [op('add', 'members', 'a')], [add('a')]],
    ['remove one object', [op('Remove', 'members', { value: 'a' })], [remove('a')]],
    ['remove one id', [op('Remove', 'members', 'a')], [remove('a')]],
    ['remove ids', [op('Remove', 'members', ['a', 'b', 'a'])], [remove('a', 'b')]],
    ['D.1 9: bare members', [op('remove', 'members')], [clear]],
    ['decision 19: remove nobody', [op('remove', 'members', [])], []],
    ['E-37: replace by null', [op('Replace', 'members', null)], [clear]],
    ['replace by nobody', [op('replace', 'members', [])], [clear]],
    ['add nobody', [op('add', 'members', []), op('add', 'members', null)], []],
    ['E-51', [op('remove', 'members[value eq "a"]')], [remove('a')]],
    ['D.1 25: escapes', [op('remove', 'members[value eq "a\\"]b"]')], [remove('a"]b')]],
    ['or', [op('remove', 'members[value eq "a" or value eq "b"]')], [remove('a', 'b')]],
    ['and', [op('remove', 'members[value eq "a" and value eq "b"]')], []],
    ['and of a kind', [op('remove', 'members[value eq "a" and type eq "User"]')], [remove('a')]],
    ['of another kind', [op('remove', 'members[value eq "a" and type eq "Group"]')], []],
    ['all of a kind', [op('remove', 'members[type eq "user"]')], [clear]],
    ['bare word', [op('remove', 'members[VALUE EQ a]')], [remove('a')]],
    ['no path', [op('add', undefined, { members: [{ value: 'a' }] })], [add('a')]],
    ['no path, replace', [op('replace', undefined, { Members: ['a'], displayName: 'x' })], [replace('a')]],
    ['URN', [op('add', `${GROUP_SCHEMA}:members`, ['a'])], [add('a')]],
    ['a selected one added', [op('add', 'members[value eq "a"]', { display: 'A' })], [add('a')]],
    ['a selected one by another', [op('replace', 'members[value eq "a"]', { value: 'b' })], [remove('a'), add('b')]],
    ['a selected one by itself', [op('replace', 'members[value eq "a"]', { value: 'a' })], [add('a')]],
    ['a selected one by nobody', [op('replace', 'members[value eq "a"]', null)], [remove('a')]],
    ['names are not kept', [op('replace', 'members[value eq "a"].display', 'A'), op('add', 'members.display', 'A')], []],
    ['members.value', [op('add', 'members.value', 'a'), op('remove', 'members.value', ['b'])], [add('a'), remove('b')]],
    ['D.1 21: a rename touches nobody', [op('replace', undefined, { id: 'x', displayName: 'New' })], []],
    ['neighbours of a kind become one', [
      op('remove', 'members[value eq "a"]'), op('remove', 'members[value eq "b"]'), op('remove', 'members', ['a', 'c']),
      op('add', 'members', ['a']), op('add', 'members', ['a', 'd']), op('replace', 'displayName', 'x'), op('add', 'members', ['e']),
      op('remove', 'members'), op('remove', 'members'), op('add', 'members', ['f']),
    ], [remove('a', 'b', 'c'), add('a', 'd', 'e'), clear, clear, add('f')]],
    ['other filters', [op('remove', 'members[display eq "A"]')], '400 invalidFilter'],
    ['other operators', [op('remove', 'members[value sw "a"]')], '400 invalidFilter'],
    ['not', [op('remove', 'members[not (value eq "a")]')], '400 invalidFilter'],
    ['null', [op('remove', 'members[value eq null]')], '400 invalidFilter'],
    ['writing an id', [op('replace', 'members[value eq "a"].value', 'b')], '400 mutability'],
    ['removing the ids of all', [op('remove', 'members.value')], '400 mutability'],
    ['a member without id', [op('add', 'members', [{ display: 'A' }])], '400 invalidValue'],
    ['a member that is a boolean', [op('add', 'members', [true])], '400 invalidValue'],
    ['an id that is an object', [op('add', 'members', [{ value: { value: 'a' } }])], '400 invalidValue'],
    ['an unknown path after good ones', [op('add', 'members', ['a']), op('add', 'members[value eq "a"].nam', 'x')], '400 invalidPath'],
    ['a broken filter', [op('remove', 'members[value eq ]')], '400 invalidFilter'],
    ['an attribute of users', [op('add', 'userName', 'x')], '400 invalidPath'],
    ['no name', [op('add', 'members', ['a']), op('replace', 'displayName', '')], '400 invalidValue'],
    ['the name removed', [op('add', 'members', ['a']), op('remove', 'displayName')], '400 mutability'],
    ['the name removed and set again (B.5, P2)', [op('remove', 'displayName'), op('add', 'displayName', 'x'), op('add', 'members', ['a'])], [add('a')]],
  ])('%s', (_case, operations, expected) => expect(members(...operations)).toEqual(expected))

  it('names the entry', () => {
    expect(patch(op('add', 'members', ['a', {}]))).toMatchObject({ error: { detail: '"members[1].value" is required.' } })
  })

  it('tells a change of the group from none', () => {
    const changed = (...operations: readonly unknown[]) => {
      const result = patch(...operations)
      return result.ok && [result.value.changed, result.value.group.displayName, result.value.group.externalId]
    }
    expect(changed(op('replace', undefined, { id: 'x', displayName: 'Staff' }))).toEqual([false, 'Staff', 'e1'])
    expect(changed(op('Replace', 'displayName', 'New'), op('add', 'members', ['a']))).toEqual([true, 'New', 'e1'])
    expect(changed(op('replace', undefined, { externalId: 'e2' }))).toEqual([true, 'Staff', 'e2'])
    expect(changed(op('remove', 'externalId'), op('add', 'externalId', 'e1'))).toEqual([false, 'Staff', 'e1'])
    expect(changed(op('add', 'members', ['a']))).toEqual([false, 'Staff', 'e1'])
  })

  it('says the same about a set, however its neighbours are joined', () => {
    const apply = (before: readonly string[], operations: readonly MemberOperation[]): readonly string[] => {
      let set = new Set(before)
      for (const operation of operations) {
        if (operation.op === 'clear' || operation.op === 'replace') set = new Set()
        if (operation.op === 'add' || operation.op === 'replace') for (const { value } of operation.members) set.add(value)
        if (operation.op === 'remove') for (const value of operation.values) set.delete(value)
      }
      return [...set].toSorted()
    }
    const ids = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 3 })
    const operations = fc.array(fc.tuple(fc.constantFrom('add', 'remove', 'replace'), ids), { minLength: 1, maxLength: 8 })
    fc.assert(fc.property(ids, operations, (before, steps) => {
      const read = (...some: typeof steps): readonly MemberOperation[] => {
        const found = members(...some.map(([kind, values]) => op(kind, 'members', values)))
        if (typeof found === 'string') throw new Error(found)
        return found
      }
      expect(apply(before, read(...steps))).toEqual(apply(before, steps.flatMap((step) => read(step))))
    }))
  })
})
