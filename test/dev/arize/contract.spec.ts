import { afterAll, describe, expect, it } from 'vitest'
import { Account, type Answer, custom, field, idOf, member, organizationAt, userAt } from './account'
import { expectNothing, expectProblem } from './expect'

const arize = new Account('api')
afterAll(() => arize.cleanUp())

const UNKNOWN_USER = btoa('User:999999999:aBcDe')
const UNKNOWN_ORGANIZATION = btoa('Organization:999999999:aBcD')
const UNKNOWN_ROLE = btoa('Role:999999999:aBcDe')

const newUser = (email: string, more: object = {}) => ({
  name: 'Jane Smith',
  email,
  role: member('MEMBER'),
  invite_mode: 'NONE',
  ...more,
})
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

  it.each([
    ['ADMIN', true],
    ['MEMBER', true],
    ['ANNOTATOR', false],
  ])('makes %s a developer by default: %s', async (role, isDeveloper) => {
    expect((await create(arize.address(), { role: member(role) })).body).toMatchObject({
      role: member(role),
      is_developer: isDeveloper,
    })
    expect((await create(arize.address(), { role: member(role), is_developer: !isDeveloper })).body).toMatchObject({
      is_developer: !isDeveloper,
    })
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
