/** Users: the state machine with its tombstones. A deleted user keeps its row, and with it the address, for ever. */
import * as z from 'zod'
import { err, ok, type Result } from '../../../src/result'
import { seesUsers } from './access'
import { accountRole, predefined } from './assignment'
import {
  AT_LEAST_ONE, type Call, created, found, hasField, type Json, name255, NO_CONTENT, readBody, readParam, type Reply,
  type Route,
} from './call'
import { makeId } from './ids'
import { readPage, readSubstring } from './paging'
import { badRequest, conflict, forbidden, notFound, type Problem, unprocessable } from './problem'
import { first, nextNumber, rows, run } from './sql'

export type UserStatus = 'ACTIVE' | 'INVITED' | 'EXPIRED' | 'INACTIVE'
export type UserRow = {
  n: number
  id: string
  email: string
  name: string
  role: string
  status: UserStatus
  is_developer: number
  created_at: string
}

const COLUMNS = 'n, id, email, name, role, status, is_developer, created_at'
const LIVE = ['ACTIVE', 'INVITED', 'EXPIRED'] as const

const userJson = (user: UserRow): { [key: string]: Json } => ({
  id: user.id,
  name: user.name,
  email: user.email,
  created_at: user.created_at,
  status: user.status,
  role: predefined(user.role),
  is_developer: user.is_developer === 1,
})

export const findUserByEmail = (sql: SqlStorage, email: string): UserRow | undefined =>
  first<UserRow>(sql, `SELECT ${COLUMNS} FROM users WHERE email_key = ? AND is_bot = 0`, email.toLowerCase())

/** A user that calls can reach: neither blocked nor a bot. */
export const findUser = (call: Call, id: string): Result<UserRow, Problem> => {
  const user = first<UserRow>(
    call.sql,
    `SELECT ${COLUMNS} FROM users WHERE id = ? AND is_bot = 0 AND status <> 'INACTIVE'`,
    id,
  )
  return user === undefined || !seesUsers(call) ? err(notFound(id)) : ok(user)
}

type NewUser = Pick<UserRow, 'email' | 'name' | 'role' | 'status'> & { isDeveloper: boolean }

export const insertUser = (sql: SqlStorage, user: NewUser, now: string): UserRow => {
  const n = nextNumber(sql)
  return sql
    .exec<UserRow>(
      `INSERT INTO users (n, id, email, email_key, name, role, status, is_developer, is_bot, created_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?) RETURNING ${COLUMNS}`,
      n, makeId('User', n), user.email, user.email.toLowerCase(), user.name, user.role, user.status,
      user.isDeveloper ? 1 : 0, now,
    )
    .one()
}

/** Terminal. Takes memberships, bindings and the user's own keys along; service keys that they made live on. */
export const blockUser = (sql: SqlStorage, user: number): void => {
  run(sql, `UPDATE users SET status = 'INACTIVE' WHERE n = ?`, user)
  run(sql, 'DELETE FROM organization_members WHERE user = ?', user)
  run(sql, 'DELETE FROM space_members WHERE user = ?', user)
  run(sql, 'DELETE FROM bindings WHERE user = ?', user)
  run(sql, `UPDATE keys SET is_revoked = 1 WHERE owner = ? AND key_type = 'USER'`, user)
}

const listUsers = (call: Call): Reply => {
  const page = readPage(call, 'users')
  if (!page.ok) return page.error
  const email = readSubstring(call, 'email')
  if (email.length > 255) return badRequest("The 'email' parameter must be at most 255 characters.")
  const asked = z.array(z.enum(LIVE)).safeParse(call.query.getAll('status'))
  if (!asked.success) return badRequest(`The 'status' parameter must be one of ${LIVE.join(', ')}.`)
  if (!seesUsers(call)) return forbidden()
  const statuses = JSON.stringify(asked.data.length === 0 ? LIVE : asked.data)
  return page.value(
    (after, limit) =>
      rows<UserRow>(
        call.sql,
        `SELECT ${COLUMNS} FROM users WHERE n > ? AND is_bot = 0 AND (? = '' OR instr(email_key, ?) > 0)
         AND status IN (SELECT value FROM json_each(?)) ORDER BY n LIMIT ?`,
        after, email, email, statuses, limit,
      ),
    userJson,
  )
}

const newUser = z.strictObject({
  name: name255,
  email: z.string().max(255).regex(/^[^\s@]+@[^\s@]+\.[^\s@.]+$/, { error: 'must be an e-mail address' }),
  role: accountRole,
  invite_mode: z.enum(['NONE', 'EMAIL_LINK', 'TEMPORARY_PASSWORD']),
  is_developer: z.boolean().optional(),
})

const createUser = (call: Call): Reply => {
  const body = readBody(call, newUser)
  if (!body.ok) return body.error
  if (!call.caller.isAdmin) return forbidden()
  const { name, email, role, invite_mode: inviteMode } = body.value
  if (role.type === 'CUSTOM') return unprocessable('Custom account roles are not yet supported.')
  const status = inviteMode === 'NONE' ? 'ACTIVE' : 'INVITED'
  const isDeveloper = body.value.is_developer ?? role.name !== 'ANNOTATOR'
  const existing = first<UserRow>(call.sql, `SELECT ${COLUMNS} FROM users WHERE email_key = ?`, email.toLowerCase())
  if (existing === undefined) {
    return invited(insertUser(call.sql, { email, name, role: role.name, status, isDeveloper }, call.now), inviteMode)
  }
  // With NONE only "an active member" is documented as a conflict; a pending or blocked address is read as one too.
  if (inviteMode === 'NONE') return conflict()
  if (existing.status === 'INVITED') return found(userJson(existing))
  if (existing.status !== 'EXPIRED') return conflict()
  return invited(updateUserRow(call.sql, existing.n, { name, role: role.name, status, isDeveloper }), inviteMode)
}

const invited = (user: UserRow, inviteMode: string): Reply =>
  created({
    ...userJson(user),
    invite_mode: inviteMode,
    ...(inviteMode === 'TEMPORARY_PASSWORD' ? { temporary_password: crypto.randomUUID() } : {}),
  })

export const updateUserRow = (sql: SqlStorage, n: number, user: Omit<NewUser, 'email'>): UserRow =>
  sql
    .exec<UserRow>(
      `UPDATE users SET name = ?, role = ?, status = ?, is_developer = ? WHERE n = ? RETURNING ${COLUMNS}`,
      user.name, user.role, user.status, user.isDeveloper ? 1 : 0, n,
    )
    .one()

const getUser = (call: Call): Reply => {
  const id = readParam(call, 'user_id', 'User')
  if (!id.ok) return id.error
  const user = findUser(call, id.value)
  return user.ok ? found(userJson(user.value)) : user.error
}

const userPatch = z
  .strictObject({ name: name255.optional(), is_developer: z.boolean().optional() })
  .refine(hasField, AT_LEAST_ONE)

const patchUser = (call: Call): Reply => {
  const id = readParam(call, 'user_id', 'User')
  if (!id.ok) return id.error
  const body = readBody(call, userPatch)
  if (!body.ok) return body.error
  const user = findUser(call, id.value)
  if (!user.ok) return user.error
  if (!call.caller.isAdmin) return forbidden()
  const { n, name, role, status, is_developer: isDeveloper } = user.value
  const patched = {
    role,
    status,
    name: body.value.name ?? name,
    isDeveloper: body.value.is_developer ?? isDeveloper === 1,
  }
  return found(userJson(updateUserRow(call.sql, n, patched)))
}

const SELF = 'You cannot delete yourself.'

const deleteUser = (call: Call): Reply => {
  const id = readParam(call, 'user_id', 'User')
  if (!id.ok) return id.error
  if (id.value === call.caller.id) return { ...badRequest(SELF), status: call.switches.selfDeleteStatus }
  const user = first<UserRow>(call.sql, `SELECT ${COLUMNS} FROM users WHERE id = ? AND is_bot = 0`, id.value)
  if (user === undefined || !seesUsers(call)) return notFound(id.value)
  if (!call.caller.isAdmin) return forbidden()
  if (user.status !== 'INACTIVE') blockUser(call.sql, user.n)
  return NO_CONTENT
}

const resendInvitation = (call: Call): Reply => {
  const id = readParam(call, 'user_id', 'User')
  if (!id.ok) return id.error
  const user = findUser(call, id.value)
  if (!user.ok) return user.error
  if (!call.caller.isAdmin) return forbidden()
  return user.value.status === 'INVITED' ? NO_CONTENT : badRequest('The user has no pending invitation.')
}

export const userRoutes: readonly Route[] = [
  ['GET', '/v2/users', listUsers],
  ['POST', '/v2/users', createUser],
  ['GET', '/v2/users/:user_id', getUser],
  ['PATCH', '/v2/users/:user_id', patchUser],
  ['DELETE', '/v2/users/:user_id', deleteUser],
  ['POST', '/v2/users/:user_id/resend-invitation', resendInvitation],
]
