import type { Target } from '../../reconcile/target'
import type { ArizeClient } from '../client'
import { addSpaceUser, removeSpaceUser } from '../spaces'

/** Roles on a space, predefined and custom. */
export const spaceTarget = (client: ArizeClient): Target => ({
  kind: 'space',
  give: (userId, resource, role) => addSpaceUser(client, resource.id, userId, role),
  take: (userId, resource) => removeSpaceUser(client, resource.id, userId),
})
