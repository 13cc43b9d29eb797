import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { etagOf, matchesEtag } from '../../src/scim/etag'
import { isObject } from '../../src/scim/json'
import type { JsonObject } from '../../src/scim/json'
import { isRequested, isWanted, project } from '../../src/scim/project'
import { listResponse, renderGroup, renderUser } from '../../src/scim/render'
import { readUser } from '../../src/scim/resource'
import { ENTERPRISE_SCHEMA, GROUP_SCHEMA, PROVISIONING_SCHEMA, USER_SCHEMA } from '../../src/scim/schema'
import { storedUser } from '../../src/scim/stored'
import { bodies } from './arbitraries'

const base = 'https://b.example/scim/v2'
const meta = { resourceType: 'User', created: 'c', lastModified: 'm', version: 'W/"1"' }
const stored = {
  schemas: [USER_SCHEMA, ENTERPRISE_SCHEMA], id: 'u 1', meta, userName: 'joy', name: { givenName: 'Joy', familyName: 'Young' },
  emails: [{ value: 'a@x', type: 'work' }, { value: 'b@x' }], active: true, [ENTERPRISE_SCHEMA]: { department: 'R&D', manager: { value: 'm' } },
}
const always = { schemas: stored.schemas, id: 'u 1' }
const group = { schemas: [GROUP_SCHEMA], id: 'g1', meta: { ...meta, resourceType: 'Group' }, displayName: 'Staff' }

describe('project', () => {
  it.each<[readonly string[], readonly string[], JsonObject]>([
    [[], [], stored],
    [['userName'], [], { ...always, userName: 'joy' }],
    [['USERNAME', 'Active'], [], { ...always, userName: 'joy', active: true }],
    [['name.givenName', 'emails.value'], [], { ...always, name: { givenName: 'Joy' }, emails: [{ value: 'a@x' }, { value: 'b@x' }] }],
    [['emails.type'], [], { ...always, emails: [{ type: 'work' }] }],
    [['emails.display'], [], always],
    [['name', 'name.givenName'], [], { ...always, name: stored.name }],
    [['emails[type eq "work"]'], [], { ...always, emails: stored.emails }],
    [[`${USER_SCHEMA}:userName`, `${ENTERPRISE_SCHEMA}:department`], [], { ...always, userName: 'joy', [ENTERPRISE_SCHEMA]: { department: 'R&D' } }],
    [[ENTERPRISE_SCHEMA], [], { ...always, [ENTERPRISE_SCHEMA]: stored[ENTERPRISE_SCHEMA] }],
    [['manager'], [], { ...always, [ENTERPRISE_SCHEMA]: { manager: { value: 'm' } } }],
    [['unknown', '__proto__'], [], always],
    [['password'], [], always],
    [['meta.version'], [], { ...always, meta: { version: 'W/"1"' } }],
    [[], ['id', 'schemas', 'meta', 'emails', ENTERPRISE_SCHEMA, 'name.familyName', 'active'],
      { ...always, userName: 'joy', name: { givenName: 'Joy' } }],
    [[], ['emails.type', 'unknown'], { ...stored, emails: [{ value: 'a@x' }, { value: 'b@x' }] }],
    [['name', 'userName'], ['name.givenName'], { ...always, userName: 'joy', name: { familyName: 'Young' } }],
  ])('%j without %j', (attributes, excluded, expected) => expect(project(stored, attributes, excluded)).toEqual(expected))

  it('never shows a password, and drops what no schema has', () => {
    expect(project({ ...stored, password: 'secret', other: 1 }, [], [])).toEqual(stored)
    expect(project({ ...stored, password: 'secret' }, ['password', 'id'], [])).toEqual(always)
  })

  it('leaves an empty list of members, and removes members that are not wanted (E-31)', () => {
    expect(project({ ...group, members: [] }, [], [])).toEqual({ ...group, members: [] })
    expect(project({ ...group, members: [{ value: 'a' }] }, [], ['Members'])).toEqual(group)
    expect(project({ ...group, members: [] }, ['members'], [])).toEqual({ schemas: [GROUP_SCHEMA], id: 'g1', members: [] })
  })

  it('shows the name of a member only when it is asked for by its own name', () => {
    const named = { ...group, members: [{ value: 'a', display: 'Ann', type: 'User' }, { value: 'b', type: 'User' }] }
    const plain = { ...group, members: [{ value: 'a', type: 'User' }, { value: 'b', type: 'User' }] }
    const of = (members: unknown) => ({ schemas: [GROUP_SCHEMA], id: 'g1', members })
    expect(project(named, [], [])).toEqual(plain)
    expect(project(named, ['members'], [])).toEqual(of(plain.members))
    expect(project(named, ['members', 'MEMBERS.Display'], [])).toEqual(of(named.members))
    expect(project(named, ['members.value', `${GROUP_SCHEMA}:members.display`], [])).toEqual(of([{ value: 'a', display: 'Ann' }, { value: 'b' }]))
    expect(project(named, ['members.display'], [])).toEqual(of([{ display: 'Ann' }]))
    expect(project(named, ['members.display', 'members'], ['members.display'])).toEqual(of(plain.members))
    expect([['members.display'], ['members'], [], ['members[value eq "a"].display']].map((attributes) => isRequested('Group', 'members', 'display', attributes)))
      .toEqual([true, false, false, true])
  })

  it('does nothing the second time, and adds nothing', () => {
    const names = fc.array(fc.constantFrom('userName', 'name', 'name.givenName', 'emails', 'emails.value', 'ROLES.type', ENTERPRISE_SCHEMA, 'manager', 'id', 'x'), { maxLength: 4 })
    const isPart = (part: unknown, whole: unknown): boolean => {
      if (Array.isArray(part)) return Array.isArray(whole) && part.every((item) => whole.some((other) => isPart(item, other)))
      return isObject(part) ? isObject(whole) && Object.entries(part).every(([name, value]) => isPart(value, whole[name])) : part === whole
    }
    fc.assert(fc.property(bodies('User'), names, names, (body, attributes, excluded) => {
      const user = readUser(body)
      if (!user.ok) return
      const whole = storedUser(user.value, { id: 'u', created: 'c', modified: 'm', version: 1 })
      const once = project(whole, attributes, excluded)
      expect(project(once, attributes, excluded)).toEqual(once)
      expect(isPart(once, whole)).toBe(true)
      expect([once.id, once.schemas]).toEqual([whole.id, whole.schemas])
    }))
  })

  it('says beforehand whether members are wanted', () => {
    expect([[[], []], [['members'], []], [['members.value'], []], [['displayName', 'MEMBERS'], []], [[], ['members.display']]].map(([a = [], e = []]) =>
      isWanted('Group', 'members', a, e))).toEqual([true, true, true, true, true])
    expect([[['id'], []], [[], ['Members']], [['members'], ['members']]].map(([a = [], e = []]) => isWanted('Group', 'members', a, e))).toEqual([false, false, false])
  })
})

describe('render', () => {
  it('adds what is known only when it is sent', () => {
    expect(renderUser(stored, { base })).toEqual({ ...stored, meta: { ...meta, location: `${base}/Users/u%201` } })
    expect(renderUser(stored, { base: `${base}/`, groups: [{ value: 'g1', display: 'Staff' }] })).toMatchObject({
      groups: [{ value: 'g1', $ref: `${base}/Groups/g1`, display: 'Staff', type: 'direct' }],
    })
    expect(renderGroup(group, { base })).toEqual({ ...group, meta: { ...group.meta, location: `${base}/Groups/g1` } })
    expect(renderGroup(group, { base, members: [] })).toMatchObject({ members: [] })
    expect(renderGroup(group, { base, members: [{ value: 'u1', display: 'Joy' }, { value: 'u2' }] }).members).toEqual([
      { value: 'u1', $ref: `${base}/Users/u1`, display: 'Joy', type: 'User' }, { value: 'u2', $ref: `${base}/Users/u2`, type: 'User' },
    ])
  })
  it('puts our extension last, and lists its schema', () => {
    const user = renderUser(stored, { base, groups: [{ value: 'g1', display: 'Staff' }], provisioning: { state: 'due' } })
    expect(user).toMatchObject({ schemas: [...stored.schemas, PROVISIONING_SCHEMA], [PROVISIONING_SCHEMA]: { state: 'due' } })
    expect(Object.keys(user)).toEqual(['schemas', 'id', 'meta', 'userName', 'name', 'emails', 'active', 'groups', ENTERPRISE_SCHEMA, PROVISIONING_SCHEMA])
    expect(stored.schemas).toEqual([USER_SCHEMA, ENTERPRISE_SCHEMA])
  })
  it('lists with integers and a capital R', () => {
    expect(listResponse({ totalResults: 7, startIndex: 9, resources: [stored] })).toEqual({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'], totalResults: 7, startIndex: 9, itemsPerPage: 1, Resources: [stored],
    })
  })
})

describe('etag', () => {
  it('is weak', () => expect(etagOf(3)).toBe('W/"3"'))
  it.each([
    ['W/"3"', true], ['"3"', true], ['3', true], ['w/"3"', true], ['*', true], [' * ', true], ['W/"1", W/"3"', true], ['"1","2"', false], ['', false],
    ['W/"33"', false], ['"', false],
  ])('%j of version 3: %j', (header, expected) => expect(matchesEtag(header, 3)).toBe(expected))
})
