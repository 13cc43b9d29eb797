import { describe, expect, it } from 'vitest'
import { openWorld, type World } from './world'

/**
 * The Directory dies at every call of a story, before and after Arize carried the call out. Whatever comes next, the end is
 * the same as without the crash, and the ledger says what Arize has.
 */

const POLICY = {
  mappings: [
    { id: 'ml', group: 'Engineers', grants: [{ organization: 'ML', role: 'MEMBER' }, { organization: 'ML', space: 'Ranking', role: 'ADMIN' }] },
    { id: 'ops', group: 'Operators', grants: [{ organization: 'Ops', role: 'READ_ONLY' }] },
  ],
}

interface Story {
  readonly name: string
  /** Everything before the crash is possible, already settled. */
  readonly given: (world: World) => Promise<() => void>
  readonly end: readonly string[]
}

const STORIES: readonly Story[] = [
  {
    name: 'a joiner with two groups',
    given: async ({ join, group }) => () => {
      const ada = join('ada@example.com')
      group('Engineers', [ada])
      group('Operators', [ada])
    },
    end: ['ada@example.com ML MEMBER', 'ada@example.com ML/Ranking ADMIN', 'ada@example.com Ops READ_ONLY'],
  },
  {
    name: 'a mover',
    given: async ({ join, group, addMember, removeMember, reconciler }) => {
      const ada = join('ada@example.com')
      const engineers = group('Engineers', [ada])
      const operators = group('Operators')
      await reconciler.settle()
      return () => {
        removeMember(engineers, ada)
        addMember(operators, ada)
      }
    },
    end: ['ada@example.com Ops READ_ONLY'],
  },
  {
    name: 'a leaver',
    given: async ({ join, group, change, reconciler, arize }) => {
      const ada = join('ada@example.com')
      group('Engineers', [ada])
      await reconciler.settle()
      arize.keys.set('ada@example.com', ['key'])
      return () => change(ada, { active: false })
    },
    end: [],
  },
  {
    name: 'somebody renamed',
    given: async ({ join, group, change, reconciler }) => {
      const ada = join('ada@example.com')
      group('Engineers', [ada])
      await reconciler.settle()
      return () => change(ada, { address: 'countess@example.com' })
    },
    end: ['countess@example.com ML MEMBER', 'countess@example.com ML/Ranking ADMIN'],
  },
]

const ledgerSays = ({ store }: World): string[] =>
  store.sql
    .rows<{ address: string; organization: string; space: string | null; role: string }>(
      `SELECT l.address, (SELECT resource_name FROM ledger o WHERE o.resource_id = l.organization_id LIMIT 1) AS organization,
         CASE l.kind WHEN 'space' THEN l.resource_name END AS space, coalesce(l.intended, l.role) AS role FROM ledger l`)
    .map(({ address, organization, space, role }) => `${address} ${space === null ? organization : `${organization}/${space}`} ${role}`)
    .toSorted()

const countCalls = async (story: Story): Promise<number> => {
  let calls = 0
  await openWorld(async (world) => {
    world.arize.addOrganization('ML', ['Ranking'])
    world.arize.addOrganization('Ops')
    world.policy(POLICY)
    const act = await story.given(world)
    world.arize.calls.length = 0
    act()
    await world.reconciler.settle()
    calls = world.arize.calls.length
  })
  return calls
}

describe.each(STORIES)('a crash during the story of $name', (story) => {
  it.each(['before', 'after'] as const)('%s any of its calls ends as without it', async (when) => {
    const calls = await countCalls(story)
    expect(calls).toBeGreaterThan(1)
    for (let call = 0; call < calls; call += 1) {
      await openWorld(async (world) => {
        const { arize } = world
        arize.addOrganization('ML', ['Ranking'])
        arize.addOrganization('Ops')
        world.policy(POLICY)
        const act = await story.given(world)
        act()
        arize.crashAt = { call, when }
        void world.reconciler.settle()
        await arize.crashed
        expect(await world.restart().settle()).toEqual({ due: 0, held: 0, stuck: 0 })
        expect(arize.memberships()).toEqual(story.end)
        expect(ledgerSays(world)).toEqual(story.end)
        expect([...arize.keys.values()].flat()).toEqual([])
        arize.calls.length = 0
        await world.restart().settle()
        expect(arize.calls).toEqual([])
      })
    }
  })
})
