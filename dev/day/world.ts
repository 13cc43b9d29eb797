import * as z from 'zod'
import { err, ok, type Result } from '../../src/result'
import { accounts, organizations } from './cast'
import policy from './policy.json'

/** The two services as the day sees them, over HTTP: the bridge's SCIM and admin API, and the emulator. */

export interface Answer {
  readonly status: number
  readonly text: string
}

type Body = unknown
type Headers = Readonly<Record<string, string>>

export interface World {
  /** `path` is below the SCIM base URL. */
  readonly scim: (method: string, path: string, body?: Body, headers?: Headers) => Promise<Answer>
  /** `path` is below the admin API. */
  readonly admin: (method: string, path: string, body?: Body) => Promise<Answer>
  /** Arize's API and the emulator's own routes. */
  readonly arize: (method: string, path: string, body?: Body) => Promise<Answer>
}

export interface WorldOptions {
  readonly scimBaseUrl: string
  readonly adminApiUrl: string
  readonly arizeUrl: string
  readonly tokens: { readonly scim: string; readonly admin: string; readonly arize: string }
  readonly fetch?: (url: string, init: { method: string; headers: Headers; body?: string }) => Promise<Response>
}

export const openWorld = ({ scimBaseUrl, adminApiUrl, arizeUrl, tokens, fetch = globalThis.fetch }: WorldOptions): World => {
  const call = async (url: string, method: string, token: string, body: Body, headers: Headers = {}): Promise<Answer> => {
    const type: Headers = body === undefined ? {} : { 'content-type': 'application/json' }
    const response = await fetch(url, {
      method,
      headers: { authorization: `Bearer ${token}`, ...type, ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    return { status: response.status, text: await response.text() }
  }
  return {
    scim: (method, path, body, headers) => call(scimBaseUrl + path, method, tokens.scim, body, headers),
    admin: (method, path, body) => call(`${adminApiUrl}/${path}`, method, tokens.admin, body),
    arize: (method, path, body) => call(arizeUrl + path, method, tokens.arize, body),
  }
}

const member = z.object({ email: z.string(), role: z.string() })

const arizeState = z.object({
  users: z.array(z.object({ id: z.string(), email: z.string(), status: z.string(), role: z.string() })),
  organizations: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      members: z.array(member),
      spaces: z.array(z.object({ id: z.string(), name: z.string(), members: z.array(member) })),
    }),
  ),
  keys: z.array(z.object({ id: z.string(), owner: z.string(), revoked: z.boolean() })),
})

export type ArizeState = z.infer<typeof arizeState>

const arizeCalls = z.object({ calls: z.array(z.object({ method: z.string(), path: z.string(), status: z.number() })) })

export type ArizeCall = z.infer<typeof arizeCalls>['calls'][number]

const because = z.object({ mapping: z.string(), group: z.string(), implied: z.literal(true).optional() })

const person = z.object({
  state: z.string(),
  groups: z.array(z.object({ displayName: z.string() })),
  grants: z.array(
    z.object({
      resource: z.object({ kind: z.string(), organization: z.string().optional(), space: z.string().optional() }),
      role: z.string(),
      because: z.array(because),
    }),
  ),
  conflicts: z.array(z.object({ code: z.string(), sentence: z.string() })),
  withheld: z.array(z.object({ sentence: z.string() })),
  leaver: z.string().nullable(),
  lastError: z.string().nullable(),
})

/** The bridge's own account of somebody. */
export type PersonView = z.infer<typeof person>

const NOBODY: PersonView = { state: 'unknown', groups: [], grants: [], conflicts: [], withheld: [], leaver: null, lastError: null }

/** What did not go as it must, in a sentence. */
export type Mishap = string

const parse = <T extends z.ZodType>(what: string, schema: T, { status, text }: Answer, expected = 200): Result<z.output<T>, Mishap> => {
  if (status !== expected) return err(`${what} answered ${status}: ${text.slice(0, 300)}`)
  const parsed = schema.safeParse(JSON.parse(text))
  return parsed.success ? ok(parsed.data) : err(`${what} has another shape: ${z.prettifyError(parsed.error)}`)
}

export const readArize = async ({ arize }: World): Promise<Result<ArizeState, Mishap>> =>
  parse('GET /_emulator/state', arizeState, await arize('GET', '/_emulator/state'))

export const readCalls = async ({ arize }: World): Promise<Result<readonly ArizeCall[], Mishap>> => {
  const read = parse('GET /_emulator/calls', arizeCalls, await arize('GET', '/_emulator/calls'))
  return read.ok ? ok(read.value.calls) : read
}

export const readPerson = async ({ admin }: World, email: string): Promise<Result<PersonView, Mishap>> => {
  const answer = await admin('GET', `people/${encodeURIComponent(email)}`)
  return answer.status === 404 ? ok(NOBODY) : parse(`GET people/${email}`, person, answer)
}

/** Brings everybody in step who is due, without waiting for quiet times. */
export const settle = async ({ admin }: World): Promise<Result<void, Mishap>> => {
  const counts = parse('POST settle', z.object({ due: z.number(), stuck: z.number() }), await admin('POST', 'settle'))
  if (!counts.ok) return counts
  const { due, stuck } = counts.value
  return due + stuck === 0 ? ok(undefined) : err(`After settling, ${due} people are still due and ${stuck} are stuck.`)
}

const created = z.object({ id: z.string() })

/** Fills an empty Arize account with the organizations and accounts of the day, and gives the bridge its policy. */
export const seed = async ({ arize, admin }: World): Promise<Result<void, Mishap>> => {
  for (const { name, spaces } of organizations) {
    const made = parse(`Making organization ${name}`, created, await arize('POST', '/v2/organizations', { name }), 201)
    if (!made.ok) return made
    for (const space of spaces) {
      const answer = await arize('POST', '/v2/spaces', { name: space, organization_id: made.value.id, is_private: true })
      if (answer.status !== 201) return err(`Space ${space} could not be made: ${answer.text}`)
    }
  }
  for (const account of accounts) {
    const { status, text } = await arize('POST', '/_emulator/users', account)
    if (status !== 200) return err(`Account ${account.email} could not be made: ${text}`)
  }
  const { status, text } = await admin('PUT', 'policy', policy)
  return status === 200 ? ok(undefined) : err(`The policy was refused (${status}): ${text}`)
}

/** An API key of somebody, as they would make it in Arize's settings. */
export const makeKey = async ({ arize }: World, owner: string): Promise<Result<void, Mishap>> => {
  const { status, text } = await arize('POST', '/_emulator/keys', { owner })
  return status === 200 ? ok(undefined) : err(`No key for ${owner}: ${text}`)
}
