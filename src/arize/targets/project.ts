import type { ArizeError, Target } from '../../reconcile/target'
import { err, ok, type Result } from '../../result'
import type { ArizeClient } from '../client'
import { contradiction, type Reply } from '../error'
import { isSameId } from '../id'
import {
  changeBinding,
  createProjectBinding,
  deleteBinding,
  listProjectBindings,
  type ProjectBinding,
} from '../roleBindings'

/** Roles on a project: custom ones, each a role binding. There is no upsert, so that what is there is looked at first. */
export const projectTarget = (client: ArizeClient): Target => ({
  kind: 'project',
  give: async (userId, resource, role) =>
    role.type === 'CUSTOM'
      ? give(client, userId, resource.id, role.id)
      : err({ kind: 'rejected', status: 422, detail: 'Arize takes only custom roles on a project.' }),
  take: (userId, resource) => take(client, userId, resource.id),
})

const give = async (client: ArizeClient, userId: string, projectId: string, roleId: string): Reply<void> => {
  const held = await listProjectBindings(client, userId, projectId)
  if (!held.ok) return held
  if (held.value[0] !== undefined) return change(client, held.value[0], roleId)

  const created = await createProjectBinding(client, userId, projectId, roleId)
  if (created.ok || created.error.kind !== 'conflict') return confirm(created, userId, projectId, roleId)
  // Somebody gave a role between the list and the call.
  const again = await listProjectBindings(client, userId, projectId)
  if (!again.ok) return again
  return again.value[0] === undefined ? created : change(client, again.value[0], roleId)
}

const change = async (client: ArizeClient, binding: ProjectBinding, roleId: string): Reply<void> => {
  if (binding.roleId === roleId) return ok(undefined)
  return confirm(await changeBinding(client, binding.id, roleId), binding.userId, binding.projectId, roleId)
}

const take = async (client: ArizeClient, userId: string, projectId: string): Reply<void> => {
  const held = await listProjectBindings(client, userId, projectId)
  if (!held.ok) return held
  if (held.value.length === 0) return err({ kind: 'not_found', detail: 'The user has no role on the project.' })
  for (const { id } of held.value) {
    const deleted = await deleteBinding(client, id)
    if (!deleted.ok) return deleted
  }
  return ok(undefined)
}

const confirm = (
  binding: Result<ProjectBinding, ArizeError>,
  userId: string,
  projectId: string,
  roleId: string,
): Result<void, ArizeError> => {
  if (!binding.ok) return binding
  const { value } = binding
  const isAsked = isSameId(value.userId, userId) && isSameId(value.projectId, projectId) && isSameId(value.roleId, roleId)
  return isAsked ? ok(undefined) : contradiction('It shows another role binding.')
}
