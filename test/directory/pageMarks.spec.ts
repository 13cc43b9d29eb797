import { describe, expect, it } from 'vitest'
import { createPageMarks, START } from '../../src/directory/pageMarks'
import { createPolicyCache } from '../../src/directory/policies'
import type { ScimContext } from '../../src/directory/scimCommand'
import { crowd, openLists, userNamed, type ListWorld } from './listClient'

const contextOf = ({ store }: ListWorld, id: string): ScimContext => ({
  store, base: '', actor: '', unmaps: () => false, policy: createPolicyCache(store),
  connection: { id, name: id, address: 'email', hasCatalogue: false },
})

describe('what is remembered of where pages begin', () => {
  it('is the nearest place before, for as long as nobody before it is gone', async () => {
    await openLists((world) => {
      crowd(world, 'okta', 3000)
      crowd(world, 'entra', 10)
      const okta = contextOf(world, 'okta')
      const marks = createPageMarks()
      const before = (total: number, offset: number): unknown => marks.before(okta, 'User', total, offset)
      expect(before(3000, 2000)).toEqual(START)
      for (const offset of [1600, 1000, 1650, 400, 2200]) marks.put(okta, 'User', { offset, seq: offset })
      // Marks close to others save too little.
      expect([999, 1000, 1599, 1650, 2199, 2999].map((offset) => before(3000, offset)))
        .toEqual([START, ...[1000, 1000, 1600, 1600, 2200].map((offset) => ({ offset, seq: offset }))])
      expect(marks.before(contextOf(world, 'entra'), 'User', 10, 9)).toEqual(START)
      expect(marks.before(okta, 'Group', 0, 2000)).toEqual(START)

      const late = world.okta.create('User', userNamed('late'))
      expect(before(3001, 2500)).toEqual({ offset: 2200, seq: 2200 })
      world.okta.remove('User', late)
      expect(before(3000, 2500)).toEqual(START)
    })
  })

  it('is nothing once somebody before is gone, although somebody else came', async () => {
    await openLists((world) => {
      crowd(world, 'okta', 3000)
      const okta = contextOf(world, 'okta')
      const marks = createPageMarks()
      marks.before(okta, 'User', 3000, 1500)
      marks.put(okta, 'User', { offset: 1000, seq: 1000 })
      world.okta.remove('User', 'okta-u5')
      world.okta.create('User', userNamed('other'))
      expect(marks.before(okta, 'User', 3000, 1500)).toEqual(START)
    })
  })
})
