import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readAttributeName, readPath, splitNames } from '../../src/scim/path'
import { ENTERPRISE_SCHEMA, GROUP_SCHEMA, USER_SCHEMA, definitionOf } from '../../src/scim/schema'
import { printFilter } from './printFilter'

const user = definitionOf('User')

const shown = (text: string, definition = user): unknown => {
  const target = readPath(definition, text)
  if (!target.ok) return target.error.scimType
  const { path, filter, sub } = target.value
  return [path.map(({ name }) => name).join('/'), filter === null ? null : printFilter(filter), sub?.name ?? null]
}

describe('readPath', () => {
  it.each<[string, unknown]>([
    // RFC 7644 section 3.5.2, the examples.
    ['members', ['members', null, null]],
    ['name.familyName', ['name/familyName', null, null]],
    ['addresses[type eq "work"]', ['addresses', 'type eq "work"', null]],
    ['members[value eq "2819c223-7f76-453a-919d-413861904646"]', ['members', 'value eq "2819c223-7f76-453a-919d-413861904646"', null]],
    ['members[value eq "2819c223"].displayName', 'invalidPath'],
    ['emails[type eq "work"].value', ['emails', 'type eq "work"', 'value']],
    [' userName ', ['userName', null, null]],
    ['EMAILS[TYPE EQ "work"].VALUE', ['emails', 'TYPE eq "work"', 'value']],
    ['addresses[type eq "other"].Formatted', ['addresses', 'type eq "other"', 'formatted']],
    ['emails[type eq "work" and primary eq "True"].display', ['emails', 'type eq "work" and primary eq "True"', 'display']],
    ['emails[value eq "a]\\"b.c"]', ['emails', 'value eq "a]\\"b.c"', null]],
    ['emails.value', ['emails', null, 'value']],
    [`${USER_SCHEMA}:emails[type eq "work"].value`, ['emails', 'type eq "work"', 'value']],
    [`${USER_SCHEMA}:name.familyName`, ['name/familyName', null, null]],
    [`${ENTERPRISE_SCHEMA}:manager.value`, [`${ENTERPRISE_SCHEMA}/manager/value`, null, null]],
    [`${ENTERPRISE_SCHEMA}.manager`, [`${ENTERPRISE_SCHEMA}/manager`, null, null]],
    [ENTERPRISE_SCHEMA, [ENTERPRISE_SCHEMA, null, null]],
    ['manager', [`${ENTERPRISE_SCHEMA}/manager`, null, null]],
    ...['', ' ', '[', 'emails[', 'emails[type eq "work"', 'emails]', 'emails[type eq "a"].', 'emails[type eq "a"]value', 'emails[type eq "a"] .value x',
      '"userName"', 'user Name', 'name.', '.name', 'name..givenName', 'a'.repeat(9000), 'emails[type eq "a"].x', 'name[givenName eq "x"]', 'title[value eq "x"]',
      'emails.value[value eq "x"]', 'schemas[value eq "x"]', '__proto__', 'constructor', 'emails[type eq "a"].constructor', `${ENTERPRISE_SCHEMA}:nothing`,
      'emails[type eq "a"][type eq "b"]', 'emails[type eq "x'].map((text): [string, unknown] => [text, 'invalidPath']),
    ['emails[]', 'invalidFilter'],
    ['emails[type]', 'invalidFilter'],
    ['emails[type eq "a" and]', 'invalidFilter'],
  ])('%s', (text, expected) => expect(shown(text, /^(urn:.*Group:)?members/i.test(text) ? definitionOf('Group') : user)).toEqual(expected))

  it('answers for any text, and never throws', () => {
    const parts = fc.constantFrom('emails', '[', ']', '"', '\\', '.', 'type eq "x"', 'value', ' ', USER_SCHEMA, ENTERPRISE_SCHEMA, GROUP_SCHEMA, ':')
    fc.assert(fc.property(fc.oneof(fc.string(), fc.array(parts, { maxLength: 12 }).map((texts) => texts.join(''))), (text) => {
      const target = readPath(user, text)
      expect(target.ok || target.error.scimType === 'invalidPath' || target.error.scimType === 'invalidFilter').toBe(true)
    }))
  })
})

describe('names of attributes', () => {
  it.each([
    ['userName', 'userName'], ['EMAILS.value', 'emails/value'], ['emails[type eq "work"]', 'emails'], ['emails[type eq "work"].value', 'emails/value'],
    [`${ENTERPRISE_SCHEMA}:department`, `${ENTERPRISE_SCHEMA}/department`], ['unknown', undefined], ['', undefined], ['"', undefined], ['name.x', undefined],
  ])('%j is %j', (text, path) => expect(readAttributeName(user, text)?.map(({ name }) => name).join('/')).toBe(path))

  it.each([
    ['a,b', ['a', 'b']], [' a , ,b,', ['a', 'b']], ['', []], ['emails[type eq "x,y"],b', ['emails[type eq "x,y"]', 'b']],
    ['e[v eq "]\\",a"],b', ['e[v eq "]\\",a"]', 'b']], ['[,', ['[,']], ['"a,b', ['"a,b']],
  ])('%j is cut into %j', (text, names) => expect(splitNames(text)).toEqual(names))
})
