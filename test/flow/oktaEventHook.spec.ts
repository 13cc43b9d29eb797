import { exports } from 'cloudflare:workers'
import { env } from 'cloudflare:test'
import { describe, expect, it } from 'vitest'
import { hashToken } from '../../src/auth/bearer'
import { directoryOf } from '../../src/http/tenants'
import recording from '../recordings/events/H-01-H-04-okta-event-hook.json'
import { expectSettled, openBridge, ORIGIN, type Bridge } from './bridge'

/** From Okta's event hook to Arize: the recorded deliveries, as of now. */

const POLICY = {
  mappings: [
    { id: 'sales', group: 'Sales', grants: [{ organization: 'Revenue', role: 'MEMBER' }] },
    { id: 'ml', group: 'Engineers', grants: [{ organization: 'ML', role: 'MEMBER' }] },
  ],
}

const JOHN = { email: 'john.doe@example.com', id: '00u3m90rxKjGQ0G6L1d6' }

interface Hook {
  /** Sends the recorded body of a step, its events at `secondsAgo` and under ids of their own. */
  readonly send: (step: string, secondsAgo: number, eventType?: string) => Promise<number>
}

/** An event hook of the source whose SCIM client the bridge opens with. */
const openHook = async ({ tenant }: Bridge): Promise<Hook> => {
  const directory = directoryOf(env, tenant)
  const made = await directory.createConnection({ kind: 'okta-event-hook', name: 'Okta events', source: 'okta', config: { address: 'email', issuers: [], settings: {} } }, 'test')
  if (!made.ok) throw new Error(made.error.sentence)
  const secret = `hook-secret-${tenant}`
  await directory.createToken(made.value.id, { hash: await hashToken(secret), expiresAt: null }, 'test')
  return {
    send: async (step, secondsAgo, eventType) => {
      const recorded = recording.steps.find(({ id }) => id === step)?.body as { readonly data: { readonly events: readonly { readonly eventType: string }[] } }
      const published = new Date(Date.now() - secondsAgo * 1000).toISOString()
      const events = recorded.data.events.map((event) => ({ ...event, uuid: crypto.randomUUID(), published, eventType: eventType ?? event.eventType }))
      const body = JSON.stringify({ ...recorded, eventId: crypto.randomUUID(), data: { events } })
      const response = await exports.default.fetch(new Request(`${ORIGIN}/t/${tenant}/webhooks/okta/${made.value.id}`, {
        method: 'POST', headers: { authorization: secret, 'content-type': 'application/json' }, body,
      }))
      return response.status
    },
  }
}

describe("Okta's event hook", () => {
  it('a deactivation (H-02) takes every role; a SCIM client that repeats active gives none back, and unsuspending does', async () => {
    const bridge = await openBridge()
    await bridge.addOrganization('ML')
    await bridge.addOrganization('Revenue')
    await bridge.policy(POLICY)
    const john = await bridge.createUser(JOHN.email, { externalId: JOHN.id })
    const ada = await bridge.createUser('ada@example.com')
    await bridge.createGroup('Engineers', [john, ada])
    const hook = await openHook(bridge)
    await expectSettled(bridge)
    const everybody = ['ada@example.com ML MEMBER', `${JOHN.email} ML MEMBER`]
    expect(await bridge.roles()).toEqual(everybody)

    expect(await hook.send('H-02', 60)).toBe(204)
    await expectSettled(bridge)
    expect(await bridge.roles()).toEqual(['ada@example.com ML MEMBER'])

    await bridge.setActive(john, true)
    await expectSettled(bridge)
    expect(await bridge.roles()).toEqual(['ada@example.com ML MEMBER'])

    expect(await hook.send('H-02', 120, 'user.lifecycle.unsuspend')).toBe(204)
    await expectSettled(bridge)
    expect(await bridge.roles()).toEqual(['ada@example.com ML MEMBER'])

    expect(await hook.send('H-02', 30, 'user.lifecycle.unsuspend')).toBe(204)
    await expectSettled(bridge)
    expect(await bridge.roles()).toEqual(everybody)
  })

  it('a lock takes nothing', async () => {
    const bridge = await openBridge()
    await bridge.addOrganization('ML')
    await bridge.addOrganization('Revenue')
    await bridge.policy(POLICY)
    await bridge.createGroup('Engineers', [await bridge.createUser(JOHN.email, { externalId: JOHN.id })])
    const hook = await openHook(bridge)
    expect(await hook.send('H-02', 60, 'user.account.lock')).toBe(204)
    await expectSettled(bridge)
    expect(await bridge.roles()).toEqual([`${JOHN.email} ML MEMBER`])
  })

  it('being put in a group gives a role, and being taken out takes it (H-03), without any SCIM client', async () => {
    const bridge = await openBridge()
    await bridge.addOrganization('ML')
    await bridge.addOrganization('Revenue')
    await bridge.policy(POLICY)
    const hook = await openHook(bridge)
    expect(await hook.send('H-03', 60)).toBe(204)
    await expectSettled(bridge)
    expect(await bridge.roles()).toEqual([`${JOHN.email} Revenue MEMBER`])
    expect(await hook.send('H-03/2', 30)).toBe(204)
    await expectSettled(bridge)
    expect(await bridge.roles()).toEqual([])
    expect(await hook.send('H-03', 45)).toBe(204)
    await expectSettled(bridge)
    expect(await bridge.roles()).toEqual([])
  })
})
