import { beforeAll, describe, expect, it } from 'vitest'
import { admin, call, openTenant, own, rowsOf, textAt, type Answer } from '../http/bridge'

const TENANT = 'admin-connections'
const PREFIX = `/t/${TENANT}`
const PATH = `${PREFIX}/admin/api/connections`

beforeAll(() => openTenant(TENANT))

const create = (body: Readonly<Record<string, unknown>>): Promise<Answer> => admin('POST', PATH, { kind: 'scim', ...body })

const ISSUER = {
  issuer: 'https://idp.example.com/', audience: 'https://bridge.example.com/scim/v2', jwksUri: 'https://idp.example.com/keys',
  caller: { claim: 'azp', values: ['entra-provisioning'] },
}

describe('POST connections', () => {
  it('answers what to paste into the provider, the token this once', async () => {
    const answer = await create({ name: 'Okta production', source: 'okta', address: 'userName', issuers: [ISSUER] })
    expect(answer.status).toBe(201)
    expect(answer.body).toMatchObject({
      kind: 'scim', name: 'Okta production', source: 'okta', state: 'active', address: 'userName', revision: 1, issuers: [ISSUER], scimBaseUrl: `http://127.0.0.1${PREFIX}/scim/v2`,
      token: expect.stringMatching(/^arzb_scim_[A-Za-z0-9_-]{43}$/), tokenId: expect.any(String),
    })
    const token = textAt(answer, 'token')
    expect((await call('GET', `${PREFIX}/scim/v2/Users`, { authorization: `Bearer ${token}` })).status).toBe(200)
    const list = await admin('GET', PATH)
    const tokens = await admin('GET', `${PATH}/${textAt(answer, 'id')}/tokens`)
    expect(own(tokens.body, 'tokens')).toMatchObject([{ id: textAt(answer, 'tokenId'), expiresAt: null }])
    expect(list.text + tokens.text + JSON.stringify(await rowsOf(TENANT))).not.toContain(token)
    expect(list.body).toMatchObject({ connections: expect.arrayContaining([expect.objectContaining({ id: textAt(answer, 'id'), name: 'Okta production' })]) })
  })

  it('without a source is a source of its own', async () => {
    const sources = []
    for (const name of ['Entra A', 'Entra-A', 'entra a', '日本']) sources.push(textAt(await create({ name }), 'source'))
    expect(new Set(sources).size).toBe(4)
    expect(sources[0]).toMatch(/^entra-a-[0-9a-f]{8}$/)
  })

  it('refuses a name that is taken, and a caller that another connection pins', async () => {
    await create({ name: 'Taken', issuers: [{ ...ISSUER, issuer: 'https://taken.example.com' }] })
    const before = await rowsOf(TENANT)
    const name = await create({ name: 'Taken' })
    const caller = await create({ name: 'Another', issuers: [{ ...ISSUER, issuer: 'https://taken.example.com' }] })
    expect([name.status, caller.status]).toEqual([409, 409])
    expect(own(caller.body, 'detail')).toEqual(expect.stringContaining('entra-provisioning'))
    expect(await rowsOf(TENANT)).toEqual(before)
  })

  it.each<[unknown, string]>([
    [{ name: 'x' }, 'kind'], [{ kind: 'ldap', name: 'x' }, 'kind'], [{ kind: 'scim' }, 'name'], [{ kind: 'scim', name: '' }, 'name'],
    [{ kind: 'scim', name: 'x'.repeat(101) }, 'name'], [{ kind: 'scim', name: 'x', source: '' }, 'source'], [{ kind: 'scim', name: 'x', address: 'mail' }, 'address'],
    [{ kind: 'scim', name: 'x', token: 'my-own' }, 'token'], [{ kind: 'scim', name: 'x', issuers: {} }, 'issuers'],
    [{ kind: 'scim', name: 'x', issuers: Array.from({ length: 21 }, () => ISSUER) }, 'issuers'], [{ kind: 'scim', name: 'x', issuers: ['y'] }, 'issuers[0]'],
    [{ kind: 'scim', name: 'x', issuers: [ISSUER, { ...ISSUER, issuer: 'http://idp.example.com' }] }, 'issuers[1].issuer'],
    [{ kind: 'scim', name: 'x', issuers: [{ ...ISSUER, jwksUri: undefined }] }, 'issuers[0].jwksUri'],
    [{ kind: 'scim', name: 'x', issuers: [{ ...ISSUER, algorithms: ['HS256'] }] }, 'issuers[0].algorithms[0]'],
    [{ kind: 'scim', name: 'x', issuers: [{ ...ISSUER, caller: { claim: 'email', values: ['a'] } }] }, 'issuers[0].caller.claim'],
    [{ kind: 'scim', name: 'x', issuers: [{ ...ISSUER, caller: { claim: 'sub', values: [] } }] }, 'issuers[0].caller.values'],
    [{ kind: 'scim', name: 'x', issuers: [{ ...ISSUER, any: 1 }] }, 'issuers[0].any'],
    [{ kind: 'scim', name: 'x', issuers: [{ ...ISSUER, issuer: 'https://login.microsoftonline.com/common/v2.0' }] }, 'issuers[0].issuer'],
    [[], ''],
  ])('%j is 400 about %s', async (body, path) => {
    const before = await rowsOf(TENANT)
    const answer = await admin('POST', PATH, body)
    expect([answer.status, own(answer.body, 'errors', 0, 'path')]).toEqual([400, path])
    expect(String(own(answer.body, 'errors', 0, 'sentence'))).toMatch(/^[^A-Z]*[A-Za-z].*\.$/)
    expect(await rowsOf(TENANT)).toEqual(before)
  })
})

describe('PATCH connections/{id}', () => {
  it('turns the catalogue of entitlements on, renames, and raises the revision', async () => {
    const made = await create({ name: 'To be changed', entitlements: false, issuers: [{ ...ISSUER, issuer: 'https://changed.example.com' }] })
    const id = textAt(made, 'id')
    expect(own(made.body, 'entitlements')).toBe(false)
    const changed = await admin('PATCH', `${PATH}/${id}`, { entitlements: true, name: ' Changed ' })
    const { token: _token, tokenId: _tokenId, ...before } = made.body as Readonly<Record<string, unknown>>
    expect([changed.status, changed.body]).toEqual([200, { ...before, name: 'Changed', entitlements: true, revision: 2, lastEventAt: own(changed.body, 'lastEventAt') }])
    const list = await admin('GET', PATH)
    expect(list.body).toMatchObject({ connections: expect.arrayContaining([expect.objectContaining({ id, name: 'Changed', entitlements: true, revision: 2 })]) })
    expect(own((await create({ name: 'On from the start', entitlements: true })).body, 'entitlements')).toBe(true)
  })

  it.each<[unknown, string]>([
    [{ entitlements: 'true' }, 'entitlements'], [{ name: '' }, 'name'], [{ name: null }, 'name'], [{ entitlements: null }, 'entitlements'],
    // Another address would make somebody else of every user.
    [{ address: 'userName' }, 'address'], [{ source: 'x' }, 'source'], [{ revision: 1 }, 'revision'], [[], ''],
  ])('%j is 400 about %s', async (body, path) => {
    const id = textAt(await create({ name: `Unchanged ${JSON.stringify(body)}` }), 'id')
    const before = await rowsOf(TENANT)
    const answer = await admin('PATCH', `${PATH}/${id}`, body)
    expect([answer.status, own(answer.body, 'errors', 0, 'path')]).toEqual([400, path])
    expect(await rowsOf(TENANT)).toEqual(before)
  })

  it('refuses one that nobody knows, a name that is taken, and a caller who is no administrator', async () => {
    const one = await create({ name: 'Patch one' })
    await create({ name: 'Patch two' })
    const before = await rowsOf(TENANT)
    const answers = [
      await admin('PATCH', `${PATH}/nobody`, { entitlements: true }), await admin('PATCH', `${PATH}/${textAt(one, 'id')}`, { name: 'Patch two' }),
      await call('PATCH', `${PATH}/${textAt(one, 'id')}`, { authorization: `Bearer ${textAt(one, 'token')}`, body: { entitlements: true } }),
    ]
    expect(answers.map(({ status }) => status)).toEqual([404, 409, 401])
    expect(await rowsOf(TENANT)).toEqual(before)
  })
})

describe('tokens', () => {
  it('of a connection that nobody knows', async () => {
    for (const [method, path] of [['GET', ''], ['POST', ''], ['DELETE', '/x']] as const) {
      const answer = await admin(method, `${PATH}/nobody/tokens${path}`)
      expect([method, answer.status]).toEqual([method, 404])
    }
  })

  it('are two at most, and none may be another connection\'s to delete', async () => {
    const one = await create({ name: 'Tokens one' })
    const two = await create({ name: 'Tokens two' })
    const path = `${PATH}/${textAt(one, 'id')}/tokens`
    expect((await admin('DELETE', `${path}/${textAt(two, 'tokenId')}`)).status).toBe(404)
    const expiresAt = new Date(Date.now() + 60_000).toISOString()
    const second = await admin('POST', path, { expiresAt })
    expect([second.status, own(second.body, 'expiresAt')]).toEqual([201, expiresAt])
    const third = await admin('POST', path, {})
    expect([third.status, own(third.body, 'detail')]).toEqual([409, expect.stringContaining('2 live tokens')])
    expect((await admin('DELETE', `${path}/${textAt(one, 'tokenId')}`)).status).toBe(204)
    expect((await admin('DELETE', `${path}/${textAt(one, 'tokenId')}`)).status).toBe(404)
    expect((await admin('POST', path)).status).toBe(201)
  })

  it.each<[unknown]>([[{ expiresAt: '2020-01-01T00:00:00Z' }], [{ expiresAt: 'never' }], [{ expiresAt: 1 }], [{ expiresAt: null }]])('%j is 400', async (body) => {
    const id = textAt(await create({ name: `Wrong ${JSON.stringify(body)}` }), 'id')
    const before = await rowsOf(TENANT)
    const answer = await admin('POST', `${PATH}/${id}/tokens`, body)
    expect([answer.status, own(answer.body, 'errors', 0, 'path')]).toEqual([400, 'expiresAt'])
    expect(await rowsOf(TENANT)).toEqual(before)
  })
})
