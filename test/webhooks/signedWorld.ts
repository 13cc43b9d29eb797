/**
 * A sender that signs what it sends, and a connection that believes it: requests go straight to the port, and nothing leaves the
 * process. Whatever address is asked for is noted, so that a test can say that nothing else was.
 */
import { createDiscovery } from '../../src/auth/discovery'
import { createJwksCache } from '../../src/auth/jwks'
import type { SourceEvent } from '../../src/change'
import type { Outcome, Received, Webhook, WebhookAnswer, WebhookTools } from '../../src/webhooks/source'
import { createTestIssuer, type TestIssuer, type TestIssuerOptions } from '../auth/issuer'

type Members = Readonly<Record<string, unknown>>

export type SignedWorld = {
  readonly issuer: TestIssuer
  readonly tools: WebhookTools
  /** Addresses asked for since the last call. */
  readonly asked: () => readonly string[]
  /** A token with exactly these claims and header (but for the algorithm and key id, unless they are overridden). */
  readonly token: (claims: unknown, header?: Members) => Promise<string>
}

/** `documents`: addresses that answer with JSON beside the issuer's key set. */
export const createSignedWorld = async (
  options: TestIssuerOptions & { readonly documents?: Readonly<Record<string, unknown>>; readonly development?: boolean } = {},
): Promise<SignedWorld> => {
  const { documents = {}, development = false, now = Date.now } = options
  const issuer = await createTestIssuer({ now, ...options })
  const asked: string[] = []
  const fetch = async (address: string): Promise<Response> => {
    asked.push(address)
    return Object.hasOwn(documents, address) ? Response.json(documents[address]) : issuer.fetch(address)
  }
  const discover = createDiscovery({ fetch, now })
  const jwks = createJwksCache({ fetch, now })
  return {
    issuer,
    tools: { now, jwks, development, discover: (of, document) => discover(of, document, { development }) },
    asked: () => asked.splice(0),
    token: (claims, header = {}) => issuer.signText(JSON.stringify(claims), header),
  }
}

/** What the steps of recordings have in common. */
export interface RecordedStep {
  readonly id: string
  readonly name: string
  readonly connection: string
  /** Seconds since the epoch. */
  readonly now: number
  readonly method?: string
  readonly url?: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: unknown
}

export type Sent = {
  readonly method?: string
  readonly url?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

export const receive = async <Settings>(
  webhook: Webhook<Settings>,
  settings: unknown,
  tools: WebhookTools,
  { method = 'POST', url = `https://bridge.example.com/webhooks/${webhook.path}/c1`, headers = {}, body = '' }: Sent,
): Promise<Received> => {
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body
  const connection = { id: 'c1', settings: webhook.settings.parse(settings) }
  return webhook.receive({ method, url: new URL(url), headers: new Headers(headers), body: bytes }, connection, tools)
}

const STORED: Outcome = { taken: 1, duplicates: 0, unknown: 0 }

/** What the sender is told when the Directory takes everything. */
export const answerOf = (received: Received, outcome: Outcome = STORED): WebhookAnswer =>
  received.kind === 'delivery' ? received.answer(outcome) : received.answer

export const eventsOf = (received: Received): readonly SourceEvent[] => (received.kind === 'delivery' ? received.events : [])
