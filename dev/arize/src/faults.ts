/**
 * Faults: what an API does on a bad day, asked for by tests. Each counts down its `times`; one call meets at most one fault
 * that answers (`429`, `status`, `empty`, `html`) and, if none did, one of each kind that bends the answer.
 */
import * as z from 'zod'
import type { Reply } from './call'
import { rows, run } from './sql'

const common = {
  /** How many calls it meets. */
  times: z.int().min(1).max(1_000_000).default(1),
  match: z
    .strictObject({
      method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']).optional(),
      /** A part of path and query, as they were received. */
      path: z.string().min(1).optional(),
    })
    .default({}),
}
const status = z.int().min(400).max(599)
/** Whether the call takes effect although the answer does not say so. */
const isApplied = z.boolean().default(false)

export const fault = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('429'), retryAfter: z.int().min(0).nullable().default(null), ...common }),
  z.strictObject({ kind: z.literal('status'), status, applied: isApplied, detail: z.string().optional(), ...common }),
  z.strictObject({ kind: z.literal('empty'), status: status.default(502), applied: isApplied, ...common }),
  z.strictObject({ kind: z.literal('html'), status: status.default(502), applied: isApplied, ...common }),
  /** The connection drops. Unless `applied` is false, after the call took effect. */
  z.strictObject({ kind: z.literal('lost'), applied: z.boolean().default(true), ...common }),
  /** The call takes effect, then its answer is held back. */
  z.strictObject({ kind: z.literal('slow'), delayMs: z.int().min(1).max(120_000), ...common }),
  /** A list gives at most `size` items and says that there is more. */
  z.strictObject({ kind: z.literal('shortPages'), size: z.int().min(0).max(100).default(0), ...common }),
])

export type Fault = z.infer<typeof fault>

/** An answer that is none of the API's own. */
export type Raw = {
  readonly kind: 'raw'
  readonly status: number
  readonly contentType: string | undefined
  readonly body: string
}

/** What befalls one call. */
export type Weather = {
  readonly answer: Exclude<Reply, { kind: 'json' | 'empty' }> | Raw | undefined
  readonly isApplied: boolean
  readonly isLost: boolean
  readonly delayMs: number
  readonly shortPage: number | undefined
}

const CALM: Weather = { answer: undefined, isApplied: true, isLost: false, delayMs: 0, shortPage: undefined }

type Received = { readonly method: string; readonly path: string; readonly isList: boolean }
type Stored = { readonly n: number; readonly fault: Fault }

export const listFaults = (sql: SqlStorage): readonly Stored[] =>
  rows<{ n: number; fault: string }>(sql, 'SELECT n, fault FROM faults ORDER BY n').map((row) => ({
    n: row.n,
    fault: fault.parse(JSON.parse(row.fault)),
  }))

export const addFault = (sql: SqlStorage, added: Fault): void => {
  run(sql, 'INSERT INTO faults (fault) VALUES (?)', JSON.stringify(added))
}

export const clearFaults = (sql: SqlStorage): void => {
  run(sql, 'DELETE FROM faults')
}

const meets = ({ match, kind }: Fault, received: Received): boolean =>
  (match.method === undefined || match.method === received.method) &&
  (match.path === undefined || received.path.includes(match.path)) &&
  (kind !== 'shortPages' || received.isList)

export const takeFaults = (sql: SqlStorage, received: Received): Weather => {
  const meeting = listFaults(sql).filter((stored) => meets(stored.fault, received))
  if (meeting.length === 0) return CALM
  const answering = meeting.find((stored) => answerOf(stored.fault) !== undefined)
  if (answering !== undefined) {
    spend(sql, answering)
    const { fault: met } = answering
    return { ...CALM, answer: answerOf(met), isApplied: 'applied' in met && met.applied }
  }
  const oneOfEach = meeting.filter(
    (stored, i) => meeting.findIndex((other) => other.fault.kind === stored.fault.kind) === i,
  )
  for (const stored of oneOfEach) spend(sql, stored)
  return oneOfEach.reduce((weather, stored) => bend(weather, stored.fault), CALM)
}

const spend = (sql: SqlStorage, { n, fault: spent }: Stored): void => {
  if (spent.times === 1) return run(sql, 'DELETE FROM faults WHERE n = ?', n)
  run(sql, 'UPDATE faults SET fault = ? WHERE n = ?', JSON.stringify({ ...spent, times: spent.times - 1 }), n)
}

const bend = (weather: Weather, bending: Fault): Weather => {
  if (bending.kind === 'lost') return { ...weather, isLost: true, isApplied: bending.applied }
  if (bending.kind === 'slow') return { ...weather, delayMs: weather.delayMs + bending.delayMs }
  if (bending.kind === 'shortPages') return { ...weather, shortPage: bending.size }
  return weather
}

const HTML = '<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>'

const UNABLE = 'The service is temporarily unable to process this request. Please retry later.'

const answerOf = (met: Fault): Weather['answer'] => {
  switch (met.kind) {
    case '429':
      return {
        kind: 'problem',
        status: 429,
        detail: 'You have exceeded the allowed number of requests. Please try again later.',
        headers: met.retryAfter === null ? {} : { 'retry-after': String(met.retryAfter) },
      }
    case 'status':
      return { kind: 'problem', status: met.status, detail: met.detail ?? UNABLE }
    case 'empty':
      return { kind: 'raw', status: met.status, contentType: undefined, body: '' }
    case 'html':
      return { kind: 'raw', status: met.status, contentType: 'text/html', body: HTML }
    case 'lost':
    case 'slow':
    case 'shortPages':
      return undefined
  }
}
