import * as z from 'zod'
import { hashToken } from '../auth/bearer'
import { ok, type Result } from '../result'
import { problem, refuse } from './answer'
import { decodeText, parseBody } from './fields'
import { readNotifications } from './graphNotification'
import type { Received, Webhook } from './source'

/**
 * Microsoft Graph's change notifications and lifecycle notifications, at one address. Each brings the secret of its subscription
 * (`clientState`), whose hash the Directory compares; one with a wrong secret is dropped and the others of its batch are taken.
 */

/** The webhook's part: the pull connector of the same connection has more. */
const settings = z.looseObject({
  /** The Entra tenant whose changes count. */
  tenantId: z.guid().transform((id) => id.toLowerCase()),
})

export type GraphWebhookSettings = z.infer<typeof settings>

export const graph: Webhook<GraphWebhookSettings> = {
  kind: 'graph',
  path: 'graph',
  methods: ['POST'],
  maxBytes: 1024 * 1024,
  settings,
  hasSecret: false,
  receive: async (request, connection, { now }) => {
    const tokens = request.url.searchParams.getAll('validationToken')
    if (tokens.length > 0) return shakeHands(tokens)
    const parsed = parseExactly(request.body)
    if (!parsed.ok) return refuse(400, 'malformed', parsed.error)
    const events = await readNotifications(parsed.value, { tenantId: connection.settings.tenantId, nowMs: now(), hash: hashToken })
    if (!events.ok) return refuse(400, 'malformed', events.error)
    return {
      kind: 'delivery',
      events: events.value,
      secret: null,
      caller: null,
      answer: () => ({ status: 202 }),
      // A paused connection takes nothing, and there is no use in Graph sending it again for four hours.
      refuse: () => ({ status: 202 }),
    }
  },
}

const MAX_TOKEN_LENGTH = 4096

/** The token goes back as it was meant, and as nothing but text: whoever sends a link to this address must not write a page. */
const shakeHands = ([token, ...others]: readonly string[]): Received => {
  if (token === undefined || token === '' || token.length > MAX_TOKEN_LENGTH || others.length > 0) {
    return { kind: 'answer', answer: problem(400, 'The validation has no usable token (validationToken).') }
  }
  return { kind: 'answer', answer: { status: 200, headers: { 'content-type': 'text/plain' }, body: token } }
}

/**
 * Graph's sequence numbers are above 2^53: an integer that would lose digits stays the text that it was read from, which
 * `JSON.parse` hands over beside the value.
 */
const keepDigits = (_name: string, value: unknown, context?: { readonly source?: string }): unknown =>
  Number.isInteger(value) && !Number.isSafeInteger(value) ? (context?.source ?? value) : value

const parseExactly = (body: Uint8Array): Result<unknown, string> => {
  const parsed = parseBody(body)
  return parsed.ok ? ok(JSON.parse(decodeText(body) ?? 'null', keepDigits) as unknown) : parsed
}
