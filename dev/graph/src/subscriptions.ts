import * as z from 'zod'
import type { Documents } from '../../lib/documents'
import { notFound, validationError } from './errors'
import { switchesOf, type Subscription } from './model'

/** Subscriptions: made after a handshake, renewed by a later end, and told of what changes. */

const LONGEST_MS = 41_760 * 60_000
const HANDSHAKE_MS = 10_000

const requestSchema = z.object({
  changeType: z.string().refine((text) => text.split(',').every((type) => ['updated', 'deleted', 'created'].includes(type))),
  resource: z.string().refine((text) => ['users', 'groups'].includes(text.replace(/^\//, '').toLowerCase())),
  notificationUrl: z.url(),
  lifecycleNotificationUrl: z.url().optional(),
  clientState: z.string().max(128).optional(),
  expirationDateTime: z.iso.datetime({ offset: true }),
})

const renewalSchema = z.object({ expirationDateTime: z.iso.datetime({ offset: true }) })

const parse = <T extends z.ZodType>(schema: T, body: string): z.infer<T> | null => {
  try {
    const parsed = schema.safeParse(JSON.parse(body))
    return parsed.success ? parsed.data : null
  } catch {
    return null
  }
}

const isTooFar = (expirationDateTime: string): boolean => {
  const end = Date.parse(expirationDateTime)
  return end <= Date.now() || end > Date.now() + LONGEST_MS
}

/** The receiver answers with the token as text, and with nothing else. */
const shakeHands = async (address: string): Promise<boolean> => {
  const token = `Validation: Testing client application reachability for subscription Request-Id: ${crypto.randomUUID()}`
  const url = `${address}${address.includes('?') ? '&' : '?'}validationToken=${encodeURIComponent(token).replaceAll('%20', '+')}`
  try {
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'text/plain; charset=utf-8' }, signal: AbortSignal.timeout(HANDSHAKE_MS) })
    const text = await response.text()
    return response.status === 200 && (response.headers.get('content-type') ?? '').startsWith('text/plain') && text === token
  } catch {
    return false
  }
}

/** The secret is never given back. */
const bodyOf = (id: string, subscription: Subscription) => ({ id, applicationId: null, creatorId: null, ...subscription, clientState: null })

export const create = async (documents: Documents, body: string): Promise<Response> => {
  const wanted = parse(requestSchema, body)
  if (wanted === null) return validationError('The subscription is not valid.')
  const { changeType, resource, notificationUrl, lifecycleNotificationUrl = null, clientState = null, expirationDateTime } = wanted
  if (isTooFar(expirationDateTime)) return validationError(`Subscription expiration can only be 41760 minutes in the future.`)
  for (const address of new Set([notificationUrl, lifecycleNotificationUrl])) {
    if (address !== null && !(await shakeHands(address))) return validationError('Subscription validation request failed. Notification endpoint must respond with 200 OK to validation request.')
  }
  const id = crypto.randomUUID()
  documents.put('subscription', id, { resource, changeType, notificationUrl, lifecycleNotificationUrl, clientState, expirationDateTime } satisfies Subscription)
  return Response.json(bodyOf(id, { resource, changeType, notificationUrl, lifecycleNotificationUrl, clientState, expirationDateTime }), { status: 201 })
}

/** One subscription: read, renewed or removed. */
export const handleOne = (documents: Documents, method: string, id: string, body: string): Response => {
  const known = documents.get<Subscription>('subscription', id)
  if (known === undefined) return notFound(id)
  if (method === 'GET') return Response.json(bodyOf(id, known))
  if (method === 'DELETE') {
    documents.delete('subscription', id)
    return new Response(null, { status: 204 })
  }
  const wanted = parse(renewalSchema, body)
  if (wanted === null || isTooFar(wanted.expirationDateTime)) return validationError('Subscription expiration can only be 41760 minutes in the future.')
  const renewed = { ...known, expirationDateTime: wanted.expirationDateTime }
  documents.put('subscription', id, renewed)
  return Response.json(bodyOf(id, renewed))
}

const send = async (address: string, value: readonly unknown[]): Promise<void> => {
  try {
    const response = await fetch(address, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ value }) })
    await response.body?.cancel()
  } catch {
    // Graph tries again for four hours; the pull is there for what nobody received.
  }
}

export interface Changed {
  readonly type: 'User' | 'Group'
  readonly id: string
  readonly isDeleted: boolean
  /** Who came and who went, of a group. */
  readonly members?: readonly { readonly id: string; readonly '@removed'?: 'deleted' }[]
}

/** Tells every subscription that is concerned. */
export const notify = async (documents: Documents, tenant: string, { type, id, isDeleted, members }: Changed): Promise<void> => {
  if (!switchesOf(documents).isNotifying) return
  for (const { id: subscriptionId, data } of documents.list<Subscription>('subscription')) {
    const changeType = isDeleted ? 'deleted' : 'updated'
    const isConcerned = data.resource.replace(/^\//, '').toLowerCase() === `${type.toLowerCase()}s` && data.changeType.split(',').includes(changeType)
    if (!isConcerned || Date.parse(data.expirationDateTime) < Date.now()) continue
    await send(data.notificationUrl, [{
      changeType, clientState: data.clientState, resource: `${type}s/${id}`,
      resourceData: {
        '@odata.type': `#Microsoft.Graph.${type}`, '@odata.id': `${type}s/${id}`, id, organizationId: tenant,
        ...(members === undefined ? { eventTime: new Date().toISOString(), sequenceNumber: Date.now() } : { 'members@delta': members }),
      },
      subscriptionExpirationDateTime: data.expirationDateTime, subscriptionId, tenantId: tenant,
    }])
  }
}

export const notifyOfLife = async (documents: Documents, tenant: string, lifecycleEvent: string): Promise<void> => {
  for (const { id, data } of documents.list<Subscription>('subscription')) {
    if (lifecycleEvent === 'subscriptionRemoved') documents.delete('subscription', id)
    if (data.lifecycleNotificationUrl === null) continue
    await send(data.lifecycleNotificationUrl, [{
      lifecycleEvent, subscriptionId: id, subscriptionExpirationDateTime: data.expirationDateTime, resource: data.resource,
      clientState: data.clientState, tenantId: tenant, organizationId: tenant,
    }])
  }
}
