import type { PulledPage, Source, SourceFailure, SourceTools } from '../../src/sources/source'
import type { Result } from '../../src/result'

/** A connector whose requests are answered by a function, and what comes of them. */

export const NOW = Date.parse('2026-11-27T10:00:00Z')

export interface Asked {
  readonly method: string
  readonly url: URL
  readonly headers: Headers
  readonly body: string
}

export type Answering = (asked: Asked, index: number) => Response | Promise<Response>

export interface Wire {
  readonly tools: SourceTools
  readonly asked: Asked[]
  readonly clock: { at: number }
}

export const wireTo = (answer: Answering, development = false): Wire => {
  const asked: Asked[] = []
  const clock = { at: NOW }
  let ids = 0
  return {
    asked, clock,
    tools: {
      now: () => clock.at,
      randomId: () => `id-${(ids += 1)}`,
      development,
      fetch: async (url, init) => {
        if (init.redirect !== 'manual') throw new Error('a redirect would be followed')
        const one: Asked = { method: init.method ?? 'GET', url: new URL(url), headers: new Headers(init.headers), body: typeof init.body === 'string' ? init.body : '' }
        asked.push(one)
        return answer(one, asked.length - 1)
      },
    },
  }
}

export interface Recording {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: unknown
}

export const replay = ({ status, headers = {}, body }: Recording): Response =>
  new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json', ...headers } })

export const valueOf = <T>(result: Result<T, SourceFailure>): T => {
  if (result.ok) return result.value
  throw new Error(JSON.stringify(result.error))
}

export const failureOf = (result: Result<unknown, SourceFailure>): SourceFailure => {
  if (result.ok) throw new Error(`no failure: ${JSON.stringify(result.value)}`)
  return result.error
}

/** Every page of everything, or of the changes since a delta. */
export const pagesOf = async (source: Source, from: { readonly delta: string } | null = null) => {
  const pages = []
  let cursor: string | null = null
  let delta: string | null = null
  for (;;) {
    const page: Awaited<ReturnType<Source['everything']>> = from === null || source.changes === undefined ? await source.everything(cursor) : await source.changes(cursor ?? from.delta)
    const { items, next, delta: last }: PulledPage = valueOf(page)
    pages.push(items)
    delta = last
    if (next === null) return { items: pages.flat(), pages: pages.length, delta }
    cursor = next
  }
}
