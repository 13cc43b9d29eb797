import { env } from 'cloudflare:workers'
import { base64url } from 'jose'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { createApp } from '../../src/app'
import { Directory } from '../../src/directory/directory'
import { createTestIssuer, segment } from '../auth/issuer'
import { admin, call, callWith, openTenant, ORIGIN, own, rowsOf, textAt, write, type Answer } from './bridge'
import { INVALID_CLIENT, oauthWorld, outcome, type Client } from './oauthWorld'

/** The token endpoint and what its tokens open: clients with a secret. */

const TENANT = 'oauth'

const { prefix, connections, ask, bySecret, makeClient, users } = oauthWorld(TENANT)

beforeAll(() => openTenant(`${TENANT}-other`))

describe('a token', () => {
  it('lives an hour, is never cached, opens the SCIM endpoint of its connection, and nothing else', async () => {
    const client = await makeClient()
    const answer = await bySecret(client)
    expect(answer.body).toEqual({ access_token: expect.any(String), token_type: 'Bearer', expires_in: 3600 })
    expect([answer.headers.get('cache-control'), answer.headers.get('pragma'), answer.headers.get('content-type')]).toEqual(['no-store', 'no-cache', 'application/json'])
    const token = textAt(answer, 'access_token')
    expect((await users(token)).status).toBe(200)
    expect((await users(token, `/t/${TENANT}-other`)).status).toBe(401)
    expect((await users(token, '')).status).toBe(401)
    expect((await call('GET', connections, { authorization: `Bearer ${token}` })).status).toBe(401)
    expect((await users(client.secret)).status).toBe(401)
    expect(JSON.stringify(await rowsOf(TENANT))).not.toContain(client.secret)
  })

  it('is signed with a published key, and holds no more than it needs', async () => {
    const token = textAt(await bySecret(await makeClient()), 'access_token')
    const published = await call('GET', `${prefix}/oauth/jwks`)
    expect([published.status, published.headers.get('content-type')]).toEqual([200, 'application/jwk-set+json'])
    const [header = '', claims = ''] = token.split('.').map((part) => new TextDecoder().decode(base64url.decode(part)))
    expect(own(published.body, 'keys')).toEqual([{ kty: 'EC', crv: 'P-256', x: expect.any(String), y: expect.any(String), kid: own(JSON.parse(header), 'kid'), alg: 'ES256', use: 'sig' }])
    expect(JSON.parse(header)).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: expect.any(String) })
    expect(JSON.parse(claims)).toMatchObject({ iss: `${ORIGIN}${prefix}/oauth`, aud: `${ORIGIN}${prefix}/scim/v2`, exp: Number(own(JSON.parse(claims), 'iat')) + 3600 })
    expect((await call('GET', '/t/nobody/oauth/jwks')).status).toBe(404)
  })

  it('goes on when its key is replaced, and the next one has the new key', async () => {
    const client = await makeClient()
    const before = textAt(await bySecret(client), 'access_token')
    const old = Date.now() - 90 * 24 * 3_600_000 - 60_000
    await write(TENANT, `UPDATE meta SET value = json_set(value, '$[#-1].madeAt', ?) WHERE key = 'signing'`, old)
    const after = textAt(await bySecret(client), 'access_token')
    expect([(await users(before)).status, (await users(after)).status]).toEqual([200, 200])
    expect(after.split('.')[0]).not.toBe(before.split('.')[0])
  })

  it.each<[string, (client: Client) => Promise<Answer>]>([
    ['a rotation', ({ id }) => admin('POST', `${connections}/${id}/rotate`, { purpose: 'client' })],
    ['a rotation of the other secret', ({ id }) => admin('POST', `${connections}/${id}/rotate`)],
    ['a pause', ({ id }) => admin('POST', `${connections}/${id}/pause`)],
    ['a change of the client', ({ id }) => admin('PATCH', `${connections}/${id}`, { oauth: null })],
    ['a deletion', ({ id, name }) => admin('DELETE', `${connections}/${id}`, { confirm: name })],
  ])('dies with %s', async (_what, end) => {
    const client = await makeClient()
    const token = textAt(await bySecret(client), 'access_token')
    expect((await users(token)).status).toBe(200)
    expect((await end(client)).status).toBeLessThan(300)
    expect((await users(token)).status).toBe(401)
  })

  it('does not come back with a pause that ends, and a new one does', async () => {
    const client = await makeClient()
    const token = textAt(await bySecret(client), 'access_token')
    await admin('POST', `${connections}/${client.id}/pause`)
    expect(outcome(await bySecret(client))).toEqual(INVALID_CLIENT)
    await admin('POST', `${connections}/${client.id}/resume`)
    expect((await users(token)).status).toBe(401)
    expect((await users(textAt(await bySecret(client), 'access_token'))).status).toBe(200)
  })

  it('is refused when it is tampered with, or signed by somebody else with our kid', async () => {
    const token = textAt(await bySecret(await makeClient()), 'access_token')
    const [header = '', claims = '', signature = ''] = token.split('.')
    const stranger = await createTestIssuer({ algorithm: 'ES256' })
    const { kid } = JSON.parse(new TextDecoder().decode(base64url.decode(header))) as { kid: string }
    const payload = new TextDecoder().decode(base64url.decode(claims))
    for (const forged of [
      `${header}.${segment(payload.replace('"gen":1', '"gen":2'))}.${signature}`, `${segment({ alg: 'none', typ: 'at+jwt' })}.${claims}.`,
      await stranger.signText(payload, { kid, typ: 'at+jwt' }),
    ]) expect((await users(forged)).status).toBe(401)
  })

  it('needs MASTER_KEY, and the answer says so', async () => {
    const client = await makeClient()
    const unready = { variable: 'MASTER_KEY', sentence: 'MASTER_KEY is not set.' }
    vi.spyOn(Directory.prototype, 'issueToken').mockResolvedValueOnce({ ok: false, error: { kind: 'unready', unready } })
    const answer = await bySecret(client)
    expect([answer.status, answer.body]).toEqual([503, { error: 'temporarily_unavailable', error_description: 'MASTER_KEY is not set.' }])
    expect([answer.headers.get('retry-after'), answer.headers.get('cache-control')]).toEqual(['60', 'no-store'])
  })

  it('opens its connection at once in an isolate that has just heard of the client', async () => {
    const client = await makeClient()
    await write(TENANT, `DELETE FROM meta WHERE key = 'signing'`)
    const app = createApp()
    const send = (method: string, path: string, message: object) => callWith((request) => app.fetch(request, env), method, path, message)
    expect((await send('POST', `${prefix}/oauth/token`, { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'grant_type=client_credentials&client_id=nobody&client_secret=x' })).status).toBe(401)
    const issued = await send('POST', `${prefix}/oauth/token`, {
      headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: `grant_type=client_credentials&client_id=${client.clientId}&client_secret=${client.secret}`,
    })
    expect((await send('GET', `${prefix}/scim/v2/Users`, { authorization: `Bearer ${textAt(issued, 'access_token')}` })).status).toBe(200)
  })
})

describe('a secret', () => {
  const basic = (id: string, secret: string): Readonly<Record<string, string>> => ({ authorization: `Basic ${btoa(`${id}:${secret}`)}` })

  it('is taken in the header, the body, or both when they are equal', async () => {
    const { clientId: client_id, secret: client_secret } = await makeClient()
    const grant = { grant_type: 'client_credentials' }
    const answers = [
      await ask(grant, basic(client_id, client_secret)), await ask({ ...grant, client_id, client_secret }), await ask({ ...grant, client_id, client_secret }, basic(client_id, client_secret)),
      await ask({ ...grant, client_id }, basic(client_id, client_secret)), await ask({ ...grant, client_id, client_secret, resource: 'urn:sap:x', scope: '' }),
      await ask({ ...grant, client_id, client_secret }, { 'content-type': 'Application/X-WWW-Form-Urlencoded; charset=utf-8' }),
    ]
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200])
  })

  it.each<[string, (client: Client) => Promise<Answer>, unknown]>([
    ['different in header and body', ({ clientId, secret }) => ask({ grant_type: 'client_credentials', client_id: clientId, client_secret: secret }, basic(clientId, 'other')), [400, 'invalid_request']],
    ['another client in header and body', ({ clientId, secret }) => ask({ grant_type: 'client_credentials', client_id: 'other' }, basic(clientId, secret)), [400, 'invalid_request']],
    ['wrong', ({ clientId, secret }) => ask({ grant_type: 'client_credentials', client_id: clientId, client_secret: `${secret}x` }), INVALID_CLIENT],
    ['wrong in the header', ({ clientId }) => ask({ grant_type: 'client_credentials' }, basic(clientId, 'x')), INVALID_CLIENT],
    ['of an unknown client', ({ secret }) => ask({ grant_type: 'client_credentials', client_id: 'nobody', client_secret: secret }), INVALID_CLIENT],
    ['of a client named like a member of objects', ({ secret }) => ask({ grant_type: 'client_credentials', client_id: '__proto__', client_secret: secret }), INVALID_CLIENT],
    ['missing', ({ clientId }) => ask({ grant_type: 'client_credentials', client_id: clientId }), INVALID_CLIENT],
    ['as a bearer token', ({ secret }) => ask({ grant_type: 'client_credentials' }, { authorization: `Bearer ${secret}` }), INVALID_CLIENT],
    ['with a parameter twice', ({ clientId, secret }) => ask(`grant_type=client_credentials&client_id=${clientId}&client_id=${clientId}&client_secret=${secret}`), [400, 'invalid_request']],
    ['for another grant', ({ clientId, secret }) => ask({ grant_type: 'password', client_id: clientId, client_secret: secret }), [400, 'unsupported_grant_type']],
    ['for no grant', ({ clientId, secret }) => ask({ client_id: clientId, client_secret: secret }), [400, 'invalid_request']],
    ['in JSON', ({ clientId, secret }) => call('POST', `${prefix}/oauth/token`, { body: { grant_type: 'client_credentials', client_id: clientId, client_secret: secret } }), [400, 'invalid_request']],
    ['in 100 kB', ({ clientId, secret }) => ask({ grant_type: 'client_credentials', client_id: clientId, client_secret: secret, pad: 'x'.repeat(100_000) }), [400, 'invalid_request']],
    ['in the address', ({ clientId, secret }) => call('POST', `${prefix}/oauth/token?grant_type=client_credentials&client_id=${clientId}&client_secret=${secret}`, { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: '' }), [400, 'invalid_request']],
    ['at another tenant', ({ clientId, secret }) => call('POST', `/oauth/token`, { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: `grant_type=client_credentials&client_id=${clientId}&client_secret=${secret}` }), INVALID_CLIENT],
    ['at no tenant', ({ clientId, secret }) => call('POST', `/t/nobody/oauth/token`, { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: `grant_type=client_credentials&client_id=${clientId}&client_secret=${secret}` }), INVALID_CLIENT],
    ['that is the bearer token', async ({ id, clientId }) => {
      const token = textAt(await admin('POST', `${connections}/${id}/tokens`, {}), 'token')
      return ask({ grant_type: 'client_credentials', client_id: clientId, client_secret: token })
    }, INVALID_CLIENT],
    ['that was replaced at once', async (client) => {
      expect((await admin('POST', `${connections}/${client.id}/rotate`, { purpose: 'client', graceHours: 0 })).status).toBe(200)
      return bySecret(client)
    }, INVALID_CLIENT],
  ])('%s is refused, and tells nothing', async (_what, send, expected) => {
    const client = await makeClient()
    const answer = await send(client)
    expect(outcome(answer)).toEqual(expected)
    expect([answer.headers.get('cache-control'), answer.text.includes(client.secret)]).toEqual(['no-store', false])
  })

  it('in the header is asked for in the header again', async () => {
    const answer = await ask({ grant_type: 'client_credentials' }, basic('nobody', 'x'))
    expect(answer.headers.get('www-authenticate')).toBe('Basic realm="arize-bridge"')
  })

  it('that is replaced with a grace goes on for it, beside the new one, and says when it was used', async () => {
    const client = await makeClient()
    const rotated = await admin('POST', `${connections}/${client.id}/rotate`, { purpose: 'client', graceHours: 1 })
    const next = { ...client, secret: textAt(rotated, 'clientSecret') }
    expect([(await bySecret(client)).status, (await bySecret(next)).status]).toEqual([200, 200])
    const tokens = await admin('GET', `${connections}/${client.id}/tokens`)
    expect(own(tokens.body, 'tokens')).toEqual(expect.arrayContaining([
      expect.objectContaining({ purpose: 'bearer', lastUsedAt: null }),
      expect.objectContaining({ purpose: 'client', expiresAt: expect.any(String), lastUsedAt: expect.any(String) }),
      expect.objectContaining({ purpose: 'client', expiresAt: null, lastUsedAt: expect.any(String) }),
    ]))
  })

  it.each(['GET', 'PUT', 'DELETE'])('cannot be sent by %s', async (method) => {
    const answer = await call(method, `${prefix}/oauth/token`)
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST'])
  })
})
