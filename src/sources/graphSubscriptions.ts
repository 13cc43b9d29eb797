import * as z from 'zod'
import { err, ok, type Result } from '../result'
import { idSchema, unreadable, type GraphApi } from './graphApi'
import { segmentOf, type Reply } from './outbound'
import type { SourceFailure, SourceTools, Subscription, Subscriptions } from './source'

/** Subscriptions to changes of users and groups (learn.microsoft.com/graph/api/resources/subscription). */

/** Graph allows 41,760 minutes for users and groups; an hour less, since its clock is not ours. */
const LONGEST_MS = (41_760 - 60) * 60_000

const subscriptionSchema = z
  .object({ id: idSchema, resource: z.string(), expirationDateTime: z.string().refine((text) => !Number.isNaN(Date.parse(text))) })
  .transform(({ id, resource, expirationDateTime }): Subscription => ({ id, resource, expiresAt: Date.parse(expirationDateTime) }))

const read = (reply: Reply, resource: string): Result<Subscription, SourceFailure> => {
  const parsed = subscriptionSchema.safeParse(reply.json)
  // Graph writes the resource its own way (`Users`): what was asked for is what the bridge looks for again.
  return parsed.success ? ok({ ...parsed.data, resource }) : err(unreadable('a subscription'))
}

export const graphSubscriptions = (api: GraphApi, { now }: Pick<SourceTools, 'now'>): Subscriptions => {
  const expires = (): string => new Date(now() + LONGEST_MS).toISOString()
  return {
    resources: ['users', 'groups'],
    create: async ({ resource, notificationUrl, clientState }) => {
      const made = await api.write('POST', '/subscriptions', {
        // A creation and a soft deletion arrive as updates.
        changeType: 'updated,deleted', resource, notificationUrl, lifecycleNotificationUrl: notificationUrl, clientState, expirationDateTime: expires(),
      })
      if (made.ok) return read(made.value, resource)
      return err(made.error.kind === 'missing' ? unreadable('404 for its subscriptions') : made.error)
    },
    renew: async ({ id, resource }) => {
      const segment = segmentOf(id)
      if (segment === null) return ok(null)
      const renewed = await api.write('PATCH', `/subscriptions/${segment}`, { expirationDateTime: expires() })
      if (renewed.ok) return read(renewed.value, resource)
      return renewed.error.kind === 'missing' ? ok(null) : err(renewed.error)
    },
    remove: async ({ id }) => {
      const segment = segmentOf(id)
      if (segment === null) return ok(undefined)
      const removed = await api.write('DELETE', `/subscriptions/${segment}`, undefined)
      return removed.ok || removed.error.kind === 'missing' ? ok(undefined) : err(removed.error)
    },
  }
}
