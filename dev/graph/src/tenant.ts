import { DurableObject } from 'cloudflare:workers'
import { Hono } from 'hono'
import * as z from 'zod'
import { answerCall } from '../../lib/answer'
import { change, commonControl } from '../../lib/control'
import { Documents } from '../../lib/documents'
import { Holding, type Fault } from '../../lib/faults'
import { answerRead } from './api'
import { badRequest, denied, errorOf, invalidToken } from './errors'
import { clientSchema, membersOf, putMembership, switchesOf, switchesSchema, type Group, type Person } from './model'
import { create, handleOne, notify, notifyOfLife } from './subscriptions'
import { issueToken, permissionsOf } from './token'

export type Env = { readonly TENANT: DurableObjectNamespace<Tenant> }

const text = z.string().nullable().optional()
const personSchema = z.strictObject({
  userPrincipalName: z.string().min(1).optional(), mail: text, displayName: text, givenName: text, surname: text,
  accountEnabled: z.boolean().optional(), otherMails: z.array(z.string()).optional(),
})

const NOBODY: Omit<Person, 'userPrincipalName'> = {
  mail: null, displayName: null, givenName: null, surname: null, accountEnabled: true, otherMails: [], removed: null,
}

/** One Entra tenant. */
export class Tenant extends DurableObject<Env> {
  readonly #documents: Documents
  readonly #id: string
  readonly #control: Hono
  readonly #holding = new Holding()

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    this.#documents = new Documents(ctx.storage.sql)
    this.#id = ctx.id.name ?? ''
    this.#control = new Hono().route('/_emulator/:tenant', this.#createControl())
  }

  override async fetch(request: Request): Promise<Response> {
    const url = new URL(request.url)
    if (url.pathname.startsWith('/_emulator')) return this.#control.fetch(request)
    const body = new TextDecoder().decode(await request.arrayBuffer())
    return answerCall(this.#documents, this.#holding, request, {
      answer: (fault) => this.#answer(request, url, body, fault),
      error: ({ status, retryAfter }) => errorOf(status, retryAfter, url),
      empty: () => Response.json({ value: [], ...(url.pathname.endsWith('/delta') ? { '@odata.deltaLink': url.href } : {}) }),
    })
  }

  async #answer(request: Request, url: URL, body: string, fault: Fault | null): Promise<Response> {
    const { method, headers } = request
    if (url.pathname.endsWith('/oauth2/v2.0/token') && method === 'POST') return issueToken(this.#documents, this.#id, request, body)
    const permissions = permissionsOf(this.#documents, headers.get('authorization'))
    if (permissions === null) return invalidToken()
    const [, subscription] = /^\/v1\.0\/subscriptions(?:\/([^/]+))?$/.exec(url.pathname) ?? []
    if (url.pathname.startsWith('/v1.0/subscriptions')) {
      if (!permissions.includes('User.Read.All')) return denied()
      if (subscription !== undefined) return handleOne(this.#documents, method, subscription, body)
      return method === 'POST' ? create(this.#documents, body) : badRequest('The method is not supported.')
    }
    if (method !== 'GET') return badRequest('The method is not supported.')
    const cut = { isCut: fault?.kind === 'partial', foreignOrigin: fault?.kind === 'foreign' ? 'https://elsewhere.invalid' : null }
    return answerRead(this.#documents, url, cut, permissions) ?? badRequest(`Resource not found for the segment '${url.pathname.split('/')[2] ?? ''}'.`)
  }

  #createControl(): Hono {
    const documents = this.#documents
    const tenant = this.#id
    const putGroup = async (id: string, { displayName, members }: { readonly displayName?: string | undefined; readonly members?: readonly string[] | undefined }): Promise<void> => {
      const known = documents.get<Group>('group', id)
      if (known === undefined || known.removed !== null || displayName !== undefined) {
        documents.append('group', id, { displayName: displayName ?? known?.displayName ?? id, removed: null } satisfies Group)
        await notify(documents, tenant, { type: 'Group', id, isDeleted: false })
      }
      if (members === undefined) return
      const before = membersOf(documents, id)
      for (const member of before) if (!members.includes(member)) await putMember(id, member, false)
      for (const member of members) if (!before.includes(member)) await putMember(id, member, true)
    }
    const putMember = async (id: string, member: string, isMember: boolean): Promise<void> => {
      putMembership(documents, id, member, isMember)
      await notify(documents, tenant, { type: 'Group', id, isDeleted: false, members: [{ id: member, ...(isMember ? {} : { '@removed': 'deleted' as const }) }] })
    }
    return new Hono()
      .route('/', commonControl(documents, this.#holding, {
        state: () => Object.fromEntries(['person', 'group', 'membership', 'subscription'].map((kind) => [kind, documents.list(kind).map(({ id, data }) => ({ id, ...Object(data) }))])),
        reset: () => documents.clear(),
      }))
      .put('/people/:id', change(personSchema, async (input, c) => {
        const id = c.req.param('id') ?? ''
        const known = documents.get<Person>('person', id)
        const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined))
        documents.append('person', id, { ...NOBODY, userPrincipalName: id, ...known, ...given, removed: null })
        await notify(documents, tenant, { type: 'User', id, isDeleted: false })
      }))
      .delete('/people/:id', async (c) => {
        const id = c.req.param('id')
        const isPermanent = c.req.query('permanent') === 'true'
        const known = documents.get<Person>('person', id)
        if (known === undefined) return c.body(null, 404)
        documents.append('person', id, { ...known, removed: isPermanent ? 'deleted' : 'changed' } satisfies Person)
        await notify(documents, tenant, { type: 'User', id, isDeleted: isPermanent })
        return c.body(null, 204)
      })
      .put('/groups/:id', change(z.strictObject({ displayName: z.string().min(1).optional(), members: z.array(z.string()).optional() }), (input, c) => putGroup(c.req.param('id') ?? '', input)))
      .delete('/groups/:id', async (c) => {
        const id = c.req.param('id')
        const known = documents.get<Group>('group', id)
        if (known === undefined) return c.body(null, 404)
        for (const member of membersOf(documents, id)) putMembership(documents, id, member, false)
        documents.append('group', id, { ...known, removed: 'deleted' } satisfies Group)
        await notify(documents, tenant, { type: 'Group', id, isDeleted: true })
        return c.body(null, 204)
      })
      .put('/groups/:id/members/:member', async (c) => {
        await putMember(c.req.param('id'), c.req.param('member'), true)
        return c.body(null, 204)
      })
      .delete('/groups/:id/members/:member', async (c) => {
        await putMember(c.req.param('id'), c.req.param('member'), false)
        return c.body(null, 204)
      })
      .put('/clients/:id', change(clientSchema, (client, c) => documents.put('client', (c.req.param('id') ?? '').toLowerCase(), client)))
      .post('/switches', change(switchesSchema, (input) => {
        documents.put('switches', '', { ...switchesOf(documents), ...input })
        return switchesOf(documents)
      }))
      .post('/forget', (c) => {
        const switches = switchesOf(documents)
        documents.put('switches', '', { ...switches, epoch: switches.epoch + 1 })
        return c.body(null, 204)
      })
      .post('/lifecycle', change(z.strictObject({ event: z.string() }), ({ event }) => notifyOfLife(documents, tenant, event)))
  }
}
