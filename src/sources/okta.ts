import * as z from 'zod'
import type { PersonFacts, PersonRef } from '../change'
import { err, ok, type Result } from '../result'
import { withApiToken, withPrivateKey, type Authorizer } from './oktaToken'
import { judge, judgeFound, readCursor, resetOf, segmentOf, staysAt, type Provider, type Reply } from './outbound'
import { privateKeySchema } from './privateKey'
import { credentialSchema, originSchema } from './settings'
import type { Connector, Pulled, PulledGroup, PulledPage, PulledPerson, Source, SourceFailure, SourceTools } from './source'

/**
 * Okta's API for users and groups (developer.okta.com, "Users", "Groups", "Application Users"): one person, one group, or all of
 * them page by page. With an app named, whoever is not assigned to it is nobody.
 */

const settings = z.strictObject({
  /** The org's own address or its custom domain; never the address of its admin console. */
  orgUrl: originSchema,
  /** The service app (API Services) that a private key belongs to. */
  clientId: z.string().trim().regex(/^[A-Za-z0-9_-]{1,100}$/, 'This must be the client id of a service app.').optional(),
  /** Only people assigned to this app are told of. */
  appId: z.string().trim().regex(/^[A-Za-z0-9]{1,100}$/, 'This must be the id of an app.').optional(),
})

const secrets = z.union([
  z.object({ apiToken: credentialSchema }),
  z.object({ privateKey: privateKeySchema, keyId: z.string().trim().min(1).max(200).optional() }),
])

export type OktaSettings = z.infer<typeof settings>
export type OktaSecrets = z.infer<typeof secrets>

const PAGE = 200
/** Pages of one person's groups. */
const MOST_PAGES = 50

const scopesOf = ({ appId }: OktaSettings): readonly string[] => ['okta.users.read', 'okta.groups.read', ...(appId === undefined ? [] : ['okta.apps.read'])]

const providerOf = (given: OktaSettings, isToken: boolean): Provider => ({
  name: 'Okta',
  mend: ({ status }) => {
    if (isToken) return status === 401 ? 'the API token is not valid (any more): rotate the credentials of this connection.' : 'the administrator behind the API token must be able to read users, groups and, with appId, applications (the Read-only Administrator role).'
    return `grant the service app the scopes ${scopesOf(given).join(', ')} and an admin role that can read users and groups (Read-only Administrator).`
  },
})

/**
 * Whether somebody of this status is to have access. A locked account is no leaver, nor is one whose password expired or is being
 * reset. PROVISIONED has been activated and has yet to choose a password: Okta's own provisioning creates such people. STAGED has
 * never been activated and cannot sign in anywhere.
 */
const IS_ACTIVE: Readonly<Record<string, boolean>> = {
  ACTIVE: true, PROVISIONED: true, RECOVERY: true, PASSWORD_EXPIRED: true, LOCKED_OUT: true,
  STAGED: false, SUSPENDED: false, DEPROVISIONED: false,
}

const textSchema = z.string().nullish().transform((text) => (text === undefined || text === null || text === '' ? null : text))
const idSchema = z.string().min(1).max(200)

/** A status that nobody here knows makes the whole page unreadable: taking it for either would be a guess about everybody. */
const userSchema = z
  .object({
    id: idSchema,
    status: z.string().refine((status) => Object.hasOwn(IS_ACTIVE, status)),
    profile: z.object({ login: z.string().min(1), email: textSchema, firstName: textSchema, lastName: textSchema, displayName: textSchema }),
  })
  .transform(({ id, status, profile }): PersonFacts => ({
    id, userName: profile.login, email: profile.email, displayName: profile.displayName,
    givenName: profile.firstName, familyName: profile.lastName, active: IS_ACTIVE[status] === true,
  }))

const appUserSchema = z.object({ id: idSchema, _embedded: z.object({ user: userSchema }) }).transform(({ _embedded: { user } }) => user)
const groupSchema = z
  .object({ id: idSchema, profile: z.object({ name: z.string().min(1) }) })
  .transform(({ id, profile }) => ({ id, displayName: profile.name }))
const memberSchema = z.object({ id: idSchema }).transform(({ id }) => id)

interface Page<T> {
  readonly items: readonly T[]
  readonly next: string | null
}

/** The address of the next page (RFC 8288 section 3); Okta sends it as a header of its own beside `self`. */
const nextOf = (headers: Headers): string | null => {
  for (const [, url, parameters] of (headers.get('link') ?? '').matchAll(/<([^<>]*)>([^<]*)/g)) {
    if (/;\s*rel="?next"?(?:\s*[;,]|\s*$)/i.test(parameters ?? '')) return url ?? null
  }
  return null
}

/** What a page of everything goes on with. Groups are read with their members: a group counts as listed once its first members are. */
const cursorSchema = z.discriminatedUnion('phase', [
  z.object({ phase: z.literal('users'), next: z.string() }),
  z.object({ phase: z.literal('deprovisioned'), next: z.string().nullable() }),
  z.object({ phase: z.literal('groups'), next: z.string().nullable() }),
  z.object({ phase: z.literal('members'), groups: z.array(z.tuple([z.string(), z.string()])).min(1), next: z.string().nullable(), after: z.string().nullable() }),
])

type Cursor = z.infer<typeof cursorSchema>

const groupCursorSchema = z.object({ name: z.string(), next: z.string() })

const EXPIRED: SourceFailure = { kind: 'expired', sentence: 'Okta does not know the place any more where the bridge stood: it begins anew.' }
const unreadable = (what: string): SourceFailure => ({ kind: 'unavailable', sentence: `Okta gave ${what} that the bridge cannot read.` })

/** Bulk reading leaves a tenth of Okta's allowance to everybody else. */
const SHARE = 0.1

/** Requests of one kind share an allowance. */
const bucketOf = (url: string): string => new URL(url).pathname.split('/').map((part, i) => (i % 2 === 0 && i > 3 ? '*' : part)).join('/')

const connect = (given: OktaSettings, credentials: OktaSecrets, tools: SourceTools): Source => {
  const { orgUrl, appId } = given
  const provider = providerOf(given, 'apiToken' in credentials)
  const authorizer = authorizerOf(given, credentials, provider, tools)
  const api = `${orgUrl}/api/v1`
  const usersPath = `${api}/users?limit=${PAGE}`
  const deprovisionedPath = `${usersPath}&filter=${encodeURIComponent('status eq "DEPROVISIONED"')}`
  const appUsersPath = `${api}/apps/${appId ?? ''}/users?limit=${PAGE}&expand=user`
  const groupsPath = `${api}/groups?limit=${PAGE}`
  const membersPath = (group: string): string => `${api}/groups/${group}/users?limit=${PAGE}`
  const restingUntil = new Map<string, number>()

  const send = async (url: string, isBulk: boolean): Promise<Result<Reply, SourceFailure>> => {
    const bucket = bucketOf(url)
    const until = restingUntil.get(bucket) ?? 0
    if (isBulk && until > tools.now()) return err({ kind: 'throttled', retryAfterMs: until - tools.now(), sentence: 'Most of what Okta allows in a minute is used: the bridge reads on when the minute is over.' })
    const reply = await authorizer.send({ method: 'GET', url, headers: {} })
    if (reply.ok) {
      const { headers } = reply.value
      const [limit, remaining, reset] = [Number(headers.get('x-rate-limit-limit')), headers.get('x-rate-limit-remaining'), resetOf(headers)]
      if (remaining !== null && reset !== null && Number(remaining) <= limit * SHARE) restingUntil.set(bucket, Math.min(reset, tools.now() + 120_000))
    }
    return reply
  }

  const getOne = async <T>(url: string, schema: z.ZodType<T>): Promise<Result<T | null, SourceFailure>> => {
    const reply = await send(url, false)
    if (!reply.ok) return reply
    const judged = judge(tools, provider, url, reply.value)
    if (!judged.ok) return judged.error.kind === 'missing' ? ok(null) : err(judged.error)
    const read = schema.safeParse(judged.value.json)
    return read.success ? ok(read.data) : err(unreadable('an answer'))
  }

  /** One page; `missing` when the collection is not there. A page that cannot be followed any more has expired. */
  const getPage = async <T>(
    url: string, item: z.ZodType<T>, { isBulk, isFollowed }: { readonly isBulk: boolean; readonly isFollowed: boolean },
  ): Promise<Result<Page<T>, SourceFailure | { readonly kind: 'missing' }>> => {
    if (!staysAt(url, orgUrl)) return err(EXPIRED)
    const reply = await send(url, isBulk)
    if (!reply.ok) return reply
    if (isFollowed && reply.value.status === 400) return err(EXPIRED)
    const judged = judge(tools, provider, url, reply.value)
    if (!judged.ok) return judged
    const read = z.array(item).safeParse(judged.value.json)
    if (!read.success) return err(unreadable('a list'))
    const next = nextOf(judged.value.headers)
    return next === null || staysAt(next, orgUrl) ? ok({ items: read.data, next }) : err(unreadable('the address of a next page, at another host,'))
  }

  /** A page of a collection that is always there. */
  const listPage = async <T>(start: string, next: string | null, item: z.ZodType<T>): Promise<Result<Page<T>, SourceFailure>> => {
    const page = await getPage(next ?? start, item, { isBulk: true, isFollowed: next !== null })
    if (page.ok) return page
    const { error } = page
    if (error.kind !== 'missing') return err(error)
    return err({ kind: 'unavailable', sentence: `Okta answered 404 to a list: check orgUrl${appId === undefined ? '' : ' and appId'} in the settings of this connection.` })
  }

  const groupsOf = async (userId: string): Promise<Result<PulledPerson['groups'], SourceFailure>> => {
    const groups: { id: string; displayName: string }[] = []
    let url: string | null = `${api}/users/${userId}/groups?limit=${PAGE}`
    for (let pages = 0; url !== null && pages < MOST_PAGES; pages += 1) {
      const page: Result<Page<{ id: string; displayName: string }>, SourceFailure | { readonly kind: 'missing' }> =
        await getPage(url, groupSchema, { isBulk: false, isFollowed: pages > 0 })
      if (!page.ok) return err(page.error.kind === 'missing' ? unreadable('an answer') : page.error)
      groups.push(...page.value.items)
      url = page.value.next
    }
    return url === null ? ok(groups) : err(unreadable('more groups of one person than it has pages for,'))
  }

  const person = async ({ id, userName }: PersonRef): Promise<Result<PulledPerson | null, SourceFailure>> => {
    const segment = segmentOf(id ?? userName ?? '')
    // `/users/me` is whoever the credentials belong to.
    if (segment === null || segment === 'me') return ok(null)
    const found = await getOne(`${api}/users/${segment}`, userSchema)
    if (!found.ok || found.value === null) return found.ok ? ok(null) : found
    const facts = found.value
    // By the part before the @ Okta finds somebody too.
    const isMeant = id === null ? facts.userName.toLowerCase() === userName?.toLowerCase() : facts.id === id
    if (!isMeant) return ok(null)
    const userId = encodeURIComponent(facts.id)
    if (appId !== undefined) {
      const assigned = await getOne(`${api}/apps/${appId}/users/${userId}`, memberSchema)
      if (!assigned.ok || assigned.value === null) return assigned.ok ? ok(null) : assigned
    }
    const groups = await groupsOf(userId)
    return groups.ok ? ok({ person: facts, groups: groups.value }) : groups
  }

  const group: Source['group'] = async ({ id }, cursor) => {
    const segment = segmentOf(id)
    if (segment === null) return ok(null)
    const at = cursor === null ? null : groupCursorSchema.safeParse(readCursor(cursor))
    if (at !== null && !at.success) return err(EXPIRED)
    const named = at === null ? await getOne(`${api}/groups/${segment}`, groupSchema) : ok({ id, displayName: at.data.name })
    if (!named.ok || named.value === null) return named.ok ? ok(null) : named
    const { displayName } = named.value
    const page = await getPage(at === null ? membersPath(segment) : at.data.next, memberSchema, { isBulk: false, isFollowed: at !== null })
    if (!page.ok) return page.error.kind === 'missing' ? ok(null) : err(page.error)
    const { items: members, next } = page.value
    const pulled: PulledGroup = { group: { id, displayName }, members, next: next === null ? null : JSON.stringify({ name: displayName, next }) }
    return ok(pulled)
  }

  const pageOf = (items: readonly Pulled[], next: Cursor | null): Result<PulledPage, SourceFailure> =>
    ok({ items, next: next === null ? null : JSON.stringify(next), delta: null })

  const peoplePage = async (cursor: Extract<Cursor, { phase: 'users' | 'deprovisioned' }> | null): Promise<Result<PulledPage, SourceFailure>> => {
    const isFirst = cursor === null || cursor.phase === 'users'
    const page = appId === undefined
      ? await listPage(isFirst ? usersPath : deprovisionedPath, cursor?.next ?? null, userSchema)
      : await listPage(appUsersPath, cursor?.next ?? null, appUserSchema)
    if (!page.ok) return page
    const { items, next } = page.value
    const people = items.map((each): Pulled => ({ kind: 'person', person: each }))
    if (next !== null) return pageOf(people, { phase: isFirst ? 'users' : 'deprovisioned', next })
    // A list without a filter leaves deprovisioned people out.
    return pageOf(people, isFirst && appId === undefined ? { phase: 'deprovisioned', next: null } : { phase: 'groups', next: null })
  }

  const groupsPage = async (next: string | null): Promise<Result<PulledPage, SourceFailure>> => {
    const page = await listPage(groupsPath, next, groupSchema)
    if (!page.ok) return page
    const groups = page.value.items.map(({ id, displayName }): [string, string] => [id, displayName])
    const after = page.value.next
    if (groups.length > 0) return pageOf([], { phase: 'members', groups, next: null, after })
    return pageOf([], after === null ? null : { phase: 'groups', next: after })
  }

  const membersPage = async ({ groups, next, after }: Extract<Cursor, { phase: 'members' }>): Promise<Result<PulledPage, SourceFailure>> => {
    const [[id, displayName], ...others] = groups as [[string, string], ...[string, string][]]
    const goOn: Cursor | null = others.length > 0 ? { phase: 'members', groups: others, next: null, after } : after === null ? null : { phase: 'groups', next: after }
    const page = await getPage(next ?? membersPath(encodeURIComponent(id)), memberSchema, { isBulk: true, isFollowed: next !== null })
    // Deleted since it was listed.
    if (!page.ok) return page.error.kind === 'missing' ? pageOf([], goOn) : err(page.error)
    const items: Pulled[] = [
      { kind: 'group', group: { id, displayName } },
      ...page.value.items.map((personId): Pulled => ({ kind: 'membership', groupId: id, personId })),
    ]
    return pageOf(items, page.value.next === null ? goOn : { phase: 'members', groups, next: page.value.next, after })
  }

  const everything = async (cursor: string | null): Promise<Result<PulledPage, SourceFailure>> => {
    if (cursor === null) return peoplePage(null)
    const read = cursorSchema.safeParse(readCursor(cursor))
    if (!read.success) return err(EXPIRED)
    switch (read.data.phase) {
      case 'users':
      case 'deprovisioned': return peoplePage(read.data)
      case 'groups': return groupsPage(read.data.next)
      case 'members': return membersPage(read.data)
    }
  }

  const probe = async (): Promise<Result<void, SourceFailure>> => {
    const paths = [`${api}/users?limit=1`, `${api}/groups?limit=1`, ...(appId === undefined ? [] : [`${api}/apps/${appId}/users?limit=1`])]
    for (const url of paths) {
      const reply = await send(url, false)
      const judged = reply.ok ? judgeFound(tools, provider, url, reply.value) : reply
      if (!judged.ok) return judged
    }
    return ok(undefined)
  }

  return { probe, person, group, everything, tellsOfAll: appId === undefined }
}

const authorizerOf = (given: OktaSettings, credentials: OktaSecrets, provider: Provider, tools: SourceTools): Authorizer => {
  if ('apiToken' in credentials) return withApiToken(credentials.apiToken, provider, tools)
  const { orgUrl, clientId } = given
  if (clientId === undefined) {
    return { send: () => Promise.resolve(err({ kind: 'unauthorized', sentence: 'A private key needs the client id of its service app: set clientId in the settings of this connection.' })) }
  }
  return withPrivateKey({ orgUrl, clientId, scopes: scopesOf(given), privateKey: credentials.privateKey, keyId: credentials.keyId }, provider, tools)
}

export const okta: Connector<OktaSettings, OktaSecrets> = { kind: 'okta', settings, secrets, connect }
