import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DirectoryChange, PersonRef, SourceEvent } from '../../src/change'
import { openEventWorld, type DirectoryState } from './eventWorld'
import { START } from './memoryStore'

/**
 * Events come late, twice and in any order: the Directory ends as if they had come in order. A history is what a provider can
 * have done: names of groups are unique at any time, and nobody is put in a group that is gone.
 */

type Step =
  | { readonly op: 'active'; readonly person: number; readonly active: boolean }
  | { readonly op: 'member'; readonly person: number; readonly group: number; readonly member: boolean }
  | { readonly op: 'name'; readonly group: number; readonly name: number }
  | { readonly op: 'gone'; readonly group: number }

const PERSONS = 4
const GROUPS = 3
const NAMES = 4

const person = fc.nat(PERSONS - 1)
const group = fc.nat(GROUPS - 1)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ op: fc.constant('active' as const), person, active: fc.boolean() }) },
  { weight: 6, arbitrary: fc.record({ op: fc.constant('member' as const), person, group, member: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ op: fc.constant('name' as const), group, name: fc.nat(NAMES - 1) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('gone' as const), group }) },
)

/** What the provider itself has, and has told of. */
interface Provider {
  /** Its people's own: each round has others. */
  readonly domain: string
  readonly active: Map<number, boolean>
  /** Of those that are there. */
  readonly names: Map<number, number>
  /** Groups that events have spoken of since they are there. */
  readonly told: Set<number>
  readonly people: Set<number>
  readonly members: Set<string>
}

const who = (at: number, domain: string): PersonRef => ({ id: `p${at}`, userName: `p${at}@${domain}` })
const groupRef = (at: number, name: number) => ({ id: `g${at}`, displayName: `Name ${name}` })

/** The step as an event, and what it does; null for one that the provider cannot have done. */
const carryOut = (provider: Provider, done: Step): DirectoryChange | null => {
  const { domain, active, names, told, people, members } = provider
  switch (done.op) {
    case 'active':
      active.set(done.person, done.active)
      if (done.active) people.add(done.person)
      return { kind: 'active', who: who(done.person, domain), active: done.active }
    case 'member': {
      const name = names.get(done.group)
      if (name === undefined) return null
      if (done.member) {
        people.add(done.person)
        told.add(done.group)
        members.add(`g${done.group} p${done.person}`)
      } else members.delete(`g${done.group} p${done.person}`)
      return { kind: 'membership', group: groupRef(done.group, name), who: who(done.person, domain), member: done.member }
    }
    case 'name':
      if ([...names].some(([at, name]) => at !== done.group && name === done.name)) return null
      names.set(done.group, done.name)
      told.add(done.group)
      return { kind: 'group', group: groupRef(done.group, done.name) }
    case 'gone': {
      const name = names.get(done.group)
      if (name === undefined) return null
      names.delete(done.group)
      told.delete(done.group)
      for (const member of members) if (member.startsWith(`g${done.group} `)) members.delete(member)
      return { kind: 'groupGone', group: groupRef(done.group, name) }
    }
  }
}

const openProvider = (round: number): Provider => ({
  domain: `r${round}.example.com`, active: new Map(), names: new Map(Array.from({ length: GROUPS }, (_, at) => [at, at])), told: new Set(), people: new Set(), members: new Set(),
})

const eventsOf = (provider: Provider, steps: readonly Step[]): readonly SourceEvent[] =>
  steps.flatMap((done, at) => {
    const change = carryOut(provider, done)
    return change === null ? [] : [{ id: `event-${at}`, type: done.op, at: START - 3_600_000 + at * 1000, changes: [change], refresh: [], acts: [] }]
  })

const stateOf = ({ domain, active, names, told, people, members }: Provider): DirectoryState => ({
  users: [...people].map((at) => `p${at} p${at}@${domain} ${active.get(at) ?? true ? 'active' : 'inactive'}`).toSorted(),
  groups: [...names].filter(([at]) => told.has(at)).map(([at, name]) => `g${at} Name ${name}`).toSorted(),
  members: [...members].toSorted(),
})

interface Disorder {
  /** One number for each place of the stream: events go by it. */
  readonly weights: readonly number[]
  /** Which come again, under another id: as when a batch is put together anew. */
  readonly again: readonly number[]
  readonly batch: number
}

const disorder: fc.Arbitrary<Disorder> = fc.record({
  weights: fc.array(fc.nat(1_000), { minLength: 80, maxLength: 80 }), again: fc.array(fc.nat(39), { maxLength: 20 }), batch: fc.integer({ min: 1, max: 7 }),
})

const disturb = (events: readonly SourceEvent[], { weights, again, batch }: Disorder): readonly (readonly SourceEvent[])[] => {
  const repeated = again.flatMap((at, place) => {
    const event = events[at]
    return event === undefined ? [] : [place % 2 === 0 ? event : { ...event, id: `${event.id} again ${place}` }]
  })
  const all = [...events, ...repeated]
    .map((event, place) => ({ event, weight: weights[place % weights.length] ?? 0 }))
    .toSorted((a, b) => a.weight - b.weight)
    .map(({ event }) => event)
  return Array.from({ length: Math.ceil(all.length / batch) }, (_, at) => all.slice(at * batch, (at + 1) * batch))
}

const steps = fc.array(step, { maxLength: 40 })
const naming = fc.array(step.filter(({ op }) => op === 'name' || op === 'gone'), { maxLength: 40 })

describe('events in any order', () => {
  it('come to what the provider has', async () => {
    await openEventWorld((world) => {
      let round = 0
      fc.assert(fc.property(steps, (history) => {
        const provider = openProvider(++round)
        const hook = world.connect(`hook ${round}`, 'okta-event-hook', `source ${round}`)
        for (const event of eventsOf(provider, history)) world.tell(hook, [event])
        expect(world.state(hook)).toEqual(stateOf(provider))
        world.clear()
      }), { numRuns: 100 })
    })
  })

  it.each([
    ['as in order', steps], ['as in order where it is all about names, whoever had them before', naming],
  ])('come to the same %s', async (_what, histories) => {
    await openEventWorld((world) => {
      let round = 0
      fc.assert(fc.property(histories, disorder, (history, noise) => {
        const provider = openProvider(++round)
        const hook = world.connect(`hook ${round}`, 'okta-event-hook', `source ${round}`)
        for (const events of disturb(eventsOf(provider, history), noise)) world.tell(hook, events)
        expect(world.state(hook)).toEqual(stateOf(provider))
        world.clear()
      }), { numRuns: 200 })
    })
  })

  it('come to the same for a source with a SCIM client, which is not told of them', async () => {
    const joined = fc.record({ person, hasId: fc.boolean(), active: fc.boolean() })
    await openEventWorld((world) => {
      let round = 0
      const play = (name: string, clients: readonly { person: number; hasId: boolean; active: boolean }[], batches: readonly (readonly SourceEvent[])[]) => {
        const source = `source ${name}`
        const scim = world.connect(`scim ${name}`, 'scim', source)
        const hook = world.connect(`hook ${name}`, 'okta-event-hook', source)
        for (const { person: at, hasId, active } of clients) {
          world.join(scim, { userName: `p${at}@r${round}.example.com`, active, ...(hasId ? { externalId: `p${at}` } : {}) })
        }
        for (const events of batches) world.tell(hook, events)
        return { hook: world.state(hook), scim: world.state(scim) }
      }
      fc.assert(fc.property(steps, disorder, fc.uniqueArray(joined, { selector: (one) => one.person }), (history, noise, clients) => {
        const events = eventsOf(openProvider(++round), history)
        const inOrder = play(`${round} in order`, clients, events.map((event) => [event]))
        expect(play(`${round} anyhow`, clients, disturb(events, noise))).toEqual(inOrder)
        expect(stopped(inOrder, clients, history)).toEqual([])
        world.clear()
      }), { numRuns: 200 })
    })
  })
})

/** Whoever the hook has said last to be inactive counts in no connection of the source. */
const stopped = (
  { hook, scim }: Readonly<Record<'hook' | 'scim', DirectoryState>>, clients: readonly { readonly person: number; readonly hasId: boolean }[], history: readonly Step[],
): readonly string[] => {
  const last = new Map(history.flatMap((done) => (done.op === 'active' ? [[done.person, done.active] as const] : [])))
  return [...last].filter(([, active]) => !active).flatMap(([at]) => {
    const id = clients.find((client) => client.person === at)?.hasId === false ? '-' : `p${at}`
    const counting = [...hook.users, ...scim.users].filter((user) => (user.startsWith(`p${at} `) || user.startsWith(`${id} p${at}@`)) && user.endsWith(' active'))
    return counting
  })
}

