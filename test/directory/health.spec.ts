import { describe, expect, it } from 'vitest'
import { healthOf } from '../../src/directory/health'
import { createPolicyCache } from '../../src/directory/policies'
import { EVERYTHING, failure, openPullWorld, populate, type PullWorld } from './pullWorld'

/** What a tenant's health says of its connections. */

const warnings = ({ store }: PullWorld): readonly string[] => healthOf(store, createPolicyCache(store)(), null, 'owner').warnings
const WAITING = 'Nobody gets an account until the first pull of the connection "Pull" is complete, or it is paused.'

describe('the warnings of health', () => {
  it('say what a connection waits for and what ails it, until it is over', async () => {
    await openPullWorld(async (world) => {
      populate(world.provider, 3)
      expect(warnings(world)).toEqual([WAITING])
      world.provider.trouble.push({ at: 'everything', failure: failure('unauthorized'), times: 1 })
      world.ask(EVERYTHING)
      await world.run()
      expect(warnings(world)).toEqual([WAITING, 'The connection "Pull": The provider is unauthorized.'])
      await world.pass(3_600_000)
      expect(warnings(world)).toEqual([])
    })
  })

  it('say nothing of a paused connection', async () => {
    await openPullWorld((world) => {
      world.store.sql.run(`UPDATE connections SET state = 'paused'`)
      expect(warnings(world)).toEqual([])
    })
  })
})
