/** Organizations and their members. There is no way to list members: the reply to an upsert is all that shows one. */
import * as z from 'zod'
import { err, ok, type Result } from '../../../src/result'
import { administersOrganization, seesOrganization } from './access'
import { annotatorProblem } from './annotator'
import { memberRole, predefined } from './assignment'
import {
  AT_LEAST_ONE, type Call, created, description1000, found, hasField, type Json, name255, NO_CONTENT, readBody, readParam,
  type Reply, type Route,
} from './call'
import { idOf, makeId } from './ids'
import { readPage, readSubstring } from './paging'
import { conflict, forbidden, notFound, type Problem, unprocessable } from './problem'
import { first, nextNumber, rows, run } from './sql'
import { findUser } from './users'

export type OrganizationRow = { n: number; id: string; name: string; description: string; created_at: string }

const COLUMNS = 'n, id, name, description, created_at'

const organizationJson = ({ n: _n, ...organization }: OrganizationRow): Json => organization

export const findOrganization = (call: Call, id: string): Result<OrganizationRow, Problem> => {
  const row = first<OrganizationRow>(call.sql, `SELECT ${COLUMNS} FROM organizations WHERE id = ?`, id)
  return row === undefined || !seesOrganization(call, row.n) ? err(notFound(id)) : ok(row)
}

const listOrganizations = (call: Call): Reply => {
  const page = readPage(call, 'organizations')
  if (!page.ok) return page.error
  const name = readSubstring(call, 'name')
  return page.value(
    (after, limit) =>
      rows<OrganizationRow>(
        call.sql,
        `SELECT ${COLUMNS} FROM organizations o WHERE n > ? AND (? = '' OR instr(name_key, ?) > 0)
         AND (? OR EXISTS (SELECT 1 FROM organization_members m WHERE m.organization = o.n AND m.user = ?))
         ORDER BY n LIMIT ?`,
        after, name, name, call.caller.isAdmin ? 1 : 0, call.caller.n, limit,
      ),
    organizationJson,
  )
}

const isTaken = (call: Call, name: string, except: number): boolean =>
  first(call.sql, 'SELECT 1 FROM organizations WHERE name = ? AND n <> ?', name, except) !== undefined

const newOrganization = z.strictObject({ name: name255, description: description1000.optional() })

const createOrganization = (call: Call): Reply => {
  const body = readBody(call, newOrganization)
  if (!body.ok) return body.error
  if (!call.caller.isAdmin) return forbidden()
  const { name, description = '' } = body.value
  if (isTaken(call, name, 0)) return conflict()
  const n = nextNumber(call.sql)
  const row = { n, id: makeId('Organization', n), name, description, created_at: call.now }
  run(
    call.sql,
    'INSERT INTO organizations (n, id, name, name_key, description, created_at) VALUES (?, ?, ?, ?, ?, ?)',
    n, row.id, name, name.toLowerCase(), description, call.now,
  )
  return created(organizationJson(row))
}

const getOrganization = (call: Call): Reply => {
  const id = readParam(call, 'org_id', 'Organization')
  if (!id.ok) return id.error
  const organization = findOrganization(call, id.value)
  return organization.ok ? found(organizationJson(organization.value)) : organization.error
}

const organizationPatch = z
  .strictObject({ name: name255.optional(), description: description1000.nullable().optional() })
  .refine(hasField, AT_LEAST_ONE)

const patchOrganization = (call: Call): Reply => {
  const id = readParam(call, 'org_id', 'Organization')
  if (!id.ok) return id.error
  const body = readBody(call, organizationPatch)
  if (!body.ok) return body.error
  const organization = findOrganization(call, id.value)
  if (!organization.ok) return organization.error
  const row = organization.value
  if (!administersOrganization(call, row.n)) return forbidden()
  const name = body.value.name ?? row.name
  if (isTaken(call, name, row.n)) return conflict()
  const description = body.value.description === undefined ? row.description : (body.value.description ?? '')
  run(
    call.sql,
    'UPDATE organizations SET name = ?, name_key = ?, description = ? WHERE n = ?',
    name, name.toLowerCase(), description, row.n,
  )
  return found(organizationJson({ ...row, name, description }))
}

const deleteOrganization = (call: Call): Reply => {
  const id = readParam(call, 'org_id', 'Organization')
  if (!id.ok) return id.error
  const organization = findOrganization(call, id.value)
  if (!organization.ok) return organization.error
  if (!administersOrganization(call, organization.value.n)) return forbidden()
  run(call.sql, 'DELETE FROM organizations WHERE n = ?', organization.value.n)
  return NO_CONTENT
}

const newMember = z.strictObject({ user_id: idOf('User'), role: memberRole })

const addMember = (call: Call): Reply => {
  const id = readParam(call, 'org_id', 'Organization')
  if (!id.ok) return id.error
  const body = readBody(call, newMember)
  if (!body.ok) return body.error
  const organization = findOrganization(call, id.value)
  if (!organization.ok) return organization.error
  const user = findUser(call, body.value.user_id)
  if (!user.ok) return user.error
  if (!administersOrganization(call, organization.value.n)) return forbidden()
  const { role } = body.value
  if (role.type === 'CUSTOM') return unprocessable('Custom role assignments are not yet supported for organizations.')
  const misfit = annotatorProblem(user.value.role, role.name, 'organization', call.switches)
  if (misfit !== undefined) return misfit
  return found({
    id: upsertOrganizationMember(call.sql, organization.value.n, user.value.n, role.name),
    user_id: user.value.id,
    organization_id: organization.value.id,
    role: predefined(role.name),
  })
}

/** The id of the membership, which an upsert keeps. */
export const upsertOrganizationMember = (sql: SqlStorage, organization: number, user: number, role: string): string => {
  const kept = first<{ id: string }>(
    sql,
    'UPDATE organization_members SET role = ? WHERE organization = ? AND user = ? RETURNING id',
    role, organization, user,
  )
  if (kept !== undefined) return kept.id
  const n = nextNumber(sql)
  const id = makeId('AccountOrganizationMember', n)
  run(
    sql,
    'INSERT INTO organization_members (n, id, organization, user, role) VALUES (?, ?, ?, ?, ?)',
    n, id, organization, user, role,
  )
  return id
}

/**
 * "Remove a user from the organization and all its child spaces": what a removal from each space takes goes too, which is the
 * membership and the SPACE bindings. Nothing says that PROJECT bindings go, so they stay.
 */
export const removeOrganizationMember = (sql: SqlStorage, organization: number, user: number): boolean => {
  const membership = 'DELETE FROM organization_members WHERE organization = ? AND user = ? RETURNING n'
  const removed = rows(sql, membership, organization, user)
  if (removed.length === 0) return false
  const inside = 'user = ? AND space IN (SELECT n FROM spaces WHERE organization = ?)'
  run(sql, `DELETE FROM space_members WHERE ${inside}`, user, organization)
  run(sql, `DELETE FROM bindings WHERE ${inside}`, user, organization)
  return true
}

const removeMember = (call: Call): Reply => {
  const id = readParam(call, 'org_id', 'Organization')
  if (!id.ok) return id.error
  const userId = readParam(call, 'user_id', 'User')
  if (!userId.ok) return userId.error
  const organization = findOrganization(call, id.value)
  if (!organization.ok) return organization.error
  const user = findUser(call, userId.value)
  if (!user.ok) return user.error
  if (!administersOrganization(call, organization.value.n)) return forbidden()
  return removeOrganizationMember(call.sql, organization.value.n, user.value.n) ? NO_CONTENT : notFound(userId.value)
}

export const organizationRoutes: readonly Route[] = [
  ['GET', '/v2/organizations', listOrganizations],
  ['POST', '/v2/organizations', createOrganization],
  ['GET', '/v2/organizations/:org_id', getOrganization],
  ['PATCH', '/v2/organizations/:org_id', patchOrganization],
  ['DELETE', '/v2/organizations/:org_id', deleteOrganization],
  ['POST', '/v2/organizations/:org_id/users', addMember],
  ['DELETE', '/v2/organizations/:org_id/users/:user_id', removeMember],
]
