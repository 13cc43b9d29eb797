import { describe, expect, it } from 'vitest'
import { exports } from 'cloudflare:workers'
import { expectSettled, openBridge, patchOf, type Bridge } from './bridge'

/** Several connections of one source, several sources that name one person, and connections that are paused and deleted: each down to Arize's state. */

const ADA = 'ada@example.com'
const POLICY = { mappings: [{ id: 'eng', group: 'Engineers', grants: [{ organization: 'ML', role: 'MEMBER' }] }] }

interface Channel {
  readonly id: string
  readonly send: (path: string, body: unknown) => Promise<number>
}

const connect = async (bridge: Bridge, body: Readonly<Record<string, unknown>>): Promise<Channel> => {
  const made = await bridge.admin('POST', 'connections', body)
  expect(made.status, made.text).toBe(201)
  const { id, url, secret, token, scimBaseUrl } = made.json
  return {
    id: String(id),
    send: async (path, message) => {
      const response = await exports.default.fetch(new Request(`${String(url ?? scimBaseUrl)}${path}`, {
        method: 'POST', body: JSON.stringify(message), headers: { 'content-type': 'application/json', authorization: String(secret ?? `Bearer ${String(token)}`) },
      }))
      await response.text()
      return response.status
    },
  }
}

let serial = 0

/** As Okta sends it: `user.lifecycle.suspend` and the like, about one person. */
const event = (type: string, id: string, login = ADA): unknown => ({
  eventId: `hook-${++serial}`,
  data: { events: [{
    uuid: `event-${serial}`, published: new Date(Date.now() + serial).toISOString(), eventType: type, outcome: { result: 'SUCCESS' },
    target: [{ id, type: 'User', alternateId: login, displayName: 'Ada' }],
  }] },
})

const openOkta = async (): Promise<{ readonly bridge: Bridge; readonly hook: Channel; readonly ada: string }> => {
  const bridge = await openBridge()
  await bridge.addOrganization('ML')
  const hook = await connect(bridge, { kind: 'okta-event-hook', name: 'Okta hook', source: 'okta' })
  await bridge.policy(POLICY)
  const ada = await bridge.createUser(ADA, { externalId: '00u1' })
  await bridge.createGroup('Engineers', [ada])
  await expectSettled(bridge)
  expect(await bridge.roles()).toEqual(['ada@example.com ML MEMBER'])
  return { bridge, hook, ada }
}

const ROLE = ['ada@example.com ML MEMBER']

const rolesAfter = async (bridge: Bridge): Promise<readonly string[]> => {
  await expectSettled(bridge)
  return bridge.roles()
}

const replace = async (bridge: Bridge, user: string, active: boolean): Promise<number> =>
  (await bridge.scim('PUT', `/Users/${user}`, {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: ADA, externalId: '00u1', emails: [{ value: ADA, type: 'work', primary: true }], active,
  })).status

describe('a suspension that the event hook tells', () => {
  it('is not undone by a SCIM client that was never told, and ends with the hook', async () => {
    const { bridge, hook, ada } = await openOkta()
    expect(await hook.send('', event('user.lifecycle.suspend', '00u1'))).toBe(204)
    expect(await rolesAfter(bridge)).toEqual([])
    expect(await replace(bridge, ada, true)).toBe(200)
    await bridge.setActive(ada, true)
    expect(await rolesAfter(bridge)).toEqual([])
    const person = await bridge.admin('GET', `people/${ADA}`)
    expect(person.json).toMatchObject({ leaver: 'deactivated', users: [{ active: true, stopped: expect.stringMatching(/^\d{4}-/) }], sources: [{ source: 'okta', isActive: false }] })
    expect(await hook.send('', event('user.lifecycle.unsuspend', '00u1'))).toBe(204)
    expect(await rolesAfter(bridge)).toEqual(ROLE)
  })

  it('ends with a SCIM client that tells of a change', async () => {
    const { bridge, hook, ada } = await openOkta()
    await hook.send('', event('user.lifecycle.suspend', '00u1'))
    expect(await rolesAfter(bridge)).toEqual([])
    await bridge.setActive(ada, false)
    await bridge.setActive(ada, true)
    expect(await rolesAfter(bridge)).toEqual(ROLE)
  })

  it('ends with an administrator, who is named in the journal', async () => {
    const { bridge, hook } = await openOkta()
    expect((await bridge.admin('POST', `people/${ADA}/resume`)).status).toBe(409)
    expect((await bridge.admin('POST', 'people/nobody@example.com/resume')).status).toBe(404)
    await hook.send('', event('user.lifecycle.suspend', '00u1'))
    expect(await rolesAfter(bridge)).toEqual([])
    expect((await bridge.admin('POST', `people/${ADA}/resume`)).status).toBe(204)
    expect(await rolesAfter(bridge)).toEqual(ROLE)
    const journal = await bridge.admin('GET', 'journal?kind=identity.resumed')
    expect(journal.json).toMatchObject({ journal: [{ subject: ADA, actor: 'administrator-token' }] })
  })

  it('of a stranger touches nobody', async () => {
    const { bridge, hook } = await openOkta()
    expect(await hook.send('', event('user.lifecycle.suspend', '00u9', 'eve@example.com'))).toBe(204)
    expect(await rolesAfter(bridge)).toEqual(ROLE)
  })
})

describe('two sources that name one person', () => {
  it('keep the person active while one of them says so, and the list tells who is active in one alone', async () => {
    const { bridge, ada } = await openOkta()
    const entra = await connect(bridge, { kind: 'scim', name: 'Entra', source: 'entra' })
    expect(await entra.send('/Users', { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: ADA, externalId: 'oid-1', active: true })).toBe(201)
    expect(await entra.send('/Users', { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'bob@example.com', active: true })).toBe(201)
    await expectSettled(bridge)
    expect((await bridge.admin('GET', 'people?disputed=true')).json).toMatchObject({ people: [] })
    await bridge.setActive(ada, false)
    await expectSettled(bridge)
    const list = await bridge.admin('GET', 'people?disputed=true')
    expect(list.json).toMatchObject({ people: [{ email: ADA, sources: [{ source: 'okta', isActive: false }, { source: 'entra', isActive: true }] }], next: null })
    expect((await bridge.admin('GET', `people/${ADA}`)).json).toMatchObject({ leaver: null })
  })
})

describe('a paused connection', () => {
  it('changes nobody, whatever it sends', async () => {
    const { bridge, hook, ada } = await openOkta()
    const [okta] = (await bridge.admin('GET', 'connections')).json['connections'] as { id: string }[]
    for (const id of [hook.id, okta?.id ?? '']) expect((await bridge.admin('POST', `connections/${id}/pause`)).status).toBe(200)
    expect(await hook.send('', event('user.lifecycle.suspend', '00u1'))).toBe(401)
    expect((await bridge.scim('PATCH', `/Users/${ada}`, patchOf({ op: 'replace', value: { active: false } }))).status).toBe(401)
    expect(await rolesAfter(bridge)).toEqual(ROLE)
  })
})

describe('a connection that is deleted', () => {
  it('takes what the preview said, and no API key', async () => {
    const { bridge, ada } = await openOkta()
    const entra = await connect(bridge, { kind: 'scim', name: 'Entra', source: 'okta' })
    const bob = await bridge.createUser('bob@example.com', { externalId: '00u2' })
    await bridge.createGroup('Readers', [ada])
    await bridge.policy({ mappings: [...POLICY.mappings, { id: 'all', group: 'Everybody', grants: [{ organization: 'ML', role: 'READ_ONLY' }] }] })
    await bridge.createGroup('Everybody', [bob])
    expect(await entra.send('/Users', { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'bob@example.com', externalId: '00u2', active: true })).toBe(201)
    await expectSettled(bridge)
    expect((await bridge.arize('POST', '/_emulator/keys', { owner: ADA })).status).toBeLessThan(300)
    const before = await bridge.roles()
    expect(before).toEqual([...ROLE, 'bob@example.com ML READ_ONLY'])

    const [okta] = (await bridge.admin('GET', 'connections')).json['connections'] as { id: string; name: string }[]
    const preview = await bridge.admin('GET', `connections/${okta?.id ?? ''}/removal`)
    expect(preview.json).toMatchObject({
      users: 2, groups: 3, people: 2, isEstimate: false, brake: { holds: false },
      losses: [{ email: ADA, loses: ['remove MEMBER on organization "ML"'] }, { email: 'bob@example.com', loses: ['remove READ_ONLY on organization "ML"'] }],
    })
    expect(await rolesAfter(bridge)).toEqual(before)
    expect((await bridge.admin('DELETE', `connections/${okta?.id ?? ''}`, { confirm: okta?.name })).status).toBe(202)
    expect(await rolesAfter(bridge)).toEqual([])
    const { keys, users } = await bridge.state()
    expect([keys.filter(({ owner }) => owner === ADA).map(({ revoked }) => revoked), users.map(({ email }) => email)]).toEqual([[false], [ADA, 'bob@example.com']])
    // Bob still counts by the other connection, and nobody has left.
    expect((await bridge.admin('GET', 'people/bob@example.com')).json).toMatchObject({ leaver: null, state: 'in_step', users: [{ active: true }] })
    expect((await bridge.admin('GET', `people/${ADA}`)).json).toMatchObject({ leaver: null, state: 'in_step', users: [] })
    expect((await bridge.scim('GET', '/Users')).status).toBe(401)
  })
})
