import { describe, expect, it } from 'vitest'
import { openWorld } from './world'

const ML = { id: 'ml', group: 'Engineers', grants: [{ organization: 'ML', role: 'MEMBER' }] }
const A = 'ada@example.com'
const B = 'bob@example.com'
const C = 'cleo@example.com'

describe('renames and duplicates', () => {
  it('a second rename before the first is worked off takes nothing before the last address has it', () =>
    openWorld(async ({ arize, policy, group, join, change, reconciler, store }) => {
      arize.addOrganization('ML')
      policy({ mappings: [ML] })
      const ada = join(A)
      group('Engineers', [ada])
      await reconciler.settle()
      arize.blocked.add(C)
      change(ada, { address: B })
      store.clock.at += 1_000
      change(ada, { address: C })
      for (let turn = 0; turn < 10; turn += 1) {
        store.clock.at += 1_000
        await reconciler.alarm()
      }
      expect(arize.memberships()).toEqual([`${A} ML MEMBER`])
    }))

  it('somebody active who waits for a used address is not offboarded when its holder leaves', () =>
    openWorld(async ({ arize, policy, group, join, change, reconciler, subject }) => {
      arize.addOrganization('ML')
      policy({ mappings: [ML] })
      const ada = join(A, { externalId: 'ext-a' })
      const bob = join(B, { externalId: 'ext-b' })
      group('Engineers', [ada, bob])
      await reconciler.settle()
      arize.keys.set(A, ['key-a'])
      change(ada, { address: B }) // held: bob still has it
      await reconciler.settle()
      expect(arize.memberships()).toHaveLength(2)
      change(bob, { active: false })
      await reconciler.settle()
      expect(subject(A).leaver).toBeNull()
      expect(arize.keys.get(A)).toEqual(['key-a'])
      expect(arize.memberships()).toEqual([`${A} ML MEMBER`])
    }))

  it('the former address of somebody active is not offboarded when a held twin of the new one is deactivated', () =>
    openWorld(async ({ arize, policy, group, join, change, reconciler, subject }) => {
      arize.addOrganization('ML')
      policy({ mappings: [ML] })
      const ada = join(A)
      group('Engineers', [ada])
      await reconciler.settle()
      arize.keys.set(A, ['key-a'])
      change(ada, { address: B })
      await reconciler.settle()
      const twin = join(B)
      await reconciler.settle()
      change(twin, { active: false })
      await reconciler.settle()
      expect(subject(A).leaver).toBeNull()
      expect(arize.keys.get(A)).toEqual(['key-a'])
    }))

  it('protected addresses fold as addresses do', () =>
    openWorld(async ({ arize, policy, group, join, change, reconciler }) => {
      arize.addOrganization('ML')
      const eve = '\u00c9ve@example.com' // as foldAddress leaves "ÉVE@example.com"
      policy({ mappings: [ML], protected: ['\u00c9VE@example.com'] })
      const id = join(eve)
      group('Engineers', [id])
      await reconciler.settle()
      change(id, { active: false })
      await reconciler.settle()
      expect(arize.memberships()).toHaveLength(1)
    }))

  it('leave a protected former address as it is, and do not come back to it', () =>
    openWorld(async ({ arize, policy, group, join, change, reconciler, store, wokenAt, subject }) => {
      arize.addOrganization('ML')
      policy({ mappings: [ML], protected: [A] })
      const ada = join(A)
      group('Engineers', [ada])
      await reconciler.settle()
      change(ada, { address: B })
      expect(await reconciler.settle()).toEqual({ due: 0, held: 1, stuck: 0 })
      expect(subject(A).due).toBeNull()
      expect(wokenAt()).toBeGreaterThan(store.clock.at)
    }))
})
