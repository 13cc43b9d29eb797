import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ACCEPTED } from '../../src/directory/pulls'
import type { Refresh } from '../../src/change'
import type { SourceFailure } from '../../src/sources/source'
import { openPullWorld, type PullWorld } from './pullWorld'

/**
 * Whatever happened at the provider, whichever hints of it were lost, came twice or came late, and whenever pulls ran or failed:
 * one last pull of everybody leaves exactly what the provider has.
 */

const IDS = ['p0', 'p1', 'p2', 'p3', 'p4', 'p5']
const GROUPS = ['g0', 'g1', 'g2']
const NAMES = ['ann', 'bob', 'cid', 'dee', 'eve', 'fay', 'gus']

const id = fc.constantFrom(...IDS)
const group = fc.constantFrom(...GROUPS)
const name = fc.constantFrom(...NAMES)

type Fate = 'told' | 'lost' | 'late' | 'twice'

const step = fc.record({
  op: fc.oneof(
    { weight: 4, arbitrary: fc.record({ op: fc.constant('put' as const), id, name, active: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ op: fc.constant('delete' as const), id }) },
    { weight: 2, arbitrary: fc.record({ op: fc.constant('group' as const), group, name }) },
    { weight: 1, arbitrary: fc.record({ op: fc.constant('deleteGroup' as const), group }) },
    { weight: 4, arbitrary: fc.record({ op: fc.constant('member' as const), group, id, isIn: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ op: fc.constant('everything' as const) }) },
    { weight: 1, arbitrary: fc.record({ op: fc.constant('late' as const) }) },
    { weight: 1, arbitrary: fc.record({ op: fc.constant('trouble' as const), kind: fc.constantFrom('throttled', 'unavailable', 'expired', 'unauthorized'), at: fc.constantFrom('everything', 'person', 'group', 'probe', 'changes') }) },
  ),
  fate: fc.constantFrom<Fate>('told', 'told', 'lost', 'late', 'twice'),
  alarms: fc.nat(2),
  passes: fc.constantFrom(0, 0, 1, 1_000, 60_000, 3_600_000),
})

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

const failureOf = (kind: string): SourceFailure =>
  kind === 'throttled' ? { kind, retryAfterMs: 5_000, sentence: 'Patience.' } : { kind: kind as 'unavailable' | 'expired' | 'unauthorized', sentence: 'No.' }

const personHint = (personId: string): Refresh => ({ kind: 'person', who: { id: personId, userName: null } })
const groupHint = (groupId: string): Refresh => ({ kind: 'group', group: { id: groupId, displayName: null } })

/** Makes the change at the provider, where names are unique. Returns what an event would name. */
const change = ({ provider }: PullWorld, { op }: Step): readonly Refresh[] => {
  const { people, groups, changed } = provider
  switch (op.op) {
    case 'put': {
      const userName = `${op.name}@example.com`
      if ([...people].some(([other, member]) => other !== op.id && member.userName === userName)) return []
      people.set(op.id, { userName, active: op.active })
      changed({ kind: 'person', person: { id: op.id, userName, email: userName, displayName: null, givenName: null, familyName: null, active: op.active } })
      return [personHint(op.id)]
    }
    case 'delete':
      if (!people.delete(op.id)) return []
      for (const [groupId, { members }] of groups) if (members.delete(op.id)) changed({ kind: 'membershipGone', groupId, personId: op.id })
      changed({ kind: 'personGone', id: op.id })
      return [personHint(op.id)]
    case 'group': {
      const displayName = `Group ${op.name}`
      if ([...groups].some(([other, { name: taken }]) => other !== op.group && taken === displayName)) return []
      groups.set(op.group, { name: displayName, members: groups.get(op.group)?.members ?? new Set() })
      changed({ kind: 'group', group: { id: op.group, displayName } })
      return [groupHint(op.group)]
    }
    case 'deleteGroup':
      if (!groups.delete(op.group)) return []
      changed({ kind: 'groupGone', id: op.group })
      return [groupHint(op.group)]
    case 'member': {
      const members = groups.get(op.group)?.members
      if (members === undefined || !people.has(op.id)) return []
      if (op.isIn) members.add(op.id)
      else members.delete(op.id)
      changed({ kind: op.isIn ? 'membership' : 'membershipGone', groupId: op.group, personId: op.id })
      return [personHint(op.id), groupHint(op.group)]
    }
    default:
      return []
  }
}

const play = async (world: PullWorld, steps: readonly Step[]): Promise<void> => {
  const late: Refresh[] = []
  for (const each of steps) {
    const { op, fate } = each
    const hints = change(world, each)
    if (op.op === 'everything') world.ask({ kind: 'everything' })
    if (op.op === 'late') for (const hint of late.splice(0).toReversed()) world.ask(hint)
    if (op.op === 'trouble') world.provider.trouble.push({ at: op.at, failure: failureOf(op.kind), times: 1 })
    for (const hint of hints) {
      if (fate === 'late') late.push(hint)
      if (fate === 'told' || fate === 'twice') world.ask(hint)
      if (fate === 'twice') late.push(hint)
    }
    for (let alarms = 0; alarms < each.alarms; alarms += 1) await world.alarm()
    if (each.passes > 0) await world.pass(each.passes)
  }
  for (const hint of late) world.ask(hint)
}

const settle = async (world: PullWorld): Promise<void> => {
  world.provider.trouble.length = 0
  await world.pass(3_600_000)
  world.ask({ kind: 'everything' })
  world.store.sql.run(`UPDATE refreshes SET name = ? WHERE kind = 'everything'`, ACCEPTED)
  await world.pass(3_600_000)
}

describe('any history', () => {
  it.each([
    ['a provider without deltas', { hasDeltas: false, kind: 'okta' as const }], ['a provider with deltas', { hasDeltas: true, kind: 'graph' as const }],
  ])('of %s ends in what the provider has', async (_, options) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
        await openPullWorld(async (world) => {
          world.ask({ kind: 'everything' })
          await play(world, steps)
          await settle(world)
          expect(world.state()).toEqual(world.expected())
        }, { ...options, pageSize: 2 })
      }),
      { numRuns: 60 },
    )
  }, 120_000)
})
