import { env } from 'cloudflare:workers'
import { runInDurableObject } from 'cloudflare:test'
import { beforeAll, describe, expect, it } from 'vitest'
import { hashToken } from '../../src/auth/bearer'
import { openSecrets } from '../../src/directory/secrets'
import { readConfig } from '../../src/config'
import { createSql } from '../../src/directory/sql'
import { admin, call, openTenant, ORIGIN, own, rowsOf, textAt, write, type Answer } from '../http/bridge'

/** Connections of every kind: what is made with each, what it shows once, and what is wrong input. */

const TENANT = 'admin-kinds'
const PREFIX = `/t/${TENANT}`
const PATH = `${PREFIX}/admin/api/connections`
const GUID = 'f08e6aff-ca0f-4f11-81fa-1ffd43323373'

beforeAll(() => openTenant(TENANT))

let nth = 0
const create = (body: Readonly<Record<string, unknown>>): Promise<Answer> => admin('POST', PATH, { name: `Connection ${++nth}`, ...body })

const HOOK = { kind: 'okta-event-hook' }
const LOGOUT = { kind: 'universal-logout', settings: { issuer: 'https://org.okta.com', subjects: ['0oa1'] } }
const STREAM = { kind: 'security-events', settings: { issuer: 'https://idp.example.com', audience: 'https://bridge.example.com' } }
const POLL = { kind: 'security-events', settings: { ...STREAM.settings, delivery: 'poll', pollUrl: 'https://idp.example.com/poll' } }
const GRID = { kind: 'event-grid', settings: { tenantId: GUID } }
const OKTA = { kind: 'okta', settings: { orgUrl: 'https://org.okta.com' }, secrets: { apiToken: 'ssws-very-secret' } }
const GRAPH = { kind: 'graph', settings: { tenantId: GUID, clientId: GUID }, secrets: { clientSecret: 'entra-very-secret' } }

const secretsOf = (id: string): Promise<unknown> =>
  runInDurableObject(env.DIRECTORY.getByName(TENANT), async (_directory, { storage }) => {
    const opened = await openSecrets({ store: { sql: createSql(storage.sql) }, settings: readConfig(env), name: TENANT }, id)
    return opened.ok ? opened.value : opened.error
  })

const questionsOf = (id: string): Promise<unknown> =>
  runInDurableObject(env.DIRECTORY.getByName(TENANT), (_directory, { storage }) =>
    storage.sql.exec(`SELECT kind, name FROM refreshes WHERE connection_id = ? ORDER BY kind`, id).toArray())

/** Nobody is asked while a test looks at what would be. */
const hush = (id: string): Promise<void> => write(TENANT, `UPDATE connections SET state = 'paused' WHERE id = ?`, id)

describe('a new connection', () => {
  it.each<[string, Readonly<Record<string, unknown>>, string, boolean]>([
    ['an event hook', HOOK, 'okta', true], ['a stream that pushes', STREAM, 'events', true], ['Event Grid', GRID, 'eventgrid', true], ['Universal Logout', LOGOUT, 'logout', false],
  ])('of %s has an address to paste, and a secret shown once where it has one', async (_what, body, path, hasSecret) => {
    const made = await create(body)
    expect(made.status, made.text).toBe(201)
    const id = textAt(made, 'id')
    const url = `${ORIGIN}${PREFIX}/webhooks/${path}/${id}`
    expect(textAt(made, 'url').split('?')[0]).toBe(url)
    expect(own(made.body, 'secret')).toEqual(hasSecret ? expect.stringMatching(/^arzb_hook_[A-Za-z0-9_-]{43}$/) : undefined)
    const seen = await admin('GET', `${PATH}/${id}`)
    expect([seen.status, own(seen.body, 'url'), own(seen.body, 'secret'), own(seen.body, 'scimBaseUrl')]).toEqual([200, url, undefined, undefined])
    if (hasSecret) expect(seen.text + JSON.stringify(await rowsOf(TENANT))).not.toContain(textAt(made, 'secret'))
  })

  it('of Event Grid without signed deliveries has its secret in the address', async () => {
    const made = await create(GRID)
    expect(new URL(textAt(made, 'url')).searchParams.get('secret')).toBe(textAt(made, 'secret'))
    const token = { issuer: `https://sts.windows.net/${GUID}/`, audience: 'api://grid', jwksUri: `https://login.microsoftonline.com/${GUID}/discovery/keys` }
    expect(new URL(textAt(await create({ ...GRID, settings: { tenantId: GUID, token } }), 'url')).search).toBe('')
  })

  it('of a stream that is polled has no address, and its credential is sealed', async () => {
    const made = await create({ ...POLL, secrets: { authorization: 'Bearer poll-very-secret' } })
    expect([made.status, own(made.body, 'url')]).toEqual([201, undefined])
    expect(await secretsOf(textAt(made, 'id'))).toEqual({ authorization: 'Bearer poll-very-secret' })
    expect(made.text + JSON.stringify(await rowsOf(TENANT))).not.toContain('poll-very-secret')
  })

  it('that pulls keeps its credentials sealed, shows none, and asks for everything', async () => {
    const okta = await create(OKTA)
    const id = textAt(okta, 'id')
    await hush(id)
    expect([okta.status, okta.text.includes('very-secret'), await secretsOf(id)]).toEqual([201, false, { apiToken: 'ssws-very-secret' }])
    expect(await questionsOf(id)).toEqual([{ kind: 'everything', name: null }])
    expect(okta.body).toMatchObject({ pull: { phase: 'idle', finishedAt: null }, tokens: [], settings: { orgUrl: 'https://org.okta.com' } })
  })

  it('of Graph is told where its notifications come to, and with which secret', async () => {
    const made = await create(GRAPH)
    const id = textAt(made, 'id')
    await hush(id)
    const sealed = await secretsOf(id)
    const clientState = String(own(sealed, 'clientState'))
    expect([sealed, clientState]).toEqual([{ clientSecret: 'entra-very-secret', clientState }, expect.stringMatching(/^arzb_hook_/)])
    const [row] = await runInDurableObject(env.DIRECTORY.getByName(TENANT), (_directory, { storage }) =>
      storage.sql.exec(`SELECT t.hash, t.purpose, json_extract(c.config, '$.notificationUrl') AS url FROM tokens t JOIN connections c ON c.id = t.connection_id WHERE c.id = ?`, id).toArray())
    expect(row).toEqual({ hash: await hashToken(clientState), purpose: 'bearer', url: `${ORIGIN}${PREFIX}/webhooks/graph/${id}` })
    expect(made.text).not.toMatch(/very-secret|arzb_/)
    expect(await questionsOf(id)).toEqual([{ kind: 'everything', name: null }, { kind: 'subscriptions', name: null }])
  })

  it('joins a source by its name, and means the same people as its first connection', async () => {
    await create({ kind: 'scim', source: 'shared', address: 'userName' })
    const hook = await create({ ...HOOK, source: 'shared' })
    expect(hook.body).toMatchObject({ source: 'shared', address: 'userName' })
    expect((await create(HOOK)).body).toMatchObject({ source: expect.stringMatching(/^connection-\d+-[0-9a-f]{8}$/), address: 'email' })
  })

  it('that is a client of the token endpoint has everything to paste', async () => {
    const made = await create({ kind: 'scim', oauth: {} })
    expect(made.body).toMatchObject({
      clientId: textAt(made, 'id'), tokenEndpoint: `${ORIGIN}${PREFIX}/oauth/token`, clientSecret: expect.stringMatching(/^arzb_client_[A-Za-z0-9_-]{43}$/),
      token: expect.stringMatching(/^arzb_scim_/), oauth: { federation: [], keys: null },
    })
    expect(own(made.body, 'tokens')).toMatchObject([{ purpose: 'bearer' }, { purpose: 'client' }])
    expect((await admin('GET', `${PATH}/${textAt(made, 'id')}`)).text).not.toMatch(/arzb_/)
  })

  const WIF = { issuer: 'https://wif.example.com', audience: 'a', jwksUri: 'https://wif.example.com/keys', caller: { claim: 'sub', values: ['w'] } }

  it('shares neither its client nor a caller with another one, wherever each is named', async () => {
    expect((await create({ kind: 'scim', oauth: { clientId: 'taken', federation: [WIF] }, issuers: [WIF] })).status).toBe(201)
    const before = await rowsOf(TENANT)
    const answers = [
      await create({ kind: 'scim', oauth: { clientId: 'taken' } }), await create({ kind: 'scim', oauth: { federation: [WIF] } }), await create({ kind: 'scim', issuers: [WIF] }),
    ]
    expect(answers.map(({ status }) => status)).toEqual([409, 409, 409])
    expect(await rowsOf(TENANT)).toEqual(before)
  })

  it.each<[Readonly<Record<string, unknown>>, string]>([
    [{ ...HOOK, settings: { header: 'Content-Type' } }, 'settings.header'], [{ ...HOOK, settings: { header: 'x y' } }, 'settings.header'], [{ ...HOOK, settings: [] }, 'settings'],
    [{ ...HOOK, settings: { any: 1 } }, 'settings.any'], [{ ...HOOK, issuers: [] }, 'issuers'], [{ ...HOOK, secret: 'mine' }, 'secret'], [{ ...HOOK, secrets: {} }, 'secrets'],
    [{ kind: 'universal-logout' }, 'settings.issuer'], [{ ...LOGOUT, settings: { ...LOGOUT.settings, subjects: [] } }, 'settings.subjects'],
    [{ ...STREAM, settings: { ...STREAM.settings, pollUrl: 'https://x.example.com' } }, 'settings.pollUrl'], [{ ...STREAM, settings: { ...STREAM.settings, issuer: 'https://{tenant}' } }, 'settings.issuer'],
    [{ ...POLL, secrets: { authorization: 'a\nb' } }, 'secrets.authorization'], [{ kind: 'event-grid', settings: { tenantId: 'common' } }, 'settings.tenantId'],
    [{ kind: 'okta', settings: { orgUrl: 'https://org.okta.com/admin' }, secrets: OKTA.secrets }, 'settings.orgUrl'], [{ kind: 'okta', settings: OKTA.settings }, 'secrets.apiToken'],
    [{ kind: 'okta', settings: OKTA.settings, secrets: { apiToken: 'two words' } }, 'secrets.apiToken'], [{ ...GRAPH, settings: { tenantId: GUID } }, 'settings.clientId'],
    [{ ...GRAPH, secrets: { clientSecret: '' } }, 'secrets.clientSecret'], [{ ...GRAPH, notificationUrl: 'https://evil.example.com' }, 'notificationUrl'],
    [{ kind: 'scim', settings: {} }, 'settings'], [{ kind: 'scim', secrets: {} }, 'secrets'], [{ kind: 'scim', oauth: { clientId: 'a:b' } }, 'oauth.clientId'],
    [{ kind: 'scim', oauth: { clientSecret: 'mine' } }, 'oauth.clientSecret'], [{ kind: 'scim', oauth: { federation: [{ ...WIF, caller: undefined }] } }, 'oauth.federation[0].caller'],
    [{ kind: 'scim', oauth: { federation: [{ ...WIF, audience: '8adf8e6e-67b2-4cf2-a259-e3dc5476c621' }] } }, 'oauth.federation[0].tid'],
    [{ kind: 'scim', oauth: { keys: { jwks: { keys: [{ kty: 'EC', d: 'x' }] } } } }, 'oauth.keys.jwks.keys[0]'], [{ kind: 'scim', oauth: true }, 'oauth'],
    [{ kind: '__proto__' }, 'kind'], [{ kind: ['scim'] }, 'kind'],
  ])('%j is 400 about %s', async (body, path) => {
    const before = await rowsOf(TENANT)
    const answer = await create(body)
    expect([answer.status, own(answer.body, 'errors', 0, 'path')]).toEqual([400, path])
    expect(String(own(answer.body, 'errors', 0, 'sentence'))).toMatch(/^\S.*\.$/)
    expect(answer.text).not.toContain('very-secret')
    expect(await rowsOf(TENANT)).toEqual(before)
  })
})

describe('GET connections/{id}', () => {
  it('says how the connection is doing', async () => {
    const id = textAt(await create(GRAPH), 'id')
    await hush(id)
    await write(TENANT, `UPDATE refreshes SET due = ? WHERE connection_id = ? AND kind = 'everything'`, Date.now() - 60_000, id)
    await write(TENANT, `UPDATE refreshes SET due = ? WHERE connection_id = ? AND kind = 'subscriptions'`, Date.UTC(2027, 0, 1), id)
    await write(
      TENANT, `INSERT INTO pulls (connection_id, phase, started, finished, subscriptions) VALUES (?, 'pulling', ?, ?, ?) ON CONFLICT (connection_id) DO UPDATE
        SET phase = excluded.phase, started = excluded.started, finished = excluded.finished, subscriptions = excluded.subscriptions`,
      id, Date.UTC(2026, 0, 2), Date.UTC(2026, 0, 1), JSON.stringify([{ id: 's', resource: 'users', expiresAt: Date.UTC(2027, 0, 4) }]))
    await write(TENANT, `UPDATE connections SET last_error = 'It is away.', last_event = ? WHERE id = ?`, Date.UTC(2026, 0, 3), id)
    const { body } = await admin('GET', `${PATH}/${id}`)
    expect(body).toMatchObject({
      state: 'paused', lastError: 'It is away.', lastEventAt: '2026-01-03T00:00:00.000Z', openQuestions: 1, users: 0, groups: 0,
      pull: { phase: 'pulling', startedAt: '2026-01-02T00:00:00.000Z', finishedAt: '2026-01-01T00:00:00.000Z' },
      subscriptions: [{ resource: 'users', expiresAt: '2027-01-04T00:00:00.000Z' }], nextRenewalAt: '2027-01-01T00:00:00.000Z', nextPollAt: null,
    })
    expect(Number(own(body, 'lagMs'))).toBeGreaterThanOrEqual(60_000)
  })

  it('knows nobody of another tenant, and is for administrators', async () => {
    const id = textAt(await create(HOOK), 'id')
    expect((await admin('GET', `/admin/api/connections/${id}`)).status).toBe(404)
    expect((await call('GET', `${PATH}/${id}`)).status).toBe(401)
  })
})
