import { env } from 'cloudflare:workers'
import { runInDurableObject } from 'cloudflare:test'
import { beforeAll, describe, expect, it } from 'vitest'
import { createApp } from '../../src/app'
import { BULK_REQUEST, BULK_RESPONSE, CIRCULAR, IN_AN_EXTENSION, TEMPORARY_IDS } from '../scim/bulkExamples'
import { call, callWith, connect, openTenant, own, rowsOf, scimErrorFaults, textAt, type Answer, type Message } from './bridge'
import { watchDirectories } from './watchedEnv'

const TENANT = 'http-bulk'
const PREFIX = `/t/${TENANT}`
const BASE = `http://127.0.0.1${PREFIX}/scim/v2`
const MB = 1024 * 1024

let authorization: string

const scim = (method: string, path: string, message: Message = {}): Promise<Answer> =>
  call(method, `${PREFIX}/scim/v2${path}`, { authorization, ...message })

const request = (operations: readonly unknown[], more: Readonly<Record<string, unknown>> = {}): unknown =>
  ({ schemas: [BULK_REQUEST], ...more, Operations: operations })

const create = (name: string, more: Readonly<Record<string, unknown>> = {}): unknown =>
  ({ method: 'POST', path: '/Users', bulkId: name, data: { userName: `${name}@example.com`, ...more } })

const createMany = (prefix: string, count: number): readonly unknown[] => Array.from({ length: count }, (_, index) => create(`${prefix}${index}`))

const outcomesOf = ({ body }: Answer): readonly unknown[] => {
  const outcomes = own(body, 'Operations')
  return Array.isArray(outcomes) ? outcomes : []
}

const statusesOf = (answer: Answer): readonly unknown[] => outcomesOf(answer).map((outcome) => own(outcome, 'status'))

const total = async (filter: string, connected = authorization): Promise<unknown> =>
  own((await scim('GET', `/Users?count=0&filter=${encodeURIComponent(filter)}`, { authorization: connected })).body, 'totalResults')

beforeAll(async () => {
  await openTenant(TENANT)
  authorization = (await connect(PREFIX, 'Okta')).authorization
})

describe('a bulk request', () => {
  it('is 200, in SCIM\'s media type, with what became of each operation', async () => {
    const answer = await scim('POST', '/Bulk', { body: TEMPORARY_IDS, headers: { 'content-type': 'application/scim+json; charset=utf-8' } })
    expect([answer.status, answer.headers.get('content-type'), answer.headers.get('cache-control')]).toEqual([200, 'application/scim+json', 'no-store'])
    expect([answer.headers.get('location'), answer.headers.get('etag')]).toEqual([null, null])
    const [alice, guides] = [textAt(answer, 'Operations', 0, 'location'), textAt(answer, 'Operations', 1, 'location')]
    expect(answer.body).toEqual({
      schemas: [BULK_RESPONSE],
      Operations: [
        { location: alice, method: 'POST', bulkId: 'qwerty', version: 'W/"1"', status: '201' },
        { location: guides, method: 'POST', bulkId: 'ytrewq', version: 'W/"1"', status: '201' },
      ],
    })
    expect(alice.startsWith(`${BASE}/Users/`) && guides.startsWith(`${BASE}/Groups/`)).toBe(true)
    expect(`${alice}${guides}`).not.toMatch(/bulkId/i)
    const group = await scim('GET', guides.slice(BASE.length))
    expect(own(group.body, 'members', 0, 'value')).toBe(alice.slice(`${BASE}/Users/`.length))
    expect(own(group.body, 'meta', 'location')).toBe(guides)
  })

  it('costs one call of the Directory', async () => {
    const watched = watchDirectories()
    const app = createApp()
    const send = (name: string): Promise<Answer> =>
      callWith((sent) => app.fetch(sent, watched.env), 'POST', `${PREFIX}/scim/v2/Bulk`, { authorization, body: request(createMany(name, 30)) })
    expect(new Set(statusesOf(await send('warm')))).toEqual(new Set(['201']))
    const before = watched.calls.length
    expect(statusesOf(await send('one-call'))).toHaveLength(30)
    expect(watched.calls.slice(before)).toEqual([`${TENANT}.bulk`])
  })

  it('has as many operations as it may, and none more', async () => {
    const answer = await scim('POST', '/Bulk', { body: request(createMany('many', 1000)) })
    expect([answer.status, outcomesOf(answer).length, new Set(statusesOf(answer))]).toEqual([200, 1000, new Set(['201'])])
    expect(await total('userName sw "many"')).toBe(1000)
  })

  it('may be almost as large as it may be', async () => {
    const empty = JSON.stringify(request([create('large', { nickName: 'large', junk: '' })]))
    const body = JSON.stringify(request([create('large', { nickName: 'large', junk: 'x'.repeat(5 * MB - empty.length) })]))
    expect(body.length).toBe(5 * MB)
    expect(statusesOf(await scim('POST', '/Bulk', { body }))).toEqual(['201'])
  })

  it('stops at failOnErrors', async () => {
    const answer = await scim('POST', '/Bulk', { body: request([create('stop'), create('stop2', { active: 'perhaps' }), create('stop3')], { failOnErrors: 1 }) })
    expect([answer.status, statusesOf(answer)]).toEqual([200, ['201', '400']])
    expect(own(outcomesOf(answer)[1], 'response')).toMatchObject({ schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'], status: '400', scimType: 'invalidValue' })
    expect(await total('userName sw "stop"')).toBe(1)
  })

  it('refuses circles one by one', async () => {
    const answer = await scim('POST', '/Bulk', { body: request([...CIRCULAR.Operations, create('beside')]) })
    expect([answer.status, statusesOf(answer)]).toEqual([200, ['409', '409', '201']])
  })

  it('belongs to its connection', async () => {
    const other = await connect(PREFIX, 'Entra')
    const answer = await scim('POST', '/Bulk', { authorization: other.authorization, body: IN_AN_EXTENSION })
    expect(statusesOf(answer)).toEqual(['201', '201'])
    expect(await total('userName eq "Bob"')).toBe(0)
    expect(await total('userName eq "Bob"', other.authorization)).toBe(1)
  })

  it('is journalled as its operations would be, one by one', async () => {
    const answer = await scim('POST', '/Bulk', { body: request([create('told'), create('told-again')]) })
    expect(statusesOf(answer)).toEqual(['201', '201'])
    const rows = await runInDurableObject(env.DIRECTORY.getByName(TENANT), (_directory, { storage }) =>
      storage.sql.exec(`SELECT subject FROM journal WHERE kind = 'scim.create' AND subject LIKE 'told%' ORDER BY seq`).toArray())
    expect(rows).toEqual([{ subject: 'told@example.com' }, { subject: 'told-again@example.com' }])
  })
})

type Wrong = readonly [name: string, body: unknown, status: number, scimType: string | undefined, sentence: RegExp]

const deep = (levels: number): string => `{"Operations":[{"data":${'{"a":'.repeat(levels - 3)}1${'}'.repeat(levels - 3)}}]}`

const WRONG: readonly Wrong[] = [
  ['no body', '', 400, 'invalidSyntax', /body is empty/],
  ['malformed JSON', '{"Operations":[', 400, 'invalidSyntax', /not valid JSON/],
  ['a list', [], 400, 'invalidSyntax', /JSON object/],
  ['no operations', request([]), 400, 'invalidSyntax', /at least one/],
  ['an operation that is none', request([create('x'), null]), 400, 'invalidSyntax', /"Operations\[1\]"/],
  ['failOnErrors 0', request([create('x')], { failOnErrors: 0 }), 400, 'invalidValue', /"failOnErrors"/],
  ['failOnErrors a word', request([create('x')], { failOnErrors: 'none' }), 400, 'invalidValue', /"failOnErrors"/],
  ['__proto__ in data', '{"Operations":[{"method":"POST","path":"/Users","bulkId":"a","data":{"__proto__":{"active":false}}}]}', 400, 'invalidSyntax', /"__proto__"/],
  ['constructor as an attribute of an operation', '{"Operations":[{"constructor":1}]}', 400, 'invalidSyntax', /"constructor"/],
  ['33 levels', deep(33), 400, 'invalidSyntax', /deeper than 32/],
  ['1,001 operations', request(createMany('x', 1001)), 413, undefined, /^The number of operations of the bulk operation exceeds the maxOperations \(1000\)\.$/],
  ['more than 5 MB', `{"junk":"${'x'.repeat(5 * MB)}"}`, 413, undefined, /^The size of the bulk operation exceeds the maxPayloadSize \(5242880\)\.$/],
]

describe('a wrong bulk request', () => {
  it.each(WRONG)('%s', async (_name, body, status, scimType, sentence) => {
    const before = await rowsOf(TENANT)
    const answer = await scim('POST', '/Bulk', { body })
    expect([answer.status, own(answer.body, 'scimType')]).toEqual([status, scimType])
    expect(String(own(answer.body, 'detail'))).toMatch(sentence)
    expect(scimErrorFaults(answer)).toEqual([])
    expect(await rowsOf(TENANT)).toEqual(before)
  })

  it.each(WRONG)('by a stranger is 401: %s', async (_name, body) => {
    const answer = await scim('POST', '/Bulk', { authorization: 'Bearer somebody-else', body })
    expect(answer.status).toBe(401)
    expect(scimErrorFaults(answer)).toEqual([])
  })

  it('by a stranger does nothing', async () => {
    const before = await rowsOf(TENANT)
    expect((await scim('POST', '/Bulk', { authorization: 'Bearer somebody-else', body: TEMPORARY_IDS })).status).toBe(401)
    expect((await scim('POST', '/Bulk', { authorization: null, body: TEMPORARY_IDS })).status).toBe(401)
    expect(await rowsOf(TENANT)).toEqual(before)
  })

  it.each(['text/plain', 'application/xml'])('of %s is 415', async (type) => {
    const answer = await scim('POST', '/Bulk', { body: JSON.stringify(TEMPORARY_IDS), headers: { 'content-type': type } })
    expect([answer.status, scimErrorFaults(answer)]).toEqual([415, []])
  })

  it.each(['GET', 'PUT', 'PATCH', 'DELETE', 'HEAD'])('by %s is 405', async (method) => {
    const answer = await scim(method, '/Bulk')
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST, OPTIONS'])
  })

  it.each(['/Bulk/7', '/Bulk/7/8', '/bulk'])('at %s is 404', async (path) => {
    expect((await scim('POST', path, { body: TEMPORARY_IDS })).status).toBe(404)
  })
})

describe('beside others', () => {
  it('loses nothing, and neither do they', async () => {
    const group = textAt(await scim('POST', '/Groups', { body: { displayName: 'Everyone' } }), 'id')
    const names = Array.from({ length: 120 }, (_, index) => `crowd${index}`)
    const adding = (name: string): unknown =>
      ({ method: 'PATCH', path: `/Groups/${group}`, data: { Operations: [{ op: 'add', path: 'members', value: [{ value: `bulkId:${name}` }] }] } })
    const bulks = [names.slice(0, 60), names.slice(60)].map((half) =>
      scim('POST', '/Bulk', { body: request(half.flatMap((name) => [adding(name), create(name)])) }))
    const singles = Array.from({ length: 20 }, async (_, index) => {
      const id = textAt(await scim('POST', '/Users', { body: { userName: `single${index}@example.com` } }), 'id')
      return scim('PATCH', `/Groups/${group}`, { body: { Operations: [{ op: 'add', path: 'members', value: [{ value: id }] }] } })
    })
    for (const answer of await Promise.all(bulks)) expect(new Set(statusesOf(answer))).toEqual(new Set(['201', '204']))
    for (const answer of await Promise.all(singles)) expect(answer.status).toBe(204)
    const members = own((await scim('GET', `/Groups/${group}`)).body, 'members')
    expect(Array.isArray(members) ? members.length : members).toBe(140)
  })

  it('a crash in the middle is no success, and what was done stays done', async () => {
    const tenant = 'http-bulk-crash'
    await openTenant(tenant)
    const connected = await connect(`/t/${tenant}`, 'Okta')
    const send = (method: string, path: string, body?: unknown): Promise<Answer> =>
      call(method, `/t/${tenant}/scim/v2${path}`, { authorization: connected.authorization, ...(body === undefined ? {} : { body }) })
    const sent = send('POST', '/Bulk', request(createMany('fallen', 1000)))
    const directory = env.DIRECTORY.getByName(tenant)
    for (;;) {
      const rows = await runInDurableObject(directory, (_directory, { storage }) => storage.sql.exec(`SELECT COUNT(*) AS n FROM users`).one())
      if (Number(rows['n']) > 0) break
    }
    await runInDurableObject(directory, (_directory, state) => {
      state.abort('test')
    }).catch(() => undefined)
    expect((await sent).status).toBeGreaterThanOrEqual(500)
    const list = await send('GET', '/Users?count=0')
    const done = Number(own(list.body, 'totalResults'))
    expect([list.status, done > 0, done < 1000]).toEqual([200, true, true])
    const again = await send('POST', '/Bulk', request(createMany('fallen', 1000)))
    expect(statusesOf(again)).toEqual(Array.from({ length: 1000 }, (_, index) => (index < done ? '409' : '201')))
  })
})
