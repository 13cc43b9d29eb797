import { DurableObject } from 'cloudflare:workers'
import { Hono } from 'hono'
import * as z from 'zod'
import { answerCall } from '../../lib/answer'
import { change, commonControl } from '../../lib/control'
import { Documents } from '../../lib/documents'
import { Holding, type Fault } from '../../lib/faults'
import { findRoute } from './api'
import { errorOf, methodNotAllowed, notFound, tooMany } from './errors'
import { clientSchema, STATUSES, switchesOf, switchesSchema, type App, type Group, type Person } from './model'
import { issueToken, refuseCaller } from './token'

export type Env = { readonly ORG: DurableObjectNamespace<Org> }

const personSchema = z.strictObject({
  login: z.string().min(1).optional(), email: z.string().optional(), firstName: z.string().optional(), lastName: z.string().optional(),
  /** Any text, as a status that nobody knows yet has to be possible. */
  status: z.union([z.enum(STATUSES), z.string().min(1)]).optional(),
})

const WINDOW_MS = 60_000

/** One org. */
export class Org extends DurableObject<Env> {
  readonly #documents: Documents
  readonly #control: Hono
  readonly #holding = new Holding()
  #window: { readonly until: number; readonly used: Map<string, number> } = { until: 0, used: new Map() }

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    this.#documents = new Documents(ctx.storage.sql)
    this.#control = new Hono().route('/_emulator', this.#createControl())
  }

  override async fetch(request: Request): Promise<Response> {
    const url = new URL(request.url)
    if (url.pathname.startsWith('/_emulator')) return this.#control.fetch(request)
    const body = new TextDecoder().decode(await request.arrayBuffer())
    return answerCall(this.#documents, this.#holding, request, {
      answer: (fault) => this.#answer(request, url, body, fault),
      error: ({ status, retryAfter }) => this.#limited(errorOf(status), { limit: 600, remaining: 0, reset: Date.now() + retryAfter * 1000 }),
      empty: () => Response.json([]),
    })
  }

  #limited(response: Response, { limit, remaining, reset }: { readonly limit: number; readonly remaining: number; readonly reset: number }): Response {
    response.headers.set('x-rate-limit-limit', String(limit))
    response.headers.set('x-rate-limit-remaining', String(remaining))
    response.headers.set('x-rate-limit-reset', String(Math.ceil(reset / 1000)))
    return response
  }

  async #answer(request: Request, url: URL, body: string, fault: Fault | null): Promise<Response> {
    if (url.pathname === '/oauth2/v1/token' && request.method === 'POST') return issueToken(this.#documents, request, body)
    const route = findRoute(this.#documents, url)
    if (route === null) return notFound(url.pathname, 'Endpoint')
    if (request.method !== 'GET') return methodNotAllowed()
    const refused = await refuseCaller(this.#documents, request, route.scope)
    if (refused !== null) return refused
    if (this.#window.until <= Date.now()) this.#window = { until: Date.now() + WINDOW_MS, used: new Map() }
    const { until, used } = this.#window
    const { rateLimit } = switchesOf(this.#documents)
    const count = (used.get(route.bucket) ?? 0) + 1
    used.set(route.bucket, count)
    const allowance = { limit: rateLimit, remaining: Math.max(0, rateLimit - count), reset: until }
    if (count > rateLimit) return this.#limited(tooMany(), allowance)
    const cut = { isCut: fault?.kind === 'partial', foreignOrigin: fault?.kind === 'foreign' ? 'https://elsewhere.invalid' : null }
    return this.#limited(route.answer(cut), allowance)
  }

  #createControl(): Hono {
    const documents = this.#documents
    const now = (): string => new Date().toISOString()
    const putGroup = (id: string, more: Partial<Group>): void => {
      const known = documents.get<Group>('group', id) ?? { name: id, members: [], lastUpdated: '' }
      documents.put('group', id, { ...known, ...more, lastUpdated: now() } satisfies Group)
    }
    const membersOf = (id: string): readonly string[] => documents.get<Group>('group', id)?.members ?? []
    return new Hono()
      .route('/', commonControl(documents, this.#holding, {
        state: () => Object.fromEntries(['person', 'group', 'app'].map((kind) => [kind, documents.list(kind).map(({ id, data }) => ({ id, ...Object(data) }))])),
        reset: () => {
          documents.clear()
          this.#window = { until: 0, used: new Map() }
        },
      }))
      .put('/people/:id', change(personSchema, (input, c) => {
        const id = c.req.param('id') ?? ''
        const known = documents.get<Person>('person', id)
        const login = input.login ?? known?.login ?? id
        const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined))
        const nobody: Person = { login, email: login, firstName: 'First', lastName: 'Last', status: 'ACTIVE', created: now(), lastUpdated: now() }
        documents.put('person', id, { ...nobody, ...known, ...given, lastUpdated: now() })
      }))
      .delete('/people/:id', (c) => {
        const id = c.req.param('id')
        documents.delete('person', id)
        for (const { id: group } of documents.list<Group>('group')) putGroup(group, { members: membersOf(group).filter((member) => member !== id) })
        for (const { id: app, data } of documents.list<App>('app')) documents.put('app', app, { users: data.users.filter((user) => user !== id) })
        return c.body(null, 204)
      })
      .put('/groups/:id', change(z.strictObject({ name: z.string().min(1).optional(), members: z.array(z.string()).optional() }), ({ name, members }, c) =>
        putGroup(c.req.param('id') ?? '', { ...(name === undefined ? {} : { name }), ...(members === undefined ? {} : { members }) })))
      .delete('/groups/:id', (c) => {
        documents.delete('group', c.req.param('id'))
        return c.body(null, 204)
      })
      .put('/groups/:id/members/:member', (c) => {
        const { id, member } = c.req.param()
        putGroup(id, { members: [...new Set([...membersOf(id), member])] })
        return c.body(null, 204)
      })
      .delete('/groups/:id/members/:member', (c) => {
        const { id, member } = c.req.param()
        putGroup(id, { members: membersOf(id).filter((other) => other !== member) })
        return c.body(null, 204)
      })
      .put('/apps/:id', change(z.strictObject({ users: z.array(z.string()) }), (app, c) => documents.put('app', c.req.param('id') ?? '', app)))
      .put('/clients/:id', change(clientSchema, (client, c) => documents.put('client', c.req.param('id') ?? '', client)))
      .post('/switches', change(switchesSchema, (input) => {
        documents.put('switches', '', { ...switchesOf(documents), ...input })
        return switchesOf(documents)
      }))
  }
}
