/** API keys: metadata and revocation. A key of a blocked user is a revoked key. */
import * as z from 'zod'
import { err, ok, type Result } from '../../../src/result'
import type { KeyType } from './auth'
import { type Call, type Json, NO_CONTENT, readIdFilter, readParam, type Reply, type Route } from './call'
import { readPage } from './paging'
import { badRequest, forbidden, notFound, type Problem } from './problem'
import { first, rows, run } from './sql'
import { findSpace } from './spaces'
import { findUser } from './users'

type KeyRow = {
  n: number
  id: string
  name: string
  key_type: KeyType
  secret: string
  is_revoked: number
  created_at: string
  created_by_user_id: string
}

const keyJson = (key: KeyRow): Json => ({
  id: key.id,
  name: key.name,
  key_type: key.key_type,
  status: key.is_revoked === 1 ? 'REVOKED' : 'ACTIVE',
  redacted_key: `ak-${key.secret.slice(3, 6)}...${key.secret.slice(-3)}`,
  created_at: key.created_at,
  created_by_user_id: key.created_by_user_id,
})

const keyType = z.enum(['USER', 'SERVICE'])
const keyStatus = z.enum(['ACTIVE', 'REVOKED'])

/** Whose keys: the caller's own, or with `user_id` (account admins only) the ones that this user made. */
const listKeys = (call: Call): Reply => {
  const page = readPage(call, 'api_keys')
  if (!page.ok) return page.error
  const spaceId = readIdFilter(call, 'space_id', 'Space')
  if (!spaceId.ok) return spaceId.error
  const userId = readIdFilter(call, 'user_id', 'User')
  if (!userId.ok) return userId.error
  const type = keyType.safeParse(call.query.get('key_type') ?? (spaceId.value === undefined ? 'USER' : 'SERVICE'))
  if (!type.success) return badRequest("The 'key_type' parameter must be USER or SERVICE.")
  const status = keyStatus.safeParse(call.query.get('status') ?? 'ACTIVE')
  if (!status.success) return badRequest("The 'status' parameter must be ACTIVE or REVOKED.")
  if (spaceId.value !== undefined) {
    const space = findSpace(call, spaceId.value)
    // The service keys here are bound to no space: seen from one there are none.
    return space.ok ? page.value(() => [], keyJson) : space.error
  }
  const owner = readOwner(call, userId.value, type.data)
  if (!owner.ok) return owner.error
  const creator = owner.value
  return page.value(
    (after, limit) =>
      rows<KeyRow>(
        call.sql,
        `SELECT k.n, k.id, k.name, k.key_type, k.secret, k.is_revoked, k.created_at, u.id AS created_by_user_id
         FROM keys k JOIN users u ON u.n = k.created_by WHERE k.n > ? AND (? IS NULL OR k.created_by = ?)
         AND k.key_type = ? AND k.is_revoked = ? ORDER BY k.n LIMIT ?`,
        after, creator, creator, type.data, status.data === 'REVOKED' ? 1 : 0, limit,
      ),
    keyJson,
  )
}

/** null: nobody in particular, which is what an account admin sees of the service keys. */
const readOwner = (call: Call, userId: string | undefined, type: KeyType): Result<number | null, Problem> => {
  if (userId === undefined) return ok(type === 'SERVICE' && call.caller.isAdmin ? null : call.caller.n)
  if (userId === call.caller.id) return ok(call.caller.n)
  if (!call.caller.isAdmin) return err(forbidden())
  const user = findUser(call, userId)
  return user.ok ? ok(user.value.n) : user
}

/** Idempotent. "Callers without read access to the key receive 404". */
const revokeKey = (call: Call): Reply => {
  const id = readParam(call, 'api_key_id', 'ApiKey')
  if (!id.ok) return id.error
  const key = first<{ n: number; created_by: number }>(call.sql, 'SELECT n, created_by FROM keys WHERE id = ?', id.value)
  if (key === undefined || !(call.caller.isAdmin || key.created_by === call.caller.n)) return notFound(id.value)
  run(call.sql, 'UPDATE keys SET is_revoked = 1 WHERE n = ?', key.n)
  return NO_CONTENT
}

export const apiKeyRoutes: readonly Route[] = [
  ['GET', '/v2/api-keys', listKeys],
  ['PUT', '/v2/api-keys/:api_key_id/revoke', revokeKey],
]
