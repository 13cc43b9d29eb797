import { createExecutionContext, createScheduledController } from 'cloudflare:test'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createApp } from '../src/app'
import type { Env } from '../src/config'
import worker from '../src/index'
import { ADMIN, call, callWith, openTenant, own, requestOf, scimErrorFaults, type Answer, type Message } from './http/bridge'
import { watchDirectories } from './http/watchedEnv'

const SCIM = 'Bearer dev-scim-token'

const callIn = (bindings: Partial<Env>, method: string, path: string, message: Message = {}): Promise<Answer> =>
  callWith((request) => createApp().fetch(request, watchDirectories(undefined, bindings).env), method, path, message)

const PROBLEM = 'application/problem+json'
const ROUTES: readonly [string, string, string, string][] = [
  ['/scim/v2/Users', 'application/scim+json', 'GET', SCIM], ['/t/acme/scim/v2/Groups', 'application/scim+json', 'GET', SCIM],
  ['/admin/api/health', PROBLEM, 'GET', ADMIN], ['/t/acme/admin/api/policy', PROBLEM, 'GET', ADMIN], ['/admin/api/settle', PROBLEM, 'POST', ADMIN],
  ['/readyz', PROBLEM, 'GET', ''], ['/nothing', PROBLEM, 'GET', ''],
]

const detailOf = ({ body }: Answer): string => String(own(body, 'detail'))

/** Both formats say the same things in their own words. */
const expectUnready = (answer: Answer, type: string, variable: string): void => {
  expect([answer.status, answer.headers.get('content-type')]).toEqual([503, type])
  expect(answer.headers.get('retry-after')).toMatch(/^[1-9]\d*$/)
  expect(detailOf(answer)).toContain(variable)
  if (type !== PROBLEM) expect(scimErrorFaults(answer)).toEqual([])
}

describe('a setting that is missing or wrong', () => {
  const SETTINGS: readonly [string, Partial<Env>][] = [
    ['ADMIN_TOKEN', { ADMIN_TOKEN: ' ' }], ['ARIZE_API_KEY', { ARIZE_API_KEY: '' }], ['ARIZE_BASE_URL', { ARIZE_BASE_URL: '' }],
    ['ARIZE_CALLS_PER_SECOND', { ARIZE_CALLS_PER_SECOND: 'many' }], ['DEVELOPMENT', { DEVELOPMENT: 'yes' }],
  ]
  it.each(SETTINGS)('%s: every route says so', async (variable, bindings) => {
    for (const [path, type, method, authorization] of ROUTES) {
      expectUnready(await callIn(bindings, method, path, { authorization }), type, variable)
    }
  })
})

describe('development values', () => {
  const REAL: Partial<Env> = { ADMIN_TOKEN: 'a-real-token', SCIM_TOKEN: '', ARIZE_API_KEY: 'a-real-key' }
  const PUBLIC = 'https://bridge.example.com'

  it.each<[string, string, Partial<Env>, string]>([
    ['ADMIN_TOKEN', PUBLIC, {}, 'true'], ['ADMIN_TOKEN', 'http://127.0.0.1', {}, 'false'],
    ['ADMIN_TOKEN', 'http://127.0.0.1.example.com', {}, 'true'], ['ADMIN_TOKEN', 'http://x.localhost', {}, 'true'],
    ['SCIM_TOKEN', PUBLIC, { ...REAL, SCIM_TOKEN: 'dev-scim-token' }, 'true'],
    ['ARIZE_API_KEY', PUBLIC, { ...REAL, ARIZE_API_KEY: 'dev-arize-key-2' }, 'true'],
    ['ARIZE_API_KEY', 'http://localhost', { ...REAL, ARIZE_API_KEY: 'dev-arize-key' }, 'false'],
  ])('in %s are not believed at %s', async (variable, origin, bindings, development) => {
    const watched = watchDirectories(undefined, { ...bindings, DEVELOPMENT: development })
    for (const [path, type, method, authorization] of ROUTES) {
      expectUnready(await callWith((request) => createApp().fetch(request, watched.env), method, path, { authorization, origin }), type, variable)
    }
    expect(watched.calls).toEqual([])
  })

  it.each(['http://127.0.0.1', 'http://127.0.0.9:8787', 'http://localhost:8787', 'http://[::1]:8787'])('are believed at %s', async (origin) => {
    expect((await call('GET', '/scim/v2/Users', { origin, authorization: SCIM })).status).toBe(200)
    expect((await call('GET', '/admin/api/health', { origin, authorization: ADMIN })).status).toBe(200)
  })

  it('that callers send are nobody where real ones are set, even if the Directory knows them from before', async () => {
    expect((await call('GET', '/scim/v2/Users', { authorization: SCIM })).status).toBe(200)
    for (const [origin, DEVELOPMENT] of [[PUBLIC, 'true'], ['http://127.0.0.1', 'false']] as const) {
      const scim = await callIn({ ...REAL, DEVELOPMENT }, 'GET', '/scim/v2/Users', { origin, authorization: SCIM })
      expect([scim.status, scimErrorFaults(scim)]).toEqual([401, []])
      expect((await callIn({ ...REAL, DEVELOPMENT }, 'GET', '/admin/api/health', { origin, authorization: ADMIN })).status).toBe(401)
    }
  })

  it('a deployment with values of its own works on its own host', async () => {
    const made = await callIn({ ...REAL, DEVELOPMENT: 'false' }, 'POST', '/admin/api/connections',
      { origin: PUBLIC, authorization: 'Bearer a-real-token', body: { kind: 'scim', name: 'app, production' } })
    expect([made.status, own(made.body, 'scimBaseUrl')]).toEqual([201, 'https://bridge.example.com/scim/v2'])
    const user = await callIn({ ...REAL, DEVELOPMENT: 'false' }, 'POST', '/scim/v2/Users',
      { origin: PUBLIC, authorization: `Bearer ${String(own(made.body, 'token'))}`, body: { userName: 'p@example.com' } })
    expect([user.status, user.headers.get('location')]).toEqual([201, `https://bridge.example.com/scim/v2/Users/${String(own(user.body, 'id'))}`])
  })

  it('settle does not exist outside of development', async () => {
    for (const [origin, DEVELOPMENT] of [[PUBLIC, 'true'], ['http://127.0.0.1', 'false']] as const) {
      const answer = await callIn({ ...REAL, DEVELOPMENT }, 'POST', '/admin/api/settle', { origin, authorization: 'Bearer a-real-token' })
      expect([answer.status, answer.headers.get('content-type')]).toEqual([404, PROBLEM])
    }
  })
})

describe('an exception', () => {
  const fail = (error: unknown) => watchDirectories(() => {
    throw error
  })

  let logged: string[]
  beforeEach(() => {
    logged = []
    vi.spyOn(console, 'error').mockImplementation((line: unknown) => void logged.push(String(line)))
  })

  const CALLS = ROUTES.filter(([path]) => path.includes('v2/Users') || path.endsWith('/health') || path === '/readyz')

  it.each<[string, Error]>([
    ['an overloaded Directory', Object.assign(new Error('too many'), { overloaded: true })],
    ['a Directory out of reach', Object.assign(new Error('reset'), { retryable: true })],
  ])('of %s is 503 with Retry-After', async (_name, error) => {
    for (const [path, type, method, authorization] of CALLS) {
      const answer = await callWith((request) => createApp().fetch(request, fail(error).env), method, path, { authorization })
      expectUnready(answer, type, 'busy')
    }
    expect(logged).toEqual([])
  })

  it.each<[string, unknown]>([
    ['an Error', new TypeError('alice@example.com has the token arzb_scim_secret')], ['flags that are not true', Object.assign(new Error('alice@example.com'), { overloaded: 'arzb_scim_secret' })],
  ])('%s is 500, logged without its message', async (_name, error) => {
    for (const [path, type, method, authorization] of CALLS) {
      const answer = await callWith((request) => createApp().fetch(request, fail(error).env), method, path, { authorization })
      expect([answer.status, answer.headers.get('content-type')]).toEqual([500, type])
      if (type !== PROBLEM) expect(scimErrorFaults(answer)).toEqual([])
      expect(answer.text + logged.join()).not.toMatch(/alice|arzb_|Error: /)
    }
    expect(logged).toHaveLength(CALLS.length)
    expect(JSON.parse(logged[0] ?? '')).toMatchObject({ level: 'error', event: 'defect', error: expect.stringMatching(/Error$/), where: expect.stringMatching(/^GET \//) })
  })
})

describe('addresses that are nothing', () => {
  it.each(['/', '/scim', '/scim/v1/Users', '/admin', '/t/acme', '/__proto__', '/%zz', '/t/%zz/x', `/${'x'.repeat(5000)}`])('%s is 404', async (path) => {
    const answer = await call('GET', path)
    expect([answer.status, own(answer.body, 'status')]).toEqual([404, path.startsWith('/scim') ? '404' : 404])
  })
})

describe('the minute cron', () => {
  afterEach(() => {
    vi.restoreAllMocks()
  })

  it('wakes every tenant, also when one of them fails', async () => {
    for (const name of ['cron-a', 'cron-b', 'cron-c']) await openTenant(name)
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const watched = watchDirectories((call) => {
      if (call === 'cron-b.wake' || call === 'default.wake') throw new Error('broken')
    })
    await worker.scheduled(createScheduledController(), watched.env)
    expect(watched.calls).toEqual(expect.arrayContaining(['default.wake', 'cron-a.wake', 'cron-b.wake', 'cron-c.wake']))
    expect(new Set(watched.calls).size).toBe(watched.calls.length)
  })

  it('wakes the default tenant even if it cannot say who the others are', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const watched = watchDirectories((call) => {
      if (call === 'default.listTenants') throw new Error('broken')
    })
    await worker.scheduled(createScheduledController(), watched.env)
    expect([...watched.calls].toSorted()).toEqual(['default.duePolls', 'default.listTenants', 'default.wake'])
  })
})

it('the Worker answers by the application', async () => {
  const response = await worker.fetch(new Request(requestOf('GET', '/healthz')), watchDirectories().env, createExecutionContext())
  expect(await response.json()).toEqual({ status: 'ok' })
})
