import { beforeAll, describe, expect, it } from 'vitest'
import { call, connect, GROUP_SCHEMA, openTenant, own, rowsOf, scimErrorFaults, textAt, USER_SCHEMA, type Answer, type Message } from './bridge'

const TENANT = 'http-query'
const PREFIX = `/t/${TENANT}`
const SEARCH_SCHEMA = 'urn:ietf:params:scim:api:messages:2.0:SearchRequest'
const LIST_SCHEMA = 'urn:ietf:params:scim:api:messages:2.0:ListResponse'

let authorization: string
let stranger: string
const ids: string[] = []
let groupId: string

const scim = (method: string, path: string, message: Message = {}): Promise<Answer> =>
  call(method, `${PREFIX}/scim/v2${path}`, { authorization, ...message })

const search = (path: string, body: unknown): Promise<Answer> => scim('POST', path, { body })

beforeAll(async () => {
  await openTenant(TENANT)
  authorization = (await connect(PREFIX, 'Okta')).authorization
  stranger = (await connect(PREFIX, 'Entra')).authorization
  for (const name of ['ada', 'bea', 'cleo', 'dora']) {
    const made = await scim('POST', '/Users', { body: { schemas: [USER_SCHEMA], userName: `${name}@example.com`, displayName: name, title: 'Engineer' } })
    ids.push(textAt(made, 'id'))
  }
  groupId = textAt(await scim('POST', '/Groups', { body: { schemas: [GROUP_SCHEMA], displayName: 'Bees', members: [{ value: ids[1] }, { value: ids[2] }] } }), 'id')
})

const idsIn = ({ body }: Answer): unknown[] => {
  const resources = own(body, 'Resources')
  return Array.isArray(resources) ? resources.map((resource: unknown) => own(resource, 'id')) : []
}

const namesIn = (answer: Answer): unknown[] =>
  idsIn(answer).map((_, index) => own(answer.body, 'Resources', index, 'userName') ?? own(answer.body, 'Resources', index, 'displayName'))

describe('POST /.search', () => {
  it.each<[string, unknown, unknown[]]>([
    ['/Users/.search', { schemas: [SEARCH_SCHEMA], filter: 'userName sw "b"' }, ['bea@example.com']],
    ['/Users/.search', {}, ['ada@example.com', 'bea@example.com', 'cleo@example.com', 'dora@example.com']],
    ['/Users/.search', { schemas: ['urn:nobody'], startIndex: 2, count: 1, sortBy: 'userName', sortOrder: 'descending' }, ['cleo@example.com']],
    ['/Users/.search/', { schemas: 7, Filter: 'title pr', STARTINDEX: '4' }, ['dora@example.com']],
    ['/Groups/.search', { schemas: [SEARCH_SCHEMA] }, ['Bees']],
    ['/.search', { schemas: [SEARCH_SCHEMA], filter: 'displayName co "e"' }, ['bea@example.com', 'cleo@example.com', 'Bees']],
    ['/.search', { filter: 'meta.resourceType eq "Group"' }, ['Bees']],
    ['/.search', { sortBy: 'displayName', count: 3 }, ['ada@example.com', 'bea@example.com', 'Bees']],
  ])('%s with %j', async (path, body, expected) => {
    const answer = await search(path, body)
    expect(answer.status).toBe(200)
    expect(own(answer.body, 'schemas')).toEqual([LIST_SCHEMA])
    expect(answer.headers.get('content-type')).toBe('application/scim+json')
    expect(namesIn(answer)).toEqual(expected)
    expect(own(answer.body, 'itemsPerPage')).toBe(expected.length)
  })

  it('count 0 is the total alone', async () => {
    const answer = await search('/.search', { schemas: [SEARCH_SCHEMA], count: 0 })
    expect(answer.body).toEqual({ schemas: [LIST_SCHEMA], totalResults: 5, startIndex: 1, itemsPerPage: 0, Resources: [] })
  })

  it('answers the attributes that were asked for', async () => {
    const answer = await search('/Users/.search', { attributes: ['userName'], filter: `id eq "${ids[0] ?? ''}"` })
    expect(own(answer.body, 'Resources')).toEqual([{ schemas: [USER_SCHEMA], id: ids[0], userName: 'ada@example.com' }])
    const without = await search('/Groups/.search', { excludedAttributes: ['members'] })
    expect(own(without.body, 'Resources', 0, 'members')).toBeUndefined()
  })

  it('pages by cursor, which GET takes as well', async () => {
    const first = await search('/Users/.search', { cursor: '', count: 3 })
    expect([namesIn(first).length, own(first.body, 'startIndex'), own(first.body, 'totalResults')]).toEqual([3, undefined, 4])
    const cursor = textAt(first, 'nextCursor')
    const second = await search('/Users/.search', { cursor, count: 3 })
    expect([namesIn(second), own(second.body, 'nextCursor')]).toEqual([['dora@example.com'], undefined])
    expect(namesIn(await scim('GET', `/Users?cursor=${cursor}&count=3`))).toEqual(['dora@example.com'])
  })

  it('parameters belong into the body', async () => {
    expect(own((await search('/Users/.search?count=1&filter=userName+eq', {})).body, 'itemsPerPage')).toBe(4)
  })
})

describe('the root', () => {
  it.each(['', '/', '?filter=', '//?aadOptscim062020', '?attributes=userName,displayName', '?filter=id+pr'])('GET %j is Users, then Groups', async (path) => {
    const answer = await scim('GET', path)
    expect([answer.status, own(answer.body, 'totalResults'), idsIn(answer)]).toEqual([200, 5, [...ids, groupId]])
  })

  it.each<[string, () => unknown[]]>([
    ['meta.resourceType eq "User"', () => ids],
    ['meta.resourceType eq "Group"', () => [groupId]],
    ['meta.resourceType ne "User"', () => [groupId]],
    ['meta.resourceType eq "Role"', () => []],
    ['userName pr', () => ids],
    ['not (userName pr)', () => [groupId]],
    ['displayName eq "bees" or userName eq "ada@example.com"', () => [ids[0], groupId]],
    [`members eq "{bea}"`, () => [groupId]],
    [`groups eq "{group}"`, () => ids.slice(1, 3)],
    ['shoeSize eq 44', () => []],
  ])('filters by %s', async (filter, expected) => {
    const text = filter.replace('{bea}', ids[1] ?? '').replace('{group}', groupId)
    const answer = await scim('GET', `?filter=${encodeURIComponent(text)}`)
    expect([answer.status, idsIn(answer), own(answer.body, 'totalResults')]).toEqual([200, expected(), expected().length])
  })

  it('pages over the border of two types, by index and by cursor', async () => {
    expect(idsIn(await scim('GET', '?startIndex=4&count=3'))).toEqual([ids[3], groupId])
    expect(idsIn(await scim('GET', '?startIndex=5&count=1'))).toEqual([groupId])
    const found: unknown[] = []
    for (let path = '?cursor&count=2'; path !== '';) {
      const page = await scim('GET', path)
      expect(own(page.body, 'totalResults')).toBe(5)
      found.push(...idsIn(page))
      const next = own(page.body, 'nextCursor')
      path = typeof next === 'string' ? `?cursor=${next}&count=2` : ''
    }
    expect(found).toEqual([...ids, groupId])
  })

  it('shows another connection its own', async () => {
    expect(own((await scim('GET', '/', { authorization: stranger })).body, 'totalResults')).toBe(0)
    expect(own((await scim('POST', '/.search', { authorization: stranger, body: {} })).body, 'totalResults')).toBe(0)
  })
})

describe('a cursor of somebody else', () => {
  it('is 400 and says nothing of theirs', async () => {
    const cursor = textAt(await scim('GET', '/Users?cursor&count=1'), 'nextCursor')
    const answer = await scim('GET', `/Users?cursor=${cursor}&count=1`, { authorization: stranger })
    expect([answer.status, own(answer.body, 'scimType')]).toEqual([400, 'invalidCursor'])
    expect(scimErrorFaults(answer)).toEqual([])
    expect((await scim('GET', `/Users?cursor=${cursor}&count=1`, { authorization: 'Bearer nobody' })).status).toBe(401)
    expect(idsIn(await scim('GET', `/Users?cursor=${cursor}&count=1`))).toEqual([ids[1]])
  })
})

type Wrong = readonly [name: string, method: string, path: string, body: unknown, status: number, scimType: string | undefined, sentence: RegExp]

const terms = (count: number): string => Array.from({ length: count }, (_, index) => `displayName eq "d${index}"`).join(' or ')

const WRONG: readonly Wrong[] = [
  ['no body', 'POST', '/.search', '', 400, 'invalidSyntax', /body is empty/],
  ['malformed JSON', 'POST', '/Users/.search', '{"filter":', 400, 'invalidSyntax', /not valid JSON/],
  ['a list', 'POST', '/Groups/.search', '[]', 400, 'invalidSyntax', /JSON object/],
  ['__proto__', 'POST', '/.search', '{"__proto__":{"count":0}}', 400, 'invalidSyntax', /"__proto__"/],
  ['a filter that is none', 'POST', '/Users/.search', { filter: 'userName eq' }, 400, 'invalidFilter', /cannot be read/],
  ['a filter that is no text', 'POST', '/Users/.search', { filter: { a: 1 } }, 400, 'invalidValue', /"filter"/],
  ['a filter of the wrong type', 'POST', '/.search', { filter: 'active gt true' }, 400, 'invalidFilter', /"active"/],
  ['a count that is no number', 'POST', '/.search', { count: [] }, 400, 'invalidValue', /"count"/],
  ['a startIndex that is a fraction', 'POST', '/Users/.search', { startIndex: 1.5 }, 400, 'invalidValue', /"startIndex"/],
  ['attributes that are objects', 'POST', '/Users/.search', { attributes: [{}] }, 400, 'invalidValue', /"attributes"/],
  ['an order that is none', 'POST', '/.search', { sortOrder: 'up' }, 400, 'invalidValue', /"sortOrder"/],
  ['a cursor that is a number', 'POST', '/Users/.search', { cursor: 7 }, 400, 'invalidCursor', /"cursor" must be a string/],
  ['a cursor that never was', 'POST', '/.search', { cursor: 'VZUTiyhEQJ94IR' }, 400, 'invalidCursor', /does not belong to this query/],
  ['a cursor that never was, by GET', 'GET', '/Users?cursor=VZUTiyhEQJ94IR', undefined, 400, 'invalidCursor', /does not belong to this query/],
  ['a cursor and an index', 'GET', '/Groups?cursor&startIndex=2', undefined, 400, 'invalidValue', /"startIndex" and "cursor"/],
  ['a cursor with a count that is none', 'GET', '?cursor&count=ten', undefined, 400, 'invalidCount', /"count"/],
  ['a filter of the root that is none', 'GET', '?filter=(userName', undefined, 400, 'invalidFilter', /cannot be read/],
  ['more values than one sorted list of two types takes', 'POST', '/.search', { filter: terms(43), sortBy: 'displayName' }, 400, 'tooMany', /more than 84 values/],
  ['a search below a resource', 'POST', '/Users/7/.search', {}, 404, undefined, /no such endpoint/],
  ['a search of nothing', 'POST', '/Things/.search', {}, 404, undefined, /no such endpoint/],
]

describe('a wrong query', () => {
  it.each(WRONG)('%s: %s %s', async (_name, method, path, body, status, scimType, sentence) => {
    const before = await rowsOf(TENANT)
    const answer = await scim(method, path, body === undefined ? {} : { body })
    expect({ status: answer.status, scimType: own(answer.body, 'scimType') }).toEqual({ status, scimType })
    expect(String(own(answer.body, 'detail'))).toMatch(sentence)
    expect(scimErrorFaults(answer)).toEqual([])
    expect(await rowsOf(TENANT)).toEqual(before)
  })

  it('the same filter on one type, or without the sort, is carried out', async () => {
    expect((await search('/.search', { filter: terms(43) })).status).toBe(200)
    expect((await search('/Users/.search', { filter: terms(43), sortBy: 'displayName' })).status).toBe(200)
  })

  it('a body of another media type is 415, one above 1 MB 413', async () => {
    expect((await scim('POST', '/.search', { body: '{}', headers: { 'content-type': 'text/plain' } })).status).toBe(415)
    expect((await search('/.search', { junk: 'x'.repeat(1024 * 1024) })).status).toBe(413)
  })

  it.each<[string, string, string]>([
    ['GET', '/.search', 'POST, OPTIONS'], ['PUT', '/Users/.search', 'POST, OPTIONS'], ['DELETE', '/Groups/.search', 'POST, OPTIONS'], ['HEAD', '/.search', 'POST, OPTIONS'],
    ['POST', '', 'GET, HEAD, OPTIONS'], ['PATCH', '/', 'GET, HEAD, OPTIONS'], ['DELETE', '', 'GET, HEAD, OPTIONS'],
  ])('%s %s is 405 and names the others', async (method, path, allow) => {
    const answer = await scim(method, path)
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, allow])
    if (method !== 'HEAD') expect(scimErrorFaults(answer)).toEqual([])
    const options = await scim('OPTIONS', path, { authorization: null })
    expect([options.status, options.headers.get('allow'), options.text]).toEqual([204, allow, ''])
  })

  it.each(['', '/', '?cursor&count=5', '/Users?cursor', '/Users?cursor=x'])('HEAD %j is GET without the body', async (path) => {
    const get = await scim('GET', path)
    const head = await scim('HEAD', path)
    expect([head.status, head.text]).toEqual([get.status, ''])
    expect([...head.headers]).toEqual([...get.headers])
  })

  it('of a stranger is 401', async () => {
    for (const path of ['', '/?filter=x+y', '/Users?cursor=x']) {
      const answer = await scim('GET', path, { authorization: 'Bearer somebody-else' })
      expect(answer.status).toBe(401)
      expect(scimErrorFaults(answer)).toEqual([])
    }
    expect((await scim('POST', '/.search', { authorization: null, body: '{' })).status).toBe(401)
  })
})
