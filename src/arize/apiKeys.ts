import * as z from 'zod'
import type { ArizeError } from '../reconcile/target'
import { err, ok } from '../result'
import { nothing, type ArizeClient } from './client'
import { unavailable, type Reply } from './error'
import { idSchema, isSameId } from './id'
import { asPage, readAll, type Page, type PageQuery } from './page'

/** A key as Arize lists it, never the key itself. */
export interface ApiKey {
  readonly id: string
  readonly type: string
  readonly status: string
  /** Who made it. A USER key acts as this user. */
  readonly ownerId: string | null
}

const keySchema = z
  .object({
    id: idSchema,
    key_type: z.string().catch(''),
    status: z.string().catch(''),
    created_by_user_id: z.string().nullable().catch(null),
  })
  .transform((key): ApiKey => ({ id: key.id, type: key.key_type, status: key.status, ownerId: key.created_by_user_id }))

/** One page of the USER keys of one user. Only an account administrator may ask: 403 for anybody else. */
export const listUserKeys = (client: ArizeClient, userId: string, page: PageQuery): Reply<Page<ApiKey>> => {
  const query = { ...page, key_type: 'USER', user_id: userId } as const
  return client.call((api) => api.GET('/v2/api-keys', { params: { query } }), asPage('api_keys', keySchema))
}

/** `PUT /v2/api-keys/{api_key_id}/revoke`. Final. Succeeds for a key that is revoked. */
export const revokeKey = async (client: ArizeClient, id: string): Reply<void> => {
  const revoked = await client.call(
    (api) => api.PUT('/v2/api-keys/{api_key_id}/revoke', { params: { path: { api_key_id: id } } }),
    nothing,
  )
  return revoked.ok ? ok(undefined) : revoked
}

/**
 * Revokes every live USER key of one user, and none that is not certainly theirs. Each key is tried although another
 * failed; the first failure is returned. A key without an owner among the user's keys is a failure too: the person has
 * left only when nothing is known to remain.
 *
 * @returns the ids of the keys that were live and are revoked
 */
export const revokeUserKeys = async (client: ArizeClient, userId: string): Reply<readonly string[]> => {
  const live = await listLiveKeys(client, userId)
  if (!live.ok) return live
  const revoked: string[] = []
  let failure: ArizeError | null = null
  let isAnyMissing = false
  for (const key of live.value) {
    if (key.ownerId === null) {
      failure ??= unavailable('unreadable', 200, 'A live key does not say whose it is.')
      continue
    }
    const done = await revokeKey(client, key.id)
    if (done.ok) revoked.push(key.id)
    else if (done.error.kind === 'not_found') isAnyMissing = true
    else if (done.error.kind === 'throttled' || done.error.kind === 'unauthorized') return done
    else failure ??= done.error
  }
  if (failure !== null) return err(failure)
  return isAnyMissing ? checkNoneLeft(client, userId, revoked) : ok(revoked)
}

/** 404 says that a key is gone or hidden. It is gone if the list agrees. */
const checkNoneLeft = async (client: ArizeClient, userId: string, revoked: readonly string[]): Reply<readonly string[]> => {
  const left = await listLiveKeys(client, userId)
  if (!left.ok) return left
  if (left.value.length === 0) return ok(revoked)
  return err({ kind: 'not_found', detail: 'Arize lists a live key of this user, but answers 404 to its revocation.' })
}

/** The user's keys, and those of nobody. Somebody else's, which a filter that was ignored would list, are left out. */
const listLiveKeys = async (client: ArizeClient, userId: string): Reply<readonly ApiKey[]> => {
  const keys = await readAll((page) => listUserKeys(client, userId, page))
  if (!keys.ok) return keys
  return ok(keys.value.filter((key) => isLive(key) && (key.ownerId === null || isSameId(key.ownerId, userId))))
}

const isLive = ({ type, status }: ApiKey): boolean => type.toUpperCase() === 'USER' && status.toUpperCase() !== 'REVOKED'
