import { env } from 'cloudflare:workers'
import { runInDurableObject } from 'cloudflare:test'
import { describe, expect, it } from 'vitest'
import { call, connect, GROUP_SCHEMA, openTenant, own, PATCH_SCHEMA, scimErrorFaults, textAt, USER_SCHEMA, type Answer, type Connected, type Message } from '../bridge'

/** A tenant with one user in one group, and a wrong request as data: what it is, what it says, what it is answered. */

/** Rows that only requests change: the reconciler works on the others at its own time. Of the journal and the counters, what tells of requests. */
const DUMP = [
  ...['users', 'groups', 'members', 'policies', 'connections', 'overrides'].map((table) => `SELECT * FROM ${table}`),
  `SELECT hash, id, connection_id, created, expires FROM tokens ORDER BY hash`,
  `SELECT name, value FROM counters WHERE name LIKE 'users:%' OR name LIKE 'groups:%' ORDER BY name`,
  `SELECT count(*) AS n FROM journal WHERE kind LIKE 'scim.%'`,
]

/** Everything that a tenant's requests could have left behind, as one text. */
export const dumpOf = (tenant: string): Promise<string> =>
  runInDurableObject(env.DIRECTORY.getByName(tenant), (_directory, { storage }) =>
    JSON.stringify(DUMP.map((query) => storage.sql.exec(query).toArray())))

export interface World {
  readonly tenant: string
  readonly base: string
  readonly caller: Connected
  readonly userId: string
  readonly groupId: string
  /** `{user}` and `{group}` in a path stand for the ids of what exists. */
  readonly send: (method: string, path: string, message?: Message) => Promise<Answer>
}

export const openWorld = async (tenant: string): Promise<World> => {
  await openTenant(tenant)
  const base = `/t/${tenant}/scim/v2`
  const caller = await connect(`/t/${tenant}`, 'Okta')
  const { authorization } = caller
  const user = await call('POST', `${base}/Users`, { authorization, body: {
    schemas: [USER_SCHEMA], userName: 'jon@example.com', name: { familyName: 'Snow' }, active: true,
    emails: [{ value: 'jon@example.com', type: 'work', primary: true }, { value: 'snow@example.com', type: 'home' }],
  } })
  const userId = textAt(user, 'id')
  const group = await call('POST', `${base}/Groups`, { authorization, body: { schemas: [GROUP_SCHEMA], displayName: 'Watch', members: [{ value: userId }] } })
  const groupId = textAt(group, 'id')
  const fill = (path: string): string => path.replaceAll('{user}', userId).replaceAll('{group}', groupId)
  return {
    tenant, base, caller, userId, groupId,
    send: (method, path, message = {}) => call(method, `${base}${fill(path)}`, { authorization, ...message }),
  }
}

/** A request, and the status, `scimType` and sentence that it is answered with. */
export interface Wrong {
  readonly name: string
  readonly method: string
  readonly path: string
  readonly message: Message
  readonly status: number
  readonly scimType: string | undefined
  readonly detail: string
}

type Refusal = readonly [status: number, scimType: string | undefined, detail: string]

/** One line of a table: a name, `METHOD /path`, the body, the answer, and headers where the request has special ones. */
export const wrong = (
  name: string, request: string, body: unknown, [status, scimType, detail]: Refusal, headers: Readonly<Record<string, string>> = {},
): Wrong => {
  const [method = '', ...path] = request.split(' ')
  return { name, method, path: path.join(' '), message: { headers, ...(body === undefined ? {} : { body }) }, status, scimType, detail }
}

export const syntax = (detail: string): Refusal => [400, 'invalidSyntax', detail]
export const value = (detail: string): Refusal => [400, 'invalidValue', detail]
export const path = (detail: string): Refusal => [400, 'invalidPath', detail]
export const filter = (detail: string): Refusal => [400, 'invalidFilter', detail]
export const plain = (status: number, detail: string): Refusal => [status, undefined, detail]

/** One operation of a PATCH. What is undefined is left out. */
export const patch = (op: unknown, at?: unknown, given?: unknown): unknown => ({ schemas: [PATCH_SCHEMA], Operations: [{ op, path: at, value: given }] })

/** Names of our files and folders, of what runs us, and of secrets: none has a place in an answer. */
const LEAKS = /\bat \S+ \(|\.ts:\d|node_modules|sqlite|SQLITE|SELECT |INSERT |dev-arize-key|dev-admin-token|arzb_scim_|MASTER_KEY/

/** What is wrong with the prototypes that everything has. */
export const pollution = (): readonly string[] =>
  [Object.prototype, Array.prototype, Function.prototype, String.prototype].flatMap((prototype) => Object.keys(prototype))

/** Each request is refused as its line says, to a stranger with 401, and changes nothing. */
export const refuses = (title: string, world: () => World, table: readonly Wrong[]): void => {
  describe(title, () => {
    it.each(table)('$name', async ({ method, path: at, message, status, scimType, detail }) => {
      const { tenant, send } = world()
      const before = await dumpOf(tenant)
      const answer = await send(method, at, message)
      const { body } = answer
      expect({ status: answer.status, scimType: own(body, 'scimType'), detail: own(body, 'detail') }).toEqual({ status, scimType, detail })
      expect(scimErrorFaults(answer)).toEqual([])
      expect(answer.text).not.toMatch(LEAKS)
      const stranger = await send(method, at, { ...message, authorization: 'Bearer nobody' })
      expect([stranger.status, own(stranger.body, 'detail')]).toEqual([401, 'The credential is not accepted.'])
      expect(await dumpOf(tenant)).toBe(before)
      expect(pollution()).toEqual([])
    })
  })
}
