import { describe, expect, it } from 'vitest'
import { decideIdentity, personOf } from '../../src/directory/people'
import { putMember } from './memberRows'
import { openWorld } from './world'

const POLICY = { mappings: [{ id: 'ml', group: 'Engineers', grants: [{ organization: 'ML', role: 'MEMBER' }] }] }

const ADA = 'ada@example.com'

describe('a changed address', () => {
  it('is a rename: the new account has its roles before the old one loses them, and the keys stay', () =>
    openWorld(async ({ arize, policy, group, join, change, reconciler, subject }) => {
      arize.addOrganization('ML')
      policy(POLICY)
      const ada = join(ADA, { externalId: 'ext-1' })
      group('Engineers', [ada])
      await reconciler.settle()
      arize.keys.set(ADA, ['key-1'])
      arize.calls.length = 0
      change(ada, { address: 'countess@example.com' })
      await reconciler.settle()
      expect(arize.memberships()).toEqual(['countess@example.com ML MEMBER'])
      expect(arize.calls).toEqual(['find', 'create', 'give organization', 'take organization'])
      expect(arize.keys.get(ADA)).toEqual(['key-1'])
      expect(subject(ADA)).toMatchObject({ state: 'in_step', leaver: null })
    }))

  it('takes nothing from the old account while the new one cannot get its roles', () =>
    openWorld(async ({ arize, policy, group, join, change, reconciler, subject }) => {
      arize.addOrganization('ML')
      policy(POLICY)
      const ada = join(ADA)
      group('Engineers', [ada])
      await reconciler.settle()
      arize.blocked.add('countess@example.com')
      change(ada, { address: 'countess@example.com' })
      expect(await reconciler.settle()).toEqual({ due: 0, held: 1, stuck: 1 })
      expect(arize.memberships()).toEqual([`${ADA} ML MEMBER`])
      change(ada, { address: ADA })
      expect(await reconciler.settle()).toMatchObject({ due: 0, held: 0 })
      expect(arize.memberships()).toEqual([`${ADA} ML MEMBER`])
      expect(subject(ADA).renamed_to).toBeNull()
    }))

  it('does not keep the old address alive when the person leaves before the new one is in step', () =>
    openWorld(async ({ arize, policy, group, join, change, reconciler }) => {
      arize.addOrganization('ML')
      policy(POLICY)
      const ada = join(ADA)
      group('Engineers', [ada])
      await reconciler.settle()
      arize.keys.set(ADA, ['key-1'])
      arize.blocked.add('countess@example.com')
      change(ada, { address: 'countess@example.com' })
      await reconciler.settle()
      change(ada, { active: false })
      await reconciler.settle()
      expect(arize.memberships()).toEqual([])
      expect(arize.keys.get(ADA)).toEqual([])
    }))

  it('of somebody who moves through several addresses ends at the last', () =>
    openWorld(async ({ arize, policy, group, join, change, reconciler }) => {
      arize.addOrganization('ML')
      policy(POLICY)
      const ada = join(ADA)
      group('Engineers', [ada])
      await reconciler.settle()
      change(ada, { address: 'b@example.com' })
      change(ada, { address: 'c@example.com' })
      await reconciler.settle()
      expect(arize.memberships()).toEqual(['c@example.com ML MEMBER'])
    }))
})

describe('an address that somebody else had', () => {
  it('is held for another externalId until an administrator decides', () =>
    openWorld(async ({ arize, policy, group, join, remove, reconciler, subject, store }) => {
      arize.addOrganization('ML')
      policy(POLICY)
      const old = join(ADA, { externalId: 'ext-1' })
      const engineers = group('Engineers', [old])
      await reconciler.settle()
      remove(old)
      await reconciler.settle()
      expect(arize.memberships()).toEqual([])
      arize.keys.set(ADA, ['made after'])
      const claimant = join(ADA, { externalId: 'ext-2' })
      putMember(store, engineers, claimant)
      await reconciler.settle()
      expect(arize.memberships()).toEqual([])
      expect(subject(ADA).identity_hold).toContain('same person')
      expect(personOf(store, ADA)).toMatchObject({ identityHold: expect.stringContaining('ext-1'), groups: [] })
      expect(decideIdentity(store, ADA, 'take-over', 'another Ada', 'test')).toMatchObject({ ok: true })
      await reconciler.settle()
      expect(arize.memberships()).toEqual([`${ADA} ML MEMBER`])
      expect(arize.keys.get(ADA)).toEqual([])
    }))

  it.each([
    ['the same externalId', 'ext-1'],
    ['no externalId', null],
  ])('is a rehire with %s', (_name, externalId) =>
    openWorld(async ({ arize, policy, group, join, remove, reconciler }) => {
      arize.addOrganization('ML')
      policy(POLICY)
      const old = join(ADA, { externalId: 'ext-1' })
      group('Engineers', [old])
      await reconciler.settle()
      remove(old)
      await reconciler.settle()
      group('Others Engineers')
      const again = join(ADA, { externalId })
      policy({ mappings: [{ id: 'ml', group: 'Rehired', grants: [{ organization: 'ML', role: 'MEMBER' }] }] })
      group('Rehired', [again])
      await reconciler.settle()
      expect(arize.memberships()).toEqual([`${ADA} ML MEMBER`])
    }))

  it('keeps the person whose externalId is corrected', () =>
    openWorld(async ({ arize, policy, group, join, change, remove, reconciler, subject }) => {
      arize.addOrganization('ML')
      policy(POLICY)
      const ada = join(ADA, { externalId: 'ext-1' })
      group('Engineers', [ada])
      change(ada, { externalId: 'ext-9' })
      await reconciler.settle()
      expect(arize.memberships()).toEqual([`${ADA} ML MEMBER`])
      remove(ada)
      join(ADA, { externalId: 'ext-9' })
      expect(subject(ADA).identity_hold).toBeNull()
    }))
})

describe('two users of one connection with one address', () => {
  it('hold the second until the first is gone', () =>
    openWorld(async ({ arize, policy, group, join, change, reconciler, subject, store }) => {
      arize.addOrganization('ML')
      policy(POLICY)
      const first = join(ADA)
      const second = join(ADA)
      group('Engineers', [second])
      await reconciler.settle()
      expect(arize.memberships()).toEqual([])
      expect(subject(ADA).identity_hold).toContain('same address')
      change(first, { active: false })
      await reconciler.settle()
      expect(arize.memberships()).toEqual([`${ADA} ML MEMBER`])
      expect(store.sql.one(`SELECT hold FROM users WHERE id = ?`, second)).toEqual({ hold: null })
      expect(subject(ADA)).toMatchObject({ leaver: null, identity_hold: null })
    }))

  it('are no leaver when the held one is deleted', () =>
    openWorld(async ({ arize, policy, group, join, remove, reconciler, subject }) => {
      arize.addOrganization('ML')
      policy(POLICY)
      group('Engineers', [join(ADA)])
      const second = join(ADA)
      await reconciler.settle()
      remove(second)
      await reconciler.settle()
      expect(arize.memberships()).toEqual([`${ADA} ML MEMBER`])
      expect(subject(ADA)).toMatchObject({ state: 'in_step', leaver: null, identity_hold: null })
    }))
})

describe('users that name nobody', () => {
  it('without an address are held and make no subject', () =>
    openWorld(({ join, store }) => {
      const id = join(null)
      expect(store.sql.rows(`SELECT address FROM subjects`)).toEqual([])
      expect(store.sql.one<{ hold: string }>(`SELECT hold FROM users WHERE id = ?`, id)?.hold).toContain('no e-mail')
    }))

  it('that were created inactive offboard nobody', () =>
    openWorld(async ({ arize, policy, join, reconciler }) => {
      policy(POLICY)
      arize.addAccount(ADA)
      arize.keys.set(ADA, ['key'])
      join(ADA, { active: false })
      await reconciler.settle()
      expect(arize.calls).toEqual([])
      expect(arize.keys.get(ADA)).toEqual(['key'])
    }))
})
