import type { Breakdown } from './error'

/** One exchange with Arize, for counters. Holds the path's template, never an id, an address or a body. */
export interface Call {
  readonly method: string
  /** As in Arize's OpenAPI document: `/v2/users/{user_id}`. */
  readonly path: string
  /** Null when no answer began to arrive. */
  readonly status: number | null
  /** From the moment the call was permitted, answer read. */
  readonly durationMs: number
}

/** Waits for a permit to call and returns what gives it back. */
export type Pace = () => Promise<() => void>

export type Fetch = (request: Request, init?: RequestInit) => Promise<Response>

export interface ExchangeEffects {
  readonly fetch: Fetch
  readonly now: () => number
  readonly pace: Pace
  readonly onCall: (call: Call) => void
  readonly deadline: () => Deadline
}

/** A signal that aborts when the time is over. */
export interface Deadline {
  readonly signal: AbortSignal
  /** Gives the timer back: workerd allows an object ten thousand, and each would outlive its call. */
  readonly clear: () => void
}

export const startDeadline = (timeoutMs: number): Deadline => {
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(), timeoutMs)
  return { signal: controller.signal, clear: () => clearTimeout(timer) }
}

/** Thrown through `openapi-fetch`, which has no other way out, and caught by the client. Never leaves `arize/`. */
export class BrokenExchange extends Error {
  constructor(
    readonly breakdown: Breakdown,
    readonly status: number | null,
  ) {
    super(breakdown)
  }
}

/** More than a hundred of anything that is listed. */
const BODY_MAX_BYTES = 4 * 1024 * 1024
/** Enough for any problem document; of a proxy's page nothing is used. */
const ERROR_BODY_MAX_BYTES = 64 * 1024

/**
 * Sends one request when it is permitted to, and reads the answer whole, within the bounds of time and size. The time
 * starts with the call, not with the wait for the permit.
 *
 * @throws BrokenExchange when there is no answer, or none that was read to its end
 */
export const exchange = async (request: Request, path: string, effects: ExchangeEffects): Promise<Response> => {
  const release = await effects.pace()
  const startedAt = effects.now()
  let status: number | null = null
  const { signal, clear } = effects.deadline()
  try {
    const response = await until(signal, effects.fetch(request, { signal }), null)
    status = response.status
    return await readWhole(response, signal)
  } finally {
    clear()
    release()
    effects.onCall({ method: request.method, path, status, durationMs: effects.now() - startedAt })
  }
}

/** The same answer with its body in memory, and only the headers that are used. */
const readWhole = async (response: Response, signal: AbortSignal): Promise<Response> => {
  const { status, ok: isOk } = response
  // `Response.error()` and what browsers make of a redirect have status 0, which cannot be passed on.
  if (status < 200 || status > 599) throw new BrokenExchange('network', status === 0 ? null : status)
  const body = await readBody(response, isOk ? BODY_MAX_BYTES : ERROR_BODY_MAX_BYTES, signal).catch((error: unknown) => {
    // The status of a refusal says everything; the body would only have said it nicer.
    if (!isOk) return { text: '', isWhole: false }
    throw error
  })
  if (isOk && !body.isWhole) throw new BrokenExchange('oversize', status)
  const headers = new Headers()
  const retryAfter = response.headers.get('retry-after')
  if (retryAfter !== null) headers.set('retry-after', retryAfter)
  // This is how `openapi-fetch` knows that there is nothing to parse.
  if (body.text === '') headers.set('content-length', '0')
  return new Response(body.text === '' ? null : body.text, { status, headers })
}

interface Body {
  readonly text: string
  readonly isWhole: boolean
}

const readBody = async (response: Response, maxBytes: number, signal: AbortSignal): Promise<Body> => {
  if (response.body === null) return { text: '', isWhole: true }
  const reader: ReadableStreamDefaultReader<Uint8Array> = response.body.getReader()
  const decoder = new TextDecoder()
  let bytes = 0
  let text = ''
  for (;;) {
    const chunk = await until(signal, reader.read(), response.status)
    if (chunk.done) return { text: text + decoder.decode(), isWhole: true }
    bytes += chunk.value.byteLength
    if (bytes > maxBytes) {
      discard(reader)
      return { text, isWhole: false }
    }
    text += decoder.decode(chunk.value, { stream: true })
  }
}

/** Lets go of a body that nobody will read. That this fails, too, changes nothing. */
const discard = (reader: ReadableStreamDefaultReader<Uint8Array>): void => void reader.cancel().catch(() => undefined)

/** What a promise gives, unless the signal aborts first. A fetch, or a body, that ignores its signal ends here, too. */
const until = async <T>(signal: AbortSignal, promise: Promise<T>, status: number | null): Promise<T> => {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const onAbort = (): void => reject(new BrokenExchange('timeout', status))
  if (signal.aborted) onAbort()
  else signal.addEventListener('abort', onAbort)
  try {
    return await Promise.race([promise, aborted])
  } catch (error) {
    if (error instanceof BrokenExchange) throw error
    throw new BrokenExchange(signal.aborted || isTimeout(error) ? 'timeout' : 'network', status)
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

const isTimeout = (error: unknown): boolean =>
  error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError')
