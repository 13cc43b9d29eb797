import { afterAll, describe, expect, it } from 'vitest'
import {
  Account, type Answer, bindingAt, custom, field, idOf, items, member, organizationAt, spaceAt, UNKNOWN_ORGANIZATION, UNKNOWN_ROLE, UNKNOWN_USER, userAt,
} from './account'
import { expectNothing, expectProblem } from './expect'

const arize = new Account('api')
afterAll(() => arize.cleanUp())

const newUser = (email: string, more: object = {}) => ({ name: 'Jane Smith', email, role: member('MEMBER'), invite_mode: 'NONE', ...more })
const create = (email: string, more: object = {}): Promise<Answer> => arize.call('POST', '/v2/users', newUser(email, more))
const listedEmails = async (email: string, more = ''): Promise<readonly string[]> =>
  (await arize.all(`/v2/users?email=${encodeURIComponent(email)}${more}`, 'users')).map((user) => field(user, 'email'))

describe('users', () => {
  it('creates a user who is active at once', async () => {
    const email = arize.address()
    const made = await create(email)
    expect(made.status).toBe(201)
    const user = {
      id: expect.any(String),
      name: 'Jane Smith',
      email,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      status: 'ACTIVE',
      role: { type: 'PREDEFINED', name: 'MEMBER' },
      is_developer: true,
    }
    expect(made.body).toEqual({ ...user, invite_mode: 'NONE' })
    const read = await arize.get(userAt(idOf(made)))
    expect(read).toMatchObject({ status: 200, body: { ...user, id: idOf(made) } })
    expect(read.body).not.toHaveProperty('invite_mode')
  })

  it.each([['ADMIN', true], ['MEMBER', true], ['ANNOTATOR', false]])('makes %s a developer by default: %s', async (role, isDeveloper) => {
    const byDefault = await create(arize.address(), { role: member(role) })
    expect(byDefault.body).toMatchObject({ role: member(role), is_developer: isDeveloper })
    const asAsked = await create(arize.address(), { role: member(role), is_developer: !isDeveloper })
    expect(asAsked.body).toMatchObject({ is_developer: !isDeveloper })
  })

  it('knows an address whatever its case', async () => {
    const email = arize.address('Mixed.Case')
    expect((await create(email)).status).toBe(201)
    expectProblem(await create(email.toUpperCase()), 409)
    expectProblem(await create(email.toLowerCase(), { invite_mode: 'EMAIL_LINK' }), 409)
  })

  it('answers a pending invitation with the invitation as it is', async () => {
    const email = arize.address()
    const invited = await create(email, { invite_mode: 'EMAIL_LINK' })
    expect(invited).toMatchObject({ status: 201, body: { status: 'INVITED', invite_mode: 'EMAIL_LINK' } })
    const again = await create(email, { invite_mode: 'EMAIL_LINK', name: 'Someone Else', role: member('ADMIN') })
    expect(again).toMatchObject({
      status: 200,
      body: { id: idOf(invited), name: 'Jane Smith', role: member('MEMBER'), status: 'INVITED' },
    })
    expect(again.body).not.toHaveProperty('invite_mode')
  })

  it('shows a temporary password once', async () => {
    const made = await create(arize.address(), { invite_mode: 'TEMPORARY_PASSWORD' })
    expect(made).toMatchObject({ status: 201, body: { status: 'INVITED', temporary_password: expect.any(String) } })
    expect((await arize.get(userAt(idOf(made)))).body).not.toHaveProperty('temporary_password')
  })

  it('makes one user of many creations at once', async () => {
    const email = arize.address()
    const statuses = (await Promise.all(Array.from({ length: 8 }, () => create(email)))).map((made) => made.status)
    expect(statuses.toSorted()).toEqual([201, ...Array.from({ length: 7 }, () => 409)])
    expect(await listedEmails(email)).toEqual([email])
  })

  it.each<[string, unknown]>([
    ['no JSON', '{"name":'],
    ['an empty body', ''],
    ['a list', []],
    ['null', 'null'],
    ['a bare role', newUser('a@contract.example.com', { role: 'MEMBER' })],
    ['a role of another case', newUser('a@contract.example.com', { role: { type: 'predefined', name: 'member' } })],
    ['a role name of another case', newUser('a@contract.example.com', { role: member('member') })],
    ['a role of another level', newUser('a@contract.example.com', { role: member('READ_ONLY') })],
    ['a role with more in it', newUser('a@contract.example.com', { role: { ...member('MEMBER'), id: 'x' } })],
    ['no invite_mode', newUser('a@contract.example.com', { invite_mode: undefined })],
    ['an unknown invite_mode', newUser('a@contract.example.com', { invite_mode: 'none' })],
    ['a system field', newUser('a@contract.example.com', { status: 'ACTIVE' })],
    ['an unknown field', newUser('a@contract.example.com', { nickname: 'J' })],
    ['__proto__', JSON.stringify(newUser('a@contract.example.com')).replace('{', '{"__proto__":{"x":1},')],
    ['a deep body', `${'{"name":'.repeat(20_000)}1${'}'.repeat(20_000)}`],
    ['a blank name', newUser('a@contract.example.com', { name: '   ' })],
    ['a long name', newUser('a@contract.example.com', { name: 'x'.repeat(256) })],
    ['no address', newUser('nobody')],
    ['a number for a name', newUser('a@contract.example.com', { name: 7 })],
  ])('refuses %s', async (_what, body) => {
    expectProblem(await arize.call('POST', '/v2/users', body), 400)
    expect(await listedEmails('a@contract.example.com')).toEqual([])
  })

  it('has no custom account roles yet', async () => {
    expectProblem(await create(arize.address(), { role: custom(UNKNOWN_ROLE) }), 422)
  })

  it('changes a name and the developer flag, and nothing else', async () => {
    const path = userAt(await arize.user())
    const renamed = await arize.call('PATCH', path, { name: '  New Name ' })
    expect(renamed.body).toMatchObject({ name: 'New Name', is_developer: true })
    const lowered = await arize.call('PATCH', path, { is_developer: false })
    expect(lowered.body).toMatchObject({ name: 'New Name', is_developer: false })
    expect((await arize.call('PATCH', path, { is_developer: false })).status).toBe(200)
    const refused = [{}, { name: '  ' }, { role: member('ADMIN') }, { email: arize.address() }, { status: 'EXPIRED' }]
    for (const patch of refused) expectProblem(await arize.call('PATCH', path, patch), 400)
    expect((await arize.get(path)).body).toMatchObject({ name: 'New Name', is_developer: false, role: member('MEMBER') })
  })

  it('deletes for ever', async () => {
    const email = arize.address()
    const id = await arize.user('MEMBER', email)
    const organization = organizationAt(await arize.organization())
    expectNothing(await arize.call('DELETE', userAt(id)))
    expectNothing(await arize.call('DELETE', userAt(id)))
    expectProblem(await arize.get(userAt(id)), 404)
    expectProblem(await arize.call('PATCH', userAt(id), { name: 'Back Again' }), 404)
    expectProblem(await arize.call('POST', `${userAt(id)}/resend-invitation`), 404)
    expectProblem(await arize.join(organization, id, member('MEMBER')), 404)
    expectProblem(await create(email), 409)
    expectProblem(await create(email, { invite_mode: 'EMAIL_LINK' }), 409)
    expect(await listedEmails(email)).toEqual([])
    expect(await listedEmails(email, '&status=ACTIVE&status=INVITED&status=EXPIRED')).toEqual([])
    expectProblem(await arize.get('/v2/users?status=INACTIVE'), 400)
  })

  it('sends an invitation again while it is pending', async () => {
    const invited = await create(arize.address(), { invite_mode: 'EMAIL_LINK' })
    expectNothing(await arize.call('POST', `${userAt(idOf(invited))}/resend-invitation`))
    expectProblem(await arize.call('POST', `${userAt(await arize.user())}/resend-invitation`), 400)
  })

  it('finds addresses by a part of them in any case, oldest first, a page at a time', async () => {
    const mark = `page-${arize.run}`
    const made: string[] = []
    for (const n of ['c', 'a', 'b', 'e', 'd']) {
      made.push(`${n}.${mark}@contract.example.com`)
      await create(made.at(-1) ?? '', n === 'e' ? { invite_mode: 'EMAIL_LINK' } : {})
    }
    expect(await listedEmails(mark.toUpperCase())).toEqual(made)
    expect(await listedEmails(mark, '&limit=2')).toEqual(made)
    expect(await listedEmails(mark, '&limit=5')).toEqual(made)
    expect(await listedEmails(mark, '&status=INVITED')).toEqual([made[3]])
    expect(await listedEmails(mark, '&status=INVITED&status=ACTIVE')).toEqual(made)
    expect(await listedEmails(`b.${mark}`)).toEqual([made[2]])
    expect(await listedEmails(mark.replace('-', '%'))).toEqual([])
    const last = await arize.get(`/v2/users?email=${mark}&limit=5`)
    expect(last.body['pagination']).toEqual({ has_more: false })
    const early = await arize.get(`/v2/users?email=${mark}&limit=4`)
    expect(early.body['pagination']).toEqual({ has_more: true, next_cursor: expect.any(String) })
    expect((await arize.get(`/v2/users?email=${mark}&limit=1&name=ignored&sort=email`)).status).toBe(200)
  })

  it.each([
    'limit=0', 'limit=101', 'limit=ten', 'limit=-1', 'status=active', 'status=', 'cursor=nonsense', `email=${'x'.repeat(256)}`,
  ])('refuses to list with %s', async (query) => {
    expectProblem(await arize.get(`/v2/users?${query}`), 400)
  })
})

describe('ids and keys', () => {
  it('takes ids percent-encoded and refuses what is none', async () => {
    const ids = await Promise.all(Array.from({ length: 6 }, () => arize.user()))
    for (const id of ids) {
      expect(id).toMatch(/^[A-Za-z0-9+/]+=*$/)
      expect(atob(id)).toMatch(/^User:\d+/)
      expect(await arize.get(userAt(id))).toMatchObject({ status: 200, body: { id } })
    }
    expectProblem(await arize.get(userAt('jane')), 400)
    expectProblem(await arize.get(userAt(UNKNOWN_ORGANIZATION)), 400)
    expectProblem(await arize.get(userAt(encodeURIComponent(ids[0] ?? ''))), 400)
    expectProblem(await arize.get('/v2/users/%E0%A4%A'), 400)
    expectProblem(await arize.get(userAt(UNKNOWN_USER)), 404)
    expectProblem(await arize.call('DELETE', userAt(UNKNOWN_USER)), 404)
  })

  it.each(['Bearer', 'Bearer nonsense', 'Basic ZGV2OmRldg==', ''])('refuses %j before anything else', async (authorization) => {
    expectProblem(await arize.call('POST', '/v2/users', '{"name":', { authorization }), 401)
    expectProblem(await arize.call('GET', '/v2/organizations?limit=0', undefined, { authorization }), 401)
  })
})

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
    const renamed = await arize.call('PATCH', path, { description: null, name: `${name} 2` })
    expect(renamed.body).toMatchObject({ name: `${name} 2`, description: '' })
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
