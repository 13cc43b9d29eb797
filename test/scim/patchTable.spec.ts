/**
 * The 25 rows of identity-providers D.1, by number: each case through the engine alone, and then through the Directory, where a
 * refusal or a change of nothing leaves every table as it was, and everything else moves version and `lastModified`.
 */
import { describe, expect, it } from 'vitest'
import { forget, idOf, membersOf, openScim, person } from '../directory/scimClient'
import type { Answer, Client, Json, ScimWorld } from '../directory/scimClient'
import { foldMembers } from '../../src/directory/members'
import { patchGroup, patchUser, readPatch } from '../../src/scim/patch'
import type { MemberOperation } from '../../src/scim/patch'
import { readGroup, readUser } from '../../src/scim/resource'
import type { ScimUser } from '../../src/scim/resource'
import { ENTERPRISE_SCHEMA, GROUP_SCHEMA, PROVISIONING_SCHEMA, USER_SCHEMA } from '../../src/scim/schema'
import { bare, home, joy, op, work } from './joy'

const { [ENTERPRISE_SCHEMA]: _enterprise, ...core } = joy

/** Begins with the number of its row. What comes out is `unchanged`, an error in short, or the resource. */
type Case = readonly [name: string, before: Json, operations: readonly unknown[], after: unknown]

const USERS: readonly Case[] = [
  ['1 op in any case', bare, [op('REPLACE', 'title', 'x'), op('Add', 'nickName', 'y')], { ...bare, title: 'x', nickName: 'y' }],
  ['2 extra keys of an operation', bare, [{ name: 'setTitle', OP: 'add', Path: 'title', VALUE: 'x' }], { ...bare, title: 'x' }],
  ['3 no path: each key a path, objects merge', joy, [op('replace', undefined, { name: { familyName: 'New' }, title: 'Boss' })],
    { ...joy, title: 'Boss', name: { ...joy.name, familyName: 'New' } }],
  ['3 null inside an object clears that one', joy, [op('replace', undefined, { name: { formatted: null } })],
    { ...joy, name: { givenName: 'Joy', familyName: 'Young' } }],
  ['4 dotted and URN keys (E-50)', joy,
    [op('replace', undefined, {
      displayName: 'Bjfe', 'name.givenName': 'Kkom', 'name.familyName': 'Unua', [`${ENTERPRISE_SCHEMA}:employeeNumber`]: 'Aklq',
    })],
    {
      ...joy, displayName: 'Bjfe', name: { ...joy.name, givenName: 'Kkom', familyName: 'Unua' },
      [ENTERPRISE_SCHEMA]: { department: 'R&D', manager: { value: 'm1' }, employeeNumber: 'Aklq' },
    }],
  ['4 core attributes below their URN', joy, [op('replace', undefined, { [USER_SCHEMA]: { title: 'Boss', 'name.familyName': 'New' } })],
    { ...joy, title: 'Boss', name: { ...joy.name, familyName: 'New' } }],
  ['4 a value path as key', bare, [op('add', undefined, { 'emails[type eq "work"].value': 'w@x.org' })],
    { ...bare, emails: [{ value: 'w@x.org', type: 'work' }] }],
  ['5 replace through a filter without match creates', bare, [op('Replace', 'emails[type eq "work"].value', 'n@x.org')],
    { ...bare, emails: [{ value: 'n@x.org', type: 'work' }] }],
  ['5 so does a conjunction', bare, [op('replace', 'emails[type eq "work" and primary eq "True"].value', 'n@x.org')],
    { ...bare, emails: [{ value: 'n@x.org', type: 'work', primary: true }] }],
  ['5 and a whole value', bare, [op('replace', 'addresses[type eq "work"]', { locality: 'Berlin' })],
    { ...bare, addresses: [{ locality: 'Berlin', type: 'work' }] }],
  ['5 another filter does not', bare, [op('replace', 'emails[type ne "work"].value', 'n@x.org')], '400 noTarget'],
  ['5 nor an or', bare, [op('add', 'emails[type eq "work" or type eq "home"].value', 'n@x.org')], '400 noTarget'],
  ['5 nor a contradiction', bare, [op('add', 'emails[type eq "work" and type eq "home"].value', 'n@x.org')], '400 noTarget'],
  ['5 nor an unknown sub-attribute', bare, [op('add', 'emails[kind eq "work"].value', 'n@x.org')], '400 noTarget'],
  ['6 remove through a filter without match', joy, [op('remove', 'emails[type eq "other"]')], 'unchanged'],
  ['6 and of a part of it', joy, [op('remove', 'emails[type eq "other"].value')], 'unchanged'],
  ['7 remove of a scalar with a value never sets it (E-19)', joy, [op('Remove', 'title', 'Old')], { ...joy, title: undefined }],
  ['7 remove of a list with values removes those', joy, [op('Remove', 'emails', [{ value: 'H@X.org' }])], { ...joy, emails: [work] }],
  ['7 each by what it says', { ...bare, addresses: [{ locality: 'Bonn', type: 'work' }, { locality: 'Bonn' }, { locality: 'Ulm', type: 'home' }] },
    [op('remove', 'addresses', [{ locality: 'bonn', type: 'Work' }, { type: 'home' }, { locality: 'Bonn', region: 'NW' }])],
    { ...bare, addresses: [{ locality: 'Bonn' }] }],
  ['7 with no values, nobody', joy, [op('Remove', 'emails', [])], 'unchanged'],
  ['7 a list without values goes', joy, [op('Remove', 'emails')], { ...joy, emails: undefined }],
  ['8 remove without path', joy, [op('remove', undefined)], '400 noTarget'],
  ['8 not even with a value', joy, [op('remove', undefined, { title: 'x' })], '400 noTarget'],
  ['10 add what is there', joy, [op('add', 'emails', [home]), op('add', 'title', 'Engineer')], 'unchanged'],
  ['10 in another case of a folded attribute', joy, [op('add', 'emails', [{ value: 'h@x.org', type: 'home' }])], 'unchanged'],
  ['10 add a primary address that is there', { ...bare, addresses: [{ locality: 'Bonn', type: 'work', primary: true }, { locality: 'Ulm' }] },
    [op('add', 'addresses', [{ locality: 'Bonn', type: 'work', primary: true }, { locality: 'Ulm' }])], 'unchanged'],
  ['10 an address that is there becomes primary', { ...bare, addresses: [{ locality: 'Bonn', primary: true }, { locality: 'Ulm' }] },
    [op('add', 'addresses', { locality: 'Ulm', primary: true })],
    { ...bare, addresses: [{ locality: 'Bonn', primary: false }, { locality: 'Ulm', primary: true }] }],
  ['10 add completes the value that is there', joy, [op('add', 'emails', [{ ...home, display: 'H' }])],
    { ...joy, emails: [work, { value: 'h@x.org', display: 'H', type: 'home' }] }],
  ['11 a new primary', joy, [op('add', 'emails', [{ value: 'n@x.org', primary: true }])],
    { ...joy, emails: [{ ...work, primary: false }, home, { value: 'n@x.org', primary: true }] }],
  ['11 an old value made primary', joy, [op('replace', 'emails[type eq "home"].primary', 'True')],
    { ...joy, emails: [{ ...work, primary: false }, { ...home, primary: true }] }],
  ['11 two new ones', bare, [op('add', 'emails', [{ value: 'a@x', primary: true }, { value: 'b@x', primary: true }])],
    { ...bare, emails: [{ value: 'a@x', primary: true }, { value: 'b@x', primary: false }] }],
  ['11 the one that was, named again beside a new one', { ...bare, emails: [work, home] },
    [op('add', 'emails', [{ ...work, display: 'W' }, { ...home, primary: true }])],
    { ...bare, emails: [{ value: 'w@x.org', display: 'W', type: 'work', primary: false }, { ...home, primary: true }] }],
  ['11 all of them at once', { ...bare, emails: [work, home] }, [op('replace', 'emails.primary', true)],
    { ...bare, emails: [{ ...work, primary: false }, { ...home, primary: true }] }],
  ['11 a value that says nothing takes it from nobody', { ...bare, emails: [work] }, [op('add', 'emails[type eq "other"].primary', 'True')], 'unchanged'],
  ['11 until it says something', { ...bare, emails: [work] }, [op('add', 'emails[type eq "other"].primary', 'True'), op('add', 'emails[type eq "other"].value', 'o@x.org')],
    { ...bare, emails: [{ ...work, primary: false }, { value: 'o@x.org', type: 'other', primary: true }] }],
  ['11 the same value named twice', bare, [op('add', 'emails', [work, work])], { ...bare, emails: [work] }],
  ['11 of a list that takes the place of another, the first', { ...bare, emails: [work] }, [op('replace', 'emails', [{ value: 'n@x.org', primary: true }, work])],
    { ...bare, emails: [{ value: 'n@x.org', primary: true }, { ...work, primary: false }] }],
  ['12 a good operation before one of a wrong type', joy, [op('replace', 'title', 'x'), op('add', 'emails', 'n@x.org'), op('replace', 'active', 'maybe')], '400 invalidValue'],
  ['12 before one without target', joy, [op('replace', 'active', false), op('replace', 'emails[type ne "work" and type ne "home"].value', 'y')], '400 noTarget'],
  ['12 atomic', joy, [op('replace', 'title', 'x'), op('replace', 'unknown', 'y')], '400 invalidPath'],
  ['13 readOnly is passed over', joy, [op('replace', 'id', 'x'), op('add', 'meta.created', 'x'), op('add', 'groups', [{ value: 'g' }]),
    op('replace', undefined, { id: 'x', schemas: ['urn:x'], meta: {}, groups: [], password: 'secret' })], 'unchanged'],
  ['15 null', joy, [op('replace', 'title', null)], { ...joy, title: undefined }],
  ['15 empty', joy, [op('replace', 'title', '')], { ...joy, title: undefined }],
  ['15 empty list', joy, [op('replace', 'emails', [])], { ...joy, emails: undefined }],
  ['15 value of a value path (E-20)', joy, [op('replace', 'emails[type eq "work"].value', '')], { ...joy, emails: [home] }],
  ['15 of one that is not there', bare, [op('replace', 'emails[type eq "work"].value', null)], 'unchanged'],
  ['15 whole value of a filter', joy, [op('replace', 'emails[type eq "work"]', null)], { ...joy, emails: [home] }],
  ['15 adding nothing to a list', joy, [op('add', 'emails', [])], 'unchanged'],
  ['16 userName empty', joy, [op('replace', 'userName', '')], '400 invalidValue'],
  ['16 userName null without path', joy, [op('replace', undefined, { userName: null })], '400 invalidValue'],
  ['16 userName removed', joy, [op('remove', 'userName')], '400 mutability'],
  ['16 set again in time (B.5, P2)', joy, [op('remove', 'userName'), op('add', 'userName', 'x'), op('replace', 'userName', 'y')],
    { ...joy, userName: 'y' }],
  ['16 removed after all', joy, [op('add', 'userName', 'x'), op('remove', 'userName')], '400 mutability'],
  ['16 the last to clear it says how', joy, [op('remove', 'userName'), op('replace', 'userName', '')], '400 invalidValue'],
  ['16 nothing else is cleared with it', joy, [op('remove', 'title'), op('remove', 'active'), op('add', 'active', 'true')],
    { ...joy, title: undefined }],
  ['16 active null (decision 20)', joy, [op('replace', 'active', null)], '400 invalidValue'],
  ['16 active empty without path', joy, [op('replace', undefined, { active: '' })], '400 invalidValue'],
  ['16 active removed', joy, [op('remove', 'active')], '400 invalidValue'],
  ['17 "False" (E-11)', joy, [op('Replace', 'active', 'False')], { ...joy, active: false }],
  ['17 no path', joy, [op('replace', undefined, { active: 'false' })], { ...joy, active: false }],
  ['17 a list of one (O-13)', joy, [op('replace', 'active', [false])], { ...joy, active: false }],
  ['17 no boolean at all', joy, [op('replace', 'active', 'maybe')], '400 invalidValue'],
  ['17 a number', joy, [op('replace', 'active', 0)], '400 invalidValue'],
  ['18 a first attribute brings the extension', bare, [op('add', `${ENTERPRISE_SCHEMA}:department`, 'R&D')], { ...bare, [ENTERPRISE_SCHEMA]: { department: 'R&D' } }],
  ['18 the last attribute takes it away', joy, [op('remove', 'department'), op('remove', 'manager')], core],
  ['18 so does its URN, removed', joy, [op('remove', ENTERPRISE_SCHEMA)], core],
  ['18 and its URN, replaced by null', joy, [op('replace', ENTERPRISE_SCHEMA, null)], core],
  ['18 an empty extension is none', bare, [op('add', ENTERPRISE_SCHEMA, {})], 'unchanged'],
  ['19 core URN', joy, [op('replace', `${USER_SCHEMA.toUpperCase()}:name.familyName`, 'N')], { ...joy, name: { ...joy.name, familyName: 'N' } }],
  ['19 core URN with a value path', joy, [op('remove', `${USER_SCHEMA}:emails[type eq "home"]`)], { ...joy, emails: [work] }],
  ['20 a colon before the name', bare, [op('add', `${ENTERPRISE_SCHEMA}:manager.value`, 'm2')], { ...bare, [ENTERPRISE_SCHEMA]: { manager: { value: 'm2' } } }],
  ['20 a dot before the name', bare, [op('add', `${ENTERPRISE_SCHEMA}.manager`, 'm2')], { ...bare, [ENTERPRISE_SCHEMA]: { manager: { value: 'm2' } } }],
  ['20 in lower case', bare, [op('add', `${ENTERPRISE_SCHEMA.toLowerCase()}:costcenter`, 'c')], { ...bare, [ENTERPRISE_SCHEMA]: { costCenter: 'c' } }],
  ['20 of our own extension, passed over', bare, [op('add', `${PROVISIONING_SCHEMA}:state`, 'x')], 'unchanged'],
  ['20 with nothing behind it that there is', bare, [op('add', `${ENTERPRISE_SCHEMA}:shoeSize`, '44')], '400 invalidPath'],
  ['20 of another schema', bare, [op('add', 'urn:example:2.0:User:title', 'x')], '400 invalidPath'],
  ['22 no-op', joy, [op('replace', undefined, { active: true })], 'unchanged'],
  ['22 reactivation, said again', joy, [op('Replace', 'active', 'True')], 'unchanged'],
  ['23 a User is answered with itself', joy, [op('replace', 'title', 'x')], { ...joy, title: 'x' }],
  ['24 value as a string of JSON', joy, [op('replace', undefined, '{"active":false}')], '400 invalidValue'],
  ['24 the same for an object that a path names', joy, [op('replace', 'name', '{"givenName":"X"}')], '400 invalidValue'],
  ['25 quotes and brackets in a filter', { ...bare, emails: [{ value: 'a"]b.c', type: 'x' }] }, [op('remove', 'emails[value eq "a\\"]b.c"]')],
    { ...bare, emails: undefined }],
]

const staff = { displayName: 'Staff', externalId: 'e1', members: ['{ada}', '{bob}'] }

/** `{ada}` stands for the id of Ada. */
const GROUPS: readonly Case[] = [
  ['1 op in any case', staff, [op('Add', 'members', ['{cyd}'])], { ...staff, members: ['{ada}', '{bob}', '{cyd}'] }],
  ['2 a body with keys of its own', staff, [{ OP: 'replace', Path: 'displayName', VALUE: 'New', name: 'x' }], { ...staff, displayName: 'New' }],
  ['3 no path', staff, [op('add', undefined, { members: [{ value: '{cyd}' }], displayName: 'New' })], { ...staff, displayName: 'New', members: ['{ada}', '{bob}', '{cyd}'] }],
  ['4 URN keys', staff, [op('replace', undefined, { [`${GROUP_SCHEMA}:displayName`]: 'New' })], { ...staff, displayName: 'New' }],
  ['6 remove through a filter without match', staff, [op('remove', 'members[value eq "{cyd}"]')], 'unchanged'],
  ['7 remove by a list of values (E-34)', staff, [op('Remove', 'members', [{ $ref: null, value: '{ada}' }])], { ...staff, members: ['{bob}'] }],
  ['7 by one id', staff, [op('remove', 'members', '{ada}')], { ...staff, members: ['{bob}'] }],
  ['7 by an object', staff, [op('remove', 'members', { value: '{ada}' })], { ...staff, members: ['{bob}'] }],
  ['7 by no values, nobody', staff, [op('remove', 'members', [])], 'unchanged'],
  ['8 remove without path', staff, [op('remove', undefined, { members: ['{ada}'] })], '400 noTarget'],
  ['9 bare members', staff, [op('remove', 'members')], { ...staff, members: [] }],
  ['10 add who is there', staff, [op('add', 'members', ['{bob}', '{ada}'])], 'unchanged'],
  ['12 one wrong operation undoes the others', staff, [op('remove', 'members'), op('replace', 'displayName', 'x'), op('add', 'members', [{ display: 'x' }])], '400 invalidValue'],
  ['12 a wrong path too', staff, [op('remove', 'members'), op('replace', 'members[value eq "{ada}"].nam', 'x')], '400 invalidPath'],
  ['13 id with a rename (O-23)', staff, [op('replace', undefined, { id: 'x', displayName: 'New', meta: {} })], { ...staff, displayName: 'New' }],
  ['14 a member is not changed in place', staff, [op('replace', 'members[value eq "{ada}"].value', '{cyd}')], '400 mutability'],
  ['14 nor all of them', staff, [op('remove', 'members.value')], '400 mutability'],
  ['14 the list is', staff, [op('replace', 'members', ['{cyd}'])], { ...staff, members: ['{cyd}'] }],
  ['14 and one by another', staff, [op('replace', 'members[value eq "{ada}"]', { value: '{cyd}' })], { ...staff, members: ['{bob}', '{cyd}'] }],
  ['15 null', staff, [op('replace', 'members', null)], { ...staff, members: [] }],
  ['15 empty list', staff, [op('replace', 'members', [])], { ...staff, members: [] }],
  ['15 empty', staff, [op('replace', 'externalId', '')], { displayName: 'Staff', members: staff.members }],
  ['16 displayName empty', staff, [op('replace', 'displayName', '')], '400 invalidValue'],
  ['16 displayName removed', staff, [op('remove', 'displayName')], '400 mutability'],
  ['19 core URN', staff, [op('remove', `${GROUP_SCHEMA}:members[value eq "{ada}"]`)], { ...staff, members: ['{bob}'] }],
  ['21 a rename keeps the members', staff, [op('replace', undefined, { displayName: 'New' })], { ...staff, displayName: 'New' }],
  ['21 with a path too', staff, [op('Replace', 'displayName', 'New')], { ...staff, displayName: 'New' }],
  ['23 a Group is answered without itself', staff, [op('replace', 'externalId', 'e2')], { ...staff, externalId: 'e2' }],
  ['24 members as a string of JSON', staff, [op('replace', undefined, '{"members":[]}')], '400 invalidValue'],
  ['25 quotes and brackets', staff, [op('remove', 'members[value eq "a\\"]b" or value eq "{ada}"]')], { ...staff, members: ['{bob}'] }],
]

/** Freezes what must not change, all the way down. */
const frozen = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(frozen)
  return value
}

const must = <T>(result: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: { readonly detail: string } }): T => {
  if (!result.ok) throw new Error(result.error.detail)
  return result.value
}

interface Refusal {
  readonly status: number
  readonly scimType?: string
}

const shortOf = ({ status, scimType = '' }: Refusal): string => `${status} ${scimType}`

/** What a client may have written. */
const own = ({ schemas: _schemas, id: _id, meta: _meta, groups: _groups, [PROVISIONING_SCHEMA]: _ours, ...rest }: Json): Json => rest

const schemasOf = (user: Json): readonly string[] => (user[ENTERPRISE_SCHEMA] === undefined ? [USER_SCHEMA] : [USER_SCHEMA, ENTERPRISE_SCHEMA])

const ofUser = (before: Json, operations: readonly unknown[]): unknown => {
  const user: ScimUser = frozen({ ...must(readUser(before)), id: 'u1', meta: { version: 'W/"1"' } })
  const read = readPatch({ Operations: operations })
  const patched = read.ok ? patchUser(user, read.value) : read
  if (!patched.ok) return shortOf(patched.error)
  expect(patched.value.user).toMatchObject({ id: 'u1', meta: { version: 'W/"1"' }, schemas: schemasOf(patched.value.user) })
  return patched.value.changed ? own(patched.value.user) : 'unchanged'
}

const membersAfter = (before: readonly string[], operations: readonly MemberOperation[]): readonly string[] => {
  const { keeps, plus, minus } = foldMembers(operations)
  return [...new Set([...(keeps ? before.filter((id) => !minus.has(id)) : []), ...plus])].toSorted()
}

const ofGroup = (before: Json, operations: readonly unknown[]): unknown => {
  const { group, members = [] } = must(readGroup(before))
  const read = readPatch({ Operations: operations })
  const patched = read.ok ? patchGroup(frozen(group), read.value) : read
  if (!patched.ok) return shortOf(patched.error)
  const ids = members.map(({ value }) => value)
  const after = membersAfter(ids, patched.value.members)
  return patched.value.changed || after.join() !== ids.join() ? { ...own(patched.value.group), members: after } : 'unchanged'
}

const seed = (client: Client): ReadonlyMap<string, string> => new Map(['ada', 'bob', 'cyd'].map((name) => [`{${name}}`, idOf(client.post('User', person(name)))]))

const fill = <T extends object>(value: T, people: ReadonlyMap<string, string>): T =>
  JSON.parse(JSON.stringify(value).replace(/\{(?:ada|bob|cyd)\}/g, (name) => people.get(name) ?? name)) as T

interface Outcome {
  readonly answer: Answer
  readonly before: Json
  readonly after: Json
  readonly isWritten: boolean
}

const patched = (world: ScimWorld, type: 'User' | 'Group', body: Json, operations: readonly unknown[]): Outcome => {
  const id = idOf(world.okta.post(type, body))
  const before = world.okta.get(type, id).body
  forget(world)
  world.store.clock.at += 1000
  const rows = JSON.stringify(world.dump())
  const answer = world.okta.patch(type, id, operations as readonly Json[])
  return { answer, before, after: world.okta.get(type, id).body, isWritten: JSON.stringify(world.dump()) !== rows }
}

const metaOf = ({ meta }: Json): Json => (typeof meta === 'object' ? (meta as Json) : {})

const checkMoved = ({ before, after, isWritten }: Outcome, isChanged: boolean): void => {
  expect(isWritten).toBe(isChanged)
  expect(metaOf(after).version).toBe(isChanged ? 'W/"2"' : 'W/"1"')
  expect(Date.parse(String(metaOf(after).lastModified)) - Date.parse(String(metaOf(before).lastModified))).toBe(isChanged ? 1000 : 0)
}

const refusalOf = ({ status, body }: Answer): string | undefined => (status < 400 ? undefined : shortOf({ status, scimType: String(body.scimType ?? '') }))

describe('identity-providers D.1, Users', () => {
  it.each(USERS)('%s', async (_name, before, operations, after) => {
    expect(ofUser(before, operations)).toEqual(after)
    await openScim((world) => {
      const outcome = patched(world, 'User', before, operations)
      const isRefused = typeof after === 'string' && after !== 'unchanged'
      expect(refusalOf(outcome.answer)).toBe(isRefused ? after : undefined)
      checkMoved(outcome, typeof after !== 'string')
      if (typeof after !== 'string') expect(own(outcome.after)).toEqual(after)
      // Row 23: 200 with the resource.
      if (!isRefused) expect([outcome.answer.status, outcome.answer.body]).toEqual([200, outcome.after])
    })
  })
})

describe('identity-providers D.1, Groups', () => {
  it.each(GROUPS)('%s', async (_name, before, operations, after) => {
    expect(ofGroup(before, operations)).toEqual(after)
    await openScim((world) => {
      const people = seed(world.okta)
      const outcome = patched(world, 'Group', fill(before, people), fill(operations, people))
      const isRefused = typeof after === 'string' && after !== 'unchanged'
      expect(refusalOf(outcome.answer)).toBe(isRefused ? after : undefined)
      checkMoved(outcome, typeof after !== 'string')
      const expected = fill(typeof after === 'object' && after !== null ? after : before, people)
      const members = membersOf({ ...outcome.answer, body: outcome.after })
      expect({ ...own(outcome.after), members }).toEqual(expected)
      // Row 23: 204 without a body, but 200 with it where attributes are chosen.
      if (isRefused) return
      expect([outcome.answer.status, outcome.answer.body]).toEqual([204, {}])
      const again = world.okta.patch('Group', String(outcome.after.id), [op('replace', 'externalId', 'again')], { attributes: ['externalId'] })
      expect([again.status, again.body.externalId]).toEqual([200, 'again'])
    })
  })
})

describe('the rows', () => {
  it('are all there', () => {
    const numbers = [...USERS, ...GROUPS].map(([name]) => Number.parseInt(name, 10))
    expect([...new Set(numbers)].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 25 }, (_, index) => index + 1))
  })
})

it('2 Operations in any case, and keys beside it', () => {
  expect(readPatch({ id: 'x', schemas: [], oPERATIONS: [op('add', 'title', 'x')], name: 'y' })).toEqual({ ok: true, value: [{ op: 'add', path: 'title', value: 'x' }] })
})
