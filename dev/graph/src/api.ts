import type { Documents } from '../../lib/documents'
import { groupsDelta, usersDelta, type Page } from './delta'
import { badRequest, denied, notFound } from './errors'
import { findGroup, findPerson, membersOf, switchesOf, type Group, type Membership, type Person } from './model'

/** `/v1.0`: users and groups, read only. Collections answer by `$top` and `$skiptoken`. */

interface Listed {
  readonly id: string
  readonly body: Readonly<Record<string, unknown>>
}

const select = (url: URL, { id, body }: Listed): Readonly<Record<string, unknown>> => {
  const names = url.searchParams.get('$select')?.split(',')
  return names === undefined ? { id, ...body } : Object.fromEntries(Object.entries({ id, ...body }).filter(([name]) => name.startsWith('@') || names.includes(name)))
}

const page = (documents: Documents, url: URL, items: readonly Listed[], { isCut, foreignOrigin }: Page): Response => {
  const top = url.searchParams.get('$top')
  if (top !== null && !/^[1-9]\d{0,2}$/.test(top)) return badRequest('Invalid page size specified.')
  const size = Math.min(Number(top ?? 100), switchesOf(documents).pageSize)
  const after = url.searchParams.get('$skiptoken')
  const rest = after === null ? items : items.filter(({ id }) => id > after)
  const shown = rest.slice(0, size)
  const next = new URL((foreignOrigin ?? url.origin) + url.pathname + url.search)
  next.searchParams.set('$skiptoken', shown.at(-1)?.id ?? '')
  return Response.json({
    '@odata.context': `${url.origin}/v1.0/$metadata`,
    ...(!isCut && rest.length > size ? { '@odata.nextLink': next.href } : {}),
    value: shown.map((item) => select(url, item)),
  })
}

const byId = <T>(documents: Documents, kind: string): { readonly id: string; readonly data: T }[] =>
  documents.list<T>(kind).toSorted((a, b) => (a.id < b.id ? -1 : 1))

const personBody = ({ userPrincipalName, mail, displayName, givenName, surname, accountEnabled, otherMails }: Person): Readonly<Record<string, unknown>> =>
  ({ userPrincipalName, mail, displayName, givenName, surname, accountEnabled, otherMails })

/** An app that may not read groups is told that there are some, and nothing of them. */
const groupBody = ({ displayName }: Group, permissions: readonly string[]): Readonly<Record<string, unknown>> => ({ displayName: mayReadGroups(permissions) ? displayName : null })

const mayReadUsers = (permissions: readonly string[]): boolean => permissions.some((name) => ['User.Read.All', 'Directory.Read.All'].includes(name))
const mayReadGroups = (permissions: readonly string[]): boolean => permissions.some((name) => ['GroupMember.Read.All', 'Group.Read.All', 'Directory.Read.All'].includes(name))

const typed = (documents: Documents, memberId: string): Readonly<Record<string, unknown>> | null => {
  const person = findPerson(documents, memberId)
  if (person !== null) return { '@odata.type': '#microsoft.graph.user', ...personBody(person.data) }
  const group = findGroup(documents, memberId)
  return group === null ? null : { '@odata.type': '#microsoft.graph.group', displayName: group.displayName }
}

type Answer = (documents: Documents, url: URL, ids: readonly string[], cut: Page, permissions: readonly string[]) => Response

const readUser: Answer = (documents, url, [name = '']) => {
  const found = findPerson(documents, name)
  return found === null ? notFound(name) : Response.json(select(url, { id: found.id, body: personBody(found.data) }))
}

const listMemberOf: Answer = (documents, url, [name = ''], cut, permissions) => {
  const found = findPerson(documents, name)
  if (found === null) return notFound(name)
  const groups = documents.list<Membership>('membership').filter(({ data }) => data.isMember && data.memberId === found.id).flatMap(({ data }): Listed[] => {
    const group = findGroup(documents, data.groupId)
    return group === null ? [] : [{ id: data.groupId, body: { '@odata.type': '#microsoft.graph.group', ...groupBody(group, permissions) } }]
  })
  // Every user is in some administrative unit or role now and then.
  const unit: Listed = { id: '~unit', body: { '@odata.type': '#microsoft.graph.administrativeUnit', displayName: 'Everywhere' } }
  return page(documents, url, [...groups.toSorted((a, b) => (a.id < b.id ? -1 : 1)), unit], cut)
}

const listMembers: Answer = (documents, url, [id = ''], cut) => {
  if (findGroup(documents, id) === null) return notFound(id)
  const members = membersOf(documents, id).toSorted().flatMap((member): Listed[] => {
    const body = typed(documents, member)
    return body === null ? [] : [{ id: member, body }]
  })
  return page(documents, url, members, cut)
}

const ROUTES: readonly (readonly [RegExp, 'users' | 'groups', Answer])[] = [
  [/^\/users\/delta$/, 'users', (documents, url, _, cut) => usersDelta(documents, url, cut)],
  [/^\/groups\/delta$/, 'groups', (documents, url, _, cut) => groupsDelta(documents, url, cut)],
  [/^\/users$/, 'users', (documents, url, _, cut) =>
    page(documents, url, byId<Person>(documents, 'person').filter(({ data }) => data.removed === null).map(({ id, data }) => ({ id, body: personBody(data) })), cut)],
  [/^\/users\/([^/]+)$/, 'users', readUser],
  [/^\/users\/([^/]+)\/memberOf$/, 'users', listMemberOf],
  [/^\/groups$/, 'groups', (documents, url, _, cut, permissions) =>
    page(documents, url, byId<Group>(documents, 'group').filter(({ data }) => data.removed === null).map(({ id, data }) => ({ id, body: groupBody(data, permissions) })), cut)],
  [/^\/groups\/([^/]+)$/, 'groups', (documents, url, [id = ''], _, permissions) => {
    const group = findGroup(documents, id)
    return group === null ? notFound(id) : Response.json(select(url, { id, body: groupBody(group, permissions) }))
  }],
  [/^\/groups\/([^/]+)\/members$/, 'groups', listMembers],
]

/** Null when nothing is at the address. */
export const answerRead = (documents: Documents, url: URL, cut: Page, permissions: readonly string[]): Response | null => {
  const path = url.pathname.slice('/v1.0'.length)
  for (const [pattern, what, answer] of ROUTES) {
    const ids = pattern.exec(path)?.slice(1).map(decodeURIComponent)
    if (ids === undefined) continue
    const isAllowed = what === 'users' ? mayReadUsers(permissions) : mayReadGroups(permissions)
    return isAllowed ? answer(documents, url, ids, cut, permissions) : denied()
  }
  return null
}
