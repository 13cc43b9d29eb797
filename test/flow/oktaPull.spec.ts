import { runInDurableObject } from 'cloudflare:test'
import { describe, expect, it } from 'vitest'
import { newKeyPair, type Emulator } from '../sources/emulators'
import { expectSettled, type Bridge } from './bridge'
import { openOktaFlow, user, userGroup, type OktaFlow } from './providers'

const POLICY = {
  mappings: [{ id: 'ml', group: 'ML Engineers', grants: [{ organization: 'ML', role: 'MEMBER' }] }, { id: 'readers', group: 'ML Readers', grants: [{ organization: 'ML', role: 'READ_ONLY' }] }],
}

const fill = async (org: Emulator): Promise<void> => {
  await org.control('POST', 'switches', { pageSize: 2 })
  for (const id of ['00uAda', '00uBob', '00uCyd', '00uDan', '00uEve']) await org.control('PUT', `people/${id}`, { login: `${id}@example.com` })
  await org.control('PUT', 'people/00uEve', { status: 'SUSPENDED' })
  await org.control('PUT', 'people/00uDan', { status: 'LOCKED_OUT' })
  await org.control('PUT', 'groups/00gMl', { name: 'ML Engineers', members: ['00uAda', '00uBob', '00uDan', '00uEve'] })
  await org.control('PUT', 'groups/00gReaders', { name: 'ML Readers', members: ['00uCyd'] })
}

const prepare = async (bridge: Bridge): Promise<void> => {
  await bridge.addOrganization('ML')
  await bridge.policy(POLICY)
}

const open = async (options: Parameters<typeof openOktaFlow>[0] = {}): Promise<OktaFlow> => {
  const flow = await openOktaFlow({ fill, ...options })
  await prepare(flow.bridge)
  await expectSettled(flow.bridge)
  return flow
}

const ROLES = ['00uada@example.com ML MEMBER', '00ubob@example.com ML MEMBER', '00ucyd@example.com ML READ_ONLY', '00udan@example.com ML MEMBER']

const without = (...ids: readonly string[]): readonly string[] => ROLES.filter((role) => !ids.some((id) => role.startsWith(id)))

describe('Okta that is asked', () => {
  it('gives everybody their roles once the first pull is complete; a locked account is no leaver, a suspended one is nobody', async () => {
    const { bridge, connection, journal } = await open()
    expect(await bridge.roles()).toEqual(ROLES)
    expect(await connection()).toMatchObject({ lastError: null, users: 5, groups: 2, pull: { phase: 'idle', finishedAt: expect.any(String) } })
    expect(await journal('pull.completed')).toEqual([{ person: 5, group: 2, member: 5 }])
  })

  it('is believed about a suspension that its event hook only hints at', async () => {
    const { bridge, provider, hook } = await open()
    await provider.control('PUT', 'people/00uBob', { status: 'SUSPENDED' })
    expect(await hook('user.lifecycle.suspend', [user('00uBob')])).toBe(204)
    await expectSettled(bridge)
    expect(await bridge.roles()).toEqual(without('00ubob'))
    await provider.control('PUT', 'people/00uBob', { status: 'ACTIVE' })
    await hook('user.lifecycle.unsuspend', [user('00uBob')])
    await expectSettled(bridge)
    expect(await bridge.roles()).toEqual(ROLES)
  })

  it('is asked, whatever the event claims: neither a late nor an invented event lets anybody in or out', async () => {
    const { bridge, provider, hook } = await open()
    await provider.control('PUT', 'people/00uBob', { status: 'DEPROVISIONED' })
    await hook('user.lifecycle.deactivate', [user('00uBob')])
    await hook('user.lifecycle.activate', [user('00uBob')])
    await hook('user.lifecycle.deactivate', [user('00uAda')])
    await hook('group.user_membership.add', [user('00uEve'), userGroup('00gReaders')])
    await expectSettled(bridge)
    expect(await bridge.roles()).toEqual(without('00ubob'))
    const asked = (await provider.calls()).length
    expect(await hook('user.lifecycle.deactivate', [user('00uCyd')], 'a wrong secret')).toBe(401)
    await expectSettled(bridge)
    expect({ roles: await bridge.roles(), asked: (await provider.calls()).length }).toEqual({ roles: without('00ubob'), asked })
  })

  it('tells of a joiner, a mover and a deleted group by one hint each', async () => {
    const { bridge, provider, hook, join } = await open()
    await join('00uNew')
    await provider.control('PUT', 'groups/00gMl/members/00uNew')
    await hook('user.lifecycle.create', [user('00uNew')])
    await provider.control('DELETE', 'groups/00gMl/members/00uAda')
    await provider.control('PUT', 'groups/00gReaders/members/00uAda')
    await hook('group.user_membership.remove', [user('00uAda'), userGroup('00gMl')])
    await expectSettled(bridge)
    expect(await bridge.roles()).toEqual([...without('00uada'), '00uada@example.com ML READ_ONLY', '00unew@example.com ML MEMBER'].toSorted())
    await provider.control('DELETE', 'groups/00gReaders')
    await hook('group.lifecycle.delete', [userGroup('00gReaders')])
    await expectSettled(bridge)
    expect(await bridge.roles()).toEqual([...without('00uada', '00ucyd'), '00unew@example.com ML MEMBER'].toSorted())
  })

  it('heals at night what no event told of', async () => {
    const { bridge, provider, atNight } = await open()
    await provider.control('DELETE', 'people/00uBob')
    await provider.control('PUT', 'people/00uDan', { status: 'SUSPENDED' })
    await provider.control('PUT', 'people/00uEve', { status: 'ACTIVE' })
    await expectSettled(bridge)
    expect(await bridge.roles()).toEqual(ROLES)
    await atNight()
    await expectSettled(bridge)
    expect(await bridge.roles()).toEqual([...without('00ubob', '00udan'), '00ueve@example.com ML MEMBER'])
  })

  it('heals nothing from an empty night, says so, and an administrator may accept it', async () => {
    const { bridge, provider, atNight, connection, pullId } = await open()
    await provider.fault({ kind: 'empty', path: '/api/v1/users', times: 2 })
    await atNight()
    await expectSettled(bridge)
    expect(await bridge.roles()).toEqual(ROLES)
    expect(await connection()).toMatchObject({ lastError: 'The provider listed nobody, although 4 active users are known: nothing was changed.' })
    await provider.control('PUT', 'people/00uBob', { status: 'SUSPENDED' })
    expect((await bridge.admin('POST', `connections/${pullId}/resync`, { accept: true })).status).toBeLessThan(300)
    await expectSettled(bridge)
    expect({ roles: await bridge.roles(), lastError: (await connection())['lastError'] }).toEqual({ roles: without('00ubob'), lastError: null })
  })

  it.each([
    [{ kind: 'status', status: 429, retryAfter: 1 }], [{ kind: 'status', status: 503 }], [{ kind: 'lost' }], [{ kind: 'html' }], [{ kind: 'foreign', path: '/users?' }],
  ])('on a bad day (%j) is asked again, and nobody is taken for gone meanwhile', async (fault) => {
    const { bridge, provider, hook, atNight } = await open()
    await provider.fault({ ...fault, times: 1 })
    await hook('user.account.update_profile', [user('00uAda')])
    await bridge.settle()
    expect(await bridge.roles()).toEqual(ROLES)
    await provider.control('DELETE', 'faults')
    await provider.control('PUT', 'people/00uAda', { status: 'SUSPENDED' })
    await atNight()
    await expect.poll(async () => {
      await bridge.settle()
      return bridge.roles()
    }, { timeout: 10_000 }).toEqual(without('00uada'))
  })

  it('whose token was revoked says what to mend, takes nothing away, and goes on with new credentials', async () => {
    const { bridge, provider, hook, connection, pullId } = await open()
    await provider.control('POST', 'switches', { apiToken: 'another-token' })
    await provider.control('PUT', 'people/00uBob', { status: 'SUSPENDED' })
    await hook('user.lifecycle.suspend', [user('00uBob')])
    await bridge.settle()
    expect(await bridge.roles()).toEqual(ROLES)
    expect(await connection()).toMatchObject({ lastError: expect.stringContaining('rotate the credentials of this connection') })
    expect((await bridge.admin('POST', `connections/${pullId}/rotate`, { secrets: { apiToken: 'another-token' } })).status).toBe(200)
    await expectSettled(bridge)
    expect({ roles: await bridge.roles(), lastError: (await connection())['lastError'] }).toEqual({ roles: without('00ubob'), lastError: null })
  })

  it('that is paused is not asked', async () => {
    const { bridge, provider, hook, pullId } = await open()
    await bridge.admin('POST', `connections/${pullId}/pause`, {})
    const calls = (await provider.calls()).length
    await hook('user.account.update_profile', [user('00uAda')])
    await bridge.settle()
    expect((await provider.calls()).length).toBe(calls)
  })

  it('is asked by a service app that proves possession, about the people of one app', async () => {
    const keys = await newKeyPair()
    const flow = await open({
      settings: { clientId: '0oaService', appId: '0oaArize' }, secrets: { privateKey: keys.pem },
      fill: async (org) => {
        await fill(org)
        await org.control('PUT', 'clients/0oaService', { keys: [keys.publicJwk], scopes: ['okta.users.read', 'okta.groups.read', 'okta.apps.read'], dpop: true })
        await org.control('PUT', 'apps/0oaArize', { users: ['00uAda', '00uCyd'] })
      },
    })
    expect(await flow.bridge.roles()).toEqual(without('00ubob', '00udan'))
    expect((await flow.provider.calls()).filter((call) => call.startsWith('POST /oauth2/v1/token')).map((call) => call.split(' ')[2])).toEqual(['400', '400', '200'])
    await flow.provider.control('PUT', 'apps/0oaArize', { users: ['00uAda', '00uBob'] })
    await flow.hook('group.user_membership.add', [user('00uCyd'), userGroup('00gMl')])
    await flow.hook('group.user_membership.add', [user('00uBob'), userGroup('00gMl')])
    await expectSettled(flow.bridge)
    expect(await flow.bridge.roles()).toEqual(without('00ucyd', '00udan'))
  })

  it('that has yet to tell of everybody keeps accounts from being made, also for the people of a SCIM client', async () => {
    const { bridge, pullId } = await openOktaFlow({ fill, secrets: { apiToken: 'wrong' } })
    await prepare(bridge)
    await bridge.createGroup('ML Engineers', [await bridge.createUser('scim@example.com')])
    await bridge.settle()
    expect((await bridge.state()).users).toEqual([])
    await bridge.admin('POST', `connections/${pullId}/rotate`, { secrets: { apiToken: 'dev-okta-token' } })
    await expectSettled(bridge)
    expect(await bridge.roles()).toEqual([...ROLES, 'scim@example.com ML MEMBER'].toSorted())
  })

  it('that takes its time delays nobody who leaves', async () => {
    const { bridge, provider, hook } = await open()
    const leaver = await bridge.createUser('leaver@example.com')
    await bridge.createGroup('ML Engineers', [leaver])
    await expectSettled(bridge)
    expect(await bridge.roles()).toContain('leaver@example.com ML MEMBER')
    await provider.fault({ kind: 'held', path: '/api/v1/users/00uAda' })
    await hook('user.account.update_profile', [user('00uAda')])
    await expect.poll(() => provider.control('GET', 'held'), { timeout: 10_000 }).toEqual({ held: 1 })
    await bridge.setActive(leaver, false)
    await expect.poll(() => bridge.roles(), { timeout: 10_000 }).toEqual(ROLES)
    expect(await provider.control('GET', 'held')).toEqual({ held: 1 })
    await provider.control('POST', 'release')
    await expectSettled(bridge)
  })

  it('that takes its time delays nobody who joins', async () => {
    const { bridge, provider, hook } = await open()
    const group = await bridge.createGroup('ML Engineers')
    await provider.fault({ kind: 'held', path: '/api/v1/users/00uAda' })
    await hook('user.account.update_profile', [user('00uAda')])
    await expect.poll(() => provider.control('GET', 'held'), { timeout: 10_000 }).toEqual({ held: 1 })
    await bridge.addMembers(group, await bridge.createUser('joiner@example.com'))
    await expect.poll(() => bridge.roles(), { timeout: 10_000 }).toContain('joiner@example.com ML MEMBER')
    expect(await provider.control('GET', 'held')).toEqual({ held: 1 })
    await provider.control('POST', 'release')
    await expectSettled(bridge)
  })

  it('keeps no alarm from ending, however many wait for it', async () => {
    const { bridge, provider, hook } = await open()
    await provider.fault({ kind: 'held', path: '/api/v1/users/00uAda' })
    await hook('user.account.update_profile', [user('00uAda')])
    const alarms = runInDurableObject(bridge.directory(), (directory) => Promise.all([directory.alarm(), directory.alarm()]))
    await expect.poll(() => provider.control('GET', 'held'), { timeout: 10_000 }).toEqual({ held: 1 })
    await provider.control('POST', 'release')
    await alarms
    await expectSettled(bridge)
  })
})
