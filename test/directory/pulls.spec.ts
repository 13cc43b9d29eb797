import { beforeEach, describe, expect, it, vi } from 'vitest'
import { ACCEPTED } from '../../src/directory/pulls'
import { pullState } from '../../src/directory/pullState'
import { isBackfilling, nextQuestion } from '../../src/directory/refreshes'
import type { SourceFailure } from '../../src/sources/source'
import { START } from './memoryStore'
import { activeIds, DAY_MS, EVERYTHING, failure, openFilled, openPullWorld, populate, PULL, throttled, type PullWorld } from './pullWorld'

/** Pulls of everybody and of changes, the rest that providers ask for, and subscriptions. */

describe('the first pull', () => {
  it('tells of everybody and every group; nobody gets an account before it is complete', async () => {
    await openPullWorld(async (world) => {
      populate(world.provider, 12)
      world.ask(EVERYTHING)
      await world.alarm()
      expect({ state: world.state(), isBackfilling: isBackfilling(world.store), phase: pullState(world.store, PULL).phase }).toEqual({ state: [], isBackfilling: true, phase: 'pulling' })
      await world.run()
      expect(world.state()).toEqual(world.expected())
      expect(isBackfilling(world.store)).toBe(false)
      expect(world.journal('pull.completed')).toEqual([{ group: 3, member: 12, person: 12 }])
      expect(world.questions()).toEqual([`everything ${DAY_MS}`])
      expect(world.store.sql.one(`SELECT 1 AS one FROM pulled`)).toBe(null)
    })
  })

  it('asks for a bounded number of pages in one alarm, and gives way to whoever leaves', async () => {
    await openPullWorld(async (world) => {
      populate(world.provider, 60)
      world.ask(EVERYTHING)
      await world.alarm()
      expect(world.provider.asked.length).toBe(8)
      world.hurry.is = true
      await world.alarm()
      expect(world.provider.asked.length).toBe(9)
    })
  })

  it('gives an event its turn between two pages', async () => {
    await openPullWorld(async (world) => {
      populate(world.provider, 30)
      world.ask(EVERYTHING)
      await world.alarm()
      world.store.clock.at += 10
      world.person('p29')
      world.provider.asked.length = 0
      await world.alarm()
      expect(world.provider.asked.slice(0, 3)).toContain('person p29')
      expect(activeIds(world)).toEqual(['p29'])
    })
  })

  it('goes on days later, and begins anew when its place is forgotten', async () => {
    await openPullWorld(async (world) => {
      populate(world.provider, 30)
      world.ask(EVERYTHING)
      await world.alarm()
      world.provider.trouble.push({ at: 'everything', failure: failure('expired'), times: 1 })
      await world.pass(2 * 60_000)
      expect(world.state()).toEqual(world.expected())
      expect(world.provider.asked.filter((asked) => asked === 'everything ').length).toBe(2)
      expect(world.lastError()).toBe(null)
    })
  })

  it('takes a group of 10,000 in pages and in one piece', async () => {
    await openPullWorld(async (world) => {
      const members = Array.from({ length: 10_000 }, (_, i) => `p${i}`)
      for (const id of members) world.provider.people.set(id, { userName: `${id}@example.com`, active: true })
      world.provider.groups.set('g', { name: 'Everybody', members: new Set(members) })
      world.ask(EVERYTHING)
      await world.run()
      expect(world.state().length).toBe(20_001)
      world.provider.groups.get('g')?.members.delete('p77')
      world.provider.asked.length = 0
      world.ask({ kind: 'group', group: { id: 'g', displayName: null } })
      await world.run()
      expect({ pages: world.provider.asked.length, isIn: world.state().includes('p77 in g'), isActive: world.state().includes('p77 p77@example.com p77@example.com') })
        .toEqual({ pages: 20, isIn: false, isActive: true })
    }, { pageSize: 500 })
  }, 60_000)
})

describe('a pull that is not believed changes nothing and says so', () => {
  const night = async (world: PullWorld): Promise<void> => world.pass(DAY_MS + 1)

  it.each<[string, (world: PullWorld) => void, string]>([
    ['nobody', ({ provider }) => provider.trouble.push({ at: 'everything', page: 'empty', times: 1 }), 'The provider listed nobody, although 60 active users are known: nothing was changed.'],
    ['a part', ({ provider }) => provider.trouble.push({ at: 'everything 9', page: 'last', times: 1 }), 'The provider listed 12 people, and 48 of the 60 active users are missing or inactive there, which is more than the brake allows (brake.maxLeaversPerHour 50, brake.maxLeaversPercent 20): nothing was changed.'],
    ['everybody without a group', ({ provider }) => provider.groups.clear(), 'The provider listed no group, although 12 are known: nothing was changed.'],
    ['groups without anybody', ({ provider }) => { for (const { members } of provider.groups.values()) members.clear() }, 'The provider listed groups without anybody in them, although members are known: nothing was changed.'],
    ['too many inactive', ({ provider }) => { for (const [id, member] of [...provider.people].slice(0, 13)) provider.people.set(id, { ...member, active: false }) }, 'The provider listed 60 people, and 13 of the 60 active users are missing or inactive there, which is more than the brake allows (brake.maxLeaversPerHour 50, brake.maxLeaversPercent 20): nothing was changed.'],
  ])('%s', async (_, spoil, sentence) => {
    await openFilled(async (world) => {
      const before = world.state()
      spoil(world)
      await night(world)
      expect({ state: world.state(), lastError: world.lastError(), journal: world.journal('pull.refused') }).toEqual({ state: before, lastError: sentence, journal: [{ sentence }] })
      expect(world.store.sql.one(`SELECT 1 AS one FROM pulled`)).toBe(null)
    }, { n: 60 })
  })

  it('is believed the next night when the provider is itself again', async () => {
    await openFilled(async (world) => {
      world.provider.trouble.push({ at: 'everything', page: 'empty', times: 1 })
      await night(world)
      world.provider.people.delete('p03')
      await world.pass(DAY_MS)
      expect({ state: world.state(), lastError: world.lastError() }).toEqual({ state: world.expected().filter((line) => line !== 'p03 in g0'), lastError: null })
    })
  })

  it('is believed when an administrator says so, once', async () => {
    await openFilled(async (world) => {
      for (const id of [...world.provider.people.keys()].slice(0, 40)) world.provider.people.delete(id)
      await night(world)
      expect(activeIds(world).length).toBe(60)
      world.ask(EVERYTHING)
      world.store.sql.run(`UPDATE refreshes SET name = ? WHERE kind = 'everything'`, ACCEPTED)
      await world.run()
      expect(activeIds(world).length).toBe(20)
      world.provider.trouble.push({ at: 'everything', page: 'empty', times: 1 })
      await night(world)
      expect(activeIds(world).length).toBe(20)
    }, { n: 60 })
  })

  it('a few who left are believed: five are never too many to be told from a fault', async () => {
    await openFilled(async (world) => {
      for (const id of ['p00', 'p01', 'p02', 'p03', 'p04']) world.provider.people.delete(id)
      world.provider.groups.get('g0')?.members.clear()
      await night(world)
      expect(world.state()).toEqual(world.expected())
    }, { n: 10 })
  })

  it.each<[string, SourceFailure, number]>([
    ['fails', failure('unavailable'), 500], ['is refused', failure('unauthorized'), 15 * 60_000], ['asks for patience', throttled, 30_000],
  ])('when it %s in the middle, and goes on where it stood', async (_, met, waitMs) => {
    await openFilled(async (world) => {
      const before = world.state()
      world.provider.people.set('p00', { userName: 'p00@example.com', active: false })
      world.provider.trouble.push({ at: 'everything 6', failure: met, times: 1 })
      world.store.clock.at += DAY_MS
      await world.run()
      expect(world.state()).toEqual(before)
      expect(world.questions()).toEqual([`everything ${waitMs}`])
      expect(world.lastError()).toBe(met.kind === 'throttled' ? null : met.sentence)
      await world.pass(waitMs)
      expect({ state: world.state(), lastError: world.lastError(), asked: world.provider.asked.filter((asked) => asked === 'everything ').length }).toEqual({ state: world.expected(), lastError: null, asked: 1 })
    })
  })
})

describe('a crash between any two steps', () => {
  beforeEach(() => void vi.spyOn(console, 'error').mockImplementation(() => undefined))

  it('costs nothing but time', async () => {
    let crashes = 0
    for (let step = 1; step <= 40; step += 1) {
      await openFilled(async (world) => {
        const { people, groups } = world.provider
        people.delete('p00')
        people.set('p01', { userName: 'p01@example.com', active: false })
        people.set('p90', { userName: 'p90@example.com', active: true })
        groups.get('g2')?.members.add('p90')
        groups.delete('g1')
        world.person('p90')
        world.ask({ kind: 'group', group: { id: 'g2', displayName: null } })
        world.store.clock.at += DAY_MS
        world.crashAfter(step)
        await world.run()
        if (world.hasCrashed()) crashes += 1
        world.restart()
        await world.run()
        await world.pass(DAY_MS)
        expect({ step, state: world.state() }).toEqual({ step, state: world.expected().filter((line) => line !== 'p00 in g0') })
      })
    }
    expect(crashes).toBeGreaterThan(15)
  })
})

describe('changes since a delta', () => {
  const openDelta = (run: (world: PullWorld) => Promise<void>): Promise<void> => openFilled(run, { hasDeltas: true, kind: 'graph' })

  it('are asked for every five minutes, and applied as they come', async () => {
    await openDelta(async (world) => {
      expect(world.questions()).toEqual(['changes 300000', `everything ${DAY_MS}`])
      const { people, groups, changed } = world.provider
      people.set('p00', { userName: 'p00@example.com', active: false })
      changed({ kind: 'person', person: { id: 'p00', userName: 'p00@example.com', email: 'p00@example.com', displayName: null, givenName: null, familyName: null, active: false } })
      people.delete('p01')
      changed({ kind: 'personGone', id: 'p01' })
      groups.get('g1')?.members.add('p02')
      changed({ kind: 'membership', groupId: 'g1', personId: 'p02' })
      groups.get('g1')?.members.delete('p06')
      changed({ kind: 'membershipGone', groupId: 'g1', personId: 'p06' })
      groups.delete('g2')
      changed({ kind: 'groupGone', id: 'g2' })
      const renamed = groups.get('g0')
      if (renamed !== undefined) renamed.name = 'Renamed'
      changed({ kind: 'group', group: { id: 'g0', displayName: 'Renamed' } })
      await world.pass(300_000)
      expect(world.state()).toEqual(world.expected())
      expect(world.provider.asked).toEqual(['changes 0 0', 'changes 0 3'])
      await world.pass(300_000)
      expect(world.provider.asked.at(-1)).toBe('changes 0 6')
    })
  })

  it('that speak of people and groups whom nobody knows are reasons to ask', async () => {
    await openDelta(async (world) => {
      world.provider.people.set('p77', { userName: 'p77@example.com', active: true })
      world.provider.groups.set('g7', { name: 'Seven', members: new Set(['p77', 'p00']) })
      world.provider.changed({ kind: 'membership', groupId: 'g7', personId: 'p77' })
      await world.pass(300_000)
      expect(world.state()).toEqual(world.expected())
    })
  })

  it('that are forgotten mean a pull of everybody, after which a new delta counts', async () => {
    await openDelta(async (world) => {
      world.provider.people.set('p00', { userName: 'p00@example.com', active: false })
      world.provider.forget()
      await world.pass(300_000)
      expect(world.state()).toEqual(world.expected())
      expect(pullState(world.store, PULL).delta).toBe('1 0')
      expect(world.questions()).toEqual(['changes 300000', `everything ${DAY_MS}`])
    })
  })

  it('do not go back to where an older delta stood, after a pull of everybody', async () => {
    await openDelta(async (world) => {
      for (let i = 0; i < 5; i += 1) world.provider.changed({ kind: 'personGone', id: `nobody${i}` })
      world.provider.trouble.push({ at: 'changes 0 3', failure: failure('unavailable'), times: 1 })
      await world.pass(300_000)
      world.store.sql.run(`UPDATE refreshes SET cursor = '0 3', due = ? WHERE kind = 'changes'`, world.store.clock.at + 60_000)
      world.ask(EVERYTHING)
      await world.run()
      expect(world.store.sql.one(`SELECT cursor FROM refreshes WHERE kind = 'changes'`)).toEqual({ cursor: null })
    })
  })
})

describe('rest', () => {
  const rest = (met: SourceFailure, at: string): Promise<readonly [string[], number | null]> => {
    const outcome: { value: readonly [string[], number | null] } = { value: [[], null] }
    return openFilled(async (world) => {
      world.provider.trouble.push({ at, failure: met, times: 1 })
      world.store.clock.at += DAY_MS
      world.person('p00')
      if (at.startsWith('person')) await world.alarm()
      else await world.run()
      world.person('p01')
      world.provider.asked.length = 0
      await world.run()
      const next = nextQuestion(world.store)
      outcome.value = [[...world.provider.asked], next === null ? null : next - world.store.clock.at]
    }).then(() => outcome.value)
  }

  it('is for everything when a question about a person meets 429, whatever happens meanwhile', async () => {
    expect(await rest(throttled, 'person p00')).toEqual([[], 30_000])
  })

  it('is for everything when the credentials are refused', async () => {
    expect(await rest(failure('unauthorized'), 'everything')).toEqual([[], 15 * 60_000])
  })

  it('is for the reading of everything alone when that meets 429', async () => {
    expect(await rest(throttled, 'everything')).toEqual([['person p01'], 30_000])
  })

  it('ends when the connection is changed', async () => {
    await openFilled(async (world) => {
      world.provider.trouble.push({ at: 'person', failure: failure('unauthorized'), times: 1 })
      world.person('p00')
      await world.run()
      world.person('p00')
      world.store.sql.run(`UPDATE connections SET revision = revision + 1`)
      await world.run()
      expect(world.provider.asked).toEqual(['person p00', 'person p00'])
    })
  })

  it('is what a paused connection has', async () => {
    await openFilled(async (world) => {
      world.store.sql.run(`UPDATE connections SET state = 'paused'`)
      world.person('p00')
      await world.pass(2 * DAY_MS)
      expect({ asked: world.provider.asked, next: nextQuestion(world.store) }).toEqual({ asked: [], next: null })
    })
  })
})

describe('subscriptions', () => {
  const openSubscribed = (run: (world: PullWorld) => Promise<void>): Promise<void> =>
    openPullWorld(async (world) => {
      world.ask({ kind: 'subscriptions', urgent: false })
      await world.run()
      await run(world)
    }, { hasSubscriptions: true, kind: 'graph' })

  const resources = ({ provider }: PullWorld): readonly string[] => [...provider.subscriptions.values()].map(({ resource }) => resource)

  it('are made, and renewed three days before they end', async () => {
    await openSubscribed(async (world) => {
      expect(world.provider.asked).toEqual(['create users', 'create groups'])
      await world.pass(25 * DAY_MS)
      expect(world.provider.asked.length).toBe(2)
      await world.pass(2 * DAY_MS)
      expect(world.provider.asked.slice(2)).toEqual(['renew users', 'renew groups'])
      expect([...world.provider.subscriptions.values()].every(({ expiresAt }) => expiresAt > START + 50 * DAY_MS)).toBe(true)
    })
  })

  it('are made again when the provider does not know them, and renewed at once when it asks for that', async () => {
    await openSubscribed(async (world) => {
      world.provider.subscriptions.delete('s1')
      world.ask({ kind: 'subscriptions', urgent: true })
      await world.run()
      expect(world.provider.asked.slice(2)).toEqual(['renew users', 'create users', 'renew groups'])
      expect(resources(world).toSorted()).toEqual(['groups', 'users'])
      expect(world.journal('pull.subscribed').map(({ resource }) => resource)).toEqual(['users', 'groups', 'users'])
    })
  })

  it('that cannot be made are tried again, and said so', async () => {
    await openPullWorld(async (world) => {
      world.provider.trouble.push({ at: 'create groups', failure: failure('unavailable'), times: 2 })
      world.ask({ kind: 'subscriptions', urgent: false })
      await world.run()
      expect({ made: resources(world), lastError: world.lastError() }).toEqual({ made: ['users'], lastError: 'The provider is unavailable.' })
      await world.pass(60_000)
      expect({ made: resources(world), lastError: world.lastError() }).toEqual({ made: ['users', 'groups'], lastError: null })
    }, { hasSubscriptions: true, kind: 'graph' })
  })
})
