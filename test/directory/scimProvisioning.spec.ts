import { describe, expect, it } from 'vitest'
import { createConnection } from '../../src/directory/connections'
import type { Conflict, Grant } from '../../src/policy/entitlement'
import { PROVISIONING_SCHEMA as URN } from '../../src/scim/schema'
import { forget, idOf, openScim, person, type Answer, type Json, type ScimWorld } from './scimClient'

const organization = (name: string, ...groups: readonly string[]): Grant => ({
  kind: 'organization', organization: name, role: { type: 'PREDEFINED', name: 'MEMBER' },
  because: groups.map((group) => ({ mapping: `map ${group}`, group })),
})

const GRANTS: readonly Grant[] = [
  { kind: 'account', role: 'MEMBER', because: [{ mapping: 'a', group: 'Engineers' }] },
  organization('ML', 'Engineers'),
  { kind: 'space', organization: 'ML', space: 'Ranking', role: { type: 'CUSTOM', name: 'Reviewer' }, because: [{ mapping: 's', group: 'audit', entitlement: true }] },
  { kind: 'developer', because: [{ mapping: 'd', group: 'Engineers' }] },
]

const conflict = (group: string): Conflict => ({ code: 'slot', entitlement: null, because: [{ mapping: 'm', group }], sentence: `Two roles because of ${group}.` })

/** What the reconciler would have found out. */
const found = ({ store }: ScimWorld, address: string, columns: Readonly<Record<string, string | null>>): void => {
  for (const [name, value] of Object.entries(columns)) store.sql.run(`UPDATE subjects SET ${name} = ? WHERE address = ?`, value, address)
}

const extensionOf = ({ body }: Pick<Answer, 'body'>): unknown => body[URN]

const namesIn = ({ body }: Answer): unknown[] => (Array.isArray(body.Resources) ? body.Resources.map((user: Json) => user.userName) : [])

describe('the provisioning extension', () => {
  it('says what became of the person, beside the other schemas', async () => {
    await openScim((world) => {
      const { okta } = world
      const created = okta.post('User', person('ada', { 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User': { department: 'R&D' } }))
      expect(extensionOf(created)).toEqual({ state: 'due' })
      expect(created.body.schemas).toEqual([
        'urn:ietf:params:scim:schemas:core:2.0:User', 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User', URN,
      ])
      found(world, 'ada@example.com', {
        state: 'stuck', arize_id: 'VXNlcjox', arize_role: 'MEMBER', grants: JSON.stringify(GRANTS), conflicts: JSON.stringify([conflict('X'), conflict('X')]), last_error: 'Arize refused.',
      })
      const read = okta.get('User', idOf(created))
      expect(extensionOf(read)).toEqual({
        state: 'stuck', arizeUserId: 'VXNlcjox', accountRole: 'MEMBER', lastError: 'Arize refused.', conflicts: ['Two roles because of X.'],
        grants: [
          { type: 'account', resource: 'account', role: 'MEMBER', reason: 'account role MEMBER because group "Engineers" is mapped by "a"' },
          { type: 'organization', resource: 'organization "ML"', role: 'MEMBER', reason: 'MEMBER of organization "ML" because group "Engineers" is mapped by "map Engineers"' },
          {
            type: 'space', resource: 'space "Ranking" in organization "ML"', role: 'Reviewer',
            reason: 'custom role "Reviewer" on space "Ranking" in organization "ML" because entitlement "audit" is mapped by "s"',
          },
          { type: 'developer', resource: 'account', role: 'developer', reason: 'developer access because group "Engineers" is mapped by "d"' },
        ],
      })
      expect([read.etag, read.body.meta]).toEqual([created.etag, created.body.meta])
      expect(okta.get('User', idOf(created), { ifNoneMatch: created.etag ?? '' }).status).toBe(304)
    })
  })

  it('is absent where nothing is known, and of a held user says why, and nothing of whoever has the address', async () => {
    await openScim((world) => {
      const { okta, store } = world
      const inactive = okta.post('User', person('gone', { active: false }))
      expect([extensionOf(inactive), inactive.body.schemas]).toEqual([undefined, ['urn:ietf:params:scim:schemas:core:2.0:User']])
      const nameless = okta.post('User', { userName: 'robot' })
      expect(extensionOf(nameless)).toEqual({ state: 'held', lastError: 'This user has no e-mail address that could name an Arize account.' })
      okta.post('User', person('ada'))
      found(world, 'ada@example.com', { arize_id: 'VXNlcjox', grants: JSON.stringify(GRANTS) })
      const twin = okta.post('User', person('ada', { userName: 'ada2', externalId: '00u-2' }))
      expect(extensionOf(twin)).toEqual({ state: 'held', lastError: expect.stringContaining('Another user has, or had, the address') as string })
      okta.remove('User', idOf(twin))
      store.sql.run(`INSERT INTO holds (id, kind, state, sentence, created) VALUES ('h', 'movers', 'open', '12 people would lose a role.', 0)`)
      found(world, 'ada@example.com', { state: 'held', hold_id: 'h' })
      expect(okta.list('User', { filter: 'userName eq "ada@example.com"', attributes: `${URN}:lastError` }).body.Resources).toEqual([
        expect.objectContaining({ [URN]: { lastError: '12 people would lose a role.' } }),
      ])
    })
  })

  it('tells a connection nothing of what another one asks for', async () => {
    await openScim((world) => {
      const { okta, entra, store } = world
      for (const id of ['okta', 'entra']) createConnection(store, { kind: 'scim', name: id, source: id, config: { address: 'email', issuers: [] } }, 'test', id)
      const ours = okta.post('User', person('ada', { entitlements: [{ value: 'audit' }] }))
      okta.post('Group', { displayName: 'Engineers', members: [{ value: idOf(ours) }] })
      const theirs = entra.post('User', person('ada'))
      entra.post('Group', { displayName: 'Secret', members: [{ value: idOf(theirs) }] })
      found(world, 'ada@example.com', {
        state: 'stuck', arize_id: 'VXNlcjox', last_error: 'Could not give ADMIN of organization "Hush".',
        grants: JSON.stringify([...GRANTS, organization('Hush', 'Secret'), organization('Both', 'Secret', 'Engineers')]),
        conflicts: JSON.stringify([conflict('Engineers'), conflict('Secret')]),
      })
      const told = okta.get('User', idOf(ours))
      expect(JSON.stringify(told.body)).not.toMatch(/Secret|Hush/)
      expect(extensionOf(told)).toMatchObject({
        state: 'stuck', arizeUserId: 'VXNlcjox', conflicts: ['Two roles because of Engineers.'], lastError: expect.stringContaining('another connection'),
        grants: [{ type: 'account' }, { type: 'organization' }, { type: 'space' }, { type: 'developer' }, { reason: 'MEMBER of organization "Both" because group "Engineers" is mapped by "map Engineers"' }],
      })
      expect(JSON.stringify(extensionOf(entra.get('User', idOf(theirs))))).not.toMatch(/Engineers|audit/)
      // What was found out while the other user was there is not told either, until it is found out again.
      entra.remove('User', idOf(theirs))
      expect(JSON.stringify(okta.get('User', idOf(ours)).body)).not.toMatch(/Secret|Hush/)
    })
  })

  it.each<[readonly string[], readonly string[], unknown]>([
    [[URN], [], { state: 'due', arizeUserId: 'x', grants: [expect.objectContaining({ role: 'MEMBER', type: 'organization' })] }],
    [[`${URN}:state`], [], { state: 'due' }],
    [[`${URN.toUpperCase()}:STATE`, 'userName'], [], { state: 'due' }],
    [[`${URN}:grants.role`], [], { grants: [{ role: 'MEMBER' }] }],
    [[], [`${URN}:grants`], { state: 'due', arizeUserId: 'x' }],
    [[], [URN], undefined],
    [['userName'], [], undefined],
    [['state', 'grants'], [], undefined],
  ])('of attributes %j without %j shows what is asked, by one more statement at most', async (attributes, excludedAttributes, shown) => {
    await openScim((world) => {
      const { okta, store } = world
      const id = idOf(okta.post('User', person('ada')))
      found(world, 'ada@example.com', { arize_id: 'x', grants: JSON.stringify([organization('ML', 'Engineers')]) })
      store.statements.forget()
      const answer = okta.get('User', id, { attributes, excludedAttributes })
      expect(extensionOf(answer)).toEqual(shown)
      expect(store.statements.all.filter((text) => text.includes('subjects'))).toHaveLength(shown === undefined ? 0 : 1)
      expect(Array.isArray(answer.body.schemas) && answer.body.schemas.includes(URN)).toBe(shown !== undefined)
    })
  })

  it('reads a page by one statement, and a person with very much in particular', async () => {
    await openScim((world) => {
      const { okta, store } = world
      for (let index = 0; index < 20; index += 1) okta.post('User', person(`p${index}`))
      const many = Array.from({ length: 1_000 }, (_, index) => organization(`Organization ${index}`, 'Engineers'))
      found(world, 'p7@example.com', { grants: JSON.stringify(many) })
      store.statements.forget()
      const page = okta.list('User')
      expect(store.statements.all.filter((text) => text.includes('subjects'))).toHaveLength(2)
      const sizes = Array.isArray(page.body.Resources)
        ? page.body.Resources.map((user: Readonly<Record<string, { grants?: unknown[] }>>) => user[URN]?.grants?.length) : []
      expect(sizes.filter((size) => size !== undefined)).toEqual([1_000])
    })
  })

  const LIE = { state: 'in_step', arizeUserId: 'forged', grants: [{ role: 'ADMIN' }] }

  it('is not written by anybody: whatever speaks of it changes nothing', async () => {
    await openScim((world) => {
      const { okta, store, dump } = world
      const created = okta.post('User', person('ada', { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User', URN], [URN]: LIE }))
      expect(extensionOf(created)).toEqual({ state: 'due' })
      const id = idOf(created)
      expect(store.sql.one<{ data: string }>(`SELECT data FROM users`)?.data).not.toContain('urn:arize')
      const read = okta.get('User', id)
      forget(world)
      store.clock.at += 60_000
      const before = dump()
      const answers = [
        okta.put('User', id, read.body), okta.put('User', id, { ...read.body, [URN]: LIE }), okta.put('User', id, { ...read.body, [`${URN}:state`]: 'held' }),
        ...[
          { op: 'replace', path: URN, value: LIE }, { op: 'add', path: `${URN}:state`, value: 'stuck' }, { op: 'remove', path: `${URN}:grants` },
          { op: 'remove', path: `${URN}:grants[role eq "ADMIN"]` }, { op: 'replace', path: `${URN}:nothing`, value: 'x' }, { op: 'replace', value: { [URN]: LIE } },
          { op: 'add', value: { [`${URN}:lastError`]: 'x' } },
        ].map((operation) => okta.patch('User', id, [operation])),
      ]
      for (const answer of answers) {
        expect([answer.status, answer.etag, extensionOf(answer)]).toEqual([200, 'W/"1"', { state: 'in_step' }])
        expect(answer.body.meta).toEqual(created.body.meta)
      }
      expect(dump()).toEqual(before)
    })
  })

  it.each<[string, readonly string[]]>([
    [`${URN}:state eq "stuck"`, ['bob@example.com']],
    [`${URN.toLowerCase()}:STATE eq "STUCK"`, ['bob@example.com']],
    [`${URN}:state eq "held"`, ['robot']],
    [`${URN}:state ne "due"`, ['bob@example.com', 'robot', 'gone@example.com']],
    [`${URN}:state pr and active eq true`, ['ada@example.com', 'bob@example.com', 'robot']],
    [`${URN} pr`, ['ada@example.com', 'bob@example.com', 'robot']],
    [`not (${URN} pr)`, ['gone@example.com']],
    [`${URN}:arizeUserId eq "B1"`, ['bob@example.com']],
    [`${URN}:arizeUserId eq "b1"`, []],
    [`${URN}:accountRole eq "annotator" or ${URN}:state eq "due"`, ['ada@example.com', 'bob@example.com']],
    [`${URN}[state eq "stuck"]`, ['bob@example.com']],
    [`${URN}:nothing eq "x"`, []],
    ['state eq "stuck"', []],
  ])('finds people by %s', async (filter, names) => {
    await openScim((world) => {
      const { okta } = world
      for (const who of [person('ada'), person('bob'), { userName: 'robot' }, person('gone', { active: false })]) okta.post('User', who)
      found(world, 'bob@example.com', { state: 'stuck', arize_id: 'B1', arize_role: 'ANNOTATOR' })
      expect(namesIn(okta.list('User', { filter }))).toEqual(names)
    })
  })

  it('is no order: it moves while the users stay', async () => {
    await openScim((world) => {
      for (const name of ['ada', 'bob', 'cyd']) world.okta.post('User', person(name))
      found(world, 'ada@example.com', { state: 'stuck' })
      expect(namesIn(world.okta.list('User', { sortBy: `${URN}:state` }))).toEqual(['ada@example.com', 'bob@example.com', 'cyd@example.com'])
    })
  })

  it.each([`${URN}:grants.role eq "ADMIN"`, `${URN}:grants[role eq "ADMIN"]`, `${URN}:grants pr`, `${URN}:conflicts co "x"`, `not (${URN}:lastError pr)`])(
    'refuses a filter on what is made for each answer: %s', async (filter) => {
      await openScim(({ okta }) => {
        expect(okta.list('User', { filter }).body).toMatchObject({ status: 400, scimType: 'invalidFilter', detail: expect.stringContaining('cannot be filtered') as string })
      })
    })
})
