import * as z from 'zod'
import type { ArizeError } from '../reconcile/target'
import { err, type Result } from '../result'

/** What a call comes to. Only a defect rejects. */
export type Reply<T> = Promise<Result<T, ArizeError>>

/** Longest `detail` that is kept: it goes into the journal and onto pages. */
const DETAIL_MAX_CHARS = 500
const REQUEST_ID_MAX_CHARS = 100
/** A `Retry-After` beyond this is believed to this point only: a wrong header must not stop the bridge for a day. */
const RETRY_AFTER_MAX_MS = 3_600_000

/** How an exchange ended without an answer that can be read. Whether Arize did what was asked is unknown. */
export type Breakdown = 'timeout' | 'network' | 'oversize' | 'unreadable' | 'inconsistent'

const BREAKDOWN_SENTENCES: Readonly<Record<Breakdown, string>> = {
  timeout: 'Arize did not answer in time.',
  network: 'The connection to Arize failed.',
  oversize: 'The answer of Arize is larger than anything that was asked for.',
  unreadable: 'The answer of Arize is not what its API describes.',
  inconsistent: 'The answer of Arize contradicts what was asked.',
}

/** `status` is that of the answer, if one began to arrive. An exception is not quoted: it may quote the request. */
export const unavailable = (breakdown: Breakdown, status: number | null, more = ''): ArizeError => ({
  kind: 'unavailable',
  status,
  detail: tidy(`${BREAKDOWN_SENTENCES[breakdown]} ${more}`, DETAIL_MAX_CHARS),
})

/** A success that says something else than what was asked is none: it is unknown what was done. */
export const contradiction = (sentence: string, status = 200): Result<never, ArizeError> =>
  err(unavailable('inconsistent', status, sentence))

/** Text that nothing has to be believed of, kept where it is a text. */
const text = z.string().optional().catch(undefined)

/**
 * RFC 9457 as Arize sends it. Titles differ between the OpenAPI document and the errors page, `error_code` and
 * `request_id` are in neither: nothing here is required, and nothing but the status is branched on.
 */
const problemSchema = z.object({ title: text, detail: text, error_code: text, request_id: text })

/**
 * What a refused call means, by status alone (API page "Errors").
 *
 * @param body what the answer held: parsed JSON, or the text when it was none
 * @param nowMs for a `Retry-After` that is a date
 * @param redact takes out what must not be kept of Arize's own words, before they are cut to size
 */
export const errorOfResponse = (
  response: Pick<Response, 'status' | 'headers'>,
  body: unknown,
  nowMs: number,
  redact: (words: string) => string = (words) => words,
): ArizeError => {
  const { status } = response
  const problem = problemSchema.safeParse(body)
  const { title, detail, error_code: code, request_id: requestId } = problem.success ? problem.data : {}
  const sentence = tidy(redact(detail ?? title ?? ''), DETAIL_MAX_CHARS) || `Arize answered ${status}.`
  const label = code === undefined ? '' : ` (${tidy(redact(code), REQUEST_ID_MAX_CHARS)})`
  const base = {
    detail: tidy(`${sentence}${label}`, DETAIL_MAX_CHARS),
    ...(requestId === undefined ? {} : { requestId: tidy(redact(requestId), REQUEST_ID_MAX_CHARS) }),
  }
  switch (status) {
    case 401:
      return { kind: 'unauthorized', ...base }
    case 403:
      return { kind: 'forbidden', ...base }
    case 404:
      return { kind: 'not_found', ...base }
    case 409:
      return { kind: 'conflict', ...base }
    case 429:
      return { kind: 'throttled', retryAfterMs: parseRetryAfter(response.headers.get('retry-after'), nowMs), ...base }
    // "Request Timeout" and "Too Early" ask for the same request again: nothing about it was judged.
    case 408:
    case 425:
      return { kind: 'unavailable', status, ...base }
    default:
      return { kind: status >= 400 && status <= 499 ? 'rejected' : 'unavailable', status, ...base }
  }
}

/**
 * `Retry-After` in milliseconds from now, at most an hour. Arize documents delta-seconds; the date form is RFC 9110's and
 * may come from anything in between. Null when it says neither.
 */
export const parseRetryAfter = (header: string | null, nowMs: number): number | null => {
  const value = header?.trim() ?? ''
  if (/^\d+$/.test(value)) return Math.min(Number(value) * 1000, RETRY_AFTER_MAX_MS)
  if (!/^[A-Z][a-z]{2,8}, .* GMT$/.test(value)) return null
  const at = Date.parse(value)
  return Number.isNaN(at) ? null : Math.min(Math.max(0, at - nowMs), RETRY_AFTER_MAX_MS)
}

/** One line, without control characters, bounded. */
const tidy = (value: string, maxChars: number): string => {
  const line = value.slice(0, maxChars * 4).replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim()
  return line.length <= maxChars ? line : `${line.slice(0, maxChars - 1).replace(/[\uD800-\uDBFF]$/, '')}…`
}
