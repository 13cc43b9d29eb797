import { base64url } from 'jose'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { createApp } from '../../src/app'
import { createTestIssuer, segment, type TestIssuer } from '../auth/issuer'
import { admin, call, callWith, connect, openTenant, own, rowsOf, scimErrorFaults, textAt, write, type Answer, type Connected } from './bridge'
import { watchDirectories } from './watchedEnv'

const TENANT = 'authentication'
const PREFIX = `/t/${TENANT}`

beforeAll(() => openTenant(TENANT))

const list = (authorization: string | null, prefix = PREFIX): Promise<Answer> => call('GET', `${prefix}/scim/v2/Users`, { authorization })

const NEW = { userName: 'eve@example.com' }

const expectRefusal = async (authorization: string | null): Promise<void> => {
  const before = await rowsOf(TENANT)
  for (const [method, body] of [['GET', undefined], ['POST', NEW], ['POST', '{"broken":']] as const) {
    const answer = await call(method, `${PREFIX}/scim/v2/Users`, { authorization, body })
    expect([answer.status, scimErrorFaults(answer)]).toEqual([401, []])
    expect(answer.text).not.toMatch(/expire|signature|audience|issuer|tenant/i)
  }
  expect(await rowsOf(TENANT)).toEqual(before)
}

describe('tokens', () => {
  let okta: Connected
  beforeAll(async () => {
    okta = await connect(PREFIX, 'Tokens')
  })

  it.each<[string, (token: string) => string]>([
    ['Bearer', (token) => `Bearer ${token}`], ['bearer', (token) => `bearer ${token}`], ['no scheme', (token) => token],
    ['Basic', (token) => `Basic ${btoa(`okta:${token}`)}`], ['Basic without a user', (token) => `Basic ${btoa(`:${token}`)}`],
    ['spaces around it', (token) => `  Bearer   ${token} `],
  ])('%s is accepted', async (_name, write) => {
    expect((await list(write(okta.token))).status).toBe(200)
  })

  it.each<[string, (token: string) => string | null]>([
    ['none', () => null], ['empty', () => ''], ['a scheme alone', () => 'Bearer'], ['another scheme', (token) => `Digest ${token}`],
    ['a letter more', (token) => `Bearer ${token}x`], ['a letter less', (token) => `Bearer ${token.slice(0, -1)}`],
    ['its hash', () => `Bearer ${'0'.repeat(64)}`], ['two at once', (token) => `Bearer ${token}, Bearer ${token}`],
    ['as the user of Basic', (token) => `Basic ${btoa(`${token}:`)}`], ['Basic that is no base64', () => 'Basic %%%'],
    ['9,000 characters', () => `Bearer ${'x'.repeat(9000)}`], ['the administrator token', () => 'Bearer dev-admin-token'],
    ['the Arize key', () => 'Bearer dev-arize-key'], ['a token that nobody made', () => `Bearer arzb_scim_${'A'.repeat(43)}`],
  ])('%s is 401', async (_name, write) => {
    await expectRefusal(write(okta.token))
  })

  it('the administrator API takes no SCIM token', async () => {
    const answer = await call('GET', `${PREFIX}/admin/api/connections`, { authorization: okta.authorization })
    expect([answer.status, answer.headers.get('content-type')]).toEqual([401, 'application/problem+json'])
  })

  it('two live side by side; one that is deleted or expired is refused', async () => {
    const path = `${PREFIX}/admin/api/connections/${okta.id}/tokens`
    const second = await admin('POST', path, { expiresAt: new Date(Date.now() + 3_600_000).toISOString() })
    const authorization = `Bearer ${textAt(second, 'token')}`
    expect([second.status, (await list(authorization)).status, (await list(okta.authorization)).status]).toEqual([201, 200, 200])
    expect((await admin('POST', path, {})).status).toBe(409)
    await write(TENANT, 'UPDATE tokens SET expires = ? WHERE id = ?', Date.now() - 1, textAt(second, 'id'))
    await expectRefusal(authorization)
    const third = await admin('POST', path)
    expect(third.status).toBe(201)
    expect((await admin('DELETE', `${path}/${textAt(third, 'id')}`)).status).toBe(204)
    await expectRefusal(`Bearer ${textAt(third, 'token')}`)
    expect((await list(okta.authorization)).status).toBe(200)
  })

  it('of a paused connection is refused', async () => {
    const paused = await connect(PREFIX, 'Paused')
    await write(TENANT, `UPDATE connections SET state = 'paused' WHERE id = ?`, paused.id)
    await expectRefusal(paused.authorization)
  })

  it('that was used says when', async () => {
    const used = await connect(PREFIX, 'Used')
    const path = `${PREFIX}/admin/api/connections/${used.id}/tokens`
    expect(own((await admin('GET', path)).body, 'tokens', 0, 'lastUsedAt')).toBeNull()
    await call('POST', `${PREFIX}/scim/v2/Groups`, { authorization: used.authorization, body: { displayName: 'Used' } })
    expect(Date.parse(textAt(await admin('GET', path), 'tokens', 0, 'lastUsedAt'))).toBeGreaterThan(Date.now() - 60_000)
  })
})

describe('what a request costs', () => {
  it.each<[string, string, string | undefined]>([
    ['GET', '/scim/v2/Users', undefined], ['POST', '/scim/v2/Groups', '{"displayName":"Cheap"}'], ['POST', '/scim/v2/Users', '{"broken'],
    ['GET', '/scim/v2/Schemas', undefined], ['DELETE', '/scim/v2/Nothing', undefined], ['GET', '/scim/v2/Users?filter=(', undefined],
  ])('%s %s is one call', async (method, path, body) => {
    const watched = watchDirectories()
    await callWith((request) => createApp().fetch(request, watched.env), method, path, { authorization: 'Bearer dev-scim-token', body })
    expect(watched.calls).toEqual(['default.scim'])
  })

  it('without a credential, or with one that is none, it is no call', async () => {
    const watched = watchDirectories()
    const app = createApp()
    for (const authorization of [null, 'Bearer', 'Digest x', 'Basic %']) {
      await callWith((request) => app.fetch(request, watched.env), 'POST', '/scim/v2/Users', { authorization, body: NEW })
    }
    await callWith((request) => app.fetch(request, watched.env), 'OPTIONS', '/scim/v2/Users')
    expect(watched.calls).toEqual([])
  })

  it('of an unknown tenant wakes no object, and the question is asked once in a minute', async () => {
    const watched = watchDirectories()
    let now = Date.now()
    const app = createApp({ now: () => now })
    const ask = (tenant: string) =>
      callWith((request) => app.fetch(request, watched.env), 'GET', `/t/${tenant}/scim/v2/Users`, { authorization: 'Bearer x' })
    for (const tenant of ['nobody', 'nobody', 'default', 'No_Body', 'x'.repeat(64), '%61cme']) {
      const answer = await ask(tenant)
      expect([answer.status, scimErrorFaults(answer)]).toEqual([401, []])
    }
    expect(watched.calls).toEqual(['default.findTenant'])
    now += 60_000
    await ask('nobody')
    expect(watched.calls).toEqual(['default.findTenant', 'default.findTenant'])
  })
})

describe('JWTs', () => {
  let issuer: TestIssuer
  let connection: Connected
  let nth = 0

  const trustedOf = ({ trusted: { connectionId: _ours, ...trusted } }: TestIssuer, more = {}) => ({ ...trusted, ...more })

  beforeEach(async () => {
    nth += 1
    issuer = await createTestIssuer({ issuer: `https://idp-${nth}.example.test`, caller: `caller-${nth}` })
    const original = globalThis.fetch
    vi.spyOn(globalThis, 'fetch').mockImplementation((input, init) =>
      issuer.handles(input) ? issuer.fetch(input, init) : original(input, init))
    connection = await connect(PREFIX, `JWT ${nth}`, { issuers: [trustedOf(issuer, { tid: 'tenant-a' })] })
  })

  afterEach(() => {
    vi.useRealTimers()
  })

  const sign = (claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}): Promise<string> =>
    issuer.sign({ tid: 'tenant-a', ...claims }, header)

  const hmac = async (secret: string): Promise<string> => {
    const text = `${segment({ alg: 'HS256', kid: 'key-1', typ: 'JWT' })}.${segment(issuer.claims({ tid: 'tenant-a' }))}`
    const key = await crypto.subtle.importKey('raw', new TextEncoder().encode(secret), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
    return `${text}.${base64url.encode(new Uint8Array(await crypto.subtle.sign('HMAC', key, new TextEncoder().encode(text))))}`
  }

  it('of a pinned caller acts for its connection', async () => {
    const made = await call('POST', `${PREFIX}/scim/v2/Users`, { authorization: `Bearer ${await sign()}`, body: { userName: `jwt-${nth}@example.com` } })
    expect(made.status).toBe(201)
    const seen = await call('GET', `${PREFIX}/scim/v2/Users/${textAt(made, 'id')}`, { authorization: connection.authorization })
    expect(seen.status).toBe(200)
    expect(issuer.fetches()).toBe(1)
  })

  it.each<[string, () => Promise<string>]>([
    ['expired', () => sign({ exp: issuer.seconds(-61) })],
    ['not yet valid', () => sign({ nbf: issuer.seconds(120) })],
    ['issued in the future', () => sign({ iat: issuer.seconds(120) })],
    ['without exp', () => sign({ exp: undefined })],
    ['for another audience', () => sign({ aud: 'https://other.example.test' })],
    ['of another issuer', () => sign({ iss: 'https://evil.example.test' })],
    ['with an unknown kid', () => sign({}, { kid: 'nobody' })],
    ['alg none', async () => `${segment({ alg: 'none', typ: 'JWT' })}.${segment(issuer.claims({ tid: 'tenant-a' }))}.`],
    ['HS256 signed with the public key', async () => hmac(await issuer.publicPem())],
    ['tampered', async () => {
      const [header, , signature] = (await sign()).split('.')
      return `${header}.${segment(issuer.claims({ tid: 'tenant-a', exp: issuer.seconds(9999) }))}.${signature}`
    }],
    ['an ID token', () => sign({ nonce: 'n', at_hash: 'h' })],
    ['a SET', () => sign({ events: { 'https://schemas.openid.net/secevent/caep/event-type/session-revoked': {} } }, { typ: 'secevent+jwt' })],
    ['a SET that calls itself JWT', () => sign({ events: {} })],
    ['of a caller that is not pinned', () => sign({ sub: 'somebody-else' })],
    ["of the provider's other tenant", () => sign({ tid: 'tenant-b' })],
    ['without a tenant of the provider', () => sign({ tid: undefined })],
    ['without an issuer', () => sign({ iss: undefined })],
    ['that is no JSON', () => issuer.signText('{"iss":')],
  ])('%s is 401', async (_name, make) => {
    await expectRefusal(`Bearer ${await make()}`)
  })

  it('the reason is journalled, the token and its claims are not', async () => {
    await list(`Bearer ${await sign({ aud: 'https://other.example.test', sub: issuer.caller, secret: 'do-not-tell' })}`)
    const rows = JSON.stringify(await rowsOf(TENANT))
    expect(rows).not.toContain('do-not-tell')
    expect(rows).not.toContain('other.example.test')
  })

  it('signed with the key before the rotation is refused, with the new one accepted', async () => {
    const old = await sign()
    expect((await list(`Bearer ${old}`)).status).toBe(200)
    await issuer.rotate()
    expect((await list(`Bearer ${await sign()}`)).status).toBe(200)
    await expectRefusal(`Bearer ${old}`)
  })

  it.each<[string, () => Response]>([
    ['down', () => new Response('down', { status: 503 })], ['a redirect', () => Response.redirect('https://evil.example.test/keys', 302)],
    ['no key set', () => Response.json({ nothing: true })],
  ])('cannot be judged while the key set is %s: 503 with Retry-After', async (_name, answer) => {
    issuer.answerWith(answer)
    const before = await rowsOf(TENANT)
    const refused = await call('POST', `${PREFIX}/scim/v2/Users`, { authorization: `Bearer ${await sign()}`, body: NEW })
    expect([refused.status, scimErrorFaults(refused)]).toEqual([503, []])
    expect(await rowsOf(TENANT)).toEqual(before)
  })

  it('of an issuer that another tenant trusts is nobody here', async () => {
    await openTenant('authentication-theirs')
    const theirs = await createTestIssuer({ issuer: `https://their-idp-${nth}.example.test` })
    await connect('/t/authentication-theirs', 'Theirs', { issuers: [trustedOf(theirs)] })
    vi.spyOn(globalThis, 'fetch').mockImplementation((input, init) => theirs.fetch(input, init))
    const authorization = `Bearer ${await theirs.sign()}`
    expect((await list(authorization, '/t/authentication-theirs')).status).toBe(200)
    await expectRefusal(authorization)
    expect((await list(`Bearer ${await sign()}`, '/t/authentication-theirs')).status).toBe(401)
  })

  it('verified against issuers that changed meanwhile is verified again', async () => {
    const watched = watchDirectories()
    const app = createApp()
    const authorization = `Bearer ${await sign()}`
    const ask = () => callWith((request) => app.fetch(request, watched.env), 'GET', `${PREFIX}/scim/v2/Users`, { authorization })
    expect((await ask()).status).toBe(200)
    await write(TENANT, 'UPDATE connections SET revision = revision + 1 WHERE id = ?', connection.id)
    expect((await ask()).status).toBe(200)
    expect(watched.calls).toEqual(['default.findTenant', 'authentication.trust', 'authentication.scim', 'authentication.scim', 'authentication.trust', 'authentication.scim'])
    await write(TENANT, `UPDATE connections SET revision = revision + 1, config = json_set(config, '$.issuers', json('[]')) WHERE id = ?`, connection.id)
    expect((await ask()).status).toBe(401)
  })

  it('with an http issuer is believed on loopback in development only', async () => {
    const trusted = { ...trustedOf(issuer), issuer: 'http://127.0.0.1:9/idp', jwksUri: 'http://127.0.0.1:9/keys' }
    const local = await createTestIssuer({ issuer: trusted.issuer, jwksUri: trusted.jwksUri, caller: issuer.caller })
    vi.spyOn(globalThis, 'fetch').mockImplementation((input, init) => local.fetch(input, init))
    await connect(PREFIX, `http ${nth}`, { issuers: [trusted] })
    const authorization = `Bearer ${await local.sign()}`
    expect((await list(authorization)).status).toBe(200)
    const production = watchDirectories(undefined, { DEVELOPMENT: 'false', ADMIN_TOKEN: 'a', ARIZE_API_KEY: 'b', SCIM_TOKEN: '' })
    const answer = await callWith((request) => createApp().fetch(request, production.env), 'GET', `${PREFIX}/scim/v2/Users`, { authorization })
    expect([answer.status, scimErrorFaults(answer), String(own(answer.body, 'detail'))]).toEqual([503, [], expect.stringContaining('DEVELOPMENT')])
  })
})
