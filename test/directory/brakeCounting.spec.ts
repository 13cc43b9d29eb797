import { describe, expect, it } from 'vitest'
import { approveHold, listHolds, refuseHold } from '../../src/directory/holds'
import { changeRules } from '../../src/directory/meta'
import { markMembers } from '../../src/directory/subjects'
import { dropMember, groupSeq } from './memberRows'
import { openWorld, type World } from './world'

const HOUR = 3_600_000
const ML = { id: 'ml', group: 'Engineers', grants: [{ organization: 'ML', role: 'MEMBER' }] }
const people = (count: number): string[] => Array.from({ length: count }, (_, index) => `p${String(index).padStart(2, '0')}@example.com`)
const staff = async (world: World, count: number, more: readonly unknown[] = []) => {
  world.arize.addOrganization('ML')
  world.policy({ mappings: [ML, ...more] })
  const ids = people(count).map((address) => world.join(address))
  const group = world.group('Engineers', ids)
  await world.reconciler.settle()
  expect(world.arize.memberships()).toHaveLength(count)
  return { ids, group }
}
const open = ({ store }: World) => listHolds(store).filter(({ state }) => state === 'open')

describe('the brake counts', () => {
  it('holds again when the exemptions of a refused hold end', () =>
    openWorld(async (world) => {
      const { ids, group } = await staff(world, 12)
      for (const id of ids) world.removeMember(group, id)
      await world.reconciler.settle()
      refuseHold(world.store, open(world)[0]?.id ?? '', world.store.clock.at + 90 * 60_000, 'admin', 'a mistake')
      await world.reconciler.settle()
      for (let turn = 0; turn < 6; turn += 1) {
        world.store.clock.at += HOUR
        await world.reconciler.alarm()
      }
      expect(world.arize.memberships()).toHaveLength(12)
      expect(open(world)).toHaveLength(1)
    }))

  it('counts the whole burst although the names of one person cannot be read', () =>
    openWorld(async (world) => {
      const first = world.join('aaa@example.com')
      world.arize.addOrganization('Ops', ['S'])
      const { ids, group } = await staff(world, 12)
      world.policy({ mappings: [ML, { id: 'space', group: 'Spacers', grants: [{ organization: 'Ops', space: 'S', role: 'MEMBER' }] }] })
      await world.reconciler.settle()
      world.store.sql.run(`INSERT INTO ledger (address, slot, kind, resource_id, resource_name, organization_id, role, because) VALUES ('aaa@example.com', 'organization:x', 'organization', 'x', 'X', 'x', 'MEMBER', '[]')`)
      world.arize.fault = (call) => (call === 'spaces' || call === 'organizations' ? { kind: 'unavailable', status: 500, detail: 'broken' } : null)
      world.group('Spacers', [first])
      for (const id of ids) world.removeMember(group, id)
      world.store.clock.at += 60_000
      for (let turn = 0; turn < 5; turn += 1) await world.reconciler.alarm()
      expect(world.arize.memberships()).toHaveLength(12)
    }))

  it('holds what a renamed group takes although something of the person was unresolved at first', () =>
    openWorld(async (world) => {
      const { ids, group } = await staff(world, 1, [{ id: 'late', group: 'Later', grants: [{ organization: 'Later', role: 'MEMBER' }] }])
      world.group('Later', ids)
      await world.reconciler.settle()
      world.renameGroup(group, 'Engineers (old)')
      await world.reconciler.settle()
      expect(world.arize.memberships()).toHaveLength(1)
      world.arize.addOrganization('Later')
      await world.reconciler.settle()
      expect(world.arize.memberships()).toEqual(['p00@example.com Later MEMBER', 'p00@example.com ML MEMBER'])
    }))

  it('refuses an approval of what the administrator saw once more has come', () =>
    openWorld(async (world) => {
      world.arize.addOrganization('Ops')
      const more = { id: 'ops', group: 'Ops', grants: [{ organization: 'Ops', role: 'MEMBER' }] }
      const { ids, group } = await staff(world, 12, [more])
      const others = people(40).slice(12).map((address) => world.join(address))
      const ops = world.group('Ops', others)
      await world.reconciler.settle()
      for (const id of ids) world.removeMember(group, id)
      await world.reconciler.settle()
      const [seen] = open(world)
      expect(seen?.peopleCount).toBe(12)
      for (const id of others) world.removeMember(ops, id)
      await world.reconciler.settle()
      expect(approveHold(world.store, seen?.id ?? '', 'admin', 'the twelve I saw', seen?.revision ?? null)).toMatchObject({ ok: false, error: { status: 409 } })
      const [now] = open(world)
      expect(now?.peopleCount).toBe(40)
      expect(approveHold(world.store, now?.id ?? '', 'admin', 'all forty', now?.revision ?? null)).toMatchObject({ ok: true })
      await world.reconciler.settle()
      expect(world.arize.memberships()).toEqual([])
    }))

  it('a last-ADMIN hold does not hold other removals of the person', () =>
    openWorld(async (world) => {
      const { arize, reconciler } = world
      arize.addOrganization('ML')
      arize.addOrganization('Ops')
      world.policy({ mappings: [
        { id: 'admins', group: 'Admins', grants: [{ organization: 'ML', role: 'ADMIN' }] },
        { id: 'ops', group: 'Ops', grants: [{ organization: 'Ops', role: 'MEMBER' }] },
      ] })
      const ada = world.join('ada@example.com')
      const admins = world.group('Admins', [ada])
      const ops = world.group('Ops', [ada])
      await reconciler.settle()
      world.removeMember(admins, ada)
      await reconciler.settle()
      world.removeMember(ops, ada)
      await reconciler.settle()
      expect(arize.memberships()).toEqual(['ada@example.com ML ADMIN'])
    }))

  it('an old hold does not hold an ordinary mover in the night', () =>
    openWorld(async (world) => {
      world.arize.addOrganization('Ops')
      const { ids, group } = await staff(world, 60, [{ id: 'ops', group: 'Ops', grants: [{ organization: 'Ops', role: 'MEMBER' }] }])
      for (const id of ids.slice(48)) world.removeMember(group, id)
      await world.reconciler.settle()
      world.store.clock.at += 25 * HOUR
      world.removeMember(group, ids[4] ?? '')
      world.store.clock.at += 3_000
      changeRules(world.store)
      for (let turn = 0; turn < 6; turn += 1) await world.reconciler.alarm()
      expect(world.arize.memberships().filter((line) => line.startsWith('p04'))).toEqual([])
    }))

  it('a sweep does not shorten the 15 s of an emptied group', () =>
    openWorld(async (world) => {
      const { ids, group } = await staff(world, 3)
      markMembers(world.store, groupSeq(world.store, group), 'emptied')
      for (const id of ids) dropMember(world.store, group, id)
      world.policy({ mappings: [ML] })
      await world.reconciler.alarm()
      for (const id of ids) world.addMember(group, id)
      expect(world.arize.calls.filter((call) => call === 'take organization')).toEqual([])
      expect(world.arize.memberships()).toHaveLength(3)
    }))
})
