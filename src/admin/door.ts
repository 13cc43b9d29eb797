import { createMiddleware } from 'hono/factory'
import { MAX_BODY_BYTES, readText, sizeOf } from '../http/body'
import { problem } from '../http/problem'
import { parseJson } from '../scim/json'
import type { AdminEnv } from './site'

/**
 * The door for bodies of the admin API: bounded, JSON, without keys that could reach a prototype and without endless nesting.
 * Behind it the body is JSON text that is known to be harmless; no body is an empty object. The Content-Type is not looked at:
 * `curl -d` and `fetch` name another one for the same JSON, and no foreign page can send the Authorization header.
 */
export const door = createMiddleware<AdminEnv>(async (c, next) => {
  const { raw } = c.req
  if (raw.method === 'GET' || raw.method === 'HEAD') return next()
  const text = await readText(raw, MAX_BODY_BYTES)
  if (!text.ok) {
    return text.error === 'too_large'
      ? problem(413, `The request body is larger than ${sizeOf(MAX_BODY_BYTES)}.`)
      : problem(400, 'The request body is not UTF-8.')
  }
  const isEmpty = text.value.trim() === ''
  const parsed = isEmpty ? null : parseJson(text.value)
  if (parsed?.ok === false) return problem(400, parsed.error.detail)
  const headers = new Headers(raw.headers)
  headers.set('content-type', 'application/json')
  headers.delete('content-length')
  // Without a byte order mark, which JSON.parse does not know.
  c.req.raw = new Request(raw.url, { method: raw.method, headers, body: isEmpty ? '{}' : text.value.replace(/^\uFEFF/, '') })
  return next()
})
