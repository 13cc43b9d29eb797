import { describe, expect, it } from 'vitest'
import { openSource } from '../../src/sources/sources'
import type { Pulled, Source, SourceTools } from '../../src/sources/source'
import type { PullKind } from '../../src/change'
import { newKeyPair, openGraph, openOkta, type Emulator, type GraphEmulator } from './emulators'
import { failureOf, pagesOf, valueOf } from './wire'

/** Connectors against the emulators: credentials that are really verified, pages that really follow each other, bad days. */

const TOOLS: SourceTools = { fetch: (url, init) => fetch(url, init), now: () => Date.now(), randomId: () => crypto.randomUUID(), development: true }

const sourceOf = (kind: PullKind, settings: object, secrets: object): Source => {
  const opened = openSource(kind, settings, secrets, TOOLS)
  if (!opened.ok) throw new Error(opened.error)
  return opened.value
}

const okta = ({ origin }: Emulator, secrets: object = { apiToken: 'dev-okta-token' }, settings: object = {}): Source => sourceOf('okta', { orgUrl: origin, ...settings }, secrets)
const graph = ({ origin, tenantId, clientId, secret }: GraphEmulator, secrets: object = { clientSecret: secret }): Source =>
  sourceOf('graph', { tenantId, clientId, loginUrl: origin, graphUrl: origin }, secrets)

/** What a pull means, in one line each. */
const linesOf = (items: readonly Pulled[]): readonly string[] => {
  const lines = items.map((item) => {
    switch (item.kind) {
      case 'person': return `${item.person.id} ${item.person.active ? 'active' : 'inactive'}`
      case 'group': return `group ${item.group.id} ${item.group.displayName}`
      case 'membership': return `${item.personId} in ${item.groupId}`
      case 'personGone': return `${item.id} gone`
      case 'groupGone': return `group ${item.id} gone`
      case 'membershipGone': return `${item.personId} out of ${item.groupId}`
    }
  })
  return [...new Set(lines)].toSorted()
}

const people = (n: number): readonly string[] => Array.from({ length: n }, (_, i) => `p${String(i).padStart(3, '0')}`)

describe('Okta', () => {
  const fill = async (): Promise<Emulator> => {
    const org = await openOkta()
    await org.control('POST', 'switches', { pageSize: 3 })
    for (const id of people(7)) await org.control('PUT', `people/${id}`, { login: `${id}@example.com` })
    await org.control('PUT', 'people/p001', { status: 'DEPROVISIONED' })
    await org.control('PUT', 'people/p002', { status: 'SUSPENDED' })
    await org.control('PUT', 'people/p003', { status: 'LOCKED_OUT' })
    for (const id of people(4)) await org.control('PUT', `groups/g${id}`, { name: `Group ${id}`, members: people(5) })
    await org.control('PUT', 'groups/empty', { name: 'Empty' })
    return org
  }
  const EXPECTED = [
    'p000 active', 'p001 inactive', 'p002 inactive', 'p003 active', 'p004 active', 'p005 active', 'p006 active', 'group empty Empty',
    ...people(4).flatMap((id) => [`group g${id} Group ${id}`, ...people(5).map((member) => `${member} in g${id}`)]),
  ].toSorted()

  it('is told of whole, in small pages, by an API token', async () => {
    const org = await fill()
    const { items, pages } = await pagesOf(okta(org))
    expect({ lines: linesOf(items), isInPages: pages > 10 }).toEqual({ lines: EXPECTED, isInPages: true })
  })

  it('is told of to a service app, with and without proof of possession', async () => {
    const org = await fill()
    for (const [clientId, alg, more] of [['0oaRsa', 'RS256', {}], ['0oaEc', 'ES256', {}], ['0oaBound', 'ES256', { dpop: true }]] as const) {
      const keys = await newKeyPair(alg)
      await org.control('PUT', `clients/${clientId}`, { keys: [keys.publicJwk], ...more })
      await org.control('POST', 'switches', { apiNonce: 'dpop' in more })
      const { items } = await pagesOf(okta(org, { privateKey: keys.pem }, { clientId }))
      expect(linesOf(items)).toEqual(EXPECTED)
    }
  })

  it('tells of one person, one group, the people of an app', async () => {
    const org = await fill()
    await org.control('PUT', 'apps/0oaApp', { users: ['p000', 'p004'] })
    const source = okta(org)
    expect(valueOf(await source.person({ id: null, userName: 'p002@example.com' }))).toMatchObject({ person: { id: 'p002', active: false }, groups: people(4).map((id) => ({ id: `g${id}` })) })
    expect(valueOf(await source.person({ id: 'nobody', userName: null }))).toBe(null)
    expect(valueOf(await source.group({ id: 'gp000', displayName: null }, null))).toMatchObject({ members: people(3) })
    const ofApp = okta(org, undefined, { appId: '0oaApp' })
    expect(linesOf((await pagesOf(ofApp)).items).filter((line) => line.endsWith('active'))).toEqual(['p000 active', 'p004 active'])
    expect(valueOf(await ofApp.person({ id: 'p005', userName: null }))).toBe(null)
  })

  it('refuses a wrong token, a wrong key and a missing scope, each with its remedy', async () => {
    const org = await fill()
    expect(failureOf(await okta(org, { apiToken: 'wrong' }).probe())).toMatchObject({ kind: 'unauthorized', sentence: expect.stringContaining('API token') })
    const [keys, others] = [await newKeyPair(), await newKeyPair()]
    await org.control('PUT', 'clients/0oaC', { keys: [keys.publicJwk], scopes: ['okta.users.read'] })
    expect(failureOf(await okta(org, { privateKey: others.pem }, { clientId: '0oaC' }).probe())).toMatchObject({ kind: 'unauthorized', sentence: expect.stringContaining('invalid_client') })
    expect(failureOf(await okta(org, { privateKey: keys.pem }, { clientId: '0oaC' }).probe())).toMatchObject({ kind: 'unauthorized', sentence: expect.stringContaining('invalid_scope') })
  })

  it.each([
    [{ kind: 'status', status: 429, retryAfter: 5 }, 'throttled'], [{ kind: 'status', status: 403 }, 'unauthorized'], [{ kind: 'status', status: 500 }, 'unavailable'],
    [{ kind: 'lost' }, 'unavailable'], [{ kind: 'html' }, 'unavailable'], [{ kind: 'foreign' }, 'unavailable'], [{ kind: 'status', status: 410 }, 'expired'],
  ])('has a bad day %j: %s, and goes on from the same cursor', async (fault, kind) => {
    const org = await fill()
    const source = okta(org)
    await org.fault(fault)
    expect(failureOf(await source.everything(null)).kind).toBe(kind)
    expect((await okta(org).everything(null)).ok).toBe(true)
  })
})

describe('Microsoft Graph', () => {
  const fill = async (): Promise<GraphEmulator> => {
    const tenant = await openGraph()
    await tenant.control('POST', 'switches', { pageSize: 3 })
    for (const id of people(7)) await tenant.control('PUT', `people/${id}`, { userPrincipalName: `${id}@contoso.example` })
    await tenant.control('PUT', 'people/p002', { accountEnabled: false })
    await tenant.control('DELETE', 'people/p001')
    for (const id of people(4)) await tenant.control('PUT', `groups/g${id}`, { displayName: `Group ${id}`, members: people(5) })
    await tenant.control('PUT', 'groups/outer', { displayName: 'Outer', members: ['gp000', 'p006'] })
    return tenant
  }

  it('is told of whole, then of what changed', async () => {
    const tenant = await fill()
    const source = graph(tenant)
    const all = await pagesOf(source)
    expect(linesOf(all.items)).toEqual([
      'p000 active', 'p002 inactive', 'p003 active', 'p004 active', 'p005 active', 'p006 active', 'group outer Outer', 'p006 in outer',
      ...people(4).flatMap((id) => [`group g${id} Group ${id}`, ...people(5).map((member) => `${member} in g${id}`)]),
    ].toSorted())
    await tenant.control('PUT', 'people/p001', {})
    await tenant.control('DELETE', 'people/p005?permanent=true')
    await tenant.control('DELETE', 'groups/gp001/members/p000')
    await tenant.control('DELETE', 'groups/gp002')
    await tenant.control('PUT', 'groups/gp003', { displayName: 'Renamed' })
    const changed = await pagesOf(source, { delta: all.delta ?? '' })
    expect(linesOf(changed.items)).toEqual(['group gp001 Group p001', 'group gp002 gone', 'group gp003 Renamed', 'p000 out of gp001', 'p001 active', 'p005 gone'].toSorted())
    expect((await pagesOf(source, { delta: changed.delta ?? '' })).items).toEqual([])
    await tenant.control('POST', 'forget')
    expect(failureOf((await source.changes?.(changed.delta ?? '')) ?? { ok: false, error: { kind: 'unavailable', sentence: '' } }).kind).toBe('expired')
  })

  it('tells of one person with direct groups only, and of the people in a group only', async () => {
    const source = graph(await fill())
    expect(valueOf(await source.person({ id: null, userName: 'P003@contoso.example' }))?.groups.map(({ id }) => id)).toEqual(['gp000', 'gp001', 'gp002', 'gp003'])
    expect(valueOf(await source.group({ id: 'outer', displayName: null }, null))).toMatchObject({ members: ['p006'], next: null })
    expect(valueOf(await source.person({ id: 'p001', userName: null }))).toBe(null)
  })

  it('believes a certificate', async () => {
    const tenant = await fill()
    const keys = await newKeyPair('RS256')
    const der = crypto.getRandomValues(new Uint8Array(200))
    const thumbprint = btoa(String.fromCharCode(...new Uint8Array(await crypto.subtle.digest('SHA-256', der)))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
    await tenant.control('PUT', `clients/${tenant.clientId}`, { certificates: [{ thumbprint, jwk: keys.publicJwk }] })
    const certificate = `-----BEGIN CERTIFICATE-----\n${btoa(String.fromCharCode(...der))}\n-----END CERTIFICATE-----`
    valueOf(await graph(tenant, { certificate, privateKey: keys.pem }).probe())
    expect(failureOf(await graph(tenant, { certificate, privateKey: (await newKeyPair('RS256')).pem }).probe()).sentence).toContain('AADSTS700027')
  })

  it('says which permission is missing', async () => {
    const tenant = await fill()
    await tenant.control('PUT', `clients/${tenant.clientId}`, { secrets: [tenant.secret], permissions: ['User.Read.All'] })
    expect(failureOf(await graph(tenant).probe())).toMatchObject({ kind: 'unauthorized', sentence: expect.stringContaining('GroupMember.Read.All') })
  })

  it('makes no subscription with a receiver that does not answer the handshake', async () => {
    const tenant = await fill()
    const made = await graph(tenant).subscriptions!.create({ resource: 'users', notificationUrl: 'http://127.0.0.1:8787/healthz', clientState: 's' })
    expect(failureOf(made)).toEqual({ kind: 'unavailable', sentence: 'Microsoft Graph (127.0.0.1:8791) answered 400 ValidationError.' })
  })
})
