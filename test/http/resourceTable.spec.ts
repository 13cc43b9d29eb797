/** The 25 rows of identity-providers D.3, by number: resources and errors as they come over the wire. */
import { beforeAll, describe, expect, it } from 'vitest'
import { call, connect, GROUP_SCHEMA, openTenant, own, scimErrorFaults, textAt, USER_SCHEMA, type Answer, type Message } from './bridge'

const TENANT = 'resource-table'
const PREFIX = `/t/${TENANT}`
const BASE = `http://127.0.0.1${PREFIX}/scim/v2`
const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'

let authorization: string

const scim = (method: string, path: string, body?: unknown, message: Message = {}): Promise<Answer> =>
  call(method, `${PREFIX}/scim/v2${path}`, { authorization, ...(body === undefined ? {} : { body }), ...message })

let people = 0

interface Made {
  readonly id: string
  readonly path: string
  readonly answer: Answer
}

/** A User of its own for each case, with a name that nobody else has. */
const user = async (more: Readonly<Record<string, unknown>> = {}): Promise<Made & { readonly userName: string }> => {
  const userName = `person${people += 1}@example.com`
  const answer = await scim('POST', '/Users', { schemas: [USER_SCHEMA], userName, ...more })
  const id = textAt(answer, 'id')
  return { id, userName: textAt(answer, 'userName'), path: `/Users/${id}`, answer }
}

const group = async (members: readonly string[] = [], more: Readonly<Record<string, unknown>> = {}): Promise<Made> => {
  const answer = await scim('POST', '/Groups', { schemas: [GROUP_SCHEMA], displayName: `Group ${people += 1}`, members: members.map((value) => ({ value })), ...more })
  const id = textAt(answer, 'id')
  return { id, path: `/Groups/${id}`, answer }
}

const membersIn = (answer: Answer): readonly unknown[] => {
  const members = own(answer.body, 'members')
  return Array.isArray(members) ? members.map((member) => own(member, 'value')) : []
}

const inShort = (answer: Answer): readonly unknown[] => [answer.status, own(answer.body, 'scimType')]

beforeAll(async () => {
  await openTenant(TENANT)
  authorization = (await connect(PREFIX, 'Okta')).authorization
})

const ROWS: readonly (readonly [name: string, show: () => Promise<void>])[] = [
  ['1 errors are application/scim+json', async () => {
    for (const answer of [await scim('GET', '/Users/none'), await scim('POST', '/Users', '{'), await scim('GET', '/Users', undefined, { authorization: null })]) {
      expect(answer.headers.get('content-type')).toBe('application/scim+json')
      expect(scimErrorFaults(answer)).toEqual([])
    }
  }],
  ['2 their status is a text', async () => expect(own((await scim('GET', '/Users/none')).body, 'status')).toBe('404')],
  ['3 201 has the Location that meta has, absolute', async () => {
    for (const { answer, path } of [await user(), await group()]) {
      expect([answer.status, answer.headers.get('location'), own(answer.body, 'meta', 'location')]).toEqual([201, `${BASE}${path}`, `${BASE}${path}`])
    }
  }],
  ['4 unknown attributes are ignored', async () => {
    const { answer, path, userName } = await user({ shoeSize: 44, urn: { a: 1 }, groups: [{ value: 'x' }], roles: [{ value: 'r', displayName: 'R' }] })
    expect(answer.status).toBe(201)
    const put = await scim('PUT', path, { userName, shoeSize: 45, 'urn:example:2.0:User': { title: 'x' } })
    expect(put.status).toBe(200)
    expect(`${answer.text}${put.text}`).not.toMatch(/shoeSize|urn:example|"groups"/)
  }],
  ['5 unknown schemas are not listed', async () => {
    const { answer } = await user({ schemas: [USER_SCHEMA, 'urn:example:2.0:User'] })
    expect(own(answer.body, 'schemas')).toContain(USER_SCHEMA)
    expect(answer.text).not.toContain('urn:example')
    const made = await group([], { schemas: ['http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group'] })
    expect(own(made.answer.body, 'schemas')).toEqual([GROUP_SCHEMA])
  }],
  ['6 PUT without externalId and active keeps them', async () => {
    const { path, userName } = await user({ externalId: 'e-1', active: false })
    const put = await scim('PUT', path, { userName })
    expect([put.status, own(put.body, 'externalId'), own(put.body, 'active')]).toEqual([200, 'e-1', false])
  }],
  ['7 PUT without members keeps them, with none clears them', async () => {
    const { id } = await user()
    const { path } = await group([id])
    const displayName = `Group ${people += 1}`
    expect(membersIn(await scim('PUT', path, { displayName }))).toEqual([id])
    expect(membersIn(await scim('PUT', path, { displayName, members: [] }))).toEqual([])
  }],
  ['8 PUT may change userName, but not to a taken one', async () => {
    const [one, two] = [await user(), await user()]
    expect(inShort(await scim('PUT', one.path, { userName: two.userName }))).toEqual([409, 'uniqueness'])
    const put = await scim('PUT', one.path, { userName: `new-${one.userName}` })
    expect([put.status, own(put.body, 'userName')]).toEqual([200, `new-${one.userName}`])
  }],
  ['9 a change of case is no clash with itself', async () => {
    const { path, userName } = await user()
    const put = await scim('PUT', path, { userName: userName.toUpperCase() })
    expect([put.status, own(put.body, 'userName')]).toEqual([200, userName.toUpperCase()])
  }],
  ['10 PUT never creates', async () => {
    for (const [path, body] of [['/Users/none', { userName: 'nobody@example.com' }], ['/Groups/none', { displayName: 'Nobody' }]] as const) {
      expect((await scim('PUT', path, body)).status).toBe(404)
    }
    expect(own((await scim('GET', '/Users?filter=userName+eq+%22nobody@example.com%22')).body, 'totalResults')).toBe(0)
  }],
  ['11 the name of an inactive user is taken, of a deleted one free', async () => {
    const { id, path, userName } = await user({ active: false })
    expect(inShort(await scim('POST', '/Users', { userName }))).toEqual([409, 'uniqueness'])
    expect(own((await scim('GET', `/Users?filter=userName+eq+%22${userName}%22`)).body, 'Resources', 0, 'id')).toBe(id)
    expect((await scim('DELETE', path)).status).toBe(204)
    const again = await scim('POST', '/Users', { userName })
    expect(again.status).toBe(201)
    expect(own(again.body, 'id')).not.toBe(id)
  }],
  ['12 groups of a user are computed, and left out when there are none', async () => {
    const { id, path, answer } = await user({ groups: [{ value: 'x' }] })
    expect(own(answer.body, 'groups')).toBeUndefined()
    const made = await group([id])
    expect(own((await scim('GET', path)).body, 'groups', 0, 'value')).toBe(made.id)
    await scim('DELETE', made.path)
    expect(own((await scim('GET', path)).body, 'groups')).toBeUndefined()
  }],
  ['13 versions are weak, If-Match is honoured and never needed', async () => {
    const { path, userName, answer } = await user()
    const etag = answer.headers.get('etag') ?? ''
    expect([etag, own(answer.body, 'meta', 'version')]).toEqual(['W/"1"', 'W/"1"'])
    const put = await scim('PUT', path, { userName, title: 'x' }, { headers: { 'if-match': etag } })
    expect([put.status, put.headers.get('etag'), own(put.body, 'meta', 'created')]).toEqual([200, 'W/"2"', own(answer.body, 'meta', 'created')])
    expect(String(own(put.body, 'meta', 'lastModified')) >= String(own(put.body, 'meta', 'created'))).toBe(true)
    expect((await scim('PUT', path, { userName, title: 'y' }, { headers: { 'if-match': etag } })).status).toBe(412)
    expect((await scim('PUT', path, { userName, title: 'y' })).status).toBe(200)
  }],
  ['14 two e-mails of one type stay, in order', async () => {
    const emails = [{ value: 'b@x.org', type: 'work' }, { value: 'a@x.org', type: 'work' }]
    expect(own((await user({ emails })).answer.body, 'emails')).toEqual(emails)
  }],
  ['15 numbers for texts', async () => {
    const { answer } = await user({ externalId: 701984, addresses: [{ type: 'work', postalCode: 91608 }] })
    expect([own(answer.body, 'externalId'), own(answer.body, 'addresses', 0, 'postalCode')]).toEqual(['701984', '91608'])
  }],
  ['16 e-mails that are texts, and without primary', async () => {
    expect(own((await user({ emails: ['a@b'] })).answer.body, 'emails')).toEqual([{ value: 'a@b' }])
    expect(own((await user({ emails: [{ value: 'a@b', type: 'work' }] })).answer.body, 'emails')).toEqual([{ value: 'a@b', type: 'work' }])
  }],
  ['17 a manager that is a text', async () => {
    const { answer } = await user({ [ENTERPRISE]: { manager: '123456' } })
    expect(own(answer.body, ENTERPRISE, 'manager')).toEqual({ value: '123456' })
  }],
  ['18 Resources has a capital R, empty or not', async () => {
    for (const query of ['', '?count=0', '?filter=userName+eq+%22none%22']) {
      const names = Object.keys(Object((await scim('GET', `/Users${query}`)).body) as object)
      expect(names.filter((name) => name.toLowerCase() === 'resources')).toEqual(['Resources'])
    }
  }],
  ['19 discovery as lists and by id, without paging, not filtered', async () => {
    expect(own((await scim('GET', '/ServiceProviderConfig')).body, 'totalResults')).toBeUndefined()
    for (const [path, id] of [['/Schemas', USER_SCHEMA], ['/Schemas', GROUP_SCHEMA], ['/ResourceTypes', 'User']] as const) {
      const list = await scim('GET', path)
      expect(list.status).toBe(200)
      expect((await scim('GET', `${path}?count=1&startIndex=2&sortBy=id`)).body).toEqual(list.body)
      expect(own((await scim('GET', `${path}/${id}`)).body, 'id')).toBe(id)
      expect((await scim('GET', `${path}?filter=id+eq+%22x%22`)).status).toBe(403)
    }
  }],
  ['20 /Me is 501', async () => {
    const answer = await scim('GET', '/Me')
    expect([answer.status, scimErrorFaults(answer)]).toEqual([501, []])
  }],
  ['21 HEAD and OPTIONS', async () => {
    const { path } = await user()
    const head = await scim('HEAD', path)
    expect([head.status, head.text, head.headers.get('etag')]).toEqual([200, '', 'W/"1"'])
    const options = await scim('OPTIONS', path)
    expect([options.status, options.headers.get('allow')?.includes('PATCH')]).toEqual([204, true])
  }],
  ['22 401 has a challenge', async () => {
    for (const wrong of [null, 'Bearer wrong']) {
      const answer = await scim('GET', '/Users', undefined, { authorization: wrong })
      expect([answer.status, answer.headers.get('www-authenticate')?.startsWith('Bearer'), scimErrorFaults(answer)]).toEqual([401, true, []])
    }
  }],
  ['23 the errata are followed in /Schemas', async () => {
    const attributes = async (schema: string): Promise<ReadonlyMap<unknown, unknown>> => {
      const list = own((await scim('GET', `/Schemas/${schema}`)).body, 'attributes')
      return new Map(Array.isArray(list) ? list.map((attribute: unknown) => [own(attribute, 'name'), attribute]) : [])
    }
    const part = (attribute: unknown, name: string): unknown => {
      const parts = own(attribute, 'subAttributes')
      return Array.isArray(parts) ? parts.find((each: unknown) => own(each, 'name') === name) : undefined
    }
    const [core, groups, enterprise] = [await attributes(USER_SCHEMA), await attributes(GROUP_SCHEMA), await attributes(ENTERPRISE)]
    expect(own(groups.get('displayName'), 'required')).toBe(true)
    expect(part(groups.get('members'), 'display')).toBeDefined()
    expect(own(part(core.get('groups'), '$ref'), 'type')).toBe('reference')
    expect(own(part(enterprise.get('manager'), 'value'), 'caseExact')).toBe(true)
    const parts = [...core.values(), ...groups.values(), ...enterprise.values()].flatMap((attribute): unknown => own(attribute, 'subAttributes') ?? [])
    expect(parts.filter((each) => own(each, 'type') === 'complex')).toEqual([])
    expect(parts.length).toBeGreaterThan(30)
  }],
  ['24 a $ref that is null', async () => {
    const { id } = await user()
    expect(membersIn((await group([], { members: [{ $ref: null, value: id }] })).answer)).toEqual([id])
    expect((await user({ [ENTERPRISE]: { manager: { value: 'm', $ref: null } } })).answer.status).toBe(201)
  }],
  ['25 hundreds of members in one PATCH, of more than 1 MB', async () => {
    const ids: string[] = []
    for (let from = 0; from < 300; from += 25) ids.push(...await Promise.all(Array.from({ length: 25 }, async () => (await user()).id)))
    const made = await group()
    const value = ids.map((id) => ({ value: id, display: 'x'.repeat(4_000) }))
    const body = { Operations: [{ op: 'add', path: 'members', value }] }
    expect(JSON.stringify(body).length).toBeGreaterThan(1024 * 1024)
    expect((await scim('PATCH', made.path, body)).status).toBe(204)
    expect(membersIn(await scim('GET', made.path)).length).toBe(300)
    const one = { Operations: ids.map((id) => ({ op: 'remove', path: `members[value eq "${id}"]` })) }
    expect((await scim('PATCH', made.path, one)).status).toBe(204)
    expect(membersIn(await scim('GET', made.path))).toEqual([])
  }],
]

describe('identity-providers D.3', () => {
  it.each(ROWS)('%s', async (_name, show) => show())

  it('has its 25 rows', () => {
    expect(ROWS.map(([name]) => Number.parseInt(name, 10))).toEqual(Array.from({ length: 25 }, (_, index) => index + 1))
  })
})
