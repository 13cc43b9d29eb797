import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bulk, create, createGroup, ENTERPRISE, managerOf, patch } from './bulkClient'
import { idOf, membersOf, openScim, type Client, type Json } from './scimClient'

interface Wish {
  readonly managers: readonly number[]
  readonly groups: readonly (readonly number[])[]
  readonly joining: readonly number[]
  readonly titles: readonly number[]
}

/** Users of whom each may have a later one as manager, groups of them, and changes to what was there and to what is made. */
const operationsOf = ({ managers, groups, joining, titles }: Wish, group: string): readonly Json[] => {
  const names = managers.keys().toArray()
  return [
    ...managers.map((manager, index) => create(`u${index}`, manager > index && names.includes(manager) ? { [ENTERPRISE]: { manager: { value: `bulkId:u${manager}` } } } : {})),
    ...groups.map((members, index) => createGroup(`g${index}`, ...members.filter((each) => names.includes(each)).map((each) => `bulkId:u${each}`))),
    ...(joining.some((each) => names.includes(each))
      ? [patch(`/Groups/${group}`, { op: 'add', path: 'members', value: joining.filter((each) => names.includes(each)).map((each) => ({ value: `bulkId:u${each}` })) })]
      : []),
    ...titles.filter((each) => names.includes(each)).map((each) => patch(`/Users/bulkId:u${each}`, { op: 'add', path: 'title', value: `title ${each}` })),
  ]
}

/** What the directory says, by names instead of ids. */
const stateOf = (client: Client): unknown => {
  const resources = (type: 'User' | 'Group'): readonly Json[] => {
    const { Resources } = client.list(type, { count: '200' }).body
    return Array.isArray(Resources) ? (Resources as Json[]) : []
  }
  const users = resources('User')
  const nameOf = new Map(users.map(({ id, userName }) => [id, userName]))
  return {
    users: users.map((user) => {
      const manager = managerOf(client, String(user.id))
      const value = typeof manager === 'object' && manager !== null && 'value' in manager ? manager.value : null
      return { name: user.userName, title: user.title, manager: value === null ? null : nameOf.get(value) }
    }).toSorted((a, b) => String(a.name).localeCompare(String(b.name))),
    groups: resources('Group').map((group) => ({ name: group.displayName, members: membersOf({ ...client.get('Group', String(group.id)) }).map((id) => nameOf.get(id)).toSorted() }))
      .toSorted((a, b) => String(a.name).localeCompare(String(b.name))),
  }
}

describe('any permutation of the operations', () => {
  const below = fc.nat({ max: 7 })
  const wish = fc.record({
    managers: fc.array(below, { minLength: 1, maxLength: 8 }), groups: fc.array(fc.uniqueArray(below, { maxLength: 5 }), { maxLength: 3 }),
    joining: fc.uniqueArray(below, { maxLength: 4 }), titles: fc.uniqueArray(below, { maxLength: 4 }),
  })

  it('leaves the same directory', async () => {
    const endOf = async (wished: Wish, order: (operations: readonly Json[]) => readonly Json[]): Promise<unknown> => {
      let end: unknown
      await openScim(async ({ okta }) => {
        const group = idOf(okta.post('Group', { displayName: 'There before' }))
        const outcomes = await bulk(okta, { operations: order(operationsOf(wished, group)) })
        expect(outcomes.filter(({ status }) => !status.startsWith('2'))).toEqual([])
        end = stateOf(okta)
      })
      return end
    }
    await fc.assert(fc.asyncProperty(wish, fc.infiniteStream(fc.nat()), async (wished, keys) => {
      const shuffled = (operations: readonly Json[]): readonly Json[] =>
        operations.map((operation) => ({ operation, key: keys.next().value ?? 0 })).toSorted((a, b) => a.key - b.key).map(({ operation }) => operation)
      expect(await endOf(wished, shuffled)).toEqual(await endOf(wished, (operations) => operations))
    }), { numRuns: 40 })
  }, 30_000)
})
