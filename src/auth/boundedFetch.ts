/**
 * Reads a JSON document of an issuer: over https (http on loopback alone), without following redirects, bounded in time and
 * size. Keeps nothing, and believes nothing of what it reads.
 */
import { err, ok, type Result } from '../result'
import { isLoopbackHost } from './development'

export type Fetch = (url: string, init: RequestInit) => Promise<Response>

/** The global is looked up at each call, since tests replace it. */
export const globalFetch: Fetch = (url, init) => fetch(url, init)

export type FetchBounds = {
  readonly fetch: Fetch
  readonly timeoutMs: number
  readonly maxBytes: number
  /** The media types that the document may have. */
  readonly accept: string
}

/** How documents of issuers are kept, with what everybody takes unless a test says otherwise. */
export type KeepOptions = {
  readonly fetch?: Fetch
  /** Milliseconds since the epoch. */
  readonly now?: () => number
  readonly maxAgeMs?: number
  /** After a failure, or a look that brought nothing new. */
  readonly cooldownMs?: number
  readonly timeoutMs?: number
  readonly maxBytes?: number
  /** Documents kept at once; the one not used for longest goes first. */
  readonly maxEntries?: number
}

export const withDefaults = (options: KeepOptions): Required<KeepOptions> => ({
  fetch: globalFetch, now: Date.now, maxAgeMs: 600_000, cooldownMs: 30_000, timeoutMs: 3_000, maxBytes: 256 * 1024, maxEntries: 100, ...options,
})

/** The document, or what is wrong with it as the end of a sentence: "answered 503". */
export const fetchJson = (address: string, bounds: FetchBounds): Promise<Result<unknown, string>> =>
  within(bounds.timeoutMs, (signal) => readDocument(address, bounds, signal))

/** Whether an address is one that keys and their whereabouts may be read from. */
export const isFetchable = (address: string): boolean => {
  const url = URL.parse(address)
  return url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopbackHost(url.hostname))
}

/** For sentences: the host alone, since a path may hold what is nobody's business. */
export const hostOf = (address: string): string => URL.parse(address)?.host ?? 'an address that is no URL'

const readDocument = async (
  address: string,
  { fetch, maxBytes, accept }: FetchBounds,
  signal: AbortSignal,
): Promise<Result<unknown, string>> => {
  if (!isFetchable(address)) return err('is not at an https address')
  const response = await fetch(address, { redirect: 'manual', signal, headers: { accept } })
  if (response.status !== 200) {
    await response.body?.cancel()
    return err(`answered ${response.status}`)
  }
  const text = await readText(response, maxBytes)
  return text === undefined ? err(`is larger than ${maxBytes} bytes`) : parse(text)
}

const parse = (text: string): Result<unknown, string> => {
  try {
    return ok(JSON.parse(text) as unknown)
  } catch {
    return err('is malformed')
  }
}

/** The body as text; undefined once it exceeds the limit, whatever Content-Length says. */
export const readText = async (response: Response, maxBytes: number): Promise<string | undefined> => {
  if (response.body === null) return ''
  const reader = response.body.getReader()
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return text + decoder.decode()
    bytes += value.byteLength
    if (bytes > maxBytes) {
      await reader.cancel()
      return undefined
    }
    text += decoder.decode(value, { stream: true })
  }
}

/** Runs `work` for at most `timeoutMs`, also when it heeds no signal. What it throws is a network failure. */
export const within = async <T>(
  timeoutMs: number,
  work: (signal: AbortSignal) => Promise<Result<T, string>>,
): Promise<Result<T, string>> => {
  const controller = new AbortController()
  const late = Promise.withResolvers<Result<T, string>>()
  const timer = setTimeout(() => {
    late.resolve(err(`did not answer within ${timeoutMs} ms`))
    controller.abort()
  }, timeoutMs)
  try {
    return await Promise.race([work(controller.signal), late.promise])
  } catch {
    return err('could not be reached')
  } finally {
    clearTimeout(timer)
  }
}
