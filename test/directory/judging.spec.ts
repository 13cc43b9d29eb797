import { describe, expect, it } from 'vitest'
import { readMeta } from '../../src/directory/meta'
import { markUsers } from '../../src/directory/subjects'
import type { ArizeError } from '../../src/reconcile/target'
import { err, ok } from '../../src/result'
import { organizationTarget } from './fakeArize'
import { openWorld, type World } from './world'

/** What a refusal means: for the change, for the person, for everybody. */

const HOUR = 3_600_000
const ML = { id: 'ml', group: 'Engineers', grants: [{ organization: 'ML', role: 'MEMBER' }] }
const OPS = { id: 'ops', group: 'Ops', grants: [{ organization: 'Ops', role: 'MEMBER' }] }
const ADA = 'ada@example.com'
const BOB = 'bob@example.com'

const nights = async ({ store, reconciler }: World): Promise<void> => {
  store.clock.at += 25 * HOUR
  for (let turn = 0; turn < 3; turn += 1) await reconciler.alarm()
}

const employ = async ({ arize, policy, group, join, reconciler }: World, mappings: readonly unknown[] = [ML]): Promise<{ ada: string; engineers: string }> => {
  arize.addOrganization('ML')
  policy({ mappings })
  const ada = join(ADA)
  const engineers = group('Engineers', [ada])
  await reconciler.settle()
  return { ada, engineers }
}

describe('the ledger', () => {
  it('survives one list of users that does not show the account', () =>
    openWorld(async (world) => {
      const { arize, change, reconciler, store } = world
      const { ada } = await employ(world)
      const { find } = arize.accounts
      Object.assign(arize.accounts, { find: async () => ok(null) })
      await nights(world)
      expect(store.sql.rows(`SELECT slot FROM ledger`)).toHaveLength(1)
      expect(arize.memberships()).toEqual([`${ADA} ML MEMBER`])
      Object.assign(arize.accounts, { find })
      change(ada, { active: false })
      await reconciler.settle()
      expect(arize.memberships()).toEqual([])
    }))

  it('survives a key that was demoted and sees nobody', () =>
    openWorld(async (world) => {
      const { arize, store, journal } = world
      await employ(world)
      Object.assign(arize.accounts, { find: async () => ok(null), read: async () => ok(null) })
      arize.fault = (call) => (call === 'preflight' ? { kind: 'forbidden', detail: 'demoted' } : null)
      await nights(world)
      expect(store.sql.rows(`SELECT slot FROM ledger`)).toHaveLength(1)
      expect(journal('tenant.halted')).toHaveLength(1)
    }))

  it('waits for a human when the address names another account than the one that is known and still there', () =>
    openWorld(async (world) => {
      const { arize, reconciler, subject } = world
      await employ(world)
      const known = arize.accounts_.get(ADA)
      if (known === undefined) throw new Error('no account')
      arize.accounts_.set('elsewhere@example.com', { ...known, email: 'elsewhere@example.com' })
      arize.addAccount(ADA)
      await nights(world)
      expect(subject(ADA)).toMatchObject({ state: 'stuck', arize_id: known.id })
      expect(arize.memberships()).toEqual(['elsewhere@example.com ML MEMBER'])
      arize.dropAccount('elsewhere@example.com')
      await nights(world)
      await reconciler.settle()
      expect(arize.memberships()).toEqual([`${ADA} ML MEMBER`])
    }))

  it('moves with an account whose address was changed in Arize as in the directory', () =>
    openWorld(async (world) => {
      const { arize, change, reconciler, store, subject } = world
      const { ada } = await employ(world)
      const account = arize.accounts_.get(ADA)
      if (account === undefined) throw new Error('no account')
      arize.accounts_.delete(ADA)
      arize.accounts_.set(BOB, { ...account, email: BOB })
      arize.calls.length = 0
      change(ada, { address: BOB })
      expect(await reconciler.settle()).toEqual({ due: 0, held: 0, stuck: 0 })
      expect(arize.memberships()).toEqual([`${BOB} ML MEMBER`])
      expect(arize.calls).toEqual(['find'])
      expect(store.sql.rows(`SELECT address FROM ledger`)).toEqual([{ address: BOB }])
      expect(subject(BOB)).toMatchObject({ arize_id: account.id, arize_created: 1 })
      expect(subject(ADA)).toMatchObject({ arize_id: null, leaver: null })
    }))

  it('is not closed for an organization that the list still shows', () =>
    openWorld(async (world) => {
      const { arize, join, addMember, change, reconciler, store, subject } = world
      const { ada, engineers } = await employ(world)
      addMember(engineers, join(BOB))
      await reconciler.settle()
      const { organization } = arize.names
      Object.assign(arize.names, { organization: async () => ok(null) })
      arize.fault = (call) => (call === 'take organization' ? { kind: 'not_found', detail: 'no' } : null)
      change(ada, { active: false })
      await reconciler.settle()
      expect(store.sql.rows(`SELECT slot FROM ledger`)).toHaveLength(2)
      expect(subject(ADA).state).toBe('due')
      Object.assign(arize.names, { organization })
      arize.fault = null
      await nights(world)
      expect(arize.memberships()).toEqual([`${BOB} ML MEMBER`])
    }))
})

describe('a mover', () => {
  it('loses what was lost although another organization answers 500 for ever', () =>
    openWorld(async (world) => {
      const { arize, group, addMember, removeMember, reconciler, store, subject } = world
      arize.addOrganization('Ops')
      const { ada, engineers } = await employ(world, [ML, OPS])
      const target = organizationTarget(arize)
      const { give } = target
      const broken: ArizeError = { kind: 'unavailable', status: 500, detail: 'broken' }
      target.give = async (user, resource, role) => (resource.name === 'Ops' ? err(broken) : give(user, resource, role))
      removeMember(engineers, ada)
      addMember(group('Ops'), ada)
      for (let turn = 0; turn < 20; turn += 1) {
        store.clock.at = Math.max(store.clock.at + 5_000, subject(ADA).due ?? 0)
        await reconciler.alarm()
      }
      expect(arize.memberships()).toEqual([])
      expect(subject(ADA)).toMatchObject({ state: 'due', attempts: expect.any(Number) })
    }))

  it('keeps what was given back while the rest was being taken', () =>
    openWorld(async (world) => {
      const { arize, group, addMember, removeMember, reconciler, subject } = world
      arize.addOrganization('Ops')
      const { ada, engineers } = await employ(world, [ML, OPS])
      const operators = group('Ops', [ada])
      await reconciler.settle()
      removeMember(engineers, ada)
      removeMember(operators, ada)
      arize.calls.length = 0
      arize.before = (call) => {
        if (call !== 'take organization') return
        arize.before = () => undefined
        addMember(engineers, ada)
        addMember(operators, ada)
      }
      await reconciler.settle()
      expect(arize.memberships()).toEqual([`${ADA} ML MEMBER`, `${ADA} Ops MEMBER`])
      expect(arize.calls).toEqual(['take organization', 'give organization'])
      expect(subject(ADA).state).toBe('in_step')
    }))

  it('waits for a quiet moment, and is not stuck, while the directory has more and more to say', () =>
    openWorld(async (world) => {
      const { arize, addMember, reconciler, store, subject } = world
      const { ada, engineers } = await employ(world)
      arize.before = (call) => {
        if (call === 'find') addMember(engineers, ada)
      }
      addMember(engineers, ada)
      for (let turn = 0; turn < 4; turn += 1) {
        store.clock.at += 3_000
        store.sql.run(`UPDATE subjects SET arize_read = NULL`)
        await reconciler.alarm()
        expect(subject(ADA)).toMatchObject({ state: 'due', last_error: null })
      }
      arize.before = () => undefined
      await reconciler.settle()
      expect(subject(ADA).state).toBe('in_step')
    }))

  it('and another who lose ADMIN together do not leave the organization without one', () =>
    openWorld(async ({ arize, policy, group, join, removeMember, reconciler, store, subject }) => {
      arize.addOrganization('ML')
      policy({ mappings: [{ id: 'admins', group: 'Admins', grants: [{ organization: 'ML', role: 'ADMIN' }] }] })
      const ids = [ADA, BOB].map((address) => join(address))
      const admins = group('Admins', ids)
      await reconciler.settle()
      for (const id of ids) removeMember(admins, id)
      for (let turn = 0; turn < 4; turn += 1) {
        store.clock.at += 3_000
        await reconciler.alarm()
      }
      expect(arize.memberships()).toHaveLength(1)
      expect([subject(ADA).state, subject(BOB).state].toSorted()).toEqual(['held', 'in_step'])
    }))

  it('stays held although a later look at them decided nothing', () =>
    openWorld(async ({ arize, policy, group, join, removeMember, reconciler, store, subject }) => {
      arize.addOrganization('ML')
      policy({ mappings: [ML] })
      const ids = Array.from({ length: 12 }, (_, index) => join(`p${index}@example.com`))
      const engineers = group('Engineers', ids)
      await reconciler.settle()
      for (const id of ids) removeMember(engineers, id)
      await reconciler.settle()
      store.clock.at += 2 * HOUR
      store.sql.run(`UPDATE subjects SET arize_read = NULL WHERE address = 'p3@example.com'`)
      markUsers(store, [ids[3] ?? ''], 'now')
      arize.fault = (call) => (call === 'find' ? { kind: 'rejected', status: 400, detail: 'bad request' } : null)
      await reconciler.settle()
      expect(subject('p3@example.com').withheld).toContain('delete organization:')
      arize.fault = null
      markUsers(store, [ids[3] ?? ''], 'now')
      await reconciler.settle()
      expect(arize.memberships()).toHaveLength(12)
    }))

  it('who was removed from an organization by hand gets everything in it back', () =>
    openWorld(async ({ arize, policy, group, join, addMember, reconciler }) => {
      const id = arize.addOrganization('ML', ['S1', 'S2'])
      policy({ mappings: ['S1', 'S2'].map((space) => ({ id: space, group: space, grants: [{ organization: 'ML', space, role: 'MEMBER' }] })) })
      const ada = join(ADA)
      group('S1', [ada])
      const two = group('S2')
      await reconciler.settle()
      await arize.targets[0]?.take(arize.accounts_.get(ADA)?.id ?? '', { kind: 'organization', id, name: 'ML', organizationId: id })
      addMember(two, ada)
      expect(await reconciler.settle()).toEqual({ due: 0, held: 0, stuck: 0 })
      expect(arize.memberships()).toEqual([`${ADA} ML READ_ONLY`, `${ADA} ML/S1 MEMBER`, `${ADA} ML/S2 MEMBER`])
    }))
})

describe('one refusal', () => {
  it('of a creation (403) stops nobody else while the key works', () =>
    openWorld(async ({ arize, policy, group, join, reconciler, store, journal, subject }) => {
      arize.addOrganization('ML')
      policy({ mappings: [ML] })
      group('Engineers', Array.from({ length: 12 }, (_, index) => join(`p${index}@example.com`)))
      const { create } = arize.accounts
      const forbidden: ArizeError = { kind: 'forbidden', detail: 'this domain is not allowed' }
      Object.assign(arize.accounts, { create: async (account: Parameters<typeof create>[0]) => (account.email === 'p0@example.com' ? err(forbidden) : create(account)) })
      store.clock.at += 60_000
      for (let minute = 0; minute < 5; minute += 1) {
        await reconciler.alarm()
        store.clock.at += 61_000
      }
      expect(arize.memberships()).toHaveLength(11)
      expect(journal('tenant.halted')).toEqual([])
      expect(subject('p0@example.com')).toMatchObject({ state: 'stuck' })
      expect(subject('p0@example.com').last_error).toContain('this domain is not allowed')
    }))

  it.each(['find', 'customRoles'])('of %s (403) makes one person stuck while the key works', (refused) =>
    openWorld(async ({ arize, policy, group, join, reconciler, journal, subject }) => {
      arize.addOrganization('ML', ['S'])
      policy({ mappings: [ML, { id: 'c', group: 'Custom', grants: [{ organization: 'ML', space: 'S', customRole: 'Reviewer' }] }] })
      arize.fault = (call) => (call === refused ? { kind: 'forbidden', detail: 'Enterprise only' } : null)
      group('Custom', [join(ADA)])
      expect(await reconciler.settle()).toEqual({ due: 0, held: 0, stuck: 1 })
      expect(journal('tenant.halted')).toEqual([])
      expect(subject(ADA).last_error).toContain('Enterprise only')
    }))

  it('of the spaces of one organization (404) holds what that organization gives, and nothing else', () =>
    openWorld(async ({ arize, policy, group, join, reconciler, subject }) => {
      arize.addOrganization('ML')
      arize.addOrganization('Gone', ['S'])
      policy({ mappings: [{ ...ML, grants: [...ML.grants, { organization: 'Gone', space: 'S', role: 'MEMBER' }] }] })
      arize.fault = (call) => (call === 'spaces' ? { kind: 'not_found', detail: 'no such organization' } : null)
      group('Engineers', [join(ADA)])
      expect(await reconciler.settle()).toEqual({ due: 0, held: 1, stuck: 0 })
      expect(arize.memberships()).toContain(`${ADA} ML MEMBER`)
      expect(subject(ADA).conflicts).toContain('Space \\"S\\" does not exist')
      arize.dropOrganization('Gone')
      await reconciler.settle()
      expect(subject(ADA).conflicts).toContain('Organization \\"Gone\\" does not exist')
      arize.addOrganization('Gone', ['S'])
      arize.fault = null
      expect(await reconciler.settle()).toEqual({ due: 0, held: 0, stuck: 0 })
      expect(arize.memberships()).toContain(`${ADA} Gone/S MEMBER`)
    }))

  it.each(['rejected', 'not_found'] as const)('(%s) that is looked into pauses the tenant when Arize asks for it', (kind) =>
    openWorld(async ({ arize, policy, group, join, reconciler, store, subject }) => {
      arize.addOrganization('ML')
      policy({ mappings: [ML] })
      group('Engineers', [join(ADA)])
      store.clock.at += 60_000
      arize.fault = (call) => {
        if (call === 'give organization') return kind === 'rejected' ? { kind, status: 400, detail: 'no' } : { kind, detail: 'no' }
        return call === 'read' ? { kind: 'throttled', retryAfterMs: 42_000, detail: 'slow' } : null
      }
      await reconciler.alarm()
      expect((readMeta(store, 'paused')?.until ?? 0) - store.clock.at).toBe(42_000)
      expect(subject(ADA).attempts).toBe(0)
    }))

  it('that is looked into halts the tenant when the key has died, in words that name nobody', () =>
    openWorld(async ({ arize, policy, group, join, reconciler, store }) => {
      arize.addOrganization('ML')
      policy({ mappings: [ML] })
      group('Engineers', [join(ADA)])
      store.clock.at += 60_000
      arize.fault = (call) => {
        if (call === 'give organization') return { kind: 'rejected', status: 400, detail: 'no' }
        return call === 'read' ? { kind: 'unauthorized', detail: `no key for ${ADA}` } : null
      }
      await reconciler.alarm()
      const { sentence } = readMeta(store, 'halted') ?? { sentence: '' }
      expect(sentence).toContain('401')
      expect(sentence).not.toContain(ADA)
    }))
})
