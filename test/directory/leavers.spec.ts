import { describe, expect, it } from 'vitest'
import { approveHold, listHolds } from '../../src/directory/holds'
import { changeRules } from '../../src/directory/meta'
import { openWorld, type World } from './world'

const HOUR = 3_600_000
const ONE = { mappings: [{ id: 'ml', group: 'Engineers', grants: [{ organization: 'ML', role: 'MEMBER' }] }] }
const ADA = 'ada@example.com'
const people = (count: number): string[] => Array.from({ length: count }, (_, index) => `p${String(index).padStart(3, '0')}@example.com`)
const staff = async (world: World, count: number, policy: Readonly<Record<string, unknown>> = {}) => {
  world.arize.addOrganization('ML')
  world.policy({ ...ONE, ...policy })
  const ids = people(count).map((address) => world.join(address))
  const group = world.group('Engineers', ids)
  await world.reconciler.settle()
  expect(world.arize.memberships()).toHaveLength(count)
  return { ids, group }
}

describe('a leaver', () => {
  it('of today goes although many left long ago and a policy change makes everybody due', () =>
    openWorld(async (world) => {
      const { ids } = await staff(world, 120, { brake: { maxLeaversPerHour: 50, maxLeaversPercent: 100 } })
      for (let start = 60; start < 120; start += 20) {
        for (const id of ids.slice(start, start + 20)) world.change(id, { active: false })
        await world.reconciler.settle()
        world.store.clock.at += 2 * HOUR
      }
      expect(world.arize.memberships()).toHaveLength(60)
      world.change(ids[0] ?? '', { active: false })
      world.store.clock.at += 5
      changeRules(world.store)
      for (let turn = 0; turn < 5; turn += 1) await world.reconciler.alarm()
      expect(listHolds(world.store).filter(({ state }) => state === 'open')).toEqual([])
      expect(world.arize.memberships()).toHaveLength(59)
    }))

  it('goes while approved leavers are being worked off', () =>
    openWorld(async (world) => {
      const { ids } = await staff(world, 80, { brake: { maxLeaversPerHour: 50, maxLeaversPercent: 100 } })
      for (const id of ids.slice(0, 51)) world.change(id, { active: false })
      await world.reconciler.settle()
      world.store.clock.at += 2 * HOUR
      const [hold] = listHolds(world.store)
      world.change(ids[60] ?? '', { active: false })
      world.store.clock.at += 5
      approveHold(world.store, hold?.id ?? '', 'admin', 'layoff')
      await world.reconciler.settle()
      expect(world.arize.memberships()).toHaveLength(28)
    }))

  it('goes in the night although an old hold of leavers is still open', () =>
    openWorld(async (world) => {
      const { ids } = await staff(world, 80, { brake: { maxLeaversPerHour: 50, maxLeaversPercent: 100 } })
      for (const id of ids.slice(29)) world.change(id, { active: false })
      await world.reconciler.settle()
      world.store.clock.at += 25 * HOUR
      world.change(ids[0] ?? '', { active: false })
      world.store.clock.at += 5
      changeRules(world.store)
      for (let turn = 0; turn < 5; turn += 1) await world.reconciler.alarm()
      expect(world.arize.memberships().filter((line) => line.startsWith('p000'))).toEqual([])
    }))

  it('is not held by a hold that a mover verdict made while they left', () =>
    openWorld(async (world) => {
      world.arize.addOrganization('Ops')
      const { ids, group } = await staff(world, 12)
      world.policy({ mappings: [...ONE.mappings, { id: 'r', group: 'Others', grants: [{ organization: 'Ops', role: 'MEMBER' }] }] })
      await world.reconciler.settle()
      for (const id of ids) world.removeMember(group, id)
      world.group('Others', [ids[0] ?? ''])
      let isLeft = false
      world.arize.before = (call) => {
        if (call !== 'give organization' || isLeft) return
        isLeft = true
        world.change(ids[0] ?? '', { active: false })
      }
      await world.reconciler.settle()
      expect(isLeft).toBe(true)
      expect(world.subject('p000@example.com')).toMatchObject({ leaver: 'deactivated' })
      expect(world.arize.memberships().filter((line) => line.startsWith('p000'))).toEqual([])
    }))

  it('goes although the stored policy is not valid any more, or at least when it is valid again', () =>
    openWorld(async ({ arize, policy, group, join, change, reconciler, store }) => {
      arize.addOrganization('ML')
      policy(ONE)
      const ada = join(ADA)
      group('Engineers', [ada])
      await reconciler.settle()
      store.sql.run(`INSERT INTO policies (document, created, actor) VALUES ('{"mappings":17}', ?, 'upgrade')`, store.now())
      changeRules(store)
      change(ada, { active: false })
      await reconciler.settle()
      const during = arize.memberships().length
      policy(ONE)
      await reconciler.settle()
      expect({ during, after: arize.memberships() }).toEqual({ during: 0, after: [] })
    }))

  it('keeps the keys while more of them would go in an hour than the brake allows', () =>
    openWorld(async ({ arize, policy, join, change, reconciler, store }) => {
      arize.addOrganization('ML')
      policy({ ...ONE, brake: { maxLeaversPerHour: 50, maxLeaversPercent: 20 } })
      const ids = people(200).map((address) => {
        arize.addAccount(address)
        arize.keys.set(address, ['key'])
        return join(address)
      })
      await reconciler.settle()
      for (const id of ids) change(id, { active: false })
      await reconciler.settle()
      const kept = (): number => [...arize.keys.values()].filter((keys) => keys.length > 0).length
      expect(kept()).toBeGreaterThanOrEqual(150)
      const [hold] = listHolds(store)
      expect(hold).toMatchObject({ kind: 'leavers', state: 'open', peopleCount: kept() })
      expect(hold?.people[0]?.changes).toEqual([{ key: 'revoke keys', what: 'revoke the API keys' }])
      expect(approveHold(store, hold?.id ?? '', 'admin', 'the office closes')).toMatchObject({ ok: true })
      expect(await reconciler.settle()).toEqual({ due: 0, held: 0, stuck: 0 })
      expect(kept()).toBe(0)
    }))
})
