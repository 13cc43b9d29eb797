import { beforeAll, describe, expect, it } from 'vitest'
import { call, own, scimErrorFaults } from '../bridge'
import { dumpOf, filter, openWorld, patch, plain, refuses, value, wrong, type World } from './world'

/** What is wrong with an address, its parameters and its preconditions; and oddities of them that are answered all the same. */

let world: World
const here = (): World => world

beforeAll(async () => {
  world = await openWorld('bad-addresses')
})

const noUser = (id: string) => plain(404, `There is no User with the id "${id}".`)
const noGroup = (id: string) => plain(404, `There is no Group with the id "${id}".`)
const NO_ENDPOINT = plain(404, 'There is no such endpoint.')

/** As it stands in the address, and as the sentence quotes it. */
const IDS: readonly (readonly [string, string])[] = [
  ['no-such-id', 'no-such-id'], ['a%2Fb', 'a/b'], ['%2e%2e%2f', '../'], ['..%2fUsers', '../Users'], ['%00', '\ufffd'], ['%0d%0aset-cookie:x', '\ufffd\ufffdset-cookie:x'],
  ['%20', ' '], ['%25', '%'], ['%2520', '%20'], ['%3F', '?'], ["'%20OR%20'1'='1", "' OR '1'='1"], ['%22--', '"--'], ['%E2%80%AEdi', '\ufffddi'], ['%F0%9F%98%80', '😀'],
  ['x;y=1', 'x;y=1'], ['__proto__', '__proto__'], ['constructor', 'constructor'], ['null', 'null'], ['undefined', 'undefined'], ['0', '0'], ['-1', '-1'], ['NaN', 'NaN'], ['*', '*'],
  ['{user}%20', '{user} '], ['{user}%00', '{user}\ufffd'], ['{user},{user}', '{user},{user}'], [`${'x'.repeat(4000)}`, `${'x'.repeat(100)}…`],
  [`${'%F0%9F%98%80'.repeat(51)}`.replace('%F0', 'x%F0'), `x${'😀'.repeat(49)}\ufffd…`], ['<script>', '<script>'],
]

const fillWith = ({ userId }: World, text: string): string => text.replaceAll('{user}', userId)

describe('an id that nobody has', () => {
  it.each(IDS)('%s', async (id, quoted) => {
    const before = await dumpOf(world.tenant)
    const detail = noUser(fillWith(world, quoted))[2]
    const requests = [
      ['GET', undefined], ['HEAD', undefined], ['DELETE', undefined], ['PUT', { userName: 'new@example.com' }], ['PATCH', patch('replace', 'title', 'x')],
    ] as const
    for (const [method, body] of requests) {
      const answer = await world.send(method, `/Users/${id}`, body === undefined ? {} : { body })
      expect([method, answer.status, own(answer.body, 'detail')]).toEqual([method, 404, method === 'HEAD' ? undefined : detail])
      if (method !== 'HEAD') expect(scimErrorFaults(answer)).toEqual([])
    }
    expect(await dumpOf(world.tenant)).toBe(before)
  })
})

refuses('a wrong address', here, [
  ...['%zz', '%', '%ff', '%ED%A0%80', '%C0%AF', '%E2%82'].flatMap((id) => [
    wrong(`GET /Users/${id}`, `GET /Users/${id}`, undefined, plain(404, 'There is no User with this id.')),
    wrong(`DELETE /Groups/${id}`, `DELETE /Groups/${id}`, undefined, plain(404, 'There is no Group with this id.')),
    wrong(`GET /Schemas/${id}`, `GET /Schemas/${id}`, undefined, NO_ENDPOINT),
  ]),
  wrong('a group among users', 'GET /Users/{group}', undefined, noUser('{group}')),
  wrong('a user among groups', 'PUT /Groups/{user}', { displayName: 'X' }, noGroup('{user}')),
  ...['/users', '/USERS', '/User', '/Users/{user}/emails', '/Users/{user}/groups/x', '/Groups/{group}/members', '/Devices', '/__proto__', '/constructor', '/toString',
    '/Users%2F{user}', '/%55sers', '/v2/Users', '/..%2fadmin', '/$metadata', '/.well-known/x'].map((at) =>
    wrong(`GET ${at}`, `GET ${at}`, undefined, NO_ENDPOINT)),
  ...['POST', 'PUT', 'PATCH', 'DELETE', 'PURGE'].map((method) => wrong(`${method} /Devices`, `${method} /Devices`, undefined, NO_ENDPOINT)),
].map((line) => ({ ...line, get detail() { return line.detail.replaceAll('{user}', world.userId).replaceAll('{group}', world.groupId) } })))

const unreadable = (why: string) => filter(`The filter cannot be read: ${why}.`)
const whole = (name: string) => value(`"${name}" must be a whole number.`)
const encoded = encodeURIComponent

refuses('a wrong query', here, ['/Users', '/Groups', ''].flatMap((at) => [
  ...(at === '/Users' ? [
    ['active gt true', filter('The filter compares "active" by "gt", which a boolean attribute does not have.')],
    ['active co "t"', filter('The filter compares "active" by "co", which a boolean attribute does not have.')],
    ['active eq "maybe"', filter('The filter compares "active" with a value that is not a boolean.')],
    ['active eq 1', filter('The filter compares "active" with a value that is not a boolean.')],
    ['x509Certificates.value gt "x"', filter('The filter compares "x509Certificates.value" by "gt", which a binary attribute does not have.')],
    ['title[value eq "x"]', filter('The filter selects by sub-attributes of "title", which has none.')],
    ['emails[primary co "t"]', filter('The filter compares "primary" by "co", which a boolean attribute does not have.')],
  ] as const : []).map(([text, refusal]) => wrong(`${at}: ${text}`, `GET ${at}?filter=${encoded(text)}`, undefined, refusal)),
  ...([
    ['displayName', unreadable('the operator after "displayName" is missing, at character 12')],
    ['displayName eq', unreadable('the value after "eq" is missing, at character 15')],
    ['displayName eq "a', unreadable('a string has no closing quote, at character 16')],
    ['displayName eq "a\\', unreadable('a string has no closing quote, at character 16')],
    ['displayName eq "\\x41"', unreadable('a string is not written as in JSON, at character 16')],
    ['displayName eq "a\nb"', unreadable('a string is not written as in JSON, at character 16')],
    ['displayName eq "\\u0000"', unreadable('a string has a character U+0000, at character 16')],
    ['displayName eq "a" and', unreadable('an attribute name is missing, at character 23')],
    ['displayName eq "a" or or displayName pr', unreadable('there is no operator after "or", at character 26')],
    ['displayName eq "a" displayName pr', unreadable('there is something after its end, at character 20')],
    ['displayName like "a"', unreadable('there is no operator after "displayName", at character 13')],
    ['displayName = "a"', unreadable('there is no operator after "displayName", at character 13')],
    ['eq "a"', unreadable('there is no operator after "eq", at character 4')],
    ['"displayName" eq "a"', unreadable('an attribute name is missing, at character 1')],
    ['displayName eq \'a\'', unreadable('a string stands in double quotes, at character 16')],
    ['displayName eq and', unreadable('the value after "eq" is missing, at character 16')],
    ['not displayName pr', unreadable('there is no operator after "not", at character 5')],
    ['not (displayName pr', unreadable('")" is missing, at character 20')],
    ['(displayName pr', unreadable('")" is missing, at character 16')],
    ['displayName pr)', unreadable('there is something after its end, at character 15')],
    ['()', unreadable('an attribute name is missing, at character 2')],
    ['members[value eq "a"', unreadable('"]" is missing, at character 21')],
    ['members[]', unreadable('an attribute name is missing, at character 9')],
    ['emails[a[b eq 1]]', unreadable('a value path stands inside another, at character 9')],
    ['__proto__ eq "x"', unreadable('there is no attribute name, at character 1')],
    ['emails[__proto__ eq "x"]', unreadable('there is no attribute name, at character 8')],
    ['; DROP TABLE users', unreadable('there is no attribute name, at character 1')],
    ['\u0000', unreadable('there is no attribute name, at character 1')],
    ['meta.created gt "never"', filter('The filter compares "meta.created" with a value that is not a date.')],
    ['meta.lastModified eq "2026-02-30T00:00:00Z"', filter('The filter compares "meta.lastModified" with a value that is not a date.')],
    ['meta.lastModified lt 7', filter('The filter compares "meta.lastModified" with a value that is not a date.')],
    ['displayName co null', filter('The filter compares "displayName" with null by "co".')],
    [`${'('.repeat(25)}displayName pr${')'.repeat(25)}`, unreadable('it is nested deeper than 24 levels, at character 25')],
    ['('.repeat(4000), unreadable('it is nested deeper than 24 levels, at character 25')],
    ['not ('.repeat(1000), unreadable('it is nested deeper than 24 levels, at character 121')],
    [Array(91).fill('id pr').join(' or '), unreadable('there are more than 90 comparisons, at character 814')],
    ['a'.repeat(8193), filter('The filter is longer than 8192 characters.')],
  ] as const).map(([text, refusal]) => wrong(`${at}: ${text.slice(0, 60)}`, `GET ${at}?filter=${encoded(text)}`, undefined, refusal)),
  ...['first', '1e9', '0x10', '1.5', 'NaN', 'Infinity', '\u0661', '1 2', '1;2', '--1', 'null', '[1]', '1'.repeat(401)].flatMap((number) => [
    wrong(`${at}: startIndex=${number.slice(0, 20)}`, `GET ${at}?startIndex=${encoded(number)}`, undefined, whole('startIndex')),
    wrong(`${at}: count=${number.slice(0, 20)}`, `GET ${at}?count=${encoded(number)}`, undefined, whole('count')),
  ]),
  wrong(`${at}: sortOrder=up`, `GET ${at}?sortBy=displayName&sortOrder=up`, undefined, value('"sortOrder" must be "ascending" or "descending".')),
  wrong(`${at}: parameters in capitals`, `GET ${at}?COUNT=x`, undefined, whole('count')),
]))

describe('an odd query', () => {
  it.each<[string, number, number, number]>([
    ['', 1, 1, 1], ['filter=', 1, 1, 1], ['filter=%20', 1, 1, 1], ['startIndex=&count=', 1, 1, 1], ['startIndex=0', 1, 1, 1], ['startIndex=-9223372036854775808', 1, 1, 1],
    ['startIndex=2', 1, 2, 0], ['startIndex=99999999999999999999', 1, Number.MAX_SAFE_INTEGER, 0], ['count=0', 1, 1, 0], ['count=-1', 1, 1, 0], ['count=+1', 1, 1, 1],
    ['count=99999999999999999999', 1, 1, 1], ['count=1&count=x', 1, 1, 1], ['sortBy=nope', 1, 1, 1], ['sortBy=__proto__', 1, 1, 1], ['sortBy=%22;--', 1, 1, 1],
    ['sortOrder=descending', 1, 1, 1], ['attributes=__proto__,constructor.prototype', 1, 1, 1], ['excludedAttributes=id,schemas', 1, 1, 1], ['attributes=emails%5Btype', 1, 1, 1],
    [`attributes=${'a,'.repeat(4000)}`, 1, 1, 1], ['unknown=1&__proto__=2', 1, 1, 1], ['filter=constructor+pr', 0, 1, 0], ['filter=toString+eq+%22x%22', 0, 1, 0],
    [`filter=displayName+eq+%22${'a'.repeat(8000)}%22`, 0, 1, 0], ['filter=displayName+sw+%22%25%22', 0, 1, 0], ['filter=displayName+eq+%22%27+OR+1=1+--%22', 0, 1, 0], ['&&&=&', 1, 1, 1],
  ])('?%s', async (query, total, startIndex, items) => {
    for (const at of ['/Users', '/Groups']) {
      const { status, body } = await world.send('GET', `${at}?${query}`)
      expect([status, own(body, 'totalResults'), own(body, 'startIndex'), own(body, 'itemsPerPage')]).toEqual([200, total, startIndex, items])
      expect(own(body, 'Resources')).toHaveLength(items)
      if (items > 0) expect(own(body, 'Resources', 0, 'id')).toBe(at === '/Users' ? world.userId : world.groupId)
    }
  })
})

describe('preconditions', () => {
  const STALE = ['""', 'W/""', 'W/"0"', 'W/"2"', '"2"', '2', 'w/"2"', 'garbage', ',', '"'.repeat(500), 'x'.repeat(4000), 'W/"1 "', 'W/"01"', '"W/"', '*x']
  it.each(STALE)('If-Match %s is of no version', async (etag) => {
    const before = await dumpOf(world.tenant)
    const requests = [['PATCH', patch('replace', 'displayName', 'X')], ['PUT', { userName: 'x@example.com', displayName: 'X' }], ['DELETE', undefined]] as const
    for (const [at, type] of [['/Users/{user}', 'User'], ['/Groups/{group}', 'Group']] as const) {
      for (const [method, body] of requests) {
        const answer = await world.send(method, at, { headers: { 'if-match': etag }, ...(body === undefined ? {} : { body }) })
        expect([answer.status, own(answer.body, 'detail')]).toEqual([412, `The ${type} was changed in the meantime: its version is W/"1".`])
        expect(scimErrorFaults(answer)).toEqual([])
      }
      const read = await world.send('GET', at, { headers: { 'if-none-match': etag } })
      expect(read.status).toBe(200)
    }
    expect(await dumpOf(world.tenant)).toBe(before)
  })

  it.each(['*', ' * ', 'W/"1"', 'w/"1"', '"1"', '1', 'W/"7", W/"1"', 'garbage,"1"'])('If-Match and If-None-Match %s are of the version', async (etag) => {
    const same = await world.send('PATCH', '/Users/{user}', { headers: { 'if-match': etag }, body: patch('replace', 'userName', 'jon@example.com') })
    expect([same.status, same.headers.get('etag')]).toEqual([200, 'W/"1"'])
    const read = await world.send('GET', '/Users/{user}', { headers: { 'if-none-match': etag } })
    expect([read.status, read.text, read.headers.get('etag'), read.headers.get('content-type')]).toEqual([304, '', 'W/"1"', null])
  })

  it('of what is not there are not looked at', async () => {
    const answer = await world.send('DELETE', '/Users/no-such-id', { headers: { 'if-match': '"2"' } })
    expect(answer.status).toBe(404)
  })
})

describe('addresses of other tenants', () => {
  it.each(['nobody', 'BAD-ADDRESSES', 'bad-addresses%20', 'bad_addresses', 'default', '__proto__', '%00', '..%2f', 'x'.repeat(64), '😀'])('/t/%s is 401, whatever is asked', async (tenant) => {
    const { authorization } = world.caller
    for (const at of ['Users', 'Users/%zz', 'Nothing', 'Users?count=x']) {
      const answer = await call('GET', `/t/${tenant}/scim/v2/${at}`, { authorization })
      expect([answer.status, own(answer.body, 'detail')]).toEqual([401, 'The credential is not accepted.'])
      expect(scimErrorFaults(answer)).toEqual([])
    }
  })
})
