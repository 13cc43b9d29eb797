import type * as z from 'zod'
import type { EventKind } from '../change'
import { err, ok, type Result } from '../result'
import { eventGrid } from './eventGrid'
import { graph } from './graph'
import { oktaEventHook } from './oktaEventHook'
import { securityEvent } from './securityEvent'
import type { Received, Webhook, WebhookRequest, WebhookTools } from './source'
import { universalLogout } from './universalLogout'

/** All senders of events, by kind and by the segment of their address. */

/** What is stored of a connection does not fit its kind any more: the places at fault, as in `token.issuer`. */
export interface Unfit {
  readonly paths: readonly string[]
}

/** A sender whose settings are of no concern to whoever holds it. */
export interface AnyWebhook extends Pick<Webhook<unknown>, 'kind' | 'path' | 'methods' | 'maxBytes' | 'hasSecret'> {
  readonly settings: z.ZodType
  /** The answer to a body that is larger than `maxBytes`, where the sender has a format of its own for errors. */
  readonly tooLarge: Webhook<unknown>['tooLarge']
  /** A request to one connection, with its settings as they are stored. */
  readonly receive: (
    request: WebhookRequest, connection: { readonly id: string; readonly settings: unknown }, tools: WebhookTools,
  ) => Promise<Result<Received, Unfit>>
}

const anyOf = <Settings>(webhook: Webhook<Settings>): AnyWebhook => ({
  ...webhook,
  tooLarge: webhook.tooLarge,
  receive: async (request, { id, settings }, tools) => {
    const parsed = webhook.settings.safeParse(settings ?? {})
    if (parsed.success) return ok(await webhook.receive(request, { id, settings: parsed.data }, tools))
    return err({ paths: [...new Set(parsed.error.issues.map(({ path }) => path.join('.') || 'settings'))] })
  },
})

export const WEBHOOKS: readonly AnyWebhook[] = [
  anyOf(oktaEventHook), anyOf(universalLogout), anyOf(securityEvent), anyOf(graph), anyOf(eventGrid),
]

export const webhookOf = (kind: EventKind): AnyWebhook | undefined => WEBHOOKS.find((webhook) => webhook.kind === kind)

export const webhookAt = (path: string): AnyWebhook | undefined => WEBHOOKS.find((webhook) => webhook.path === path)
