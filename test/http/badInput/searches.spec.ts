import { beforeAll, describe, expect, it } from 'vitest'
import { own, PATCH_SCHEMA } from '../bridge'
import { dumpOf, filter, openWorld, patch, path, plain, refuses, syntax, value, wrong, type World } from './world'

/** Searches by POST, pages by cursor, bulk requests and their operations, and endpoints that are not there for everybody. */

let world: World
const here = (): World => world

beforeAll(async () => {
  world = await openWorld('bad-searches')
})

const whole = (name: string) => value(`"${name}" must be a whole number.`)
const names = (name: string) => value(`"${name}" must be a list of attribute names.`)
const CURSOR = [400, 'invalidCursor',
  'The cursor does not belong to this query. Send the nextCursor of the page before with the other parameters unchanged, or an empty cursor for the first page.'] as const
const COUNT = [400, 'invalidCount', '"count" must be a whole number.'] as const
const TWO_WAYS = value('"startIndex" and "cursor" are two ways to ask for a page. Send one of them.')

refuses('a wrong search', here, ['/.search', '/Users/.search', '/Groups/.search'].flatMap((at) => ([
  [{ filter: 7 }, value('"filter" must be a string.')], [{ filter: {} }, value('"filter" must be a string.')], [{ filter: true }, value('"filter" must be a string.')],
  [{ filter: ['id pr'] }, value('"filter" must be a string.')],
  [{ filter: 'displayName' }, filter('The filter cannot be read: the operator after "displayName" is missing, at character 12.')],
  [{ FILTER: '(' }, filter('The filter cannot be read: an attribute name is missing, at character 2.')],
  [{ filter: 'displayName eq "\ud800' }, filter('The filter cannot be read: a string has no closing quote, at character 16.')],
  [{ filter: 'x'.repeat(8193) }, filter('The filter is longer than 8192 characters.')],
  [{ count: 'x' }, whole('count')], [{ count: 1.5 }, whole('count')], [{ count: {} }, whole('count')], [{ count: true }, whole('count')], [{ count: [1] }, whole('count')],
  [{ startIndex: '1e3' }, whole('startIndex')], [{ startIndex: [] }, whole('startIndex')], [{ startIndex: false }, whole('startIndex')],
  [{ sortOrder: 7 }, value('"sortOrder" must be "ascending" or "descending".')], [{ sortBy: 'displayName', sortOrder: 'up' }, value('"sortOrder" must be "ascending" or "descending".')],
  [{ attributes: 7 }, names('attributes')], [{ attributes: {} }, names('attributes')], [{ attributes: ['displayName', 7] }, names('attributes')], [{ excludedAttributes: [null] }, names('excludedAttributes')],
  [{ cursor: 7 }, [400, 'invalidCursor', '"cursor" must be a string.']], [{ cursor: { a: 1 } }, [400, 'invalidCursor', '"cursor" must be a string.']],
  [{ cursor: 'x' }, CURSOR], [{ cursor: 'A'.repeat(100_000) }, CURSOR], [{ cursor: '__proto__' }, CURSOR], [{ cursor: '\u0000' }, CURSOR],
  [{ cursor: '', count: 'x' }, COUNT], [{ cursor: '', startIndex: 2 }, TWO_WAYS],
] as const).map(([body, refusal]) => wrong(`${at}: ${JSON.stringify(body).slice(0, 60)}`, `POST ${at}`, body, refusal))))

refuses('a wrong page', here, ['', '/Users', '/Groups'].flatMap((at) => [
  ...['x', 'AAAA', '%00', '%F0%9F%98%80', 'A'.repeat(5000), 'null', '-1', 'AAAA&cursor=BBBB'].map((cursor) => wrong(`${at}?cursor=${cursor.slice(0, 20)}`, `GET ${at}?cursor=${cursor}`, undefined, CURSOR)),
  wrong(`${at}: a count of no number`, `GET ${at}?cursor=&count=x`, undefined, COUNT),
  wrong(`${at}: an index beside`, `GET ${at}?cursor&startIndex=2`, undefined, TWO_WAYS),
]))

const NO_ENDPOINT = plain(404, 'There is no such endpoint.')

refuses('an endpoint that is not there', here, [
  ...['/Roles', '/Roles/x', '/Entitlements', '/Entitlements/%zz', '/Entitlements?filter=(', '/.search/x', '/Bulk/x', '/Users/.search/x', '/Bulk/.search/x'].map((at) =>
    wrong(`GET ${at}`, `GET ${at}`, undefined, NO_ENDPOINT)),
  ...['/Roles', '/Roles/.search', '/Entitlements/x', '/ServiceProviderConfig.search'].map((at) => wrong(`POST ${at}`, `POST ${at}`, '{', NO_ENDPOINT)),
  ...['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].flatMap((method) => ['/Me', '/Me/x'].map((at) =>
    wrong(`${method} ${at}`, `${method} ${at}`, method === 'GET' || method === 'DELETE' ? undefined : '{', plain(501, '/Me is not supported: no user signs in here.')))),
  ...['ServiceProviderConfig', 'ResourceTypes', 'Schemas'].flatMap((name) => ['filter=id+pr', 'FILTER=(', 'filter='].map((query) =>
    wrong(`GET /${name}?${query}`, `GET /${name}?${query}`, undefined, plain(403, `${name} cannot be filtered.`)))),
  wrong('GET /ServiceProviderConfig/x', 'GET /ServiceProviderConfig/x', undefined, plain(404, 'ServiceProviderConfig has no resources of its own.')),
  ...['__proto__', 'constructor', 'urn:nobody', 'x'.repeat(300)].flatMap((id) => ['Schemas', 'ResourceTypes'].map((name) =>
    wrong(`GET /${name}/${id.slice(0, 20)}`, `GET /${name}/${id}`, undefined, plain(404, `There is no "${id.slice(0, 200)}" among ${name}.`)))),
])

const LIST = syntax('"Operations" must be a list of at least one operation.')
const ERRORS = value('"failOnErrors" must be a whole number of at least 1.')
const right = (userName: string) => ({ method: 'POST', path: '/Users', bulkId: 'a', data: { userName } })

refuses('a wrong bulk request', here, [
  wrong('nothing', 'POST /Bulk', {}, LIST), wrong('no operations', 'POST /Bulk', { Operations: [] }, LIST), wrong('operations that are no list', 'POST /Bulk', { Operations: right('a') }, LIST),
  wrong('a list', 'POST /Bulk', [right('a')], syntax('The request body must be a JSON object with "Operations".')),
  ...[7, null, 'x', []].map((operation) => wrong(`an operation ${JSON.stringify(operation)} behind a right one`, 'POST /Bulk', { Operations: [right('a@example.com'), operation] }, syntax('"Operations[1]" must be an object.'))),
  ...[0, -1, 1.5, 'x', true, {}, []].map((failOnErrors) => wrong(`failOnErrors ${JSON.stringify(failOnErrors)}`, 'POST /Bulk', { failOnErrors, Operations: [right('a@example.com')] }, ERRORS)),
  wrong('1,001 operations', 'POST /Bulk', { Operations: Array.from({ length: 1001 }, (_, index) => right(`a${index}@example.com`)) },
    plain(413, 'The number of operations of the bulk operation exceeds the maxOperations (1000).')),
  wrong('more than 5 MB', 'POST /Bulk', { Operations: [right('a@example.com')], junk: 'x'.repeat(5 * 1024 * 1024) }, plain(413, 'The size of the bulk operation exceeds the maxPayloadSize (5242880).')),
  wrong('a hostile name in the data', 'POST /Bulk', '{"Operations":[{"method":"POST","path":"/Users","bulkId":"a","data":{"userName":"a","__proto__":{}}}]}',
    syntax('The request body has a member named "__proto__", which is not allowed.')),
])

type Refusal = readonly [status: number, scimType: string | undefined, detail: string]

const METHOD: Refusal = syntax('"Operations[0].method" must be "POST", "PUT", "PATCH" or "DELETE".')
const PATH: Refusal = value('"Operations[0].path" is required, as in "/Users" or "/Users/{id}".')
const notOn = (at: string): Refusal => value(`A bulk operation works on /Users, /Groups and the resources in them, not on "${at}".`)
const unknownId = (id: string): Refusal => value(`"bulkId:${id}" is the bulkId of no POST operation in this request.`)
const missing = (id: string): Refusal => plain(404, `There is no User with the id "${id}".`)

const OPERATIONS: readonly (readonly [name: string, operation: unknown, refusal: Refusal])[] = [
  ['nothing', {}, METHOD], ['a method that is a number', { method: 7, path: '/Users' }, METHOD], ['GET', { method: 'GET', path: '/Users' }, METHOD],
  ['a method of 10,000 letters', { method: 'x'.repeat(10_000), path: '/Users' }, METHOD], ['a method in a list', { method: ['POST'], path: '/Users' }, METHOD],
  ['no path', { method: 'POST', bulkId: 'a', data: {} }, PATH], ['a path that is a number', { method: 'POST', path: 7, bulkId: 'a' }, PATH], ['a path that is an object', { method: 'DELETE', path: { a: 1 } }, PATH],
  ['no bulkId', { method: 'POST', path: '/Users', data: {} }, value('"Operations[0].bulkId" is required for POST.')],
  ['a bulkId that is an object', { method: 'POST', path: '/Users', bulkId: {}, data: {} }, value('"Operations[0].bulkId" must be a string.')],
  ['a bulkId that is a boolean', { method: 'DELETE', path: '/Users/x', bulkId: true }, value('"Operations[0].bulkId" must be a string.')],
  ['a version that is an object', { method: 'DELETE', path: '/Users/{user}', version: {} }, value('"Operations[0].version" must be a string.')],
  ['a version that is another', { method: 'DELETE', path: '/Users/{user}', version: 'W/"9"' }, plain(412, 'The User was changed in the meantime: its version is W/"1".')],
  ['no data', { method: 'POST', path: '/Users', bulkId: 'a' }, value('"Operations[0].data" is required for POST.')], ['no data to PUT', { method: 'PUT', path: '/Users/{user}' }, value('"Operations[0].data" is required for PUT.')],
  ['data that is a number', { method: 'POST', path: '/Users', bulkId: 'a', data: 7 }, syntax('The request body must be a JSON object that describes a User.')],
  ['data that is null', { method: 'POST', path: '/Groups', bulkId: 'a', data: null }, syntax('The request body must be a JSON object that describes a Group.')],
  ['data without userName', { method: 'POST', path: '/Users', bulkId: 'a', data: { displayName: 'x' } }, value('"userName" is required and must not be empty.')],
  ['data of a wrong type', { method: 'PUT', path: '/Users/{user}', data: { userName: 'x@example.com', active: 'x' } }, value('"active" must be true or false.')],
  ['a name that is taken', { method: 'POST', path: '/Users', bulkId: 'a', data: { userName: 'JON@example.com' } }, [409, 'uniqueness', 'A User with the userName "JON@example.com" exists already.']],
  ['POST on a resource', { method: 'POST', path: '/Users/x', bulkId: 'a', data: { userName: 'x' } }, plain(405, 'POST needs the path of a collection: "/Users".')],
  ['DELETE of a collection', { method: 'DELETE', path: '/Users' }, plain(405, 'DELETE needs the path of a resource, as in "/Users/{id}".')],
  ['PATCH of a collection', { method: 'PATCH', path: '/Groups/', data: {} }, plain(405, 'PATCH needs the path of a resource, as in "/Groups/{id}".')],
  ['DELETE of nobody', { method: 'DELETE', path: '/Users/nobody' }, missing('nobody')], ['DELETE of __proto__', { method: 'DELETE', path: '/Users/__proto__' }, missing('__proto__')],
  ['an id that is no UTF-8', { method: 'DELETE', path: '/Users/%ff' }, plain(404, 'There is no User with this id.')],
  ['a reference to nobody', { method: 'DELETE', path: '/Users/bulkId:zz' }, unknownId('zz')],
  ['a reference to nobody in the data', { method: 'POST', path: '/Groups', bulkId: 'a', data: { displayName: 'X', members: [{ value: 'bulkId:zz' }] } }, unknownId('zz')],
  ['a reference to itself', { method: 'POST', path: '/Groups', bulkId: 'a', data: { displayName: 'X', members: [{ value: 'bulkId:a' }] } }, plain(409, '"bulkId:a" refers to itself: create it without, then PATCH it.')],
  ...['/Bulk', '/.search', '/Users/.search', '/Me', '/Schemas/x', '/Roles', '/ServiceProviderConfig'].map((at) => [`POST ${at}`, { method: 'POST', path: at, bulkId: 'a', data: {} }, notOn(at)] as const),
  ...['https://evil.invalid/Users', '//evil.invalid/Users', '/Users?x=1', '/../../admin/api', '/users', '/Nothing', '#', '?'].map((at) =>
    [`POST ${at}`, { method: 'POST', path: at, bulkId: 'a', data: { userName: 'evil@example.com' } }, NO_ENDPOINT] as const),
  ['a PATCH without operations', { method: 'PATCH', path: '/Users/{user}', data: {} }, LIST], ['a PATCH of an empty list', { method: 'PATCH', path: '/Users/{user}', data: [] }, LIST],
  ['a PATCH at __proto__', { method: 'PATCH', path: '/Users/{user}', data: patch('add', '__proto__.polluted', 'x') }, path('The path "__proto__.polluted" names no attribute of this resource.')],
  ['a PATCH of a group by its list', { method: 'PATCH', path: '/Groups/{group}', data: [{ op: 'remove', path: 'displayName' }] }, [400, 'mutability', '"displayName" is required and must not be removed or empty.']],
  ['a PATCH of nobody', { method: 'PATCH', path: '/Users/nobody', data: { schemas: [PATCH_SCHEMA], Operations: [{ op: 'add', path: 'title', value: 'x' }] } }, missing('nobody')],
]

const fill = (text: string): string => text.replaceAll('{user}', world.userId).replaceAll('{group}', world.groupId)

describe('a wrong bulk operation', () => {
  it.each(OPERATIONS)('%s', async (_name, operation, [status, scimType, detail]) => {
    const before = await dumpOf(world.tenant)
    const answer = await world.send('POST', '/Bulk', { body: fill(JSON.stringify({ Operations: [operation] })) })
    const told = own(answer.body, 'Operations', 0)
    expect([answer.status, own(told, 'status'), own(told, 'response', 'scimType'), own(told, 'response', 'detail')]).toEqual([200, String(status), scimType, detail])
    expect(own(told, 'response', 'status')).toBe(String(status))
    expect(await dumpOf(world.tenant)).toBe(before)
  })

  it('is named again in well-formed text', async () => {
    const body = '{"Operations":[{"method":"\\ud800","bulkId":"x\\udc00","path":"/Users"},{"method":"0123456789012345678😀","path":"/Users"}]}'
    const { text, body: told } = await world.send('POST', '/Bulk', { body })
    expect(text).not.toContain('\\ud')
    expect([own(told, 'Operations', 0, 'method'), own(told, 'Operations', 0, 'bulkId'), own(told, 'Operations', 1, 'method')]).toEqual(['\ufffd', 'x\ufffd', '0123456789012345678\ufffd'])
  })

  it('keeps nothing of itself, and the others go on', async () => {
    const wrongOnes = OPERATIONS.map(([, operation], index) => ({ ...(operation as object), ...(Object.hasOwn(operation as object, 'bulkId') ? { bulkId: `w${index}` } : {}) }))
    const body = fill(JSON.stringify({ Operations: [...wrongOnes, { method: 'POST', path: '/Users', bulkId: 'new', data: { userName: 'new@example.com' } }] }))
    const answer = await world.send('POST', '/Bulk', { body })
    const statuses = OPERATIONS.map((_, index) => own(answer.body, 'Operations', index, 'status'))
    expect(statuses.every((status) => typeof status === 'string' && status.startsWith('4'))).toBe(true)
    expect(own(answer.body, 'Operations', OPERATIONS.length, 'status')).toBe('201')
    const users = await world.send('GET', '/Users?attributes=userName')
    expect(own(users.body, 'totalResults')).toBe(2)
  })
})
