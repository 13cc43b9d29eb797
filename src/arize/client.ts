import type { createClient as createAxClient } from '@arizeai/ax-client'
import createOpenApiClient, { type Client } from 'openapi-fetch'
import type * as z from 'zod'
import { err, ok, type Result } from '../result'
import { errorOfResponse, unavailable, type Reply } from './error'
import { BrokenExchange, exchange, startDeadline, type Call, type Deadline, type ExchangeEffects, type Fetch, type Pace } from './exchange'
import { parseApiKey, parseOrigin, type ConfigurationError } from './origin'

type PathsOf<C> = C extends Client<infer Paths, infer _Media extends `${string}/${string}`> ? Paths : never

/**
 * Arize's REST paths, taken from the types of its own package. Only the types: its functions resolve on an error with an
 * empty body, read the status from the body and hide `Retry-After`.
 */
export type Paths = PathsOf<ReturnType<typeof createAxClient>>

export type ArizeApi = Client<Paths>

/** What a call came to, before it is believed. */
interface Answer {
  readonly data?: unknown
  readonly error?: unknown
  readonly response: Response
}

/** Makes sense of a successful answer. Null when that is impossible: then it is unknown what Arize did. */
export type Reader<T> = (data: unknown, status: number) => T | null

export interface ArizeClient {
  /** Makes one call and reads the answer. Failures are values; only a defect rejects. */
  call<T>(operation: (api: ArizeApi) => Promise<Answer>, read: Reader<T>): Reply<T>
}

export interface ClientOptions {
  /** `https://api.arize.com`, a region's or a self-hosted origin: see {@link parseOrigin}. */
  readonly baseUrl: string
  readonly apiKey: string
  /** Allows http to loopback. */
  readonly development?: boolean
  readonly fetch?: Fetch
  readonly now?: () => number
  /** Asked for a permit before each call. */
  readonly pace?: Pace
  readonly timeoutMs?: number
  /** Makes the signal that ends a call. */
  readonly deadline?: (timeoutMs: number) => Deadline
  readonly onCall?: (call: Call) => void
}

/** A client of one Arize account. Nothing is called here: a key that does not work shows with the first call. */
export const createClient = (options: ClientOptions): Result<ArizeClient, ConfigurationError> => {
  const origin = parseOrigin(options.baseUrl, options.development ?? false)
  if (!origin.ok) return origin
  const apiKey = parseApiKey(options.apiKey)
  if (!apiKey.ok) return apiKey

  const { timeoutMs = 30_000, deadline = startDeadline, now = Date.now } = options
  const effects: ExchangeEffects = {
    fetch: options.fetch ?? ((request, init) => globalThis.fetch(request, init)),
    now,
    pace: options.pace ?? (async () => () => undefined),
    onCall: options.onCall ?? (() => undefined),
    deadline: () => deadline(timeoutMs),
  }
  const api = createOpenApiClient<Paths>({
    baseUrl: origin.value,
    headers: { authorization: `Bearer ${apiKey.value}`, accept: 'application/json, application/problem+json' },
    redirect: 'manual',
  })
  // The whole exchange is a middleware's answer: only there are the request and its path's template known together.
  api.use({
    onRequest: ({ request, schemaPath, params }) => {
      if (!Object.values(params.path ?? {}).every(isPathSegment)) throw new BrokenExchange('unreadable', null)
      return exchange(request, schemaPath, effects)
    },
  })
  // A problem document may quote the request that it is about.
  const redact = (words: string) => words.replaceAll(apiKey.value, '[key]')
  return ok({ call: (operation, read) => call(api, operation, read, now, redact) })
}

const call = async <T>(
  api: ArizeApi,
  operation: (api: ArizeApi) => Promise<Answer>,
  read: Reader<T>,
  now: () => number,
  redact: (words: string) => string,
): Reply<T> => {
  try {
    const { data, error, response } = await operation(api)
    // An error with an empty body has no `error` here: the status alone tells success from failure.
    if (!response.ok) return err(errorOfResponse(response, error, now(), redact))
    const value = read(data, response.status)
    return value === null ? err(unavailable('unreadable', response.status)) : ok(value)
  } catch (failure) {
    if (failure instanceof BrokenExchange) return err(unavailable(failure.breakdown, failure.status))
    // A successful answer that is not JSON: a proxy's page, or one that was cut off.
    if (failure instanceof SyntaxError) return err(unavailable('unreadable', null))
    // Half a surrogate pair cannot be percent-encoded, so nothing was sent.
    if (failure instanceof URIError) return err({ kind: 'rejected', status: 400, detail: 'An address or id is not valid text.' })
    throw failure
  }
}

/**
 * An id that stays one segment of a path. Percent-encoding leaves dots alone, and URLs resolve them: a user id `..` would
 * turn the removal of a member into the deletion of a space.
 */
const isPathSegment = (id: unknown): boolean => typeof id === 'string' && id !== '' && id !== '.' && id !== '..'

/** Reads an answer that has to look like the schema. */
export const as =
  <T>(schema: z.ZodType<T>): Reader<T> =>
  (data) => {
    const parsed = schema.safeParse(data)
    return parsed.success ? parsed.data : null
  }

/** Reads an answer of which only the status counts. (That what came with it is empty or JSON has been seen by then.) */
export const nothing: Reader<true> = () => true
