import * as z from 'zod'
import type { PredefinedRole } from '../policy/role'
import type { Named } from '../reconcile/target'
import { ok } from '../result'
import { as, nothing, type ArizeClient } from './client'
import { contradiction, type Reply } from './error'
import { idSchema, isSameId } from './id'
import { asMembership, confirm } from './memberships'
import { asPage, readAll } from './page'
import { writePredefined } from './roles'

const organizationSchema = z.object({ id: idSchema, name: z.string() })
const readOrganizations = asPage('organizations', organizationSchema)
const readMembership = asMembership('organization_id')

/** `GET /v2/organizations`: all that the key may see. */
export const listOrganizations = (client: ArizeClient): Reply<readonly Named[]> =>
  readAll((query) => client.call((api) => api.GET('/v2/organizations', { params: { query } }), readOrganizations))

/** `GET /v2/organizations/{org_id}`; null on 404. */
export const readOrganization = async (client: ArizeClient, id: string): Reply<Named | null> => {
  const organization = await client.call(
    (api) => api.GET('/v2/organizations/{org_id}', { params: { path: { org_id: id } } }),
    as(organizationSchema),
  )
  if (!organization.ok) return organization.error.kind === 'not_found' ? ok(null) : organization
  if (isSameId(organization.value.id, id)) return organization
  return contradiction('It shows another organization than the one asked for.')
}

/** `POST /v2/organizations/{org_id}/users`: adds a member, or changes the role of one. */
export const addOrganizationUser = async (
  client: ArizeClient,
  organizationId: string,
  userId: string,
  role: PredefinedRole,
): Reply<void> => {
  const body = { user_id: userId, role: writePredefined(role) }
  const membership = await client.call(
    (api) => api.POST('/v2/organizations/{org_id}/users', { params: { path: { org_id: organizationId } }, body }),
    readMembership,
  )
  return confirm(membership, userId, organizationId, { type: 'PREDEFINED', name: role })
}

/** `DELETE /v2/organizations/{org_id}/users/{user_id}`: from the organization and every space in it. */
export const removeOrganizationUser = async (
  client: ArizeClient,
  organizationId: string,
  userId: string,
): Reply<void> => {
  const path = { org_id: organizationId, user_id: userId }
  const removed = await client.call(
    (api) => api.DELETE('/v2/organizations/{org_id}/users/{user_id}', { params: { path } }),
    nothing,
  )
  return removed.ok ? ok(undefined) : removed
}
