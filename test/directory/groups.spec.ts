import { describe, expect, it } from 'vitest'
import { LONGEST_QUIET_MS, QUIET_MS, subjectOf } from '../../src/directory/subjects'
import type { GroupFact } from '../../src/policy/mapping'
import { dueSubjects, forget, idOf, journalled, membersOf, openScim, person, type Json, type ScimWorld } from './scimClient'
import { START } from './memoryStore'

interface Team {
  readonly ada: string
  readonly bob: string
  readonly cyd: string
  readonly group: string
}

/** Ada and Bob are engineers, Cyd is not. */
const seedTeam = (world: ScimWorld): Team => {
  const { okta } = world
  const [ada = '', bob = '', cyd = ''] = ['ada', 'bob', 'cyd'].map((name) => idOf(okta.post('User', person(name))))
  const group = idOf(okta.post('Group', { displayName: 'Engineers', externalId: 'g-1', members: [{ value: ada }, { value: bob }] }))
  forget(world)
  return { ada, bob, cyd, group }
}

const due = (dueInMs: number, ...names: string[]): Json[] => names.map((name) => ({ address: `${name}@example.com`, dueInMs, cause: null }))

const unknown = '11111111-1111-4111-8111-111111111111'

describe('POST /Groups', () => {
  it('stores the group without its members, and the members as rows', async () => {
    await openScim((world) => {
      const { okta, store } = world
      const ada = idOf(okta.post('User', person('ada')))
      forget(world)
      const created = okta.post('Group', { displayName: 'Engineers', externalId: 'g-1', members: [{ value: ada, display: 'Ada' }] })
      const id = idOf(created)
      expect(created).toMatchObject({ status: 201, etag: 'W/"1"', location: `https://bridge.example/scim/v2/Groups/${id}` })
      expect(created.body.members).toEqual([{ value: ada, $ref: `https://bridge.example/scim/v2/Users/${ada}`, type: 'User' }])
      const time = new Date(START).toISOString()
      const row = store.sql.one<{ data: string; display_name_fold: string; external_id: string; version: number }>(`SELECT * FROM groups`)
      expect(row).toMatchObject({ display_name: 'Engineers', display_name_fold: 'engineers', external_id: 'g-1', version: 1, created: time, modified: time })
      expect(JSON.parse(row?.data ?? '')).toEqual({
        schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'], id, externalId: 'g-1', displayName: 'Engineers',
        meta: { resourceType: 'Group', created: time, lastModified: time, version: 'W/"1"' },
      })
      expect(dueSubjects(world)).toEqual(due(QUIET_MS, 'ada'))
      expect(journalled(world)).toEqual([{
        kind: 'scim.create', subject: null, connection: 'okta', actor: 'token of okta',
        data: { type: 'Group', id, attributes: ['externalId', 'displayName'], added: { ids: [ada], count: 1 } },
      }])
    })
  })

  it.each(['Engineers', 'ENGINEERS'])('refuses a second %s within the connection with 409', async (displayName) => {
    await openScim(({ okta, entra, dump }) => {
      okta.post('Group', { displayName: 'Engineers' })
      const before = dump()
      expect(okta.post('Group', { displayName, externalId: 'another' }).body).toMatchObject({ status: 409, scimType: 'uniqueness' })
      expect(dump()).toEqual(before)
      expect(entra.post('Group', { displayName }).status).toBe(201)
    })
  })

  it('skips members that cannot be, and says so in the journal', async () => {
    await openScim((world) => {
      const { okta, entra } = world
      const ada = idOf(okta.post('User', person('ada')))
      const foreign = idOf(entra.post('User', person('ada')))
      const other = idOf(okta.post('Group', { displayName: 'Others' }))
      forget(world)
      const skipped = [unknown, foreign, other, 'x'.repeat(500)]
      const created = okta.post('Group', { displayName: 'Engineers', members: [ada, ...skipped].map((value) => ({ value })) })
      expect(membersOf(created)).toEqual([ada])
      expect(journalled(world)[0]?.data).toMatchObject({
        added: { ids: [ada], count: 1 }, skipped: { ids: [unknown, foreign, other, `${'x'.repeat(100)}…`], count: 4 },
      })
    })
  })
})

describe('members', () => {
  it.each<[string, (team: Team) => Json[], (team: Team) => string[], Json[]]>([
    ['adding (E-33)', ({ cyd }) => [{ op: 'Add', path: 'members', value: [{ $ref: null, value: cyd }] }], ({ ada, bob, cyd }) => [ada, bob, cyd], due(QUIET_MS, 'cyd')],
    ['removing by value list (E-34)', ({ ada }) => [{ op: 'Remove', path: 'members', value: [{ value: ada }] }], ({ bob }) => [bob], due(QUIET_MS, 'ada')],
    ['removing by path (O-24)', ({ ada, cyd }) => [{ op: 'remove', path: `members[value eq "${ada}"]` }, { op: 'add', path: 'members', value: [{ value: cyd }] }],
      ({ bob, cyd }) => [bob, cyd], due(QUIET_MS, 'ada', 'cyd')],
    ['replacing (O-25)', ({ bob, cyd }) => [{ op: 'replace', path: 'members', value: [{ value: bob }, { value: cyd }] }], ({ bob, cyd }) => [bob, cyd], due(QUIET_MS, 'ada', 'cyd')],
    ['removing everybody', () => [{ op: 'remove', path: 'members' }], () => [], due(LONGEST_QUIET_MS, 'ada', 'bob')],
    ['replacing by null (E-37)', () => [{ op: 'Replace', path: 'members', value: null }], () => [], due(LONGEST_QUIET_MS, 'ada', 'bob')],
    ['removing both by name', ({ ada, bob }) => [{ op: 'remove', path: 'members', value: [{ value: ada }, { value: bob }] }], () => [], due(LONGEST_QUIET_MS, 'ada', 'bob')],
    ['replacing by a stale list still removes', ({ bob }) => [{ op: 'replace', path: 'members', value: [{ value: bob }, { value: unknown }] }], ({ bob }) => [bob], due(QUIET_MS, 'ada')],
    ['removing beside an unknown addition', ({ ada }) => [{ op: 'add', path: 'members', value: [{ value: unknown }] }, { op: 'remove', path: `members[value eq "${ada}"]` }],
      ({ bob }) => [bob], due(QUIET_MS, 'ada')],
  ])('%s changes the rows, the version and the right people', async (_name, operations, expected, marks) => {
    await openScim((world) => {
      const team = seedTeam(world)
      world.store.clock.at += 1_000
      expect(world.okta.patch('Group', team.group, operations(team))).toMatchObject({ status: 204, etag: 'W/"2"', body: {} })
      const after = world.okta.get('Group', team.group)
      expect(membersOf(after)).toEqual(expected(team).toSorted())
      expect(after.body.meta).toMatchObject({ version: 'W/"2"', lastModified: new Date(START + 1_000).toISOString() })
      expect(dueSubjects(world)).toEqual(marks)
      expect(journalled(world)).toMatchObject([{ kind: 'scim.patch', data: { type: 'Group', id: team.group, attributes: [] } }])
    })
  })

  it.each<[string, (team: Team) => Json[]]>([
    ['the same name (O-23)', ({ group }) => [{ op: 'replace', value: { id: group, displayName: 'Engineers' } }]],
    ['who is there', ({ ada }) => [{ op: 'add', path: 'members', value: [{ value: ada }, { value: ada }] }]],
    ['who is not', ({ cyd }) => [{ op: 'remove', path: `members[value eq "${cyd}"]` }]],
    ['an unknown id, removed', () => [{ op: 'remove', path: 'members', value: [{ value: unknown }] }]],
    ['nobody, removed', () => [{ op: 'remove', path: 'members', value: [] }]],
    ['a member added and removed in one request', ({ cyd }) => [{ op: 'add', path: 'members', value: [{ value: cyd }] }, { op: 'remove', path: `members[value eq "${cyd}"]` }]],
    ['everybody out and in again', ({ ada, bob }) => [{ op: 'remove', path: 'members' }, { op: 'add', path: 'members', value: [{ value: bob }, { value: ada }] }]],
    ['the present list', ({ ada, bob }) => [{ op: 'replace', path: 'members', value: [{ value: ada }, { value: bob }] }]],
  ])('%s changes nothing and writes nothing', async (_name, operations) => {
    await openScim((world) => {
      const team = seedTeam(world)
      const before = world.dump()
      world.store.clock.at += 1_000
      world.store.statements.forget()
      expect(world.okta.patch('Group', team.group, operations(team))).toMatchObject({ status: 204, etag: 'W/"1"' })
      expect(world.store.statements.all.filter((text) => !text.trimStart().startsWith('SELECT'))).toEqual([])
      expect(world.dump()).toEqual(before)
    })
  })

  it('names ids that cannot be members when the request asks for nothing else (scim-decisions 19)', async () => {
    await openScim((world) => {
      const { ada, bob, group } = seedTeam(world)
      const other = idOf(world.okta.post('Group', { displayName: 'Others' }))
      const before = world.dump()
      const requests = [
        world.okta.patch('Group', group, [{ op: 'add', path: 'members', value: [{ value: unknown }, { value: ada }] }]),
        world.okta.patch('Group', group, [{ op: 'replace', path: 'members', value: [{ value: unknown }, { value: ada }, { value: bob }] }]),
        world.okta.put('Group', group, { displayName: 'Engineers', members: [{ value: ada }, { value: bob }, { value: unknown }] }),
      ]
      for (const { body } of requests) {
        expect(body).toMatchObject({ status: 400, scimType: 'invalidValue', detail: expect.stringContaining(unknown) })
        expect(body.detail).toContain('"members"')
      }
      expect(world.okta.patch('Group', group, [{ op: 'add', path: 'members', value: [{ value: other }] }]).body).toMatchObject({ status: 400, detail: expect.stringContaining(other) })
      const many = Array.from({ length: 25 }, (_, index) => ({ value: `unknown-${index}-` }))
      const { detail } = world.okta.patch('Group', group, [{ op: 'add', path: 'members', value: many }]).body
      expect(many.filter(({ value }) => String(detail).includes(value)).length).toBe(10)
      expect(detail).toContain('15 others')
      expect(world.dump()).toEqual(before)
    })
  })

  it('applies a rename beside unknown ids, and journals them', async () => {
    await openScim((world) => {
      const { group } = seedTeam(world)
      expect(world.okta.patch('Group', group, [
        { op: 'replace', path: 'displayName', value: 'Builders' }, { op: 'add', path: 'members', value: [{ value: unknown }] },
      ]).status).toBe(204)
      expect(journalled(world)[0]?.data).toEqual({ type: 'Group', id: group, attributes: ['displayName'], skipped: { ids: [unknown], count: 1 } })
    })
  })

  it('takes inactive users as members', async () => {
    await openScim((world) => {
      const { okta } = world
      const { cyd, group } = seedTeam(world)
      okta.patch('User', cyd, [{ op: 'replace', value: { active: false } }])
      okta.patch('Group', group, [{ op: 'add', path: 'members', value: [{ value: cyd }] }])
      expect(membersOf(okta.get('Group', group))).toContain(cyd)
    })
  })

  it('changes nothing when another operation of the request is wrong', async () => {
    await openScim((world) => {
      const { ada, group } = seedTeam(world)
      world.okta.post('Group', { displayName: 'Taken' })
      const before = world.dump()
      const removal = { op: 'remove', path: `members[value eq "${ada}"]` }
      for (const wrong of [
        { op: 'replace', path: 'nonsense', value: 'x' },
        { op: 'replace', path: 'displayName', value: '' },
        { op: 'replace', path: 'displayName', value: 'TAKEN' },
        { op: 'add', path: 'members', value: [{ display: 'nobody' }] },
      ]) {
        expect([400, 409]).toContain(world.okta.patch('Group', group, [removal, wrong]).status)
      }
      expect(world.dump()).toEqual(before)
    })
  })
})

describe('PUT /Groups/{id}', () => {
  it('keeps the members that it does not mention, and clears them with an empty list (scim-decisions 17)', async () => {
    await openScim((world) => {
      const { okta } = world
      const { ada, bob, group } = seedTeam(world)
      const kept = okta.put('Group', group, { displayName: 'Builders' })
      expect(kept).toMatchObject({ status: 200, etag: 'W/"2"', body: { displayName: 'Builders', externalId: 'g-1' } })
      expect(membersOf(kept)).toEqual([ada, bob].toSorted())
      forget(world)
      const cleared = okta.put('Group', group, { displayName: 'Builders', members: [] })
      expect(cleared.body.members).toEqual([])
      expect(dueSubjects(world)).toEqual(due(LONGEST_QUIET_MS, 'ada', 'bob'))
      expect(journalled(world)[0]?.data).toEqual({ type: 'Group', id: group, attributes: [], removed: { ids: [ada, bob].toSorted(), count: 2 } })
    })
  })

  it('leaves everything alone when it says what is there', async () => {
    await openScim((world) => {
      const { group } = seedTeam(world)
      const read = world.okta.get('Group', group)
      const before = world.dump()
      expect(world.okta.put('Group', group, read.body)).toEqual(read)
      expect(world.okta.put('Group', group, { displayName: 'Engineers' })).toEqual(read)
      expect(world.dump()).toEqual(before)
    })
  })

  it('keeps people who come back within the quiet time waiting once', async () => {
    await openScim((world) => {
      const { ada, bob, group } = seedTeam(world)
      world.okta.put('Group', group, { displayName: 'Engineers', members: [] })
      world.store.clock.at += 500
      world.okta.put('Group', group, { displayName: 'Engineers', members: [{ value: ada }, { value: bob }] })
      expect(dueSubjects(world)).toEqual(due(LONGEST_QUIET_MS - 500, 'ada', 'bob'))
    })
  })
})

describe('renames', () => {
  it.each<[string, Json, boolean, Json[]]>([
    ['to a name that the policy maps alike', { displayName: 'Builders' }, false, due(QUIET_MS, 'ada', 'bob')],
    ['to another case', { displayName: 'ENGINEERS' }, false, due(QUIET_MS, 'ada', 'bob')],
    ['of the externalId', { externalId: 'g-2' }, false, due(QUIET_MS, 'ada', 'bob')],
    ['that unmaps', { displayName: 'Strangers' }, true, due(LONGEST_QUIET_MS, 'ada', 'bob').map((mark) => ({ ...mark, cause: 'rename' }))],
  ])('%s', async (_name, value, unmaps, marks) => {
    await openScim((world) => {
      const { group } = seedTeam(world)
      const asked: [GroupFact, GroupFact][] = []
      world.policy.unmaps = (before, after) => {
        asked.push([before, after])
        return unmaps
      }
      world.okta.patch('Group', group, [{ op: 'replace', value }])
      const connection = { id: 'okta', name: 'Connection okta' }
      const before = { id: group, displayName: 'Engineers', externalId: 'g-1', connection }
      expect(asked).toEqual([[before, { ...before, ...value }]])
      expect(dueSubjects(world)).toEqual(marks)
    })
  })

  it('marks those who leave with the same request as renamed too', async () => {
    await openScim((world) => {
      const { ada, cyd, group } = seedTeam(world)
      world.policy.unmaps = () => true
      world.okta.put('Group', group, { displayName: 'Strangers', members: [{ value: ada }, { value: cyd }] })
      expect(dueSubjects(world).map(({ address, cause }) => [address, cause])).toEqual([
        ['ada@example.com', 'rename'], ['bob@example.com', 'rename'], ['cyd@example.com', null],
      ])
      expect(subjectOf(world.store, 'bob@example.com')?.due).toBe(START + LONGEST_QUIET_MS)
    })
  })

  it('does not ask the policy about anything else', async () => {
    await openScim((world) => {
      const { cyd, group } = seedTeam(world)
      world.policy.unmaps = () => {
        throw new Error('asked')
      }
      world.okta.patch('Group', group, [{ op: 'add', path: 'members', value: [{ value: cyd }] }, { op: 'replace', path: 'displayName', value: 'Engineers' }])
      expect(dueSubjects(world)).toEqual(due(QUIET_MS, 'cyd'))
    })
  })
})

describe('DELETE /Groups/{id}', () => {
  it('takes the group from its people, keeps them, and is 404 the second time', async () => {
    await openScim((world) => {
      const { okta, store } = world
      const { ada, bob, group } = seedTeam(world)
      expect(okta.get('User', ada).body.groups).toEqual([
        { value: group, $ref: `https://bridge.example/scim/v2/Groups/${group}`, display: 'Engineers', type: 'direct' },
      ])
      expect(okta.remove('Group', group)).toMatchObject({ status: 204, body: {} })
      expect(okta.remove('Group', group).status).toBe(404)
      expect(dueSubjects(world)).toEqual(due(LONGEST_QUIET_MS, 'ada', 'bob'))
      expect(store.sql.rows(`SELECT * FROM members`)).toEqual([])
      expect(okta.get('User', ada).body.groups).toBeUndefined()
      expect(okta.list('User').body.totalResults).toBe(3)
      expect(journalled(world)).toEqual([{
        kind: 'scim.delete', subject: null, connection: 'okta', actor: 'token of okta',
        data: { type: 'Group', id: group, removed: { ids: [ada, bob].toSorted(), count: 2 } },
      }])
    })
  })
})
