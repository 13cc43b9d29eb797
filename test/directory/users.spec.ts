import { describe, expect, it } from 'vitest'
import { QUIET_MS, subjectOf } from '../../src/directory/subjects'
import { dueSubjects, forget, idOf, journalled, openScim, person, withoutProvisioning, type Json } from './scimClient'
import { START } from './memoryStore'

const columns = (store: { sql: { one: <T extends Record<string, string | number | null>>(query: string, ...values: (string | number | null)[]) => T | null } }, id: string): Json | null =>
  store.sql.one(`SELECT user_name, user_name_fold, external_id, active, email, hold, created, modified, version FROM users WHERE id = ?`, id)

describe('POST /Users', () => {
  it('stores the columns that filters use beside the wire JSON', async () => {
    await openScim(({ store, okta }) => {
      const created = okta.post('User', person('Ada', { password: 'secret', groups: [], title: '' }))
      expect(created.status).toBe(201)
      const time = new Date(START).toISOString()
      expect(columns(store, idOf(created))).toEqual({
        user_name: 'Ada@example.com', user_name_fold: 'ada@example.com', external_id: '00u-Ada', active: 1, email: 'ada@example.com', hold: null,
        created: time, modified: time, version: 1,
      })
      const { data, fold } = store.sql.one<{ data: string; fold: string }>(`SELECT data, fold FROM users`) ?? { data: '{}', fold: '{}' }
      expect(JSON.parse(data)).toEqual({
        schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], id: idOf(created), externalId: '00u-Ada',
        userName: 'Ada@example.com', name: { givenName: 'Ada', familyName: 'Test' }, displayName: 'Ada Test', active: true,
        emails: [{ value: 'Ada@example.com', type: 'work', primary: true }],
        meta: { resourceType: 'User', created: time, lastModified: time, version: 'W/"1"' },
      })
      expect(JSON.parse(fold)).toMatchObject({ userName: 'ada@example.com', externalId: '00u-Ada' })
    })
  })

  it('answers 201 with the location, the entity tag and the resource', async () => {
    await openScim(({ okta }) => {
      const { body, etag, location } = okta.post('User', person('ada'))
      expect(etag).toBe('W/"1"')
      expect(location).toBe(`https://bridge.example/scim/v2/Users/${String(body.id)}`)
      expect(body.meta).toMatchObject({ location, version: etag, resourceType: 'User' })
    })
  })

  it.each([
    ['the same name', 'ada', 'ada'], ['another case', 'ada', 'ADA'], ['another normal form', 'ad\u00E9', 'ade\u0301'], ['another width', 'ada', 'ａｄａ'],
    ['another sigma', 'αδας', 'ΑΔΑΣ'],
  ])('refuses %s with 409 and changes nothing', async (_name, first, second) => {
    await openScim(({ okta, dump }) => {
      okta.post('User', person(first, { active: false }))
      const before = dump()
      expect(okta.post('User', person(second)).body).toMatchObject({ status: 409, scimType: 'uniqueness', detail: expect.stringContaining('userName') })
      expect(dump()).toEqual(before)
    })
  })

  it('takes the name of a deleted user again, under another id', async () => {
    await openScim(({ okta }) => {
      const first = idOf(okta.post('User', person('ada')))
      okta.remove('User', first)
      const again = okta.post('User', person('ada'))
      expect(again.status).toBe(201)
      expect(idOf(again)).not.toBe(first)
    })
  })

  it('makes the person due and tells the journal the names of the attributes, not their values', async () => {
    await openScim((world) => {
      const { okta, store } = world
      const id = idOf(okta.post('User', person('ada')))
      expect(dueSubjects(world)).toEqual([{ address: 'ada@example.com', dueInMs: QUIET_MS, cause: null }])
      expect(subjectOf(store, 'ada@example.com')?.holder).toBe('["00u-ada"]')
      expect(journalled(world)).toEqual([{
        kind: 'scim.create', subject: 'ada@example.com', connection: 'okta', actor: 'token of okta',
        data: { type: 'User', id, attributes: ['externalId', 'userName', 'name', 'displayName', 'active', 'emails'] },
      }])
    })
  })

  it('holds a user without an address', async () => {
    await openScim((world) => {
      const id = idOf(world.okta.post('User', { userName: 'ada' }))
      expect(columns(world.store, id)).toMatchObject({ email: null, hold: expect.stringContaining('no e-mail address') })
      expect(dueSubjects(world)).toEqual([])
    })
  })

  it('takes userName for the address where the connection says so', async () => {
    await openScim(({ okta, store }) => {
      const id = idOf(okta.post('User', person('ada', { userName: 'Login@Example.com ' })))
      expect(columns(store, id)).toMatchObject({ email: 'login@example.com' })
    }, { rule: 'userName' })
  })

  it('refuses with 413 what would not fit a row, and changes nothing', async () => {
    await openScim(({ okta, dump }) => {
      const before = dump()
      for (const title of ['x'.repeat(1_000_100), 'x'.repeat(960_000), 'ü'.repeat(600_000)]) {
        expect(okta.post('User', person('ada', { title })).body).toMatchObject({ status: 413 })
      }
      expect(okta.post('User', { userName: 'n'.repeat(500_000) }).status).toBe(413)
      expect(dump()).toEqual(before)
      expect(okta.post('User', person('ada', { title: 'x'.repeat(900_000) })).status).toBe(201)
    })
  })
})

describe('changing a user', () => {
  const changes: [string, (body: Json) => Json, readonly Json[]][] = [
    ['nothing', (body) => body, [{ op: 'replace', value: { displayName: 'ada Test' } }]],
    ['an echo with other spellings', (body) => ({ ...body, EMAILS: undefined, active: 'True', groups: [{ value: 'x' }], meta: {} }), [{ op: 'Replace', path: 'ACTIVE', value: 'True' }]],
    ['a value that is there', (body) => body, [{ op: 'add', path: 'emails', value: [{ value: 'ada@example.com', type: 'work', primary: true }] }]],
    ['removing and giving back', (body) => body, [{ op: 'remove', path: 'displayName' }, { op: 'add', path: 'displayName', value: 'ada Test' }]],
    ['an id', (body) => ({ ...body, id: 'other' }), [{ op: 'replace', value: { id: 'other' } }]],
  ]

  it.each(changes)('%s leaves version, lastModified, marks and journal alone, by PUT and by PATCH', async (_name, put, patch) => {
    await openScim((world) => {
      const { okta, store, dump } = world
      const created = okta.post('User', person('ada'))
      const id = idOf(created)
      forget(world)
      store.clock.at += 60_000
      const before = dump()
      const answers = [okta.put('User', id, put(created.body)), okta.patch('User', id, patch)]
      for (const answer of answers) {
        expect(answer.status).toBe(200)
        expect(answer.etag).toBe('W/"1"')
        expect(withoutProvisioning(answer)).toEqual(withoutProvisioning(created))
      }
      expect(dump()).toEqual(before)
      expect(store.statements.all.filter((text) => !text.trimStart().startsWith('SELECT'))).toEqual([])
    })
  })

  it('raises version and lastModified together, in the row and in the JSON', async () => {
    await openScim(({ okta, store }) => {
      const id = idOf(okta.post('User', person('ada')))
      store.clock.at += 1_000
      const answer = okta.patch('User', id, [{ op: 'replace', path: 'title', value: 'Engineer' }])
      const modified = new Date(START + 1_000).toISOString()
      expect(answer.etag).toBe('W/"2"')
      expect(answer.body.meta).toMatchObject({ created: new Date(START).toISOString(), lastModified: modified, version: 'W/"2"' })
      expect(columns(store, id)).toMatchObject({ version: 2, modified })
    })
  })

  it('never lets lastModified go back with the clock', async () => {
    await openScim(({ okta, store }) => {
      const id = idOf(okta.post('User', person('ada')))
      store.clock.at -= 60_000
      const answer = okta.patch('User', id, [{ op: 'replace', path: 'title', value: 'Engineer' }])
      expect(answer.body.meta).toMatchObject({ lastModified: new Date(START).toISOString(), version: 'W/"2"' })
    })
  })

  it('keeps active and externalId that a PUT leaves out (scim-decisions 17)', async () => {
    await openScim(({ okta, store }) => {
      const id = idOf(okta.post('User', person('ada', { active: false })))
      const { active: _active, externalId: _externalId, ...rest } = person('ada', { nickName: 'A' })
      expect(okta.put('User', id, rest).body).toMatchObject({ active: false, externalId: '00u-ada', nickName: 'A' })
      expect(columns(store, id)).toMatchObject({ active: 0, external_id: '00u-ada' })
    })
  })

  it('refuses the name of another user with 409, and allows another case of its own', async () => {
    await openScim(({ okta, dump }) => {
      const id = idOf(okta.post('User', person('ada')))
      okta.post('User', person('bob'))
      const before = dump()
      expect(okta.put('User', id, person('BOB')).body).toMatchObject({ status: 409, scimType: 'uniqueness' })
      expect(okta.patch('User', id, [{ op: 'replace', path: 'userName', value: 'bob@example.com' }]).status).toBe(409)
      expect(dump()).toEqual(before)
      expect(okta.patch('User', id, [{ op: 'replace', path: 'userName', value: 'ADA@example.com' }]).body.userName).toBe('ADA@example.com')
    })
  })

  it.each<[string, Json[], string]>([
    ['a required attribute cleared', [{ op: 'replace', path: 'userName', value: '' }], 'invalidValue'],
    ['active cleared (scim-decisions 20)', [{ op: 'remove', path: 'active' }], 'invalidValue'],
    ['an unknown path after a good operation', [{ op: 'replace', path: 'title', value: 'x' }, { op: 'add', path: 'nonsense', value: 1 }], 'invalidPath'],
    ['a value path without a target', [{ op: 'replace', path: 'emails[value co "zzz"].display', value: 'x' }], 'noTarget'],
    ['a growing user', [{ op: 'add', path: 'title', value: 'x'.repeat(1_100_000) }], ''],
  ])('changes nothing when the PATCH is wrong: %s', async (_name, operations, scimType) => {
    await openScim(({ okta, dump }) => {
      const id = idOf(okta.post('User', person('ada')))
      const before = dump()
      const answer = okta.patch('User', id, operations)
      expect(answer.status).toBe(scimType === '' ? 413 : 400)
      if (scimType !== '') expect(answer.body.scimType).toBe(scimType)
      expect(dump()).toEqual(before)
    })
  })

  it('journals the names of what changed, in one row', async () => {
    await openScim((world) => {
      const id = idOf(world.okta.post('User', person('ada')))
      forget(world)
      world.okta.patch('User', id, [
        { op: 'replace', path: 'name.familyName', value: 'Lovelace' },
        { op: 'add', path: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department', value: 'R&D' },
        { op: 'remove', path: 'displayName' },
      ])
      expect(journalled(world)).toEqual([{
        kind: 'scim.patch', subject: 'ada@example.com', connection: 'okta', actor: 'token of okta',
        data: { type: 'User', id, attributes: ['name', 'displayName', 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'] },
      }])
    })
  })
})

describe('what a change means for the person', () => {
  it.each<[string, Json[], { address: string; dueInMs: number }[]]>([
    ['a name changes nothing', [{ op: 'replace', path: 'name.givenName', value: 'Augusta' }], []],
    ['another case of the address changes nothing', [{ op: 'replace', path: 'emails[type eq "work"].value', value: 'ADA@Example.com' }], []],
    ['clearing the address changes nothing', [{ op: 'replace', path: 'emails', value: null }, { op: 'replace', path: 'userName', value: 'ada' }], []],
    ['deactivation is due at once', [{ op: 'replace', value: { active: false } }], [{ address: 'ada@example.com', dueInMs: 0 }]],
    ['a string deactivates too', [{ op: 'Replace', path: 'active', value: 'False' }], [{ address: 'ada@example.com', dueInMs: 0 }]],
    ['entitlements make due', [{ op: 'add', path: 'entitlements', value: [{ value: 'x' }] }], [{ address: 'ada@example.com', dueInMs: QUIET_MS }]],
    ['roles make due', [{ op: 'add', path: 'roles', value: [{ value: 'x' }] }], [{ address: 'ada@example.com', dueInMs: QUIET_MS }]],
    ['a new address makes both due', [{ op: 'replace', path: 'emails[type eq "work"].value', value: 'countess@example.com' }],
      [{ address: 'ada@example.com', dueInMs: QUIET_MS }, { address: 'countess@example.com', dueInMs: QUIET_MS }]],
  ])('%s', async (_name, operations, expected) => {
    await openScim((world) => {
      const id = idOf(world.okta.post('User', person('ada')))
      forget(world)
      expect(world.okta.patch('User', id, operations).status).toBe(200)
      expect(dueSubjects(world)).toEqual(expected.map((mark) => ({ ...mark, cause: null })))
    })
  })

  it('keeps the address of a user whose e-mails were cleared', async () => {
    await openScim(({ okta, store }) => {
      const id = idOf(okta.post('User', person('ada', { userName: 'ada' })))
      okta.patch('User', id, [{ op: 'replace', path: 'emails', value: [] }])
      expect(columns(store, id)).toMatchObject({ email: 'ada@example.com', hold: null })
      expect(okta.get('User', id).body.emails).toBeUndefined()
    })
  })

  it('makes a leaver of who is deactivated and of who is deleted, and takes a rehire back', async () => {
    await openScim(({ okta, store }) => {
      const [ada, bob] = [idOf(okta.post('User', person('ada'))), idOf(okta.post('User', person('bob')))]
      okta.patch('User', ada, [{ op: 'replace', value: { active: false } }])
      okta.remove('User', bob)
      expect(subjectOf(store, 'ada@example.com')).toMatchObject({ leaver: 'deactivated', priority: 0 })
      expect(subjectOf(store, 'bob@example.com')).toMatchObject({ leaver: 'deleted', priority: 0 })
      okta.patch('User', ada, [{ op: 'replace', value: { active: true } }])
      expect(subjectOf(store, 'ada@example.com')).toMatchObject({ leaver: null, priority: 1 })
    })
  })

  it('makes no leaver of an address that another connection still has', async () => {
    await openScim(({ okta, entra, store }) => {
      const id = idOf(okta.post('User', person('ada')))
      entra.post('User', person('ada'))
      okta.remove('User', id)
      expect(subjectOf(store, 'ada@example.com')?.leaver).toBeNull()
    })
  })
})

describe('DELETE /Users/{id}', () => {
  it('takes the user out of every group, whose versions rise, and is 404 the second time', async () => {
    await openScim((world) => {
      const { okta, store } = world
      const [ada, bob] = [idOf(okta.post('User', person('ada'))), idOf(okta.post('User', person('bob')))]
      const group = okta.post('Group', { displayName: 'Engineers', members: [{ value: ada }, { value: bob }] })
      const other = okta.post('Group', { displayName: 'Others', members: [{ value: bob }] })
      forget(world)
      store.clock.at += 1_000
      expect(okta.remove('User', ada)).toMatchObject({ status: 204, body: {} })
      expect(okta.remove('User', ada).status).toBe(404)
      expect(okta.get('User', ada).status).toBe(404)
      const after = okta.get('Group', idOf(group))
      expect(after.body).toEqual({
        ...group.body,
        members: [{ value: bob, $ref: `https://bridge.example/scim/v2/Users/${bob}`, type: 'User' }],
        meta: { ...(typeof group.body.meta === 'object' ? group.body.meta : {}), version: 'W/"2"', lastModified: new Date(START + 1_000).toISOString() },
      })
      expect(after.etag).toBe('W/"2"')
      expect(okta.get('Group', idOf(other)).etag).toBe('W/"1"')
      expect(store.sql.rows(`SELECT member_id FROM members WHERE member_id = ?`, ada)).toEqual([])
      expect(journalled(world)).toEqual([{
        kind: 'scim.delete', subject: 'ada@example.com', connection: 'okta', actor: 'token of okta',
        data: { type: 'User', id: ada, groups: { ids: [idOf(group)], count: 1 } },
      }])
    })
  })
})
