import type { Target } from '../../reconcile/target'
import { err } from '../../result'
import type { ArizeClient } from '../client'
import { addOrganizationUser, removeOrganizationUser } from '../organizations'

/** Roles on an organization: predefined ones. (Custom ones are in Arize's schema, but answered with 422.) */
export const organizationTarget = (client: ArizeClient): Target => ({
  kind: 'organization',
  give: async (userId, resource, role) =>
    role.type === 'PREDEFINED'
      ? addOrganizationUser(client, resource.id, userId, role.name)
      : err({ kind: 'rejected', status: 422, detail: 'Arize takes no custom role on an organization.' }),
  take: (userId, resource) => removeOrganizationUser(client, resource.id, userId),
})
