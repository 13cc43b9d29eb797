/**
 * Members of spaces. A predefined role is a plain membership; a custom role is a membership without a role of its own and a
 * SPACE role binding that says which. One user has one of the two in a space.
 */
import * as z from 'zod'
import { administersSpace, holdsPermission } from './access'
import { annotatorProblem } from './annotator'
import { memberRole, predefined } from './assignment'
import { type Call, found, type Json, NO_CONTENT, readBody, readParam, type Reply, type Route } from './call'
import { idOf, makeId } from './ids'
import { badRequest, forbidden, notFound } from './problem'
import { bindSpace } from './roleBindings'
import { findRole, type RoleRow } from './roles'
import { first, nextNumber, rows, run } from './sql'
import { findSpace, type SpaceRow } from './spaces'
import { findUser, type UserRow } from './users'

const newMember = z.strictObject({ user_id: idOf('User'), role: memberRole })

const isInOrganization = (call: Call, organization: number, user: number): boolean =>
  first(call.sql, 'SELECT 1 FROM organization_members WHERE organization = ? AND user = ?', organization, user) !== undefined

const mayAssign = (call: Call, space: SpaceRow, permission: string): boolean =>
  administersSpace(call, space) || holdsPermission(call, space, permission)

const addMember = (call: Call): Reply => {
  const id = readParam(call, 'space_id', 'Space')
  if (!id.ok) return id.error
  const body = readBody(call, newMember)
  if (!body.ok) return body.error
  const space = findSpace(call, id.value)
  if (!space.ok) return space.error
  const user = findUser(call, body.value.user_id)
  if (!user.ok) return user.error
  const { role } = body.value
  if (role.type === 'PREDEFINED') return addPredefined(call, space.value, user.value, role.name)
  const custom = findRole(call, role.id)
  return custom.ok ? addCustom(call, space.value, user.value, custom.value) : custom.error
}

const addPredefined = (call: Call, space: SpaceRow, user: UserRow, role: string): Reply => {
  if (!administersSpace(call, space)) return forbidden()
  const misfit = annotatorProblem(user.role, role, 'space', call.switches)
  if (misfit !== undefined) return misfit
  if (!isInOrganization(call, space.organization, user.n)) return outsider()
  return membership(space, user, upsertSpaceMember(call.sql, space.n, user.n, role), predefined(role))
}

const addCustom = (call: Call, space: SpaceRow, user: UserRow, role: RoleRow): Reply => {
  if (!mayAssign(call, space, 'ROLE_BINDING_CREATE')) return forbidden()
  if (role.is_predefined === 1) return badRequest('A CUSTOM role assignment needs the identifier of a custom role.')
  const misfit = annotatorProblem(user.role, undefined, 'space', call.switches)
  if (misfit !== undefined) return misfit
  if (!isInOrganization(call, space.organization, user.n)) return outsider()
  const id = upsertSpaceMember(call.sql, space.n, user.n, null)
  bindSpace(call.sql, { space: space.n, user: user.n, role: role.n }, call.now)
  return membership(space, user, id, { type: 'CUSTOM', id: role.id, name: role.name })
}

const outsider = (): Reply => badRequest("The user is not a member of the space's parent organization.")

const membership = (space: SpaceRow, user: UserRow, id: string, role: Json): Reply =>
  found({ id, user_id: user.id, space_id: space.id, role })

/** The id of the membership, which an upsert keeps. A predefined role ends a custom one; null makes room for one. */
export const upsertSpaceMember = (sql: SqlStorage, space: number, user: number, role: string | null): string => {
  if (role !== null) run(sql, 'DELETE FROM bindings WHERE space = ? AND user = ?', space, user)
  const kept = first<{ id: string }>(
    sql,
    'UPDATE space_members SET role = ? WHERE space = ? AND user = ? RETURNING id',
    role, space, user,
  )
  if (kept !== undefined) return kept.id
  const n = nextNumber(sql)
  const id = makeId('SpaceMember', n)
  run(sql, 'INSERT INTO space_members (n, id, space, user, role) VALUES (?, ?, ?, ?, ?)', n, id, space, user, role)
  return id
}

/** "Removes both the legacy SpaceMembers row and any RBAC role bindings"; false if there was neither. */
export const removeSpaceMember = (sql: SqlStorage, space: number, user: number): boolean => {
  const members = rows(sql, 'DELETE FROM space_members WHERE space = ? AND user = ? RETURNING n', space, user)
  const bindings = rows(sql, 'DELETE FROM bindings WHERE space = ? AND user = ? RETURNING n', space, user)
  return members.length + bindings.length > 0
}

const removeMember = (call: Call): Reply => {
  const id = readParam(call, 'space_id', 'Space')
  if (!id.ok) return id.error
  const userId = readParam(call, 'user_id', 'User')
  if (!userId.ok) return userId.error
  const space = findSpace(call, id.value)
  if (!space.ok) return space.error
  const user = findUser(call, userId.value)
  if (!user.ok) return user.error
  if (!mayAssign(call, space.value, 'ROLE_BINDING_DELETE')) return forbidden()
  return removeSpaceMember(call.sql, space.value.n, user.value.n) ? NO_CONTENT : notFound(userId.value)
}

export const spaceUserRoutes: readonly Route[] = [
  ['POST', '/v2/spaces/:space_id/users', addMember],
  ['DELETE', '/v2/spaces/:space_id/users/:user_id', removeMember],
]
