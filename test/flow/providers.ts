import { exports } from 'cloudflare:workers'
import { runInDurableObject } from 'cloudflare:test'
import { expect } from 'vitest'
import { openGraph, openOkta, type Emulator, type GraphEmulator } from '../sources/emulators'
import { openBridge, type Answer, type Bridge } from './bridge'

/** A bridge beside a provider that it asks: the provider's own changes, its events, and what comes of them at Arize. */

export interface Asked<Provider extends Emulator> {
  readonly bridge: Bridge
  readonly provider: Provider
  /** The connection that asks. */
  readonly pullId: string
  /** The connection's questions that are due at night are due now. */
  readonly atNight: () => Promise<void>
  readonly connection: () => Promise<Readonly<Record<string, unknown>>>
  readonly journal: (kind: string) => Promise<readonly Readonly<Record<string, unknown>>[]>
}

const created = async (bridge: Bridge, body: object): Promise<Answer> => {
  const answer = await bridge.admin('POST', 'connections', body)
  expect({ status: answer.status, text: answer.status === 201 ? '' : answer.text }).toEqual({ status: 201, text: '' })
  return answer
}

const askedOf = <Provider extends Emulator>(bridge: Bridge, provider: Provider, pullId: string): Asked<Provider> => ({
  bridge, provider, pullId,
  atNight: () =>
    runInDurableObject(bridge.directory(), (_directory, { storage }) => {
      storage.sql.exec(`UPDATE refreshes SET due = ? WHERE connection_id = ?`, Date.now(), pullId)
    }),
  connection: async () => (await bridge.admin('GET', `connections/${pullId}`)).json,
  journal: async (kind) =>
    runInDurableObject(bridge.directory(), (_directory, { storage }) =>
      storage.sql.exec<{ data: string }>(`SELECT data FROM journal WHERE kind = ? ORDER BY seq`, kind).toArray().map(({ data }) => JSON.parse(data) as Record<string, unknown>)),
})

export interface OktaFlow extends Asked<Emulator> {
  /** Sends an event of Okta's event hook; its status. `secret`: another one than the connection's. */
  readonly hook: (eventType: string, targets: readonly Readonly<Record<string, string>>[], secret?: string) => Promise<number>
  readonly join: (id: string, more?: object) => Promise<void>
}

export const user = (id: string): Readonly<Record<string, string>> => ({ id, type: 'User', alternateId: `${id}@example.com`, displayName: id })
export const userGroup = (id: string): Readonly<Record<string, string>> => ({ id, type: 'UserGroup', alternateId: 'unknown', displayName: id })

export interface OktaFlowOptions {
  readonly settings?: object
  readonly secrets?: object
  /** Before the bridge asks for the first time. */
  readonly fill?: (org: Emulator) => Promise<void>
}

/** A bridge that asks an Okta org and is told by its event hook, as one source. */
export const openOktaFlow = async ({ settings = {}, secrets = { apiToken: 'dev-okta-token' }, fill }: OktaFlowOptions = {}): Promise<OktaFlow> => {
  const [bridge, org] = [await openBridge(), await openOkta()]
  await fill?.(org)
  const hook = await created(bridge, { kind: 'okta-event-hook', name: 'Hook', source: 'okta', settings: {} })
  const pull = await created(bridge, { kind: 'okta', name: 'Okta API', source: 'okta', settings: { orgUrl: org.origin, ...settings }, secrets })
  return {
    ...askedOf(bridge, org, String(pull.json['id'])),
    join: async (id, more = {}) => void (await org.control('PUT', `people/${id}`, { login: `${id}@example.com`, ...more })),
    hook: async (eventType, targets, secret = String(hook.json['secret'])) => {
      const event = { uuid: crypto.randomUUID(), published: new Date().toISOString(), eventType, version: '0', outcome: { result: 'SUCCESS', reason: null }, target: targets }
      const body = { eventType: 'com.okta.event_hook', eventId: crypto.randomUUID(), data: { events: [event] }, eventTime: new Date().toISOString(), contentType: 'application/json' }
      const response = await exports.default.fetch(new Request(String(hook.json['url']), {
        method: 'POST', headers: { authorization: secret, 'content-type': 'application/json' }, body: JSON.stringify(body),
      }))
      return response.status
    },
  }
}

/** A bridge that asks a Microsoft tenant and is notified by it. */
export const openGraphFlow = async (fill?: (tenant: GraphEmulator) => Promise<void>): Promise<Asked<GraphEmulator>> => {
  const [bridge, tenant] = [await openBridge(), await openGraph()]
  await fill?.(tenant)
  const { tenantId, clientId, secret, origin } = tenant
  const pull = await created(bridge, {
    kind: 'graph', name: 'Graph', source: 'okta', settings: { tenantId, clientId, loginUrl: origin, graphUrl: origin }, secrets: { clientSecret: secret },
  })
  return askedOf(bridge, tenant, String(pull.json['id']))
}
