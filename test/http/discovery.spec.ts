import { beforeAll, describe, expect, it } from 'vitest'
import { methodsOf, readScimAddress } from '../../src/http/endpoint'
import { ENTITLEMENT_SCHEMA, PROVISIONING_SCHEMA, ROLE_SCHEMA } from '../../src/scim/schema'
import { admin, call, connect, openTenant, own, rowsOf, scimErrorFaults, textAt, type Answer, type Connected, type Message } from './bridge'

const TENANT = 'http-discovery'
const PREFIX = `/t/${TENANT}`
const BASE = `http://127.0.0.1${PREFIX}/scim/v2`

let okta: Connected
let entra: Connected

const scim = (method: string, path: string, message: Message = {}): Promise<Answer> =>
  call(method, `${PREFIX}/scim/v2${path}`, { authorization: okta.authorization, ...message })

const POLICY = {
  mappings: [
    { id: 'viewer', entitlement: 'ML viewer', connection: 'Okta', grants: [{ organization: 'ML', role: 'READ_ONLY' }] },
    { id: 'a/b', entitlement: 'ML member', connection: 'Okta', grants: [{ organization: 'ML', role: 'MEMBER' }] },
    { id: 'lead', entitlement: 'Lead', connection: 'Okta', grants: [{ organization: 'ML', space: 'Ranking', role: 'ADMIN' }] },
    { id: 'theirs', entitlement: 'Secret', connection: 'Entra', grants: [{ organization: 'Hush', role: 'ADMIN' }] },
  ],
}

beforeAll(async () => {
  await openTenant(TENANT)
  okta = await connect(PREFIX, 'Okta', { source: 'okta', entitlements: true })
  entra = await connect(PREFIX, 'Entra', { source: 'entra' })
  expect((await admin('PUT', `${PREFIX}/admin/api/policy`, POLICY)).status).toBe(200)
})

const namesIn = ({ body }: Answer, key = 'id'): unknown[] => {
  const resources = own(body, 'Resources')
  return Array.isArray(resources) ? resources.map((resource: unknown) => own(resource, key)) : []
}

describe('discovery', () => {
  it('says of a connection what that connection has', async () => {
    const asEntra = { authorization: entra.authorization }
    expect(namesIn(await scim('GET', '/ResourceTypes'))).toEqual(['User', 'Group', 'Role', 'Entitlement'])
    expect(namesIn(await scim('GET', '/ResourceTypes', asEntra))).toEqual(['User', 'Group'])
    const ours = namesIn(await scim('GET', '/Schemas'))
    expect(namesIn(await scim('GET', '/Schemas', asEntra))).toEqual(ours.slice(0, 4))
    expect(ours.slice(3)).toEqual([PROVISIONING_SCHEMA, ROLE_SCHEMA, ENTITLEMENT_SCHEMA])
    const statuses = await Promise.all([scim('GET', `/Schemas/${ROLE_SCHEMA}`), scim('GET', `/Schemas/${ROLE_SCHEMA}`, asEntra), scim('GET', '/ResourceTypes/role', asEntra)])
    expect(statuses.map(({ status }) => status)).toEqual([200, 404, 404])
    expect(scimErrorFaults(statuses[2] ?? statuses[0])).toEqual([])
  })

  it('is not for strangers', async () => {
    for (const path of ['/Roles', '/Entitlements', '/Schemas']) {
      const stranger = await scim('GET', path, { authorization: 'Bearer somebody-else' })
      expect([stranger.status, scimErrorFaults(stranger)]).toEqual([401, []])
    }
  })
})

describe('/Roles and /Entitlements', () => {
  it('are read as lists and by id', async () => {
    const list = await scim('GET', '/Roles?count=1&startIndex=2')
    expect(list.headers.get('content-type')).toBe('application/scim+json')
    expect(list.body).toMatchObject({ totalResults: 2, startIndex: 2, itemsPerPage: 1, Resources: [{ id: 'mapping.a~2f.b', displayName: 'ML member' }] })
    const location = textAt(list, 'Resources', 0, 'meta', 'location')
    expect(location).toBe(`${BASE}/Roles/mapping.a~2f.b`)
    const role = await call('GET', new URL(location).pathname, { authorization: okta.authorization })
    expect(role.body).toEqual(own(list.body, 'Resources', 0))
    expect([role.status, role.headers.get('etag'), role.headers.get('location')]).toEqual([200, textAt(role, 'meta', 'version'), location])
    const again = await scim('GET', '/Roles/mapping.viewer', { headers: { 'if-none-match': textAt(role, 'meta', 'version') } })
    expect([again.status, again.text]).toEqual([304, ''])
    expect(namesIn(await scim('GET', '/Entitlements?filter=displayName+eq+%22LEAD%22'))).toEqual(['mapping.lead'])
    const head = await scim('HEAD', '/Entitlements')
    expect([head.status, head.text]).toEqual([200, ''])
  })

  it('are searched by POST, and paged by cursor', async () => {
    const search = await scim('POST', '/Roles/.search', { body: { filter: 'displayName co "MEMBER"', attributes: ['displayName'] } })
    expect([search.status, own(search.body, 'Resources')]).toEqual([200, [{ schemas: [ROLE_SCHEMA], id: 'mapping.a~2f.b', displayName: 'ML member' }]])
    const first = await scim('POST', '/Roles/.search', { body: { cursor: '', count: 1 } })
    const second = await scim('GET', `/Roles?count=1&cursor=${textAt(first, 'nextCursor')}`)
    expect([namesIn(first), namesIn(second), own(second.body, 'nextCursor')]).toEqual([['mapping.viewer'], ['mapping.a~2f.b'], undefined])
    const wrong = await scim('POST', '/Entitlements/.search', { body: { filter: 1 } })
    expect([wrong.status, scimErrorFaults(wrong)]).toEqual([400, []])
    const get = await scim('GET', '/Roles/.search')
    expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST, OPTIONS'])
  })

  it('show nothing that is for another connection', async () => {
    expect((await scim('GET', '/Roles')).text + (await scim('GET', '/Entitlements')).text).not.toMatch(/Secret|Hush|theirs/)
    expect((await scim('GET', '/Roles/mapping.theirs')).status).toBe(404)
  })

  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'PURGE'])('%s is 405, names what is allowed and changes nothing', async (method) => {
    for (const path of ['/Roles', '/Entitlements/mapping.lead']) {
      const before = await rowsOf(TENANT)
      const answer = await scim(method, path, method === 'DELETE' || method === 'PURGE' ? {} : { body: { displayName: 'Mine' } })
      expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS'])
      expect(scimErrorFaults(answer)).toEqual([])
      expect(await rowsOf(TENANT)).toEqual(before)
    }
  })

  it.each<[string, string]>([
    ['GET', '/Roles'], ['GET', '/Entitlements/mapping.lead'], ['GET', '/Roles?filter=('], ['GET', '/Roles?count=x'], ['POST', '/Roles'], ['DELETE', '/Entitlements/x'],
    ['POST', '/Roles/.search'], ['GET', '/Roles/.search'],
  ])('%s %s is 404 where they are off', async (method, path) => {
    const answer = await scim(method, path, { authorization: entra.authorization })
    expect([answer.status, own(answer.body, 'detail'), answer.headers.get('allow')]).toEqual([404, 'There is no such endpoint.', null])
    expect(scimErrorFaults(answer)).toEqual([])
  })

  it.each<[string, number, string | undefined]>([
    ['/Roles?filter=displayName+eq', 400, 'invalidFilter'], ['/Roles?count=x', 400, 'invalidValue'], ['/Roles/%zz', 404, undefined], ['/Roles/a/b', 404, undefined],
    ['/roles', 404, undefined], ['/Roles/viewer', 404, undefined], ['/Entitlements/__proto__', 404, undefined],
  ])('%s is %d', async (path, status, scimType) => {
    const answer = await scim('GET', path)
    expect([answer.status, own(answer.body, 'scimType'), scimErrorFaults(answer)]).toEqual([status, scimType, []])
  })

  it('are turned on and off by an administrator, at once', async () => {
    const late = await connect(PREFIX, 'Late', { source: 'late' })
    const look = async (): Promise<number> => (await scim('GET', '/Roles', { authorization: late.authorization })).status
    const turn = (entitlements: boolean): Promise<Answer> => admin('PATCH', `${PREFIX}/admin/api/connections/${late.id}`, { entitlements })
    expect(await look()).toBe(404)
    expect([(await turn(true)).status, await look()]).toEqual([200, 200])
    expect([(await turn(false)).status, await look()]).toEqual([200, 404])
  })
})

describe('/Me', () => {
  it.each(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('%s is 501: callers are connections, never persons', async (method) => {
    for (const path of ['/Me', '/Me/', '/Me/emails', '/Me?attributes=userName']) {
      const before = await rowsOf(TENANT)
      const answer = await scim(method, path, ['POST', 'PUT', 'PATCH'].includes(method) ? { body: { userName: 'x@example.com' } } : {})
      expect(answer.status).toBe(501)
      expect(method === 'HEAD' ? answer.text : scimErrorFaults(answer)).toEqual(method === 'HEAD' ? '' : [])
      expect(await rowsOf(TENANT)).toEqual(before)
    }
  })

  it('tells a stranger nothing', async () => expect((await scim('GET', '/Me', { authorization: null })).status).toBe(401))
})

describe('the addresses of Roles and Entitlements', () => {
  it.each([
    ['/scim/v2/Roles', { kind: 'catalogue', type: 'Role', id: null }], ['/scim/v2/Entitlements/', { kind: 'catalogue', type: 'Entitlement', id: null }],
    ['/t/acme/scim/v2/Roles/mapping.a~2f.b', { kind: 'catalogue', type: 'Role', id: 'mapping.a~2f.b' }],
  ])('%s', (path, endpoint) => {
    const address = readScimAddress(`https://bridge.example.com${path}`)
    expect(address?.endpoint).toEqual(endpoint)
    expect(address === null ? [] : methodsOf(address.endpoint)).toEqual(['GET', 'HEAD', 'OPTIONS'])
  })
})
