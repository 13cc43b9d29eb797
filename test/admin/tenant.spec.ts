import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { createApp } from '../../src/app'
import type { Env } from '../../src/config'
import { ADMIN, admin, call, callWith, connect, own, rowsOf, textAt, type Answer } from '../http/bridge'
import { watchDirectories } from '../http/watchedEnv'

const ARIZE = { arizeBaseUrl: 'http://127.0.0.1:8788', arizeApiKey: 'dev-arize-key-tenants' }

const put = (tenant: string, body: unknown = ARIZE): Promise<Answer> => admin('PUT', `/t/${tenant}/admin/api/tenant`, body)

const tenantsInBook = (): Promise<readonly string[]> => env.DIRECTORY.getByName('default').listTenants()

const putIn = (bindings: Partial<Env>, tenant: string, body: unknown, message: { authorization?: string; origin?: string } = {}): Promise<Answer> =>
  callWith((request) => createApp().fetch(request, watchDirectories(undefined, bindings).env), 'PUT', `/t/${tenant}/admin/api/tenant`, { authorization: ADMIN, body, ...message })

describe('PUT tenant', () => {
  it('makes a tenant that has its own people, policy, connections and Arize', async () => {
    expect((await admin('GET', '/t/acme/admin/api/health')).status).toBe(404)
    const made = await put('acme', { ...ARIZE, ownUser: ' Bridge@Example.com ' })
    expect([made.status, made.body]).toEqual([201, { tenant: 'acme', scimBaseUrl: 'http://127.0.0.1/t/acme/scim/v2', adminApiUrl: 'http://127.0.0.1/t/acme/admin/api' }])
    const health = await admin('GET', '/t/acme/admin/api/health')
    expect([health.status, own(health.body, 'problems'), own(health.body, 'arize', 'ownUser')]).toEqual([200, [], true])

    const theirs = await connect('/t/acme', 'Okta')
    const ours = await connect('', 'Okta of the default tenant')
    const user = { userName: 'zoe@example.com' }
    const created = await call('POST', '/t/acme/scim/v2/Users', { authorization: theirs.authorization, body: user })
    expect([created.status, created.headers.get('location')]).toEqual([201, `http://127.0.0.1/t/acme/scim/v2/Users/${textAt(created, 'id')}`])
    expect((await call('GET', '/t/acme/scim/v2/Users', { authorization: ours.authorization })).status).toBe(401)
    expect((await call('GET', '/scim/v2/Users', { authorization: theirs.authorization })).status).toBe(401)
    expect((await call('GET', '/t/acme/scim/v2/Users', { authorization: 'Bearer dev-scim-token' })).status).toBe(401)
    expect((await admin('GET', '/admin/api/people/zoe@example.com')).status).toBe(404)
    expect((await admin('GET', '/t/acme/admin/api/people/zoe@example.com')).status).toBe(200)
    expect((await admin('POST', '/t/acme/admin/api/settle')).body).toEqual({ due: 0, held: 0, stuck: 0 })
  })

  it('keeps the key sealed', async () => {
    await put('sealed', { ...ARIZE, arizeApiKey: 'dev-arize-key-do-not-tell' })
    expect(JSON.stringify([await rowsOf('default'), await rowsOf('sealed')])).not.toContain('do-not-tell')
  })

  it('again changes it: 200', async () => {
    const body = { ...ARIZE, arizeApiKey: 'dev-arize-key-moving' }
    expect((await put('moving', body)).status).toBe(201)
    expect((await put('moving', body)).status).toBe(200)
    expect((await put('moving', { ...body, arizeApiKey: 'dev-arize-key-moved' })).status).toBe(200)
    // The account that it left is free again.
    expect((await put('follower', body)).status).toBe(201)
  })

  it.each<[string, Readonly<Record<string, unknown>>]>([
    ["the default tenant's", { arizeApiKey: 'dev-arize-key' }], ["the default tenant's, written otherwise", { arizeBaseUrl: 'http://127.0.0.1:8788//', arizeApiKey: ' dev-arize-key ' }],
    ["another tenant's", { arizeApiKey: 'dev-arize-key-taken' }],
  ])('on an Arize account that is %s is refused', async (_name, arize) => {
    await put('first', { ...ARIZE, arizeApiKey: 'dev-arize-key-taken' })
    const answer = await put('second', { ...ARIZE, ...arize })
    expect([answer.status, own(answer.body, 'detail')]).toEqual([409, expect.stringContaining('this Arize account already')])
    expect((await admin('GET', '/t/second/admin/api/health')).status).toBe(404)
  })

  it.each<[unknown, string]>([
    [{}, 'arizeBaseUrl'], [{ arizeBaseUrl: 'https://api.arize.com' }, 'arizeApiKey'], [{ ...ARIZE, arizeBaseUrl: 'api.arize.com' }, 'arizeBaseUrl'],
    [{ ...ARIZE, arizeBaseUrl: 'http://api.arize.com' }, 'arizeBaseUrl'], [{ ...ARIZE, arizeBaseUrl: 'https://api.arize.com/v2' }, 'arizeBaseUrl'],
    [{ ...ARIZE, arizeBaseUrl: 'https://u:p@api.arize.com' }, 'arizeBaseUrl'], [{ ...ARIZE, arizeApiKey: 'two words' }, 'arizeApiKey'], [{ ...ARIZE, arizeApiKey: '' }, 'arizeApiKey'],
    [{ ...ARIZE, ownUser: '' }, 'ownUser'], [{ ...ARIZE, name: 'x' }, 'name'], [[], ''],
  ])('%j is 400 about %s', async (body, path) => {
    const answer = await put('wrong', body)
    expect([answer.status, own(answer.body, 'errors', 0, 'path')]).toEqual([400, path])
    expect((await admin('GET', '/t/wrong/admin/api/health')).status).toBe(404)
  })

  it.each([['A', 400], ['a_b', 400], ['x'.repeat(64), 400], ['%20', 400], ['%zz', 400], ['default', 404]])('%s is no name: %i', async (name, status) => {
    const before = await tenantsInBook()
    expect((await put(name)).status).toBe(status)
    expect(await tenantsInBook()).toEqual(before)
  })

  it('of the default tenant is its deployment', async () => {
    expect((await admin('PUT', '/admin/api/tenant', ARIZE)).status).toBe(404)
  })

  it.each<[string, Partial<Env>]>([['missing', { MASTER_KEY: '' }], ['too short', { MASTER_KEY: 'c2hvcnQ=' }]])('without a MASTER_KEY (%s) enters nobody', async (_name, bindings) => {
    const answer = await putIn(bindings, 'unsealed', { ...ARIZE, arizeApiKey: 'dev-arize-key-unsealed' })
    expect([answer.status, own(answer.body, 'detail')]).toEqual([503, expect.stringContaining('MASTER_KEY')])
    expect((await admin('GET', '/t/unsealed/admin/api/health')).status).toBe(404)
  })

  it('takes no development key where there is no development', async () => {
    const production = { ADMIN_TOKEN: 'real', SCIM_TOKEN: '', ARIZE_API_KEY: 'real-key', DEVELOPMENT: 'false' }
    const answer = await putIn(production, 'deployed', { arizeBaseUrl: 'https://api.arize.com', arizeApiKey: 'dev-arize-key-2' }, { authorization: 'Bearer real', origin: 'https://bridge.example.com' })
    expect([answer.status, own(answer.body, 'errors', 0, 'path')]).toEqual([400, 'arizeApiKey'])
  })

  it('is known at once to the isolate that had never heard of it', async () => {
    const app = createApp()
    const { env } = watchDirectories()
    const ask = (method: string, path: string, authorization: string, body?: unknown) =>
      callWith((request) => app.fetch(request, env), method, path, { authorization, body })
    expect((await ask('GET', '/t/late/scim/v2/Users', 'Bearer x')).status).toBe(401)
    expect((await ask('PUT', '/t/late/admin/api/tenant', ADMIN, { ...ARIZE, arizeApiKey: 'dev-arize-key-late' })).status).toBe(201)
    const made = await ask('POST', '/t/late/admin/api/connections', ADMIN, { kind: 'scim', name: 'Late' })
    expect((await ask('GET', '/t/late/scim/v2/Users', `Bearer ${textAt(made, 'token')}`)).status).toBe(200)
  })
})
