/**
 * The control surface for people and tests. It is no part of Arize: its calls are not in the journal and no fault meets
 * them. It puts the world into a state that the API alone cannot reach: pending and expired invitations, accounts made by a
 * login, an account role changed by hand, a membership that nobody asked for.
 */
import { type Context, Hono } from 'hono'
import * as z from 'zod'
import { err, ok, type Result } from '../../../src/result'
import { ensureServiceKey, insertBot, mintKey } from './auth'
import { type Json, name255, parseJson } from './call'
import { addFault, clearFaults, fault, listFaults } from './faults'
import { listCalls } from './journal'
import { removeOrganizationMember, upsertOrganizationMember } from './organizations'
import { badRequest, notFound, type Problem, problemBody } from './problem'
import { removeSpaceMember, upsertSpaceMember } from './spaceUsers'
import { first, nextNumber, run } from './sql'
import { readState } from './state'
import { DEFAULT_SWITCHES, readSwitches, switchesPatch, writeSwitches } from './switches'
import { blockUser, findUserByEmail, insertUser, updateUserRow, type UserRow } from './users'

const email = z.string().min(3).max(255)

const membership = z.strictObject({
  organization: z.string(),
  space: z.string().optional(),
  /** null takes it away. */
  role: z.string().min(1).nullable(),
})

/** `role` is free, as a role that nobody knows yet has to be possible. */
const userInput = z.strictObject({
  email,
  name: name255.optional(),
  status: z.enum(['ACTIVE', 'INVITED', 'EXPIRED', 'INACTIVE']).optional(),
  role: z.string().min(1).optional(),
  is_developer: z.boolean().optional(),
  memberships: z.array(membership).default([]),
})

const keyInput = z.strictObject({
  owner: email,
  role: z.string().min(1).optional(),
  key_type: z.enum(['USER', 'SERVICE']).default('USER'),
  name: name255.default('made by the emulator'),
})

const faultInput = z.union([z.strictObject({ faults: z.array(fault) }), fault])

/** Nothing is left but the account's service key, which works again if it was revoked. */
const resetAccount = (sql: SqlStorage, account: string, now: string): void => {
  for (const table of ['bindings', 'organizations', 'calls', 'faults', 'switches']) run(sql, `DELETE FROM ${table}`)
  run(sql, 'DELETE FROM roles WHERE is_predefined = 0')
  run(sql, 'DELETE FROM keys WHERE secret <> ?', account)
  run(sql, 'DELETE FROM users WHERE n NOT IN (SELECT owner FROM keys)')
  run(sql, 'UPDATE keys SET is_revoked = 0')
  ensureServiceKey(sql, account, now)
}

type UserInput = Omit<z.infer<typeof userInput>, 'memberships'>

const putUser = (sql: SqlStorage, input: UserInput, now: string): UserRow => {
  const existing = findUserByEmail(sql, input.email)
  const wanted = {
    name: input.name ?? existing?.name ?? input.email,
    role: input.role ?? existing?.role ?? 'MEMBER',
    status: input.status ?? existing?.status ?? 'ACTIVE',
    isDeveloper: input.is_developer ?? (existing === undefined ? input.role !== 'ANNOTATOR' : existing.is_developer === 1),
  }
  const user =
    existing === undefined ? insertUser(sql, { email: input.email, ...wanted }, now) : updateUserRow(sql, existing.n, wanted)
  if (wanted.status === 'INACTIVE') blockUser(sql, user.n)
  return user
}

type Place = { readonly organization: number; readonly space: number | undefined; readonly role: string | null }

/** Names are looked up before anything is written, so that a refusal changes nothing. */
const findPlaces = (sql: SqlStorage, wanted: readonly z.infer<typeof membership>[]): Result<readonly Place[], Problem> => {
  const places: Place[] = []
  for (const { organization, space, role } of wanted) {
    const outer = first<{ n: number }>(sql, 'SELECT n FROM organizations WHERE name = ?', organization)
    if (outer === undefined) return err(notFound(organization))
    const inner =
      space === undefined
        ? undefined
        : first<{ n: number }>(sql, 'SELECT n FROM spaces WHERE organization = ? AND name = ?', outer.n, space)
    if (space !== undefined && inner === undefined) return err(notFound(space))
    places.push({ organization: outer.n, space: inner?.n, role })
  }
  return ok(places)
}

const putMembership = (sql: SqlStorage, user: number, { organization, space, role }: Place): void => {
  if (space === undefined && role === null) removeOrganizationMember(sql, organization, user)
  else if (space === undefined && role !== null) upsertOrganizationMember(sql, organization, user, role)
  else if (space !== undefined && role === null) removeSpaceMember(sql, space, user)
  else if (space !== undefined) upsertSpaceMember(sql, space, user, role)
}

const makeUser = (sql: SqlStorage, input: z.infer<typeof userInput>, now: string): Result<Json, Problem> => {
  const places = findPlaces(sql, input.memberships)
  if (!places.ok) return places
  const user = putUser(sql, input, now)
  for (const place of places.value) putMembership(sql, user.n, place)
  const { id, email: address, name, status, role, is_developer: isDeveloper } = user
  return ok({ id, email: address, name, status, role, is_developer: isDeveloper === 1 })
}

const makeKey = (sql: SqlStorage, account: string, input: z.infer<typeof keyInput>, now: string): Result<Json, Problem> => {
  const { owner, key_type: type, name } = input
  if (findUserByEmail(sql, owner)?.status === 'INACTIVE') return err(badRequest('The owner is blocked.'))
  const user = putUser(sql, { email: owner, ...(input.role === undefined ? {} : { role: input.role }) }, now)
  const isUserKey = type === 'USER'
  const actsAs = isUserKey ? user.n : insertBot(sql, `bot-${nextNumber(sql)}@arize.invalid`, 'MEMBER', now)
  return ok({ ...mintKey(sql, account, { type, name, owner: actsAs, createdBy: user.n }, now), owner: user.email })
}

const now = (): string => new Date().toISOString()

const fail = (c: Context, problem: Problem): Response =>
  c.json(problemBody(problem, c.req.path, DEFAULT_SWITCHES), { status: problem.status === 404 ? 404 : 400 })

export const controlApp = (storage: DurableObjectStorage, account: string): Hono => {
  const { sql } = storage
  const app = new Hono()

  /** A body, what it does in one transaction, and the answer. */
  const change =
    <T extends z.ZodType>(schema: T, apply: (input: z.infer<T>) => Result<Json, Problem>) =>
    async (c: Context): Promise<Response> => {
      const input = parseJson(await c.req.text(), schema)
      if (!input.ok) return fail(c, input.error)
      const done = storage.transactionSync(() => apply(input.value))
      return done.ok ? c.json(done.value, 200) : fail(c, done.error)
    }

  app.get('/state', (c) => c.json(readState(sql), 200))
  app.get('/calls', (c) => c.json(listCalls(sql), 200))
  app.post('/reset', async (c) => {
    await c.req.text()
    storage.transactionSync(() => resetAccount(sql, account, now()))
    return c.body(null, 204)
  })

  const faults = (): Json => ({ faults: listFaults(sql).map((stored) => stored.fault) })
  app.get('/faults', (c) => c.json(faults(), 200))
  app.delete('/faults', (c) => {
    clearFaults(sql)
    return c.body(null, 204)
  })
  app.post('/faults', change(faultInput, (input) => {
    for (const added of 'faults' in input ? input.faults : [input]) addFault(sql, added)
    return ok(faults())
  }))

  app.post('/users', change(userInput, (input) => makeUser(sql, input, now())))
  app.post('/keys', change(keyInput, (input) => makeKey(sql, account, input, now())))

  app.get('/switches', (c) => c.json(readSwitches(sql), 200))
  app.post('/switches', change(switchesPatch, (input) => {
    const turned = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined))
    writeSwitches(sql, { ...readSwitches(sql), ...turned })
    return ok(readSwitches(sql))
  }))
  app.all('*', (c) => fail(c, notFound(c.req.path)))
  return app
}
