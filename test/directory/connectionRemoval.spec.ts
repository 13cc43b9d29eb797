import { describe, expect, it } from 'vitest'
import { previewRemoval, type RemovalPreview } from '../../src/directory/connectionPreview'
import { removeConnection } from '../../src/directory/connectionRemoval'
import { connectionById, createConnection } from '../../src/directory/connections'
import { approveHold, listHolds } from '../../src/directory/holds'
import { dueTimers } from '../../src/directory/meta'
import { putPolicy } from '../../src/directory/policies'
import { EMPTY_POLICY, parsePolicy } from '../../src/policy/document'
import { putMember } from './memberRows'
import { CONNECTION, openWorld, type World } from './world'

/** A connection goes: what only it gave goes under the brake, nobody becomes a leaver, and the preview has said so before. */

const ADA = 'ada@example.com'
const LOOSE = { maxRemovalsPerHour: 10_000, maxRemovalsPercent: 100 }
const POLICY = {
  mappings: [
    { id: 'ml', group: 'Engineers', grants: [{ organization: 'ML', role: 'MEMBER' }] },
    { id: 'ops', group: 'Operators', grants: [{ organization: 'Ops', role: 'MEMBER' }] },
    { id: 'read', group: 'Readers', grants: [{ organization: 'ML', role: 'READ_ONLY' }] },
  ],
}

const ENTRA = 'entra'

/** A second connection of the same source, so that mappings need not name one, with a group of its own. */
const addEntra = ({ store }: World, group = 'Readers'): ((...users: readonly string[]) => void) => {
  expect(createConnection(store, { kind: 'scim', name: 'Entra', source: 'okta', config: { address: 'email', issuers: [] } }, 'test', ENTRA).ok).toBe(true)
  store.sql.run(
    `INSERT INTO groups (id, connection_id, display_name, display_name_fold, created, modified, version, data, fold) VALUES ('g-entra', ?, ?, ?, '', '', 1, '{}', '{}')`,
    ENTRA, group, group.toLowerCase())
  return (...users) => {
    for (const user of users) putMember(store, 'g-entra', user)
  }
}

const open = async (world: World, brake: object = LOOSE): Promise<void> => {
  world.arize.addOrganization('ML')
  world.arize.addOrganization('Ops')
  world.policy({ ...POLICY, brake })
}

const UNDONE = new Error('undone')

const preview = async ({ store, reconciler }: World, id = CONNECTION): Promise<RemovalPreview> => {
  const document = store.sql.one<{ document: string }>(`SELECT document FROM policies ORDER BY version DESC LIMIT 1`)
  const parsed = parsePolicy(JSON.parse(document?.document ?? '{"mappings":[]}'))
  const done = await previewRemoval({
    store, reconciler, brake: () => (parsed.ok ? parsed.value : EMPTY_POLICY).brake, yieldTurn: () => Promise.resolve(),
    dryRun: (work) => {
      const found: ReturnType<typeof work>[] = []
      try {
        store.transaction(() => {
          found.push(work())
          throw UNDONE
        })
      } catch (error) {
        if (error !== UNDONE) throw error
      }
      const [value] = found
      if (value === undefined) throw new Error('nothing was worked out')
      return value
    },
  }, id)
  if (!done.ok) throw new Error(JSON.stringify(done.error))
  return done.value
}

const remove = ({ store }: World, confirm = 'Okta', id = CONNECTION) => removeConnection(store, id, confirm, 'admin')

const left = ({ store }: World, id = CONNECTION): readonly unknown[] =>
  ['users', 'groups', 'tokens', 'statements', 'deliveries', 'refreshes', 'pulled', 'pulls', 'polls'].flatMap((table) =>
    store.sql.rows(`SELECT '${table}' AS name FROM ${table} WHERE connection_id = ?`, id))

const tables = ({ store }: World): unknown =>
  ['connections', 'users', 'groups', 'group_members', 'subjects', 'ledger', 'journal', 'holds', 'counters', 'timers'].map((table) => store.sql.rows(`SELECT * FROM ${table}`))

describe('the removal of a connection', () => {
  it('takes what only it gave, makes nobody a leaver, and leaves API keys and accounts alone', () =>
    openWorld(async (world) => {
      await open(world)
      const toEntra = addEntra(world)
      const ada = world.join(ADA, { externalId: '00u1' })
      world.group('Engineers', [ada])
      toEntra(world.join(ADA, { connection: ENTRA, externalId: '00u1' }))
      world.group('Operators', [world.join('bob@example.com')])
      world.join('idle@example.com')
      await world.reconciler.settle()
      expect(world.arize.memberships()).toEqual(['ada@example.com ML MEMBER', 'bob@example.com Ops MEMBER'])
      for (const email of [ADA, 'bob@example.com']) world.arize.keys.set(email, ['key'])

      expect(remove(world).ok).toBe(true)
      await world.reconciler.settle()
      expect(world.arize.memberships()).toEqual(['ada@example.com ML READ_ONLY'])
      expect([...world.arize.keys.values()]).toEqual([['key'], ['key']])
      expect([...world.arize.accounts_.values()].map(({ email }) => email).toSorted()).toEqual([ADA, 'bob@example.com'])
      expect(world.subject('bob@example.com')).toMatchObject({ leaver: null, keys_due: 0, state: 'in_step' })
      expect([connectionById(world.store, CONNECTION), left(world)]).toEqual([null, []])
      expect(world.journal('connection.deleted')).toEqual([{ name: 'Okta', users: 3, groups: 2 }])
      expect(world.journal('identity.left')).toEqual([{ how: 'disconnected' }, { how: 'disconnected' }])
    }))

  it('goes on with leavers as leavers', () =>
    openWorld(async (world) => {
      await open(world)
      const ada = world.join(ADA)
      world.group('Engineers', [ada])
      await world.reconciler.settle()
      world.arize.keys.set(ADA, ['key'])
      world.change(ada, { active: false })
      expect(remove(world).ok).toBe(true)
      await world.reconciler.settle()
      expect([world.arize.memberships(), world.subject(ADA).leaver, world.arize.keys.get(ADA)]).toEqual([[], 'deactivated', []])
    }))

  it('is closed at once, goes slice by slice, and goes on after a crash', () =>
    openWorld(async (world) => {
      await open(world)
      for (let n = 0; n < 1_200; n += 1) world.join(`p${n}@example.com`)
      world.store.sql.run(`INSERT INTO statements (connection_id, key, at, gives) VALUES (?, 'active x', 1, 1)`, CONNECTION)
      world.store.sql.run(`INSERT INTO deliveries (connection_id, event_id, at) VALUES (?, 'e', 1)`, CONNECTION)
      expect(remove(world)).toMatchObject({ ok: true, value: { state: 'removing', revision: 2, generation: 2 } })
      const users = (): number => world.store.sql.one<{ n: number }>(`SELECT count(*) AS n FROM users`)?.n ?? 0
      const seen = [users()]
      for (let turn = 0; turn < 4; turn += 1) {
        await world.restart().alarm()
        seen.push(users())
      }
      expect(seen).toEqual([1_200, 700, 200, 0, 0])
      expect(connectionById(world.store, CONNECTION)?.state).toBe('removing')
      for (let turn = 0; turn < 3; turn += 1) await world.restart().alarm()
      expect([connectionById(world.store, CONNECTION), left(world), dueTimers(world.store).filter(({ kind }) => kind === 'removal')]).toEqual([null, [], []])
      expect(world.journal('connection.deleted')).toEqual([{ name: 'Okta', users: 1_200, groups: 0 }])
    }))

  it('of many people waits for an administrator', () =>
    openWorld(async (world) => {
      await open(world, { maxRemovalsPerHour: 10, maxRemovalsPercent: 100 })
      world.group('Engineers', Array.from({ length: 11 }, (_, n) => world.join(`p${n}@example.com`)))
      await world.reconciler.settle()
      const foreseen = await preview(world)
      expect(foreseen).toMatchObject({ people: 11, brake: { holds: true, sentence: expect.stringContaining('11 people') } })
      expect(remove(world).ok).toBe(true)
      await world.reconciler.settle()
      expect(world.arize.memberships()).toHaveLength(11)
      const [hold] = listHolds(world.store)
      expect(hold).toMatchObject({ kind: 'movers', state: 'open', peopleCount: 11 })
      approveHold(world.store, hold?.id ?? '', 'admin', 'replaced')
      await world.reconciler.settle()
      expect(world.arize.memberships()).toEqual([])
    }))

  it.each<[string, string, string, number]>([
    ['an unknown connection', 'nobody', 'Okta', 404], ['another name', CONNECTION, 'okta', 422], ['no name', CONNECTION, '', 422], ['its id', CONNECTION, CONNECTION, 422],
  ])('of %s is refused, and changes nothing', (_what, id, confirm, status) =>
    openWorld(async (world) => {
      world.join(ADA)
      const before = tables(world)
      expect(remove(world, confirm, id)).toMatchObject({ ok: false, error: { status } })
      expect(tables(world)).toEqual(before)
    }))

  it.each([['its id', CONNECTION], ['its name', 'OKTA']])('waits until the policy no longer names it by %s', (_what, connection) =>
    openWorld(async (world) => {
      const named = { mappings: [{ id: 'ml', group: 'Engineers', connection, grants: [{ organization: 'ML', role: 'MEMBER' }] }] }
      world.arize.addOrganization('ML')
      world.policy(named)
      expect((await preview(world)).mappings).toEqual(['ml'])
      expect(remove(world)).toMatchObject({ ok: false, error: { status: 409, sentence: expect.stringContaining('"ml"') } })
      world.policy(POLICY)
      expect((await preview(world)).mappings).toEqual([])
      expect(remove(world).ok).toBe(true)
      // Nor may a new policy name what is about to go.
      expect(putPolicy(world.store, named, 'test').ok).toBe(false)
      expect(remove(world, 'whatever')).toMatchObject({ ok: true, value: { state: 'removing' } })
    }))
})

describe('the preview of a removal', () => {
  it('is what then happens, and leaves nothing behind', () =>
    openWorld(async (world) => {
      await open(world)
      const toEntra = addEntra(world)
      const everybody = Array.from({ length: 120 }, (_, n) => `p${String(n).padStart(3, '0')}@example.com`)
      const ids = everybody.map((address) => world.join(address))
      world.group('Engineers', ids.filter((_, n) => n % 2 === 0))
      world.group('Operators', ids.filter((_, n) => n % 3 === 0))
      toEntra(...everybody.filter((_, n) => n % 5 === 0).map((address) => world.join(address, { connection: ENTRA })))
      await world.reconciler.settle()
      const had = world.arize.memberships()
      const before = tables(world)
      const foreseen = await preview(world)
      expect(tables(world)).toEqual(before)
      expect(foreseen).toMatchObject({ users: 120, groups: 2, isEstimate: false, brake: { holds: false, sentence: null } })
      expect(foreseen.losses).toHaveLength(foreseen.people)

      expect(remove(world).ok).toBe(true)
      await world.reconciler.settle()
      const has = new Set(world.arize.memberships())
      const losers = new Set(had.filter((membership) => !has.has(membership)).map((membership) => membership.split(' ')[0]))
      expect(foreseen.losses.map(({ email }) => email).toSorted()).toEqual([...losers].toSorted())
      expect(foreseen.losses.find(({ email }) => email === 'p000@example.com')?.loses.toSorted()).toEqual([
        'change MEMBER to READ_ONLY on organization "ML"', 'remove MEMBER on organization "Ops"',
      ])
    }))

  it('reads the names that it needs, and says when it cannot', () =>
    openWorld(async (world) => {
      await open(world)
      const toEntra = addEntra(world, 'Operators')
      world.group('Engineers', [world.join(ADA)])
      await world.reconciler.settle()
      toEntra(world.join(ADA, { connection: ENTRA }))
      world.store.sql.run(`DELETE FROM resources`)
      world.store.sql.run(`DELETE FROM meta WHERE key = 'namesRead'`)
      expect((await preview(world)).losses).toEqual([{ email: ADA, loses: ['remove MEMBER on organization "ML"'] }])
      world.store.sql.run(`DELETE FROM meta WHERE key = 'namesRead'`)
      world.arize.faults.push({ kind: 'unavailable', status: 503, detail: 'away' })
      await expect(preview(world)).rejects.toThrow('cannot be read now')
    }))

  it('of nobody says so', () =>
    openWorld(async (world) => {
      expect(await preview(world)).toEqual({ users: 0, groups: 0, people: 0, isEstimate: false, losses: [], brake: { holds: false, sentence: null }, mappings: [] })
    }))
})
