import { err, ok } from '../result'
import { listUserKeys } from './apiKeys'
import type { ArizeClient } from './client'
import type { Reply } from './error'
import { listUsers } from './users'

/**
 * Whether the key is an account administrator's: it may list the API keys of other people, which anybody else is refused
 * with 403 (`GET /v2/api-keys`, "account admins only"). Two people are asked about, since one may be the key's own user,
 * whose keys it sees in any case. Changes nothing.
 */
export const preflight = async (client: ArizeClient): Reply<void> => {
  const users = await listUsers(client, { limit: 2 })
  if (!users.ok) return users
  let isProven = false
  for (const { id } of users.value.items.slice(0, 2)) {
    const keys = await listUserKeys(client, id, { limit: 1 })
    if (keys.ok) isProven = true
    // Somebody who was removed between the two calls says nothing about the key.
    else if (keys.error.kind !== 'not_found') return keys
  }
  return isProven ? ok(undefined) : err({ kind: 'forbidden', detail: 'The key sees no user of the account.' })
}
