import { exports } from 'cloudflare:workers'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createTestIssuer, type TestIssuer } from '../auth/issuer'
import { expectSettled, openBridge, type Bridge } from './bridge'

/** From signed events to Arize: security event tokens, Universal Logout and Event Grid, each beside the SCIM client of its source. */

const JOHN = { email: 'john.doe@example.com', id: '00u3m90rxKjGQ0G6L1d6' }
const ENTRA_TENANT = '84bd8158-6d4d-4958-8b9f-9d6445542f95'
const RISC = 'https://schemas.openid.net/secevent/risc/event-type'
const CAEP = 'https://schemas.openid.net/secevent/caep/event-type'

/** An issuer whose keys and discovery document are at its address; the network is the emulators' but for it. */
const openIssuer = async (): Promise<TestIssuer> => {
  const issuer = await createTestIssuer({ issuer: `https://idp-${crypto.randomUUID()}.example.test` })
  const original = globalThis.fetch
  vi.spyOn(globalThis, 'fetch').mockImplementation((input, init) => {
    const address = typeof input === 'object' && 'url' in input ? input.url : String(input)
    if (address === `${issuer.issuer}/.well-known/openid-configuration`) {
      return Promise.resolve(Response.json({ issuer: issuer.issuer, jwks_uri: issuer.jwksUri }))
    }
    return issuer.handles(input) ? issuer.fetch(input, init) : original(input, init)
  })
  return issuer
}

afterEach(() => {
  vi.restoreAllMocks()
})

interface World {
  readonly bridge: Bridge
  readonly issuer: TestIssuer
  /** John, an engineer who has made an API key. */
  readonly john: string
  readonly connect: (kind: string, settings: object) => Promise<{ readonly url: string; readonly secret: string | null }>
  readonly post: (url: string, body: string, headers: Readonly<Record<string, string>>) => Promise<number>
  /** Roles and live keys, once everything is settled. */
  readonly held: () => Promise<{ readonly roles: readonly string[]; readonly keys: number }>
}

const openWorld = async (signals: object = {}): Promise<World> => {
  const [issuer, bridge] = [await openIssuer(), await openBridge()]
  await bridge.addOrganization('ML')
  await bridge.policy({ mappings: [{ id: 'ml', group: 'Engineers', grants: [{ organization: 'ML', role: 'MEMBER' }] }], signals })
  const john = await bridge.createUser(JOHN.email, { externalId: JOHN.id })
  await bridge.createGroup('Engineers', [john])
  await expectSettled(bridge)
  await bridge.arize('POST', '/_emulator/keys', { owner: JOHN.email })
  return {
    bridge, issuer, john,
    connect: async (kind, settings) => {
      const made = await bridge.admin('POST', 'connections', { kind, name: kind, source: 'okta', settings })
      expect(made.status, made.text).toBe(201)
      return { url: String(made.json['url']), secret: typeof made.json['secret'] === 'string' ? made.json['secret'] : null }
    },
    post: async (url, body, headers) => (await exports.default.fetch(new Request(url, { method: 'POST', body, headers }))).status,
    held: async () => {
      await expectSettled(bridge)
      const { keys } = await bridge.state()
      return { roles: await bridge.roles(), keys: keys.filter(({ owner, revoked }) => owner === JOHN.email && !revoked).length }
    },
  }
}

const WITH_ALL = { roles: [`${JOHN.email} ML MEMBER`], keys: 1 }

describe('a security event token', () => {
  const openStream = async (world: World) => {
    const { issuer, connect, post } = world
    const { url } = await connect('security-events', { issuer: issuer.issuer, audience: 'bridge', jwksUri: issuer.jwksUri })
    return async (event: string, subject: object, more: object = {}): Promise<number> => {
      const claims = { aud: 'bridge', exp: undefined, nbf: undefined, sub: undefined, jti: crypto.randomUUID(), sub_id: subject, events: { [event]: more } }
      return post(url, await issuer.sign(claims, { typ: 'secevent+jwt' }), { 'content-type': 'application/secevent+jwt' })
    }
  }

  it('of a disabled account takes every role and key, whatever the SCIM client repeats', async () => {
    const world = await openWorld()
    const push = await openStream(world)
    expect(await world.held()).toEqual(WITH_ALL)
    expect(await push(`${RISC}/account-disabled`, { format: 'email', email: JOHN.email })).toBe(202)
    expect(await world.held()).toEqual({ roles: [], keys: 0 })
    await world.bridge.setActive(world.john, true)
    expect(await world.held()).toEqual({ roles: [], keys: 0 })
  })

  it('of an enabled account gives nothing back: nobody comes back by an event', async () => {
    const world = await openWorld()
    const push = await openStream(world)
    expect(await push(`${RISC}/account-disabled`, { format: 'iss_sub', iss: world.issuer.issuer, sub: JOHN.id })).toBe(202)
    expect(await push(`${RISC}/account-enabled`, { format: 'email', email: JOHN.email })).toBe(202)
    expect((await world.held()).roles).toEqual([])
    await world.bridge.setActive(world.john, false)
    await world.bridge.setActive(world.john, true)
    expect((await world.held()).roles).toEqual(WITH_ALL.roles)
  })

  it.each([[{}, 1], [{ sessionRevoked: 'revokeApiKeys' }, 0]])('of a revoked session, with signals %j, leaves %i keys and every role', async (signals, keys) => {
    const world = await openWorld(signals)
    const push = await openStream(world)
    expect(await push(`${CAEP}/session-revoked`, { format: 'email', email: JOHN.email }, { event_timestamp: world.issuer.seconds() })).toBe(202)
    expect(await world.held()).toEqual({ ...WITH_ALL, keys })
  })
})

describe('Universal Logout', () => {
  it('revokes the keys of the person and keeps the roles; nobody known is 404, and nothing happens', async () => {
    const world = await openWorld()
    const { issuer, connect, post, held } = world
    const { url } = await connect('universal-logout', { issuer: issuer.issuer, subjects: [issuer.caller] })
    const logout = async (email: string): Promise<number> => {
      const token = await issuer.sign({ aud: url, jti: crypto.randomUUID() }, { typ: 'global-token-revocation+jwt' })
      return post(url, JSON.stringify({ sub_id: { format: 'email', email } }), { authorization: `Bearer ${token}`, 'content-type': 'application/json' })
    }
    expect(await logout('nobody@example.com')).toBe(404)
    expect(await held()).toEqual(WITH_ALL)
    expect(await logout(JOHN.email)).toBe(204)
    expect(await held()).toEqual({ ...WITH_ALL, keys: 0 })
  })
})

describe('Event Grid', () => {
  it('tells of a deleted user, who loses everything; a wrong secret tells nothing', async () => {
    const world = await openWorld()
    const { connect, post, held } = world
    const { url } = await connect('event-grid', { tenantId: ENTRA_TENANT })
    const event = {
      id: crypto.randomUUID(), type: 'Microsoft.Graph.UserDeleted', source: `/tenants/${ENTRA_TENANT}/applications/x`, subject: `Users/${JOHN.id}`,
      time: new Date().toISOString(), specversion: '1.0',
      data: { changeType: 'deleted', resource: `Users/${JOHN.id}`, resourceData: { '@odata.type': '#Microsoft.Graph.User', id: JOHN.id }, tenantId: ENTRA_TENANT },
    }
    const headers = { 'content-type': 'application/cloudevents+json; charset=utf-8' }
    expect(await post(url.replace(/secret=[^&]+/, 'secret=wrong'), JSON.stringify(event), headers)).toBe(401)
    expect(await held()).toEqual(WITH_ALL)
    expect(await post(url, JSON.stringify(event), headers)).toBe(200)
    expect(await held()).toEqual({ roles: [], keys: 0 })
  })
})
