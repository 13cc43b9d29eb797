import { beforeAll, describe, expect, it } from 'vitest'
import { call, connect, GROUP_SCHEMA, openTenant, own, PATCH_SCHEMA, rowsOf, scimErrorFaults, textAt, USER_SCHEMA, type Answer, type Message } from './bridge'

const TENANT = 'http-scim'
const PREFIX = `/t/${TENANT}`
const BASE = `http://127.0.0.1${PREFIX}/scim/v2`

let authorization: string
let userId: string
let groupId: string

const scim = (method: string, path: string, message: Message = {}): Promise<Answer> =>
  call(method, `${PREFIX}/scim/v2${path}`, { authorization, ...message })

const JON = { schemas: [USER_SCHEMA], userName: 'jon@example.com', name: { familyName: 'Snow' }, active: true }

beforeAll(async () => {
  await openTenant(TENANT)
  authorization = (await connect(PREFIX, 'Okta')).authorization
  userId = textAt(await scim('POST', '/Users', { body: JON }), 'id')
  groupId = textAt(await scim('POST', '/Groups', { body: { schemas: [GROUP_SCHEMA], displayName: 'Watch', members: [{ value: userId }] } }), 'id')
})

/** `{user}` and `{group}` stand for the ids of what exists. */
const fill = (path: string): string => path.replaceAll('{user}', userId).replaceAll('{group}', groupId)

type Wrong = readonly [name: string, method: string, path: string, body: unknown, status: number, scimType: string | undefined, sentence: RegExp]

const operation = (op: unknown, path?: unknown, value?: unknown): unknown => ({ schemas: [PATCH_SCHEMA], Operations: [{ op, path, value }] })

const deep = (levels: number): string => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`

const WRONG: readonly Wrong[] = [
  ['no body', 'POST', '/Users', '', 400, 'invalidSyntax', /body is empty/],
  ['only spaces', 'POST', '/Groups', ' \n', 400, 'invalidSyntax', /body is empty/],
  ['malformed JSON', 'POST', '/Users', '{"userName":', 400, 'invalidSyntax', /not valid JSON/],
  ['malformed JSON in PUT', 'PUT', '/Users/{user}', "{'userName':1}", 400, 'invalidSyntax', /not valid JSON/],
  ['malformed JSON in PATCH', 'PATCH', '/Groups/{group}', '[', 400, 'invalidSyntax', /not valid JSON/],
  ['a list', 'POST', '/Users', '[]', 400, 'invalidSyntax', /JSON object/],
  ['null', 'POST', '/Groups', 'null', 400, 'invalidSyntax', /JSON object/],
  ['a text', 'PATCH', '/Users/{user}', '"x"', 400, 'invalidSyntax', /JSON object/],
  ['__proto__', 'POST', '/Users', '{"userName":"a@example.com","__proto__":{"active":false}}', 400, 'invalidSyntax', /"__proto__"/],
  ['constructor, deep down', 'PUT', '/Users/{user}', '{"userName":"a","name":{"x":[{"constructor":1}]}}', 400, 'invalidSyntax', /"constructor"/],
  ['prototype in an operation', 'PATCH', '/Users/{user}', operation('add', 'nickName', { prototype: 1 }), 400, 'invalidSyntax', /"prototype"/],
  ['__proto__ as a path', 'PATCH', '/Users/{user}', operation('add', '__proto__.polluted', 'x'), 400, 'invalidPath', /__proto__/],
  ['33 levels', 'POST', '/Users', deep(33), 400, 'invalidSyntax', /deeper than 32/],
  ['a hundred thousand brackets', 'POST', '/Groups', '['.repeat(100_000) + ']'.repeat(100_000), 400, 'invalidSyntax', /deeper than 32/],
  ['userName missing', 'POST', '/Users', { schemas: [USER_SCHEMA], active: true }, 400, 'invalidValue', /"userName"/],
  ['userName empty', 'POST', '/Users', { userName: '  ' }, 400, 'invalidValue', /"userName"/],
  ['userName an object', 'POST', '/Users', { userName: { a: 1 } }, 400, 'invalidValue', /"userName"/],
  ['active a word', 'POST', '/Users', { userName: 'a@example.com', active: 'perhaps' }, 400, 'invalidValue', /"active"/],
  ['active null by PATCH', 'PATCH', '/Users/{user}', operation('replace', 'active', null), 400, 'invalidValue', /"active"/],
  ['emails a list of lists', 'POST', '/Users', { userName: 'a@example.com', emails: [[1]] }, 400, 'invalidValue', /"emails/],
  ['displayName missing', 'POST', '/Groups', { members: [] }, 400, 'invalidValue', /"displayName"/],
  ['members a text', 'POST', '/Groups', { displayName: 'X', members: [[]] }, 400, 'invalidValue', /"members/],
  ['a taken userName in capitals', 'POST', '/Users', { userName: 'JON@example.com' }, 409, 'uniqueness', /userName/],
  ['a taken displayName in capitals', 'POST', '/Groups', { displayName: 'WATCH' }, 409, 'uniqueness', /displayName/],
  ['PATCH without operations', 'PATCH', '/Users/{user}', { schemas: [PATCH_SCHEMA] }, 400, 'invalidSyntax', /"Operations"/],
  ['PATCH with an empty list', 'PATCH', '/Groups/{group}', { Operations: [] }, 400, 'invalidSyntax', /"Operations"/],
  ['an unknown op', 'PATCH', '/Users/{user}', operation('upsert', 'active', true), 400, 'invalidSyntax', /"Operations\[0\]\.op"/],
  ['an unknown path', 'PATCH', '/Users/{user}', operation('replace', 'shoeSize', 44), 400, 'invalidPath', /shoeSize/],
  ['a path that is a number', 'PATCH', '/Users/{user}', operation('replace', 7, 44), 400, 'invalidPath', /path/],
  ['a remove without path', 'PATCH', '/Users/{user}', operation('remove'), 400, 'noTarget', /without a path/],
  ['a good operation before a wrong one', 'PATCH', '/Users/{user}',
    { Operations: [{ op: 'replace', path: 'active', value: false }, { op: 'replace', path: 'nope', value: 1 }] }, 400, 'invalidPath', /nope/],
  ['a value filter that does not parse', 'PATCH', '/Users/{user}', operation('replace', 'emails[type eq', 'x'), 400, 'invalidPath', /./],
  ['an unknown user', 'GET', '/Users/no-such-id', undefined, 404, undefined, /no-such-id/],
  ['an unknown user by PUT', 'PUT', '/Users/no-such-id', JON, 404, undefined, /no-such-id/],
  ['an unknown group by PATCH', 'PATCH', '/Groups/no-such-id', operation('replace', 'displayName', 'X'), 404, undefined, /no-such-id/],
  ['an unknown group by DELETE', 'DELETE', '/Groups/no-such-id', undefined, 404, undefined, /no-such-id/],
  ['a user where a group is meant', 'GET', '/Groups/{user}', undefined, 404, undefined, /Group/],
  ['an id of an escaped slash', 'GET', '/Users/a%2Fb', undefined, 404, undefined, /User/],
  ['an id that is no percent-encoding', 'DELETE', '/Users/%zz', undefined, 404, undefined, /User/],
  ['an id that is no UTF-8', 'PATCH', '/Groups/%ff', operation('add', 'displayName', 'X'), 404, undefined, /Group/],
  ['an id of a quote', 'GET', "/Users/'%20OR%20'1'='1", undefined, 404, undefined, /User/],
  ['more than an id', 'GET', '/Users/{user}/emails', undefined, 404, undefined, /no such endpoint/],
  ['an unknown resource type', 'POST', '/Roles', {}, 404, undefined, /no such endpoint/],
  ['/Me', 'GET', '/Me', undefined, 501, undefined, /\/Me/],
  ['/Bulk without operations', 'POST', '/Bulk', { Operations: [] }, 400, 'invalidSyntax', /"Operations"/],
  ['a filter that does not parse', 'GET', '/Users?filter=userName+eq', undefined, 400, 'invalidFilter', /./],
  ['a filter without an end', 'GET', '/Groups?filter=displayName+eq+%22x', undefined, 400, 'invalidFilter', /./],
  ['brackets without an end', 'GET', `/Users?filter=${'('.repeat(2000)}`, undefined, 400, 'invalidFilter', /./],
  ['an order on a boolean', 'GET', '/Users?filter=active+gt+true', undefined, 400, 'invalidFilter', /active/],
  ['startIndex a word', 'GET', '/Users?startIndex=first', undefined, 400, 'invalidValue', /"startIndex"/],
  ['count a fraction', 'GET', '/Groups?count=1.5', undefined, 400, 'invalidValue', /"count"/],
  ['sortOrder a word', 'GET', '/Users?sortBy=userName&sortOrder=up', undefined, 400, 'invalidValue', /"sortOrder"/],
  ['a filter on Schemas', 'GET', '/Schemas?filter=id+pr', undefined, 403, undefined, /cannot be filtered/],
  ['a filter on ServiceProviderConfig', 'GET', '/ServiceProviderConfig?FILTER=x', undefined, 403, undefined, /cannot be filtered/],
  ['an unknown schema', 'GET', '/Schemas/urn:nobody', undefined, 404, undefined, /urn:nobody/],
  ['an unknown resource type by id', 'GET', '/ResourceTypes/Role', undefined, 404, undefined, /Role/],
]

describe('a wrong request', () => {
  it.each(WRONG)('%s: %s %s', async (_name, method, path, body, status, scimType, sentence) => {
    const before = await rowsOf(TENANT)
    const answer = await scim(method, fill(path), body === undefined ? {} : { body })
    expect({ status: answer.status, scimType: own(answer.body, 'scimType') }).toEqual({ status, scimType })
    expect(String(own(answer.body, 'detail'))).toMatch(sentence)
    expect(scimErrorFaults(answer)).toEqual([])
    expect(await rowsOf(TENANT)).toEqual(before)
  })

  it.each(WRONG.filter(([, , , body]) => body !== undefined))('by a stranger is 401: %s: %s %s', async (_name, method, path, body) => {
    const before = await rowsOf(TENANT)
    const answer = await scim(method, fill(path), { authorization: 'Bearer somebody-else', body })
    expect(answer.status).toBe(401)
    expect(scimErrorFaults(answer)).toEqual([])
    expect(await rowsOf(TENANT)).toEqual(before)
  })
})

describe('methods', () => {
  const NOT_ALLOWED: readonly [string, string, string][] = [
    ['PUT', '/Users', 'GET, HEAD, POST, OPTIONS'], ['DELETE', '/Groups', 'GET, HEAD, POST, OPTIONS'],
    ['POST', '/Users/{user}', 'GET, HEAD, PUT, PATCH, DELETE, OPTIONS'], ['POST', '/Schemas', 'GET, HEAD, OPTIONS'],
    ['DELETE', '/ServiceProviderConfig', 'GET, HEAD, OPTIONS'], ['PURGE', '/Groups/{group}', 'GET, HEAD, PUT, PATCH, DELETE, OPTIONS'],
  ]
  it.each(NOT_ALLOWED)('%s %s is 405 and names the others', async (method, path, allow) => {
    const answer = await scim(method, fill(path))
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, allow])
    expect(scimErrorFaults(answer)).toEqual([])
    const options = await scim('OPTIONS', fill(path), { authorization: null })
    expect([options.status, options.headers.get('allow'), options.text]).toEqual([204, allow, ''])
  })

  it('OPTIONS of nothing is answered like every other request', async () => {
    expect((await scim('OPTIONS', '/Nothing')).status).toBe(404)
    expect((await scim('OPTIONS', '/Nothing', { authorization: null })).status).toBe(401)
  })

  it.each(['/Users', '/Users/{user}', '/Groups/{group}', '/Schemas', '/Users/none', '/Nothing'])('HEAD %s is GET without the body', async (path) => {
    const get = await scim('GET', fill(path))
    const head = await scim('HEAD', fill(path))
    expect([head.status, head.text]).toEqual([get.status, ''])
    expect([...head.headers]).toEqual([...get.headers])
  })
})

describe('media types', () => {
  const body = JSON.stringify({ userName: 'jon@example.com' })
  it.each(['application/json', 'application/scim+json', 'application/scim+json; charset=utf-8', 'Application/JSON;charset=UTF-8', ''])(
    '%j is read', async (type) => {
      const answer = await scim('POST', '/Users', { body, headers: { 'content-type': type } })
      expect(answer.status).toBe(409)
    })

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/xml', 'application/jsonp', 'json'])('%j is 415', async (type) => {
    const answer = await scim('POST', '/Users', { body, headers: { 'content-type': type } })
    expect(answer.status).toBe(415)
    expect(scimErrorFaults(answer)).toEqual([])
  })

  it('a body that is no UTF-8 is 400', async () => {
    const bytes = new Response(new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d])).body
    const answer = await scim('POST', '/Users', { body: bytes })
    expect([answer.status, own(answer.body, 'detail')]).toEqual([400, 'The request body is not UTF-8.'])
  })

  it('a byte order mark is no part of the JSON', async () => {
    expect((await scim('POST', '/Users', { body: `\uFEFF${body}` })).status).toBe(409)
  })
})

describe('the size of a body', () => {
  const MB = 1024 * 1024
  const filler = (bytes: number): string => JSON.stringify({ displayName: 'Watch', junk: 'x'.repeat(bytes - 33) })

  const SIZES: readonly [string, string, number, number, RegExp][] = [
    ['POST', '/Users', MB + 1, 413, /1 MB/], ['PUT', '/Users/{user}', MB + 1, 413, /1 MB/], ['POST', '/Groups', MB + 1, 413, /1 MB/],
    ['PATCH', '/Users/{user}', 2 * MB, 413, /1 MB/], ['PUT', '/Groups/{group}', 16 * MB + 1, 413, /16 MB/],
    ['PATCH', '/Groups/{group}', 16 * MB + 1, 413, /16 MB/], ['PATCH', '/Groups/{group}', 2 * MB, 400, /"Operations"/],
    ['POST', '/Groups', MB, 409, /displayName/],
  ]
  it.each(SIZES)('%s %s of %i bytes is %i', async (method, path, bytes, status, sentence) => {
    const before = await rowsOf(TENANT)
    const body = filler(bytes)
    expect(new TextEncoder().encode(body).byteLength).toBe(bytes)
    const answer = await scim(method, fill(path), { body })
    expect(answer.status).toBe(status)
    expect(String(own(answer.body, 'detail'))).toMatch(sentence)
    expect(scimErrorFaults(answer)).toEqual([])
    expect(await rowsOf(TENANT)).toEqual(before)
  })

  it('a large PUT of a group is carried out', async () => {
    const answer = await scim('PUT', fill('/Groups/{group}'), { body: { displayName: 'Watch', junk: 'x'.repeat(4 * MB), members: [{ value: userId }] } })
    expect([answer.status, own(answer.body, 'members', 0, 'value')]).toEqual([200, userId])
  })

  it('a stranger with a large body is a stranger', async () => {
    expect((await scim('POST', '/Users', { authorization: 'Bearer no', body: filler(MB + 1) })).status).toBe(401)
  })
})

describe('a right request', () => {
  it('to create is 201 with Location, ETag and an answer that nobody keeps', async () => {
    const answer = await scim('POST', '/Users', { body: { userName: 'arya@example.com' } })
    const id = textAt(answer, 'id')
    expect(answer.status).toBe(201)
    expect(answer.headers.get('content-type')).toBe('application/scim+json')
    expect(answer.headers.get('location')).toBe(`${BASE}/Users/${id}`)
    expect(own(answer.body, 'meta', 'location')).toBe(answer.headers.get('location'))
    expect(answer.headers.get('etag')).toBe(own(answer.body, 'meta', 'version'))
    expect(answer.headers.get('cache-control')).toBe('no-store')
    const gone = await scim('DELETE', `/Users/${id}`)
    expect([gone.status, gone.text, gone.headers.get('content-type')]).toEqual([204, '', null])
    expect((await scim('DELETE', `/Users/${id}`)).status).toBe(404)
  })

  it('for what the client has already is 304, and one for what it no longer has 412', async () => {
    const read = await scim('GET', fill('/Users/{user}'))
    const etag = read.headers.get('etag') ?? ''
    const same = await scim('GET', fill('/Users/{user}'), { headers: { 'if-none-match': etag } })
    expect([same.status, same.text, same.headers.get('etag')]).toEqual([304, '', etag])
    const body = { Operations: [{ op: 'replace', path: 'title', value: 'King' }] }
    const stale = await scim('PATCH', fill('/Users/{user}'), { headers: { 'if-match': 'W/"999"' }, body })
    expect(stale.status).toBe(412)
    expect(scimErrorFaults(stale)).toEqual([])
    const done = await scim('PATCH', fill('/Users/{user}'), { headers: { 'if-match': etag }, body })
    expect([done.status, own(done.body, 'title')]).toEqual([200, 'King'])
  })

  it.each([
    '/Users/{user}', '/Users/{user}/', '//Users//{user}', '/Users/{user}?aadOptscim062020', '?aadOptscim062020/Users/{user}',
    '/?aadOptscim062020/Users/{user}', '/Users/{user}?attributes=userName', '/Users/{user}?ATTRIBUTES=userName',
  ])('may be written as %s', async (path) => {
    const answer = await scim('GET', fill(path))
    expect([answer.status, own(answer.body, 'id')]).toEqual([200, userId])
  })

  it.each([
    '/Users?filter=userName+eq+%22JON@example.com%22', '/Users/?filter=userName%20eq%20"jon@example.com"',
    '/Users?aadOptscim062020&filter=userName+eq+%22jon@example.com%22', '?aadOptscim062020/Users?filter=userName+eq+%22jon@example.com%22',
    '/Users?startindex=1&COUNT=1&Filter=active+eq+%22True%22',
  ])('lists as %s', async (path) => {
    const answer = await scim('GET', path)
    expect([answer.status, own(answer.body, 'totalResults'), own(answer.body, 'Resources', 0, 'id')]).toEqual([200, 1, userId])
  })

  it('discovers what there is, at the address that was asked', async () => {
    const config = await scim('GET', '/ServiceProviderConfig')
    expect([config.status, own(config.body, 'patch', 'supported'), own(config.body, 'meta', 'location')])
      .toEqual([200, true, `${BASE}/ServiceProviderConfig`])
    const types = await scim('GET', '/ResourceTypes')
    expect([types.status, own(types.body, 'totalResults')]).toEqual([200, 2])
    const schema = await scim('GET', `/Schemas/${encodeURIComponent(GROUP_SCHEMA)}`)
    expect([schema.status, own(schema.body, 'id')]).toEqual([200, GROUP_SCHEMA])
    expect((await scim('GET', '/Schemas', { authorization: null })).status).toBe(401)
  })

  it('sees nobody of another connection', async () => {
    const other = await connect(PREFIX, 'Entra')
    const look = await scim('GET', fill('/Users/{user}'), { authorization: other.authorization })
    const list = await scim('GET', '/Groups', { authorization: other.authorization })
    expect([look.status, own(list.body, 'totalResults')]).toEqual([404, 0])
  })
})
