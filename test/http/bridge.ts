import { env, exports } from 'cloudflare:workers'
import { runInDurableObject } from 'cloudflare:test'

/** The Worker as its callers see it, and what its Directory holds. */

export const ORIGIN = 'http://127.0.0.1'

export interface Message {
  /** The whole Authorization header; null for none. */
  readonly authorization?: string | null
  readonly headers?: Readonly<Record<string, string>>
  /** A string or bytes are sent as they are, anything else as JSON. */
  readonly body?: unknown
  readonly origin?: string
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The body as JSON; undefined when it is none. */
  readonly body: unknown
}

type Fetch = (request: Request) => Response | Promise<Response>

const bodyOf = (body: unknown): string | ReadableStream | undefined =>
  body === undefined || typeof body === 'string' || body instanceof ReadableStream ? body : JSON.stringify(body)

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export const requestOf = (method: string, path: string, message: Message = {}): Request => {
  const { authorization = null, headers = {}, origin = ORIGIN } = message
  const body = bodyOf(message.body)
  return new Request(origin + path, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(authorization === null ? {} : { authorization }),
      ...headers,
    },
    ...(body === undefined ? {} : { body }),
  })
}

export const callWith = async (fetch: Fetch, method: string, path: string, message?: Message): Promise<Answer> => {
  const response = await fetch(requestOf(method, path, message))
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, body: parse(text) }
}

const worker: Fetch = (request) => exports.default.fetch(request)

export const call = (method: string, path: string, message?: Message): Promise<Answer> => callWith(worker, method, path, message)

export const ADMIN = 'Bearer dev-admin-token'

export const admin = (method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer> =>
  call(method, path, { authorization: ADMIN, headers, body })

export const own = (value: unknown, ...path: readonly (string | number)[]): unknown =>
  path.reduce<unknown>(
    (node, key) => (typeof node === 'object' && node !== null ? Object.getOwnPropertyDescriptor(node, key)?.value : undefined), value)

export const textAt = (answer: Answer, ...path: readonly (string | number)[]): string => {
  const value = own(answer.body, ...path)
  if (typeof value !== 'string') throw new Error(`no text at ${path.join('/')} of ${answer.status} ${answer.text.slice(0, 300)}`)
  return value
}

export interface Connected {
  readonly id: string
  readonly token: string
  readonly authorization: string
}

/** A connection of its own: it sees nobody else's users and groups. */
export const connect = async (prefix: string, name: string, more: Readonly<Record<string, unknown>> = {}): Promise<Connected> => {
  const made = await admin('POST', `${prefix}/admin/api/connections`, { kind: 'scim', name, ...more })
  const token = textAt(made, 'token')
  return { id: textAt(made, 'id'), token, authorization: `Bearer ${token}` }
}

/** A tenant of its own for a test file, beside an Arize account of its own: what other files do is not seen in it. */
export const openTenant = async (tenant: string): Promise<void> => {
  const made = await admin('PUT', `/t/${tenant}/admin/api/tenant`, { arizeBaseUrl: 'http://127.0.0.1:8788', arizeApiKey: `dev-arize-key-${tenant}`, ownUser: 'bridge@arize.invalid' })
  if (made.status !== 201) throw new Error(`no tenant: ${made.status} ${made.text}`)
}

export const USER_SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:User'
export const GROUP_SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:Group'
export const PATCH_SCHEMA = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'

/** What the reconciler writes by itself, at its own time, is left out, and so are the notes about refused callers. */
const ROWS = [
  ...['users', 'groups', 'members', 'policies', 'connections', 'holds', 'overrides', 'tenants'].map((table) => `SELECT * FROM ${table}`),
  `SELECT hash, id, connection_id, created, expires FROM tokens`,
  `SELECT address, generation FROM subjects`,
  `SELECT * FROM journal WHERE kind NOT LIKE 'arize.%' AND kind NOT LIKE 'subject.%' AND kind <> 'auth.refused'`,
]

/** Every row of a tenant that a request could have touched. */
export const rowsOf = (tenant: string): Promise<unknown> =>
  runInDurableObject(env.DIRECTORY.getByName(tenant), (_directory, { storage }) => ROWS.map((query) => storage.sql.exec(query).toArray()))

/** Runs statements in a tenant's tables, for states that would take a long story to reach. */
export const write = (tenant: string, statement: string, ...values: readonly (string | number | null)[]): Promise<void> =>
  runInDurableObject(env.DIRECTORY.getByName(tenant), (_directory, { storage }) => {
    storage.sql.exec(statement, ...values)
  })

/** What every SCIM error has, whatever it is about. */
export const scimErrorFaults = ({ status, headers, body }: Answer): readonly string[] => {
  const faults: [boolean, string][] = [
    [headers.get('content-type') === 'application/scim+json', `content-type ${headers.get('content-type')}`],
    [JSON.stringify(own(body, 'schemas')) === '["urn:ietf:params:scim:api:messages:2.0:Error"]', 'schemas'],
    [own(body, 'status') === String(status), `status ${String(own(body, 'status'))}`],
    [/^\S.*\.$/.test(String(own(body, 'detail'))), `detail ${String(own(body, 'detail'))}`],
    [status !== 401 || headers.get('www-authenticate') === 'Bearer realm="arize-bridge"', 'no challenge'],
    [status !== 503 || /^[1-9]\d*$/.test(headers.get('retry-after') ?? ''), 'no Retry-After'],
    [headers.get('cache-control') === 'no-store', 'may be cached'],
  ]
  return faults.filter(([isTrue]) => !isTrue).map(([, fault]) => fault)
}
