import { hc } from 'hono/client'
import { exports } from 'cloudflare:workers'
import { beforeAll, describe, expect, it } from 'vitest'
import type { AdminApi } from '../../src/admin/api'
import { ADMIN, admin, call, openTenant, own, rowsOf, type Answer } from '../http/bridge'

const TENANT = 'admin-api'
const PREFIX = `/t/${TENANT}`

beforeAll(() => openTenant(TENANT))

const ROUTES: readonly [string, string][] = [
  ['GET', '/policy'], ['PUT', '/policy'], ['GET', '/people'], ['GET', '/people/a@example.com'], ['POST', '/people/a@example.com/retry'],
  ['POST', '/people/a@example.com/identity'], ['GET', '/health'], ['GET', '/holds'], ['POST', '/holds/x/approve'], ['POST', '/holds/x/refuse'],
  ['GET', '/connections'], ['POST', '/connections'], ['GET', '/connections/x/tokens'], ['POST', '/connections/x/tokens'],
  ['DELETE', '/connections/x/tokens/y'], ['POST', '/settle'], ['PUT', '/tenant'], ['GET', '/nothing'], ['GET', ''],
]

/** Every answer of the API that is an error. */
const problemFaults = ({ status, headers, body }: Answer): readonly string[] => {
  const faults: [boolean, string][] = [
    [headers.get('content-type') === 'application/problem+json', `content-type ${headers.get('content-type')}`],
    [own(body, 'status') === status, 'status'],
    [typeof own(body, 'title') === 'string' && own(body, 'type') === 'about:blank', 'type and title'],
    [/^\S.*\.$/.test(String(own(body, 'detail'))), `detail ${String(own(body, 'detail'))}`],
    [headers.get('cache-control') === 'no-store', 'may be cached'],
    [status !== 401 || headers.has('www-authenticate'), 'no challenge'],
  ]
  return faults.filter(([isTrue]) => !isTrue).map(([, fault]) => fault)
}

describe('a stranger', () => {
  const STRANGERS: readonly (string | null)[] = [
    null, '', 'Bearer', 'Bearer dev-admin-toke', 'Bearer dev-admin-tokenx', 'Bearer dev-scim-token', 'Bearer DEV-ADMIN-TOKEN', 'Digest dev-admin-token',
    `Basic ${btoa('dev-admin-token:')}`, 'Bearer eyJhbGciOiJub25lIn0.e30.', `Bearer ${'x'.repeat(9000)}`,
  ]
  it.each(ROUTES)('learns nothing from %s %s', async (method, path) => {
    const before = await rowsOf(TENANT)
    for (const prefix of [PREFIX, '', '/t/unknown', '/t/default']) {
      for (const authorization of prefix === PREFIX ? STRANGERS : [null, 'Bearer x']) {
        const message = method === 'GET' || method === 'DELETE' ? {} : { body: '{"broken' }
        const answer = await call(method, `${prefix}/admin/api${path}`, { authorization, ...message })
        expect([answer.status, problemFaults(answer), own(answer.body, 'errors')]).toEqual([401, [], undefined])
      }
    }
    expect(await rowsOf(TENANT)).toEqual(before)
  })
})

describe('the administrator', () => {
  it.each(['Bearer dev-admin-token', 'bearer dev-admin-token', 'dev-admin-token', `Basic ${btoa('admin:dev-admin-token')}`])('is known by %j', async (authorization) => {
    expect((await call('GET', `${PREFIX}/admin/api/health`, { authorization })).status).toBe(200)
  })

  it('is told of routes and tenants that do not exist', async () => {
    for (const [method, path] of [['GET', '/admin/api/nothing'], ['DELETE', '/admin/api/policy'], ['GET', '/t/unknown/admin/api/health'], ['GET', '/t/default/admin/api/health'], ['GET', '/t/A_B/admin/api/health']] as const) {
      const answer = await admin(method, path)
      expect([path, answer.status, problemFaults(answer)]).toEqual([path, 404, []])
    }
  })
})

describe('the door', () => {
  const WRITES = ROUTES.filter(([method, path]) => (method === 'POST' || method === 'PUT') && path !== '/settle' && path !== '/tenant')
  const BODIES: readonly [string, number, string, RegExp][] = [
    ['malformed', 400, '{"a":', /not valid JSON/], ['__proto__', 400, '{"__proto__":{"a":1}}', /"__proto__"/],
    ['constructor below', 400, '{"a":[{"constructor":{}}]}', /"constructor"/], ['too deep', 400, `${'['.repeat(50_000)}${']'.repeat(50_000)}`, /deeper than 32/],
    ['too large', 413, JSON.stringify('x'.repeat(1024 * 1024)), /1 MB/],
  ]
  it.each(WRITES)('of %s %s refuses what could hurt', async (method, path) => {
    const before = await rowsOf(TENANT)
    for (const [name, status, body, sentence] of BODIES) {
      const answer = await admin(method, `${PREFIX}/admin/api${path}`, body)
      expect([name, answer.status, problemFaults(answer)]).toEqual([name, status, []])
      expect(String(own(answer.body, 'detail'))).toMatch(sentence)
    }
    expect(await rowsOf(TENANT)).toEqual(before)
  })

  it('takes no body for an empty object, any Content-Type for JSON, and no byte order mark for a part of it', async () => {
    expect(own((await admin('PUT', `${PREFIX}/admin/api/policy`)).body, 'errors', 0)).toEqual({ path: 'mappings', sentence: '"mappings" is missing.' })
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/json; charset=utf-8', '']) {
      expect((await admin('PUT', `${PREFIX}/admin/api/policy`, '\uFEFF{"mappings":[]}', { 'content-type': type })).status).toBe(200)
    }
  })

  it('refuses what is no UTF-8', async () => {
    const answer = await admin('PUT', `${PREFIX}/admin/api/policy`, new Response(new Uint8Array([0x22, 0xff, 0x22])).body)
    expect([answer.status, own(answer.body, 'detail')]).toEqual([400, 'The request body is not UTF-8.'])
  })
})

describe('health', () => {
  it('is what an administrator has to know', async () => {
    const answer = await admin('GET', `${PREFIX}/admin/api/health`)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.body).toMatchObject({
      status: expect.any(String), problems: [], people: { inStep: 0, due: 0, held: 0, stuck: 0 }, lagMs: 0, openHolds: 0, arize: { ownUser: true },
    })
  })
})

it('has a client with types', async () => {
  const client = hc<AdminApi>(`http://127.0.0.1${PREFIX}/admin/api`, {
    headers: { authorization: ADMIN }, fetch: (input: RequestInfo | URL, init?: RequestInit) => exports.default.fetch(new Request(input, init)),
  })
  const people = await client.people.$get({ query: { limit: '1' } })
  expect(await people.json()).toEqual({ people: [], next: null })
})
