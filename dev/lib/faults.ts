import * as z from 'zod'
import type { Documents } from './documents'

/** What a provider's API does on a bad day, asked for by tests. A call meets the oldest fault that fits; each counts down its `times`. */

export const faultSchema = z.strictObject({
  kind: z.enum([
    /** The error `status`, as this API words it. 429 says when to come back. */
    'status',
    /** A list of nobody, as though there were nobody. */
    'empty',
    /** The page is said to be the last one, whatever is left. */
    'partial',
    /** The connection drops: before the call takes effect, or after it. */
    'lost',
    /** An error page of something in between. */
    'html',
    /** A next page at another host. */
    'foreign',
    /** The answer is held back until `POST release`. */
    'held',
  ]),
  status: z.int().min(400).max(599).default(500),
  /** Seconds; of a 429. */
  retryAfter: z.int().min(0).default(1),
  applied: z.boolean().default(false),
  times: z.int().min(1).max(1_000_000).default(1),
  method: z.enum(['GET', 'POST', 'PATCH', 'DELETE']).optional(),
  /** A part of path and query. */
  path: z.string().min(1).optional(),
})

export type Fault = z.infer<typeof faultSchema>

export const addFault = (documents: Documents, fault: Fault): void => documents.put('fault', crypto.randomUUID(), fault)

export const takeFault = (documents: Documents, { method, path }: { readonly method: string; readonly path: string }): Fault | null => {
  const met = documents.list<Fault>('fault').find(({ data }) =>
    (data.method === undefined || data.method === method) && (data.path === undefined || path.includes(data.path)))
  if (met === undefined) return null
  if (met.data.times === 1) documents.delete('fault', met.id)
  else documents.put('fault', met.id, { ...met.data, times: met.data.times - 1 })
  return met.data
}

/** Answers that are held back. */
export class Holding {
  readonly #waiting: (() => void)[] = []

  wait(): Promise<void> {
    return new Promise((resolve) => void this.#waiting.push(resolve))
  }

  count(): number {
    return this.#waiting.length
  }

  release(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

export const HTML = '<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>'

/** Tells the Worker, which owns the connection, to drop it instead of answering. Never leaves the emulator. */
export const LOST_HEADER = 'emulator-lost'

export const lost = (): Response => new Response(null, { status: 502, headers: { [LOST_HEADER]: 'true' } })

/**
 * A connection that drops before an answer: the caller's fetch rejects. Behind a socket (there is a Host header) a body that fails
 * at once makes workerd close the connection without a byte; through a service binding only a throw does the same.
 */
export const deliver = (request: Request, response: Response): Response => {
  if (!response.headers.has(LOST_HEADER)) return response
  if (!request.headers.has('host')) throw new Error('Network connection lost.')
  const { readable, writable } = new FixedLengthStream(1)
  void writable.abort(new Error('Network connection lost.')).catch(() => undefined)
  return new Response(readable)
}
