import { SignJWT } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import recordings from '../../recordings/sources/okta.json'
import { isPartOf, newKeyPair, openOkta, shapeOf, type Emulator, type KeyPair } from '../../sources/emulators'

/** The emulator answers as Okta's reference shows: statuses, members and headers of each recording, and the behaviour between calls. */

let okta: Emulator
let keys: KeyPair

const AUTHORIZED = { authorization: 'SSWS dev-okta-token' }

beforeAll(async () => {
  okta = await openOkta()
  keys = await newKeyPair()
  await okta.control('PUT', 'people/00ub0oNGTSWTBKOLGLNR', { login: 'isaac.brock@example.com', firstName: 'Isaac', lastName: 'Brock' })
  for (const id of ['00uA', '00uB', '00uC']) await okta.control('PUT', `people/${id}`, { login: `${id}@example.com` })
  await okta.control('PUT', 'people/00uD', { login: 'gone@example.com', status: 'DEPROVISIONED' })
  await okta.control('PUT', 'groups/0gabcd1234', { name: 'Cloud App Users', members: ['00uA', '00uB', '00ub0oNGTSWTBKOLGLNR'] })
  await okta.control('PUT', 'apps/0oafxqCAJWWGELFTYASJ', { users: ['00ub0oNGTSWTBKOLGLNR', '00uA'] })
  await okta.control('PUT', 'clients/0oaclient', { keys: [keys.publicJwk] })
  await okta.control('PUT', 'clients/0oabound', { keys: [keys.publicJwk], dpop: true })
})

const get = (path: string, headers: Readonly<Record<string, string>> = AUTHORIZED): Promise<Response> => fetch(okta.origin + path, { headers })

const idsOf = async (response: Response): Promise<readonly string[]> => ((await response.json()) as readonly { id: string }[]).map(({ id }) => id)

const assertion = (clientId: string, more: { readonly audience?: string; readonly jti?: string } = {}): Promise<string> =>
  new SignJWT({}).setProtectedHeader({ alg: 'ES256' }).setIssuer(clientId).setSubject(clientId)
    .setAudience(more.audience ?? `${okta.origin}/oauth2/v1/token`).setJti(more.jti ?? crypto.randomUUID()).setExpirationTime('5m')
    .sign(keysOf())

let imported: CryptoKey
const keysOf = (): CryptoKey => imported

beforeAll(async () => {
  imported = await crypto.subtle.importKey('jwk', keys.privateJwk as JsonWebKey, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'])
})

const askToken = async (form: Readonly<Record<string, string>>, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
  fetch(`${okta.origin}/oauth2/v1/token`, {
    method: 'POST', headers,
    body: new URLSearchParams({
      grant_type: 'client_credentials', scope: 'okta.users.read okta.groups.read',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', ...form,
    }),
  })

const expectLike = async (response: Response, recording: { readonly status: number; readonly body: unknown; readonly headers?: object }): Promise<void> => {
  const body: unknown = await response.json()
  expect(response.status).toBe(recording.status)
  expect({ emulated: shapeOf(body), isAsRecorded: isPartOf(shapeOf(body), shapeOf(recording.body)) }).toMatchObject({ isAsRecorded: true })
  expect(Object.keys(recording.headers ?? {}).filter((name) => !response.headers.has(name))).toEqual([])
}

describe('what is recorded', () => {
  it.each(['user', 'userGroups', 'group', 'appUsers', 'missing', 'badFilter'] as const)('%s', async (name) => {
    await expectLike(await get(recordings[name].request.slice(4)), recordings[name])
  })

  it('users, with the addresses of this page and the next', async () => {
    await okta.control('POST', 'switches', { pageSize: 2 })
    const response = await get('/api/v1/users?limit=200')
    await expectLike(response, recordings.users)
    expect(response.headers.get('link')).toBe(`<${okta.origin}/api/v1/users?limit=200>; rel="self", <${okta.origin}/api/v1/users?limit=200&after=after-00uB>; rel="next"`)
    await okta.control('POST', 'switches', { pageSize: 200 })
  })

  it('tokenInvalid', async () => expectLike(await get('/api/v1/users?limit=1', { authorization: 'SSWS wrong' }), recordings.tokenInvalid))

  it('throttled', async () => {
    await okta.fault({ kind: 'status', status: 429 })
    await expectLike(await get('/api/v1/users?limit=200'), recordings.throttled)
  })

  it('token, and forbidden beyond its scopes', async () => {
    const response = await askToken({ client_assertion: await assertion('0oaclient'), scope: 'okta.users.read' })
    const { access_token: token } = (await response.clone().json()) as { access_token: string }
    await expectLike(response, recordings.token)
    expect((await get('/api/v1/users?limit=1', { authorization: `Bearer ${token}` })).status).toBe(200)
    await expectLike(await get('/api/v1/groups?limit=1', { authorization: `Bearer ${token}` }), recordings.forbidden)
  })

  it('clientRefused', async () => {
    await expectLike(await askToken({ client_assertion: await assertion('0oaclient', { audience: 'https://elsewhere.example/oauth2/v1/token' }) }), recordings.clientRefused)
    await expectLike(await askToken({ client_assertion: await assertion('0oanobody') }), recordings.clientRefused)
  })

  it('proofMissing', async () => expectLike(await askToken({ client_assertion: await assertion('0oabound') }), recordings.proofMissing))

  it('nonceMissing', async () => {
    const proof = await new SignJWT({ htm: 'POST', htu: `${okta.origin}/oauth2/v1/token` })
      .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk: keys.publicJwk }).setJti(crypto.randomUUID()).setIssuedAt().sign(imported)
    await expectLike(await askToken({ client_assertion: await assertion('0oabound') }, { dpop: proof }), recordings.nonceMissing)
  })
})

describe('between calls', () => {
  it('lists everybody but the deprovisioned, who are asked for by a filter', async () => {
    expect(await idsOf(await get('/api/v1/users?limit=200'))).toEqual(['00uA', '00uB', '00uC', '00ub0oNGTSWTBKOLGLNR'])
    expect(await idsOf(await get(`/api/v1/users?limit=200&filter=${encodeURIComponent('status eq "DEPROVISIONED"')}`))).toEqual(['00uD'])
  })

  it('finds a person by id, login and the unambiguous part before the @', async () => {
    for (const name of ['00ub0oNGTSWTBKOLGLNR', 'isaac.brock@example.com', 'ISAAC.BROCK@EXAMPLE.COM', 'isaac.brock']) {
      expect(await (await get(`/api/v1/users/${name}`)).json()).toMatchObject({ id: '00ub0oNGTSWTBKOLGLNR' })
    }
  })

  it('takes an assertion once', async () => {
    const jti = crypto.randomUUID()
    expect((await askToken({ client_assertion: await assertion('0oaclient', { jti }) })).status).toBe(200)
    expect((await askToken({ client_assertion: await assertion('0oaclient', { jti }) })).status).toBe(401)
  })

  it('counts requests of a kind and refuses those beyond the allowance', async () => {
    const other = await openOkta()
    await other.control('POST', 'switches', { rateLimit: 2 })
    const ask = async (path: string): Promise<string> => {
      const { status, headers } = await fetch(other.origin + path, { headers: AUTHORIZED })
      return `${status} ${headers.get('x-rate-limit-remaining') ?? ''}`
    }
    expect([await ask('/api/v1/users'), await ask('/api/v1/users'), await ask('/api/v1/users'), await ask('/api/v1/groups')]).toEqual(['200 1', '200 0', '429 0', '200 1'])
  })

  it('takes a deleted person out of every group and app', async () => {
    const other = await openOkta()
    await other.control('PUT', 'people/1', {})
    await other.control('PUT', 'groups/g', { members: ['1'] })
    await other.control('PUT', 'apps/a', { users: ['1'] })
    await other.control('DELETE', 'people/1')
    expect(await other.control('GET', 'state')).toMatchObject({ person: [], group: [{ id: 'g', members: [] }], app: [{ users: [] }] })
  })

  it.each([
    [{ kind: 'empty' }, '200 0'], [{ kind: 'html' }, '502 -'], [{ kind: 'lost' }, 'lost'], [{ kind: 'status', status: 500 }, '500 -'],
  ])('has a bad day: %j', async (fault, expected) => {
    await okta.fault(fault)
    const said = await get('/api/v1/users').then(async (response) => `${response.status} ${response.ok ? (await idsOf(response)).length : '-'}`, () => 'lost')
    expect(said).toBe(expected)
    expect((await get('/api/v1/users')).status).toBe(200)
  })
})
