import { describe, expect, it } from 'vitest'
import type { GraphEmulator } from '../sources/emulators'
import { expectSettled } from './bridge'
import { openGraphFlow, type Asked } from './providers'

const POLICY = { mappings: [{ id: 'ml', group: 'ML Engineers', grants: [{ organization: 'ML', role: 'MEMBER' }] }] }

const ids = { ada: '11111111-0000-4000-8000-000000000001', bob: '11111111-0000-4000-8000-000000000002', cyd: '11111111-0000-4000-8000-000000000003', ml: '22222222-0000-4000-8000-000000000001' }

const fill = async (tenant: GraphEmulator): Promise<void> => {
  await tenant.control('POST', 'switches', { pageSize: 1 })
  for (const name of ['ada', 'bob', 'cyd'] as const) await tenant.control('PUT', `people/${ids[name]}`, { userPrincipalName: `${name}@contoso.example`, mail: `${name}@contoso.example` })
  await tenant.control('PUT', `people/${ids.cyd}`, { accountEnabled: false })
  await tenant.control('PUT', `groups/${ids.ml}`, { displayName: 'ML Engineers', members: [ids.ada, ids.bob, ids.cyd] })
}

const open = async (): Promise<Asked<GraphEmulator>> => {
  const flow = await openGraphFlow(fill)
  await flow.bridge.addOrganization('ML')
  await flow.bridge.policy(POLICY)
  await expectSettled(flow.bridge)
  return flow
}

const roles = (...names: readonly string[]): readonly string[] => names.map((name) => `${name}@contoso.example ML MEMBER`)

interface Subscriptions {
  readonly subscription: readonly { readonly id: string; readonly resource: string; readonly notificationUrl: string }[]
}

const subscriptionsOf = async ({ provider }: Pick<Asked<GraphEmulator>, 'provider'>): Promise<Subscriptions['subscription']> => ((await provider.control('GET', 'state')) as Subscriptions).subscription

describe('Microsoft Graph that is asked and subscribed to', () => {
  it('gives everybody their roles after the first pull, and is subscribed to after the handshake', async () => {
    const flow = await open()
    expect(await flow.bridge.roles()).toEqual(roles('ada', 'bob'))
    const subscriptions = await subscriptionsOf(flow)
    expect(subscriptions.map(({ resource }) => resource).toSorted()).toEqual(['groups', 'users'])
    expect(await flow.connection()).toMatchObject({
      lastError: null, users: 3, groups: 1, subscriptions: [{ resource: 'users' }, { resource: 'groups' }], nextRenewalAt: expect.any(String),
    })
  })

  it('notifies of a disabled account, a soft deletion, a restored person and memberships, and is asked about each', async () => {
    const { bridge, provider } = await open()
    await provider.control('PUT', `people/${ids.bob}`, { accountEnabled: false })
    await expectSettled(bridge)
    expect(await bridge.roles()).toEqual(roles('ada'))
    await provider.control('PUT', `people/${ids.cyd}`, { accountEnabled: true })
    await provider.control('DELETE', `people/${ids.ada}`)
    await expectSettled(bridge)
    expect(await bridge.roles()).toEqual(roles('cyd'))
    await provider.control('PUT', `people/${ids.ada}`, {})
    await provider.control('DELETE', `groups/${ids.ml}/members/${ids.cyd}`)
    await expectSettled(bridge)
    expect(await bridge.roles()).toEqual(roles('ada'))
    await provider.control('DELETE', `groups/${ids.ml}`)
    await expectSettled(bridge)
    expect(await bridge.roles()).toEqual([])
  })

  it('heals by the delta what no notification told of', async () => {
    const { bridge, provider, atNight } = await open()
    await provider.control('POST', 'switches', { isNotifying: false })
    await provider.control('DELETE', `people/${ids.bob}?permanent=true`)
    await provider.control('PUT', `people/${ids.cyd}`, { accountEnabled: true })
    await expectSettled(bridge)
    expect(await bridge.roles()).toEqual(roles('ada', 'bob'))
    await atNight()
    await expectSettled(bridge)
    expect(await bridge.roles()).toEqual(roles('ada', 'cyd'))
  })

  it('that has forgotten its delta is pulled whole', async () => {
    const { bridge, provider, atNight, journal } = await open()
    await provider.control('POST', 'switches', { isNotifying: false })
    await provider.control('POST', 'forget')
    await provider.control('PUT', `people/${ids.bob}`, { accountEnabled: false })
    await atNight()
    await expectSettled(bridge)
    expect(await bridge.roles()).toEqual(roles('ada'))
    expect((await journal('pull.completed')).length).toBeGreaterThan(1)
  })

  it('that asks for a new authorization or removes a subscription has both again', async () => {
    const flow = await open()
    const before = await subscriptionsOf(flow)
    await flow.provider.control('POST', 'lifecycle', { event: 'reauthorizationRequired' })
    await flow.bridge.settle()
    expect((await flow.provider.calls()).filter((call) => call.startsWith('PATCH /v1.0/subscriptions/')).length).toBe(2)
    await flow.provider.control('POST', 'lifecycle', { event: 'subscriptionRemoved' })
    await flow.bridge.settle()
    const after = await subscriptionsOf(flow)
    expect(after.map(({ resource }) => resource).toSorted()).toEqual(['groups', 'users'])
    expect(after.some(({ id }) => before.some((other) => other.id === id))).toBe(false)
  })

  it('whose notifications have a wrong secret is not asked for that', async () => {
    const { bridge, provider, connection } = await open()
    const calls = (await provider.calls()).length
    const { notificationUrl } = (await subscriptionsOf({ provider }))[0] ?? { notificationUrl: '' }
    const answer = await fetch(notificationUrl, {
      method: 'POST', headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ value: [{ changeType: 'updated', clientState: 'forged', resource: `Users/${ids.bob}`, resourceData: { '@odata.type': '#Microsoft.Graph.User', id: ids.bob }, subscriptionId: 'x', tenantId: provider.tenantId }] }),
    })
    expect(answer.status).toBe(202)
    await bridge.settle()
    expect({ roles: await bridge.roles(), calls: (await provider.calls()).length }).toEqual({ roles: roles('ada', 'bob'), calls })
    expect((await connection())['lastError']).toEqual(expect.any(String))
  })

  it('throttles: nothing is taken for gone, and the bridge goes on when it may', async () => {
    const { bridge, provider, atNight } = await open()
    await provider.fault({ kind: 'status', status: 429, retryAfter: 1, times: 1 })
    await provider.control('PUT', `people/${ids.bob}`, { accountEnabled: false })
    await bridge.settle()
    expect(await bridge.roles()).toEqual(roles('ada', 'bob'))
    await atNight()
    await expect.poll(async () => {
      await bridge.settle()
      return bridge.roles()
    }, { timeout: 10_000 }).toEqual(roles('ada'))
  })
})
