import { SignJWT } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import recordings from '../../recordings/sources/graph.json'
import { isPartOf, newKeyPair, openGraph, shapeOf, type GraphEmulator } from '../../sources/emulators'

/** The emulator answers as Microsoft's reference shows: statuses, members and headers of each recording, and the behaviour between calls. */

const ADELE = '87d349ed-44d7-43e1-9a83-5f2406dee5bd'
const BORIS = '626cef90-b0a3-4af8-94fb-1a8daff4b4d1'
const HR = '02bd9fd6-8f93-4758-87c3-1fb73740a315'
const NESTED = '06f62f70-9827-4e6e-93ef-8e0f2d9b7b23'
const PERSON = '$select=id,userPrincipalName,mail,displayName,givenName,surname,accountEnabled'

const tokenOf = async (graph: GraphEmulator, form: Readonly<Record<string, string>> = { client_secret: graph.secret }): Promise<Response> =>
  fetch(`${graph.origin}/${graph.tenantId}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'client_credentials', client_id: graph.clientId, scope: `${graph.origin}/.default`, ...form }),
  })

interface Session {
  readonly graph: GraphEmulator
  readonly ask: (path: string, init?: RequestInit) => Promise<Response>
}

const open = async (): Promise<Session> => {
  const graph = await openGraph()
  const { access_token: token } = (await (await tokenOf(graph)).json()) as { access_token: string }
  return { graph, ask: (path, init = {}) => fetch(path.startsWith('http') ? path : `${graph.origin}/v1.0${path}`, { ...init, headers: { authorization: `Bearer ${token}` } }) }
}

let session: Session

beforeAll(async () => {
  session = await open()
  const { graph } = session
  await graph.control('PUT', `people/${ADELE}`, { userPrincipalName: 'AdeleV@contoso.example', mail: 'AdeleV@contoso.example', displayName: 'Adele Vance', givenName: 'Adele', surname: 'Vance' })
  await graph.control('PUT', `groups/${NESTED}`, { displayName: 'Recruiters' })
  await graph.control('PUT', `groups/${HR}`, { displayName: 'HR Taskforce', members: [ADELE, NESTED] })
})

const expectLike = async (response: Response, recording: { readonly status: number; readonly body: unknown; readonly headers?: object }): Promise<void> => {
  const body: unknown = await response.json()
  expect(response.status).toBe(recording.status)
  expect({ emulated: shapeOf(body), isAsRecorded: isPartOf(shapeOf(body), shapeOf(recording.body)) }).toMatchObject({ isAsRecorded: true })
  expect(Object.keys(recording.headers ?? {}).filter((name) => !response.headers.has(name))).toEqual([])
}

interface DeltaPage {
  readonly value: readonly Readonly<Record<string, unknown>>[]
  readonly '@odata.nextLink'?: string
  readonly '@odata.deltaLink'?: string
}

const walk = async ({ ask }: Session, from: string): Promise<{ readonly items: readonly Readonly<Record<string, unknown>>[]; readonly delta: string }> => {
  const items: Readonly<Record<string, unknown>>[] = []
  for (let link: string | undefined = from; link !== undefined; ) {
    const page = (await (await ask(link)).json()) as DeltaPage
    items.push(...page.value)
    if (page['@odata.deltaLink'] !== undefined) return { items, delta: page['@odata.deltaLink'] }
    link = page['@odata.nextLink']
  }
  throw new Error('a page without a link')
}

describe('what is recorded', () => {
  it.each([
    ['user', `/users/${ADELE}?${PERSON}`], ['memberOf', `/users/${ADELE}/memberOf?$select=id,displayName&$top=999`], ['group', `/groups/${HR}?$select=id,displayName`],
    ['members', `/groups/${HR}/members?$select=id&$top=999`], ['membersNext', `/groups/${HR}/members?$select=id&$top=1`], ['missing', '/users/00000000-0000-4000-8000-000000000000'],
  ] as const)('%s', async (name, path) => expectLike(await session.ask(path), recordings[name]))

  it('usersDelta and groupsDelta, of changes', async () => {
    const other = await open()
    const [users, groups] = [await walk(other, `/users/delta?${PERSON}`), await walk(other, '/groups/delta?$select=displayName,members')]
    await other.graph.control('PUT', `people/${ADELE}`, { userPrincipalName: 'AdeleV@contoso.example', mail: 'a@contoso.example', displayName: 'Adele', givenName: 'Adele', surname: 'Vance' })
    await other.graph.control('PUT', `groups/${HR}`, { displayName: 'HR Taskforce', members: [ADELE] })
    await expectLike(await other.ask(users.delta), recordings.usersDelta)
    const { '@odata.nextLink': _, ...last } = recordings.groupsDelta.body
    await expectLike(await other.ask(groups.delta), { status: 200, body: { ...last, '@odata.deltaLink': 'https://graph.microsoft.com/' } })
  })

  it('token', async () => expectLike(await tokenOf(session.graph), recordings.token))
  it('secretRefused', async () => expectLike(await tokenOf(session.graph, { client_secret: 'wrong' }), recordings.secretRefused))
  it('tokenInvalid', async () => {
    await expectLike(await fetch(`${session.graph.origin}/v1.0/users?$top=1`, { headers: { authorization: 'Bearer x' } }), recordings.tokenInvalid)
  })

  it('denied', async () => {
    const clientId = crypto.randomUUID()
    await session.graph.control('PUT', `clients/${clientId}`, { secrets: ['s'], permissions: ['User.Read.All'] })
    const { access_token: token } = (await (await tokenOf({ ...session.graph, clientId, secret: 's' })).json()) as { access_token: string }
    const headers = { authorization: `Bearer ${token}` }
    expect((await fetch(`${session.graph.origin}/v1.0/users?$top=1`, { headers })).status).toBe(200)
    await expectLike(await fetch(`${session.graph.origin}/v1.0/groups?$top=1`, { headers }), recordings.denied)
  })

  it('resync and throttled', async () => {
    const other = await open()
    const { delta } = await walk(other, '/users/delta')
    await other.graph.control('POST', 'forget')
    await expectLike(await other.ask(delta), recordings.resync)
    await other.graph.fault({ kind: 'status', status: 429, retryAfter: 10 })
    await expectLike(await other.ask('/users/delta'), recordings.throttled)
  })
})

describe('tokens', () => {
  it('are given for an assertion that names its certificate, once', async () => {
    const { graph } = session
    const { privateJwk, publicJwk } = await newKeyPair()
    const key = await crypto.subtle.importKey('jwk', privateJwk as JsonWebKey, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'])
    const clientId = crypto.randomUUID()
    await graph.control('PUT', `clients/${clientId}`, { certificates: [{ thumbprint: 'a-thumbprint', jwk: publicJwk }] })
    const ask = async (thumbprint: string, jti: string): Promise<number> => {
      const assertion = await new SignJWT({}).setProtectedHeader({ alg: 'ES256', 'x5t#S256': thumbprint }).setIssuer(clientId).setSubject(clientId)
        .setAudience(`${graph.origin}/${graph.tenantId}/oauth2/v2.0/token`).setJti(jti).setExpirationTime('5m').sign(key)
      return (await tokenOf({ ...graph, clientId }, { client_assertion: assertion })).status
    }
    expect([await ask('a-thumbprint', 'one'), await ask('a-thumbprint', 'one'), await ask('another', 'two')]).toEqual([200, 401, 401])
  })
})

describe('delta queries', () => {
  it('tell of everybody over pages, then of what changed, soft and permanent deletions apart', async () => {
    const other = await open()
    const { graph } = other
    await graph.control('POST', 'switches', { pageSize: 2 })
    for (const id of [ADELE, BORIS, 'c', 'd', 'e']) await graph.control('PUT', `people/${id}`, {})
    const first = await walk(other, `/users/delta?${PERSON}`)
    expect(first.items.map(({ id }) => id)).toEqual([ADELE, BORIS, 'c', 'd', 'e'])
    await graph.control('DELETE', 'people/c')
    await graph.control('DELETE', 'people/d?permanent=true')
    await graph.control('PUT', `people/${BORIS}`, { accountEnabled: false })
    const second = await walk(other, first.delta)
    expect(second.items).toEqual([
      { id: 'c', '@removed': { reason: 'changed' } }, { id: 'd', '@removed': { reason: 'deleted' } }, expect.objectContaining({ id: BORIS, accountEnabled: false }),
    ])
    expect((await walk(other, second.delta)).items).toEqual([])
    await graph.control('PUT', 'people/c', {})
    expect((await walk(other, second.delta)).items).toEqual([expect.objectContaining({ id: 'c', accountEnabled: true })])
  })

  it('tell of the members of a large group over several pages', async () => {
    const other = await open()
    await other.graph.control('POST', 'switches', { pageSize: 3 })
    await other.graph.control('PUT', `groups/${HR}`, { displayName: 'HR', members: Array.from({ length: 7 }, (_, i) => `m${i}`) })
    const { items, delta } = await walk(other, '/groups/delta?$select=displayName,members')
    const members = items.flatMap((item) => (item['members@delta'] ?? []) as readonly { id: string }[])
    expect({ pages: items.length, members: members.map(({ id }) => id) }).toEqual({ pages: 3, members: ['m0', 'm1', 'm2', 'm3', 'm4', 'm5', 'm6'] })
    await other.graph.control('DELETE', `groups/${HR}/members/m3`)
    expect((await walk(other, delta)).items).toEqual([
      { id: HR, displayName: 'HR', 'members@delta': [{ '@odata.type': '#microsoft.graph.user', id: 'm3', '@removed': { reason: 'deleted' } }] },
    ])
  })
})

describe('subscriptions', () => {
  const wanted = (notificationUrl: string, more: object = {}): RequestInit => ({
    method: 'POST',
    body: JSON.stringify({ changeType: 'updated,deleted', resource: 'users', notificationUrl, clientState: 's', expirationDateTime: new Date(Date.now() + 3_600_000).toISOString(), ...more }),
  })

  it('are not made without the handshake, nor for too long', async () => {
    const { ask } = session
    expect((await ask('/subscriptions', wanted('http://127.0.0.1:8787/healthz'))).status).toBe(400)
    const tooLong = { expirationDateTime: new Date(Date.now() + 41_761 * 60_000).toISOString() }
    expect((await ask('/subscriptions', wanted('http://127.0.0.1:8787/healthz', tooLong))).status).toBe(400)
  })

  it('are not there when nobody made them', async () => {
    for (const method of ['GET', 'PATCH', 'DELETE']) expect((await session.ask('/subscriptions/none', { method })).status).toBe(404)
  })
})
