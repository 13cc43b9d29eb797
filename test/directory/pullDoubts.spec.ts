import { describe, expect, it } from 'vitest'
import { restartPull } from '../../src/directory/connectionPull'
import { connectionById } from '../../src/directory/connections'
import { activeIds, DAY_MS, failure, openFilled, PULL, type PullWorld } from './pullWorld'

/** What is not believed of a provider at once: lists that leave somebody out, a 404 of who knows where, pages that lead nowhere. */

describe('what a provider says', () => {
  const night = async (world: PullWorld): Promise<void> => world.pass(DAY_MS + 1)

  it('is said until a pull is believed, whatever else is answered meanwhile', async () => {
    await openFilled(async (world) => {
      world.provider.trouble.push({ at: 'everything', page: 'empty', times: 1 })
      await night(world)
      const sentence = world.lastError()
      expect(sentence).toMatch(/^The provider listed nobody/)
      world.person('p00')
      await world.run()
      expect(world.lastError()).toBe(sentence)
      await night(world)
      expect(world.lastError()).toBe(null)
    })
  })

  it('leaves out nobody who is there: whoever is not listed is asked about', async () => {
    await openFilled(async (world) => {
      world.provider.meanwhile.now = (asked) => {
        // Between two pages, where a list by status has them on neither.
        if (asked === 'everything ') world.provider.people.delete('p04')
        if (asked === 'everything 3') world.provider.people.set('p04', { userName: 'p04@example.com', active: true })
        if (asked === 'everything ') world.provider.people.delete('p05')
      }
      await night(world)
      expect({ p04: activeIds(world).includes('p04'), p05: activeIds(world).includes('p05') }).toEqual({ p04: true, p05: false })
      expect(world.journal('identity.left')).toHaveLength(1)
    })
  })

  it('begins again under other settings before a 404 is believed: of another org everybody is one', async () => {
    await openFilled(async (world) => {
      const connection = connectionById(world.store, PULL)
      if (connection === null) throw new Error('no connection')
      const before = world.state()
      world.provider.people.clear()
      world.provider.groups.clear()
      restartPull(world.store, connection)
      for (const id of ['p00', 'p01']) world.person(id)
      world.ask({ kind: 'group', group: { id: 'g0', displayName: null } })
      await world.pass(3_600_000)
      expect(world.state()).toEqual(before)
      expect(world.lastError()).toMatch(/^The provider listed nobody|^The provider does not know/)
    })
  })

  it('goes on when a page that named itself as the next one is itself again', async () => {
    await openFilled(async (world) => {
      world.provider.people.delete('p11')
      world.provider.trouble.push({ at: 'everything 3', page: 'itself', times: 3 })
      await night(world)
      expect(world.lastError()).toBe('The provider names a page as the one that comes after itself.')
      await world.pass(3_600_000)
      expect({ isActive: activeIds(world).includes('p11'), lastError: world.lastError() }).toEqual({ isActive: false, lastError: null })
    })
  })

  it('a group whose pages are forgotten is asked for again after a while, not at once and for ever', async () => {
    await openFilled(async (world) => {
      world.provider.groups.get('g0')?.members.delete('p01')
      world.provider.trouble.push({ at: 'group g0 3', failure: failure('expired'), times: 1 })
      for (const id of ['p05', 'p06']) world.provider.groups.get('g0')?.members.add(id)
      world.ask({ kind: 'group', group: { id: 'g0', displayName: null } })
      await world.run()
      expect({ asked: world.provider.asked, questions: world.questions().filter((line) => line.startsWith('group')) })
        .toEqual({ asked: ['group g0 ', 'group g0 3'], questions: ['group g0 60000'] })
      await world.pass(60_000)
      expect(world.state()).toEqual(world.expected())
    })
  })
})
