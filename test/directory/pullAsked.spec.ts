import { describe, expect, it } from 'vitest'
import { pullState } from '../../src/directory/pullState'
import type { SourceFailure } from '../../src/sources/source'
import { activeIds, DAY_MS, EVERYTHING, failure, openFilled, PULL, throttled, type PullWorld } from './pullWorld'

/** People and groups that are asked about one by one, names that move from one to another, and all that beside a pull. */

describe('one person', () => {
  it('is told of with all groups, known or not; of a group that nobody knew, the others too', async () => {
    await openFilled(async (world) => {
      world.provider.people.set('p99', { userName: 'new@example.com', active: true })
      world.provider.groups.get('g1')?.members.add('p99')
      world.provider.groups.set('g9', { name: 'New', members: new Set(['p99', 'p00']) })
      world.person('p99')
      await world.run()
      expect(world.state()).toEqual(world.expected())
    })
  })

  it('leaves when the provider says so, and when it does not know them any more', async () => {
    await openFilled(async (world) => {
      world.provider.people.set('p00', { userName: 'p00@example.com', active: false })
      world.provider.people.delete('p01')
      for (const id of ['p00', 'p01']) world.person(id)
      await world.run()
      expect(activeIds(world)).toEqual(activeIds(world).filter((id) => id !== 'p00' && id !== 'p01'))
      expect(activeIds(world).length).toBe(10)
    })
  })

  it.each<SourceFailure>([failure('unauthorized'), failure('unavailable'), throttled])('is not gone by a 404 while the probe fails: %j', async (met) => {
    await openFilled(async (world) => {
      const before = world.state()
      world.provider.people.delete('p01')
      world.provider.trouble.push({ at: 'probe', failure: met, times: 1 })
      world.person('p01')
      await world.run()
      expect(world.state()).toEqual(before)
      await world.pass(20 * 60_000)
      expect(activeIds(world)).not.toContain('p01')
    })
  })

  it('is asked for again when there is a new reason while the provider is asked', async () => {
    await openFilled(async (world) => {
      world.provider.meanwhile.now = (asked) => {
        if (asked !== 'person p00' || world.provider.asked.length > 1) return
        world.person('p00')
      }
      world.person('p00')
      await world.run()
      expect(world.provider.asked).toEqual(['person p00', 'person p00'])
    })
  })

  it('of whom only the name is known is asked for by the id that the name has, since names change', async () => {
    await openFilled(async (world) => {
      world.provider.people.set('p00', { userName: 'renamed@example.com', active: true })
      world.ask({ kind: 'person', who: { id: null, userName: 'P00@example.com' } })
      world.ask({ kind: 'person', who: { id: null, userName: 'nobody@example.com' } })
      await world.run()
      expect(world.provider.asked.toSorted()).toEqual(['person nobody@example.com', 'person p00', 'probe'])
      expect(world.state()).toEqual(world.expected())
    })
  })

  it('who takes the name of somebody who left is let have it; who has the name of somebody else waits for them', async () => {
    await openFilled(async (world) => {
      world.provider.people.set('p00', { userName: 'p00@example.com', active: false })
      world.person('p00')
      await world.run()
      world.provider.people.set('p50', { userName: 'p00@example.com', active: true })
      world.person('p50')
      await world.run()
      expect(world.state()).toContain('p50 p00@example.com p00@example.com')
      world.provider.people.set('p01', { userName: 'moved@example.com', active: true })
      world.provider.people.set('p51', { userName: 'p01@example.com', active: true })
      world.person('p51')
      await world.pass(5_000)
      expect(world.state()).toEqual(world.expected())
    })
  })
})

describe('people who have exchanged their names', () => {
  it('are told of in any order, and the asking ends', async () => {
    for (const order of [['p00', 'p01', 'p02'], ['p02', 'p01', 'p00'], ['p01']]) {
      await openFilled(async (world) => {
        for (const [id, name] of [['p00', 'p01'], ['p01', 'p02'], ['p02', 'p00']] as const) world.provider.people.set(id, { userName: `${name}@example.com`, active: true })
        for (const id of order) world.person(id)
        await world.run()
        expect(world.state()).toEqual(world.expected())
        expect(world.provider.asked.length).toBeLessThan(12)
      })
    }
  })

  it('or have one name, as no provider should tell, keep both from being asked about without end', async () => {
    await openFilled(async (world) => {
      world.provider.people.set('p00', { userName: 'p01@example.com', active: true })
      for (const id of ['p00', 'p01', 'p00']) world.person(id)
      await world.pass(60_000)
      expect(activeIds(world)).toContain('p00')
      expect(world.provider.asked.length).toBeLessThan(40)
      expect(world.journal('pull.refused').length).toBe(1)
    })
  })
})

describe('one group', () => {
  it('is told of page by page, and strangers in it are asked about', async () => {
    await openFilled(async (world) => {
      for (const id of ['p20', 'p21']) world.provider.people.set(id, { userName: `${id}@example.com`, active: true })
      world.provider.groups.set('g1', { name: 'Renamed', members: new Set(['p20', 'p00', 'p05', 'p06', 'p21']) })
      world.ask({ kind: 'group', group: { id: 'g1', displayName: null } })
      await world.run()
      expect(world.state()).toEqual(world.expected())
      expect(world.provider.asked).toEqual(['group g1 ', 'group g1 3', 'person p20', 'person p21'])
    })
  })

  it('has strangers who are none of the connection, where it tells of some people only', async () => {
    await openFilled(async (world) => {
      world.provider.groups.get('g0')?.members.add('elsewhere')
      world.ask({ kind: 'group', group: { id: 'g0', displayName: null } })
      await world.pass(DAY_MS + 1)
      expect(world.provider.asked.filter((asked) => asked.startsWith('person'))).toEqual([])
    }, { tellsOfAll: false })
  })

  it('is gone when the provider does not know it and its probe passes', async () => {
    await openFilled(async (world) => {
      world.provider.groups.delete('g0')
      world.ask({ kind: 'group', group: { id: 'g0', displayName: null } })
      await world.run()
      expect(world.state()).toEqual(world.expected())
    })
  })

  const openLarge = (run: (world: PullWorld) => Promise<void>): Promise<void> =>
    openFilled(async (world) => {
      const group = world.provider.groups.get('g0')
      for (let i = 0; i < 12; i += 1) group?.members.add(`p${String(i).padStart(2, '0')}`)
      world.ask({ kind: 'group', group: { id: 'g0', displayName: null } })
      await run(world)
    })

  it('begins anew when a page is forgotten', async () => {
    await openLarge(async (world) => {
      world.provider.trouble.push({ at: 'group g0 6', failure: failure('expired'), times: 1 })
      await world.pass(60_000)
      expect(world.state()).toEqual(world.expected())
    })
  })

  it('loses nobody when a pull of everybody begins between its pages', async () => {
    await openLarge(async (world) => {
      world.provider.meanwhile.now = (asked) => {
        if (asked === 'group g0 3') world.ask(EVERYTHING)
        if (asked === 'everything ') world.provider.trouble.push({ at: 'everything 3', failure: failure('unavailable'), times: 1 })
      }
      await world.run()
      expect(world.state()).toEqual(world.expected())
    })
  })
})

describe('names', () => {
  const nightly = (change: (world: PullWorld) => void, n = 12): Promise<void> =>
    openFilled(async (world) => {
      change(world)
      await world.pass(DAY_MS + 1)
      await world.pass(60_000)
      expect({ state: world.state(), refused: world.journal('pull.refused') }).toEqual({ state: world.expected(), refused: [] })
    }, { n })

  it('of a person who is gone goes to a new one in the same night', () => nightly(({ provider }) => {
    provider.people.delete('p05')
    provider.groups.get('g1')?.members.delete('p05')
    provider.people.set('p00a', { userName: 'p05@example.com', active: true })
  }))

  it('of two people are exchanged', () => nightly(({ provider }) => {
    provider.people.set('p00', { userName: 'p01@example.com', active: true })
    provider.people.set('p01', { userName: 'p00@example.com', active: true })
  }))

  it('of three people go round', () => nightly(({ provider }) => {
    for (const [id, name] of [['p00', 'p02'], ['p02', 'p07'], ['p07', 'p00']] as const) provider.people.set(id, { userName: `${name}@example.com`, active: true })
  }))

  it('of a group that is gone goes to a new one in the same night', () => nightly(({ provider }) => {
    provider.groups.delete('g1')
    provider.groups.set('g00', { name: 'Group g1', members: new Set(['p00', 'p09']) })
  }))

  it('of two groups are exchanged', () => nightly(({ provider }) => {
    const [one, other] = [provider.groups.get('g0'), provider.groups.get('g1')]
    if (one === undefined || other === undefined) throw new Error('no groups')
    one.name = 'Group g1'
    other.name = 'Group g0'
  }))

  it('that two groups have at once are told apart: nobody gets anything by making a group of a name', async () => {
    await openFilled(async (world) => {
      world.provider.groups.set('a-twin', { name: 'Group g1', members: new Set(['p00']) })
      await world.pass(DAY_MS + 1)
      expect(world.state().filter((line) => line.includes('Group g1'))).toEqual(['group a-twin Group g1 (a-twin)', 'group g1 Group g1'])
      expect(world.state()).toContain('p00 in a-twin')
    })
  })

  it('of somebody whose access ends do not keep it', async () => {
    await openFilled(async (world) => {
      world.provider.people.set('p00', { userName: 'p01@example.com', active: false })
      await world.pass(DAY_MS + 1)
      expect(activeIds(world)).not.toContain('p00')
      expect(activeIds(world)).toContain('p01')
    })
  })
})

describe('what was asked for during a pull wins over what the pull put aside', () => {
  const during = (change: (world: PullWorld) => void, n = 12): Promise<void> =>
    openFilled(async (world) => {
      world.store.clock.at += DAY_MS
      await world.alarm()
      expect(pullState(world.store, PULL).phase).toBe('pulling')
      change(world)
      await world.run()
      await world.pass(60_000)
      expect(pullState(world.store, PULL).phase).toBe('idle')
      expect(world.state()).toEqual(world.expected())
    }, { n })

  it('a person who left, one who came, one who moved', () => during((world) => {
    const { people, groups } = world.provider
    people.set('p00', { userName: 'p00@example.com', active: false })
    people.delete('p01')
    groups.get('g0')?.members.delete('p01')
    people.set('p80', { userName: 'p80@example.com', active: true })
    groups.get('g0')?.members.delete('p02')
    groups.get('g3')?.members.add('p02')
    for (const id of ['p00', 'p01', 'p80', 'p02']) world.person(id)
  }, 40))

  it('a group that was renamed, and one that is gone', () => during((world) => {
    const { groups } = world.provider
    groups.delete('g1')
    groups.set('g0', { name: 'New name', members: new Set(['p07', 'p00']) })
    for (const id of ['g0', 'g1']) world.ask({ kind: 'group', group: { id, displayName: null } })
  }, 40))
})
