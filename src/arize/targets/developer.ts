import type { Target } from '../../reconcile/target'
import type { ArizeClient } from '../client'
import { setDeveloper } from '../users'

/** Developer access, which an account user has or has not: the role says nothing, the resource is the user. */
export const developerTarget = (client: ArizeClient): Target => ({
  kind: 'developer',
  give: (userId) => setDeveloper(client, userId, true),
  take: (userId) => setDeveloper(client, userId, false),
})
