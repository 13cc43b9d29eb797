/** Role bindings: a role for a user on one SPACE or PROJECT, one binding per user and resource. */
import * as z from 'zod'
import { err, ok, type Result } from '../../../src/result'
import { administersSpace, holdsPermission, type Place } from './access'
import { annotatorProblem } from './annotator'
import {
  type Call, created, found, type Json, NO_CONTENT, readBody, readIdFilter, readParam, type Reply, type Route,
} from './call'
import { idOf, isId, makeId } from './ids'
import { readPage } from './paging'
import { badRequest, conflict, forbidden, notFound, type Problem } from './problem'
import { findProject } from './projects'
import { findRole } from './roles'
import { findSpace } from './spaces'
import { first, nextNumber, rows, run } from './sql'
import { findUser } from './users'

type BindingRow = {
  n: number
  id: string
  role_id: string
  user: number
  user_id: string
  space: number | null
  /** The space itself, or the one that the project is in: whoever administers it decides. */
  place: number
  resource_id: string
  created_at: string
  updated_at: string
}

const SELECT = `SELECT b.n, b.id, r.id AS role_id, b.user, u.id AS user_id, b.space, coalesce(b.space, p.space) AS place,
  coalesce(s.id, p.id) AS resource_id, b.created_at, b.updated_at FROM bindings b JOIN roles r ON r.n = b.role
  JOIN users u ON u.n = b.user LEFT JOIN spaces s ON s.n = b.space LEFT JOIN projects p ON p.n = b.project`

const bindingJson = (row: BindingRow): Json => ({
  id: row.id,
  role_id: row.role_id,
  user_id: row.user_id,
  resource_type: row.space === null ? 'PROJECT' : 'SPACE',
  resource_id: row.resource_id,
  created_at: row.created_at,
  updated_at: row.updated_at,
})

const resourceType = z.enum(['SPACE', 'PROJECT'])

const listBindings = (call: Call): Reply => {
  const page = readPage(call, 'role_bindings')
  if (!page.ok) return page.error
  const type = resourceType.safeParse(call.query.get('resource_type'))
  if (!type.success) return badRequest("The 'resource_type' parameter is required and must be SPACE or PROJECT.")
  const userId = readIdFilter(call, 'user_id', 'User')
  if (!userId.ok) return userId.error
  if (userId.value !== undefined) {
    const user = findUser(call, userId.value)
    if (!user.ok) return user.error
  }
  const column = type.data === 'SPACE' ? 'b.space' : 'b.project'
  return page.value(
    (after, limit) =>
      rows<BindingRow>(
        call.sql,
        `${SELECT} WHERE b.n > ? AND ${column} IS NOT NULL AND (? IS NULL OR u.id = ?) ORDER BY b.n LIMIT ?`,
        after, userId.value ?? null, userId.value ?? null, limit,
      ),
    bindingJson,
  )
}

const newBinding = z
  .strictObject({
    role_id: idOf('Role'),
    user_id: idOf('User'),
    resource_type: resourceType,
    resource_id: z.string(),
  })
  .refine(({ resource_type: type, resource_id: id }) => isId(type === 'SPACE' ? 'Space' : 'Model', id), {
    path: ['resource_id'],
    error: 'must be the id of a resource of the given resource_type',
  })

type Resource = { readonly space: number | null; readonly project: number | null; readonly place: Place }

const findResource = (call: Call, type: z.infer<typeof resourceType>, id: string): Result<Resource, Problem> => {
  if (type === 'SPACE') {
    const space = findSpace(call, id)
    return space.ok ? ok({ space: space.value.n, project: null, place: space.value }) : space
  }
  const project = findProject(call, id)
  return project.ok ? ok({ space: null, project: project.value.n, place: project.value.space }) : project
}

/** Nothing says whether Arize wants the user in the organization first; a space membership does, so this does too. */
const createBinding = (call: Call): Reply => {
  const body = readBody(call, newBinding)
  if (!body.ok) return body.error
  const { role_id: roleId, user_id: userId, resource_type: type, resource_id: resourceId } = body.value
  const role = findRole(call, roleId)
  if (!role.ok) return role.error
  const user = findUser(call, userId)
  if (!user.ok) return user.error
  const resource = findResource(call, type, resourceId)
  if (!resource.ok) return resource.error
  const { space, project, place } = resource.value
  if (!administersSpace(call, place) && !holdsPermission(call, place, 'ROLE_BINDING_CREATE')) return forbidden()
  const misfit = annotatorProblem(user.value.role, undefined, 'space', call.switches)
  if (misfit !== undefined) return misfit
  const member = 'SELECT 1 FROM organization_members WHERE organization = ? AND user = ?'
  if (first(call.sql, member, place.organization, user.value.n) === undefined) {
    return badRequest("The user is not a member of the resource's parent organization.")
  }
  const other = 'SELECT 1 FROM bindings WHERE user = ? AND (space = ? OR project = ?)'
  if (first(call.sql, other, user.value.n, space, project) !== undefined) return conflict()
  const id = insertBinding(call.sql, { role: role.value.n, user: user.value.n, space, project }, call.now)
  const row = readBinding(call, id)
  return row.ok ? created(bindingJson(row.value)) : row.error
}

type NewBinding = {
  readonly role: number
  readonly user: number
  readonly space: number | null
  readonly project: number | null
}

const insertBinding = (sql: SqlStorage, binding: NewBinding, now: string): string => {
  const n = nextNumber(sql)
  const id = makeId('RoleBinding', n)
  run(
    sql,
    'INSERT INTO bindings (n, id, role, user, space, project, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    n, id, binding.role, binding.user, binding.space, binding.project, now, now,
  )
  return id
}

/** What a custom role among the members of a space is: made, or pointed at another role. */
export const bindSpace = (sql: SqlStorage, binding: { space: number; user: number; role: number }, now: string): void => {
  const { space, user, role } = binding
  const kept = rows(
    sql,
    'UPDATE bindings SET role = ?, updated_at = ? WHERE space = ? AND user = ? RETURNING n',
    role, now, space, user,
  )
  if (kept.length === 0) insertBinding(sql, { role, user, space, project: null }, now)
}

const readBinding = (call: Call, id: string): Result<BindingRow, Problem> => {
  const row = first<BindingRow>(call.sql, `${SELECT} WHERE b.id = ?`, id)
  return row === undefined ? err(notFound(id)) : ok(row)
}

const getBinding = (call: Call): Reply => {
  const id = readParam(call, 'binding_id', 'RoleBinding')
  if (!id.ok) return id.error
  const row = readBinding(call, id.value)
  return row.ok ? found(bindingJson(row.value)) : row.error
}

/** Neither PATCH nor DELETE declares a 403: to whoever may not act there is no such binding. */
const findOwnBinding = (call: Call, id: string, permission: string): Result<BindingRow, Problem> => {
  const row = readBinding(call, id)
  if (!row.ok) return row
  const place = first<Place>(call.sql, 'SELECT n, organization, is_private FROM spaces WHERE n = ?', row.value.place)
  if (place === undefined) return err(notFound(id))
  return administersSpace(call, place) || holdsPermission(call, place, permission) ? row : err(notFound(id))
}

const bindingPatch = z.strictObject({ role_id: idOf('Role') })

const patchBinding = (call: Call): Reply => {
  const id = readParam(call, 'binding_id', 'RoleBinding')
  if (!id.ok) return id.error
  const body = readBody(call, bindingPatch)
  if (!body.ok) return body.error
  const row = findOwnBinding(call, id.value, 'ROLE_BINDING_CREATE')
  if (!row.ok) return row.error
  const role = findRole(call, body.value.role_id)
  if (!role.ok) return role.error
  run(call.sql, 'UPDATE bindings SET role = ?, updated_at = ? WHERE n = ?', role.value.n, call.now, row.value.n)
  return found(bindingJson({ ...row.value, role_id: role.value.id, updated_at: call.now }))
}

const deleteBinding = (call: Call): Reply => {
  const id = readParam(call, 'binding_id', 'RoleBinding')
  if (!id.ok) return id.error
  const row = findOwnBinding(call, id.value, 'ROLE_BINDING_DELETE')
  if (!row.ok) return row.error
  const { n, space, user } = row.value
  run(call.sql, 'DELETE FROM bindings WHERE n = ?', n)
  if (space !== null) run(call.sql, 'DELETE FROM space_members WHERE space = ? AND user = ? AND role IS NULL', space, user)
  return NO_CONTENT
}

export const roleBindingRoutes: readonly Route[] = [
  ['GET', '/v2/role-bindings', listBindings],
  ['POST', '/v2/role-bindings', createBinding],
  ['GET', '/v2/role-bindings/:binding_id', getBinding],
  ['PATCH', '/v2/role-bindings/:binding_id', patchBinding],
  ['DELETE', '/v2/role-bindings/:binding_id', deleteBinding],
]
