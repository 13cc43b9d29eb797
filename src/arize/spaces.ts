import * as z from 'zod'
import type { Named, SendableRole } from '../reconcile/target'
import { ok } from '../result'
import { nothing, type ArizeClient } from './client'
import type { Reply } from './error'
import { idSchema } from './id'
import { asMembership, confirm } from './memberships'
import { asPage, readAll } from './page'
import { writeRole } from './roles'

const readSpaces = asPage('spaces', z.object({ id: idSchema, name: z.string() }))
const readMembership = asMembership('space_id')

/**
 * `GET /v2/spaces` of one organization. The parameter is `org_id`: under the name that bodies use (`organization_id`) it
 * would be ignored, and the spaces of the whole account listed.
 */
export const listSpaces = (client: ArizeClient, organizationId: string): Reply<readonly Named[]> =>
  readAll((page) => {
    const query = { ...page, org_id: organizationId }
    return client.call((api) => api.GET('/v2/spaces', { params: { query } }), readSpaces)
  })

/**
 * `POST /v2/spaces/{space_id}/users`: adds a member, or changes the role of one. 400 for somebody who is not in the space's
 * organization.
 */
export const addSpaceUser = async (
  client: ArizeClient,
  spaceId: string,
  userId: string,
  role: SendableRole,
): Reply<void> => {
  const body = { user_id: userId, role: writeRole(role) }
  const membership = await client.call(
    (api) => api.POST('/v2/spaces/{space_id}/users', { params: { path: { space_id: spaceId } }, body }),
    readMembership,
  )
  return confirm(membership, userId, spaceId, role)
}

/** `DELETE /v2/spaces/{space_id}/users/{user_id}`: the membership and the person's custom roles on the space. */
export const removeSpaceUser = async (client: ArizeClient, spaceId: string, userId: string): Reply<void> => {
  const path = { space_id: spaceId, user_id: userId }
  const removed = await client.call(
    (api) => api.DELETE('/v2/spaces/{space_id}/users/{user_id}', { params: { path } }),
    nothing,
  )
  return removed.ok ? ok(undefined) : removed
}
