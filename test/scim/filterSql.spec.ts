import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { TestStore } from '../directory/memoryStore'
import { openStore } from '../directory/memoryStore'
import { MAX_FILTER_DEPTH, MAX_FILTER_TERMS, parseFilter } from '../../src/scim/filter'
import type { Filter } from '../../src/scim/filter'
import { matchesFilter } from '../../src/scim/filterMatch'
import { MAX_FILTER_PARAMETERS, compileFilter } from '../../src/scim/filterSql'
import type { JsonObject } from '../../src/scim/json'
import type { ResourceType } from '../../src/scim/schema'
import { bodies, filters } from './arbitraries'
import { base, build } from './model/rows'
import type { World } from './model/rows'

const tableOf = (resourceType: ResourceType): string => (resourceType === 'User' ? 'users u' : 'groups g')
const seqOf = (resourceType: ResourceType): string => (resourceType === 'User' ? 'u.seq' : 'g.seq')

const bySql = ({ sql }: TestStore, filter: Filter, resourceType: ResourceType): readonly string[] | string => {
  const compiled = compileFilter(filter, resourceType, base)
  if (!compiled.ok) return compiled.error.scimType ?? ''
  const query = `SELECT id FROM ${tableOf(resourceType)} WHERE connection_id = ? AND ${compiled.value.sql} ORDER BY ${seqOf(resourceType)} LIMIT ?`
  return sql.rows<{ id: string }>(query, 'c', ...compiled.value.params, 1000).map(({ id }) => id)
}

const byModel = (filter: Filter, resources: readonly JsonObject[]): readonly string[] | string => {
  const found: string[] = []
  for (const resource of resources) {
    const matches = matchesFilter(filter, resource)
    if (!matches.ok) return matches.error.scimType ?? ''
    if (matches.value) found.push(String(resource.id))
  }
  return found
}

const worlds: fc.Arbitrary<World> = fc.record({
  users: fc.array(bodies('User'), { minLength: 1, maxLength: 8 }),
  groups: fc.array(bodies('Group'), { minLength: 1, maxLength: 4 }),
  memberships: fc.array(fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 7 })), { maxLength: 12 }),
})

const read = (text: string): Filter => {
  const parsed = parseFilter(text)
  if (!parsed.ok) throw new Error(parsed.error.detail)
  return parsed.value
}

describe('compileFilter', () => {
  it('finds what the model finds, in 10,000 random cases', async () => {
    await openStore((store) => {
      fc.assert(fc.property(
        worlds, fc.array(filters('User'), { minLength: 25, maxLength: 25 }), fc.array(filters('Group'), { minLength: 25, maxLength: 25 }),
        (world, ofUsers, ofGroups) => {
          const resources = build(store, world)
          for (const filter of ofUsers) expect(bySql(store, filter, 'User')).toEqual(byModel(filter, resources.User))
          for (const filter of ofGroups) expect(bySql(store, filter, 'Group')).toEqual(byModel(filter, resources.Group))
        }), { numRuns: 200 })
    })
  })

  const joy = {
    userName: 'Joy.Young@Contoso.com', externalId: 'AbC', active: true, title: 'Engineer', department: 'R&D', manager: 'u1',
    name: { familyName: 'Young', givenName: 'Joy' },
    emails: [{ value: 'joy@contoso.com', type: 'work', primary: true }, { value: 'Joy+home@x.org', type: 'home' }],
  }
  const ann = { userName: 'ann', active: 'False', emails: [{ value: 'ANN@contoso.com', type: 'other' }], addresses: [{ country: 'DE' }] }
  const world: World = { users: [joy, ann], groups: [{ displayName: 'Staff' }, { displayName: 'Émile' }], memberships: [[0, 0]] }

  it.each<[string, ResourceType, readonly string[]]>([
    ['userName eq "joy.young@contoso.COM0"', 'User', ['u0']],
    ['externalId eq "AbC"', 'User', ['u0']],
    ['externalId eq "abc"', 'User', []],
    ['externalId ne "x"', 'User', ['u0', 'u1']],
    ['externalId pr', 'User', ['u0']],
    ['not (externalId eq "AbC")', 'User', ['u1']],
    ['id eq "u0"', 'User', ['u0']],
    ['id eq "U0"', 'User', []],
    ['active eq "True"', 'User', ['u0']],
    ['active eq false', 'User', ['u1']],
    ['(ActiVe eq true) and meta.lastmodified ge "0001-01-03T00:00:00.0000000Z"', 'User', ['u0']],
    ['meta.created gt "2026-01-01T00:00:00.0000001Z"', 'User', ['u1']],
    ['meta.created ge "2026-01-01T00:00:00.0000001Z"', 'User', ['u1']],
    ['meta.created eq "2026-01-01T01:00:01.0000000+01:00"', 'User', ['u1']],
    ['meta.created eq "2026-01-01T00:00:01.0000001Z"', 'User', []],
    ['meta.created lt "2026-01-01T00:00:00.0000001Z"', 'User', ['u0']],
    ['meta.resourceType eq "User"', 'User', ['u0', 'u1']],
    ['emails eq "JOY@contoso.com"', 'User', ['u0']],
    ['emails.value co "contoso"', 'User', ['u0', 'u1']],
    ['emails[type eq "work"].value eq "joy@contoso.com"', 'User', ['u0']],
    ['emails[type eq "home"].value eq "joy@contoso.com"', 'User', []],
    ['emails[type eq "home" and value sw "joy+"]', 'User', ['u0']],
    ['emails.value eq "joy home@x.org"', 'User', ['u0']],
    ['emails[primary eq "True"]', 'User', ['u0']],
    ['emails[primary eq false]', 'User', ['u0', 'u1']],
    ['not (emails[type eq "work"])', 'User', ['u1']],
    ['emails pr', 'User', ['u0', 'u1']],
    ['addresses pr', 'User', ['u1']],
    ['addresses eq "DE"', 'User', []],
    ['addresses ne "DE"', 'User', []],
    ['name ne "x"', 'User', []],
    ['manager eq "u1"', 'User', ['u0']],
    ['manager ne "u1"', 'User', ['u1']],
    ['manager[value eq "u1"]', 'User', ['u0']],
    ['manager[not (value eq "u2")]', 'User', ['u0']],
    ['not (manager[value eq "u2"])', 'User', ['u0', 'u1']],
    ['name[givenName ne "Ann"]', 'User', ['u0']],
    ['urn:ietf:params:scim:schemas:extension:enterprise:2.0:User[department eq "r&d"]', 'User', ['u0']],
    ['id eq "u0" and manager eq "u1"', 'User', ['u0']],
    ['manager eq "u1" and id eq "u0"', 'User', ['u0']],
    ['urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq "r&d"', 'User', ['u0']],
    ['urn:ietf:params:scim:schemas:extension:enterprise:2.0:User pr', 'User', ['u0']],
    ['urn:ietf:params:scim:schemas:core:2.0:User:name.familyName ew "NG"', 'User', ['u0']],
    ['schemas eq "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"', 'User', ['u0']],
    ['title eq null', 'User', ['u1']],
    ['title ne null', 'User', ['u0']],
    ['meta.version eq "W/\\"1\\""', 'User', ['u1']],
    ['meta.location pr', 'User', ['u0', 'u1']],
    ['meta.location eq "http://127.0.0.1/scim/v2/Users/u1"', 'User', ['u1']],
    ['meta.location eq "http://127.0.0.1/scim/v2/users/u1"', 'User', []],
    ['meta[location ew "/u0" and resourceType eq "User"]', 'User', ['u0']],
    ['groups.$ref eq "http://127.0.0.1/scim/v2/Groups/g0"', 'User', ['u0']],
    ['groups[value eq "g0" and $ref sw "http://127.0.0.1/"]', 'User', ['u0']],
    ['id sw "u" and id ew "1"', 'User', ['u1']],
    ['userName gt "ANN1"', 'User', ['u0']],
    ['userName ge "ANN1" and userName le "Ann1"', 'User', ['u1']],
    ['title eq 5', 'User', []],
    ['title co ""', 'User', ['u0']],
    ['title eq ""', 'User', []],
    ['emails[display pr]', 'User', []],
    ['emails.display ne "x"', 'User', ['u0', 'u1']],
    ['groups.value eq "g0"', 'User', ['u0']],
    ['groups eq "g1"', 'User', []],
    ['groups[display eq "STAFF0"]', 'User', ['u0']],
    ['unknown eq "x"', 'User', []],
    ['unknown ne "x"', 'User', []],
    ['name.unknown pr', 'User', []],
    ['displayName eq "staff0"', 'Group', ['g0']],
    ['DisplayName eq "éMILE1"', 'Group', ['g1']],
    ['members eq "u0"', 'Group', ['g0']],
    ['id eq "g0" and members eq "u0"', 'Group', ['g0']],
    ['members[value eq "u0"]', 'Group', ['g0']],
    ['members.value eq "u1"', 'Group', []],
    ['members pr', 'Group', ['g0']],
    ['not (members pr)', 'Group', ['g1']],
    ['members[type eq "user"]', 'Group', ['g0']],
    ['members.$ref ew "/Users/u0"', 'Group', ['g0']],
    ['members[not ($ref ew "/u1")]', 'Group', ['g0']],
    ['meta.location eq "http://127.0.0.1/scim/v2/Groups/g1"', 'Group', ['g1']],
  ])('%s', async (text, resourceType, ids) => {
    await openStore((store) => {
      const resources = build(store, world)
      expect(bySql(store, read(text), resourceType)).toEqual(ids)
      expect(byModel(read(text), resources[resourceType])).toEqual(ids)
    })
  })

  const FOLDED: readonly (readonly [string, string, readonly string[]])[] = [
    // What is asked, and the operators by which one of the titles is found.
    ['a letter beyond the first plane, in the other case', '\u{10400}x', ['eq', 'sw', 'ew', 'co']],
    ['half of a letter is no letter', '\ud801', []],
    ['two units are one character', 'x', ['ew', 'co']],
    ['composed and decomposed', 'cafe\u0301', ['eq', 'sw', 'ew', 'co']],
    ['full width', 'ＣＡＦÉ', ['eq', 'sw', 'ew', 'co']],
    ['sharp s is not ss', 'strasse', []],
    ['sharp s, capital', 'STRA\u1e9eE', ['eq', 'sw', 'ew', 'co']],
    ['a dotted capital I is not an i', 'istanbul', []],
    ['a dotted capital I', 'İSTANBUL', ['eq', 'sw', 'ew', 'co']],
    ['any sigma', 'ΟΔΌΣ', ['eq', 'sw', 'ew', 'co']],
    ['the final sigma inside', 'όσ', ['ew', 'co']],
    ['no wildcards', '%', []],
    ['nor others', '_', []],
  ]
  it.each(FOLDED)('case folding: %s', async (_what, asked, operators) => {
    await openStore((store) => {
      const titles = ['\u{10428}X', 'Café', 'straße', 'İstanbul', 'οδός']
      build(store, { users: titles.map((title) => ({ userName: 'n', title })), groups: [], memberships: [] })
      const found = ['eq', 'sw', 'ew', 'co'].filter((operator) => {
        const ids = bySql(store, read(`title ${operator} ${JSON.stringify(asked)}`), 'User')
        return ids.length > 0
      })
      expect(found).toEqual(operators)
    })
  })

  it.each([
    'active gt true', 'active co "t"', 'active sw "t"', 'active eq "yes"', 'active eq 1', 'emails.primary ge false',
    'emails[primary gt true]', 'meta.created gt "yesterday"', 'meta.lastModified eq 5', 'title gt null', 'x509Certificates.value lt "a"',
    'userName[value eq "x"]',
  ])('%s is invalidFilter', (text) => {
    expect(compileFilter(read(text), 'User')).toMatchObject({ ok: false, error: { status: 400, scimType: 'invalidFilter' } })
  })

  it('lets no text of the request into the SQL', () => {
    fc.assert(fc.property(filters('User'), (filter) => {
      const compiled = compileFilter(filter, 'User')
      if (!compiled.ok) return
      expect(compiled.value.sql).toMatch(/^[\w\s().,=<>|?'"$:-]*$/)
      expect(compiled.value.sql.split('?').length - 1).toBe(compiled.value.params.length)
    }))
  })

  it.each([
    ['emails.value co "a" or title pr or emails.value co "b" or emails[type eq "x"]', 'User', 'json_each', 1],
    ['not (emails.value co "a") and active eq true and not (emails pr)', 'User', 'json_each', 1],
    ['emails.value co "a" and emails.value co "b"', 'User', 'json_each', 2],
    ['emails.value co "a" or not (emails.value co "b")', 'User', 'json_each', 2],
    ['emails.value co "a" or phoneNumbers.value co "a"', 'User', 'json_each', 2],
    ['members eq "a" or members eq "b" or members eq "c"', 'Group', 'FROM members', 1],
  ] as const)('%s on a %s reads %s %d time(s)', (text, resourceType, source, times) => {
    const compiled = compileFilter(read(text), resourceType)
    expect(compiled.ok && compiled.value.sql.split(source).length - 1).toBe(times)
  })

  it('stays within the depth and the parameters of SQLite at the limits of the language', async () => {
    const deep = (levels: number, open: string, rest: string): string =>
      levels === 0 ? 'title eq "x"' : `${open}(title eq "a" ${rest} nickName ne "b" and ${deep(levels - 1, open, rest)})`
    const wide = (terms: number, term: string, word: string): string => Array.from({ length: terms }, () => term).join(` ${word} `)
    const inBrackets = (text: string): string => `emails[${text.replaceAll('title', 'type').replaceAll('nickName', 'value')}]`
    const texts = [
      wide(MAX_FILTER_TERMS, 'title ne "x"', 'or'),
      wide(MAX_FILTER_TERMS, 'emails.value eq "x"', 'and'),
      wide(MAX_FILTER_TERMS, 'emails.value eq "x"', 'or'),
      wide(MAX_FILTER_TERMS, 'not (name.givenName pr)', 'and'),
      deep(MAX_FILTER_DEPTH, 'not ', 'or'),
      deep(MAX_FILTER_DEPTH, '', 'or'),
      inBrackets(deep(19, 'not ', 'or')),
      deep(MAX_FILTER_DEPTH, '', 'or').replace('title eq "x"', 'emails.value ne "x"'),
      `${'not ('.repeat(MAX_FILTER_DEPTH)}emails pr${')'.repeat(MAX_FILTER_DEPTH)}`,
    ]
    await openStore((store) => {
      build(store, world)
      for (const text of texts) expect(bySql(store, read(text), 'User')).toBeInstanceOf(Array)
    })
    // Whatever share of the depth is inside brackets: an answer or a refusal, never an error of SQLite.
    await openStore((store) => {
      for (let inside = 0; inside < MAX_FILTER_DEPTH; inside += 1) {
        const text = deep(MAX_FILTER_DEPTH - 1 - inside, 'not ', 'or').replace('title eq "x"', inBrackets(deep(inside, '', 'or')))
        const found = bySql(store, read(text), 'User')
        expect(Array.isArray(found) || found === 'invalidFilter').toBe(true)
      }
    })
    expect(compileFilter(read(inBrackets(deep(MAX_FILTER_DEPTH - 1, 'not ', 'or'))), 'User')).toMatchObject({
      ok: false, error: { status: 400, scimType: 'invalidFilter' },
    })
  })

  it('refuses more values than one statement takes', () => {
    const pairs = Array.from({ length: MAX_FILTER_PARAMETERS / 2 + 1 }, () => 'title ew "x"').join(' or ')
    expect(compileFilter(read(pairs), 'User')).toMatchObject({ ok: false, error: { status: 400, scimType: 'tooMany' } })
  })

  it('asks indexes where there are some', async () => {
    const plan = ({ sql }: TestStore, text: string, resourceType: ResourceType): string => {
      const compiled = compileFilter(read(text), resourceType)
      if (!compiled.ok) throw new Error(compiled.error.detail)
      const query = `EXPLAIN QUERY PLAN SELECT id FROM ${tableOf(resourceType)} WHERE connection_id = ? AND ${compiled.value.sql}`
      return sql.rows<{ detail: string }>(query, 'c', ...compiled.value.params).map(({ detail }) => detail).join('; ')
    }
    await openStore((store) => {
      expect(plan(store, 'userName eq "x"', 'User')).toContain('users_user_name (connection_id=? AND user_name_fold=?)')
      expect(plan(store, 'externalId eq "x"', 'User')).toContain('users_external_id (connection_id=? AND external_id=?)')
      expect(plan(store, 'displayName eq "x"', 'Group')).toContain('groups_display_name (connection_id=? AND display_name_fold=?)')
      expect(plan(store, 'id eq "x" and members eq "y"', 'Group')).toMatch(/^(?!.*SCAN).*(PRIMARY KEY|group_members_user) \(.*\)/)
    })
  })
})
