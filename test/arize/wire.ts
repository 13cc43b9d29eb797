import { createClient, type ArizeClient, type ClientOptions } from '../../src/arize/client'
import type { Call } from '../../src/arize/exchange'
import { createArize } from '../../src/arize/targets'
import type { Arize, Resource, ResourceKind, Target } from '../../src/reconcile/target'
import type { Result } from '../../src/result'

/** A request as it would go over the wire. */
export interface Asked {
  readonly line: string
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly body: unknown
  readonly request: Request
  readonly signal: AbortSignal | null
}

export interface Wire {
  readonly client: ArizeClient
  readonly arize: Arize
  readonly asked: Asked[]
  readonly calls: Call[]
}

export const KEY = 'ak-secret-key-1234567890'
export const NOW = Date.parse('2026-11-23T12:00:00Z')

export type Answering = (asked: Asked, index: number) => Response | Promise<Response>

/** A client whose requests are answered by a function. */
export const wireTo = (answer: Answering, options: Partial<ClientOptions> = {}): Wire => {
  const asked: Asked[] = []
  const calls: Call[] = []
  const client = orThrow(
    createClient({
      baseUrl: 'https://api.arize.com',
      apiKey: KEY,
      now: () => NOW,
      onCall: (call) => calls.push(call),
      fetch: async (request, init) => {
        const url = new URL(request.url)
        const text = await request.clone().text()
        const one: Asked = {
          line: `${request.method} ${url.pathname}${url.search}`,
          method: request.method,
          path: url.pathname,
          query: url.searchParams,
          body: text === '' ? null : JSON.parse(text),
          request,
          signal: init?.signal ?? null,
        }
        asked.push(one)
        return answer(one, asked.length - 1)
      },
      ...options,
    }),
  )
  return { client, arize: createArize(client), asked, calls }
}

export const json = (body: unknown, status = 200, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json', ...headers } })

export const problem = (status: number, more: Record<string, unknown> = {}, headers: Record<string, string> = {}): Response =>
  json({ status, title: 'A title', type: 'https://arize.com/docs/ax/rest-reference/errors#x', ...more }, status, headers)

export const gone = (): Response => new Response(null, { status: 204 })

export const list = (plural: string, items: readonly unknown[], nextCursor?: string): Response =>
  json({ [plural]: items, pagination: nextCursor === undefined ? { has_more: false } : { has_more: true, next_cursor: nextCursor } })

export const id = (type: string, number: number, salt = 'aBcD'): string => btoa(`${type}:${number}:${salt}`)

export const user = (number: number, email: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  id: id('User', number),
  name: `User ${number}`,
  email,
  created_at: '2026-01-02T03:04:05Z',
  status: 'ACTIVE',
  role: { type: 'PREDEFINED', name: 'MEMBER' },
  is_developer: true,
  ...more,
})

export const resource = (kind: ResourceKind, resourceId: string): Resource => ({
  kind,
  id: resourceId,
  name: 'ML Platform',
  organizationId: id('Organization', 1),
})

export const target = (arize: Arize, kind: ResourceKind): Target => {
  const found = arize.targets.find((one) => one.kind === kind)
  if (found === undefined) throw new Error(`no target for ${kind}`)
  return found
}

export const orThrow = <T, E>(result: Result<T, E>): T => {
  if (result.ok) return result.value
  throw new Error(JSON.stringify(result.error))
}
