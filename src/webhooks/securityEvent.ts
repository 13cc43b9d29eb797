import { readCredential } from '../auth/bearer'
import { MAX_SET_LENGTH, refuseSet, type SetErrorCode, type SetFailure } from '../auth/securityEventToken'
import { decodeText } from './fields'
import { readSecurityEvent } from './securityEventRead'
import { securityEventSettings, type SecurityEventSettings } from './securityEventSettings'
import type { Received, Webhook, WebhookAnswer } from './source'

/**
 * Security event tokens that a transmitter pushes (RFC 8935): Shared Signals 1.0 with RISC and CAEP, and SCIM events (RFC 9967).
 * The body is one token, whatever the content type says.
 */
export const securityEvent: Webhook<SecurityEventSettings> = {
  kind: 'security-events',
  path: 'events',
  methods: ['POST'],
  maxBytes: MAX_SET_LENGTH,
  tooLarge: (sentence) => ({ ...answerTo('invalid_request', sentence), status: 413 }),
  settings: securityEventSettings,
  hasSecret: true,
  receive: async (request, { settings }, tools) => {
    if (settings.delivery === 'poll') return refuse(NOT_PUSHED)
    const secret = settings.requiresToken ? readToken(request.headers) : null
    if (secret === undefined) return refuse(NOT_AUTHENTICATED)
    const event = await readSecurityEvent((decodeText(request.body) ?? '').trim(), settings, tools)
    if (!event.ok) return refuse(event.error)
    return {
      kind: 'delivery',
      events: [event.value],
      secret,
      caller: settings.issuer,
      answer: () => ({ status: 202 }),
      refuse: () => answerTo('authentication_failed', NOT_AUTHENTICATED.sentence),
    }
  },
}

const NOT_PUSHED = refuseSet('access_denied', 'not_pushed', 'This stream is polled: nothing is pushed to it.')

const NOT_AUTHENTICATED = {
  kind: 'refused',
  code: 'authentication_failed',
  reason: 'wrong_token',
  sentence: 'The Authorization header is not the one of this stream, or the stream is paused here.',
} as const

/** Undefined when the header is missing or holds no token. */
const readToken = (headers: Headers): string | undefined => {
  const credential = readCredential(headers.get('authorization'))
  return credential.ok && credential.value.kind === 'token' ? credential.value.token : undefined
}

const refuse = (failure: SetFailure): Received => {
  if (failure.kind === 'refused') {
    const { code, reason, sentence } = failure
    return { kind: 'refused', answer: answerTo(code, sentence), reason, sentence }
  }
  const { retryAfterSeconds, sentence } = failure
  return { kind: 'unavailable', answer: { status: 503, headers: { 'retry-after': `${retryAfterSeconds}` } }, sentence }
}

/** RFC 8935 section 2.3. */
const answerTo = (code: SetErrorCode, description: string): WebhookAnswer => ({
  status: 400,
  headers: { 'content-type': 'application/json', 'content-language': 'en-US' },
  body: JSON.stringify({ err: code, description }),
})
