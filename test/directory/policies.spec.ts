import { describe, expect, it } from 'vitest'
import { createConnection } from '../../src/directory/connections'
import { createPolicyCache, currentPolicy, putPolicy } from '../../src/directory/policies'
import { openWorld, type World } from './world'

const GRANTS = [{ organization: 'ML', role: 'MEMBER' }]
const POLICY = { mappings: [{ id: 'ml', group: 'Engineers', grants: GRANTS }] }

const addEntra = ({ store }: World): void => {
  store.clock.at += 1000
  expect(createConnection(store, { kind: 'scim', name: 'Entra', source: 'entra', config: { address: 'email', issuers: [] } }, 'test', 'entra').ok).toBe(true)
}

describe('a stored policy', () => {
  it('gets a version, and an invalid one changes nothing', () =>
    openWorld(({ store }) => {
      expect(putPolicy(store, POLICY, 'test')).toEqual({ ok: true, value: 1 })
      expect(putPolicy(store, { mappings: [{ id: 'ml', group: 'Engineers', grants: [{ organization: 'ML', role: 'OWNER' }] }] }, 'test')).toMatchObject({ ok: false })
      expect(currentPolicy(store)?.version).toBe(1)
    }))

  it('stays in force when a second source comes, and means the connections of its time', () =>
    openWorld(async (world) => {
      const { store, arize, join, policy, group, reconciler, subject } = world
      arize.addOrganization('ML')
      policy(POLICY)
      const ada = join('ada@example.com')
      const engineers = group('Engineers', [ada])
      await reconciler.settle()
      addEntra(world)
      const bob = join('bob@example.com', { connection: 'entra' })
      store.sql.run(
        `INSERT INTO groups (id, connection_id, display_name, display_name_fold, created, modified, version, data, fold) VALUES ('g2', 'entra', 'Engineers', 'engineers', '', '', 1, '{}', '{}')`)
      world.addMember('g2', bob)
      world.addMember(engineers, join('carl@example.com'))
      await reconciler.settle()
      expect(arize.memberships()).toEqual(['ada@example.com ML MEMBER', 'carl@example.com ML MEMBER'])
      expect(subject('bob@example.com').state).toBe('in_step')
      expect(createPolicyCache(store)().unbound).toEqual(['ml'])
    }))

  it('must name connections once there are two sources', () =>
    openWorld((world) => {
      addEntra(world)
      expect(putPolicy(world.store, POLICY, 'test')).toMatchObject({ ok: false, error: [{ path: expect.stringContaining('mappings[0]') }] })
      const bound = { mappings: [{ ...POLICY.mappings[0], connection: 'Entra' }] }
      expect(putPolicy(world.store, bound, 'test')).toMatchObject({ ok: true })
      expect(createPolicyCache(world.store)().unbound).toEqual([])
    }))
})
