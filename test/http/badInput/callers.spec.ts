import { beforeAll, describe, expect, it } from 'vitest'
import { call, own, scimErrorFaults, textAt } from '../bridge'
import { dumpOf, openWorld, plain, pollution, refuses, wrong, type World } from './world'

/** Who is not let in, methods that an endpoint does not have, and headers that must not matter. */

let world: World
const here = (): World => world

beforeAll(async () => {
  world = await openWorld('bad-callers')
})

const MISSING = 'The request has no credential. Send a token in the Authorization header.'
const REFUSED = 'The credential is not accepted.'

/** `{token}` stands for the token of a connection that may speak. */
const CREDENTIALS: readonly (readonly [header: string | null, detail: string])[] = [
  [null, MISSING], ['', MISSING], ['   ', MISSING],
  ['Bearer', REFUSED], ['Bearer ', REFUSED], ['Basic', REFUSED], ['Bearer null', REFUSED], ['Bearer undefined', REFUSED], ['Bearer {token}x', REFUSED], ['Bearer x{token}', REFUSED],
  ['Bearer {token} x', REFUSED], ['Bearer x {token}', REFUSED], ['Bearer {token}, Bearer {token}', REFUSED], ['Bearer Bearer {token}', REFUSED], ['"{token}"', REFUSED],
  ['Bearer "{token}"', REFUSED], ['{token},', REFUSED], ['Digest {token}', REFUSED], ['Negotiate {token}', REFUSED], ['Token {token}', REFUSED], ['SSWS {token}', REFUSED],
  ['Bearer: {token}', REFUSED], ['Bearer={token}', REFUSED], ['Basic {token}', REFUSED], [`Basic ${btoa('user')}`, REFUSED], [`Basic ${btoa('user:')}`, REFUSED], [`Basic ${btoa(':')}`, REFUSED],
  ['Basic ====', REFUSED], ['Basic !', REFUSED], [`Basic ${btoa('user:{token}')}`, REFUSED], [`Basic ${btoa('a:b:c')}`, REFUSED], ['Basic /w==', REFUSED], [`Bearer ${'x'.repeat(20_000)}`, REFUSED],
  [`${'x '.repeat(5000)}`, REFUSED], ['Bearer eyJhbGciOiJub25lIn0.e30.', REFUSED], [`Bearer eyJhbGciOiJub25lIn0.${btoa('{"iss":"https://nobody.invalid"}')}.`, REFUSED],
  [`Bearer eyJhbGciOiJub25lIn0.${btoa('{"iss":{"__proto__":1}}')}.x`, REFUSED], ['Bearer eyJhbGciOiJub25lIn0.!!!.x', REFUSED], ['Bearer a.b.c', REFUSED], ['Bearer ..', REFUSED],
  ['Bearer dev-admin-token', REFUSED], ['Bearer dev-scim-token', REFUSED], ["Bearer ' OR 1=1 --", REFUSED], ['Bearer __proto__', REFUSED], ['Bearer %00', REFUSED],
]

describe('a caller who is not let in', () => {
  it.each(CREDENTIALS)('%s', async (header, detail) => {
    const before = await dumpOf(world.tenant)
    const authorization = header?.replaceAll('{token}', world.caller.token) ?? null
    for (const [method, at, body] of [
      ['GET', '/Users', undefined], ['GET', '/Users?count=x', undefined], ['POST', '/Users', '{'], ['DELETE', '/Users/{user}', undefined], ['PATCH', '/Nothing', '"'],
      ['GET', '/ServiceProviderConfig', undefined], ['GET', '/Schemas?filter=x', undefined], ['PURGE', '/Groups', undefined], ['POST', '/Bulk', '{"Operations":7}'], ['GET', '/Me', undefined],
    ] as const) {
      const answer = await world.send(method, at, { authorization, ...(body === undefined ? {} : { body }) })
      expect([method, at, answer.status, own(answer.body, 'detail')]).toEqual([method, at, 401, detail])
      expect(scimErrorFaults(answer)).toEqual([])
      expect(answer.text).not.toContain(world.caller.token)
    }
    expect(await dumpOf(world.tenant)).toBe(before)
    expect(pollution()).toEqual([])
  })

  it.each(['bearer {token}', 'BEARER\t{token}', '  Bearer   {token}  ', '{token}'])('but %s is', async (header) => {
    const answer = await world.send('GET', '/Users', { authorization: header.replaceAll('{token}', world.caller.token) })
    expect(answer.status).toBe(200)
  })

  it.each(['user:{token}', ':{token}', 'üser:{token}'])('but Basic of %s is', async (credentials) => {
    const bytes = new TextEncoder().encode(credentials.replaceAll('{token}', world.caller.token))
    const answer = await world.send('GET', '/Users', { authorization: `Basic ${btoa(String.fromCharCode(...bytes))}` })
    expect(answer.status).toBe(200)
  })
})

const LIST = 'GET, HEAD, POST, OPTIONS'
const ONE = 'GET, HEAD, PUT, PATCH, DELETE, OPTIONS'
const READ = 'GET, HEAD, OPTIONS'

const ENDPOINTS: readonly (readonly [path: string, allow: string])[] = [
  ['/Users', LIST], ['/Groups/', LIST], ['/Users/{user}', ONE], ['/Groups/{group}', ONE], ['/Users/no-such-id', ONE], ['/ServiceProviderConfig', READ], ['/ServiceProviderConfig/x', READ],
  ['/Schemas', READ], ['/Schemas/urn:nobody', READ], ['/ResourceTypes', READ], ['/ResourceTypes/User', READ], ['', READ], ['/Bulk', 'POST, OPTIONS'], ['/.search', 'POST, OPTIONS'], ['/Users/.search', 'POST, OPTIONS'],
]

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'PURGE', 'QUERY', 'PROPFIND', 'SEARCH']

refuses('a method that the endpoint does not have', here, ENDPOINTS.flatMap(([path, allow]) =>
  METHODS.filter((method) => !allow.split(', ').includes(method)).map((method) =>
    wrong(`${method} ${path}`, `${method} ${path}`, method === 'GET' ? undefined : '{', plain(405, `The method ${method} is not supported here.`)))))

describe('the methods that the endpoint has', () => {
  it.each(ENDPOINTS)('%s: %s', async (path, allow) => {
    const refused = await world.send('PURGE', path)
    expect([refused.status, refused.headers.get('allow')]).toEqual([405, allow])
    const options = await world.send('OPTIONS', path, { authorization: null, body: '{' })
    expect([options.status, options.headers.get('allow'), options.text]).toEqual([204, allow, ''])
  })
})

describe('a header that must not matter', () => {
  it.each([
    ['x-http-method-override', 'DELETE'], ['x-http-method', 'DELETE'], ['x-method-override', 'DELETE'], ['x-forwarded-host', 'evil.invalid'], ['x-forwarded-proto', 'ftp'], ['x-forwarded-prefix', '/evil'],
    ['forwarded', 'host=evil.invalid;proto=https'], ['x-original-url', '/admin/api/connections'], ['x-rewrite-url', '/admin/api/connections'], ['x-tenant', 'default'], ['accept', 'text/html'],
    ['accept', 'image/*;q=0'], ['accept-charset', 'utf-16'], ['accept-encoding', '*;q=0'], ['accept-language', 'x'.repeat(5000)], ['range', 'bytes=0-1'], ['cookie', 'session=x; __proto__=1'],
    ['if-modified-since', 'never'], ['if-unmodified-since', 'Thu, 01 Jan 1970 00:00:00 GMT'], ['origin', 'https://evil.invalid'], ['expect', '100-continue'], ['content-type', 'text/plain'],
    ['content-encoding', 'gzip'], ['x-forwarded-for', "' OR 1=1"], ['cf-connecting-ip', '127.0.0.1'], ['traceparent', '\u007f'.repeat(3)],
  ])('%s: %s', async (name, value) => {
    const answer = await world.send('GET', '/Users/{user}', { headers: { [name]: value } })
    expect([answer.status, answer.headers.get('content-type'), own(answer.body, 'id')]).toEqual([200, 'application/scim+json', world.userId])
    expect(own(answer.body, 'meta', 'location')).toBe(`http://127.0.0.1${world.base}/Users/${world.userId}`)
    expect([...answer.headers.keys()].filter((header) => /^(?:access-control|set-cookie|x-powered|server)/.test(header))).toEqual([])
  })
})

describe('the host that was asked', () => {
  it.each(['http://localhost', 'http://127.0.0.1:8787', 'http://[::1]:1'])('%s is the host of every location', async (origin) => {
    const answer = await world.send('GET', '/Users/{user}', { origin })
    expect([answer.status, own(answer.body, 'meta', 'location')]).toEqual([200, `${origin}${world.base}/Users/${world.userId}`])
    const made = await world.send('POST', '/Users', { origin, body: { userName: 'host@example.com' } })
    expect(made.headers.get('location')).toBe(`${origin}${world.base}/Users/${textAt(made, 'id')}`)
    expect((await world.send('DELETE', `/Users/${textAt(made, 'id')}`)).status).toBe(204)
  })

  it.each(['http://evil.invalid', 'http://127.0.0.1.evil.invalid', 'https://xn--e1afmkfd.invalid', 'http://10.0.0.1', `http://${'a.'.repeat(100)}invalid`])(
    'development values are believed on no other host: %s', async (origin) => {
      for (const authorization of [world.caller.authorization, 'Bearer dev-scim-token', null]) {
        const answer = await call('GET', `${world.base}/Users`, { authorization, origin })
        expect([answer.status, String(own(answer.body, 'detail')).includes('DEVELOPMENT')]).toEqual([503, true])
        expect(scimErrorFaults(answer)).toEqual([])
      }
    })
})
