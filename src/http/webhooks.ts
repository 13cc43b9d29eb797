import { Hono } from 'hono'
import { hashToken } from '../auth/bearer'
import type { Discover } from '../auth/discovery'
import type { JwksCache } from '../auth/jwks'
import type { Config, Env } from '../config'
import type { EventConnection, ScimCredential, Trust } from '../directory/callers'
import type { Received, WebhookAnswer, WebhookRequest, WebhookTools } from '../webhooks/source'
import { webhookAt, type AnyWebhook, type Unfit } from '../webhooks/sources'
import { readBytes, sizeOf } from './body'
import { createCache } from './cache'
import { isDevelopmentRequest, type BridgeEnv } from './deployment'
import { problem } from './problem'
import { problemOf } from './respond'
import { DEFAULT_TENANT, directoryOf, type Tenants } from './tenants'

/**
 * Events over HTTP: the address names a connection, its kind of sender says what the request is, and what is believed goes to the
 * tenant's Directory in one call. The answer waits for that call and for nothing else.
 */

export interface WebhookOptions {
  readonly tenants: Tenants
  readonly jwks: JwksCache
  readonly discover: Discover
  /** Milliseconds since the epoch. */
  readonly now?: () => number
}

/** One request, with the connection that its address names as the Worker knows it now. */
interface Call {
  readonly env: Env
  readonly config: Config
  readonly tenant: string
  readonly webhook: AnyWebhook
  readonly connectionId: string
}

type Delivery = Extract<Received, { readonly kind: 'delivery' }>

const NO_WEBHOOK = 'There is no such webhook.'

/** More than an id ever has: what is none costs no look. */
const CONNECTION_ID = /^[A-Za-z0-9_-]{1,64}$/

/** How long one isolate keeps a refusal from being told again, which the Directory would not journal anyway. */
const REFUSAL_EVERY_MS = 60_000

const MENDED_AFTER_SECONDS = 60

const responseOf = ({ status, headers = {}, body }: WebhookAnswer): Response =>
  new Response(body ?? null, { status, headers: { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', ...headers } })

const unfit = ({ paths }: Unfit): Response =>
  problem(503, `The stored settings of this connection cannot be used: ${paths.join(', ')}. An administrator has to set them anew.`, {
    headers: { 'retry-after': String(MENDED_AFTER_SECONDS) },
  })

const busy = (): Response => problem(503, 'The connections are being changed. Try again later.', { headers: { 'retry-after': '1' } })

const credentialOf = async ({ secret, caller }: Delivery, connectionId: string, revision: number): Promise<ScimCredential | { readonly kind: 'each' }> => {
  if (secret !== null) return { kind: 'token', hash: await hashToken(secret) }
  return caller === null ? { kind: 'each' } : { kind: 'verified', connectionId, revision, caller }
}

export const createWebhooks = ({ tenants, jwks, discover, now = Date.now }: WebhookOptions): Hono<BridgeEnv> => {
  const told = createCache<void>({ maxAgeMs: REFUSAL_EVERY_MS, now })

  const tellRefusal = ({ env, tenant, webhook, connectionId }: Call, reason: string, sentence: string): Promise<void> =>
    told.get(`${tenant} ${connectionId} ${reason}`, () =>
      directoryOf(env, tenant).refuseDelivery({ connectionId, kind: webhook.kind, reason, sentence }))

  const connectionIn = ({ events }: Trust, { webhook, connectionId }: Call): EventConnection | undefined =>
    events.find(({ id, kind }) => id === connectionId && kind === webhook.kind)

  /** A connection may be newer than what is remembered; whoever makes ids up causes a look every few seconds. */
  const findConnection = async (call: Call): Promise<EventConnection | undefined> =>
    connectionIn(await tenants.trustOf(call.env, call.tenant), call) ?? connectionIn(await tenants.renewTrust(call.env, call.tenant), call)

  const deliver = async (call: Call, delivery: Delivery): Promise<Response | 'stale'> => {
    const { env, tenant, webhook: { kind }, connectionId } = call
    const { revisions } = await tenants.trustOf(env, tenant)
    const revision = Object.hasOwn(revisions, connectionId) ? revisions[connectionId] : undefined
    if (revision === undefined) return 'stale'
    const credential = await credentialOf(delivery, connectionId, revision)
    const done = await directoryOf(env, tenant).receive({ connectionId, kind, credential, events: delivery.events })
    if (done.ok) return responseOf(delivery.answer(done.value))
    const { error } = done
    if (error.kind === 'stale') return 'stale'
    return error.failure.kind === 'invalid' ? responseOf(delivery.refuse()) : problemOf(error.failure)
  }

  const receiveOnce = async (call: Call, request: WebhookRequest, tools: WebhookTools): Promise<Response | 'stale'> => {
    const connection = await findConnection(call)
    if (connection === undefined) return problem(404, NO_WEBHOOK)
    const read = await call.webhook.receive(request, connection, tools)
    if (!read.ok) return unfit(read.error)
    const received = read.value
    switch (received.kind) {
      case 'answer':
        return responseOf(received.answer)
      case 'delivery':
        return deliver(call, received)
      case 'refused':
        await tellRefusal(call, received.reason, received.sentence)
        return responseOf(received.answer)
      case 'unavailable':
        await tellRefusal(call, 'unavailable', received.sentence)
        return responseOf(received.answer)
    }
  }

  /** What a delivery was verified by may have changed meanwhile: then it is read and verified once more. */
  const receive = async (call: Call, request: WebhookRequest, tools: WebhookTools): Promise<Response> => {
    const first = await receiveOnce(call, request, tools)
    if (first !== 'stale') return first
    tenants.forgetTrust(call.tenant)
    const second = await receiveOnce(call, request, tools)
    return second === 'stale' ? busy() : second
  }

  const answer = async (call: Call, request: Request): Promise<Response> => {
    const { webhook, config } = call
    if (!webhook.methods.includes(request.method)) {
      return problem(405, `The method ${request.method} is not supported here.`, { headers: { allow: webhook.methods.join(', ') } })
    }
    const body = await readBytes(request, webhook.maxBytes)
    if (!body.ok) {
      const sentence = `The body is larger than ${sizeOf(webhook.maxBytes)}.`
      await tellRefusal(call, body.error, sentence)
      return webhook.tooLarge === undefined ? problem(413, sentence) : responseOf(webhook.tooLarge(sentence))
    }
    const development = isDevelopmentRequest(config, request.url)
    const tools: WebhookTools = { now, jwks, development, discover: (issuer, document) => discover(issuer, document, { development }) }
    return receive(call, { method: request.method, url: new URL(request.url), headers: request.headers, body: body.value }, tools)
  }

  const handle = async (request: Request, { path, ...site }: Omit<Call, 'webhook'> & { readonly path: string }): Promise<Response> => {
    const webhook = webhookAt(path)
    if (webhook === undefined || !CONNECTION_ID.test(site.connectionId)) return problem(404, NO_WEBHOOK)
    const call: Call = { ...site, webhook }
    if (!(await tenants.isKnown(site.env, site.tenant)) || (await findConnection(call)) === undefined) return problem(404, NO_WEBHOOK)
    return answer(call, request)
  }

  const app = new Hono<BridgeEnv>()
  for (const base of ['/webhooks', '/t/:tenant/webhooks'] as const) {
    app.all(`${base}/:path/:connection`, (c) => {
      const name: string | undefined = c.req.param('tenant')
      // The default tenant has no second address: its name below /t/ is nobody's.
      const tenant = name === undefined ? DEFAULT_TENANT : name === DEFAULT_TENANT ? '' : name
      return handle(c.req.raw, { env: c.env, config: c.get('config'), tenant, path: c.req.param('path'), connectionId: c.req.param('connection') })
    })
  }
  return app
}
