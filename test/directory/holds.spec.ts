import { describe, expect, it } from 'vitest'
import { approveHold, listHolds, refuseHold } from '../../src/directory/holds'
import type { World } from './world'
import { openWorld } from './world'

const GRANTS = [{ organization: 'ML', role: 'MEMBER' }]
const POLICY = { mappings: [{ id: 'ml', group: 'Engineers', grants: GRANTS }] }

const people = (count: number): string[] => Array.from({ length: count }, (_, index) => `p${String(index).padStart(2, '0')}@example.com`)

/** So many people in one group with one role each, in step. */
const staff = async (world: World, count: number, policy: Readonly<Record<string, unknown>> = {}): Promise<{ ids: string[]; group: string }> => {
  world.arize.addOrganization('ML')
  world.policy({ ...POLICY, ...policy })
  const ids = people(count).map((address) => world.join(address))
  const group = world.group('Engineers', ids)
  await world.reconciler.settle()
  expect(world.arize.memberships()).toHaveLength(count)
  return { ids, group }
}

const openHold = ({ store }: World) => {
  const [hold, ...others] = listHolds(store).filter(({ state }) => state === 'open')
  expect(others).toEqual([])
  if (hold === undefined) throw new Error('nothing is held')
  return hold
}

describe('the brake', () => {
  it('lets five people go whatever the percentage', () =>
    openWorld(async (world) => {
      const { ids, group } = await staff(world, 6)
      for (const id of ids.slice(0, 5)) world.removeMember(group, id)
      expect(await world.reconciler.settle()).toEqual({ due: 0, held: 0, stuck: 0 })
      expect(world.arize.memberships()).toHaveLength(1)
    }))

  it('holds the whole burst of an emptied group, and lets additions go on', () =>
    openWorld(async (world) => {
      const { ids, group } = await staff(world, 12)
      for (const id of ids) world.removeMember(group, id)
      const newcomer = world.join('new@example.com')
      world.addMember(group, newcomer)
      expect(await world.reconciler.settle()).toEqual({ due: 0, held: 12, stuck: 0 })
      expect(world.arize.memberships()).toHaveLength(13)
      expect(openHold(world)).toMatchObject({ kind: 'movers', peopleCount: 12 })
      world.store.clock.at += 30 * 24 * 3_600_000
      for (let turn = 0; turn < 5; turn += 1) await world.reconciler.alarm()
      expect(world.arize.memberships()).toHaveLength(13)
    }))

  it('counts a burst that comes one by one', () =>
    openWorld(async (world) => {
      const { ids, group } = await staff(world, 30)
      for (const id of ids) {
        world.removeMember(group, id)
        await world.reconciler.settle()
      }
      // 10 percent of 30 is 3, but five people may always go.
      expect(world.arize.memberships()).toHaveLength(25)
      expect(openHold(world).peopleCount).toBe(25)
    }))

  it('is released by approval of exactly what was listed', () =>
    openWorld(async (world) => {
      const { ids, group } = await staff(world, 12)
      for (const id of ids) world.removeMember(group, id)
      await world.reconciler.settle()
      const hold = openHold(world)
      world.addMember(group, ids[0] ?? '')
      expect(approveHold(world.store, hold.id, 'admin', 'reorganisation')).toMatchObject({ ok: true })
      expect(await world.reconciler.settle()).toEqual({ due: 0, held: 0, stuck: 0 })
      expect(world.arize.memberships()).toEqual(['p00@example.com ML MEMBER'])
      expect(approveHold(world.store, hold.id, 'admin', 'again')).toMatchObject({ ok: false, error: { status: 409 } })
    }))

  it('is ended by the directory when the group is filled again', () =>
    openWorld(async (world) => {
      const { ids, group } = await staff(world, 12)
      for (const id of ids) world.removeMember(group, id)
      await world.reconciler.settle()
      const { id: hold } = openHold(world)
      for (const id of ids) world.addMember(group, id)
      expect(await world.reconciler.settle()).toEqual({ due: 0, held: 0, stuck: 0 })
      expect(listHolds(world.store).find(({ id }) => id === hold)?.state).toBe('ended')
      expect(world.journal('brake.ended')).toHaveLength(1)
    }))

  it('is refused into an exemption that ends on its date', () =>
    openWorld(async (world) => {
      const { ids, group } = await staff(world, 12)
      for (const id of ids) world.removeMember(group, id)
      await world.reconciler.settle()
      const until = world.store.clock.at + 24 * 3_600_000
      expect(refuseHold(world.store, openHold(world).id, until, 'admin', 'a mistake')).toMatchObject({ ok: true })
      expect(await world.reconciler.settle()).toEqual({ due: 0, held: 12, stuck: 0 })
      expect(world.arize.memberships()).toHaveLength(12)
      expect(listHolds(world.store).filter(({ state }) => state === 'open')).toEqual([])
    }))

  it('has limits of its own for leavers, which a mass deactivation trips', () =>
    openWorld(async (world) => {
      const { ids } = await staff(world, 60, { brake: { maxLeaversPerHour: 50, maxLeaversPercent: 100 } })
      for (const id of ids.slice(0, 51)) world.change(id, { active: false })
      expect(await world.reconciler.settle()).toEqual({ due: 0, held: 51, stuck: 0 })
      expect(world.arize.memberships()).toHaveLength(60)
      const hold = openHold(world)
      expect(hold.kind).toBe('leavers')
      expect(refuseHold(world.store, hold.id, world.store.clock.at + 1000, 'admin', 'no')).toMatchObject({ ok: false, error: { status: 422 } })
      expect(approveHold(world.store, hold.id, 'admin', 'layoff')).toMatchObject({ ok: true })
      await world.reconciler.settle()
      expect(world.arize.memberships()).toHaveLength(9)
    }))

  it('does not hold a leaver back behind held movers', () =>
    openWorld(async (world) => {
      const { ids, group } = await staff(world, 12)
      for (const id of ids) world.removeMember(group, id)
      await world.reconciler.settle()
      world.change(ids[3] ?? '', { active: false })
      await world.reconciler.settle()
      expect(world.arize.memberships()).toHaveLength(11)
    }))

  it('holds what a renamed group would take, whatever the number', () =>
    openWorld(async (world) => {
      const { ids, group } = await staff(world, 1)
      expect(ids).toHaveLength(1)
      world.renameGroup(group, 'Engineers (old)')
      expect(await world.reconciler.settle()).toEqual({ due: 0, held: 1, stuck: 0 })
      expect(openHold(world).kind).toBe('rename')
      world.renameGroup(group, 'Engineers')
      expect(await world.reconciler.settle()).toEqual({ due: 0, held: 0, stuck: 0 })
    }))

  it('keeps the last known ADMIN of an organization until somebody says so', () =>
    openWorld(async (world) => {
      const { arize, store, reconciler } = world
      arize.addOrganization('ML')
      world.policy({
        mappings: [
          { id: 'admins', group: 'Admins', grants: [{ organization: 'ML', role: 'ADMIN' }] },
          { id: 'readers', group: 'Readers', grants: [{ organization: 'ML', role: 'READ_ONLY' }] },
        ],
      })
      const ada = world.join('ada@example.com')
      const admins = world.group('Admins', [ada])
      world.group('Readers', [ada])
      await reconciler.settle()
      world.removeMember(admins, ada)
      expect(await reconciler.settle()).toEqual({ due: 0, held: 1, stuck: 0 })
      expect(arize.memberships()).toEqual(['ada@example.com ML ADMIN'])
      const hold = openHold(world)
      expect(hold.kind).toBe('last_admin')
      approveHold(store, hold.id, 'admin', 'the account administrators stay')
      expect(await reconciler.settle()).toEqual({ due: 0, held: 0, stuck: 0 })
      expect(arize.memberships()).toEqual(['ada@example.com ML READ_ONLY'])
    }))

  it('takes nothing from protected people and says so when one leaves', () =>
    openWorld(async (world) => {
      const { ids } = await staff(world, 1, { protected: ['P00@example.com'] })
      world.arize.keys.set('p00@example.com', ['key'])
      world.change(ids[0] ?? '', { active: false })
      expect(await world.reconciler.settle()).toEqual({ due: 0, held: 1, stuck: 0 })
      expect(world.arize.memberships()).toHaveLength(1)
      expect(world.arize.keys.get('p00@example.com')).toEqual(['key'])
      expect(world.journal('subject.alert')).toHaveLength(1)
    }))
})
