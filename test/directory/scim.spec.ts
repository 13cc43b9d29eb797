import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ScimCommand } from '../../src/directory/scimCommand'
import type { ResourceType } from '../../src/scim/schema'
import { forget, idOf, membersOf, openScim, person, withoutProvisioning, type Answer, type Client, type Json, type ScimWorld } from './scimClient'

const idsIn = ({ body }: Answer): unknown[] =>
  Array.isArray(body.Resources) ? body.Resources.map((resource: unknown) => (typeof resource === 'object' && resource !== null && 'id' in resource ? resource.id : null)) : []

const resourcesIn = ({ body }: Answer): Json[] => (Array.isArray(body.Resources) ? (body.Resources as Json[]) : [])

describe('commands without a resource', () => {
  it('hands back the refusal of the HTTP layer, and nothing to a caller who only authenticates', async () => {
    await openScim(({ okta, dump }) => {
      const before = dump()
      const error = { status: 400, scimType: 'invalidSyntax', detail: 'The request body is not valid JSON.' } as const
      expect(okta.execute({ op: 'refuse', error })).toEqual({ ok: false, error })
      expect(okta.execute({ op: 'authenticate' })).toEqual({ ok: true, value: { status: 204, body: null, location: null, etag: null } })
      expect(dump()).toEqual(before)
    })
  })
})

describe('isolation of connections', () => {
  it.each<ResourceType>(['User', 'Group'])('%ss of another connection do not exist', async (type) => {
    await openScim(({ okta, entra, dump }) => {
      const body = type === 'User' ? person('ada') : { displayName: 'Engineers' }
      const id = idOf(okta.post(type, body))
      const before = dump()
      for (const answer of [
        entra.get(type, id), entra.put(type, id, body), entra.remove(type, id),
        entra.patch(type, id, [{ op: 'replace', path: 'externalId', value: 'x' }]),
      ]) {
        expect(answer.body).toMatchObject({ status: 404, detail: expect.stringContaining(id) })
      }
      expect(entra.list(type)).toMatchObject({ body: { totalResults: 0, Resources: [] } })
      expect(entra.list(type, { filter: `id eq "${id}"` }).body.totalResults).toBe(0)
      expect(dump()).toEqual(before)
      expect(entra.post(type, body).status).toBe(201)
      expect(okta.list(type).body.totalResults).toBe(1)
    })
  })

  it.each(['nobody', '', '__proto__', 'constructor', "' OR 1=1 --", 'x'.repeat(50_000), 'ü'])('an id that never was is 404: %.20s', async (id) => {
    await openScim(({ okta }) => {
      for (const type of ['User', 'Group'] as const) {
        const answers = [okta.get(type, id), okta.put(type, id, person('ada')), okta.remove(type, id), okta.patch(type, id, [{ op: 'remove', path: 'externalId' }])]
        for (const { body } of answers) {
          expect(body.status).toBe(404)
          expect(String(body.detail).length).toBeLessThan(200)
        }
      }
    })
  })
})

describe('entity tags', () => {
  it.each<ResourceType>(['User', 'Group'])('a stale If-Match is 412 and changes no %s', async (type) => {
    await openScim(({ okta, dump }) => {
      const body = type === 'User' ? person('ada') : { displayName: 'Engineers' }
      const id = idOf(okta.post(type, body))
      const operations = [{ op: 'replace', path: 'externalId', value: 'x' }]
      const before = dump()
      for (const ifMatch of ['W/"2"', '"0"', 'nonsense']) {
        expect(okta.patch(type, id, operations, { ifMatch }).body).toMatchObject({ status: 412 })
        expect(okta.put(type, id, { ...body, externalId: 'x' }, { ifMatch }).status).toBe(412)
        expect(okta.remove(type, id, { ifMatch }).status).toBe(412)
      }
      expect(dump()).toEqual(before)
      expect(okta.patch(type, id, operations, { ifMatch: 'W/"1"' }).etag).toBe('W/"2"')
      expect(okta.remove(type, id, { ifMatch: '*' }).status).toBe(204)
    })
  })

  it('If-None-Match spares what the client has', async () => {
    await openScim(({ okta }) => {
      const id = idOf(okta.post('Group', { displayName: 'Engineers' }))
      expect(okta.get('Group', id, { ifNoneMatch: 'W/"1"' })).toEqual({ status: 304, body: {}, location: null, etag: 'W/"1"' })
      okta.patch('Group', id, [{ op: 'replace', path: 'externalId', value: 'x' }])
      expect(okta.get('Group', id, { ifNoneMatch: 'W/"1"' })).toMatchObject({ status: 200, etag: 'W/"2"' })
    })
  })
})

describe('what an answer holds', () => {
  it('a PATCH of a Group is answered with the resource when attributes are chosen (scim-decisions 9)', async () => {
    await openScim(({ okta }) => {
      const ada = idOf(okta.post('User', person('ada')))
      const id = idOf(okta.post('Group', { displayName: 'Engineers' }))
      const add = [{ op: 'add', path: 'members', value: [{ value: ada }] }]
      expect(membersOf(okta.patch('Group', id, add, { attributes: ['members'] }))).toEqual([ada])
      const without = okta.patch('Group', id, [{ op: 'replace', path: 'displayName', value: 'Builders' }], { excludedAttributes: ['members'] })
      expect(without).toMatchObject({ status: 200, body: { displayName: 'Builders' } })
      expect(without.body).not.toHaveProperty('members')
    })
  })

  it('excluding members reads none, by id and in a list', async () => {
    await openScim(({ okta, store }) => {
      const ada = idOf(okta.post('User', person('ada')))
      const id = idOf(okta.post('Group', { displayName: 'Engineers', members: [{ value: ada }] }))
      store.statements.forget()
      expect(okta.get('Group', id, { excludedAttributes: ['members'] }).body).not.toHaveProperty('members')
      expect(okta.get('Group', id, { attributes: ['displayName'] }).body).not.toHaveProperty('members')
      for (const resource of resourcesIn(okta.list('Group', { excludedAttributes: 'members' }))) expect(resource).not.toHaveProperty('members')
      expect(store.statements.all.filter((text) => /\bmembers\b/.test(text))).toEqual([])
      expect(okta.get('Group', id, { attributes: ['members.value'] }).body.members).toEqual([{ value: ada }])
      expect(okta.get('Group', id, { excludedAttributes: ['members.$ref'] }).body.members).toEqual([{ value: ada, type: 'User' }])
    })
  })

  it('excluding groups reads none', async () => {
    await openScim(({ okta, store }) => {
      const ada = idOf(okta.post('User', person('ada')))
      okta.post('Group', { displayName: 'Engineers', members: [{ value: ada }] })
      store.statements.forget()
      expect(okta.list('User', { attributes: 'userName' }).body.Resources).toEqual([
        { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], id: ada, userName: 'ada@example.com' },
      ])
      expect(okta.get('User', ada, { excludedAttributes: ['groups'] }).body).not.toHaveProperty('groups')
      expect(store.statements.all.filter((text) => /\bmembers\b/.test(text))).toEqual([])
    })
  })

  it('shows a user the group under its present name', async () => {
    await openScim(({ okta }) => {
      const ada = idOf(okta.post('User', person('ada')))
      const id = idOf(okta.post('Group', { displayName: 'Engineers', members: [{ value: ada }] }))
      okta.patch('Group', id, [{ op: 'replace', path: 'displayName', value: 'Builders "A"' }])
      expect(okta.get('User', ada).body.groups).toMatchObject([{ value: id, display: 'Builders "A"' }])
    })
  })
})

const seedPeople = (client: Client, count: number): string[] =>
  Array.from({ length: count }, (_, index) => idOf(client.post('User', person(`p${index}`, { active: index % 2 === 0, title: index < 5 ? 'Lead' : 'Staff' }))))

describe('lists', () => {
  it('pages in the order of creation, echoes startIndex and counts everybody', async () => {
    await openScim(({ okta, entra }) => {
      const ids = seedPeople(okta, 11)
      seedPeople(entra, 3)
      for (const [startIndex, size] of [[1, 5], [6, 5], [11, 1], [12, 0], [9_007_199_254_740_000, 0]] as const) {
        const page = okta.list('User', { startIndex: String(startIndex), count: '5' })
        expect(page.body).toMatchObject({ totalResults: 11, startIndex, itemsPerPage: size })
        expect(idsIn(page)).toEqual(ids.slice(startIndex - 1, startIndex + 4))
      }
      expect(okta.list('User', { count: '0' }).body).toEqual({
        schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'], totalResults: 11, startIndex: 1, itemsPerPage: 0, Resources: [],
      })
    })
  })

  it.each<[ResourceType, string, number]>([
    ['User', 'userName eq "P3@EXAMPLE.com"', 1],
    ['User', 'userName eq "nobody"', 0],
    ['User', 'externalId eq "00u-p3"', 1],
    ['User', 'externalId eq "00U-P3"', 0],
    ['User', 'active eq "False"', 5],
    ['User', 'active eq true and title eq "Lead"', 3],
    ['User', 'emails[type eq "work"].value eq "p4@example.com"', 1],
    ['User', 'title eq "Lead" or userName sw "p1"', 6],
    ['User', 'groups.display eq "engineers"', 2],
    ['Group', 'displayName eq "ENGINEERS"', 1],
    ['Group', 'displayName eq "nobody"', 0],
    ['Group', 'externalId pr', 0],
  ])('%s by %s finds %i, whatever the page', async (type, filter, expected) => {
    await openScim(({ okta, entra }) => {
      const ids = seedPeople(okta, 11)
      seedPeople(entra, 11)
      okta.post('Group', { displayName: 'Engineers', members: ids.slice(0, 2).map((value) => ({ value })) })
      entra.post('Group', { displayName: 'Engineers' })
      const all = okta.list(type, { filter })
      expect(all.body).toMatchObject({ totalResults: expected, itemsPerPage: expected, startIndex: 1 })
      for (const [startIndex, count] of [[1, 2], [2, 2], [50, 2], [1, 0]] as const) {
        const page = okta.list(type, { filter, startIndex: String(startIndex), count: String(count) })
        expect(page.body.totalResults).toBe(expected)
        expect(idsIn(page)).toEqual(idsIn(all).slice(startIndex - 1, startIndex - 1 + count))
      }
    })
  })

  it('answers a reference check in either order of its operands (E-32)', async () => {
    await openScim(({ okta }) => {
      const [ada = '', bob = ''] = seedPeople(okta, 2)
      const id = idOf(okta.post('Group', { displayName: 'Engineers', members: [{ value: ada }] }))
      for (const [filter, total] of [
        [`id eq "${id}" and members eq "${ada}"`, 1], [`members.value eq "${ada}" and id eq "${id}"`, 1], [`members[value eq "${bob}"] and id eq "${id}"`, 0],
      ] as const) {
        expect(okta.list('Group', { filter, attributes: 'id' }).body).toMatchObject({ totalResults: total })
      }
    })
  })

  it('sorts, and ends ties by age', async () => {
    await openScim(({ okta }) => {
      const ids = seedPeople(okta, 8)
      const byTitle = okta.list('User', { sortBy: 'title', sortOrder: 'descending' })
      expect(idsIn(byTitle)).toEqual([...ids.slice(5), ...ids.slice(0, 5)])
    })
  })

  it('refuses a filter that cannot be with 400, without a query', async () => {
    await openScim(({ okta, store }) => {
      store.statements.forget()
      expect(okta.list('User', { filter: 'active gt true' }).body).toMatchObject({ status: 400, scimType: 'invalidFilter' })
      expect(store.statements.all).toEqual([])
    })
  })

  it('reads a page of 100 users with a handful of statements', async () => {
    await openScim((world) => {
      const ids = seedPeople(world.okta, 120)
      world.okta.post('Group', { displayName: 'Engineers', members: ids.map((value) => ({ value })) })
      forget(world)
      expect(resourcesIn(world.okta.list('User')).every((user) => Array.isArray(user.groups))).toBe(true)
      expect(world.store.statements.all.length).toBe(4)
      world.store.statements.forget()
      world.okta.list('User', { filter: 'userName eq "p3@example.com"' })
      expect(world.store.statements.all.length).toBe(3)
    })
  })

  it('lists resources too large to be read together', async () => {
    await openScim(({ okta }) => {
      const title = 'é'.repeat(60_000)
      const ids = ['ada', 'bob', 'cyd'].map((name) => idOf(okta.post('User', person(name, name === 'bob' ? {} : { title }))))
      const page = okta.list('User')
      expect(idsIn(page)).toEqual(ids)
      expect(resourcesIn(page).map((user) => user.title)).toEqual([title, undefined, title])
    })
  })

  it('refuses a page that no answer could carry with 400 tooMany, and says how to ask', async () => {
    await openScim(({ okta }) => {
      for (let index = 0; index < 40; index++) okta.post('User', person(`p${index}`, { title: 'x'.repeat(900_000) }))
      expect(okta.list('User').body).toMatchObject({ status: 400, scimType: 'tooMany', detail: expect.stringContaining('fewer') })
      expect(idsIn(okta.list('User', { count: '20' })).length).toBe(20)
      expect(idsIn(okta.list('User', { attributes: 'userName' })).length).toBe(40)
    })
  })
})

/** Users that are put straight into the table, since 30,000 requests would take long. */
const seedRows = ({ store }: ScimWorld, count: number): string[] => {
  const ids = Array.from({ length: count }, (_, index) => `u-${String(index).padStart(8, '0')}`)
  for (let start = 0; start < count; start += 10_000) {
    store.sql.run(
      `INSERT INTO users (id, connection_id, user_name, user_name_fold, active, created, modified, version, data, fold)
       SELECT value, 'okta', value, value, 1, '', '', 1, '{}', '{}' FROM json_each(?)`, JSON.stringify(ids.slice(start, start + 10_000)))
  }
  return ids
}

describe('large groups', () => {
  it('are put, read and changed as a whole', async () => {
    await openScim((world) => {
      const { okta } = world
      const ids = seedRows(world, 25_000)
      const id = idOf(okta.post('Group', { displayName: 'Everybody Ω', members: ids.map((value) => ({ value })) }))
      expect(membersOf(okta.get('Group', id))).toEqual(ids)
      const last = ids.at(-1) ?? ''
      const put = okta.put('Group', id, { displayName: 'Everybody Ω', members: ids.slice(0, -1).map((value) => ({ value })) })
      expect(membersOf(put)).toEqual(ids.slice(0, -1))
      world.store.statements.forget()
      expect(okta.patch('Group', id, [{ op: 'add', path: 'members', value: [{ value: last }] }])).toMatchObject({ status: 204, etag: 'W/"3"' })
      expect(world.store.statements.all.length).toBeLessThan(10)
      expect(okta.list('Group', { filter: `members eq "${last}"`, attributes: 'displayName' }).body).toMatchObject({
        totalResults: 1, Resources: [{ displayName: 'Everybody Ω' }],
      })
    })
  })

  it('are answered in Latin-1 when the answer is large, and without members when a written one does not fit', async () => {
    await openScim((world) => {
      const { okta } = world
      const ids = seedRows(world, 30_000)
      const id = idOf(okta.post('Group', { displayName: 'Everybody Ω', members: ids.slice(0, 10_000).map((value) => ({ value })) }))
      const get: ScimCommand = { op: 'get', type: 'Group', id, view: { attributes: [], excludedAttributes: [], ifNoneMatch: null } }
      const reply = okta.execute(get)
      const text = reply.ok ? (reply.value.body ?? '') : ''
      expect(text.length).toBeGreaterThan(10_000_000)
      expect(/[^\t-~]/.test(text)).toBe(false)
      expect(JSON.parse(text)).toMatchObject({ displayName: 'Everybody Ω' })

      const put = okta.put('Group', id, { displayName: 'Everybody Ω', members: ids.map((value) => ({ value })) })
      expect(put).toMatchObject({ status: 200, etag: 'W/"2"', body: { displayName: 'Everybody Ω' } })
      expect(put.body).not.toHaveProperty('members')
      expect(okta.get('Group', id).body).toMatchObject({ status: 400, scimType: 'tooMany' })
      expect(world.store.sql.one(`SELECT count(*) AS n FROM group_members`)).toEqual({ n: 30_000 })
    }, { base: `https://bridge.example/${'x'.repeat(1_000)}/scim/v2` })
  })
})

describe('any sequence of requests', () => {
  const name = fc.constantFrom('ada', 'bob', 'cyd', 'ADA')
  const group = fc.constantFrom('Engineers', 'Labelers', 'engineers')
  const index = fc.nat({ max: 5 })
  type Step = (world: ScimWorld, client: Client, users: string[], groups: string[]) => Answer
  const at = (ids: readonly string[], position: number): string => ids[position % Math.max(ids.length, 1)] ?? 'nobody'
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.tuple(name, fc.boolean()).map(([who, active]): Step => (_world, client) => client.post('User', person(who, { active }))),
    fc.tuple(group, fc.array(index, { maxLength: 3 })).map(([displayName, members]): Step => (_world, client, users) =>
      client.post('Group', { displayName, members: members.map((position) => ({ value: at(users, position) })) })),
    fc.tuple(index, fc.boolean()).map(([position, active]): Step => (_world, client, users) =>
      client.patch('User', at(users, position), [{ op: 'replace', value: { active } }])),
    fc.tuple(index, name).map(([position, who]): Step => (_world, client, users) => client.put('User', at(users, position), person(who))),
    fc.tuple(index, fc.constantFrom('add', 'remove', 'replace'), fc.array(index, { maxLength: 3 })).map(([position, op, members]): Step =>
      (_world, client, users, groups) =>
        client.patch('Group', at(groups, position), [{ op, path: 'members', value: members.map((member) => ({ value: at(users, member) })) }])),
    fc.tuple(index, group).map(([position, displayName]): Step => (_world, client, _users, groups) => client.put('Group', at(groups, position), { displayName })),
    index.map((position): Step => (_world, client, users) => client.remove('User', at(users, position))),
    index.map((position): Step => (_world, client, _users, groups) => client.remove('Group', at(groups, position))),
  )

  it('keeps counters, members and versions true, and every refusal harmless', async () => {
    await fc.assert(fc.asyncProperty(fc.array(fc.tuple(fc.boolean(), step), { maxLength: 25 }), async (steps) => {
      await openScim((world) => {
        const { store, okta, entra } = world
        const users: string[] = []
        const groups: string[] = []
        const remembered = new Map<string, string>()
        for (const [isOkta, run] of steps) {
          store.clock.at += 1
          const before = JSON.stringify(world.dump())
          const answer = run(world, isOkta ? okta : entra, users, groups)
          const after = JSON.stringify(world.dump())
          expect([200, 201, 204, 400, 404, 409]).toContain(answer.status)
          if (answer.status >= 400) expect(after).toBe(before)
          if (answer.status === 201) (answer.location?.includes('/Users/') ? users : groups).push(idOf(answer))

          for (const [client, connection] of [[okta, 'okta'], [entra, 'entra']] as const) {
            for (const [type, table] of [['User', 'users'], ['Group', 'groups']] as const) {
              const counted = store.sql.one<{ n: number }>(`SELECT count(*) AS n FROM ${table} WHERE connection_id = ?`, connection)?.n
              const list = client.list(type)
              expect(list.body.totalResults).toBe(counted)
              expect(resourcesIn(list).length).toBe(counted)
              for (const resource of resourcesIn(list)) {
                // A version stands for one text, but for the groups of a user, which are the groups' own, and for what became of the person.
                const { groups: _groups, ...own } = withoutProvisioning({ body: resource })
                const key = `${String(resource.id)} ${JSON.stringify(resource.meta)}`
                expect(remembered.get(key) ?? JSON.stringify(own)).toBe(JSON.stringify(own))
                remembered.set(key, JSON.stringify(own))
              }
            }
          }
          expect(store.sql.rows(
            `SELECT m.* FROM group_members m LEFT JOIN users u ON u.seq = m.user_seq LEFT JOIN groups g ON g.seq = m.group_seq
             WHERE u.id IS NULL OR g.id IS NULL OR u.connection_id <> g.connection_id`)).toEqual([])
          expect(store.sql.rows(
            `SELECT id FROM groups WHERE json_extract(data, '$.meta.version') <> 'W/"' || version || '"' OR json_extract(fold, '$.meta.lastModified') <> modified
             UNION ALL SELECT id FROM users WHERE json_extract(data, '$.meta.version') <> 'W/"' || version || '"' OR json_extract(fold, '$.meta.lastModified') <> modified`)).toEqual([])
        }
      })
    }), { numRuns: 40 })
  })
})
