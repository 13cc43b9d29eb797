import { beforeAll, describe, expect, it } from 'vitest'
import { admin, call, connect, openTenant, own, rowsOf, textAt, USER_SCHEMA, write, type Answer, type Connected } from '../http/bridge'

const TENANT = 'admin-people'
const PREFIX = `/t/${TENANT}`

let okta: Connected

const scim = (method: string, path: string, body: unknown): Promise<Answer> =>
  call(method, `${PREFIX}/scim/v2${path}`, { authorization: okta.authorization, body })

const create = async (email: string, more: Readonly<Record<string, unknown>> = {}): Promise<string> =>
  textAt(await scim('POST', '/Users', { schemas: [USER_SCHEMA], userName: email, ...more }), 'id')

const people = (query = ''): Promise<Answer> => admin('GET', `${PREFIX}/admin/api/people${query}`)

const emailsOf = ({ body }: Answer): unknown => {
  const list = own(body, 'people')
  return Array.isArray(list) ? list.map((person: unknown) => own(person, 'email')) : list
}

beforeAll(async () => {
  await openTenant(TENANT)
  okta = await connect(PREFIX, 'Okta')
  const ids = []
  for (const name of ['anna', 'ben', 'cleo', 'd+ata']) ids.push(await create(`${name}@example.com`))
  await scim('POST', '/Groups', { displayName: 'Arize Engineers', members: [{ value: ids[0] }] })
  await admin('POST', `${PREFIX}/admin/api/settle`)
})

describe('GET people', () => {
  it('lists them by address', async () => {
    const answer = await people()
    expect([answer.status, emailsOf(answer), own(answer.body, 'next')])
      .toEqual([200, ['anna@example.com', 'ben@example.com', 'cleo@example.com', 'd+ata@example.com'], null])
    expect(own(answer.body, 'people', 0)).toMatchObject({ state: 'in_step', groups: ['Arize Engineers'], memberships: [], conflicts: 0, lastError: null })
  })

  it('page by page', async () => {
    const first = await people('?limit=3')
    expect([emailsOf(first), own(first.body, 'next')]).toEqual([['anna@example.com', 'ben@example.com', 'cleo@example.com'], 'cleo@example.com'])
    const second = await people(`?limit=3&after=${encodeURIComponent(textAt(first, 'next'))}`)
    expect([emailsOf(second), own(second.body, 'next')]).toEqual([['d+ata@example.com'], null])
  })

  it.each([['?search=BEN', 1], ['?search=%20cleo%20', 1], ['?search=example.com', 4], ['?search=%25', 0], ['?search=', 4], ['?state=in_step', 4], ['?state=stuck', 0], ['?search=d%2Bata', 1]])(
    'that fit %s: %i', async (query, count) => {
      const found = emailsOf(await people(query))
      expect(found).toHaveLength(count)
    })

  it.each([
    ['?limit=0', 'limit'], ['?limit=201', 'limit'], ['?limit=1.5', 'limit'], ['?limit=x', 'limit'], ['?limit=', 'limit'], ['?state=everybody', 'state'], [`?search=${'x'.repeat(401)}`, 'search'],
  ])('%s is 400 about %s', async (query, path) => {
    const answer = await people(query)
    expect([answer.status, own(answer.body, 'errors', 0, 'path')]).toEqual([400, path])
  })
})

describe('GET people/{email}', () => {
  it('has every key that people rely on', async () => {
    const answer = await admin('GET', `${PREFIX}/admin/api/people/anna@example.com`)
    expect(answer.status).toBe(200)
    expect(answer.body).toMatchObject({
      email: 'anna@example.com', state: 'in_step', groups: [{ displayName: 'Arize Engineers' }], grants: [], memberships: [], conflicts: [], lastError: null,
    })
    expect(Array.isArray(own(answer.body, 'journal'))).toBe(true)
  })

  it.each(['ANNA@example.com', 'anna%40example.com', '%20Anna%40EXAMPLE.com%20', 'd%2Bata@example.com', 'd+ata@example.com'])('finds %s', async (email) => {
    expect((await admin('GET', `${PREFIX}/admin/api/people/${email}`)).status).toBe(200)
  })

  it.each(['nobody@example.com', '%zz', '%2F', '__proto__', "'", `${'x'.repeat(3000)}@example.com`])('%s is 404', async (email) => {
    for (const [method, path, body] of [['GET', '', undefined], ['POST', '/retry', undefined], ['POST', '/identity', { decision: 'take-over', reason: 'x' }]] as const) {
      const answer = await admin(method, `${PREFIX}/admin/api/people/${email}${path}`, body)
      expect([answer.status, answer.headers.get('content-type')]).toEqual([404, 'application/problem+json'])
    }
  })
})

describe('POST people/{email}/retry', () => {
  it('makes the person due at once, and says so in the journal', async () => {
    await write(TENANT, `UPDATE subjects SET state = 'stuck', due = NULL, last_error = 'x' WHERE address = 'ben@example.com'`)
    const answer = await admin('POST', `${PREFIX}/admin/api/people/BEN@example.com/retry`)
    expect([answer.status, answer.text]).toEqual([204, ''])
    const ben = await admin('GET', `${PREFIX}/admin/api/people/ben@example.com`)
    expect(own(ben.body, 'journal', 0)).toMatchObject({ kind: 'subject.retry', actor: 'administrator-token' })
    await admin('POST', `${PREFIX}/admin/api/settle`)
    expect(own((await admin('GET', `${PREFIX}/admin/api/people/ben@example.com`)).body, 'state')).toBe('in_step')
  })
})

describe('POST people/{email}/identity', () => {
  const decide = (body: unknown): Promise<Answer> => admin('POST', `${PREFIX}/admin/api/people/mia@example.com/identity`, body)

  beforeAll(async () => {
    const former = await create('mia@example.com', { externalId: 'former' })
    await scim('DELETE', `/Users/${former}`, undefined)
    await create('mia@example.com', { externalId: 'newcomer' })
  })

  it.each<[unknown, string]>([
    [undefined, 'decision'], [{ decision: 'perhaps', reason: 'x' }, 'decision'], [{ decision: 'take-over' }, 'reason'], [{ decision: 'take-over', reason: ' ' }, 'reason'],
    [{ decision: 'same-person', reason: 'x', force: true }, 'force'], [{ decision: 'same-person', reason: 'x'.repeat(501) }, 'reason'], [[], ''],
  ])('%j is 400 about %s', async (body, path) => {
    const before = await rowsOf(TENANT)
    const answer = await decide(body)
    expect([answer.status, own(answer.body, 'errors', 0, 'path')]).toEqual([400, path])
    expect(await rowsOf(TENANT)).toEqual(before)
  })

  it('releases a held address once', async () => {
    const held = await admin('GET', `${PREFIX}/admin/api/people/mia@example.com`)
    expect(own(held.body, 'identityHold')).toEqual(expect.any(String))
    expect((await decide({ decision: 'same-person', reason: 'She came back.' })).status).toBe(204)
    const released = await admin('GET', `${PREFIX}/admin/api/people/mia@example.com`)
    expect([own(released.body, 'identityHold'), own(released.body, 'users', 0, 'hold')]).toEqual([null, null])
    expect((await decide({ decision: 'same-person', reason: 'Again.' })).status).toBe(409)
  })
})

describe('holds', () => {
  const addHold = async (id: string, kind = 'movers', address = 'cleo@example.com'): Promise<void> => {
    await write(TENANT, `INSERT INTO holds (id, kind, state, sentence, created) VALUES (?, ?, 'open', 'Too many at once.', ?)`, id, kind, Date.now())
    const resource = { kind: 'organization', id: 'o1', name: 'ML', organizationId: 'o1' }
    const change = { op: 'delete', resource, from: { type: 'PREDEFINED', name: 'MEMBER' }, lowers: true, cascades: [] }
    const withheld = JSON.stringify([{ key: 'delete organization:o1', reason: 'brake', sentence: 'Held.', change }])
    await write(TENANT, `UPDATE subjects SET hold_id = ?, held = '["delete organization:o1"]', withheld = ?, state = 'held', due = NULL WHERE address = ?`, id, withheld, address)
  }

  it('are listed with their people', async () => {
    await addHold('hold-list')
    const answer = await admin('GET', `${PREFIX}/admin/api/holds`)
    expect(answer.body).toMatchObject({ holds: [{ id: 'hold-list', state: 'open', sentence: 'Too many at once.', peopleCount: 1, people: [{ email: 'cleo@example.com', changes: [{ key: 'delete organization:o1', what: 'remove MEMBER on organization "ML"' }] }] }] })
    await admin('POST', `${PREFIX}/admin/api/holds/hold-list/approve`)
  })

  it('are approved with a reason or without, once', async () => {
    await addHold('hold-approve')
    const answer = await admin('POST', `${PREFIX}/admin/api/holds/hold-approve/approve`, { reason: 'A reorganization.' })
    expect([answer.status, own(answer.body, 'state'), own(answer.body, 'reason'), own(answer.body, 'actor')]).toEqual([200, 'approved', 'A reorganization.', 'administrator-token'])
    expect((await admin('POST', `${PREFIX}/admin/api/holds/hold-approve/approve`)).status).toBe(409)
    expect((await admin('POST', `${PREFIX}/admin/api/holds/hold-approve/refuse`)).status).toBe(409)
  })

  it('are refused for 30 days when nobody says for how long', async () => {
    await addHold('hold-refuse')
    const answer = await admin('POST', `${PREFIX}/admin/api/holds/hold-refuse/refuse`)
    expect([answer.status, own(answer.body, 'state'), own(answer.body, 'reason')]).toEqual([200, 'refused', 'Refused by an administrator.'])
    const override = JSON.stringify(await rowsOf(TENANT)).match(/"kind":"exempt","reason":"Refused by an administrator.","until":(\d+)/)
    const days = (Number(override?.[1]) - Date.now()) / 86_400_000
    expect([Math.round(days), days <= 30]).toEqual([30, true])
  })

  it('of leavers cannot be refused', async () => {
    await addHold('hold-leavers', 'leavers')
    expect((await admin('POST', `${PREFIX}/admin/api/holds/hold-leavers/refuse`)).status).toBe(422)
    expect((await admin('POST', `${PREFIX}/admin/api/holds/hold-leavers/approve`)).status).toBe(200)
  })

  const inDays = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString()

  it.each<[string, unknown, string]>([
    ['refuse', { until: '2020-01-01T00:00:00Z' }, 'until'], ['refuse', { until: inDays(400) }, 'until'], ['refuse', { until: 'tomorrow' }, 'until'],
    ['refuse', { until: 7 }, 'until'], ['refuse', { reason: '' }, 'reason'], ['refuse', { untill: inDays(1) }, 'untill'], ['approve', { reason: 7 }, 'reason'], ['approve', { until: inDays(1) }, 'until'],
  ])('%s with %j is 400', async (verb, body, path) => {
    const id = `hold-wrong-${verb}`
    if (!JSON.stringify(await rowsOf(TENANT)).includes(id)) await addHold(id)
    const before = await rowsOf(TENANT)
    const answer = await admin('POST', `${PREFIX}/admin/api/holds/${id}/${verb}`, body)
    expect([answer.status, own(answer.body, 'errors', 0, 'path')]).toEqual([400, path])
    expect(await rowsOf(TENANT)).toEqual(before)
  })

  it.each(['approve', 'refuse'])('that nobody knows: %s is 404', async (verb) => {
    expect((await admin('POST', `${PREFIX}/admin/api/holds/nobody/${verb}`)).status).toBe(404)
  })
})
