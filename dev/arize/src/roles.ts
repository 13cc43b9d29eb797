/** Roles of the account. Predefined ones can be read, never changed; deleting a custom one is soft: its bindings stay. */
import * as z from 'zod'
import { err, ok, type Result } from '../../../src/result'
import {
  AT_LEAST_ONE, type Call, created, description1000, found, hasField, type Json, name255, NO_CONTENT, readBody, readParam,
  type Reply, type Route,
} from './call'
import { makeId } from './ids'
import { readPage } from './paging'
import { badRequest, conflict, forbidden, notFound, type Problem } from './problem'
import { first, nextNumber, rows, run } from './sql'

export type RoleRow = {
  n: number
  id: string
  name: string
  description: string
  permissions: string
  is_predefined: number
  created_at: string
  updated_at: string
}

const COLUMNS = 'n, id, name, description, permissions, is_predefined, created_at, updated_at'

const permissions = z.array(z.string())

const roleJson = (role: RoleRow): Json => ({
  id: role.id,
  name: role.name,
  ...(role.description === '' ? {} : { description: role.description }),
  permissions: permissions.parse(JSON.parse(role.permissions)),
  is_predefined: role.is_predefined === 1,
  created_at: role.created_at,
  updated_at: role.updated_at,
})

export const findRole = (call: Call, id: string): Result<RoleRow, Problem> => {
  const role = first<RoleRow>(call.sql, `SELECT ${COLUMNS} FROM roles WHERE id = ? AND is_deleted = 0`, id)
  return role === undefined ? err(notFound(id)) : ok(role)
}

const isTaken = (call: Call, name: string, except: number): boolean =>
  first(call.sql, 'SELECT 1 FROM roles WHERE name = ? AND is_deleted = 0 AND n <> ?', name, except) !== undefined

const listRoles = (call: Call): Reply => {
  const page = readPage(call, 'roles')
  if (!page.ok) return page.error
  const asked = call.query.get('is_predefined')
  if (asked !== null && asked !== 'true' && asked !== 'false') {
    return badRequest("The 'is_predefined' parameter must be true or false.")
  }
  const isPredefined = asked === null ? null : asked === 'true' ? 1 : 0
  return page.value(
    (after, limit) =>
      rows<RoleRow>(
        call.sql,
        `SELECT ${COLUMNS} FROM roles WHERE n > ? AND is_deleted = 0
         AND (? IS NULL OR is_predefined = ?) ORDER BY n LIMIT ?`,
        after, isPredefined, isPredefined, limit,
      ),
    roleJson,
  )
}

/** {RESOURCE}_{ACTION}. The identifiers come and go with Arize's releases, so it is their form that is checked. */
const permission = z
  .string()
  .max(100)
  .regex(/^[A-Z]+(?:_[A-Z]+)*_(?:ANNOTATE|CREATE|DELETE|READ|RESTRICT|REVOKE|RUN|TRIGGER|UPDATE)$|^ALYX_RUN$/, {
    error: 'must be a permission identifier',
  })
const somePermissions = z.array(permission).min(1)

const newRole = z.strictObject({
  name: name255,
  description: description1000.optional(),
  permissions: somePermissions,
})

type NewRole = { readonly name: string; readonly description: string; readonly permissions: readonly string[] }

const insertRole = (sql: SqlStorage, role: NewRole, isPredefined: boolean, now: string): RoleRow => {
  const n = nextNumber(sql)
  return sql
    .exec<RoleRow>(
      `INSERT INTO roles (n, id, name, description, permissions, is_predefined, is_deleted, created_at, updated_at)
       VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?) RETURNING ${COLUMNS}`,
      n, makeId('Role', n), role.name, role.description, JSON.stringify(role.permissions), isPredefined ? 1 : 0, now, now,
    )
    .one()
}

const createRole = (call: Call): Reply => {
  const body = readBody(call, newRole)
  if (!body.ok) return body.error
  if (!call.caller.isAdmin) return forbidden()
  const { name, description = '', permissions: granted } = body.value
  if (isTaken(call, name, 0)) return conflict()
  return created(roleJson(insertRole(call.sql, { name, description, permissions: granted }, false, call.now)))
}

const getRole = (call: Call): Reply => {
  const id = readParam(call, 'role_id', 'Role')
  if (!id.ok) return id.error
  const role = findRole(call, id.value)
  return role.ok ? found(roleJson(role.value)) : role.error
}

const rolePatch = z
  .strictObject({
    name: name255.optional(),
    description: description1000.nullable().optional(),
    permissions: somePermissions.optional(),
  })
  .refine(hasField, AT_LEAST_ONE)

const patchRole = (call: Call): Reply => {
  const id = readParam(call, 'role_id', 'Role')
  if (!id.ok) return id.error
  const body = readBody(call, rolePatch)
  if (!body.ok) return body.error
  const role = findRole(call, id.value)
  if (!role.ok) return role.error
  if (!call.caller.isAdmin || role.value.is_predefined === 1) return forbidden()
  const name = body.value.name ?? role.value.name
  if (isTaken(call, name, role.value.n)) return conflict()
  const description = body.value.description === undefined ? role.value.description : (body.value.description ?? '')
  const granted = body.value.permissions === undefined ? role.value.permissions : JSON.stringify(body.value.permissions)
  return found(
    roleJson(
      call.sql
        .exec<RoleRow>(
          `UPDATE roles SET name = ?, description = ?, permissions = ?, updated_at = ? WHERE n = ? RETURNING ${COLUMNS}`,
          name, description, granted, call.now, role.value.n,
        )
        .one(),
    ),
  )
}

const deleteRole = (call: Call): Reply => {
  const id = readParam(call, 'role_id', 'Role')
  if (!id.ok) return id.error
  const role = findRole(call, id.value)
  if (!role.ok) return role.error
  if (!call.caller.isAdmin || role.value.is_predefined === 1) return forbidden()
  run(call.sql, 'UPDATE roles SET is_deleted = 1, updated_at = ? WHERE n = ?', call.now, role.value.n)
  return NO_CONTENT
}

const READS = ['DATASET_READ', 'EXPERIMENT_READ', 'PROJECT_READ', 'SPACE_READ']
const WRITES = ['DATASET_CREATE', 'EXPERIMENT_CREATE', 'PROJECT_CREATE', 'PROJECT_SPAN_CREATE']
const BINDINGS = ['ROLE_BINDING_CREATE', 'ROLE_BINDING_DELETE']
const PREDEFINED: readonly NewRole[] = [
  { name: 'Admin', description: 'Full access.', permissions: [...READS, ...WRITES, ...BINDINGS] },
  { name: 'Member', description: 'Standard access.', permissions: [...READS, ...WRITES] },
  { name: 'Read Only', description: 'Can look, not touch.', permissions: READS },
  {
    name: 'Annotator',
    description: 'Can access annotation queues.',
    permissions: ['QUEUE_READ', 'QUEUE_RECORD_READ', 'QUEUE_RECORD_ANNOTATE'],
  },
]

export const ensurePredefinedRoles = (sql: SqlStorage, now: string): void => {
  if (first(sql, 'SELECT 1 FROM roles WHERE is_predefined = 1') !== undefined) return
  for (const role of PREDEFINED) insertRole(sql, role, true, now)
}

export const roleRoutes: readonly Route[] = [
  ['GET', '/v2/roles', listRoles],
  ['POST', '/v2/roles', createRole],
  ['GET', '/v2/roles/:role_id', getRole],
  ['PATCH', '/v2/roles/:role_id', patchRole],
  ['DELETE', '/v2/roles/:role_id', deleteRole],
]
