import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isLowering, roleKey } from '../../src/policy/role'
import { slotKey } from '../../src/reconcile/ledger'
import { keysOf, plan, type Desired, type Membership, type PlanInput } from '../../src/reconcile/plan'
import type { Resource } from '../../src/reconcile/target'
import { anyRoles, heldIn, input, modelOf, organization, rowsOf, run, UNIVERSE, wanted, type Model, type Roles } from './model'

const RUNS = { numRuns: 400 }
const anySlots: fc.Arbitrary<readonly string[]> = fc.uniqueArray(fc.constantFrom(...UNIVERSE.map(slotKey)))
const anyOrganizations: fc.Arbitrary<readonly string[]> = fc.uniqueArray(fc.constantFrom('o1', 'o2', 'o3'))

/** Plans for the model as it is now, and applies all of it or the first steps. */
const go = (model: Model, parts: Partial<PlanInput>, steps?: number) => {
  const made = plan(input({ ...parts, ledger: rowsOf(model) }))
  run(model, made.changes, steps)
  return made
}

const roster = ({ world }: Model): readonly Membership[] => [...world.values()]

const isInside = ({ kind, organizationId }: Resource, parent: Resource): boolean =>
  kind !== 'organization' && organizationId === parent.id

/** What the rules of design 10.2 to 10.4 leave to a mover whose roster is known, said slot by slot. */
const expectedEnd = (before: Roles, owned: ReadonlySet<string>, desired: Roles, lastAdminOf: readonly string[]): Roles => {
  const end = new Map<string, Membership>()
  for (const target of UNIVERSE) {
    const key = slotKey(target)
    const held = before.get(key)
    const asked = desired.get(key)
    const guards = held !== undefined && target.kind === 'organization' && lastAdminOf.includes(target.id) && roleKey(held.role) === 'ADMIN'
    if (asked !== undefined) {
      const lowers = held !== undefined && isLowering(held.role, asked.role)
      end.set(key, held !== undefined && lowers && (guards || !owned.has(key)) ? held : asked)
      continue
    }
    const hasForeign = [...before].some(([other, { resource }]) => !owned.has(other) && isInside(resource, target))
    const stays = !owned.has(key) || (target.kind === 'organization' && (hasForeign || guards))
    if (held !== undefined && stays) end.set(key, held)
  }
  return end
}

const situation = fc.record({
  world: anyRoles, desired: anyRoles, foreign: anySlots, lastAdminOf: anyOrganizations, clearsBindings: fc.boolean(),
})

const start = ({ world, foreign, clearsBindings }: { world: Roles; foreign: readonly string[]; clearsBindings: boolean }) => {
  const owned = new Set([...world.keys()].filter((key) => !foreign.includes(key)))
  return { owned, model: modelOf(world, (key) => owned.has(key), clearsBindings) }
}

describe('plans, applied', () => {
  it('end in what is desired and what is declined, and need nothing the second time', () => {
    fc.assert(fc.property(situation, (given) => {
      const { owned, model } = start(given)
      const isLastAdmin = (id: string): boolean => given.lastAdminOf.includes(id)
      const parts = { desired: wanted(given.desired), isLastAdmin }
      go(model, { ...parts, observed: roster(model) })
      expect(heldIn(model.world)).toEqual(heldIn(expectedEnd(given.world, owned, given.desired, given.lastAdminOf)))
      expect(rowsOf(model).every(({ intention }) => intention === null)).toBe(true)
      expect(go(model, { ...parts, observed: roster(model) }).changes).toEqual([])
    }), RUNS)
  })

  it('make one call for each slot that differs, but for those that go with their organization', () => {
    fc.assert(fc.property(anyRoles, anyRoles, (world, desired) => {
      const model = modelOf(world, () => true)
      const { changes } = go(model, { desired: wanted(desired) })
      const differs = UNIVERSE.map(slotKey).filter((key) => heldIn(world)[key] !== heldIn(desired)[key])
      const goesAlong = [...world.values()].filter(({ resource, role }) =>
        resource.kind === 'space' && role.type === 'PREDEFINED' && !desired.has(slotKey(organization(resource.organizationId))))
      expect(changes.length).toBe(differs.length - goesAlong.length)
    }), RUNS)
  })

  it('remove only what the ledger owns, and touch no slot twice', () => {
    fc.assert(fc.property(situation, fc.boolean(), fc.boolean(), (given, leaver, hasRoster) => {
      const { owned, model } = start(given)
      const observed = hasRoster ? roster(model) : null
      const { changes } = plan(input({ desired: wanted(given.desired), ledger: rowsOf(model), observed, leaver }))
      const removed = changes.flatMap((change) => (change.op === 'delete' ? keysOf(change) : []))
      expect(removed.filter((key) => !owned.has(key.slice('delete '.length)))).toEqual([])
      const touched = [...changes.flatMap((change) => (change.op === 'delete' ? [] : [`delete ${slotKey(change.resource)}`])), ...removed]
      expect(new Set(touched).size).toBe(touched.length)
    }), RUNS)
  })

  it('leave every foreign role of a mover as high as it was', () => {
    fc.assert(fc.property(situation, (given) => {
      const { owned, model } = start(given)
      go(model, { desired: wanted(given.desired), observed: roster(model) })
      for (const [key, { role }] of given.world) {
        if (owned.has(key)) continue
        const now = model.world.get(key)
        expect(now === undefined || isLowering(role, now.role)).toBe(false)
      }
    }), RUNS)
  })
})

describe('crashes', () => {
  const history = fc.array(fc.record({ desired: anyRoles, steps: fc.nat(40), leaver: fc.constantFrom(false, false, true) }), { maxLength: 4 })

  it('anywhere, with any change of mind in between, end where an undisturbed run does', () => {
    fc.assert(fc.property(anyRoles, history, anyRoles, fc.boolean(), (world, crashes, desired, clearsBindings) => {
      const model = modelOf(world, () => true, clearsBindings)
      for (const { desired: once, steps, leaver } of crashes) go(model, { desired: wanted(once), leaver }, steps)
      go(model, { desired: wanted(desired) })
      expect(heldIn(model.world)).toEqual(heldIn(desired))
      expect(model.ledger.size).toBe(desired.size)
      expect(go(model, { desired: wanted(desired) }).changes).toEqual([])
    }), { numRuns: 1000 })
  })

  it('of one plan after each single step converge', () => {
    fc.assert(fc.property(anyRoles, anyRoles, (world, desired) => {
      const parts = { desired: wanted(desired) }
      const steps = plan(input({ ...parts, ledger: rowsOf(modelOf(world, () => true)) })).changes.length * 3
      for (let crash = 0; crash <= steps; crash += 1) {
        const model = modelOf(world, () => true)
        go(model, parts, crash)
        go(model, parts)
        expect(heldIn(model.world)).toEqual(heldIn(desired))
      }
    }), { numRuns: 60 })
  })

  it('leave no orphan of a leaver', () => {
    fc.assert(fc.property(anyRoles, history, (world, crashes) => {
      const model = modelOf(world, () => true)
      for (const { desired, steps, leaver } of crashes) go(model, { desired: wanted(desired), leaver }, steps)
      go(model, { leaver: true })
      expect(heldIn(model.world)).toEqual({})
      expect(model.ledger.size).toBe(0)
    }), RUNS)
  })
})

const anyGuards = fc.record({
  keepRows: fc.option(fc.constant({ sentence: 'A list failed.' }), { nil: null }),
  exempt: fc.option(fc.constant({ until: '2030-01-01', reason: 'on call' }), { nil: null }),
  renamedTo: fc.option(fc.constant('new@example.com'), { nil: null }),
})

describe('a leaver', () => {
  it('keeps nothing that the bridge gave, whatever guards a mover', () => {
    fc.assert(fc.property(situation, anyGuards, fc.boolean(), (given, guards, hasRoster) => {
      const { owned, model } = start(given)
      const observed = hasRoster ? roster(model) : null
      const { withheld } = go(model, { ...guards, desired: wanted(given.desired), observed, leaver: true, isLastAdmin: () => true })
      expect(withheld).toEqual([])
      expect(model.ledger.size).toBe(0)
      expect([...model.world.keys()].filter((key) => owned.has(key))).toEqual([])
    }), RUNS)
  })

  it('who is protected keeps everything', () => {
    fc.assert(fc.property(anyRoles, (world) => {
      const model = modelOf(world, () => true)
      go(model, { leaver: true, protectedPerson: true })
      expect(heldIn(model.world)).toEqual(heldIn(world))
    }), RUNS)
  })
})

const raisedOnly = (world: Roles, desired: readonly Desired[]): Roles => {
  const end = new Map(world)
  for (const { resource, role } of desired) {
    const held = world.get(slotKey(resource))
    if (held === undefined || !isLowering(held.role, role)) end.set(slotKey(resource), { resource, role })
  }
  return end
}

describe('a guard', () => {
  const guards: readonly (readonly [string, Partial<PlanInput>])[] = [
    ['keepRows', { keepRows: { sentence: 'No policy is valid.' } }],
    ['exempt', { exempt: { until: '2030-01-01', reason: 'on call' } }],
    ['protected', { protectedPerson: true }],
    ['renamed', { renamedTo: 'new@example.com' }],
  ]
  for (const [name, guard] of guards) {
    it(`${name}: nothing is lost, and everything that raises is given`, () => {
      fc.assert(fc.property(anyRoles, anyRoles, (world, desired) => {
        const model = modelOf(world, () => true)
        go(model, { ...guard, desired: wanted(desired) })
        expect(heldIn(model.world)).toEqual(heldIn(raisedOnly(world, wanted(desired))))
      }), RUNS)
    })
  }

  it('own user: no call at all, and each slot that differs is accounted for', () => {
    fc.assert(fc.property(anyRoles, anyRoles, (world, desired) => {
      const ledger = rowsOf(modelOf(world, () => true))
      const { changes, withheld } = plan(input({ desired: wanted(desired), ledger, ownUser: true }))
      expect(changes).toEqual([])
      const told = withheld.flatMap(({ change }) => [change.resource, ...(change.op === 'delete' ? change.cascades : [])]).map(slotKey)
      const differs = UNIVERSE.map(slotKey).filter((key) => heldIn(world)[key] !== heldIn(desired)[key])
      expect(told.toSorted()).toEqual(differs.toSorted())
    }), RUNS)
  })
})
