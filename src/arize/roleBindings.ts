import * as z from 'zod'
import { ok } from '../result'
import { as, nothing, type ArizeClient } from './client'
import type { Reply } from './error'
import { idSchema, isSameId } from './id'
import { asPage, readAll } from './page'

/** A role of one user on one project. Arize allows one per user and project. */
export interface ProjectBinding {
  readonly id: string
  readonly roleId: string
  readonly userId: string
  readonly projectId: string
}

const bindingSchema = z
  .object({
    id: idSchema,
    role_id: z.string(),
    user_id: z.string(),
    resource_type: z.string().catch(''),
    resource_id: z.string(),
  })
  .transform((binding) => ({
    id: binding.id,
    roleId: binding.role_id,
    userId: binding.user_id,
    projectId: binding.resource_id,
    isProject: binding.resource_type.toUpperCase() === 'PROJECT',
  }))

const readBinding = as(bindingSchema)
const readBindings = asPage('role_bindings', bindingSchema)

/**
 * `GET /v2/role-bindings` of one user on one project. Compared again here: a filter that Arize ignored would otherwise
 * hand over somebody else's role.
 */
export const listProjectBindings = async (
  client: ArizeClient,
  userId: string,
  projectId: string,
): Reply<readonly ProjectBinding[]> => {
  const bindings = await readAll((page) => {
    const query = { ...page, resource_type: 'PROJECT', user_id: userId } as const
    return client.call((api) => api.GET('/v2/role-bindings', { params: { query } }), readBindings)
  })
  if (!bindings.ok) return bindings
  return ok(
    bindings.value.filter(
      (binding) => binding.isProject && isSameId(binding.userId, userId) && isSameId(binding.projectId, projectId),
    ),
  )
}

/** `POST /v2/role-bindings`. 409 when the user has any role on the project. */
export const createProjectBinding = (
  client: ArizeClient,
  userId: string,
  projectId: string,
  roleId: string,
): Reply<ProjectBinding> => {
  const body = { user_id: userId, resource_type: 'PROJECT', resource_id: projectId, role_id: roleId } as const
  return client.call((api) => api.POST('/v2/role-bindings', { body }), readBinding)
}

/** `PATCH /v2/role-bindings/{binding_id}`. */
export const changeBinding = (client: ArizeClient, id: string, roleId: string): Reply<ProjectBinding> => {
  const init = { params: { path: { binding_id: id } }, body: { role_id: roleId } }
  return client.call((api) => api.PATCH('/v2/role-bindings/{binding_id}', init), readBinding)
}

/** `DELETE /v2/role-bindings/{binding_id}`. */
export const deleteBinding = async (client: ArizeClient, id: string): Reply<void> => {
  const deleted = await client.call(
    (api) => api.DELETE('/v2/role-bindings/{binding_id}', { params: { path: { binding_id: id } } }),
    nothing,
  )
  return deleted.ok ? ok(undefined) : deleted
}
