import { exports } from 'cloudflare:workers'
import { env } from 'cloudflare:test'
import { expect } from 'vitest'

/**
 * The whole bridge in one tenant of its own, beside an Arize account of its own: what a test does to one touches no other.
 * Requests go through the Worker's `fetch`, calls to Arize through loopback to the built emulator.
 */

export const ORIGIN = 'http://127.0.0.1:8787'
export const ARIZE = 'http://127.0.0.1:8788'

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The body's members; none when it is no JSON object. */
  readonly json: Readonly<Record<string, unknown>>
}

export interface EmulatorState {
  readonly users: readonly { readonly id: string; readonly email: string; readonly name: string; readonly status: string; readonly role: string; readonly is_developer: boolean }[]
  readonly organizations: readonly {
    readonly id: string
    readonly name: string
    readonly members: readonly { readonly email: string; readonly role: string }[]
    readonly spaces: readonly { readonly id: string; readonly name: string; readonly members: readonly { readonly email: string; readonly role: string }[] }[]
  }[]
  readonly keys: readonly { readonly id: string; readonly owner: string; readonly revoked: boolean }[]
}

export interface Person {
  readonly email: string
  readonly state: string
  readonly groups: readonly { readonly displayName: string }[]
  readonly grants: readonly { readonly role: string; readonly because: readonly { readonly mapping: string; readonly group: string }[] }[]
  readonly memberships: readonly { readonly role: string | null; readonly resource: { readonly name: string } }[]
  readonly conflicts: readonly { readonly code: string; readonly sentence: string }[]
  readonly lastError: string | null
  readonly identityHold: string | null
  readonly holdId: string | null
  readonly journal: readonly { readonly kind: string }[]
}

export interface Bridge {
  readonly tenant: string
  /** The token of the connection that the tenant starts with. */
  readonly token: string
  readonly scim: (method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>) => Promise<Answer>
  readonly admin: (method: string, path: string, body?: unknown) => Promise<Answer>
  /** Arize's own API and the emulator's control surface, as this tenant's key. */
  readonly arize: (method: string, path: string, body?: unknown) => Promise<Answer>
  readonly state: () => Promise<EmulatorState>
  /** Every membership as `email organization[/space] role`, sorted. */
  readonly roles: () => Promise<readonly string[]>
  readonly calls: () => Promise<readonly string[]>
  readonly settle: () => Promise<unknown>
  readonly person: (email: string) => Promise<Person>
  readonly addOrganization: (name: string, spaces?: readonly string[]) => Promise<string>
  readonly policy: (document: unknown) => Promise<void>
  readonly createUser: (email: string, more?: Readonly<Record<string, unknown>>) => Promise<string>
  readonly createGroup: (displayName: string, members?: readonly string[]) => Promise<string>
  readonly addMembers: (group: string, ...members: readonly string[]) => Promise<void>
  readonly removeMembers: (group: string, ...members: readonly string[]) => Promise<void>
  readonly setActive: (user: string, isActive: boolean) => Promise<void>
  readonly directory: () => DurableObjectStub<import('../../src/directory/directory').Directory>
}

const membersOf = (text: string): Readonly<Record<string, unknown>> => {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return {}
  }
}

const answerOf = async (response: Response): Promise<Answer> => {
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, json: membersOf(text) }
}

const requestOf = (method: string, body: unknown, headers: Readonly<Record<string, string>>): RequestInit => ({
  method,
  headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
  ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
})

const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group'
const PATCH = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'

export const patchOf = (...operations: readonly unknown[]): unknown => ({ schemas: [PATCH], Operations: operations })

let serial = 0

/** Opens a tenant with one SCIM connection and an empty Arize account. */
export const openBridge = async (): Promise<Bridge> => {
  const tenant = `t${crypto.randomUUID().slice(0, 8)}-${++serial}`
  const key = `dev-arize-key-${tenant}`
  const prefix = `${ORIGIN}/t/${tenant}`
  const arize: Bridge['arize'] = async (method, path, body) => answerOf(await fetch(`${ARIZE}${path}`, requestOf(method, body, { authorization: `Bearer ${key}` })))
  const admin: Bridge['admin'] = async (method, path, body) =>
    answerOf(await exports.default.fetch(new Request(`${prefix}/admin/api/${path}`, requestOf(method, body, { authorization: 'Bearer dev-admin-token' }))))

  await arize('POST', '/_emulator/reset')
  const made = await admin('PUT', 'tenant', { arizeBaseUrl: ARIZE, arizeApiKey: key, ownUser: 'bridge@arize.invalid' })
  if (made.status >= 300) throw new Error(`no tenant: ${made.status} ${made.text}`)
  const connection = await admin('POST', 'connections', { kind: 'scim', name: 'Okta', source: 'okta' })
  if (connection.status !== 201) throw new Error(`no connection: ${connection.status} ${connection.text}`)
  const token = String(connection.json['token'])

  const scim: Bridge['scim'] = async (method, path, body, headers = {}) =>
    answerOf(await exports.default.fetch(new Request(`${prefix}/scim/v2${path}`, requestOf(method, body, { authorization: `Bearer ${token}`, ...headers }))))
  const must = async (expected: number, answer: Promise<Answer>): Promise<Answer> => {
    const got = await answer
    if (got.status !== expected) throw new Error(`${got.status} instead of ${expected}: ${got.text}`)
    return got
  }
  const state: Bridge['state'] = async () => JSON.parse((await must(200, arize('GET', '/_emulator/state'))).text) as EmulatorState
  return {
    tenant, token, scim, admin, arize, state,
    roles: async () =>
      (await state()).organizations
        .flatMap(({ name, members, spaces }) => [
          ...members.map(({ email, role }) => `${email} ${name} ${role}`),
          ...spaces.flatMap((space) => space.members.map(({ email, role }) => `${email} ${name}/${space.name} ${role}`)),
        ])
        .toSorted(),
    calls: async () => {
      const { calls } = JSON.parse((await must(200, arize('GET', '/_emulator/calls'))).text) as { calls: { method: string; path: string; status: number }[] }
      return calls.map(({ method, path, status }) => `${method} ${path.replaceAll(/[A-Za-z0-9+/=%]{16,}/g, '{id}')} ${status}`)
    },
    settle: async () => (await must(200, admin('POST', 'settle'))).json,
    person: async (email) => JSON.parse((await must(200, admin('GET', `people/${encodeURIComponent(email)}`))).text) as Person,
    addOrganization: async (name, spaces = []) => {
      const id = String((await must(201, arize('POST', '/v2/organizations', { name }))).json['id'])
      for (const space of spaces) await must(201, arize('POST', '/v2/spaces', { name: space, organization_id: id, is_private: true }))
      return id
    },
    policy: async (document) => void (await must(200, admin('PUT', 'policy', document))),
    createUser: async (email, more = {}) =>
      String((await must(201, scim('POST', '/Users', { schemas: [USER], userName: email, emails: [{ value: email, type: 'work', primary: true }], active: true, ...more }))).json['id']),
    createGroup: async (displayName, members = []) =>
      String((await must(201, scim('POST', '/Groups', { schemas: [GROUP], displayName, members: members.map((value) => ({ value })) }))).json['id']),
    addMembers: async (group, ...members) => void (await must(204, scim('PATCH', `/Groups/${group}`, patchOf({ op: 'add', path: 'members', value: members.map((value) => ({ value })) })))),
    removeMembers: async (group, ...members) => void (await must(204, scim('PATCH', `/Groups/${group}`, patchOf(...members.map((id) => ({ op: 'remove', path: `members[value eq "${id}"]` })))))),
    setActive: async (user, isActive) => void (await must(200, scim('PATCH', `/Users/${user}`, patchOf({ op: 'replace', value: { active: isActive } })))),
    directory: () => env.DIRECTORY.getByName(tenant),
  }
}

/** Settles and asserts that nothing is left to do. */
export const expectSettled = async (bridge: Bridge, counts: { held?: number; stuck?: number } = {}): Promise<void> => {
  expect(await bridge.settle()).toEqual({ due: 0, held: counts.held ?? 0, stuck: counts.stuck ?? 0 })
}
