import { afterAll, describe, expect, it } from 'vitest'
import { Account, type Answer, bindingAt, custom, idOf, items, member, organizationAt, spaceAt } from './account'
import { expectNothing, expectProblem } from './expect'

const arize = new Account('memberships')
afterAll(() => arize.cleanUp())

const UNKNOWN_USER = btoa('User:999999999:aBcDe')
const UNKNOWN_ORGANIZATION = btoa('Organization:999999999:aBcD')
const UNKNOWN_ROLE = btoa('Role:999999999:aBcDe')

describe('organizations', () => {
  it('are made, read, changed and deleted', async () => {
    const name = arize.unique('Ranking')
    const made = await arize.call('POST', '/v2/organizations', { name })
    const organization = { id: idOf(made), name, description: '', created_at: expect.any(String) }
    expect(made).toMatchObject({ status: 201, body: organization })
    const path = organizationAt(idOf(made))
    expect((await arize.get(path)).body).toMatchObject(organization)
    expectProblem(await arize.call('POST', '/v2/organizations', { name }), 409)
    const described = await arize.call('PATCH', path, { description: 'All of it' })
    expect(described.body).toMatchObject({ name, description: 'All of it' })
    expect((await arize.call('PATCH', path, { description: null, name: `${name} 2` })).body).toMatchObject({
      name: `${name} 2`,
      description: '',
    })
    const other = await arize.call('POST', '/v2/organizations', { name, description: 'x' })
    expect(other).toMatchObject({ status: 201, body: { description: 'x' } })
    expectProblem(await arize.call('PATCH', organizationAt(idOf(other)), { name: `${name} 2` }), 409)
    for (const body of [{}, { id: 'x' }, { name: '' }]) expectProblem(await arize.call('PATCH', path, body), 400)
    const refused = [{}, { name: 'x', id: 'x' }, { name: 'x'.repeat(256) }, { name: 'x', description: 'x'.repeat(1001) }]
    for (const body of refused) expectProblem(await arize.call('POST', '/v2/organizations', body), 400)
    const named = await arize.all(`/v2/organizations?name=${encodeURIComponent(name.toLowerCase())}&limit=1`, 'organizations')
    expect(named.map((found) => found['id'])).toEqual([idOf(made), idOf(other)])
    expectNothing(await arize.call('DELETE', path))
    expectProblem(await arize.get(path), 404)
    expectProblem(await arize.call('DELETE', path), 404)
  })

  it('give a member one role, whose membership outlives a change of it', async () => {
    const organization = await arize.organization()
    const user = await arize.user()
    const path = organizationAt(organization)
    const joined = await arize.join(path, user, member('MEMBER'))
    expect(joined.status).toBe(200)
    expect(joined.body).toMatchObject({ user_id: user, organization_id: organization, role: member('MEMBER') })
    const again = await arize.join(path, user, member('ADMIN'))
    expect(again).toMatchObject({ status: 200, body: { id: idOf(joined), role: member('ADMIN') } })
    expectNothing(await arize.leave(path, user))
    expectProblem(await arize.leave(path, user), 404)
  })

  it('never list their members', async () => {
    const organization = await arize.organization()
    const space = await arize.space(organization)
    for (const path of [organizationAt(organization), spaceAt(space)]) {
      expect([404, 405]).toContain((await arize.get(`${path}/users`)).status)
      expect([404, 405]).toContain((await arize.get(`${path}/users/${encodeURIComponent(UNKNOWN_USER)}`)).status)
    }
  })
})

describe.each(['ADMIN', 'MEMBER', 'ANNOTATOR'])('an account with the role %s', (account) => {
  it.each(['ADMIN', 'MEMBER', 'READ_ONLY', 'ANNOTATOR'])('and the role %s of an organization and of a space', async (role) => {
    const fits = (account === 'ANNOTATOR') === (role === 'ANNOTATOR')
    const organization = await arize.organization()
    const space = await arize.space(organization)
    const user = await arize.user(account)
    const joined = await arize.join(organizationAt(organization), user, member(role))
    if (fits) expect(joined).toMatchObject({ status: 200, body: { role: member(role) } })
    else expect([400, 422]).toContain(joined.status)
    await arize.join(organizationAt(organization), user, member(account === 'ANNOTATOR' ? 'ANNOTATOR' : 'MEMBER'))
    const entered = await arize.join(spaceAt(space), user, member(role))
    if (fits) expect(entered).toMatchObject({ status: 200, body: { space_id: space, user_id: user, role: member(role) } })
    else expect([400, 422]).toContain(entered.status)
    expect((await arize.leave(spaceAt(space), user)).status).toBe(fits ? 204 : 404)
  })
})

describe('spaces', () => {
  it('are named once per organization and listed by org_id', async () => {
    const [one, two] = [await arize.organization(), await arize.organization()]
    const name = arize.unique('Same Name')
    const first = await arize.call('POST', '/v2/spaces', { name, organization_id: one, description: 'd' })
    const space = { id: idOf(first), name, description: 'd', is_private: false, created_at: expect.any(String) }
    expect(first).toMatchObject({ status: 201, body: space })
    const second = await arize.call('POST', '/v2/spaces', { name, organization_id: two, is_private: true })
    expect(second).toMatchObject({ status: 201, body: { is_private: true } })
    expectProblem(await arize.call('POST', '/v2/spaces', { name, organization_id: one }), 409)
    const named = `/v2/spaces?name=${encodeURIComponent(name.toUpperCase())}`
    const listed = async (query: string): Promise<readonly unknown[]> =>
      (await arize.all(named + query, 'spaces')).map((found) => found['id'])
    expect(await listed(`&org_id=${encodeURIComponent(two)}`)).toEqual([idOf(second)])
    expect(await listed(`&organization_id=${encodeURIComponent(two)}`)).toEqual([idOf(first), idOf(second)])
    expect(await listed('&limit=1')).toEqual([idOf(first), idOf(second)])
    const path = spaceAt(idOf(first))
    expect((await arize.get(path)).body).toMatchObject(space)
    expect((await arize.call('PATCH', path, { is_private: true, description: null })).body).toMatchObject({
      name,
      description: '',
      is_private: true,
    })
    expectProblem(await arize.call('PATCH', path, {}), 400)
    expectProblem(await arize.call('POST', '/v2/spaces', { name: 'x', organization_id: UNKNOWN_ORGANIZATION }), 404)
    expectProblem(await arize.call('POST', '/v2/spaces', { name: 'x', org_id: one }), 400)
    expectNothing(await arize.call('DELETE', path))
    expectProblem(await arize.get(path), 404)
  })

  it('take members of their organization only', async () => {
    const [organization, elsewhere] = [await arize.organization(), await arize.organization()]
    const space = spaceAt(await arize.space(organization))
    const user = await arize.user()
    expectProblem(await arize.join(space, user, member('MEMBER')), 400)
    await arize.join(organizationAt(elsewhere), user, member('ADMIN'))
    expectProblem(await arize.join(space, user, member('MEMBER')), 400)
    await arize.join(organizationAt(organization), user, member('READ_ONLY'))
    const entered = await arize.join(space, user, member('MEMBER'))
    expect(entered.status).toBe(200)
    expect(await arize.join(space, user, member('ADMIN'))).toMatchObject({ status: 200, body: { id: idOf(entered) } })
    expectNothing(await arize.leave(space, user))
    expectProblem(await arize.leave(space, user), 404)
  })

  it('lose a member who leaves the organization, those of other organizations do not', async () => {
    const [organization, other] = [await arize.organization(), await arize.organization()]
    const spaces = [await arize.space(organization), await arize.space(organization), await arize.space(other)].map(spaceAt)
    const user = await arize.user()
    for (const place of [organizationAt(organization), organizationAt(other), ...spaces]) {
      expect((await arize.join(place, user, member('MEMBER'))).status).toBe(200)
    }
    expectNothing(await arize.leave(organizationAt(organization), user))
    const left = await Promise.all(spaces.map((space) => arize.leave(space, user)))
    expect(left.map((answer) => answer.status)).toEqual([404, 404, 204])
  })

  it('give custom roles, to non-annotators, by the id of an existing role', async () => {
    const organization = await arize.organization()
    const space = await arize.space(organization)
    const [user, annotator] = [await arize.user(), await arize.user('ANNOTATOR')]
    await arize.join(organizationAt(organization), user, member('MEMBER'))
    await arize.join(organizationAt(organization), annotator, member('ANNOTATOR'))
    const role = await arize.role()
    const entered = await arize.join(spaceAt(space), user, custom(role))
    expect(entered).toMatchObject({ status: 200, body: { role: { type: 'CUSTOM', id: role } } })
    expectProblem(await arize.join(spaceAt(space), user, custom(UNKNOWN_ROLE)), 404)
    expectProblem(await arize.join(organizationAt(organization), user, custom(role)), 422)
    expect([400, 422]).toContain((await arize.join(spaceAt(space), annotator, custom(role))).status)
    const wrong = [{ type: 'CUSTOM' }, { type: 'CUSTOM', id: 'x' }, { type: 'PREDEFINED', id: role }, { name: 'ADMIN' }]
    for (const asked of wrong) expectProblem(await arize.join(spaceAt(space), user, asked), 400)
    const bindings = `/v2/role-bindings?resource_type=SPACE&user_id=${encodeURIComponent(user)}`
    expect(await arize.all(bindings, 'role_bindings')).toMatchObject([{ role_id: role, resource_id: space }])
    expectNothing(await arize.leave(spaceAt(space), user))
    expect(await arize.all(bindings, 'role_bindings')).toEqual([])
  })
})

describe('roles and role bindings', () => {
  it('has custom roles beside the predefined, which nobody can change', async () => {
    const name = arize.unique('Prompt Reviewer')
    const made = await arize.call('POST', '/v2/roles', { name, permissions: ['PROMPT_READ'] })
    expect(made).toMatchObject({ status: 201, body: { name, permissions: ['PROMPT_READ'], is_predefined: false } })
    expectProblem(await arize.call('POST', '/v2/roles', { name, permissions: ['PROMPT_READ'] }), 409)
    for (const body of [{ name: 'x' }, { name: 'x', permissions: [] }, { name: 'x', permissions: ['nonsense'] }]) {
      expectProblem(await arize.call('POST', '/v2/roles', body), 400)
    }
    const path = `/v2/roles/${encodeURIComponent(idOf(made))}`
    const patched = await arize.call('PATCH', path, { permissions: ['PROMPT_UPDATE'] })
    expect(patched.body).toMatchObject({ permissions: ['PROMPT_UPDATE'] })
    expectProblem(await arize.call('PATCH', path, {}), 400)
    const ids = async (query: string): Promise<readonly unknown[]> =>
      (await arize.all(`/v2/roles?${query}`, 'roles')).map((role) => role['id'])
    expect(await ids('is_predefined=false')).toContain(idOf(made))
    const predefined = await ids('is_predefined=true')
    expect(predefined).not.toContain(idOf(made))
    expect(await ids('limit=2')).toEqual(expect.arrayContaining([...predefined, idOf(made)]))
    expectNothing(await arize.call('DELETE', path))
    expectProblem(await arize.get(path), 404)
  })

  it('binds one role per user and resource', async () => {
    const organization = await arize.organization()
    const space = await arize.space(organization)
    const project = idOf(await arize.call('POST', '/v2/projects', { name: arize.unique('Project'), space_id: space }))
    const projects = await arize.all(`/v2/projects?space_id=${encodeURIComponent(space)}`, 'projects')
    expect(projects).toMatchObject([{ id: project, space_id: space }])
    const [role, other, user] = [await arize.role(), await arize.role(), await arize.user()]
    await arize.join(organizationAt(organization), user, member('MEMBER'))
    const binding = { role_id: role, user_id: user, resource_type: 'PROJECT', resource_id: project }
    const bound = await arize.call('POST', '/v2/role-bindings', binding)
    expect(bound).toMatchObject({ status: 201, body: { ...binding, id: expect.any(String), updated_at: expect.any(String) } })
    expectProblem(await arize.call('POST', '/v2/role-bindings', { ...binding, role_id: other }), 409)
    const spaceBinding = { ...binding, resource_type: 'SPACE', resource_id: space }
    expect((await arize.call('POST', '/v2/role-bindings', spaceBinding)).status).toBe(201)
    const refused = [{ ...binding, resource_id: space }, { ...binding, resource_type: 'ORGANIZATION' }, { role_id: role }]
    for (const body of refused) expectProblem(await arize.call('POST', '/v2/role-bindings', body), 400)
    expectProblem(await arize.call('POST', '/v2/role-bindings', { ...binding, role_id: UNKNOWN_ROLE }), 404)
    const ofUser = `/v2/role-bindings?user_id=${encodeURIComponent(user)}`
    const list = (query: string): Promise<Answer> => arize.get(ofUser + query)
    expectProblem(await list(''), 400)
    expectProblem(await list('&resource_type=project'), 400)
    expect(items((await list('&resource_type=PROJECT')).body, 'role_bindings')).toMatchObject([binding])
    const path = bindingAt(idOf(bound))
    expect((await arize.call('PATCH', path, { role_id: other })).body).toMatchObject({ ...binding, role_id: other })
    expectProblem(await arize.call('PATCH', path, { role_id: other, user_id: user }), 400)
    expect((await arize.get(path)).body).toMatchObject({ role_id: other })
    expectNothing(await arize.call('DELETE', path))
    expectProblem(await arize.get(path), 404)
    expectNothing(await arize.leave(spaceAt(space), user))
    expect(items((await list('&resource_type=SPACE')).body, 'role_bindings')).toEqual([])
  })
})

describe('API keys', () => {
  it('are listed by owner and type', async () => {
    const user = await arize.user()
    const list = await arize.get(`/v2/api-keys?key_type=USER&user_id=${encodeURIComponent(user)}`)
    expect(list).toMatchObject({ status: 200, body: { api_keys: [], pagination: { has_more: false } } })
    expectProblem(await arize.get('/v2/api-keys?key_type=user'), 400)
    expectProblem(await arize.call('PUT', `/v2/api-keys/${encodeURIComponent(btoa('ApiKey:999999999:aBcD'))}/revoke`), 404)
  })
})
