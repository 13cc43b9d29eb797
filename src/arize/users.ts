import * as z from 'zod'
import type { Account, NewAccount } from '../reconcile/target'
import { ok } from '../result'
import { as, type ArizeClient } from './client'
import { contradiction, type Reply } from './error'
import { idSchema, isSameId } from './id'
import { asPage, readAll, type Page, type PageQuery } from './page'
import { nameOfRole, roleSchema, writePredefined } from './roles'

/**
 * A user in an answer. Only the id has to be there: bots are users too, and a list with one that lacks an address must not
 * hide everybody else.
 */
const accountSchema = z
  .object({
    id: idSchema,
    email: z.string().catch(''),
    name: z.string().catch(''),
    role: roleSchema,
    status: z.string().catch('UNKNOWN'),
    created_at: z.string().nullable().catch(null),
    is_developer: z.boolean().nullable().catch(null),
  })
  .transform(({ id, email, name, role, status, created_at: createdAt, is_developer: isDeveloper }): Account => {
    return { id, email, name, role: nameOfRole(role), status, createdAt, isDeveloper }
  })

const readAccount = as(accountSchema)

/** One page of `GET /v2/users`. `email` is a case-insensitive substring. Oldest first. */
export const listUsers = (client: ArizeClient, query: PageQuery & { readonly email?: string }): Reply<Page<Account>> =>
  client.call((api) => api.GET('/v2/users', { params: { query } }), asPage('users', accountSchema))

/**
 * The account user with exactly this address. Should two addresses differ in case only, the one that is spelled the same
 * wins, then the older.
 */
export const findUser = async (client: ArizeClient, email: string): Reply<Account | null> => {
  const address = fold(email)
  if (address === '') return ok(null)
  const users = await readAll((query) => listUsers(client, { ...query, email: address }))
  if (!users.ok) return users
  const same = users.value.filter((user) => fold(user.email) === address)
  return ok(same.find((user) => user.email === email.trim()) ?? same[0] ?? null)
}

/** `GET /v2/users/{user_id}`. A blocked user and one that never was are both 404, here null. */
export const readUser = async (client: ArizeClient, id: string): Reply<Account | null> => {
  const init = { params: { path: { user_id: id } } }
  const user = await client.call((api) => api.GET('/v2/users/{user_id}', init), readAccount)
  if (!user.ok) return user.error.kind === 'not_found' ? ok(null) : user
  return isSameId(user.value.id, id) ? user : contradiction('It shows another user than the one asked for.')
}

/**
 * `POST /v2/users`. 201 is a new account user; any other success is somebody's invitation that was there before, returned
 * as it is (`created: false`): its role may be another, which is the caller's to compare. An answer about another address
 * is no success. The answer may hold a password, of which nothing is kept.
 */
export const createUser = async (
  client: ArizeClient,
  { email, name, role, inviteMode }: NewAccount,
): Reply<{ readonly account: Account; readonly created: boolean }> => {
  const body = { email, name: nameOf(name, email), role: writePredefined(role), invite_mode: inviteMode }
  const made = await client.call(
    (api) => api.POST('/v2/users', { body }),
    (data, status) => {
      const account = readAccount(data, status)
      return account === null ? null : { account, created: status === 201 }
    },
  )
  if (!made.ok || fold(made.value.account.email) === fold(email)) return made
  return contradiction('It shows an account with another address.', made.value.created ? 201 : 200)
}

/** `PATCH /v2/users/{user_id}`, the only thing about an account that the API can change besides its name. */
export const setDeveloper = async (client: ArizeClient, id: string, isDeveloper: boolean): Reply<void> => {
  const user = await client.call(
    (api) => api.PATCH('/v2/users/{user_id}', { params: { path: { user_id: id } }, body: { is_developer: isDeveloper } }),
    readAccount,
  )
  if (!user.ok) return user
  if (isSameId(user.value.id, id) && (user.value.isDeveloper ?? isDeveloper) === isDeveloper) return ok(undefined)
  return contradiction('Developer access is not what was asked for.')
}

/** A name that Arize takes (1 to 255 characters, not blank): the address where there is none. */
const nameOf = (name: string, email: string): string => Array.from(name.trim() || email).slice(0, 255).join('')

/** Addresses compare without surrounding space and with A–Z as a–z, nothing else (design 10.1). */
const fold = (email: string): string => email.trim().replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase())
