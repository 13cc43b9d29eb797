/**
 * The API as one Hono app inside the account's Durable Object. The body is read first; then authentication, faults, the
 * handler and the journal row are one synchronous transaction: two calls never see each other half done.
 */
import { type Context, Hono } from 'hono'
import { apiKeyRoutes } from './apiKeys'
import { authenticate } from './auth'
import type { Call, Handler, Json, Reply, Route } from './call'
import { controlApp } from './control'
import { type Raw, takeFaults, type Weather } from './faults'
import { recordCall } from './journal'
import { organizationRoutes } from './organizations'
import { methodNotAllowed, notFound, problemBody, unauthorized } from './problem'
import { projectRoutes } from './projects'
import { roleBindingRoutes } from './roleBindings'
import { roleRoutes } from './roles'
import { spaceRoutes } from './spaces'
import { spaceUserRoutes } from './spaceUsers'
import { readSwitches, type Switches } from './switches'
import { userRoutes } from './users'

const ROUTES: readonly Route[] = [
  ...userRoutes,
  ...organizationRoutes,
  ...spaceRoutes,
  ...spaceUserRoutes,
  ...roleRoutes,
  ...roleBindingRoutes,
  ...projectRoutes,
  ...apiKeyRoutes,
]

/** Tells the Worker, which owns the connection, to drop it instead of answering. Never leaves the emulator. */
export const LOST_HEADER = 'emulator-lost'

type Served = { readonly response: Response; readonly delayMs: number }

export const createApp = (storage: DurableObjectStorage, account: string): Hono => {
  const app = new Hono()
  const serve = (handler: Handler) => async (c: Context) => {
    const body = await c.req.text()
    const served = storage.transactionSync(() => answer(storage.sql, c, body, handler))
    if (served.delayMs > 0) await scheduler.wait(served.delayMs)
    return served.response
  }
  app.route('/_emulator', controlApp(storage, account))
  for (const [method, path, handler] of ROUTES) app.on(method, path, serve(handler))
  for (const [path, allow] of allowedMethods()) app.all(path, serve(() => methodNotAllowed(allow)))
  app.all('*', (c) => serve(() => notFound(c.req.path))(c))
  return app
}

/** For each path its methods: asking for the members of an organization is a wrong method, not a missing page. */
const allowedMethods = (): Map<string, string> => {
  const allowed = new Map<string, string>()
  for (const [method, path] of ROUTES) allowed.set(path, [allowed.get(path), method].filter(Boolean).join(', '))
  return allowed
}

const answer = (sql: SqlStorage, c: Context, body: string, handler: Handler): Served => {
  const url = new URL(c.req.url)
  const now = new Date().toISOString()
  const path = url.pathname + url.search
  const switches = readSwitches(sql)
  const caller = authenticate(sql, c.req.header('authorization') ?? null)
  const call = { sql, switches, now, body, params: c.req.param(), query: url.searchParams }
  const { reply, weather } =
    caller === undefined
      ? { reply: unauthorized(), weather: undefined }
      : meet({ ...call, caller }, handler, takeFaults(sql, { method: c.req.method, path, isList: isList(c) }))
  recordCall(sql, { method: c.req.method, path, status: statusOf(reply), time: now })
  const response = respond(reply, url.pathname, switches)
  if (weather?.isLost === true) response.headers.set(LOST_HEADER, 'true')
  return { response, delayMs: weather?.delayMs ?? 0 }
}

const COLLECTION = /^\/v2\/[a-z-]+$/
const isList = (c: Context): boolean => c.req.method === 'GET' && COLLECTION.test(c.req.path)

const meet = (
  call: Omit<Call, 'shortPage'>,
  handler: Handler,
  weather: Weather,
): { readonly reply: Reply | Raw; readonly weather: Weather } => {
  const reply = weather.isApplied ? handler({ ...call, shortPage: weather.shortPage }) : undefined
  return { reply: weather.answer ?? reply ?? LOST_UNAPPLIED, weather }
}

/** Nobody reads it: the connection drops. It only gives the journal a status. */
const LOST_UNAPPLIED: Raw = { kind: 'raw', status: 502, contentType: undefined, body: '' }

const statusOf = (reply: Reply | Raw): number => (reply.kind === 'empty' ? 204 : reply.status)

const respond = (reply: Reply | Raw, instance: string, switches: Switches): Response => {
  switch (reply.kind) {
    case 'empty':
      return new Response(null, { status: 204 })
    case 'json':
      return json(reply.status, 'application/json', switches.extraFields ? grow(reply.body) : reply.body)
    case 'problem':
      return json(reply.status, 'application/problem+json', problemBody(reply, instance, switches), reply.headers)
    case 'raw': {
      const headers = reply.contentType === undefined ? {} : { 'content-type': reply.contentType }
      return new Response(reply.body === '' ? null : reply.body, { status: reply.status, headers })
    }
  }
}

const json = (status: number, contentType: string, body: Json, headers: Readonly<Record<string, string>> = {}): Response =>
  new Response(JSON.stringify(body), { status, headers: { 'content-type': contentType, ...headers } })

/** A field that no client knows, on every resource of the answer. */
const grow = (body: Json): Json => {
  if (Array.isArray(body)) return body.map(grow)
  if (body === null || typeof body !== 'object') return body
  const grown = Object.fromEntries(
    Object.entries(body).map(([name, value]) => [name, value === undefined ? value : grow(value)]),
  )
  return 'id' in body ? { ...grown, added_later: { by: 'a newer release' } } : grown
}
