import { runInDurableObject } from 'cloudflare:test'
import { describe, expect, it, vi } from 'vitest'
import { ARIZE, expectSettled, openBridge, type Bridge } from './bridge'

/**
 * The Directory's object is aborted at every call that it makes to Arize, before and after Arize carried it out, and woken
 * again: the end is the same, with no orphaned role, no second account, and a ledger that says what Arize has.
 */

const POLICY = {
  mappings: [
    { id: 'eng', group: 'Engineers', grants: [{ organization: 'ML', role: 'MEMBER' }, { organization: 'ML', space: 'Ranking', role: 'ADMIN' }] },
    { id: 'ops', group: 'Operators', grants: [{ organization: 'Ops', role: 'READ_ONLY' }] },
  ],
}

type When = 'before' | 'after'

interface Stop {
  /** Whether the call was made, or for `after`, whether Arize has carried it out. */
  isReached: boolean
  calls: number
}

/** Keeps the object's n-th call to Arize without an answer. */
const stopAt = (call: number, when: When): Stop => {
  const through = globalThis.fetch
  const stop: Stop = { isReached: false, calls: 0 }
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
    const url = input instanceof Request ? input.url : String(input)
    const isOurs = url.startsWith(`${ARIZE}/v2/`)
    const isFatal = isOurs && stop.calls++ === call
    if (!isFatal) return through(input, init)
    if (when === 'after') await through(input, init)
    stop.isReached = true
    return new Promise<never>(() => undefined)
  })
  return stop
}

const stories = {
  join: {
    prepare: async (bridge: Bridge) => {
      const ada = await bridge.createUser('ada@example.com')
      await bridge.createGroup('Operators', [ada])
      return () => bridge.createGroup('Engineers', [ada])
    },
    end: ['ada@example.com ML MEMBER', 'ada@example.com ML/Ranking ADMIN', 'ada@example.com Ops READ_ONLY'],
  },
  move: {
    prepare: async (bridge: Bridge) => {
      const ada = await bridge.createUser('ada@example.com')
      const engineers = await bridge.createGroup('Engineers', [ada])
      const operators = await bridge.createGroup('Operators')
      await expectSettled(bridge)
      return async () => {
        await bridge.addMembers(operators, ada)
        await bridge.removeMembers(engineers, ada)
      }
    },
    end: ['ada@example.com Ops READ_ONLY'],
  },
  leave: {
    prepare: async (bridge: Bridge) => {
      const ada = await bridge.createUser('ada@example.com')
      await bridge.createGroup('Engineers', [ada])
      await expectSettled(bridge)
      await bridge.arize('POST', '/_emulator/keys', { owner: 'ada@example.com' })
      return () => bridge.setActive(ada, false)
    },
    end: [],
  },
} as const

const open = async (): Promise<Bridge> => {
  const bridge = await openBridge()
  await bridge.addOrganization('ML', ['Ranking'])
  await bridge.addOrganization('Ops')
  await bridge.policy(POLICY)
  return bridge
}

/** How many calls the story takes when nothing happens. */
const countCalls = async (story: (typeof stories)[keyof typeof stories]): Promise<number> => {
  const bridge = await open()
  const act = await story.prepare(bridge)
  const stop = stopAt(-1, 'before')
  await act()
  await expectSettled(bridge)
  vi.restoreAllMocks()
  return stop.calls
}

describe.each(['join', 'move', 'leave'] as const)('aborting the Directory while people %s', (name) => {
  const story = stories[name]
  it.each(['before', 'after'] as const)('%s any call changes nothing about the end', { timeout: 60_000 }, async (when) => {
    const calls = await countCalls(story)
    expect(calls).toBeGreaterThan(1)
    for (let call = 0; call < calls; call += 1) {
      const bridge = await open()
      const act = await story.prepare(bridge)
      const stop = stopAt(call, when)
      await act()
      let isOver = false
      const settling = bridge.settle().catch(() => undefined).finally(() => (isOver = true))
      // Asked for, and not awaited: a promise that the object resolves would carry the test into the object, which dies.
      await vi.waitUntil(() => stop.isReached || isOver, { interval: 1, timeout: 50_000 })
      // On a busy machine an alarm may have made calls of the story before the stop stood: then the last ones are not there to stop.
      if (call === 0) expect(stop.isReached).toBe(true)
      // Its answer dies with the object: what tells that it is gone is the settling, which breaks off.
      void runInDurableObject(bridge.directory(), (_directory, state) => state.abort('crash')).catch(() => undefined)
      await settling
      vi.restoreAllMocks()
      await expectSettled(bridge)
      expect(await bridge.roles(), `call ${call}`).toEqual(story.end)
      const { users, keys } = await bridge.state()
      expect(users.map(({ email }) => email)).toEqual(['ada@example.com'])
      expect(keys.filter(({ owner, revoked }) => owner === 'ada@example.com' && !revoked)).toEqual([])
      const person = await bridge.person('ada@example.com')
      expect(person).toMatchObject({ state: 'in_step', lastError: null })
      expect(person.memberships.map(({ role }) => role).toSorted()).toEqual(story.end.map((line) => line.split(' ').at(-1)).toSorted())
    }
  })
})
