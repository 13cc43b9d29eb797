import { env } from 'cloudflare:workers'
import { runInDurableObject } from 'cloudflare:test'
import { beforeAll, describe, expect, it } from 'vitest'
import { admin, call, openTenant, own, rowsOf, textAt, write, type Answer } from '../http/bridge'

/** Connections that exist: changed, paused, given new secrets, asked anew, and deleted. */

const TENANT = 'admin-lifecycle'
const PREFIX = `/t/${TENANT}`
const PATH = `${PREFIX}/admin/api/connections`
const GUID = 'f08e6aff-ca0f-4f11-81fa-1ffd43323373'

beforeAll(() => openTenant(TENANT))

let nth = 0
const create = async (body: Readonly<Record<string, unknown>>): Promise<{ readonly id: string; readonly name: string; readonly made: Answer }> => {
  const name = `Connection ${++nth}`
  const made = await admin('POST', PATH, { name, ...body })
  expect(made.status, made.text).toBe(201)
  return { id: textAt(made, 'id'), name, made }
}

const SCIM = { kind: 'scim' }
const HOOK = { kind: 'okta-event-hook' }
const OKTA = { kind: 'okta', settings: { orgUrl: 'https://org.okta.com' }, secrets: { apiToken: 'ssws-very-secret' } }
const GRAPH = { kind: 'graph', settings: { tenantId: GUID, clientId: GUID }, secrets: { clientSecret: 'entra-very-secret' } }
const LOGOUT = { kind: 'universal-logout', settings: { issuer: 'https://org.okta.com', subjects: ['0oa1'] } }

const rows = <T extends Record<string, unknown>>(query: string, ...values: readonly string[]): Promise<T[]> =>
  runInDurableObject(env.DIRECTORY.getByName(TENANT), (_directory, { storage }) => storage.sql.exec(query, ...values).toArray() as T[])

const kindsIn = async (id: string): Promise<readonly unknown[]> =>
  (await rows<{ kind: string }>(`SELECT kind FROM journal WHERE connection_id = ? AND kind LIKE 'connection.%' ORDER BY seq`, id)).map(({ kind }) => kind)

const list = (token: string): Promise<Answer> => call('GET', `${PREFIX}/scim/v2/Users`, { authorization: `Bearer ${token}` })

const EVENTS = { eventId: 'e', data: { events: [] } }
const deliver = (url: string, secret: string): Promise<Answer> => call('POST', new URL(url).pathname, { authorization: secret, body: EVENTS })

describe('PATCH', () => {
  it('changes the settings of a hook, and what is believed with them', async () => {
    const { id, made } = await create(HOOK)
    const secret = textAt(made, 'secret')
    expect((await deliver(textAt(made, 'url'), secret)).status).toBe(204)
    const changed = await admin('PATCH', `${PATH}/${id}`, { settings: { header: 'X-Hook-Secret' } })
    expect(changed.body).toMatchObject({ revision: 2, generation: 1, settings: { header: 'X-Hook-Secret' } })
    expect((await deliver(textAt(made, 'url'), secret)).status).toBe(401)
    expect((await call('POST', new URL(textAt(made, 'url')).pathname, { headers: { 'x-hook-secret': secret }, body: EVENTS })).status).toBe(204)
  })

  it('of the settings of a pull begins anew', async () => {
    const { id } = await create(OKTA)
    await write(TENANT, `UPDATE connections SET state = 'paused' WHERE id = ?`, id)
    await write(TENANT, `DELETE FROM refreshes WHERE connection_id = ?`, id)
    await write(TENANT, `INSERT OR REPLACE INTO pulls (connection_id, phase, cursor, delta, finished) VALUES (?, 'pulling', 'c', 'd', 7)`, id)
    expect((await admin('PATCH', `${PATH}/${id}`, { settings: { orgUrl: 'https://other.okta.com' } })).status).toBe(200)
    expect(await rows(`SELECT phase, cursor, delta, finished FROM pulls WHERE connection_id = ?`, id)).toEqual([{ phase: 'idle', cursor: null, delta: null, finished: 7 }])
    expect(await rows(`SELECT kind FROM refreshes WHERE connection_id = ?`, id)).toEqual([{ kind: 'everything' }])
  })

  it.each<[string, Readonly<Record<string, unknown>>, unknown, boolean]>([
    ['another org', OKTA, { orgUrl: 'https://other.okta.com' }, false], ['an app of the same org', OKTA, { orgUrl: 'https://org.okta.com', appId: '0oa1' }, true],
    ['another login host', GRAPH, { tenantId: GUID, clientId: GUID, loginUrl: 'https://login.example.com' }, false],
    ['another Graph host', GRAPH, { tenantId: GUID, clientId: GUID, graphUrl: 'https://graph.example.com' }, false],
  ])('to %s keeps credentials only for the host that they were given for', async (_what, body, settings, isKept) => {
    const { id } = await create(body)
    expect((await admin('PATCH', `${PATH}/${id}`, { settings })).status).toBe(200)
    expect(await rows(`SELECT secrets IS NOT NULL AS kept FROM connections WHERE id = ?`, id)).toEqual([{ kept: isKept ? 1 : 0 }])
  })

  it('makes a SCIM connection a client of the token endpoint, and ends that with its secrets', async () => {
    const { id } = await create(SCIM)
    expect((await admin('POST', `${PATH}/${id}/rotate`, { purpose: 'client' })).status).toBe(422)
    expect((await admin('PATCH', `${PATH}/${id}`, { oauth: {} })).body).toMatchObject({ clientId: id, generation: 2 })
    expect((await admin('POST', `${PATH}/${id}/rotate`, { purpose: 'client' })).body).toMatchObject({ clientSecret: expect.stringMatching(/^arzb_client_/) })
    const ended = await admin('PATCH', `${PATH}/${id}`, { oauth: null })
    expect([own(ended.body, 'clientId'), own(ended.body, 'tokens')]).toEqual([undefined, [expect.objectContaining({ purpose: 'bearer' })]])
  })

  it.each<[string, Readonly<Record<string, unknown>>, unknown, number, string | undefined]>([
    ['a hook with issuers', HOOK, { issuers: [] }, 400, 'issuers'], ['a hook with entitlements', HOOK, { entitlements: true }, 400, 'entitlements'],
    ['a hook with a wrong header', HOOK, { settings: { header: '' } }, 400, 'settings.header'], ['a SCIM client with settings', SCIM, { settings: {} }, 400, 'settings'],
    ['a pull with an address that is none', OKTA, { settings: { orgUrl: 'okta' } }, 400, 'settings.orgUrl'], ['a pull with secrets', OKTA, { secrets: {} }, 400, 'secrets'],
    ['a client id with spaces', SCIM, { oauth: { clientId: 'a b' } }, 400, 'oauth.clientId'], ['a body that reaches for the prototype', SCIM, '{"__proto__":{"name":"x"}}', 400, undefined],
  ])('%s is refused, and changes nothing', async (_what, body, change, status, path) => {
    const { id } = await create(body)
    const before = await rowsOf(TENANT)
    const answer = await admin('PATCH', `${PATH}/${id}`, change)
    expect([answer.status, own(answer.body, 'errors', 0, 'path')]).toEqual([status, path])
    expect(await rowsOf(TENANT)).toEqual(before)
  })
})

describe('a pause', () => {
  it('lets nobody in until it ends, and is journalled', async () => {
    const scim = await create(SCIM)
    const hook = await create(HOOK)
    const [token, secret] = [textAt(scim.made, 'token'), textAt(hook.made, 'secret')]
    expect([(await list(token)).status, (await deliver(textAt(hook.made, 'url'), secret)).status]).toEqual([200, 204])
    for (const { id } of [scim, hook]) expect((await admin('POST', `${PATH}/${id}/pause`)).body).toMatchObject({ state: 'paused', revision: 2, generation: 2 })
    expect([(await list(token)).status, (await deliver(textAt(hook.made, 'url'), secret)).status]).toEqual([401, 401])
    expect((await admin('POST', `${PATH}/${scim.id}/pause`)).status).toBe(409)
    for (const { id } of [scim, hook]) expect((await admin('POST', `${PATH}/${id}/resume`)).body).toMatchObject({ state: 'active', revision: 3, generation: 3 })
    expect([(await list(token)).status, (await deliver(textAt(hook.made, 'url'), secret)).status]).toEqual([200, 204])
    expect((await admin('POST', `${PATH}/${scim.id}/resume`)).status).toBe(409)
    expect(await kindsIn(scim.id)).toEqual(['connection.created', 'connection.paused', 'connection.resumed'])
  })

  it.each(['pause', 'resume', 'rotate', 'resync'])('%s of nobody is 404, and so is a preview', async (what) => {
    expect((await admin('POST', `${PATH}/nobody/${what}`)).status).toBe(404)
    expect((await admin('GET', `${PATH}/nobody/removal`)).status).toBe(404)
  })
})

describe('a rotation', () => {
  it('shows a new secret once, and ends the old one after its grace', async () => {
    const { id, made } = await create(SCIM)
    const before = textAt(made, 'token')
    const rotated = await admin('POST', `${PATH}/${id}/rotate`, { graceHours: 1 })
    const after = textAt(rotated, 'token')
    expect(own(rotated.body, 'generation')).toBe(2)
    expect([(await list(before)).status, (await list(after)).status]).toEqual([200, 200])
    const tokens = own(rotated.body, 'tokens') as { id: string; expiresAt: string | null }[]
    const [old] = tokens.filter((token) => token.id !== textAt(rotated, 'tokenId'))
    expect(tokens.find((token) => token.id !== old?.id)).toMatchObject({ expiresAt: null })
    expect(Math.abs(Date.parse(old?.expiresAt ?? '') - Date.now() - 3_600_000)).toBeLessThan(60_000)
    // A third one beside two that live needs one of them to end.
    expect((await admin('POST', `${PATH}/${id}/rotate`)).status).toBe(409)
    const last = textAt(await admin('POST', `${PATH}/${id}/rotate`, { graceHours: 0 }), 'token')
    expect([(await list(before)).status, (await list(after)).status, (await list(last)).status]).toEqual([401, 401, 200])
    expect(JSON.stringify(await rowsOf(TENANT))).not.toContain(last)
  })

  it('of Event Grid shows the new address, of a hook the new secret', async () => {
    const grid = await create({ kind: 'event-grid', settings: { tenantId: GUID } })
    const rotated = await admin('POST', `${PATH}/${grid.id}/rotate`)
    expect(new URL(textAt(rotated, 'url')).searchParams.get('secret')).toBe(textAt(rotated, 'secret'))
    const hook = await create(HOOK)
    const secret = textAt(await admin('POST', `${PATH}/${hook.id}/rotate`, { graceHours: 0 }), 'secret')
    expect([(await deliver(textAt(hook.made, 'url'), textAt(hook.made, 'secret'))).status, (await deliver(textAt(hook.made, 'url'), secret)).status]).toEqual([401, 204])
  })

  it('of a pull seals other credentials, and of Graph renews what its notifications bring', async () => {
    const { id } = await create(GRAPH)
    await write(TENANT, `UPDATE connections SET state = 'paused' WHERE id = ?`, id)
    await write(TENANT, `INSERT OR REPLACE INTO pulls (connection_id, phase, subscriptions) VALUES (?, 'idle', ?)`, id, JSON.stringify([{ id: 's1', resource: 'users', expiresAt: 9e12 }]))
    const sealed = (): Promise<unknown> => rows(`SELECT secrets FROM connections WHERE id = ?`, id)
    const [before, tokens] = [await sealed(), await rows<{ hash: string }>(`SELECT hash FROM tokens WHERE connection_id = ?`, id)]
    const rotated = await admin('POST', `${PATH}/${id}/rotate`, { secrets: { clientSecret: 'another-very-secret' } })
    expect([rotated.status, rotated.text.includes('very-secret'), rotated.text.includes('arzb_')]).toEqual([200, false, false])
    expect(rotated.body).toMatchObject({ generation: 2, revision: 2, subscriptions: [] })
    expect(await sealed()).not.toEqual(before)
    const now = await rows<{ hash: string; expires: number | null }>(`SELECT hash, expires FROM tokens WHERE connection_id = ? ORDER BY expires IS NULL`, id)
    expect(now).toEqual([{ hash: tokens[0]?.hash, expires: expect.any(Number) }, { hash: expect.not.stringMatching(tokens[0]?.hash ?? ''), expires: null }])
    expect(await rows(`SELECT kind FROM refreshes WHERE connection_id = ? ORDER BY kind`, id)).toEqual([{ kind: 'everything' }, { kind: 'subscriptions' }])
  })

  it.each<[string, Readonly<Record<string, unknown>>, unknown, number, string | undefined]>([
    ['a week and an hour', SCIM, { graceHours: 169 }, 400, 'graceHours'], ['a negative grace', SCIM, { graceHours: -1 }, 400, 'graceHours'], ['another purpose', SCIM, { purpose: 'admin' }, 400, 'purpose'],
    ['a secret of its own', SCIM, { secret: 'mine' }, 400, 'secret'], ['secrets for a client that asks nobody', SCIM, { secrets: { apiToken: 'x' } }, 400, 'secrets'],
    ['no secrets for a pull', OKTA, {}, 400, 'secrets.apiToken'], ['wrong secrets for a pull', OKTA, { secrets: { apiToken: 'two words' } }, 400, 'secrets.apiToken'],
    ['a sender that signs', LOGOUT, {}, 422, undefined], ['a client that is none', SCIM, { purpose: 'client' }, 422, undefined],
  ])('with %s is refused, and changes nothing', async (_what, body, asked, status, path) => {
    const { id } = await create(body)
    await write(TENANT, `UPDATE connections SET state = 'paused' WHERE id = ?`, id)
    const before = await rowsOf(TENANT)
    const answer = await admin('POST', `${PATH}/${id}/rotate`, asked)
    expect([answer.status, own(answer.body, 'errors', 0, 'path')]).toEqual([status, path])
    expect(await rowsOf(TENANT)).toEqual(before)
  })
})

describe('a token', () => {
  it('has a purpose', async () => {
    const { id } = await create({ kind: 'scim', oauth: {} })
    const made = await admin('POST', `${PATH}/${id}/tokens`, { purpose: 'client' })
    expect([made.status, made.body]).toEqual([201, expect.objectContaining({ purpose: 'client', token: expect.stringMatching(/^arzb_client_[A-Za-z0-9_-]{43}$/) })])
    expect((await list(textAt(made, 'token'))).status).toBe(401)
    expect((await admin('POST', `${PATH}/${id}/tokens`, { purpose: 'client' })).status).toBe(409)
    expect((await admin('POST', `${PATH}/${(await create(LOGOUT)).id}/tokens`, {})).status).toBe(422)
  })
})

describe('a resync', () => {
  it('asks for everything, and is accepted in advance if the administrator says so', async () => {
    const { id } = await create(OKTA)
    expect((await admin('POST', `${PATH}/${(await create(HOOK)).id}/resync`)).status).toBe(422)
    expect((await admin('POST', `${PATH}/${id}/resync`, { accept: 'yes' })).status).toBe(400)
    expect((await admin('POST', `${PATH}/${id}/resync`, { accept: true })).status).toBe(202)
    expect(await rows(`SELECT data FROM journal WHERE connection_id = ? AND kind = 'connection.resync'`, id)).toEqual([{ data: '{"accepted":true}' }])
    await admin('POST', `${PATH}/${id}/pause`)
    expect((await admin('POST', `${PATH}/${id}/resync`)).status).toBe(409)
  })
})

describe('DELETE', () => {
  it('wants the name, closes the connection at once, and leaves nothing of it', async () => {
    const { id, name, made } = await create(SCIM)
    const token = textAt(made, 'token')
    expect((await call('POST', `${PREFIX}/scim/v2/Users`, { authorization: `Bearer ${token}`, body: { userName: 'ada@example.com' } })).status).toBe(201)
    const before = await rowsOf(TENANT)
    for (const body of [undefined, {}, { confirm: 1 }]) expect((await admin('DELETE', `${PATH}/${id}`, body)).status).toBe(400)
    expect((await admin('DELETE', `${PATH}/${id}`, { confirm: name.toLowerCase() })).status).toBe(422)
    expect(await rowsOf(TENANT)).toEqual(before)
    const preview = await admin('GET', `${PATH}/${id}/removal`)
    expect([preview.status, preview.body]).toEqual([200, {
      users: 1, groups: 0, people: 0, isEstimate: false, losses: [], brake: { holds: false, sentence: null }, mappings: [],
    }])
    expect(await rowsOf(TENANT)).toEqual(before)

    const deleted = await admin('DELETE', `${PATH}/${id}`, { confirm: name })
    expect([deleted.status, own(deleted.body, 'state')]).toEqual([202, 'removing'])
    expect((await list(token)).status).toBe(401)
    await admin('POST', `${PREFIX}/admin/api/settle`)
    expect((await admin('GET', `${PATH}/${id}`)).status).toBe(404)
    expect(await rows(`SELECT id FROM users WHERE connection_id = ?`, id)).toEqual([])
    expect((await kindsIn(id)).slice(-2)).toEqual(['connection.removing', 'connection.deleted'])
    expect((await admin('POST', PATH, { kind: 'scim', name })).status).toBe(201)
  })
})
