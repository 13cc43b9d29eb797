import { base64url } from 'jose'
import * as fc from 'fast-check'
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { createApp } from '../../src/app'
import { segment } from '../auth/issuer'
import { admin, callWith, own, rowsOf, textAt, type Answer } from './bridge'
import { INVALID_CLIENT, JWT_BEARER, oauthWorld, outcome } from './oauthWorld'

/** Clients of the token endpoint that prove themselves by a signature: their own, or that of a provider that they name. */

const TENANT = 'oauth-assertions'

const { connections, prefix, endpoint, ask, byAssertion, federation, makeClient, ownKeys, signer, users } = oauthWorld(TENANT)

type Claims = Readonly<Record<string, unknown>>

let serial = 0

/** As the client itself signs it. */
const proof = (claims: Claims = {}, header: Claims = {}): Promise<string> => {
  serial += 1
  const own = signer('own')
  return own.sign({ jti: `once-${serial}`, exp: own.seconds(300), ...claims }, header)
}

const workload = (claims: Claims = {}, header: Claims = {}): Promise<string> => signer('federated').sign({ tid: 'tenant-a', ...claims }, header)

const withSecret = async (text: string, secret: string): Promise<string> => {
  const key = await crypto.subtle.importKey('raw', new TextEncoder().encode(secret), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  return `${text}.${base64url.encode(new Uint8Array(await crypto.subtle.sign('HMAC', key, new TextEncoder().encode(text))))}`
}

const expectToken = async (answer: Answer): Promise<void> => {
  expect(answer.status, answer.text).toBe(200)
  expect((await users(textAt(answer, 'access_token'))).status).toBe(200)
}

describe("a client's own signature", () => {
  it('gets a token, with or without the client named beside it, for the endpoint or its issuer', async () => {
    const { clientId } = await makeClient(ownKeys())
    await expectToken(await byAssertion(await proof(), { client_id: clientId }))
    await expectToken(await byAssertion(await proof()))
    await expectToken(await byAssertion(await proof({ aud: [endpoint.replace(/\/token$/, ''), 'x'] }, { typ: undefined })))
    await expectToken(await byAssertion(await proof({}, { typ: 'client-authentication+jwt' })))
  })

  it('is verified with keys at an address', async () => {
    await makeClient({ keys: { jwksUri: signer('own').jwksUri } })
    await expectToken(await byAssertion(await proof()))
    expect(signer('own').fetches()).toBe(1)
    signer('own').answerWith(() => new Response('away', { status: 500 }))
    await signer('own').rotate()
    expect((await byAssertion(await proof())).status).not.toBe(200)
  })

  it('is judged once more by an isolate that knows the client as it was', async () => {
    const { id, clientId } = await makeClient(ownKeys())
    const app = createApp()
    const send = async (): Promise<Answer> => callWith((request) => app.fetch(request, env), 'POST', `${prefix}/oauth/token`, {
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ grant_type: 'client_credentials', client_assertion_type: JWT_BEARER, client_assertion: await proof() }).toString(),
    })
    expect((await send()).status).toBe(200)
    expect((await admin('PATCH', `${connections}/${id}`, { name: `${clientId} renamed` })).status).toBe(200)
    expect((await send()).status).toBe(200)
    expect((await admin('PATCH', `${connections}/${id}`, { oauth: { clientId } })).status).toBe(200)
    expect(outcome(await send())).toEqual(INVALID_CLIENT)
  })

  it('counts once', async () => {
    await makeClient(ownKeys())
    const assertion = await proof()
    await expectToken(await byAssertion(assertion))
    expect(outcome(await byAssertion(assertion))).toEqual(INVALID_CLIENT)
    await expectToken(await byAssertion(await proof()))
  })

  it.each<[string, () => Promise<string>]>([
    ['for another audience', () => proof({ aud: 'https://other.example.test/token' })],
    ['for an audience that begins alike', () => proof({ aud: `${endpoint}/` })],
    ['about somebody else', () => proof({ sub: 'somebody-else' })],
    ['by somebody else', () => proof({ iss: 'client-0' })],
    ['by nobody', () => proof({ iss: undefined })],
    ['expired', () => proof({ exp: signer('own').seconds(-61) })],
    ['not valid yet', () => proof({ nbf: signer('own').seconds(120) })],
    ['without an end', () => proof({ exp: undefined })],
    ['with an end that is far away', () => proof({ exp: signer('own').seconds(7200) })],
    ['without an id', () => proof({ jti: undefined })],
    ['with an empty id', () => proof({ jti: '' })],
    ['with an id of 300 characters', () => proof({ jti: 'x'.repeat(300) })],
    ['with an unknown key', () => proof({}, { kid: 'nobody' })],
    ['with alg none', async () => `${segment({ alg: 'none' })}.${segment(signer('own').claims({ jti: 'none' }))}.`],
    ['with HS256 and the public key as the secret', async () => withSecret(`${segment({ alg: 'HS256', kid: 'key-1' })}.${segment(signer('own').claims({ jti: 'hs' }))}`, await signer('own').publicPem())],
    ['with a critical header', () => proof({}, { crit: ['b64'] })],
    ['as an access token', () => proof({}, { typ: 'at+jwt' })],
    ['as a security event', () => proof({}, { typ: 'secevent+jwt' })],
    ['of 9 kB', () => proof({ pad: 'x'.repeat(9000) })],
    ['that is no token', async () => 'x.y.z'],
  ])('%s is refused, and changes nothing', async (_what, make) => {
    await makeClient(ownKeys())
    const before = await rowsOf(TENANT)
    expect(outcome(await byAssertion(await make()))).toEqual(INVALID_CLIENT)
    expect(await rowsOf(TENANT)).toEqual(before)
  })

  it('of one client is not that of another, and is needed where there is no secret', async () => {
    const { clientId: first } = await makeClient(ownKeys())
    const assertion = await proof()
    const second = await makeClient()
    expect(outcome(await byAssertion(assertion, { client_id: second.clientId }))).toEqual(INVALID_CLIENT)
    await expectToken(await byAssertion(assertion, { client_id: first }))
  })
})

describe('the signature of a provider', () => {
  it('gets its workload a token, again and again while it lives', async () => {
    const { clientId } = await makeClient(federation())
    const assertion = await workload()
    for (const more of [{ client_id: clientId }, {}]) await expectToken(await byAssertion(assertion, more))
  })

  it('is exchanged for a token, which says what it is', async () => {
    await makeClient(federation())
    const form = {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', subject_token: await workload(), subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    }
    const exchanged = await ask(form)
    await expectToken(exchanged)
    expect(own(exchanged.body, 'issued_token_type')).toBe('urn:ietf:params:oauth:token-type:access_token')
    expect(outcome(await ask({ ...form, requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }))).toEqual([400, 'invalid_request'])
    expect(outcome(await ask({ ...form, subject_token_type: 'urn:ietf:params:oauth:token-type:saml2' }))).toEqual([400, 'invalid_request'])
    expect(outcome(await ask({ ...form, subject_token: '' }))).toEqual([400, 'invalid_request'])
  })

  it('does not open the SCIM endpoint by itself', async () => {
    await makeClient(federation())
    expect((await users(await workload())).status).toBe(401)
  })

  it.each<[string, () => Promise<string>]>([
    ['of another audience', () => workload({ aud: 'api://bridge/' })], ['of another issuer', () => workload({ iss: 'https://evil.example.test' })],
    ['of another workload', () => workload({ sub: 'another' })], ['of another tenant', () => workload({ tid: 'tenant-b' })], ['of no tenant', () => workload({ tid: undefined })],
    ['expired', () => workload({ exp: signer('federated').seconds(-61) })], ['without an end', () => workload({ exp: undefined })],
    ['with an unknown key', () => workload({}, { kid: 'nobody' })], ['with a critical header', () => workload({}, { crit: ['exp'] })],
    ['alg none', async () => `${segment({ alg: 'none' })}.${segment(signer('federated').claims({ tid: 'tenant-a' }))}.`],
    ['an ID token', () => workload({ nonce: 'n' })], ['a security event', () => workload({ events: {} })],
  ])('%s is refused, and changes nothing', async (_what, make) => {
    await makeClient(federation())
    const before = await rowsOf(TENANT)
    expect(outcome(await byAssertion(await make()))).toEqual(INVALID_CLIENT)
    expect(await rowsOf(TENANT)).toEqual(before)
  })

  it('whose keys are out of reach is tried again later, and never accepted', async () => {
    await makeClient(federation())
    signer('federated').answerWith(() => new Response('away', { status: 503 }))
    const answer = await byAssertion(await workload())
    expect([answer.status, own(answer.body, 'error'), Number(answer.headers.get('retry-after')) > 0]).toEqual([503, 'temporarily_unavailable', true])
  })

  it('is no longer believed once the connection does not name it', async () => {
    const { id, clientId } = await makeClient(federation())
    await expectToken(await byAssertion(await workload()))
    expect((await admin('PATCH', `${connections}/${id}`, { oauth: { clientId } })).status).toBe(200)
    expect(outcome(await byAssertion(await workload()))).toEqual(INVALID_CLIENT)
  })

  it('comes with one proof at a time', async () => {
    const { clientId, secret } = await makeClient(federation())
    const assertion = await workload()
    expect(outcome(await byAssertion(assertion, { client_id: clientId, client_secret: secret }))).toEqual([400, 'invalid_request'])
    expect(outcome(await ask({ grant_type: 'client_credentials', client_assertion: assertion }))).toEqual([400, 'invalid_request'])
    expect(outcome(await ask({ grant_type: 'client_credentials', client_assertion_type: JWT_BEARER, client_assertion: assertion }, { authorization: 'Basic eDp5' }))).toEqual([400, 'invalid_request'])
  })
})

describe('1,000 made-up assertions', () => {
  it('are all refused, and leave nothing behind', async () => {
    await makeClient({ ...ownKeys(), ...federation() })
    const good = [await proof(), await workload()]
    const parts = good.flatMap((token) => token.split('.'))
    const json = fc.dictionary(fc.constantFrom('alg', 'kid', 'typ', 'iss', 'sub', 'aud', 'exp', 'jti', 'tid', 'jwk', 'crit', '__proto__'),
      fc.oneof(fc.constantFrom('RS256', 'ES256', 'HS256', 'none', 'JWT', 'key-1', endpoint, 'workload', 'tenant-a', signer('own').issuer, signer('federated').issuer), fc.nat(), fc.jsonValue()))
    const part = fc.oneof(fc.constantFrom(...parts), json.map((value) => segment(value)), fc.base64String(), fc.string())
    const token = fc.oneof(
      fc.tuple(part, part, part).map((three) => three.join('.')), fc.array(part, { maxLength: 6 }).map((some) => some.join('.')),
      fc.tuple(fc.constantFrom(...good), fc.nat(), fc.string({ minLength: 1, maxLength: 3 })).map(([text, at, other]) => {
        // Of the last character some bits mean nothing: another one may be the same signature.
        const place = at % (text.length - 5)
        return text.slice(0, place) + other + text.slice(place + other.length)
      })).filter((text) => !good.includes(text))
    const before = await rowsOf(TENANT)
    await fc.assert(fc.asyncProperty(token, async (assertion) => {
      const { status } = await byAssertion(assertion)
      expect([400, 401]).toContain(status)
    }), { numRuns: 1000 })
    expect(await rowsOf(TENANT)).toEqual(before)
  })
})
