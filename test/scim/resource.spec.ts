import { describe, expect, it } from 'vitest'
import { isAddress, primaryAddress } from '../../src/scim/address'
import type { JsonObject } from '../../src/scim/json'
import { foldOf, readGroup, readUser, replaceGroup, replaceUser } from '../../src/scim/resource'
import type { ScimGroup, ScimUser } from '../../src/scim/resource'
import { ENTERPRISE_SCHEMA, GROUP_SCHEMA, PROVISIONING_SCHEMA, USER_SCHEMA } from '../../src/scim/schema'
import { groupColumns, storedUser, userColumns } from '../../src/scim/stored'

const userOf = (body: JsonObject): ScimUser => {
  const user = readUser(body)
  if (!user.ok) throw new Error(user.error.detail)
  return user.value
}
const groupOf = (body: JsonObject): ScimGroup => {
  const read = readGroup(body)
  if (!read.ok) throw new Error(read.error.detail)
  return read.value.group
}
const core = { schemas: [USER_SCHEMA], userName: 'joy', active: true }
const enterprise = (extension: JsonObject) => ({ ...core, schemas: [USER_SCHEMA, ENTERPRISE_SCHEMA], [ENTERPRISE_SCHEMA]: extension })

describe('readUser', () => {
  it.each<[string, JsonObject, JsonObject]>([
    ['userName alone, active by default', { userName: 'joy' }, core],
    ['active null is absent', { userName: 'joy', active: null }, core],
    ['boolean strings (E-06)', { userName: 'joy', active: 'False' }, { ...core, active: false }],
    ['names in any case', { UserName: 'joy', ACTIVE: 'True', Emails: [{ Primary: 'True', Value: 'a@x', TYPE: 'work' }] },
      { ...core, emails: [{ value: 'a@x', type: 'work', primary: true }] }],
    ['case of values is kept', { userName: 'JoY' }, { ...core, userName: 'JoY' }],
    ['readOnly and secret ones dropped', { userName: 'joy', id: 'x', meta: { version: 'x' }, groups: [{ value: 'g' }], password: 's' }, core],
    ['unknown ones dropped', { userName: 'joy', custom: 1, 'urn:x:y:User': { a: 1 }, [PROVISIONING_SCHEMA]: { state: 'x' } }, core],
    ['unknown schemas dropped', { userName: 'joy', schemas: ['urn:x', `${ENTERPRISE_SCHEMA.replace(':User', 'User')}`, ENTERPRISE_SCHEMA] }, core],
    ['core attributes below their URN', { [USER_SCHEMA.toUpperCase()]: { UserName: 'joy', title: 'x', name: { givenName: 'Joy' } }, title: 'y' },
      { ...core, name: { givenName: 'Joy' }, title: 'y' }],
    ['numbers for strings (A.6)', { userName: 'joy', externalId: 701984, addresses: [{ postalCode: 91608 }] },
      { ...core, externalId: '701984', addresses: [{ postalCode: '91608' }] }],
    ['unassigned in every way', { userName: 'joy', title: null, nickName: '', emails: [], addresses: null, name: { givenName: null }, roles: [{}] }, core],
    ['lists of one for single values', { userName: ['joy'], name: [{ givenName: 'Joy' }] }, { ...core, name: { givenName: 'Joy' } }],
    ['single values for lists', { userName: 'joy', emails: { value: 'a@x' }, roles: 'admin' },
      { ...core, emails: [{ value: 'a@x' }], roles: [{ value: 'admin' }] }],
    ['bare addresses', { userName: 'joy', emails: ['a@x', 'b@x'] }, { ...core, emails: [{ value: 'a@x' }, { value: 'b@x' }] }],
    ['two of one type, in order', { userName: 'joy', emails: [{ value: 'b@x', type: 'work' }, { value: 'a@x', type: 'work' }] },
      { ...core, emails: [{ value: 'b@x', type: 'work' }, { value: 'a@x', type: 'work' }] }],
    ['the same value twice', { userName: 'joy', emails: [{ value: 'a@x', type: 'work' }, { type: 'work', value: 'a@x' }] },
      { ...core, emails: [{ value: 'a@x', type: 'work' }] }],
    ['one primary: the first', { userName: 'joy', emails: [{ value: 'a@x', primary: true }, { value: 'b@x', primary: 'true' }] },
      { ...core, emails: [{ value: 'a@x', primary: true }, { value: 'b@x', primary: false }] }],
    ['one and the same value twice is one, and primary', { userName: 'joy', emails: [
      { value: 'a@x', primary: true }, { value: 'b@x', primary: true }, { value: 'a@x', primary: true }, { value: 'b@x', primary: false }] },
      { ...core, emails: [{ value: 'a@x', primary: true }, { value: 'b@x', primary: false }] }],
    ['a label without value says nothing', { userName: 'joy', emails: [{ type: 'work', primary: true, value: '' }, { value: 'b@x', primary: true }] },
      { ...core, emails: [{ value: 'b@x', primary: true }] }],
    ['random values of no format (V-01)', { userName: 'joy', locale: 'PUWGYNUKSGVE', profileUrl: 'RVSZJGLGMDLF' },
      { ...core, profileUrl: 'RVSZJGLGMDLF', locale: 'PUWGYNUKSGVE' }],
    ['dotted names', { userName: 'joy', 'name.givenName': 'Joy', name: { familyName: 'Young' }, 'emails.value': 'a@x' },
      { ...core, name: { givenName: 'Joy', familyName: 'Young' }, emails: [{ value: 'a@x' }] }],
    ['names with a URN', { [`${USER_SCHEMA}:userName`]: 'joy', [`${ENTERPRISE_SCHEMA}:department`]: 'R&D' }, enterprise({ department: 'R&D' })],
    ['enterprise attributes at the root (E-06)', { userName: 'joy', Department: 'R&D', Manager: { Value: 'SuzzyQ' } },
      enterprise({ department: 'R&D', manager: { value: 'SuzzyQ' } })],
    ['nulls at the root clear nothing', { userName: 'joy', [ENTERPRISE_SCHEMA]: { department: 'R&D' }, department: null, manager: null },
      enterprise({ department: 'R&D' })],
    ['manager as string', { userName: 'joy', [ENTERPRISE_SCHEMA]: { manager: '123456' } }, enterprise({ manager: { value: '123456' } })],
    ['manager as list', { userName: 'joy', [ENTERPRISE_SCHEMA]: { manager: [{ value: 'm', $ref: 'http://h/Users/m' }] } },
      enterprise({ manager: { value: 'm' } })],
    ['manager as empty object', { userName: 'joy', [ENTERPRISE_SCHEMA]: { manager: { value: '' } } }, core],
    ['URN in lower case', { userName: 'joy', [ENTERPRISE_SCHEMA.toLowerCase()]: { costCenter: 1 } }, enterprise({ costCenter: '1' })],
    ['hostile names', JSON.parse('{"userName":"joy","__proto__":{"active":false},"constructor":1,"name":{"__proto__":{"x":1},"toString":"x"}}') as JsonObject, core],
    ['half a character', { userName: 'joy', title: '\ud800' }, { ...core, title: '\ufffd' }],
  ])('%s', (_case, body, user) => expect(readUser(body)).toEqual({ ok: true, value: user }))

  it.each<[unknown, string]>([
    [null, 'The request body must be a JSON object that describes a User.'],
    [[], 'The request body must be a JSON object that describes a User.'],
    [{}, '"userName" is required and must not be empty.'],
    [{ userName: ' ' }, '"userName" is required and must not be empty.'],
    [{ userName: {} }, '"userName" must be a string.'],
    [{ userName: Infinity }, '"userName" must be a string.'],
    [{ userName: 5 }, '"userName" must be a string.'],
    [{ userName: [true] }, '"userName" must be a string.'],
    [{ userName: 'joy', displayName: true }, '"displayName" must be a string.'],
    [{ userName: 'joy', emails: 5 }, '"emails[0]" must be an object.'],
    [{ userName: 'joy', emails: [{ value: false }] }, '"emails[0].value" must be a string.'],
    [{ userName: 'joy', externalId: 2 ** 60 }, '"externalId" must be a string.'],
    [{ userName: ['a', 'b'] }, '"userName" must be a single value.'],
    [{ userName: 'a\u0000b' }, '"userName" has a character U+0000.'],
    [{ userName: 'joy', active: 'yes' }, '"active" must be true or false.'],
    [{ userName: 'joy', active: 1 }, '"active" must be true or false.'],
    [{ userName: 'joy', name: 'Joy' }, '"name" must be an object.'],
    [{ userName: 'joy', name: { givenName: {} } }, '"name.givenName" must be a string.'],
    [{ userName: 'joy', emails: [{ value: 'a@x' }, { value: { a: 1 } }] }, '"emails[1].value" must be a string.'],
    [{ userName: 'joy', emails: [true] }, '"emails[0]" must be an object.'],
    [{ userName: 'joy', emails: [{ value: 'a@x', primary: 'perhaps' }] }, '"emails[0].primary" must be true or false.'],
    [{ userName: 'joy', addresses: ['Berlin'] }, '"addresses[0]" must be an object.'],
    [{ userName: 'joy', [ENTERPRISE_SCHEMA]: 'x' }, `"${ENTERPRISE_SCHEMA}" must be an object.`],
    [{ userName: 'joy', emails: Array.from({ length: 501 }, () => 'a@x') }, '"emails" has more than 500 values.'],
  ])('refuses %j', (body, detail) => {
    const { length } = Object.keys(Object(body) as object)
    const scimType = length === 0 && detail.startsWith('The') ? 'invalidSyntax' : 'invalidValue'
    expect(readUser(body)).toMatchObject({ ok: false, error: { status: 400, scimType, detail } })
  })
})

describe('replaceUser', () => {
  const stored = { ...userOf({ userName: 'joy', externalId: 'e1', active: false, title: 'x', department: 'R&D' }), id: 'u1', meta: { version: '1' } }
  it('keeps active, externalId, id and meta, and nothing else (decision 17)', () => {
    expect(replaceUser(stored, { userName: 'Joy', id: 'x', meta: { version: '9' }, groups: [] })).toEqual({
      ok: true, value: { changed: true, user: { schemas: [USER_SCHEMA], id: 'u1', meta: { version: '1' }, externalId: 'e1', userName: 'Joy', active: false } },
    })
  })
  it.each<[string, JsonObject, boolean]>([
    ['what GET answered', stored, false],
    ['what GET answered, without what is kept', { userName: 'joy', title: 'x', department: 'R&D' }, false],
    ['active as it is, as a string', { userName: 'joy', title: 'x', department: 'R&D', active: 'False' }, false],
    ['active', { userName: 'joy', title: 'x', department: 'R&D', active: true }, true],
    ['case of userName', { userName: 'JOY', title: 'x', department: 'R&D' }, true],
    ['another externalId', { userName: 'joy', title: 'x', department: 'R&D', externalId: 'e2' }, true],
    ['externalId null keeps it', { userName: 'joy', title: 'x', department: 'R&D', externalId: null }, false],
  ])('%s', (_case, body, changed) => expect(replaceUser(stored, body)).toMatchObject({ ok: true, value: { changed } }))
  it.each([{}, { title: 'x' }, { userName: '' }, { userName: null }, null, 'x'])('refuses %j', (body) => {
    expect(replaceUser(stored, body)).toMatchObject({ ok: false, error: { status: 400 } })
  })
})

describe('readGroup and replaceGroup', () => {
  it.each<[string, JsonObject, unknown]>([
    ['O-21', { schemas: [GROUP_SCHEMA], displayName: 'Staff', members: [] }, []],
    ['E-30', { schemas: [GROUP_SCHEMA, 'http://schemas.microsoft.com/x'], displayName: 'Staff', meta: { resourceType: 'Group' } }, undefined],
    ['null is nobody', { displayName: 'Staff', members: null }, []],
    ['O-26: display null', { displayName: 'Staff', Members: [{ value: 'a', display: null }] }, [{ value: 'a' }]],
    ['names, kinds, ids once', { displayName: 'Staff', members: [{ value: 'a', display: 'A', type: 'user' }, 'b', { VALUE: 'a' }] },
      [{ value: 'a', display: 'A', type: 'User' }, { value: 'b' }]],
    ['B.7: displayName of a member', { displayName: 'Staff', members: [{ value: 'a', displayName: 'A', type: 'x' }] }, [{ value: 'a' }]],
    ['one object', { displayName: 'Staff', members: { value: 'a' } }, [{ value: 'a' }]],
    ['all below the URN', { [GROUP_SCHEMA]: { displayName: 'Staff', members: [{ value: 'a' }] } }, [{ value: 'a' }]],
  ])('%s', (_case, body, members) => {
    expect(readGroup(body)).toEqual({ ok: true, value: { group: { schemas: [GROUP_SCHEMA], displayName: 'Staff' }, members } })
  })
  it.each<[unknown, string]>([
    [[], 'The request body must be a JSON object that describes a Group.'],
    [{ members: [] }, '"displayName" is required and must not be empty.'],
    [{ displayName: [] }, '"displayName" is required and must not be empty.'],
    [{ displayName: 5 }, '"displayName" must be a string.'],
    [{ displayName: 'x', members: 5 }, '"members[0]" must be an object with a "value", or an id.'],
    [{ displayName: 'x', members: [null] }, '"members[0]" must be an object with a "value", or an id.'],
    [{ displayName: 'x', members: [{ value: ' ' }] }, '"members[0].value" is required.'],
    [{ displayName: 'x', members: [{ value: 'a\u0000' }] }, '"members[0].value" has a character U+0000.'],
  ])('refuses %j', (body, detail) => expect(readGroup(body)).toMatchObject({ ok: false, error: { status: 400, detail } }))

  it('keeps externalId and the members that are not spoken of', () => {
    const stored = { ...groupOf({ displayName: 'Staff', externalId: 'e1' }), id: 'g1', meta: {} }
    expect(replaceGroup(stored, { displayName: 'Staff' })).toMatchObject({ value: { changed: false, members: undefined, group: { externalId: 'e1', id: 'g1' } } })
    expect(replaceGroup(stored, { displayName: 'New', members: [] })).toMatchObject({ value: { changed: true, members: [] } })
    expect(replaceGroup(stored, { members: [] })).toMatchObject({ ok: false, error: { scimType: 'invalidValue' } })
  })
})

describe('stored forms', () => {
  const identity = { id: 'u1', created: '2026-01-01T00:00:00.000Z', modified: '2026-01-02T00:00:00.000Z', version: 3 }
  it('are the wire JSON but for the location', () => {
    expect(storedUser(userOf({ userName: 'Joy', externalId: 'E' }), identity)).toEqual({
      schemas: [USER_SCHEMA], id: 'u1', externalId: 'E', userName: 'Joy', active: true,
      meta: { resourceType: 'User', created: identity.created, lastModified: identity.modified, version: 'W/"3"' },
    })
  })
  it('fold what is not case exact, and only that', () => {
    const user = userOf({ userName: 'Joy', externalId: 'E', emails: [{ value: 'A@X', type: 'Work' }], manager: 'M', department: 'É' })
    expect(foldOf(storedUser(user, { ...identity, id: 'U1' }))).toMatchObject({
      id: 'U1', externalId: 'E', userName: 'joy', emails: [{ value: 'a@x', type: 'work' }], meta: { version: 'W/"3"', resourceType: 'User' },
      [ENTERPRISE_SCHEMA]: { manager: { value: 'M' }, department: 'é' },
    })
    const columns = userColumns(user, identity)
    expect([columns.userName, columns.userNameFold, columns.externalId, columns.active]).toEqual(['Joy', 'joy', 'E', 1])
    expect(groupColumns(groupOf({ displayName: 'ÉA' }), identity)).toMatchObject({ displayName: 'ÉA', displayNameFold: 'éa', externalId: null })
  })
})

describe('primaryAddress', () => {
  const p = { value: 'P@X.org', primary: true }
  const w = { value: ' W@x.org ', type: 'Work' }
  const h = { value: 'h@x.org', type: 'home' }
  it.each<[string, JsonObject, string | null]>([
    ['primary first', { emails: [w, h, p] }, 'p@x.org'],
    ['then work', { emails: [h, w] }, 'w@x.org'],
    ['then the only one', { emails: [h] }, 'h@x.org'],
    ['two of type work are not the one', { emails: [w, { ...w, value: 'v@x.org' }] }, null],
    ['two others are not the only one', { emails: [h, { value: 'o@x.org' }] }, null],
    ['userName when there is no e-mail to choose', { userName: 'Joy@X.org' }, 'joy@x.org'],
    ['userName that is no address', {}, null],
    ['userName where the choice is open', { userName: 'joy@x.org', emails: [h, { value: 'o@x.org' }] }, 'joy@x.org'],
    ['nothing stands in for a chosen one that is no address', { userName: 'joy@x.org', emails: [{ value: 'none', primary: true }, w] }, null],
    ['only ASCII is folded', { emails: [{ value: 'É@X.org' }] }, 'É@x.org'],
  ])('%s', (_case, body, address) => expect(primaryAddress(userOf({ userName: 'joy', ...body }), 'email')).toBe(address))

  it('is userName where the connection says so', () => {
    expect(primaryAddress(userOf({ userName: 'Joy@x.org', emails: [p] }), 'userName')).toBe('joy@x.org')
    expect(primaryAddress(userOf({ userName: 'joy', emails: [p] }), 'userName')).toBe(null)
  })

  it.each([
    ['a@b', true], ["o'neil+x@b.c", true], ['a@b@c', false], ['@b', false], ['a@', false], ['a b@c', false], ['a@b\n', false], ['', false],
    ['<a@b>', false], ['a@b,c@d', false], [`${'a'.repeat(319)}@b`, false], [`${'@'.repeat(100_000)}`, false], ['a\u0007@b', false],
  ])('%.30j', (text, expected) => expect(isAddress(text)).toBe(expected))
})
