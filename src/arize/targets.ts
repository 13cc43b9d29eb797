import type { Arize, Target } from '../reconcile/target'
import { revokeUserKeys } from './apiKeys'
import type { ArizeClient } from './client'
import { listOrganizations, readOrganization } from './organizations'
import { preflight } from './preflight'
import { listCustomRoles } from './roles'
import { listSpaces } from './spaces'
import { developerTarget } from './targets/developer'
import { organizationTarget } from './targets/organization'
import { projectTarget } from './targets/project'
import { spaceTarget } from './targets/space'
import { createUser, findUser, readUser } from './users'

/** Every kind of membership that the bridge applies. The next one is one file and one word here. */
const TARGETS: readonly ((client: ArizeClient) => Target)[] = [
  organizationTarget,
  spaceTarget,
  projectTarget,
  developerTarget,
]

/** One Arize account over REST, as the reconciler sees it. */
export const createArize = (client: ArizeClient): Arize => ({
  accounts: {
    find: (email) => findUser(client, email),
    read: (id) => readUser(client, id),
    create: (account) => createUser(client, account),
    revokeKeys: (userId) => revokeUserKeys(client, userId),
  },
  names: {
    organizations: () => listOrganizations(client),
    spaces: (organizationId) => listSpaces(client, organizationId),
    customRoles: () => listCustomRoles(client),
    organization: (id) => readOrganization(client, id),
    preflight: () => preflight(client),
  },
  targets: TARGETS.map((target) => target(client)),
})
