import { describe, expect, it } from 'vitest'
import {
  Account, custom, field, type Fields, idOf, isEmulator, items, member, organizationAt, spaceAt, userAt,
} from './account'

const fresh = (): Account => new Account('control')

const state = async (arize: Account): Promise<Fields> => (await arize.get('/_emulator/state')).body
const calls = async (arize: Account): Promise<readonly Fields[]> =>
  items((await arize.get('/_emulator/calls')).body, 'calls')
const fault = (arize: Account, asked: object) => arize.call('POST', '/_emulator/faults', asked)
const put = (arize: Account, user: object) => arize.call('POST', '/_emulator/users', user)
const key = async (arize: Account, asked: object): Promise<Account> => {
  const made = await arize.call('POST', '/_emulator/keys', asked)
  return arize.as(field(made.body, 'key'))
}
/** What becomes of a call: its status, or that it never got an answer. */
const outcome = async (arize: Account, path = '/v2/users', method = 'GET', body?: object): Promise<number | 'lost'> => {
  try {
    return (await arize.call(method, path, body)).status
  } catch {
    return 'lost'
  }
}

describe.runIf(isEmulator)('the state', () => {
  it('tells everything by address and name', async () => {
    const arize = fresh()
    expect(await state(arize)).toEqual({
      users: [],
      organizations: [],
      bindings: [],
      keys: [{ id: expect.any(String), owner: 'bridge@arize.invalid', revoked: false }],
    })
    const [ann, bob] = ['ann@example.com', 'bob@example.com']
    const [annId, bobId] = [await arize.user('MEMBER', ann), await arize.user('ADMIN', bob)]
    const organization = idOf(await arize.call('POST', '/v2/organizations', { name: 'ML Platform' }))
    const space = idOf(await arize.call('POST', '/v2/spaces', { name: 'Ranking', organization_id: organization }))
    const project = idOf(await arize.call('POST', '/v2/projects', { name: 'Search', space_id: space }))
    const role = await arize.role('Prompt Reviewer')
    await arize.join(organizationAt(organization), annId, member('READ_ONLY'))
    await arize.join(spaceAt(space), annId, custom(role))
    await arize.call('POST', '/v2/role-bindings', {
      role_id: role, user_id: annId, resource_type: 'PROJECT', resource_id: project,
    })
    await arize.call('DELETE', userAt(bobId))
    expect(await state(arize)).toMatchObject({
      users: [
        { id: annId, email: ann, name: 'Contract Person', status: 'ACTIVE', role: 'MEMBER', is_developer: true },
        { id: bobId, email: bob, status: 'INACTIVE', role: 'ADMIN' },
      ],
      organizations: [
        {
          id: organization,
          name: 'ML Platform',
          members: [{ email: ann, role: 'READ_ONLY' }],
          spaces: [{ id: space, name: 'Ranking', members: [{ email: ann, role: 'Prompt Reviewer' }] }],
        },
      ],
      bindings: [
        { email: ann, resource_type: 'SPACE', resource: 'Ranking', role: 'Prompt Reviewer' },
        { email: ann, resource_type: 'PROJECT', resource: 'Search', role: 'Prompt Reviewer' },
      ],
    })
    await arize.call('DELETE', userAt(annId))
    expect(await state(arize)).toMatchObject({ organizations: [{ members: [], spaces: [{ members: [] }] }], bindings: [] })
  })

  it('is one per key, and survives no reset but for the service key', async () => {
    const [one, two] = [fresh(), fresh()]
    await one.user()
    await one.organization()
    expect(await state(two)).toMatchObject({ users: [], organizations: [] })
    const before = await state(one)
    await fault(one, { kind: '429', times: 9 })
    await one.call('POST', '/_emulator/switches', { error_code: true })
    expect((await one.call('POST', '/_emulator/reset')).status).toBe(204)
    expect(await state(one)).toEqual({ users: [], organizations: [], bindings: [], keys: before['keys'] })
    expect(await calls(one)).toEqual([])
    expect(await outcome(one)).toBe(200)
    expect((await one.get('/_emulator/switches')).body).toMatchObject({ error_code: false })
  })

  it('can be asked for by the name of the account', async () => {
    const arize = fresh()
    await arize.organization()
    const named = await arize.call('GET', `/_emulator/state?account=${arize.key}`, undefined, { authorization: '' })
    expect(named.body).toEqual(await state(arize))
    expect((await arize.call('GET', '/_emulator/state', undefined, { authorization: 'Bearer nobody' })).status).toBe(401)
  })
})

describe.runIf(isEmulator)('the journal of calls', () => {
  it('holds every call as it was received, refused ones too, but none of the control surface', async () => {
    const arize = fresh()
    const user = await arize.user()
    await arize.get(`/v2/users?email=${encodeURIComponent('a+b@x')}&limit=2`)
    await arize.get(userAt(user))
    await arize.call('POST', '/v2/users', '{')
    await arize.get('/v2/nothing')
    await arize.get('/_emulator/state')
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
    expect(await calls(arize)).toEqual([
      { method: 'POST', path: '/v2/users', status: 201, time },
      { method: 'GET', path: '/v2/users?email=a%2Bb%40x&limit=2', status: 200, time },
      { method: 'GET', path: userAt(user), status: 200, time },
      { method: 'POST', path: '/v2/users', status: 400, time },
      { method: 'GET', path: '/v2/nothing', status: 404, time },
    ])
  })
})

describe.runIf(isEmulator)('keys', () => {
  it('act with the rights of their owner and die with them', async () => {
    const arize = fresh()
    const organization = await arize.organization()
    const space = await arize.space(organization)
    const person = await key(arize, { owner: 'ann@example.com' })
    const id = field(items(await state(arize), 'users')[0] ?? {}, 'id')
    expect(await outcome(person)).toBe(200)
    const stranger = { name: 'x', email: 'x@example.com', role: member('MEMBER'), invite_mode: 'NONE' }
    expect(await outcome(person, '/v2/users', 'POST', stranger)).toBe(403)
    expect(await outcome(person, userAt(id), 'PATCH', { is_developer: true })).toBe(403)
    expect(await outcome(person, userAt(id), 'PATCH', {})).toBe(400)
    expect(await outcome(person, '/v2/organizations', 'POST', { name: 'x' })).toBe(403)
    expect(await outcome(person, organizationAt(organization))).toBe(404)
    expect(await outcome(person, spaceAt(space))).toBe(404)
    await arize.join(organizationAt(organization), id, member('MEMBER'))
    expect(await outcome(person, organizationAt(organization))).toBe(200)
    expect(await outcome(person, spaceAt(space))).toBe(404)
    const joining = { user_id: id, role: member('ADMIN') }
    expect(await outcome(person, `${organizationAt(organization)}/users`, 'POST', joining)).toBe(403)
    await arize.join(organizationAt(organization), id, member('ADMIN'))
    expect(await outcome(person, `${spaceAt(space)}/users`, 'POST', joining)).toBe(200)
    expect(await outcome(arize, userAt(id), 'DELETE')).toBe(204)
    expect(await outcome(person)).toBe(401)
    expect(await state(arize)).toMatchObject({ keys: [{ revoked: false }, { owner: 'ann@example.com', revoked: true }] })
  })

  it('are listed by account admins and revoked once or twice', async () => {
    const arize = fresh()
    const [ann, bob] = [await key(arize, { owner: 'ann@example.com' }), await key(arize, { owner: 'bob@example.com' })]
    const id = field(items(await state(arize), 'users')[0] ?? {}, 'id')
    const path = `/v2/api-keys?key_type=USER&user_id=${encodeURIComponent(id)}`
    const listed = items((await arize.get(path)).body, 'api_keys')
    expect(listed).toMatchObject([{ key_type: 'USER', status: 'ACTIVE', created_by_user_id: id }])
    expect(JSON.stringify(listed)).not.toContain(ann.key)
    expect(await outcome(bob, path)).toBe(403)
    expect(items((await ann.get('/v2/api-keys')).body, 'api_keys')).toEqual(listed)
    const revoke = `/v2/api-keys/${encodeURIComponent(field(listed[0] ?? {}, 'id'))}/revoke`
    expect(await outcome(bob, revoke, 'PUT')).toBe(404)
    expect([await outcome(arize, revoke, 'PUT'), await outcome(arize, revoke, 'PUT')]).toEqual([204, 204])
    expect(await outcome(ann)).toBe(401)
    expect((await arize.get(path)).body).toMatchObject({ api_keys: [] })
    expect((await arize.get(`${path}&status=REVOKED`)).body).toMatchObject({ api_keys: [{ status: 'REVOKED' }] })
  })

  it('of bots are nobody to the rest of the API', async () => {
    const arize = fresh()
    await arize.call('POST', '/_emulator/keys', { owner: 'ann@example.com', key_type: 'SERVICE' })
    const services = items((await arize.get('/v2/api-keys?key_type=SERVICE')).body, 'api_keys')
    expect(services).toHaveLength(2)
    expect((await arize.get('/v2/users')).body).toMatchObject({ users: [{ email: 'ann@example.com' }] })
    const bot = field(services[0] ?? {}, 'created_by_user_id')
    expect(await outcome(arize, userAt(bot))).toBe(404)
    expect(await outcome(arize, userAt(bot), 'DELETE')).toBe(400)
    await arize.call('POST', '/_emulator/switches', { selfDeleteStatus: 403 })
    expect(await outcome(arize, userAt(bot), 'DELETE')).toBe(403)
    expect(await outcome(arize)).toBe(200)
  })

  it('of annotators see nobody', async () => {
    const arize = fresh()
    const labeler = await key(arize, { owner: 'lab@example.com', role: 'ANNOTATOR' })
    const id = field(items(await state(arize), 'users')[0] ?? {}, 'id')
    expect([await outcome(labeler), await outcome(labeler, userAt(id))]).toEqual([403, 404])
  })
})

describe.runIf(isEmulator)('users put by hand', () => {
  it('can be in any state', async () => {
    const arize = fresh()
    const invite = (email: string, mode = 'EMAIL_LINK') =>
      outcome(arize, '/v2/users', 'POST', { name: 'New', email, role: member('ADMIN'), invite_mode: mode })
    for (const status of ['ACTIVE', 'INVITED', 'EXPIRED', 'INACTIVE']) {
      expect((await put(arize, { email: `${status}@example.com`, status })).body).toMatchObject({ status, role: 'MEMBER' })
      await put(arize, { email: `${status}-2@example.com`, status })
    }
    const answers = ['ACTIVE', 'INVITED', 'EXPIRED', 'INACTIVE'].map(async (status) => [
      status,
      await invite(`${status.toLowerCase()}@example.com`),
      await invite(`${status.toLowerCase()}-2@example.com`, 'NONE'),
    ])
    expect(await Promise.all(answers)).toEqual([
      ['ACTIVE', 409, 409],
      ['INVITED', 200, 409],
      ['EXPIRED', 201, 409],
      ['INACTIVE', 409, 409],
    ])
    const users = items(await state(arize), 'users')
    expect(users.find((user) => user['email'] === 'EXPIRED@example.com')).toMatchObject({ status: 'INVITED', role: 'ADMIN' })
  })

  it('can change what only a human can, and hold what nobody asked for', async () => {
    const arize = fresh()
    const organization = await arize.organization()
    const name = field((await arize.get(organizationAt(organization))).body, 'name')
    const made = await put(arize, { email: 'jit@example.com', memberships: [{ organization: name, role: 'READ_ONLY' }] })
    const members = [{ email: 'jit@example.com', role: 'READ_ONLY' }]
    expect(await state(arize)).toMatchObject({ organizations: [{ members }] })
    await put(arize, { email: 'JIT@example.com', role: 'ANNOTATOR', memberships: [{ organization: name, role: null }] })
    expect(await state(arize)).toMatchObject({ users: [{ role: 'ANNOTATOR' }], organizations: [{ members: [] }] })
    expect((await arize.join(organizationAt(organization), idOf(made), member('ANNOTATOR'))).status).toBe(200)
    await put(arize, { email: 'jit@example.com', role: 'MEMBER_UI_ONLY' })
    expect((await arize.get(userAt(idOf(made)))).body).toMatchObject({ role: member('MEMBER_UI_ONLY') })
    const lost = { email: 'new@example.com', memberships: [{ organization: 'Nowhere', role: 'MEMBER' }] }
    expect((await put(arize, lost)).status).toBe(404)
    expect(items(await state(arize), 'users')).toHaveLength(1)
  })
})

describe.runIf(isEmulator)('faults', () => {
  it('throttle, with and without a time', async () => {
    const arize = fresh()
    await fault(arize, { faults: [{ kind: '429', retryAfter: 7 }, { kind: '429', times: 2 }] })
    const answers: [number, string | null][] = []
    for (let n = 0; n < 4; n += 1) {
      const { status, headers } = await arize.get('/v2/users')
      answers.push([status, headers.get('retry-after')])
    }
    expect(answers).toEqual([
      [429, '7'],
      [429, null],
      [429, null],
      [200, null],
    ])
  })

  it('break the answer', async () => {
    const arize = fresh()
    await fault(arize, { faults: [{ kind: 'status', status: 503 }, { kind: 'empty' }, { kind: 'html' }] })
    const [problem, empty, html] = [await arize.get('/v2/users'), await arize.get('/v2/users'), await arize.get('/v2/users')]
    expect(problem).toMatchObject({ status: 503, body: { status: 503, title: 'Service Unavailable' } })
    expect(empty).toMatchObject({ status: 502, text: '' })
    expect(html).toMatchObject({ status: 502, body: {} })
    expect(html.headers.get('content-type')).toContain('text/html')
    expect(html.text).toContain('<html>')
  })

  it('meet only what they match, and can be called off', async () => {
    const arize = fresh()
    await fault(arize, { kind: 'status', status: 500, times: 3, match: { method: 'POST', path: '/users' } })
    expect(await outcome(arize)).toBe(200)
    expect(await outcome(arize, '/v2/organizations', 'POST', {})).toBe(400)
    expect(await outcome(arize, '/v2/users', 'POST', {})).toBe(500)
    expect((await arize.get('/_emulator/faults')).body).toMatchObject({ faults: [{ kind: 'status', times: 2 }] })
    expect(await outcome(arize, '/_emulator/faults', 'DELETE')).toBe(204)
    expect(await outcome(arize, '/v2/users', 'POST', {})).toBe(400)
    expect((await arize.get('/_emulator/faults')).body).toEqual({ faults: [] })
    for (const wrong of [{}, { kind: 'fire' }, { kind: 'slow' }, { kind: '429', times: 0 }]) {
      expect((await fault(arize, wrong)).status).toBe(400)
    }
  })

  it('lose the answer after the call took effect, or the call itself', async () => {
    const arize = fresh()
    const making = (email: string) => ({ name: 'Lost', email, role: member('MEMBER'), invite_mode: 'NONE' })
    await fault(arize, { faults: [{ kind: 'lost' }, { kind: 'lost', applied: false }] })
    expect(await outcome(arize, '/v2/users', 'POST', making('kept@example.com'))).toBe('lost')
    expect(await outcome(arize, '/v2/users', 'POST', making('gone@example.com'))).toBe('lost')
    expect(await outcome(arize, '/v2/users', 'POST', making('kept@example.com'))).toBe(409)
    expect(await outcome(arize, '/v2/users', 'POST', making('gone@example.com'))).toBe(201)
    await fault(arize, { kind: 'status', status: 504, applied: true })
    expect(await outcome(arize, '/v2/users', 'POST', making('late@example.com'))).toBe(504)
    expect(items(await state(arize), 'users').map((user) => user['email'])).toEqual([
      'kept@example.com',
      'gone@example.com',
      'late@example.com',
    ])
    expect((await calls(arize)).map((call) => call['status'])).toEqual([201, 502, 409, 201, 504])
  })

  it('hold an answer back while others go on', async () => {
    const arize = fresh()
    await fault(arize, { kind: 'slow', delayMs: 400, match: { method: 'POST' } })
    const order: string[] = []
    const slow = arize.user().then(() => order.push('slow'))
    await arize.get('/v2/users').then(() => order.push('quick'))
    await slow
    expect(order).toEqual(['quick', 'slow'])
  })

  it('cut pages short without losing anybody', async () => {
    const arize = fresh()
    const made: string[] = []
    for (let n = 0; n < 3; n += 1) made.push(await arize.user())
    const empty = { kind: 'shortPages' }
    await fault(arize, { faults: [empty, { ...empty, size: 1, times: 2 }, empty] })
    const first = await arize.get('/v2/users?limit=100')
    expect(first.body).toEqual({ users: [], pagination: { has_more: true, next_cursor: expect.any(String) } })
    expect((await arize.all('/v2/users?limit=100', 'users')).map((user) => user['id'])).toEqual(made)
  })
})

describe.runIf(isEmulator)('switches', () => {
  it('turn what is not settled', async () => {
    const arize = fresh()
    const broken = async (): Promise<Fields> => (await arize.get('/v2/users?limit=0')).body
    const page = 'https://arize.com/docs/ax/rest-reference/errors'
    const problem = { status: 400, type: `${page}#invalid-request`, detail: expect.any(String), instance: '/v2/users' }
    expect(await broken()).toEqual({ ...problem, title: 'Invalid request parameters' })
    await arize.call('POST', '/_emulator/switches', { errorTitles: 'page', error_code: true, request_id: true })
    expect(await broken()).toEqual({
      ...problem,
      title: 'Bad Request',
      error_code: 'INVALID_REQUEST',
      request_id: expect.stringMatching(/^req_/),
    })
    const organization = organizationAt(await arize.organization())
    const user = await arize.user('ANNOTATOR')
    expect((await arize.join(organization, user, member('ADMIN'))).status).toBe(400)
    await arize.call('POST', '/_emulator/switches', { annotatorStatus: 422 })
    expect((await arize.join(organization, user, member('ADMIN'))).status).toBe(422)
    await arize.call('POST', '/_emulator/switches', { extraFields: true })
    expect((await arize.get(userAt(user))).body).toMatchObject({ id: user, added_later: expect.anything() })
    expect((await arize.call('POST', '/_emulator/switches', { annotatorStatus: 500 })).status).toBe(400)
  })
})
