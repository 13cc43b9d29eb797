import { hostOf, isFetchable, readText, within } from '../auth/boundedFetch'
import { err, ok, type Result } from '../result'
import type { SourceFailure, SourceTools } from './source'

/**
 * One HTTP call to a provider, bounded in time and size and without redirects, and what its answer means for whoever asked.
 * Sentences name hosts, statuses and well-known error codes only: never an address's path, a header or what a provider wrote.
 */

const TIMEOUT_MS = 15_000
/** 200 people with all that a provider keeps of them are about 1 MB. */
const MAX_BYTES = 16 * 1024 * 1024

export interface OutboundRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

export interface Reply {
  readonly status: number
  /** The only success. */
  readonly isOk: boolean
  readonly headers: Headers
  /** Undefined when the body is no JSON; null when it is empty. */
  readonly json: unknown
}

/** What the sentences about a provider say. */
export interface Provider {
  readonly name: string
  /** What somebody has to mend when the provider refuses with 401 or 403. */
  readonly mend: (reply: Reply) => string
}

const unavailable = (sentence: string): SourceFailure => ({ kind: 'unavailable', sentence })

/** https anywhere; http on this machine, and only in development. */
export const isReachable = (url: string, development: boolean): boolean =>
  isFetchable(url) && (development || URL.parse(url)?.protocol === 'https:')

/** Some answer, whatever its status. */
export const exchange = async (
  tools: Pick<SourceTools, 'fetch' | 'development'>, provider: Pick<Provider, 'name'>, request: OutboundRequest,
): Promise<Result<Reply, SourceFailure>> => {
  const { method, url, headers, body } = request
  if (!isReachable(url, tools.development)) return err({ kind: 'unauthorized', sentence: `${provider.name} is at an address that is not https: change it in the settings of this connection.` })
  const answered = await within(TIMEOUT_MS, async (signal) => {
    const response = await tools.fetch(url, {
      method, redirect: 'manual', signal, headers: { accept: 'application/json', ...headers }, ...(body === undefined ? {} : { body }),
    })
    const text = await readText(response, MAX_BYTES)
    if (text === undefined) return err(`gave an answer larger than ${MAX_BYTES} bytes`)
    return ok({ status: response.status, isOk: response.ok, headers: response.headers, json: parse(text) })
  })
  return answered.ok ? answered : err(unavailable(`${provider.name} (${hostOf(url)}) ${answered.error}.`))
}

const parse = (text: string): unknown => {
  const trimmed = text.trim()
  if (trimmed === '') return null
  try {
    return JSON.parse(trimmed) as unknown
  } catch {
    return undefined
  }
}

/** A success; or why there is none. 404 is told apart, since it means something at some addresses. */
export const judge = (
  tools: Pick<SourceTools, 'now'>, provider: Provider, url: string, reply: Reply,
): Result<Reply, SourceFailure | { readonly kind: 'missing' }> => {
  const { status, isOk } = reply
  if (isOk) return reply.json === undefined ? err(unavailable(`${provider.name} (${hostOf(url)}) gave an answer that is no JSON.`)) : ok(reply)
  const code = codeOf(reply.json)
  const said = `${provider.name} (${hostOf(url)}) answered ${status}${code === null ? '' : ` ${code}`}`
  if (status === 401 || status === 403) return err({ kind: 'unauthorized', sentence: `${said}: ${provider.mend(reply)}` })
  if (status === 404) return err({ kind: 'missing' })
  if (status === 410) return err({ kind: 'expired', sentence: `${said}: it has forgotten where the bridge stood, which begins anew.` })
  if (status === 429) return err({ kind: 'throttled', retryAfterMs: retryAfterOf(reply.headers, tools.now()), sentence: `${said}: it asks for patience.` })
  return err(unavailable(`${said}.`))
}

/** As {@link judge}, where the address cannot be missing: a 404 there is a wrong setting. */
export const judgeFound = (tools: Pick<SourceTools, 'now'>, provider: Provider, url: string, reply: Reply): Result<Reply, SourceFailure> => {
  const judged = judge(tools, provider, url, reply)
  if (judged.ok) return judged
  const { error } = judged
  return err(error.kind === 'missing' ? unavailable(`${provider.name} (${hostOf(url)}) answered 404: check the address and ids in the settings of this connection.`) : error)
}

const DEFAULT_WAIT_MS = 60_000
/** A wrong clock on either side must not stop the asking for longer. */
const LONGEST_WAIT_MS = 3_600_000
const SHORTEST_WAIT_MS = 1_000

const clamp = (waitMs: number): number => Math.min(LONGEST_WAIT_MS, Math.max(SHORTEST_WAIT_MS, Math.ceil(waitMs)))

/** How long to wait (ms): `Retry-After` in seconds or as a date, else `X-Rate-Limit-Reset` in seconds since 1970. */
export const retryAfterOf = (headers: Headers, nowMs: number): number => {
  const after = headers.get('retry-after')?.trim() ?? ''
  if (/^\d{1,9}(?:\.\d{1,9})?$/.test(after)) return clamp(Number(after) * 1000)
  const date = after === '' ? Number.NaN : Date.parse(after)
  if (!Number.isNaN(date)) return clamp(date - nowMs)
  const reset = resetOf(headers)
  return reset === null ? DEFAULT_WAIT_MS : clamp(reset - nowMs)
}

/** When the present window of requests ends (ms since 1970), where the provider says so. */
export const resetOf = (headers: Headers): number | null => {
  const text = headers.get('x-rate-limit-reset')?.trim() ?? ''
  return /^\d{9,11}$/.test(text) ? Number(text) * 1000 : null
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null

const memberOf = (value: unknown, name: string): unknown => (isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined)

/** Codes that say something to whoever reads them. Anything else that a provider writes may be anything, and is left out. */
const CODES: ReadonlySet<string> = new Set([
  'invalid_client', 'invalid_scope', 'invalid_grant', 'invalid_request', 'unauthorized_client', 'access_denied', 'invalid_dpop_proof', 'use_dpop_nonce',
  'Authorization_RequestDenied', 'InvalidAuthenticationToken', 'Authorization_IdentityNotFound', 'Request_UnsupportedQuery', 'Request_BadRequest',
  'TooManyRequests', 'ServiceNotAvailable', 'Directory_ExpiredPageToken', 'SyncStateNotFound', 'resyncRequired', 'ValidationError',
])

/** The provider's own code of the error, if it is a known one: Okta's `errorCode`, Graph's `error.code`, OAuth's `error`, Entra's AADSTS number. */
export const codeOf = (json: unknown): string | null => {
  const error = memberOf(json, 'error')
  const description = memberOf(json, 'error_description')
  const entra = typeof description === 'string' ? /^AADSTS\d{4,10}(?=\D|$)/.exec(description)?.[0] : undefined
  if (entra !== undefined) return entra
  const okta = memberOf(json, 'errorCode')
  if (typeof okta === 'string' && /^E\d{7}$/.test(okta)) return okta
  const code = typeof error === 'string' ? error : memberOf(error, 'code')
  return typeof code === 'string' && CODES.has(code) ? code : null
}

/** A text as one segment of a path; null when no segment can mean it. */
export const segmentOf = (text: string): string | null => (text === '' || text === '.' || text === '..' || text.length > 500 ? null : encodeURIComponent(text))

/** An address that a provider gave for its next page: it must be where the connection's own address is. */
export const staysAt = (url: string, base: string): boolean => {
  const [to, from] = [URL.parse(url), URL.parse(base)]
  return to !== null && from !== null && to.origin === from.origin && to.username === '' && to.password === ''
}

/** A cursor of the connector's own as JSON; null when it is none. */
export const readCursor = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return null
  }
}
