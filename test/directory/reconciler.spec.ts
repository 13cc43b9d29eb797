import { describe, expect, it } from 'vitest'
import type { ArizeError } from '../../src/reconcile/target'
import { openWorld } from './world'

const POLICY = {
  mappings: [
    { id: 'ml', group: 'Engineers', grants: [{ organization: 'ML', role: 'MEMBER' }, { organization: 'ML', space: 'Ranking', role: 'ADMIN' }] },
    { id: 'readers', group: 'Readers', grants: [{ organization: 'ML', role: 'READ_ONLY' }] },
    { id: 'labelers', group: 'Labelers', grants: [{ organization: 'Labeling', role: 'ANNOTATOR' }] },
  ],
}

const BUSY: ArizeError = { kind: 'unavailable', status: 503, detail: 'busy' }

describe('reconciling', () => {
  it('creates the account with its first grant, and calls nothing when nothing changes', () =>
    openWorld(async ({ arize, policy, group, join, reconciler, subject, addMember }) => {
      arize.addOrganization('ML', ['Ranking'])
      policy(POLICY)
      const ada = join('ada@example.com')
      expect(await reconciler.settle()).toEqual({ due: 0, held: 0, stuck: 0 })
      expect(arize.calls).toEqual([])
      const engineers = group('Engineers')
      addMember(engineers, ada)
      expect(await reconciler.settle()).toEqual({ due: 0, held: 0, stuck: 0 })
      expect(arize.memberships()).toEqual(['ada@example.com ML MEMBER', 'ada@example.com ML/Ranking ADMIN'])
      expect(arize.calls).toEqual(['organizations', 'spaces', 'find', 'create', 'give organization', 'give space'])
      expect(subject('ada@example.com').state).toBe('in_step')
      addMember(engineers, ada)
      await reconciler.settle()
      expect(arize.calls).toHaveLength(6)
    }))

  it('moves a person by one upsert, cascades included', () =>
    openWorld(async ({ arize, policy, group, join, reconciler, addMember, removeMember }) => {
      arize.addOrganization('ML', ['Ranking'])
      policy(POLICY)
      const ada = join('ada@example.com')
      const engineers = group('Engineers', [ada])
      const readers = group('Readers')
      await reconciler.settle()
      arize.calls.length = 0
      removeMember(engineers, ada)
      addMember(readers, ada)
      await reconciler.settle()
      expect(arize.memberships()).toEqual(['ada@example.com ML READ_ONLY'])
      expect(arize.calls).toEqual(['give organization', 'take space'])
    }))

  it('takes every role of a leaver by one call an organization, and revokes the keys', () =>
    openWorld(async ({ arize, policy, group, join, change, reconciler, subject, store }) => {
      arize.addOrganization('ML', ['Ranking'])
      policy(POLICY)
      const ada = join('ada@example.com')
      group('Engineers', [ada])
      await reconciler.settle()
      arize.keys.set('ada@example.com', ['key-1'])
      arize.calls.length = 0
      change(ada, { active: false })
      expect(subject('ada@example.com')).toMatchObject({ due: store.clock.at, priority: 0, leaver: 'deactivated' })
      expect(await reconciler.settle()).toEqual({ due: 0, held: 0, stuck: 0 })
      expect(arize.memberships()).toEqual([])
      expect(arize.keys.get('ada@example.com')).toEqual([])
      expect(arize.calls).toEqual(['take organization', 'revoke', 'read'])
      change(ada, { active: true })
      await reconciler.settle()
      expect(arize.memberships()).toEqual(['ada@example.com ML MEMBER', 'ada@example.com ML/Ranking ADMIN'])
    }))

  it('keeps the keys of somebody who lost the last group', () =>
    openWorld(async ({ arize, policy, group, join, removeMember, reconciler }) => {
      arize.addOrganization('ML', ['Ranking'])
      policy(POLICY)
      const ada = join('ada@example.com')
      const engineers = group('Engineers', [ada])
      await reconciler.settle()
      arize.keys.set('ada@example.com', ['key-1'])
      removeMember(engineers, ada)
      await reconciler.settle()
      expect(arize.memberships()).toEqual([])
      expect(arize.keys.get('ada@example.com')).toEqual(['key-1'])
      expect([...arize.accounts_.keys()]).toEqual(['ada@example.com'])
    }))

  it('adopts an account that was there before, and respects its role', () =>
    openWorld(async ({ arize, policy, group, join, reconciler, subject }) => {
      arize.addOrganization('ML', ['Ranking'])
      arize.addOrganization('Labeling')
      arize.addAccount('ann@example.com', 'ANNOTATOR')
      policy(POLICY)
      const ann = join('ann@example.com')
      group('Engineers', [ann])
      group('Labelers', [ann])
      expect(await reconciler.settle()).toEqual({ due: 0, held: 1, stuck: 0 })
      expect(arize.memberships()).toEqual(['ann@example.com Labeling ANNOTATOR'])
      expect(arize.calls).not.toContain('create')
      expect(subject('ann@example.com').conflicts).toContain('Account Settings')
    }))

  it('holds a grant whose organization does not exist, gives the rest, and heals', () =>
    openWorld(async ({ arize, policy, group, join, reconciler, subject }) => {
      arize.addOrganization('ML', ['Ranking'])
      policy({ mappings: [...POLICY.mappings, { id: 'late', group: 'Engineers', grants: [{ organization: 'Later', role: 'MEMBER' }] }] })
      group('Engineers', [join('ada@example.com')])
      expect(await reconciler.settle()).toEqual({ due: 0, held: 1, stuck: 0 })
      expect(arize.memberships()).toEqual(['ada@example.com ML MEMBER', 'ada@example.com ML/Ranking ADMIN'])
      expect(subject('ada@example.com').conflicts).toContain('Organization \\"Later\\" does not exist')
      arize.addOrganization('Later')
      expect(await reconciler.settle()).toEqual({ due: 0, held: 0, stuck: 0 })
      expect(arize.memberships()).toEqual(['ada@example.com Later MEMBER', 'ada@example.com ML MEMBER', 'ada@example.com ML/Ranking ADMIN'])
    }))

  it('removes nobody because an organization was renamed in Arize', () =>
    openWorld(async ({ arize, policy, group, join, reconciler, subject, store }) => {
      arize.addOrganization('ML', ['Ranking'])
      policy(POLICY)
      group('Engineers', [join('ada@example.com')])
      await reconciler.settle()
      arize.renameOrganization('ML', 'Machine Learning')
      store.clock.at += 25 * 3_600_000
      for (let turn = 0; turn < 3; turn += 1) await reconciler.alarm()
      expect(subject('ada@example.com').state).toBe('held')
      expect(arize.memberships()).toEqual(['ada@example.com Machine Learning MEMBER', 'ada@example.com Machine Learning/Ranking ADMIN'])
    }))

  it('gives a role by a name that a group has had all along, once the organization exists', () =>
    openWorld(async ({ arize, policy, group, join, reconciler, subject, store }) => {
      policy({ mappings: [{ id: 'named', group: 'arize-{organization}-{role}', grants: [{ organization: '{organization}', role: '{role}' }] }] })
      group('arize-ml-member', [join('ada@example.com')])
      group('arize-ops-viewer', [join('bob@example.com')])
      expect(await reconciler.settle()).toEqual({ due: 0, held: 0, stuck: 0 })
      arize.addOrganization('ML')
      await reconciler.settle()
      expect(arize.memberships()).toEqual(['ada@example.com ML MEMBER'])
      arize.addOrganization('Ops')
      for (let minute = 0; minute < 4; minute += 1) {
        store.clock.at += 60_000
        await reconciler.alarm()
      }
      expect(arize.memberships()).toEqual(['ada@example.com ML MEMBER', 'bob@example.com Ops READ_ONLY'])
      expect(subject('bob@example.com').awaits_names).toBe(0)
    }))

  it('removes nobody whose organization was named by the group and renamed in Arize', () =>
    openWorld(async ({ arize, policy, group, join, reconciler, subject, store }) => {
      arize.addOrganization('ML')
      policy({ mappings: [{ id: 'named', group: 'arize-{organization}-{role}', grants: [{ organization: '{organization}', role: '{role}' }] }] })
      group('arize-ml-member', [join('ada@example.com')])
      expect(await reconciler.settle()).toEqual({ due: 0, held: 0, stuck: 0 })
      arize.renameOrganization('ML', 'Machine Learning')
      store.clock.at += 25 * 3_600_000
      for (let turn = 0; turn < 3; turn += 1) await reconciler.alarm()
      expect(arize.memberships()).toEqual(['ada@example.com Machine Learning MEMBER'])
      expect(subject('ada@example.com').withheld).toContain('Was an organization renamed there?')
      arize.renameOrganization('Machine Learning', 'ML')
      store.clock.at += 25 * 3_600_000
      for (let turn = 0; turn < 3; turn += 1) await reconciler.alarm()
      expect(subject('ada@example.com').state).toBe('in_step')
    }))

  it('closes the rows of an organization that is gone, and gives the roles again when one of its name is back', () =>
    openWorld(async ({ arize, policy, group, join, addMember, reconciler, store, journal }) => {
      arize.addOrganization('ML', ['Ranking'])
      policy(POLICY)
      const ada = join('ada@example.com')
      group('Engineers', [ada])
      const readers = group('Readers')
      await reconciler.settle()
      arize.dropOrganization('ML')
      const bob = join('bob@example.com')
      addMember(readers, bob)
      await reconciler.settle()
      expect(store.sql.rows(`SELECT * FROM ledger`)).toEqual([])
      expect(journal('arize.resource_gone')).toHaveLength(1)
      arize.addOrganization('ML', ['Ranking'])
      await reconciler.settle()
      expect(arize.memberships()).toEqual(['ada@example.com ML MEMBER', 'ada@example.com ML/Ranking ADMIN', 'bob@example.com ML READ_ONLY'])
    }))

  it('tells a tombstone from an account that somebody else made meanwhile', () =>
    openWorld(async ({ arize, policy, group, join, reconciler, subject }) => {
      arize.addOrganization('ML', ['Ranking'])
      policy(POLICY)
      arize.blocked.add('gone@example.com')
      const gone = join('gone@example.com')
      const jit = join('jit@example.com')
      group('Readers', [gone, jit])
      arize.before = (call) => {
        if (call === 'create' && !arize.accounts_.has('jit@example.com')) arize.addAccount('jit@example.com')
      }
      expect(await reconciler.settle()).toEqual({ due: 0, held: 0, stuck: 1 })
      expect(subject('gone@example.com').last_error).toContain('Ask Arize support')
      expect(subject('jit@example.com')).toMatchObject({ state: 'in_step', arize_created: 0 })
      expect(arize.memberships()).toEqual(['jit@example.com ML READ_ONLY'])
    }))

  it('finds out that an account is gone, and is stuck with the sentence', () =>
    openWorld(async ({ arize, policy, group, join, addMember, reconciler, subject }) => {
      arize.addOrganization('ML', ['Ranking'])
      policy(POLICY)
      const ada = join('ada@example.com')
      const engineers = group('Engineers')
      group('Readers', [ada])
      await reconciler.settle()
      arize.dropAccount('ada@example.com')
      addMember(engineers, ada)
      expect(await reconciler.settle()).toEqual({ due: 0, held: 0, stuck: 1 })
      expect(subject('ada@example.com').last_error).toContain('deleted in Arize before')
    }))

  it('asserts the organization again when somebody was removed from it by hand', () =>
    openWorld(async ({ arize, policy, group, join, addMember, reconciler }) => {
      const id = arize.addOrganization('ML', ['Ranking'])
      policy({ mappings: [POLICY.mappings[1], { id: 'rank', group: 'Rankers', grants: [{ organization: 'ML', space: 'Ranking', role: 'MEMBER' }] }] })
      const ada = join('ada@example.com')
      group('Readers', [ada])
      const rankers = group('Rankers')
      await reconciler.settle()
      await arize.targets[0]?.take(arize.accounts_.get('ada@example.com')?.id ?? '', { kind: 'organization', id, name: 'ML', organizationId: id })
      addMember(rankers, ada)
      expect(await reconciler.settle()).toEqual({ due: 0, held: 0, stuck: 0 })
      expect(arize.memberships()).toEqual(['ada@example.com ML READ_ONLY', 'ada@example.com ML/Ranking MEMBER'])
    }))

  describe('when Arize is ill', () => {
    it('backs off and tries for ever', () =>
      openWorld(async ({ arize, policy, group, join, reconciler, subject, store, wokenAt }) => {
        arize.addOrganization('ML', ['Ranking'])
        policy(POLICY)
        group('Readers', [join('ada@example.com')])
        store.clock.at += 60_000
        arize.fault = () => BUSY
        for (let attempt = 1; attempt <= 30; attempt += 1) {
          await reconciler.alarm()
          expect(subject('ada@example.com')).toMatchObject({ state: 'due', attempts: attempt })
          expect(wokenAt()).toBeGreaterThan(store.clock.at)
          store.clock.at = subject('ada@example.com').due ?? 0
        }
        arize.fault = null
        await reconciler.alarm()
        expect(subject('ada@example.com')).toMatchObject({ state: 'in_step', attempts: 0, last_error: null })
        expect(arize.memberships()).toEqual(['ada@example.com ML READ_ONLY'])
      }))

    it('pauses everybody on 429 for as long as Arize says, and charges nobody an attempt', () =>
      openWorld(async ({ arize, policy, group, join, reconciler, subject, store, wokenAt }) => {
        arize.addOrganization('ML', ['Ranking'])
        policy(POLICY)
        group('Readers', [join('ada@example.com'), join('bob@example.com')])
        store.clock.at += 60_000
        arize.fault = () => ({ kind: 'throttled', retryAfterMs: 42_000, detail: 'slow down' })
        await reconciler.alarm()
        expect(wokenAt()).toBe(store.clock.at + 42_000)
        expect([subject('ada@example.com').attempts, subject('bob@example.com').attempts]).toEqual([0, 0])
        arize.fault = null
        arize.calls.length = 0
        await reconciler.alarm()
        expect(arize.calls).toEqual([])
        store.clock.at += 42_000
        await reconciler.alarm()
        expect(arize.memberships()).toHaveLength(2)
      }))

    it('halts on 401 until a preflight passes', () =>
      openWorld(async ({ arize, policy, group, join, reconciler, subject, store, journal }) => {
        arize.addOrganization('ML', ['Ranking'])
        policy(POLICY)
        group('Readers', [join('ada@example.com')])
        store.clock.at += 60_000
        const refused: ArizeError = { kind: 'unauthorized', detail: 'revoked' }
        arize.fault = () => refused
        await reconciler.alarm()
        expect(journal('tenant.halted')).toHaveLength(1)
        store.clock.at += 60_000
        arize.calls.length = 0
        await reconciler.alarm()
        expect(arize.calls).toEqual(['preflight'])
        arize.fault = null
        store.clock.at += 60_000
        await reconciler.alarm()
        expect(journal('tenant.resumed')).toHaveLength(1)
        expect(subject('ada@example.com')).toMatchObject({ state: 'in_step', attempts: 0 })
      }))

    it('lets one 403 stop one change and no leaver', () =>
      openWorld(async ({ arize, policy, group, join, change, reconciler, subject }) => {
        arize.addOrganization('ML', ['Ranking'])
        arize.addOrganization('Labeling')
        policy({ mappings: [...POLICY.mappings, { id: 'two', group: 'Readers', grants: [{ organization: 'Labeling', role: 'MEMBER' }] }] })
        const ada = join('ada@example.com')
        group('Readers', [ada])
        await reconciler.settle()
        const refused = new Set<string>()
        arize.fault = (call) => {
          if (call !== 'take organization' || refused.has(call)) return null
          refused.add(call)
          return { kind: 'forbidden', detail: 'not yours' }
        }
        change(ada, { active: false })
        expect(await reconciler.settle()).toEqual({ due: 0, held: 0, stuck: 1 })
        expect(arize.memberships()).toHaveLength(1)
        expect(arize.calls.slice(-2)).toEqual(['revoke', 'read'])
        expect(subject('ada@example.com').last_error).toContain('403')
      }))

    it('believes a 404 on removal only while the key still sees the organization', () =>
      openWorld(async ({ arize, policy, group, join, change, reconciler, store }) => {
        arize.addOrganization('ML', ['Ranking'])
        policy(POLICY)
        const ada = join('ada@example.com')
        group('Readers', [ada])
        await reconciler.settle()
        arize.fault = (call) => {
          if (call === 'preflight') return { kind: 'forbidden', detail: 'demoted' }
          return call === 'take organization' || call === 'organization' ? { kind: 'not_found', detail: 'hidden' } : null
        }
        change(ada, { active: false })
        await reconciler.settle()
        expect(store.sql.rows(`SELECT slot FROM ledger`)).toHaveLength(1)
        arize.fault = null
        await reconciler.settle()
        expect(store.sql.rows(`SELECT slot FROM ledger`)).toEqual([])
        expect(arize.memberships()).toEqual([])
      }))
  })

  it('finishes what a change during the run made due again', () =>
    openWorld(async ({ arize, policy, group, join, addMember, reconciler, subject }) => {
      arize.addOrganization('ML', ['Ranking'])
      policy(POLICY)
      const ada = join('ada@example.com')
      const engineers = group('Engineers')
      group('Readers', [ada])
      let isChanged = false
      arize.before = (call) => {
        if (call !== 'give organization' || isChanged) return
        isChanged = true
        addMember(engineers, ada)
      }
      await reconciler.settle()
      expect(arize.memberships()).toEqual(['ada@example.com ML MEMBER', 'ada@example.com ML/Ranking ADMIN'])
      expect(subject('ada@example.com').state).toBe('in_step')
    }))

  it('forgets what is older than the policy keeps, and nothing younger', () =>
    openWorld(async ({ policy, store, reconciler, journal }) => {
      policy({ mappings: [], journal: { retentionDays: 30 } })
      store.sql.run(
        `INSERT INTO journal (at, kind, data) SELECT ?, 'scim.create', '{}' FROM json_each(?)`,
        store.clock.at, JSON.stringify(Array.from({ length: 5_100 }, () => 0)))
      store.clock.at += 29 * 24 * 3_600_000
      store.sql.run(`INSERT INTO journal (at, kind, data) VALUES (?, 'scim.patch', '{}')`, store.clock.at)
      for (let turn = 0; turn < 3; turn += 1) await reconciler.alarm()
      expect(journal('scim.create')).toHaveLength(5_100)
      store.clock.at += 2 * 24 * 3_600_000
      for (let turn = 0; turn < 4; turn += 1) await reconciler.alarm()
      expect([journal('scim.create'), journal('scim.patch')].map((rows) => rows.length)).toEqual([0, 1])
    }))

  it('leaves the account of its own key alone', () =>
    openWorld(async ({ arize, policy, group, join, change, reconciler, subject }) => {
      arize.addOrganization('ML', ['Ranking'])
      policy(POLICY)
      const bot = join('bot@example.com')
      group('Readers', [bot])
      arize.addAccount('bot@example.com')
      arize.keys.set('bot@example.com', ['the bridge'])
      expect(await reconciler.settle()).toEqual({ due: 0, held: 1, stuck: 0 })
      change(bot, { active: false })
      await reconciler.settle()
      expect(arize.memberships()).toEqual([])
      expect(arize.keys.get('bot@example.com')).toEqual(['the bridge'])
      expect(subject('bot@example.com').state).not.toBe('due')
    }, { ownUser: 'bot@example.com' }))
})
