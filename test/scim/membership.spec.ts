import { describe, expect, it } from 'vitest'
import { parseFilter } from '../../src/scim/filter'
import { resolveFilter } from '../../src/scim/filterResolve'
import { emailIn, membershipIn } from '../../src/scim/membership'
import { definitionOf, resolveName, type ResourceType } from '../../src/scim/schema'

const resolvedOf = (text: string, type: ResourceType = 'User') => {
  const filter = parseFilter(text)
  const resolved = filter.ok ? resolveFilter(filter.value, (name) => resolveName(definitionOf(type), name)) : filter
  if (!resolved.ok) throw new Error(resolved.error.detail)
  return resolved.value
}

const found = (text: string, type: ResourceType = 'User'): unknown => {
  const term = membershipIn(resolvedOf(text, type), type)
  return term === null ? null : [term.id, term.isAll]
}

describe('membershipIn', () => {
  it.each<[string, unknown]>([
    ['groups eq "g1"', ['g1', true]],
    ['groups.value eq "g1"', ['g1', true]],
    ['GROUPS[Value eq "g1"]', ['g1', true]],
    ['urn:ietf:params:scim:schemas:core:2.0:User:groups.value eq "g1"', ['g1', true]],
    ['(groups eq "g1")', ['g1', true]],
    ['groups[value eq "g1" and type eq "direct"]', ['g1', false]],
    ['groups eq "g1" and active eq true', ['g1', false]],
    ['active eq true and (title pr and groups eq "g1")', ['g1', false]],
    ['groups eq "g1" and groups eq "g2"', ['g1', false]],
    ['groups eq "g1" or active eq true', null],
    ['not (groups eq "g1")', null],
    ['groups ne "g1"', null],
    ['groups sw "g1"', null],
    ['groups.display eq "g1"', null],
    ['groups[display eq "g1"]', null],
    ['groups[not (value eq "g1")]', null],
    ['groups[value eq "g1" or display eq "x"]', null],
    ['groups pr', null],
    ['emails eq "g1"', null],
    ['members eq "g1"', null],
  ])('%s', (text, expected) => expect(found(text)).toEqual(expected))

  it.each<[string, unknown]>([['members eq "u1"', ['u1', true]], ['members.value eq "u1" and displayName pr', ['u1', false]], ['groups eq "u1"', null]])(
    'of a Group: %s', (text, expected) => expect(found(text, 'Group')).toEqual(expected))
})

describe('emailIn', () => {
  it.each<[string, string | null]>([
    ['emails eq "Ada@Example.com"', 'ada@example.com'],
    ['emails.value eq "a@b.c" and active eq true', 'a@b.c'],
    ['emails[type eq "work" and value eq "a@b.c"]', 'a@b.c'],
    ['emails[type eq "work"].value eq "a@b.c"', 'a@b.c'],
    ['emails eq "a b@c.d"', null],
    ['emails eq "a@b.c" or userName eq "a"', null],
    ['not (emails eq "a@b.c")', null],
    ['emails ne "a@b.c"', null],
    ['emails co "a@b.c"', null],
    ['emails[type eq "work"]', null],
    ['phoneNumbers eq "a@b.c"', null],
  ])('%s', (text, expected) => expect(emailIn(resolvedOf(text))).toBe(expected))
})
