import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { judgeLeavers, judgeMovers, judgeRenamedGroup, splitByBrake } from '../../src/reconcile/brake'
import { slotKey } from '../../src/reconcile/ledger'
import { changeKey, heldKeys, keysOf, plan, removals } from '../../src/reconcile/plan'
import { ADMIN, anyRoles, custom, heldIn, input, MEMBER, modelOf, organization, project, READ_ONLY, row, rowsOf, run, space, want, wanted } from './model'

const MOVERS = { maxRemovalsPerHour: 10, maxRemovalsPercent: 10 }
const LEAVERS = { maxLeaversPerHour: 50, maxLeaversPercent: 20 }

describe('the brake, with its default limits', () => {
  it.each([
    // due, past hour, people with roles, trips
    [0, 0, 0, false],
    [1, 0, 1, false],
    [10, 0, 1000, false],
    [11, 0, 1000, true],
    [1, 9, 1000, false],
    [1, 10, 1000, true],
    [10, 1, 1000, true],
    [5, 0, 5, false],
    [6, 0, 6, true],
    [5, 0, 10, false],
    [6, 0, 60, false],
    [6, 0, 59, true],
    [3, 3, 59, true],
    [3, 3, 60, false],
    [7, 0, 70, false],
    [7, 0, 69, true],
    [6, 0, 0, true],
    [0, 500, 10, false],
  ])('movers: %i due, %i in the past hour, %i with roles: %s', (due, pastHour, peopleWithRoles, trips) => {
    expect(judgeMovers({ due, pastHour, peopleWithRoles, limits: MOVERS }).trips).toBe(trips)
  })

  it.each([
    [50, 0, 1000, false],
    [51, 0, 1000, true],
    [20, 31, 1000, true],
    [5, 0, 5, false],
    [6, 0, 30, false],
    [6, 0, 29, true],
    [20, 0, 100, false],
    [21, 0, 100, true],
    [0, 51, 10, false],
  ])('leavers: %i due, %i in the past hour, %i with roles: %s', (due, pastHour, peopleWithRoles, trips) => {
    expect(judgeLeavers({ due, pastHour, peopleWithRoles, limits: LEAVERS }).trips).toBe(trips)
  })

  it.each([
    [{ maxRemovalsPerHour: 0, maxRemovalsPercent: 100 }, 1, true],
    [{ maxRemovalsPerHour: 1000, maxRemovalsPercent: 0 }, 5, false],
    [{ maxRemovalsPerHour: 1000, maxRemovalsPercent: 0 }, 6, true],
    [{ maxRemovalsPerHour: 1000, maxRemovalsPercent: 100 }, 100, false],
    [{ maxRemovalsPerHour: 1000, maxRemovalsPercent: 12.5 }, 12, false],
    [{ maxRemovalsPerHour: 1000, maxRemovalsPercent: 12.5 }, 13, true],
  ])('movers with %o: %i of 100: %s', (limits, due, trips) => {
    expect(judgeMovers({ due, pastHour: 0, peopleWithRoles: 100, limits }).trips).toBe(trips)
  })

  it('says the numbers, the limit and what to do', () => {
    const rest = 'Nothing is taken away until an administrator approves or refuses it; what is given goes on.'
    expect(judgeMovers({ due: 9, pastHour: 3, peopleWithRoles: 500, limits: MOVERS })).toEqual({
      trips: true,
      sentence: `12 people would lose a role or get a lower one, 3 of them changed or held in the past hour: more than the 10 an hour that brake.maxRemovalsPerHour allows. ${rest}`,
    })
    expect(judgeLeavers({ due: 6, pastHour: 0, peopleWithRoles: 20, limits: LEAVERS })).toEqual({
      trips: true,
      sentence: `6 people would lose every role because they left: more than the 20 percent of 20 people with roles that brake.maxLeaversPercent allows. ${rest}`,
    })
    expect(judgeRenamedGroup({ due: 1 })).toEqual({
      trips: true,
      sentence: `1 person would lose a role or get a lower one because a group was renamed: map its new name, or approve it. ${rest}`,
    })
  })

  it('a renamed group from which nobody loses anything is nothing', () => {
    expect(judgeRenamedGroup({ due: 0 })).toEqual({ trips: false })
  })

  const burst = fc.record({ due: fc.nat(200), pastHour: fc.nat(200), peopleWithRoles: fc.nat(2000) })
  const limits = fc.record({ maxRemovalsPerHour: fc.nat(100), maxRemovalsPercent: fc.nat(100) })
  it('never trips within both limits, and always above the one per hour', () => {
    fc.assert(fc.property(burst, limits, (given, allowed) => {
      const affected = given.due + given.pastHour
      const { trips } = judgeMovers({ ...given, limits: allowed })
      const isWithinShare = affected <= Math.max(5, (allowed.maxRemovalsPercent * given.peopleWithRoles) / 100)
      expect(trips).toBe(given.due > 0 && !(affected <= allowed.maxRemovalsPerHour && isWithinShare))
    }))
  })
  it('one more person never releases a burst', () => {
    fc.assert(fc.property(burst, limits, (given, allowed) => {
      const before = judgeMovers({ ...given, limits: allowed }).trips
      const after = judgeMovers({ ...given, due: given.due + 1, limits: allowed }).trips
      expect(before && !after).toBe(false)
    }))
  })
})

const sentence = 'Twelve people would lose a role.'
const o1 = organization('o1')
const a = space('a', 'o1')
const b = space('b', 'o1')
const REVIEWER = custom('Reviewer')
const split = (made: ReturnType<typeof plan>, approved: readonly string[]) => {
  const { changes, withheld } = splitByBrake(made, { cleared: false, approved: new Set(approved), sentence })
  return { made: changes.map(changeKey), held: withheld.filter(({ reason }) => reason === 'brake').map(({ key }) => key) }
}

describe('a plan under the brake', () => {
  const mover = plan(input({
    desired: [want(organization('o2'), MEMBER), want(space('c', 'o3'), ADMIN), want(organization('o3'), READ_ONLY)],
    ledger: [row(o1, MEMBER), row(a, MEMBER), row(b, REVIEWER), row(organization('o3'), ADMIN), row(project('p', 'o3'), REVIEWER)],
  }))
  const all = [
    'update organization:o3 READ_ONLY', 'delete project:p', 'delete space:b', 'delete organization:o1', 'delete space:a',
  ]
  it('goes on as it is when it is cleared', () => {
    expect(splitByBrake(mover, { cleared: true, approved: new Set(), sentence })).toBe(mover)
  })
  it('gives, and takes nothing', () => {
    expect(split(mover, [])).toEqual({
      made: ['create organization:o2 MEMBER', 'create space:c ADMIN'],
      held: ['update organization:o3 READ_ONLY', 'delete project:p', 'delete space:b', 'delete organization:o1'],
    })
  })
  it('says why, and what an approval has to name', () => {
    const held = splitByBrake(mover, { cleared: false, approved: new Set(), sentence })
    expect(held.withheld[3]?.sentence).toBe(
      `Not done: remove MEMBER on organization "The o1", and with it space "The a". ${sentence}`)
    expect(heldKeys(held)).toEqual(all)
    expect(removals(held)).toEqual([])
  })
  it('makes everything once everything is approved', () => {
    expect(split(mover, all)).toEqual({ made: mover.changes.map(changeKey), held: [] })
  })
  it.each([
    ['a project alone', ['delete project:p'], ['delete project:p']],
    ['a space alone', ['delete space:b'], ['delete space:b']],
    ['an organization without the space that goes with it', ['delete organization:o1', 'delete space:b'], ['delete space:b']],
    ['an organization without a space beneath it', ['delete organization:o1', 'delete space:a'], []],
    ['a lowering to another role', ['update organization:o3 MEMBER'], []],
    ['something else', ['delete organization:o9', 'delete space:', '', '__proto__'], []],
  ])('with an approval of %s', (_, approved, made) => {
    expect(split(mover, approved).made).toEqual(['create organization:o2 MEMBER', 'create space:c ADMIN', ...made])
  })
  it('keeps what the plan declined itself', () => {
    const declined = plan(input({ ledger: [row(o1, ADMIN), row(a, MEMBER)], isLastAdmin: () => true }))
    const held = splitByBrake(declined, { cleared: false, approved: new Set(), sentence })
    expect(held.withheld.map(({ reason, key }) => [reason, key])).toEqual([
      ['last_admin', 'delete organization:o1'], ['brake', 'delete space:a'],
    ])
    expect(heldKeys(held)).toEqual(['delete organization:o1', 'delete space:a'])
  })

  it('loses nothing until it is approved, and ends as desired afterwards', () => {
    fc.assert(fc.property(anyRoles, anyRoles, (world, desired) => {
      const model = modelOf(world, () => true)
      const made = plan(input({ desired: wanted(desired), ledger: rowsOf(model) }))
      const held = splitByBrake(made, { cleared: false, approved: new Set(), sentence })
      run(model, held.changes)
      for (const { change } of held.withheld) {
        for (const { id, kind } of [change.resource, ...(change.op === 'delete' ? change.cascades : [])]) {
          expect(model.world.get(slotKey({ id, kind }))).toEqual(world.get(slotKey({ id, kind })))
        }
      }
      const again = plan(input({ desired: wanted(desired), ledger: rowsOf(model) }))
      const released = splitByBrake(again, { cleared: false, approved: new Set(heldKeys(held)), sentence })
      expect(released.withheld).toEqual([])
      run(model, released.changes)
      expect(heldIn(model.world)).toEqual(heldIn(desired))
    }), { numRuns: 400 })
  })

  it('releases what is approved and nothing else, in the order of the plan', () => {
    fc.assert(fc.property(anyRoles, anyRoles, fc.infiniteStream(fc.boolean()), (world, desired, coins) => {
      const made = plan(input({ desired: wanted(desired), ledger: rowsOf(modelOf(world, () => true)) }))
      const approved = new Set(removals(made).flatMap(keysOf).filter(() => coins.next().value))
      const { changes, withheld } = splitByBrake(made, { cleared: false, approved, sentence })
      expect(made.changes.filter((change) => changes.includes(change))).toEqual(changes)
      expect(changes.length + withheld.length).toBe(made.changes.length)
      for (const change of changes) {
        if (change.lowers) expect(keysOf(change).every((key) => approved.has(key))).toBe(true)
      }
      for (const { change } of withheld) {
        const isBlocked = withheld.some(({ change: other }) =>
          other !== change && other.op === 'delete' && change.resource.kind === 'organization' && other.resource.organizationId === change.resource.id)
        expect(isBlocked || !keysOf(change).every((key) => approved.has(key))).toBe(true)
      }
    }), { numRuns: 400 })
  })
})
