import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { matchesFilter } from '../../src/scim/filterMatch'
import { parseJson } from '../../src/scim/json'
import type { JsonObject } from '../../src/scim/json'
import { patchGroup, patchUser, readPatch } from '../../src/scim/patch'
import { primaryAddress } from '../../src/scim/address'
import { project } from '../../src/scim/project'
import { readSearchRequest } from '../../src/scim/query'
import { foldOf, readGroup, readUser, replaceGroup, replaceUser } from '../../src/scim/resource'
import type { ScimGroup, ScimUser } from '../../src/scim/resource'
import { anyJson, bodies, filters, patches } from './arbitraries'

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
const freeze = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(freeze)
  return value
}
const users = bodies('User').map(userOf)
const groups = bodies('Group').map(groupOf)
const isClean = (): boolean => Object.keys(Object.prototype).length === 0 && !Object.hasOwn(Object.prototype, 'polluted')

describe('whatever comes', () => {
  it('is read or refused, and never thrown at', () => {
    fc.assert(fc.property(anyJson, users, groups, (json, user, group) => {
      const refused = [readUser(json), readGroup(json), replaceUser(user, json), replaceGroup(group, json), readSearchRequest(json), readPatch(json)]
        .flatMap((result) => (result.ok ? [] : [result.error.status]))
      expect(refused.every((status) => status === 400)).toBe(true)
      expect(parseJson(JSON.stringify(json)).ok || /"(__proto__|constructor|prototype)":/.test(JSON.stringify(json))).toBe(true)
      expect(isClean()).toBe(true)
    }), { numRuns: 1500 })
  })

  it('as a value of PATCH, neither', () => {
    const operation = fc.record({ op: fc.constantFrom('add', 'replace', 'remove'), path: fc.option(fc.string({ maxLength: 12 }), { nil: '' }), value: anyJson })
    fc.assert(fc.property(users, groups, fc.array(operation, { minLength: 1, maxLength: 4 }), (user, group, Operations) => {
      const read = readPatch({ Operations })
      if (!read.ok) return
      for (const result of [patchUser(freeze(user), read.value), patchGroup(freeze(group), read.value)]) {
        expect(result.ok || result.error.status === 400).toBe(true)
      }
      expect(isClean()).toBe(true)
    }), { numRuns: 1500 })
  })
})

describe('canonical form', () => {
  it('of a user reads as itself', () => {
    fc.assert(fc.property(users, (user) => {
      expect(readUser(JSON.parse(JSON.stringify(user)))).toEqual({ ok: true, value: user })
      expect(JSON.stringify(userOf(user))).toBe(JSON.stringify(user))
      expect(replaceUser(user, user)).toEqual({ ok: true, value: { user, changed: false } })
    }))
  })
  it('of a group reads as itself', () => {
    fc.assert(fc.property(groups, (group) => {
      expect(readGroup(group)).toEqual({ ok: true, value: { group, members: undefined } })
      expect(replaceGroup(group, group)).toMatchObject({ ok: true, value: { group, changed: false } })
    }))
  })
  it('holds after PATCH, which leaves what it was given and is a change if and only if something differs', () => {
    let applied = 0
    fc.assert(fc.property(users, patches('User'), (user, body) => {
      const before = JSON.stringify(user)
      const read = readPatch(freeze(body))
      const result = read.ok ? patchUser(freeze(user), read.value) : read
      expect(JSON.stringify(user)).toBe(before)
      if (!result.ok) return
      applied += 1
      const { user: after, changed } = result.value
      expect(readUser(after)).toEqual({ ok: true, value: after })
      expect(changed).toBe(JSON.stringify(after) !== before)
      const primaries = Object.values(after).filter(Array.isArray).map((list: readonly JsonObject[]) => list.filter(({ primary }) => primary === true))
      expect(primaries.every(({ length }) => length <= 1)).toBe(true)
    }), { numRuns: 3000 })
    expect(applied).toBeGreaterThan(300)
  })
  it('holds after PATCH of a group', () => {
    fc.assert(fc.property(groups, patches('Group'), (group, body) => {
      const read = readPatch(body)
      const result = read.ok ? patchGroup(freeze(group), read.value) : read
      if (result.ok) expect(readGroup(result.value.group)).toMatchObject({ ok: true, value: { group: result.value.group } })
    }), { numRuns: 1000 })
  })
  it('is reached by replacing with itself, operation by operation', () => {
    fc.assert(fc.property(users, users, (from, to) => {
      const Operations = [...Object.keys(from).filter((name) => to[name] === undefined).map((path) => ({ op: 'remove', path })), { op: 'replace', value: to }]
      const read = readPatch({ Operations: Operations.filter(({ op, ...rest }) => op !== 'remove' || ('path' in rest && rest.path !== 'schemas')) })
      const patched = read.ok ? patchUser(from, read.value) : read
      // Objects are merged, so what `to` leaves out of them stays: everything it does say is there.
      expect(patched.ok).toBe(true)
      if (patched.ok) expect(patched.value.user).toMatchObject(JSON.parse(JSON.stringify(to)) as JsonObject)
    }))
  })
})

describe('laws of filters and folds', () => {
  it('a filter and its negation part the resources, and never throw', () => {
    fc.assert(fc.property(users, filters('User'), (user, filter) => {
      const yes = matchesFilter(filter, user)
      const no = matchesFilter({ kind: 'not', term: filter }, user)
      if (yes.ok && no.ok) expect(no.value).toBe(!yes.value)
      else expect(yes.ok === no.ok).toBe(true)
    }), { numRuns: 1000 })
  })
  it('folding twice is folding once, and keeps the shape', () => {
    fc.assert(fc.property(users, (user) => {
      const folded = foldOf(user)
      expect(foldOf({ ...folded, schemas: user.schemas })).toEqual({ ...folded, schemas: folded.schemas })
      expect(Object.keys(folded)).toEqual(Object.keys(user))
    }))
  })
  it('an address is folded or null', () => {
    fc.assert(fc.property(users, (user) => {
      const address = primaryAddress(user, 'email')
      expect(address === null || !/[A-Z\s]/.test(address)).toBe(true)
      expect(project(user, ['userName'], [])).toEqual({ schemas: user.schemas, userName: user.userName })
    }))
  })
})
