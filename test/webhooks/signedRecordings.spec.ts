/**
 * The recordings of senders that sign, replayed against the port. A step sends `body` (JSON, or text in which `{{token}}` stands
 * for the signed `token`; without one, the token itself) at `now` to one of the file's connections. `expect` is the whole answer,
 * the whole of the events, and what proves the sender. The key sets and discovery documents that exist are those of the senders.
 */
import { describe, expect, it } from 'vitest'
import { eventGrid } from '../../src/webhooks/eventGrid'
import { securityEvent } from '../../src/webhooks/securityEvent'
import type { WebhookTools } from '../../src/webhooks/source'
import { universalLogout } from '../../src/webhooks/universalLogout'
import eventGridFile from '../recordings/events/EG-01-EG-03-event-grid.json'
import securityEvents from '../recordings/events/S-01-S-08-security-events.json'
import scimEvents from '../recordings/events/S-20-S-22-scim-events.json'
import logout from '../recordings/events/U-01-universal-logout.json'
import { answerOf, createSignedWorld, eventsOf, receive, type RecordedStep, type Sent, type SignedWorld } from './signedWorld'

type Members = Readonly<Record<string, unknown>>

type Step = RecordedStep & {
  readonly token?: { readonly header: Members; readonly claims: Members }
  /** How many of the events the Directory says are about nobody it knows. */
  readonly unknown?: number
  readonly expect: {
    readonly status: number
    readonly headers?: Members
    readonly body?: unknown
    readonly secret?: string | null
    readonly caller?: string | null
    readonly events: readonly unknown[]
  }
}

type Recording = {
  readonly title: string
  readonly kind: string
  readonly connections: Readonly<Record<string, Members>>
  readonly steps: readonly Step[]
}

const recordings: readonly Recording[] = [securityEvents, scimEvents, logout, eventGridFile]

const DISCOVERED: Readonly<Record<string, string>> = {
  'https://idp.example.com/.well-known/ssf-configuration': 'https://idp.example.com/',
  'https://transmitter.example.com/.well-known/ssf-configuration': 'https://transmitter.example.com',
  'https://scim.example.com/.well-known/ssf-configuration': 'https://scim.example.com',
  'https://org.okta.com/.well-known/ssf-configuration': 'https://org.okta.com',
  'https://org.okta.com/.well-known/openid-configuration': 'https://org.okta.com',
  'https://id.example.org/realms/staff/.well-known/openid-configuration': 'https://id.example.org/realms/staff',
}

const KEYS: Readonly<Record<string, string>> = {
  'https://sts.windows.net/84bd8158-6d4d-4958-8b9f-9d6445542f95/':
    'https://login.microsoftonline.com/84bd8158-6d4d-4958-8b9f-9d6445542f95/discovery/v2.0/keys',
}

const keysOf = (issuer: string): string => KEYS[issuer] ?? `${issuer.replace(/\/$/, '')}/keys`

let clockMs = 0
const worlds = new Map<string, Promise<SignedWorld>>()

/** Each sender makes its key once. */
const worldOf = (step: Step): Promise<SignedWorld> => {
  clockMs = step.now * 1000
  const issuer = String(step.token?.claims['iss'] ?? 'https://idp.example.com/')
  const world = worlds.get(issuer) ?? makeWorld(issuer)
  worlds.set(issuer, world)
  return world
}

const makeWorld = (issuer: string): Promise<SignedWorld> => {
  const documents = Object.fromEntries(
    Object.entries(DISCOVERED).map(([address, of]) => [address, { issuer: of, jwks_uri: keysOf(of) }]),
  )
  return createSignedWorld({ issuer, jwksUri: keysOf(issuer), documents, now: () => clockMs })
}

const bodyOf = ({ body, token }: Step, signed: string): string => {
  if (body === undefined) return token === undefined ? '' : signed
  return typeof body === 'string' ? body.replace('{{token}}', signed) : JSON.stringify(body)
}

const sentOf = (step: Step, signed: string): Sent => ({
  ...(step.method === undefined ? {} : { method: step.method }),
  ...(step.url === undefined ? {} : { url: step.url }),
  headers: Object.fromEntries(Object.entries(step.headers).map(([name, value]) => [name, value.replace('{{token}}', signed)])),
  body: bodyOf(step, signed),
})

const send = (kind: string, settings: unknown, tools: WebhookTools, sent: Sent) => {
  switch (kind) {
    case 'security-events':
      return receive(securityEvent, settings, tools, sent)
    case 'universal-logout':
      return receive(universalLogout, settings, tools, sent)
    case 'event-grid':
      return receive(eventGrid, settings, tools, sent)
    default:
      throw new Error(`no such kind: ${kind}`)
  }
}

for (const { title, kind, connections, steps } of recordings) {
  describe(title, () => {
    it.each(steps.map((step) => [step.id, step.name, step] as const))('%s %s', async (_id, _name, step) => {
      const world = await worldOf(step)
      const signed = step.token === undefined ? '' : await world.token(step.token.claims, step.token.header)
      const received = await send(kind, connections[step.connection], world.tools, sentOf(step, signed))
      const answer = answerOf(received, { taken: 1, duplicates: 0, unknown: step.unknown ?? 0 })
      const { status, headers, body, events, secret, caller } = step.expect
      expect(eventsOf(received)).toEqual(events)
      expect(answer.status).toBe(status)
      if (headers !== undefined) expect(answer.headers).toEqual(headers)
      expect(answer.body === undefined ? undefined : JSON.parse(answer.body)).toEqual(body)
      expect(received.kind === 'delivery' ? { secret: received.secret, caller: received.caller } : {}).toEqual({
        ...(secret === undefined ? {} : { secret }),
        ...(caller === undefined ? {} : { caller }),
      })
      const own = new Set([...Object.keys(DISCOVERED), ...Object.values(DISCOVERED).map(keysOf), ...Object.values(KEYS), 'https://accounts.google.com/keys'])
      expect(world.asked().filter((address) => !own.has(address))).toEqual([])
    })
  })
}

describe('the recordings', () => {
  it('hold every transcript of the study that is signed or of Event Grid', () => {
    const held = recordings.flatMap(({ steps }) => steps.map(({ id }) => id)).filter((id) => !id.includes('/'))
    expect(held.toSorted()).toEqual([
      'EG-01', 'EG-02', 'EG-03', 'S-01', 'S-02', 'S-03', 'S-04', 'S-05', 'S-06', 'S-07', 'S-08', 'S-20', 'S-21', 'S-22', 'U-01',
    ])
  })
})
