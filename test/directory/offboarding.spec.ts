import { describe, expect, it } from 'vitest'
import { changeRules, readMeta } from '../../src/directory/meta'
import { decideIdentity } from '../../src/directory/people'
import type { ArizeError } from '../../src/reconcile/target'
import { err, ok } from '../../src/result'
import { organizationTarget } from './fakeArize'
import { openWorld, type World } from './world'

/** What becomes of somebody who left, whatever single calls come to. */

const HOUR = 3_600_000
const ML = { id: 'ml', group: 'Engineers', grants: [{ organization: 'ML', role: 'MEMBER' }] }
const OPS = { id: 'ops', group: 'Engineers', grants: [{ organization: 'Ops', role: 'MEMBER' }] }
const ADA = 'ada@example.com'
const BROKEN: ArizeError = { kind: 'unavailable', status: 500, detail: 'broken' }

const people = (count: number): string[] => Array.from({ length: count }, (_, index) => `p${String(index).padStart(3, '0')}@example.com`)

/** Somebody who has a role in every organization of the mappings. */
const employ = async ({ arize, policy, group, join, reconciler }: World, mappings: readonly unknown[] = [ML]): Promise<string> => {
  arize.addOrganization('ML')
  arize.addOrganization('Ops')
  policy({ mappings })
  const ada = join(ADA)
  group('Engineers', [ada])
  await reconciler.settle()
  return ada
}

const nights = async ({ store, reconciler }: World, count = 1): Promise<void> => {
  for (let night = 0; night < count; night += 1) {
    store.clock.at += 25 * HOUR
    for (let turn = 0; turn < 3; turn += 1) await reconciler.alarm()
  }
}

describe('the roles of somebody who left', () => {
  it.each(['ML', 'Ops'])('are removed everywhere else although %s answers 500 for ever', (ill) =>
    openWorld(async (world) => {
      const { arize, change, reconciler, store, subject } = world
      const ada = await employ(world, [ML, OPS])
      arize.keys.set(ADA, ['key-1'])
      const target = organizationTarget(arize)
      const { take } = target
      target.take = async (user, resource) => (resource.name === ill ? err(BROKEN) : take(user, resource))
      change(ada, { active: false })
      arize.calls.length = 0
      for (let turn = 0; turn < 20; turn += 1) {
        await reconciler.alarm()
        store.clock.at = Math.max(store.clock.at, subject(ADA).due ?? 0)
      }
      expect(arize.memberships()).toEqual([`${ADA} ${ill} MEMBER`])
      expect(arize.keys.get(ADA)).toEqual([])
      expect(subject(ADA).state).toBe('due')
      expect(arize.calls).toEqual(['take organization', 'revoke', 'read'])
      target.take = take
      store.clock.at = subject(ADA).due ?? 0
      await reconciler.alarm()
      expect(arize.memberships()).toEqual([])
      expect(subject(ADA).state).toBe('in_step')
    }))

  it('are not believed to be gone because Arize lists no account', () =>
    openWorld(async (world) => {
      const { arize, change, reconciler, store, subject } = world
      const ada = await employ(world)
      store.sql.run(`UPDATE subjects SET arize_id = NULL`)
      Object.assign(arize.accounts, { find: async () => ok(null) })
      change(ada, { active: false })
      expect(await reconciler.settle()).toEqual({ due: 0, held: 0, stuck: 1 })
      expect(subject(ADA)).toMatchObject({ keys_due: 1 })
      expect(subject(ADA).last_error).toContain('lists no account')
      expect(store.sql.rows(`SELECT slot FROM ledger`)).toHaveLength(1)
    }))
})

describe('an account ADMIN who left', () => {
  it('stays stuck for as long as the account is ADMIN, and no longer', () =>
    openWorld(async (world) => {
      const { arize, change, reconciler, subject } = world
      const admin = arize.addAccount(ADA, 'ADMIN')
      const ada = await employ(world)
      change(ada, { active: false })
      expect(await reconciler.settle()).toEqual({ due: 0, held: 0, stuck: 1 })
      await nights(world, 3)
      expect(subject(ADA)).toMatchObject({ state: 'stuck', arize_role: 'ADMIN' })
      expect(subject(ADA).last_error).toContain('account ADMIN')
      arize.accounts_.set(ADA, { ...admin, role: 'MEMBER' })
      await nights(world)
      expect(subject(ADA).state).toBe('in_step')
    }))

  it.each([null, 'revoke', 'read'])('is noticed although the role is new, and a fault meets the call %s first', (call) =>
    openWorld(async (world) => {
      const { arize, change, restart, reconciler, subject } = world
      const ada = await employ(world)
      const account = arize.accounts_.get(ADA)
      if (account !== undefined) arize.accounts_.set(ADA, { ...account, role: 'ADMIN' })
      change(ada, { active: false })
      arize.fault = (name) => (name === call ? BROKEN : null)
      await reconciler.settle()
      arize.fault = null
      expect(await restart().settle()).toEqual({ due: 0, held: 0, stuck: 1 })
      expect(subject(ADA).last_error).toContain('account ADMIN')
      expect(arize.memberships()).toEqual([])
    }))
})

it('looks again at somebody who has left without any call', () =>
  openWorld(async (world) => {
    const { arize, change, reconciler, store, subject } = world
    const ada = await employ(world)
    change(ada, { active: false })
    await reconciler.settle()
    arize.calls.length = 0
    changeRules(store)
    await reconciler.settle()
    await nights(world, 2)
    expect(arize.calls).toEqual([])
    expect(subject(ADA).state).toBe('in_step')
  }))

describe('the API keys of somebody who left', () => {
  it('are not believed to be revoked while Arize lists a live one and answers 404 to its revocation', () =>
    openWorld(async (world) => {
      const { arize, change, reconciler, subject } = world
      const ada = await employ(world)
      arize.keys.set(ADA, ['key-1'])
      arize.fault = (call) => (call === 'revoke' ? { kind: 'not_found', detail: 'Arize lists a live key of this user, but answers 404 to its revocation.' } : null)
      change(ada, { active: false })
      await reconciler.settle()
      expect(subject(ADA)).toMatchObject({ state: 'stuck', keys_due: 1 })
      expect(subject(ADA).last_error).toContain('lists a live key')
      arize.fault = null
      await nights(world)
      expect(subject(ADA)).toMatchObject({ state: 'in_step', keys_due: 0 })
      expect(arize.keys.get(ADA)).toEqual([])
    }))

  it('went with the account that is gone', () =>
    openWorld(async (world) => {
      const { arize, change, reconciler, subject } = world
      const ada = await employ(world)
      arize.dropAccount(ADA)
      arize.fault = (call) => (call === 'revoke' ? { kind: 'not_found', detail: 'no such user' } : null)
      change(ada, { active: false })
      expect(await reconciler.settle()).toEqual({ due: 0, held: 0, stuck: 0 })
      expect(subject(ADA)).toMatchObject({ keys_due: 0, arize_id: null })
    }))

  it('are kept when the person comes back during the offboarding', () =>
    openWorld(async (world) => {
      const { arize, change, reconciler, subject } = world
      const ada = await employ(world)
      arize.keys.set(ADA, ['key-1'])
      change(ada, { active: false })
      arize.before = (call) => {
        if (call === 'take organization') change(ada, { active: true })
      }
      await reconciler.settle()
      expect(arize.memberships()).toEqual([`${ADA} ML MEMBER`])
      expect(arize.keys.get(ADA)).toEqual(['key-1'])
      expect(subject(ADA).state).toBe('in_step')
    }))

  it('stop nobody else while the revocation of one is refused', () =>
    openWorld(async ({ arize, policy, group, join, change, reconciler, store, journal, subject }) => {
      arize.addOrganization('ML')
      policy({ mappings: [ML], brake: { maxLeaversPerHour: 500, maxLeaversPercent: 100 } })
      const ids = people(100).map((address) => join(address))
      group('Engineers', ids)
      await reconciler.settle()
      const refused = arize.accounts_.get('p000@example.com')?.id
      const { revokeKeys } = arize.accounts
      const forbidden: ArizeError = { kind: 'forbidden', detail: 'not the key of p000@example.com' }
      Object.assign(arize.accounts, { revokeKeys: async (user: string) => (user === refused ? err(forbidden) : revokeKeys(user)) })
      for (const user of ids) change(user, { active: false })
      for (let turn = 0; turn < 20; turn += 1) {
        await reconciler.alarm()
        store.clock.at += 1_000
      }
      expect(arize.memberships()).toEqual([])
      expect(journal('tenant.halted')).toEqual([])
      expect(subject('p000@example.com')).toMatchObject({ state: 'stuck', keys_due: 1 })
      expect(subject('p099@example.com')).toMatchObject({ state: 'in_step', keys_due: 0 })
    }))

  it('halt the tenant when their refusal means that the key was demoted, in words that name nobody', () =>
    openWorld(async (world) => {
      const { arize, change, reconciler, store } = world
      const ada = await employ(world)
      change(ada, { active: false })
      arize.fault = (call) => {
        if (call === 'preflight') return { kind: 'forbidden', detail: 'account admins only' }
        return call === 'revoke' ? { kind: 'forbidden', detail: `not the keys of ${ADA}` } : null
      }
      await reconciler.alarm()
      const { sentence } = readMeta(store, 'halted') ?? { sentence: '' }
      expect(sentence).toContain('administrator-only call was refused')
      expect(sentence).not.toContain(ADA)
    }))

  it('of the former holder go before somebody who takes the address over is given anything', () =>
    openWorld(async ({ arize, policy, group, join, change, reconciler, store, addMember }) => {
      arize.addOrganization('ML')
      policy({ mappings: [ML] })
      const old = join(ADA, { externalId: 'ext-1' })
      await reconciler.settle()
      arize.addAccount(ADA)
      arize.keys.set(ADA, ['old-key'])
      arize.fault = () => BROKEN
      change(old, { active: false })
      await reconciler.settle()
      const engineers = group('Engineers')
      const heir = join(ADA, { externalId: 'ext-2' })
      expect(decideIdentity(store, ADA, 'take-over', 'a new person', 'admin').ok).toBe(true)
      arize.fault = null
      expect(await reconciler.settle()).toEqual({ due: 0, held: 0, stuck: 0 })
      expect(arize.keys.get(ADA)).toEqual([])
      arize.keys.set(ADA, ['new-key'])
      addMember(engineers, heir)
      await reconciler.settle()
      expect(arize.keys.get(ADA)).toEqual(['new-key'])
      expect(arize.memberships()).toEqual([`${ADA} ML MEMBER`])
    }))

  it('of an address that never had an account hold nobody up who takes it over', () =>
    openWorld(async ({ arize, policy, group, join, change, reconciler, store, subject }) => {
      arize.addOrganization('ML')
      policy({ mappings: [ML] })
      const old = join(ADA, { externalId: 'ext-1' })
      await reconciler.settle()
      arize.fault = () => BROKEN
      change(old, { active: false })
      await reconciler.settle()
      group('Engineers', [join(ADA, { externalId: 'ext-2' })])
      expect(decideIdentity(store, ADA, 'take-over', 'a new person', 'admin').ok).toBe(true)
      arize.fault = null
      expect(await reconciler.settle()).toEqual({ due: 0, held: 0, stuck: 0 })
      expect(arize.memberships()).toEqual([`${ADA} ML MEMBER`])
      expect(subject(ADA).keys_due).toBe(0)
    }))
})
