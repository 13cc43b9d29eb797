import type { Documents } from '../../lib/documents'
import { badFilter, badRequest, notFound } from './errors'
import { STATUSES, switchesOf, type App, type Group, type Person } from './model'

/** `/api/v1`: users, groups, app assignments. Lists answer in the order of the ids, page by page through `Link`. */

interface Listed {
  readonly id: string
  readonly body: unknown
}

export interface Page {
  /** Whether the page is said to be the last one, whatever is left. */
  readonly isCut: boolean
  /** Where the next page is said to be; null for the org itself. */
  readonly foreignOrigin: string | null
}

const byId = <T>(documents: Documents, kind: string): { readonly id: string; readonly data: T }[] =>
  documents.list<T>(kind).toSorted((a, b) => (a.id < b.id ? -1 : 1))

const page = (documents: Documents, url: URL, items: readonly Listed[], { isCut, foreignOrigin }: Page): Response => {
  const limit = url.searchParams.get('limit')
  if (limit !== null && !/^[1-9]\d{0,3}$/.test(limit)) return badRequest('limit')
  const size = Math.min(Number(limit ?? 200), 200, switchesOf(documents).pageSize)
  const after = url.searchParams.get('after')
  if (after !== null && !after.startsWith('after-')) return badRequest('after')
  const rest = after === null ? items : items.filter(({ id }) => id > after.slice(6))
  const shown = rest.slice(0, size)
  const headers = new Headers({ 'content-type': 'application/json' })
  headers.append('link', `<${url.href}>; rel="self"`)
  const last = shown.at(-1)
  if (!isCut && last !== undefined && rest.length > size) {
    const next = new URL((foreignOrigin ?? url.origin) + url.pathname + url.search)
    next.searchParams.set('after', `after-${last.id}`)
    headers.append('link', `<${next.href}>; rel="next"`)
  }
  return new Response(JSON.stringify(shown.map(({ body }) => body)), { headers })
}

const personBody = (origin: string, id: string, { login, email, firstName, lastName, status, created, lastUpdated }: Person) => ({
  id, status, created, activated: status === 'STAGED' ? null : created, statusChanged: lastUpdated, lastLogin: null, lastUpdated, passwordChanged: null,
  type: { id: 'otyemulator' },
  profile: { firstName, lastName, mobilePhone: null, secondEmail: null, login, email },
  credentials: { provider: { type: 'OKTA', name: 'OKTA' } },
  _links: { self: { href: `${origin}/api/v1/users/${id}` } },
})

const groupBody = (origin: string, id: string, { name, lastUpdated }: Group) => ({
  id, created: lastUpdated, lastUpdated, lastMembershipUpdated: lastUpdated, objectClass: ['okta:user_group'], type: 'OKTA_GROUP',
  profile: { name, description: null },
  _links: { users: { href: `${origin}/api/v1/groups/${id}/users` } },
})

/** `status eq "X"`, joined by `or`: all that the bridge asks. */
const statusesOf = (filter: string): readonly string[] | null => {
  const terms = filter.split(/ or /i).map((term) => /^status eq "([A-Z_]+)"$/.exec(term.trim())?.[1])
  return terms.every((term) => term !== undefined && STATUSES.some((status) => status === term)) ? terms.flatMap((term) => term ?? []) : null
}

/** By id, by login, and by the part of the login before the @ when only one person has it. */
const findPerson = (documents: Documents, name: string): { readonly id: string; readonly data: Person } | null => {
  const direct = documents.get<Person>('person', name)
  if (direct !== undefined) return { id: name, data: direct }
  const everybody = documents.list<Person>('person')
  const folded = name.toLowerCase()
  const exact = everybody.find(({ data }) => data.login.toLowerCase() === folded)
  if (exact !== undefined) return exact
  const short = everybody.filter(({ data }) => data.login.toLowerCase().split('@')[0] === folded)
  return short.length === 1 ? (short[0] ?? null) : null
}

export interface Route {
  readonly scope: string
  /** Requests of one bucket share an allowance. */
  readonly bucket: string
  readonly answer: (cut: Page) => Response
}

type Make = (documents: Documents, url: URL, ids: readonly string[]) => Omit<Route, 'bucket'>

const listUsers: Make = (documents, url) => ({
  scope: 'okta.users.read',
  answer: (cut) => {
    const filter = url.searchParams.get('filter')
    const statuses = filter === null ? STATUSES.filter((status) => status !== 'DEPROVISIONED') : statusesOf(filter)
    if (statuses === null) return badFilter()
    const people = byId<Person>(documents, 'person').filter(({ data }) => statuses.some((status) => status === data.status))
    return page(documents, url, people.map(({ id, data }) => ({ id, body: personBody(url.origin, id, data) })), cut)
  },
})

const readUser: Make = (documents, url, [name = '']) => ({
  scope: 'okta.users.read',
  answer: () => {
    const found = findPerson(documents, name)
    return found === null ? notFound(name, 'User') : Response.json(personBody(url.origin, found.id, found.data))
  },
})

const listGroupsOfUser: Make = (documents, url, [name = '']) => ({
  scope: 'okta.users.read',
  answer: (cut) => {
    const found = findPerson(documents, name)
    if (found === null) return notFound(name, 'User')
    const groups = byId<Group>(documents, 'group').filter(({ data }) => data.members.includes(found.id))
    return page(documents, url, groups.map(({ id, data }) => ({ id, body: groupBody(url.origin, id, data) })), cut)
  },
})

const listGroups: Make = (documents, url) => ({
  scope: 'okta.groups.read',
  answer: (cut) => page(documents, url, byId<Group>(documents, 'group').map(({ id, data }) => ({ id, body: groupBody(url.origin, id, data) })), cut),
})

const readGroup: Make = (documents, url, [id = '']) => ({
  scope: 'okta.groups.read',
  answer: () => {
    const group = documents.get<Group>('group', id)
    return group === undefined ? notFound(id, 'UserGroup') : Response.json(groupBody(url.origin, id, group))
  },
})

const listMembers: Make = (documents, url, [id = '']) => ({
  scope: 'okta.groups.read',
  answer: (cut) => {
    const group = documents.get<Group>('group', id)
    if (group === undefined) return notFound(id, 'UserGroup')
    const people = group.members.toSorted().flatMap((member) => {
      const person = documents.get<Person>('person', member)
      return person === undefined ? [] : [{ id: member, body: personBody(url.origin, member, person) }]
    })
    return page(documents, url, people, cut)
  },
})

const appUserBody = (origin: string, id: string, person: Person, isExpanded: boolean) => ({
  id, externalId: null, status: 'PROVISIONED', scope: 'USER', created: person.created, lastUpdated: person.lastUpdated,
  credentials: { userName: person.login }, profile: {},
  _links: { user: { href: `${origin}/api/v1/users/${id}` } },
  ...(isExpanded ? { _embedded: { user: personBody(origin, id, person) } } : {}),
})

const listAppUsers: Make = (documents, url, [id = '']) => ({
  scope: 'okta.apps.read',
  answer: (cut) => {
    const app = documents.get<App>('app', id)
    if (app === undefined) return notFound(id, 'AppInstance')
    const people = app.users.toSorted().flatMap((user) => {
      const person = documents.get<Person>('person', user)
      return person === undefined ? [] : [{ id: user, body: appUserBody(url.origin, user, person, url.searchParams.get('expand') === 'user') }]
    })
    return page(documents, url, people, cut)
  },
})

const readAppUser: Make = (documents, url, [id = '', user = '']) => ({
  scope: 'okta.apps.read',
  answer: () => {
    const app = documents.get<App>('app', id)
    const person = documents.get<Person>('person', user)
    if (app === undefined) return notFound(id, 'AppInstance')
    return person === undefined || !app.users.includes(user) ? notFound(user, 'AppUser') : Response.json(appUserBody(url.origin, user, person, false))
  },
})

const ROUTES: readonly (readonly [RegExp, Make])[] = [
  [/^\/api\/v1\/users$/, listUsers],
  [/^\/api\/v1\/users\/([^/]+)$/, readUser],
  [/^\/api\/v1\/users\/([^/]+)\/groups$/, listGroupsOfUser],
  [/^\/api\/v1\/groups$/, listGroups],
  [/^\/api\/v1\/groups\/([^/]+)$/, readGroup],
  [/^\/api\/v1\/groups\/([^/]+)\/users$/, listMembers],
  [/^\/api\/v1\/apps\/([^/]+)\/users$/, listAppUsers],
  [/^\/api\/v1\/apps\/([^/]+)\/users\/([^/]+)$/, readAppUser],
]

export const findRoute = (documents: Documents, url: URL): Route | null => {
  for (const [path, make] of ROUTES) {
    const ids = path.exec(url.pathname)?.slice(1).map(decodeURIComponent)
    if (ids !== undefined) return { ...make(documents, url, ids), bucket: path.source }
  }
  return null
}
