import * as z from 'zod'
import type { PersonFacts } from '../change'
import { err, ok, type Result } from '../result'
import { authorizeGraph, type GraphApp, type GraphSecrets } from './graphToken'
import { codeOf, judge, judgeFound, staysAt, type Provider, type Reply } from './outbound'
import type { SourceFailure, SourceTools } from './source'

/** Microsoft Graph's manner: resources, collections in pages, and what people and groups look like in it. */

export const EXPIRED: SourceFailure = { kind: 'expired', sentence: 'Microsoft Graph does not know the place any more where the bridge stood: it begins anew.' }

export const unreadable = (what: string): SourceFailure => ({ kind: 'unavailable', sentence: `Microsoft Graph gave ${what} that the bridge cannot read.` })

const PROVIDER: Provider = {
  name: 'Microsoft Graph',
  mend: ({ status }) =>
    status === 401 ? 'the token was not accepted: check tenantId and graphUrl in the settings of this connection.'
    : 'grant the app the application permissions User.Read.All and GroupMember.Read.All (with admin consent).',
}

const collectionSchema = z.object({
  value: z.array(z.unknown()),
  '@odata.nextLink': z.string().optional(),
  '@odata.deltaLink': z.string().optional(),
})

export interface Collection {
  readonly items: readonly unknown[]
  readonly next: string | null
  readonly delta: string | null
}

type Missing = { readonly kind: 'missing' }

/** A link that cannot be followed any more: 410, or one of these with 400. */
const FORGOTTEN: ReadonlySet<string | null> = new Set(['Directory_ExpiredPageToken', 'SyncStateNotFound', 'resyncRequired'])

export interface GraphApi {
  readonly base: string
  /** The resource; null when there is none. */
  readonly getOne: <T>(path: string, schema: z.ZodType<T>) => Promise<Result<T | null, SourceFailure>>
  /** One page at a path of ours or at a link that an earlier page gave. */
  readonly getPage: (at: { readonly path: string } | { readonly link: string }) => Promise<Result<Collection, SourceFailure | Missing>>
  readonly write: (method: 'POST' | 'PATCH' | 'DELETE', path: string, body: unknown) => Promise<Result<Reply, SourceFailure | Missing>>
  readonly probe: (path: string) => Promise<Result<void, SourceFailure>>
}

export const createGraphApi = (app: GraphApp, secrets: GraphSecrets, tools: SourceTools): GraphApi => {
  const { send } = authorizeGraph(app, secrets, PROVIDER, tools)
  const base = `${app.graphUrl}/v1.0`

  const get = async (url: string): Promise<Result<Reply, SourceFailure>> => send({ method: 'GET', url, headers: {} })

  const staying = (link: string | undefined): Result<string | null, SourceFailure> => {
    if (link === undefined) return ok(null)
    return staysAt(link, app.graphUrl) ? ok(link) : err(unreadable('the address of a next page, at another host,'))
  }

  const getPage: GraphApi['getPage'] = async (at) => {
    const url = 'link' in at ? at.link : base + at.path
    if (!staysAt(url, app.graphUrl)) return err(EXPIRED)
    const reply = await get(url)
    if (!reply.ok) return reply
    const { status, json } = reply.value
    if ('link' in at && (status === 404 || (status === 400 && FORGOTTEN.has(codeOf(json))))) return err(EXPIRED)
    const judged = judge(tools, PROVIDER, url, reply.value)
    if (!judged.ok) return judged
    const read = collectionSchema.safeParse(judged.value.json)
    if (!read.success) return err(unreadable('a list'))
    const [next, delta] = [staying(read.data['@odata.nextLink']), staying(read.data['@odata.deltaLink'])]
    if (!next.ok) return next
    return delta.ok ? ok({ items: read.data.value, next: next.value, delta: delta.value }) : delta
  }

  return {
    base,
    getPage,
    getOne: async (path, schema) => {
      const reply = await get(base + path)
      if (!reply.ok) return reply
      const judged = judge(tools, PROVIDER, base, reply.value)
      if (!judged.ok) return judged.error.kind === 'missing' ? ok(null) : err(judged.error)
      const read = schema.safeParse(judged.value.json)
      return read.success ? ok(read.data) : err(unreadable('an answer'))
    },
    write: async (method, path, body) => {
      const reply = await send({
        method, url: base + path,
        ...(body === undefined ? { headers: {} } : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
      })
      return reply.ok ? judge(tools, PROVIDER, base, reply.value) : reply
    },
    probe: async (path) => {
      const reply = await get(base + path)
      const judged = reply.ok ? judgeFound(tools, PROVIDER, base, reply.value) : reply
      return judged.ok ? ok(undefined) : judged
    },
  }
}

export const idSchema = z.string().min(1).max(200)

const textSchema = z.string().nullish().transform((text) => (text === undefined || text === null || text === '' ? null : text))

/** Of a user. `otherMails` is left out: people may change it themselves, and an address is what somebody's access hangs on. */
export const PERSON_SELECT = 'id,userPrincipalName,mail,displayName,givenName,surname,accountEnabled'

/** A guest's sign-in name is made from an address, and is none. */
const isGuestName = (name: string): boolean => name.toUpperCase().includes('#EXT#')

export const personSchema = z
  .object({
    id: idSchema, userPrincipalName: z.string().min(1), mail: textSchema, accountEnabled: z.boolean(),
    displayName: textSchema, givenName: textSchema, surname: textSchema,
  })
  .transform(({ id, userPrincipalName, mail, displayName, givenName, surname, accountEnabled }): PersonFacts => ({
    id, userName: userPrincipalName, displayName, givenName, familyName: surname, active: accountEnabled,
    email: mail ?? (isGuestName(userPrincipalName) ? null : userPrincipalName),
  }))

/** Without GroupMember.Read.All Graph answers groups that have an id and no name. */
export const groupSchema = z.object({ id: idSchema, displayName: z.string().min(1) })

const typedSchema = z.object({ '@odata.type': z.string().optional(), id: idSchema })

/** Whether a directory object is of a type; one without a type is of none. */
export const isOfType = (item: unknown, type: 'user' | 'group'): boolean => {
  const read = typedSchema.safeParse(item)
  return read.success && read.data['@odata.type']?.toLowerCase() === `#microsoft.graph.${type}`
}
