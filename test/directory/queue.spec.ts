import { describe, expect, it } from 'vitest'
import { readMeta } from '../../src/directory/meta'
import type { ArizeError } from '../../src/reconcile/target'
import { markUsers } from '../../src/directory/subjects'
import { openWorld } from './world'

const HOUR = 3_600_000
const ML = { id: 'ml', group: 'Engineers', grants: [{ organization: 'ML', role: 'MEMBER' }] }
const ADA = 'ada@example.com'

describe('the queue', () => {
  it('a preflight that fails is tried again in a minute, not at once', () =>
    openWorld(async ({ arize, policy, group, join, reconciler, store, wokenAt }) => {
      arize.addOrganization('ML')
      policy({ mappings: [ML] })
      group('Engineers', [join(ADA)])
      store.clock.at += 60_000
      const refused: ArizeError = { kind: 'unauthorized', detail: 'revoked' }
      arize.fault = () => refused
      await reconciler.alarm()
      store.clock.at = wokenAt() ?? 0
      await reconciler.alarm()
      expect((wokenAt() ?? 0) - store.clock.at).toBeGreaterThan(1_000)
    }))

  it('a policy that is stored while somebody is worked on reaches that person', () =>
    openWorld(async ({ arize, policy, group, join, reconciler, store, subject }) => {
      arize.addOrganization('ML')
      policy({ mappings: [ML] })
      group('Engineers', [join(ADA)])
      let isStored = false
      arize.before = (call) => {
        if (call !== 'give organization' || isStored) return
        isStored = true
        policy({ mappings: [{ ...ML, group: 'Nobody' }] })
      }
      store.clock.at += 60_000
      for (let turn = 0; turn < 10; turn += 1) {
        await reconciler.alarm()
        store.clock.at += 60_000
      }
      expect(subject(ADA).state).toBe('in_step')
      expect(arize.memberships()).toEqual([])
    }))

  it('a pause that Arize asked for is not lifted by an answer to another call', () =>
    openWorld(async ({ arize, policy, group, join, reconciler, store }) => {
      arize.addOrganization('ML')
      policy({ mappings: [ML] })
      group('Engineers', Array.from({ length: 8 }, (_, i) => join(`p${i}@example.com`)))
      store.clock.at += 60_000
      let isThrottled = false
      arize.fault = (call) => {
        if (call !== 'create' || isThrottled) return null
        isThrottled = true
        return { kind: 'throttled', retryAfterMs: 42_000, detail: 'slow down' }
      }
      await reconciler.alarm()
      expect(isThrottled).toBe(true)
      expect((readMeta(store, 'paused')?.until ?? 0) - store.clock.at).toBeGreaterThan(40_000)
    }))

  it('one broken row stops nobody else and makes no storm of alarms', () =>
    openWorld(async ({ arize, policy, group, join, addMember, reconciler, store, wokenAt, subject }) => {
      arize.addOrganization('ML')
      policy({ mappings: [ML] })
      const ada = join(ADA)
      const bob = join('bob@example.com')
      const engineers = group('Engineers', [ada])
      await reconciler.settle()
      store.sql.run(`UPDATE ledger SET because = 'not json' WHERE address = ?`, ADA)
      addMember(engineers, bob)
      addMember(engineers, ada)
      markUsers(store, [ada], 'quiet')
      store.clock.at += 60_000
      for (let turn = 0; turn < 3; turn += 1) await reconciler.alarm()
      expect({ bob: subject('bob@example.com').state, storm: (wokenAt() ?? 0) <= store.clock.at }).toEqual({ bob: 'in_step', storm: false })
    }))

  it('a verdict that is too large for a row ends in a sentence, not in a storm', () =>
    openWorld(async ({ arize, policy, group, join, reconciler, store, wokenAt, subject }) => {
      arize.addOrganization('ML', ['A', 'B', 'C'])
      policy({ mappings: [{ id: 'x', groupId: 'ext', grants: ['A', 'B', 'C'].map((space) => ({ organization: 'ML', space, role: 'MEMBER' })) }] })
      const ada = join(ADA)
      const bob = join('bob@example.com')
      expect(bob).toBeDefined()
      const big = group('x'.repeat(400_000), [ada])
      store.sql.run(`UPDATE groups SET external_id = 'ext' WHERE id = ?`, big)
      store.clock.at += 60_000
      for (let turn = 0; turn < 3; turn += 1) await reconciler.alarm()
      expect({ storm: (wokenAt() ?? 0) <= store.clock.at, bob: subject('bob@example.com').state }).toEqual({ storm: false, bob: 'in_step' })
    }))

  it('a joiner is served before the nightly look at everybody is through', () =>
    openWorld(async ({ arize, policy, group, join, addMember, reconciler, store, subject }) => {
      arize.addOrganization('ML')
      policy({ mappings: [ML] })
      const engineers = group('Engineers', Array.from({ length: 600 }, (_, i) => join(`p${i}@example.com`)))
      await reconciler.settle()
      store.clock.at += 25 * HOUR
      await reconciler.alarm()
      const joiner = join('new@example.com')
      addMember(engineers, joiner)
      let alarms = 0
      while (subject('new@example.com').state !== 'in_step' && alarms < 100) {
        store.clock.at += 8_000
        await reconciler.alarm()
        alarms += 1
      }
      expect(alarms).toBeLessThan(4)
    }))

  it('somebody who leaves while every lane waits for slow answers is offboarded meanwhile', () =>
    openWorld(async ({ arize, policy, group, join, change, reconciler, store }) => {
      arize.addOrganization('ML')
      policy({ mappings: [ML] })
      const ada = join(ADA)
      group('Engineers', [ada])
      await reconciler.settle()
      policy({ mappings: [ML, { id: 'more', group: 'Joiners', grants: [{ organization: 'ML', role: 'READ_ONLY' }] }] })
      group('Joiners', Array.from({ length: 12 }, (_, index) => join(`p${index}@example.com`)))
      store.clock.at += 60_000
      const { promise: opens, resolve: open } = Promise.withResolvers<void>()
      arize.gate = { calls: new Set(['find', 'create']), opens }
      const running = reconciler.alarm()
      const until = async (isReached: () => boolean): Promise<void> => {
        for (let turn = 0; turn < 1_000 && !isReached(); turn += 1) await Promise.resolve()
      }
      await until(() => arize.calls.filter((call) => call === 'find').length === 4)
      change(ada, { active: false })
      reconciler.nudge()
      await until(() => arize.calls.includes('revoke'))
      expect(arize.memberships()).toEqual([])
      open()
      await running
      expect(arize.memberships()).toHaveLength(12)
    }))

  it('a leaver does not wait until every list of names has been read again', () =>
    openWorld(async ({ arize, policy, group, join, change, reconciler, store }) => {
      for (let i = 0; i < 30; i += 1) arize.addOrganization(`O${i}`, ['S'])
      policy({ mappings: [
        { id: 'm', group: 'Engineers', grants: Array.from({ length: 30 }, (_, i) => ({ organization: `O${i}`, space: 'S', role: 'MEMBER' })) },
        { id: 'late', group: 'Engineers', grants: [{ organization: 'Later', role: 'MEMBER' }] },
      ] })
      group('Engineers', [join(ADA)])
      const bob = join('bob@example.com')
      group('Engineers2', [bob])
      await reconciler.settle()
      arize.addAccount('bob@example.com')
      store.clock.at += 2 * HOUR
      change(bob, { active: false })
      arize.calls.length = 0
      await reconciler.alarm()
      expect(arize.calls.indexOf('revoke')).toBeLessThan(5)
    }))
})
