/**
 * Sends one step of a recording and judges the answer: what the step says, and what holds for every SCIM answer whatever
 * the step. It does not know how to reach a server: `send` does.
 */
import { findFault, select } from './checks'
import type { HeaderValues, Step } from './recording'

/** `path` is below the SCIM base (`/Users?filter=…`). */
export type Send = (method: string, path: string, headers: Headers, body: string | undefined) => Promise<Response>

/** Values for templates: `token` and `basicToken` to begin with, then what the steps captured. */
export type Variables = ReadonlyMap<string, string>

export type Outcome = { readonly faults: readonly string[]; readonly captured: Variables }

const TEMPLATE = /\{\{(\w+)\}\}/g

class MissingTemplate extends Error {}

const fill = (text: string, variables: Variables, encode: (value: string) => string = (value) => value): string =>
  text.replace(TEMPLATE, (_, name: string) => {
    const value = variables.get(name)
    if (value === undefined) throw new MissingTemplate(`{{${name}}} was not captured by an earlier step`)
    return encode(value)
  })

const fillDeep = (value: unknown, variables: Variables): unknown => {
  if (typeof value === 'string') return fill(value, variables)
  if (Array.isArray(value)) return value.map((item) => fillDeep(item, variables))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fillDeep(item, variables)]))
}

const escapeRegExp = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

const applyHeaders = (headers: Headers, values: HeaderValues, variables: Variables): void => {
  for (const [name, value] of Object.entries(values)) {
    if (value === null) headers.delete(name)
    else headers.set(name, fill(value, variables))
  }
}

const bodyOf = (step: Step, variables: Variables): string | undefined => {
  if (step.request.rawBody !== undefined) return fill(step.request.rawBody, variables)
  return step.request.body === undefined ? undefined : JSON.stringify(fillDeep(step.request.body, variables))
}

const headersOf = (step: Step, headers: HeaderValues, hasBody: boolean, variables: Variables): Headers => {
  const result = new Headers()
  applyHeaders(result, headers, variables)
  if (!hasBody) result.delete('content-type')
  applyHeaders(result, step.request.headers ?? {}, variables)
  return result
}

const hasKey = (value: unknown, key: string): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (Object.hasOwn(value, key) || Object.values(value).some((item) => hasKey(item, key)))

const ERROR = 'urn:ietf:params:scim:api:messages:2.0:Error'
const LIST = 'urn:ietf:params:scim:api:messages:2.0:ListResponse'

/** A page by cursor has no index (RFC 9865 section 2). */
const isByCursor = ({ request: { path, body } }: Step): boolean => /[?&]cursor\b/.test(path) || select(body, 'cursor') !== undefined

/** RFC 7644 sections 3.4.2 and 3.12, RFC 9110 section 10.2.3 and what the recorded clients need of every answer. */
const wireFaults = (step: Step, response: Response, text: string, body: unknown): string[] => {
  const { status } = response
  const isError = status >= 400
  const contentType = response.headers.get('content-type')
  const location = response.headers.get('location')
  const retryAfter = response.headers.get('retry-after')
  const schemas = select(body, 'schemas')
  const named = Array.isArray(schemas) ? schemas : []
  const isList = named.includes(LIST)
  const resources = select(body, 'Resources')
  const counts = ['totalResults', 'itemsPerPage', ...(isByCursor(step) ? [] : ['startIndex'])].map((key) => select(body, key))
  const shown = JSON.stringify(select(body, 'status'))
  const statements: [boolean, string][] = [
    [status === 204 || status === 304 ? text === '' : text !== '', `status ${status} with ${text.length} characters of body`],
    [text === '' || contentType === 'application/scim+json', `content-type is ${contentType}`],
    [!hasKey(body, 'password'), 'a password is in the body'],
    [!isError || named.includes(ERROR), 'an error without the Error schema'],
    [!isError || select(body, 'status') === String(status), `status in the body is ${shown}`],
    [!isError || String(select(body, 'detail') ?? '') !== '', 'an error without detail'],
    [status !== 401 || response.headers.has('www-authenticate'), '401 without WWW-Authenticate'],
    [![429, 503].includes(status) || /^\d+$/.test(retryAfter ?? ''), `Retry-After is ${retryAfter}, not whole seconds`],
    [status !== 201 || URL.canParse(location ?? ''), '201 without an absolute Location'],
    [status !== 201 || location === select(body, 'meta/location'), 'Location is not meta.location'],
    [!isList || counts.every(Number.isInteger), 'a count of the list is no integer'],
    [!isList || (Array.isArray(resources) && resources.length === counts[1]), 'Resources is no array of itemsPerPage'],
  ]
  return statements.filter(([isTrue]) => !isTrue).map(([, fault]) => fault)
}

const headerFaults = (response: Response, expected: HeaderValues, variables: Variables): string[] =>
  Object.entries(expected).flatMap(([name, pattern]) => {
    const got = response.headers.get(name)
    if (pattern === null) return got === null ? [] : [`${name} is there: ${got}`]
    return new RegExp(fill(pattern, variables, escapeRegExp)).test(got ?? '') ? [] : [`${name} is ${got}, not ${pattern}`]
  })

const parse = (text: string): unknown => {
  try {
    return text === '' ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}

const isCapturable = (value: unknown): boolean => typeof value === 'string' || typeof value === 'number'

type Captured = { readonly captured: Map<string, string>; readonly missing: readonly string[] }

const capture = (step: Step, body: unknown, variables: Variables): Captured => {
  const paths = Object.entries(step.capture ?? {})
  const found = paths.map(([name, path]) => [name, select(body, fill(path, variables))] as const)
  return {
    captured: new Map(found.filter(([, value]) => isCapturable(value)).map(([name, value]) => [name, String(value)])),
    missing: found.filter(([, value]) => !isCapturable(value)).map(([name]) => `nothing to capture for {{${name}}}`),
  }
}

const judge = async (step: Step, response: Response, variables: Variables): Promise<Outcome> => {
  const text = await response.text()
  const body = parse(text)
  const faults = wireFaults(step, response, text, body)
  const shown = text.slice(0, 300)
  if (!step.expect.status.includes(response.status)) {
    const fault = `status ${response.status}, not ${step.expect.status.join(' or ')}: ${shown}`
    return { faults: [fault, ...faults], captured: new Map() }
  }
  if (text !== '' && body === undefined) return { faults: [`no JSON: ${shown}`, ...faults], captured: new Map() }
  const { captured, missing } = capture(step, body, variables)
  const known = new Map([...variables, ...captured])
  const checks = (step.expect.body ?? []).flatMap(({ path, op, value }) => {
    const fault = findFault(body, { path: fill(path, known), op, value: fillDeep(value, known) })
    return fault === undefined ? [] : [fault]
  })
  const headers = headerFaults(response, step.expect.headers ?? {}, known)
  return { faults: [...faults, ...missing, ...headers, ...checks], captured }
}

/** Sends the step, as often as it says, and stops at the first answer with faults. A template without a value is a fault. */
export const replayStep = async (
  step: Step,
  headers: HeaderValues,
  variables: Variables,
  send: Send,
): Promise<Outcome> => {
  let outcome: Outcome = { faults: [], captured: new Map() }
  for (let n = 1; n <= (step.repeat ?? 1) && outcome.faults.length === 0; n += 1) {
    const known = step.repeat === undefined ? variables : new Map([...variables, ['n', String(n)] as const])
    try {
      const body = bodyOf(step, known)
      const sent = headersOf(step, headers, body !== undefined, known)
      const response = await send(step.request.method, fill(step.request.path, known, encodeURIComponent), sent, body)
      outcome = await judge(step, response, known)
    } catch (error) {
      if (!(error instanceof MissingTemplate)) throw error
      outcome = { faults: [error.message], captured: new Map() }
    }
  }
  return outcome
}
