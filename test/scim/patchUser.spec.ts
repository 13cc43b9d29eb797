import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../src/scim/json'
import { patchUser, readPatch } from '../../src/scim/patch'
import { readUser } from '../../src/scim/resource'
import type { ScimUser } from '../../src/scim/resource'
import { ENTERPRISE_SCHEMA, PROVISIONING_SCHEMA, SCHEMAS, USER_SCHEMA } from '../../src/scim/schema'
import { bare, home, joy, op, work } from './joy'

const userOf = (body: JsonObject): ScimUser => {
  const user = readUser(body)
  if (!user.ok) throw new Error(user.error.detail)
  return user.value
}

/** Freezes what must not change, all the way down. */
const frozen = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(frozen)
  return value
}

const patch = (body: JsonObject, ...operations: readonly unknown[]) => {
  const read = readPatch({ schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: operations })
  return read.ok ? patchUser(frozen({ ...userOf(body), id: 'u1', meta: { version: 'W/"1"' } }), read.value) : read
}

/** The patched user without what every user has, or the error in short. */
const outcome = (body: JsonObject, ...operations: readonly unknown[]): unknown => {
  const result = patch(body, ...operations)
  if (!result.ok) return `${result.error.status} ${result.error.scimType ?? ''}`
  expect(result.value.user).toMatchObject({ id: 'u1', meta: { version: 'W/"1"' } })
  const { schemas: _schemas, id: _id, meta: _meta, ...user } = result.value.user
  return result.value.changed ? user : 'unchanged'
}

describe('patchUser, the manager in its shapes (E-16 to E-18)', () => {
  const managed = (value: unknown) => ({ ...bare, [ENTERPRISE_SCHEMA]: { manager: { value } } })
  const path = `${ENTERPRISE_SCHEMA}:manager`
  it.each<[string, readonly unknown[], unknown]>([
    ['array of object, un-prefixed', [op('Add', 'manager', [{ $ref: 'http://host/scim/Users/m2', value: 'm2' }])], managed('m2')],
    ['string', [op('Replace', path, 'm2')], managed('m2')],
    ['object', [op('Replace', path, { Value: 'm2' })], managed('m2')],
    ['dot form', [op('Replace', `${ENTERPRISE_SCHEMA}.manager`, 'm2')], managed('m2')],
    ['its value', [op('Replace', `${path}.value`, 'm2')], managed('m2')],
    ['inside the extension', [op('Replace', ENTERPRISE_SCHEMA, { manager: 'm2' })], managed('m2')],
    ['no path', [op('Replace', undefined, { [ENTERPRISE_SCHEMA]: { Manager: { value: 'm2' } } })], managed('m2')],
    ['the same', [op('Replace', 'manager', 'm1')], 'unchanged'],
    ['its name is not ours to keep', [op('Replace', 'manager.displayName', 'Boss')], 'unchanged'],
    ['emptied', [op('Replace', path, '')], bare],
    ['emptied object', [op('replace', path, { value: '' })], bare],
    ['null', [op('replace', path, null)], bare],
    ['empty list', [op('replace', path, [])], bare],
    ['removed', [op('Remove', 'manager')], bare],
    ['two of them', [op('Replace', path, ['m2', 'm3'])], '400 invalidValue'],
    ['a boolean', [op('Replace', path, true)], '400 invalidValue'],
    ['a number', [op('Replace', path, 42)], '400 invalidValue'],
  ])('%s', (_shape, operations, after) => expect(outcome(managed('m1'), ...operations)).toEqual(after))
})

describe('patchUser, lists', () => {
  it.each<[string, JsonObject, readonly unknown[], unknown]>([
    ['E-10', bare, [
      op('Add', 'phoneNumbers[type eq "mobile"].value', '+49 160 1234567'), op('Add', 'addresses[type eq "work"].postalCode', 80331),
      op('Add', 'addresses[type eq "other"].Formatted', 'Room 12'), op('Add', 'emails[type eq "other"].Value', 'alias@contoso.com'),
    ], {
      ...bare,
      emails: [{ value: 'alias@contoso.com', type: 'other' }], phoneNumbers: [{ value: '+49 160 1234567', type: 'mobile' }],
      addresses: [{ postalCode: '80331', type: 'work' }, { formatted: 'Room 12', type: 'other' }],
    }],
    ['V-02: one role out of three operations, in any order', bare, [
      op('add', 'roles[primary eq "True"].type', 't'), op('add', 'roles[primary eq "True"].display', 'd'), op('add', 'roles[primary eq "True"].value', 'v'),
    ], { ...bare, roles: [{ value: 'v', display: 'd', type: 't', primary: true }] }],
    ['as many comparisons in paths as two for each operation', joy,
      Array.from({ length: 5000 }, (_, at) => op('remove', `emails[type eq "${at}" and not (value sw "h")].display`)), 'unchanged'],
    ['more of them', joy, Array.from({ length: 3334 }, (_, at) => op('remove', `emails[type eq "${at}" and value pr and display pr]`)), '413 '],
    ['a bare address', bare, [op('add', 'emails', 'a@x.org')], { ...bare, emails: [{ value: 'a@x.org' }] }],
    ['bare addresses', bare, [op('add', 'emails', ['a@x.org', 'b@x.org'])], { ...bare, emails: [{ value: 'a@x.org' }, { value: 'b@x.org' }] }],
    ['replace of the whole list', joy, [op('replace', 'emails', [{ value: 'n@x.org' }])], { ...joy, emails: [{ value: 'n@x.org' }] }],
    ['replace without path is of the whole list', joy, [op('replace', undefined, { emails: [{ value: 'n@x.org' }] })],
      { ...joy, emails: [{ value: 'n@x.org' }] }],
    ['add without path adds', joy, [op('add', undefined, { emails: [{ value: 'n@x.org' }] })], { ...joy, emails: [work, home, { value: 'n@x.org' }] }],
    ['replace of a selected value keeps what selects it', joy, [op('replace', 'emails[type eq "work"]', { value: 'n@x.org' })],
      { ...joy, emails: [{ value: 'n@x.org', type: 'work' }, home] }],
    ['add to a selected value', joy, [op('add', 'emails[type eq "work"]', { display: 'W' })],
      { ...joy, emails: [{ value: 'w@x.org', display: 'W', type: 'work', primary: true }, home] }],
    ['a sub-attribute of all', joy, [op('remove', 'emails.type')], { ...joy, emails: [{ value: 'w@x.org', primary: true }, { value: 'h@x.org' }] }],
    ['a sub-attribute of none creates', bare, [op('replace', 'emails.value', 'n@x.org')], { ...bare, emails: [{ value: 'n@x.org' }] }],
    ['a value without anything is none', { ...bare, emails: [{ value: 'n@x.org' }] }, [op('remove', 'emails.value'), op('add', 'emails[not (type pr)].display', 'x')], '400 noTarget'],
    ['remove by a filter', joy, [op('remove', 'emails[value ew "X.ORG" and not (type eq "home")]')], { ...joy, emails: [home] }],
    ['unknown sub-attributes of values are dropped', bare, [op('add', 'roles', [{ value: 'r', displayName: 'R', constructor: 1 }])],
      { ...bare, roles: [{ value: 'r' }] }],
    ['unknown names without path are passed over', bare, [op('add', undefined, { custom: 1, 'urn:x:y': { a: 1 }, 'name[': 2, title: 'x' })],
      { ...bare, title: 'x' }],
    ['our extension is passed over', bare, [op('replace', PROVISIONING_SCHEMA, { state: 'x' }), op('add', `${PROVISIONING_SCHEMA}:state`, 'x')],
      'unchanged'],
    ['two values for one', bare, [op('add', 'emails[type eq "work"]', [{ value: 'a' }, { value: 'b' }])], '400 invalidValue'],
    ['a wrong type deep down', bare, [op('add', 'emails', [{ value: { x: 1 } }])], '400 invalidValue'],
    ['a number for an object', bare, [op('add', 'name', 5)], '400 invalidValue'],
    ['too many values', bare, [op('add', 'emails', Array.from({ length: 501 }, (_, n) => `${n}@x.org`))], '400 invalidValue'],
    ['too many in two steps', bare, [0, 1].map((half) => op('add', 'emails', Array.from({ length: 300 }, (_, n) => `${half}.${n}@x.org`))),
      '400 invalidValue'],
    ['unknown path', bare, [op('add', 'nickNam', 'x')], '400 invalidPath'],
    ['unknown sub-attribute', bare, [op('add', 'emails[type eq "work"].valu', 'x')], '400 invalidPath'],
    ['hostile path', bare, [op('add', '__proto__.polluted', 'x')], '400 invalidPath'],
    ['hostile path in an object', bare, [op('add', 'constructor.prototype', 'x')], '400 invalidPath'],
    ['members of a user', bare, [op('add', 'members', [{ value: 'x' }])], '400 invalidPath'],
    ['a filter on what is no list', joy, [op('replace', 'name[givenName eq "Joy"].familyName', 'x')], '400 invalidPath'],
    ['a broken filter', joy, [op('replace', 'emails[type eq].value', 'x')], '400 invalidFilter'],
    ['gt on a boolean', joy, [op('replace', 'emails[primary gt true].value', 'x')], '400 invalidFilter'],
    ['a path without end', joy, [op('replace', 'emails[type eq "work"', 'x')], '400 invalidPath'],
    ['a path with more behind it', joy, [op('replace', 'title nickName', 'x')], '400 invalidPath'],
  ])('%s', (_case, before, operations, after) => expect(outcome(before, ...operations)).toEqual(after))

  it('removes every attribute that is published as optional, but active (decision 20)', () => {
    for (const { id, attributes } of SCHEMAS.filter((schema) => schema.id === USER_SCHEMA || schema.id === ENTERPRISE_SCHEMA)) {
      for (const { name, required } of attributes) {
        const removed = patch(joy, op('remove', `${id}:${name}`))
        expect([name, removed.ok || removed.error.status]).toEqual([name, required || name === 'active' ? 400 : true])
      }
    }
  })

  it('keeps Object.prototype clean', () => {
    outcome(bare, op('add', undefined, JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}')))
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
  })

  it('names the attribute', () => {
    expect(patch(bare, op('replace', 'active', 'maybe'))).toMatchObject({ error: { detail: '"active" must be true or false.' } })
    expect(patch(bare, op('add', 'emails', ['a', { value: [1, 2] }]))).toMatchObject({ error: { detail: '"emails[1].value" must be a single value.' } })
    expect(patch(bare, op('add', 'nickNam', 'x'))).toMatchObject({ error: { detail: 'The path "nickNam" names no attribute of this resource.' } })
  })
})

describe('readPatch', () => {
  it.each<[string, unknown, string]>([
    ['a list', [], '400 invalidSyntax'],
    ['null', null, '400 invalidSyntax'],
    ['no operations', {}, '400 invalidSyntax'],
    ['operations that are no list', { Operations: {} }, '400 invalidSyntax'],
    ['an empty list', { Operations: [] }, '400 invalidSyntax'],
    ['a string', { Operations: ['add'] }, '400 invalidSyntax'],
    ['unknown op', { Operations: [{ op: 'move', path: 'title', value: 'x' }] }, '400 invalidSyntax'],
    ['no op', { Operations: [{ path: 'title', value: 'x' }] }, '400 invalidSyntax'],
    ['op that is no string', { Operations: [{ op: 1 }] }, '400 invalidSyntax'],
    ['path that is no string', { Operations: [{ op: 'add', path: ['title'], value: 'x' }] }, '400 invalidPath'],
    ['add without value', { Operations: [{ op: 'add', path: 'title' }] }, '400 invalidValue'],
    ['replace without value', { Operations: [{ op: 'replace', path: 'members' }] }, '400 invalidValue'],
    ['no path and a list', { Operations: [{ op: 'add', value: [] }] }, '400 invalidValue'],
    ['no path and null', { Operations: [{ op: 'replace', value: null }] }, '400 invalidValue'],
    ['too many', { Operations: Array.from({ length: 5001 }, () => ({ op: 'remove', path: 'title' })) }, '413 '],
  ])('refuses %s', (_case, body, error) => {
    const read = readPatch(body)
    expect(read.ok ? 'ok' : `${read.error.status} ${read.error.scimType ?? ''}`).toBe(error)
  })

  it('takes any case, extra keys and an empty path', () => {
    expect(readPatch({ id: 'x', operations: [{ Op: ' Add ', PATH: ' ', Value: { a: 1 }, name: 'x' }] })).toEqual({
      ok: true, value: [{ op: 'add', path: null, value: { a: 1 } }],
    })
  })
})
