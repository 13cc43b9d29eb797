/** The 20 rows of identity-providers D.2, by number: lists and filters as they come over the wire. */
import { beforeAll, describe, expect, it } from 'vitest'
import { call, connect, openTenant, own, scimErrorFaults, textAt, type Answer } from './bridge'

const TENANT = 'query-table'
const PREFIX = `/t/${TENANT}`
const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'

let authorization: string
const ids = new Map<string, string>()

const scim = (method: string, path: string, body?: unknown): Promise<Answer> => call(method, `${PREFIX}/scim/v2${path}`, { authorization, body })

/** `{ada}` stands for Ada's id, escaped or not; everything else is sent as it is. */
const fill = (text: string): string => text.replace(/(?:\{|%7B)(\w+?)(?:\}|%7D)/g, (whole, name: string) => ids.get(name) ?? whole)

const create = async (type: 'Users' | 'Groups', name: string, body: unknown): Promise<void> => {
  ids.set(name, textAt(await scim('POST', `/${type}`, body), 'id'))
}

beforeAll(async () => {
  await openTenant(TENANT)
  authorization = (await connect(PREFIX, 'Entra')).authorization
  await create('Users', 'bob', { userName: 'bob@example.com', externalId: '701984', active: false, emails: [{ value: 'bob@example.com', type: 'other' }] })
  await create('Users', 'ada', {
    userName: 'Ada@Example.com', externalId: 'AbC', active: true, title: 'Engineer', name: { familyName: 'Lovelace', givenName: 'Ada' },
    emails: [{ value: 'ada@example.com', type: 'work', primary: true }, { value: 'ada+home@x.org', type: 'home' }],
    [ENTERPRISE]: { department: 'R&D', manager: { value: ids.get('bob') } },
  })
  await create('Users', 'cyd', { userName: 'cyd@example.com', title: 'Lead', emails: ['cyd@example.com'] })
  await create('Groups', 'staff', { displayName: 'Staff', members: [{ value: ids.get('ada') }] })
  await create('Groups', 'crew', { displayName: 'Crew', externalId: 'crew' })
})

const idsIn = (answer: Answer): readonly unknown[] => {
  const resources = own(answer.body, 'Resources')
  return Array.isArray(resources) ? resources.map((resource) => own(resource, 'id')) : []
}

const filter = (text: string): string => `?filter=${encodeURIComponent(text)}`

/** Begins with the number of its row; names of those who are found, in the order of their creation. */
const FOUND: readonly (readonly [name: string, path: string, found: readonly string[]])[] = [
  ['1 operators and names in any case', `/Users${filter('USERNAME EQ "ada@example.com"')}`, ['ada']],
  ['1 of Groups too', `/Groups${filter('DisplayName Eq "STAFF"')}`, ['staff']],
  ['1 of sub-attributes too', `/Users${filter('meta.lastmodified Gt "2001-01-01T00:00:00Z" AND NAME.FAMILYNAME pR')}`, ['ada']],
  ['2 a plus is a space', '/Users?filter=userName+eq+%22ada@example.com%22', ['ada']],
  ['2 so is %20, and a raw quote is a quote', '/Users?filter=userName%20eq%20"ada@example.com"', ['ada']],
  ['2 a plus in an address, escaped', '/Users?filter=emails.value+eq+%22ada%2Bhome@x.org%22', ['ada']],
  ['2 a plus in an address that was lost', '/Users?filter=emails.value+eq+%22ada+home@x.org%22', ['ada']],
  ['3 a bare word', `/Users${filter('userName sw A')}`, ['ada']],
  ['3 of digits', `/Users${filter('externalId eq 701984')}`, ['bob']],
  ['3 with its case', `/Users${filter('externalId eq AbC')}`, ['ada']],
  ['4 a sub-attribute behind a value path', `/Users${filter('emails[type eq "work"].value eq "ada@example.com"')}`, ['ada']],
  ['4 of the same value', `/Users${filter('emails[type eq "home"].value eq "ada@example.com"')}`, []],
  ['5 emails', `/Users${filter('emails eq "ADA+home@x.org"')}`, ['ada']],
  ['5 members', `/Groups${filter('id eq "{staff}" and members eq "{ada}"')}`, ['staff']],
  ['5 members, of somebody else', `/Groups${filter('members eq "{bob}"')}`, []],
  ['5 manager', `/Users${filter('manager eq "{bob}" and id eq "{ada}"')}`, ['ada']],
  ['6 id', `/Users${filter('id eq "{ada}"')}`, ['ada']],
  ['6 externalId is exact', `/Users${filter('externalId eq "abc"')}`, []],
  ['7 and binds more than or', `/Users${filter('title eq "Lead" or title eq "Engineer" and active eq false')}`, ['cyd']],
  ['7 brackets', `/Users${filter('(title eq "Lead" or title eq "Engineer") and active eq true')}`, ['ada', 'cyd']],
  ['7 not', `/Users${filter('not (title pr) or not (emails[type pr])')}`, ['bob', 'cyd']],
  ['8 active as a boolean', `/Users${filter('active eq false')}`, ['bob']],
  ['8 active as a text', `/Users${filter('active eq "True"')}`, ['ada', 'cyd']],
  ['9 the year 1, seven digits', `/Users${filter('meta.lastModified ge "0001-01-03T00:00:00.0000000Z"')}`, ['bob', 'ada', 'cyd']],
  ['9 an offset', `/Users${filter('meta.created lt "2001-01-01T00:00:00.1234567-07:00"')}`, []],
  ['10 an unknown attribute', `/Users${filter('shoeSize eq "44"')}`, []],
  ['10 of an unknown schema', `/Users${filter('urn:example:2.0:User:title eq "Lead"')}`, []],
  ['11 spaces', `/Users${filter('  title   eq   "Lead"  ')}`, ['cyd']],
  ['12 an empty filter', '/Users?filter=', ['bob', 'ada', 'cyd']],
  ['12 a filter of spaces', '/Groups?filter=%20', ['staff', 'crew']],
  ['13 Groups are filtered', `/Groups${filter('externalId eq "crew"')}`, ['crew']],
  ['13 by nobody\'s name', `/Groups${filter('displayName eq "Nobody"')}`, []],
  ['16 startindex', '/Users?startindex=2&COUNT=1', ['ada']],
  ['19 sorted', '/Users?sortBy=userName', ['ada', 'bob', 'cyd']],
  ['19 the other way', '/Users?sortBy=USERNAME&sortOrder=descending', ['cyd', 'bob', 'ada']],
  ['19 a key that is none is ignored', '/Users?sortBy=shoeSize', ['bob', 'ada', 'cyd']],
  ['20 a trailing slash', `/Users/${filter('title eq "Lead"')}`, ['cyd']],
]

const REFUSED: readonly (readonly [name: string, path: string])[] = [
  ['10 what is no filter', `/Users${filter('title eq')}`],
  ['10 an operator that is none', `/Users${filter('title is "Lead"')}`],
  ['10 an order that the type does not have', `/Users${filter('active gt true')}`],
]

const SHOWN: readonly (readonly [name: string, path: string, names: readonly string[]])[] = [
  ['14 id and schemas always', '/Users/{ada}?attributes=userName', ['schemas', 'id', 'userName']],
  ['14 in any case', '/Users/{ada}?ATTRIBUTES=USERNAME,%20title', ['schemas', 'id', 'userName', 'title']],
  ['14 a sub-attribute', '/Users/{ada}?attributes=name.givenName', ['schemas', 'id', 'name']],
  ['14 by URN', `/Users/{ada}?attributes=${ENTERPRISE}:department`, ['schemas', 'id', ENTERPRISE]],
  ['14 with a filter in it', '/Users/{ada}?attributes=emails[type%20eq%20"work"]', ['schemas', 'id', 'emails']],
  ['14 what is excluded', '/Groups/{staff}?excludedAttributes=members,META,id', ['schemas', 'id', 'displayName']],
  ['14 in a list', '/Groups?filter=displayName+eq+Staff&excludedAttributes=members,meta', ['schemas', 'id', 'displayName']],
]

const PAGES: readonly (readonly [name: string, query: string, page: Readonly<Record<string, number>>])[] = [
  ['15 no count, no startIndex', '', { totalResults: 3, startIndex: 1, itemsPerPage: 3 }],
  ['15 count 0', '?count=0', { totalResults: 3, startIndex: 1, itemsPerPage: 0 }],
  ['15 a negative count', '?count=-5', { totalResults: 3, startIndex: 1, itemsPerPage: 0 }],
  ['15 startIndex 0', '?startIndex=0&count=1', { totalResults: 3, startIndex: 1, itemsPerPage: 1 }],
  ['15 a negative startIndex', '?startIndex=-9', { totalResults: 3, startIndex: 1, itemsPerPage: 3 }],
  ['15 past the end', '?startIndex=50', { totalResults: 3, startIndex: 50, itemsPerPage: 0 }],
]

describe('identity-providers D.2', () => {
  it.each(FOUND)('%s', async (_name, path, found) => {
    const answer = await scim('GET', fill(path))
    expect([answer.status, idsIn(answer)]).toEqual([200, found.map((name) => ids.get(name))])
    expect(own(answer.body, 'itemsPerPage')).toBe(found.length)
  })

  it.each(REFUSED)('%s', async (_name, path) => {
    const answer = await scim('GET', path)
    expect([answer.status, own(answer.body, 'scimType')]).toEqual([400, 'invalidFilter'])
    expect(scimErrorFaults(answer)).toEqual([])
  })

  it.each(SHOWN)('%s', async (_name, path, names) => {
    const answer = await scim('GET', fill(path))
    const resource = own(answer.body, 'Resources', 0) ?? answer.body
    expect(Object.keys(Object(resource) as object).toSorted()).toEqual([...names].toSorted())
  })

  it.each(PAGES)('%s', async (_name, query, page) => {
    const answer = await scim('GET', `/Users${query}`)
    expect(answer.status).toBe(200)
    expect(answer.body).toMatchObject(page)
  })

  it('17 a page of 100 is not cut, and says how many it has; 18 pages follow each other', async () => {
    const crowd = await connect(PREFIX, 'Crowd')
    const list = (query: string): Promise<Answer> => call('GET', `${PREFIX}/scim/v2/Users${query}`, { authorization: crowd.authorization })
    for (let from = 0; from < 105; from += 15) {
      await Promise.all(Array.from({ length: 15 }, (_, index) =>
        call('POST', `${PREFIX}/scim/v2/Users`, { authorization: crowd.authorization, body: { userName: `p${from + index}` } })))
    }
    const all = await list('?count=105')
    expect(all.body).toMatchObject({ totalResults: 105, startIndex: 1, itemsPerPage: 105 })
    const page = await list('?count=100')
    expect(page.body).toMatchObject({ totalResults: 105, startIndex: 1, itemsPerPage: 100 })
    const rest = await list('?startIndex=101&count=100')
    expect(rest.body).toMatchObject({ totalResults: 105, startIndex: 101, itemsPerPage: 5 })
    expect([...idsIn(page), ...idsIn(rest)]).toEqual(idsIn(all))
    expect(new Set(idsIn(all)).size).toBe(105)
  })
})

it('the 20 rows are all there', () => {
  const numbers = [...[...FOUND, ...REFUSED, ...SHOWN, ...PAGES].map(([name]) => Number.parseInt(name, 10)), 17, 18]
  expect([...new Set(numbers)].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1))
})
