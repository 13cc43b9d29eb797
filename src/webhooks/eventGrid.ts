import { readCredential } from '../auth/bearer'
import { verifyAccessToken, type VerifiedCaller } from '../auth/jwt'
import type { AuthFailure } from '../auth/failure'
import type { SourceEvent } from '../change'
import { err, type Result } from '../result'
import { NOT_PROVEN, problem, refuse, refuseCaller } from './answer'
import { readCloudEvents } from './cloudEvent'
import { eventGridSettings, trustedCallers, type EventGridSettings } from './eventGridSettings'
import { memberOf, parseBody, textOf } from './fields'
import type { Received, Webhook, WebhookRequest, WebhookTools } from './source'

/**
 * Microsoft Graph's changes of users and groups by way of Azure Event Grid: both handshakes, and CloudEvents one by one or in
 * batches. Believed by Entra's token when the connection names its issuer, else by the secret in the address. The addresses that
 * the handshakes offer for a late answer (`WebHook-Request-Callback`, `validationUrl`) are never called.
 */
export const eventGrid: Webhook<EventGridSettings> = {
  kind: 'event-grid',
  path: 'eventgrid',
  methods: ['OPTIONS', 'POST'],
  maxBytes: 1024 * 1024,
  settings: eventGridSettings,
  hasSecret: true,
  receive: async (request, { id, settings }, tools) => {
    if (request.method === 'OPTIONS') return shakeHands(request.headers)
    const isValidation = request.headers.get('aeg-event-type')?.toLowerCase() === 'subscriptionvalidation'
    if (isValidation) return validateSubscription(request.body)
    const sender = await readSender(request, id, settings, tools)
    if (sender.kind !== 'sender') return sender
    const events = readCloudEvents(request.body, settings.tenantId)
    return events.ok ? deliver(events.value, sender) : refuse(400, 'malformed', events.error)
  },
}

type Sender = { readonly kind: 'sender'; readonly secret: string | null; readonly caller: string | null }

const deliver = (events: readonly SourceEvent[], { secret, caller }: Sender): Received => ({
  kind: 'delivery',
  events,
  secret,
  caller,
  answer: () => ({ status: 200 }),
  refuse: () => problem(401, NOT_PROVEN),
})

/** CloudEvents "HTTP 1.1 Web Hooks" section 4. The origin stands in the answer, so it must look like a host. */
const shakeHands = (headers: Headers): Received => {
  const origin = headers.get('webhook-request-origin') ?? ''
  if (!/^[a-z0-9.-]{1,253}$/i.test(origin)) {
    return refuse(400, 'malformed', 'The handshake names no host (WebHook-Request-Origin).')
  }
  return { kind: 'answer', answer: { status: 200, headers: { 'webhook-allowed-origin': origin, 'webhook-allowed-rate': '*' } } }
}

const VALIDATION_EVENT = 'Microsoft.EventGrid.SubscriptionValidationEvent'

/** The handshake of the Event Grid schema: a list of one event, whose code goes back. */
const validateSubscription = (body: Uint8Array): Received => {
  const parsed = parseBody(body)
  if (!parsed.ok) return refuse(400, 'malformed', parsed.error)
  const [event, ...others]: readonly unknown[] = Array.isArray(parsed.value) ? parsed.value : []
  const code = textOf(memberOf(event, 'data'), 'validationCode', 200)
  if (others.length > 0 || memberOf(event, 'eventType') !== VALIDATION_EVENT || code === undefined) {
    return refuse(400, 'malformed', 'The handshake is not a list of one validation event with a code.')
  }
  const headers = { 'content-type': 'application/json' }
  return { kind: 'answer', answer: { status: 200, headers, body: JSON.stringify({ validationResponse: code }) } }
}

const readSender = async (
  request: WebhookRequest,
  connectionId: string,
  settings: EventGridSettings,
  tools: WebhookTools,
): Promise<Sender | Received> => {
  const callers = trustedCallers(settings, connectionId)
  if (callers.length > 0) {
    const verified = await verifyCaller(request.headers, callers, tools)
    return verified.ok ? { kind: 'sender', secret: null, caller: verified.value.caller } : refuseCaller(verified.error)
  }
  const [secret, ...others] = request.url.searchParams.getAll('secret')
  if (secret === undefined || secret === '' || secret.length > 512 || others.length > 0) {
    return refuse(401, 'missing', 'The address has no secret (?secret=), or more than one.', NOT_PROVEN)
  }
  return { kind: 'sender', secret, caller: null }
}

const verifyCaller = async (
  headers: Headers,
  callers: ReturnType<typeof trustedCallers>,
  tools: WebhookTools,
): Promise<Result<VerifiedCaller, AuthFailure>> => {
  const credential = readCredential(headers.get('authorization'))
  if (!credential.ok) return credential
  const { value } = credential
  return value.kind === 'jwt' ? verifyAccessToken(value.token, callers, tools) : err({ kind: 'invalid', reason: 'malformed' })
}
