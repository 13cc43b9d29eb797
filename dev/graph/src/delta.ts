import type { Documents } from '../../lib/documents'
import { forgotten } from './errors'
import { switchesOf, type Group, type Membership, type Person } from './model'

/** Delta queries: at first everything that is there, then what changed after the link; a change moves a thing to the end of the walk. */

interface Place {
  readonly epoch: number
  /** The last change that was told. */
  readonly after: number
  /** The first round, which tells of nothing that is gone. */
  readonly isFirst: boolean
}

const readPlace = (url: URL): Place | null => {
  const token = url.searchParams.get('$skiptoken') ?? url.searchParams.get('$deltatoken')
  if (token === null) return null
  const [, epoch, after, first] = /^e(\d+)n(\d+)(f?)$/.exec(token) ?? []
  return { epoch: Number(epoch ?? -1), after: Number(after ?? 0), isFirst: first === 'f' }
}

const linkOf = (url: URL, kind: '$skiptoken' | '$deltatoken', { epoch, after, isFirst }: Place, origin = url.origin): string => {
  const link = new URL(origin + url.pathname)
  link.searchParams.set(kind, `e${epoch}n${after}${isFirst && kind === '$skiptoken' ? 'f' : ''}`)
  return link.href
}

interface Change {
  readonly n: number
  readonly item: Readonly<Record<string, unknown>>
}

export interface Page {
  readonly isCut: boolean
  readonly foreignOrigin: string | null
}

type Merge = (items: readonly Readonly<Record<string, unknown>>[]) => readonly unknown[]

const answer = (documents: Documents, url: URL, { isCut, foreignOrigin }: Page, read: (after: number, isFirst: boolean) => readonly Change[], merge: Merge): Response => {
  const { epoch, pageSize } = switchesOf(documents)
  const place = readPlace(url) ?? { epoch, after: 0, isFirst: true }
  if (place.epoch !== epoch) return forgotten(url)
  const changes = read(place.after, place.isFirst)
  const shown = changes.slice(0, pageSize)
  const last = shown.at(-1)?.n ?? place.after
  const link = !isCut && changes.length > pageSize
    ? { '@odata.nextLink': linkOf(url, '$skiptoken', { epoch, after: last, isFirst: place.isFirst }, foreignOrigin ?? url.origin) }
    : { '@odata.deltaLink': linkOf(url, '$deltatoken', { epoch, after: Math.max(last, isCut ? documents.last() : last), isFirst: false }) }
  return Response.json({ '@odata.context': `${url.origin}/v1.0/$metadata`, ...link, value: merge(shown.map(({ item }) => item)) })
}

/** What was never set is left out. */
const personItem = (id: string, { removed, userPrincipalName, mail, displayName, givenName, surname, accountEnabled }: Person): Readonly<Record<string, unknown>> => {
  if (removed !== null) return { id, '@removed': { reason: removed } }
  const properties = Object.entries({ userPrincipalName, mail, displayName, givenName, surname, accountEnabled }).filter(([, value]) => value !== null)
  return { ...Object.fromEntries(properties), id }
}

export const usersDelta = (documents: Documents, url: URL, page: Page): Response =>
  answer(documents, url, page, (after, isFirst) =>
    documents.list<Person>('person', { after })
      .filter(({ data }) => !isFirst || data.removed === null)
      .map(({ n, id, data }): Change => ({ n, item: personItem(id, data) })), (items) => items)

/** A group's name and members change apart, and come as one object where they are on one page. */
const groupChanges = (documents: Documents) => (after: number, isFirst: boolean): readonly Change[] => {
  const nameOf = (id: string): Group | undefined => documents.get<Group>('group', id)
  const groups = documents.list<Group>('group', { after })
    .filter(({ data }) => !isFirst || data.removed === null)
    .map(({ n, id, data }): Change => ({ n, item: data.removed === null ? { id, displayName: data.displayName } : { id, '@removed': { reason: data.removed } } }))
  const memberships = documents.list<Membership>('membership', { after })
    .filter(({ data }) => (!isFirst || data.isMember) && nameOf(data.groupId)?.removed === null)
    .map(({ n, data: { groupId, memberId, isMember } }): Change => ({
      n,
      item: {
        id: groupId, displayName: nameOf(groupId)?.displayName,
        'members@delta': [{
          '@odata.type': nameOf(memberId) === undefined ? '#microsoft.graph.user' : '#microsoft.graph.group', id: memberId,
          ...(isMember ? {} : { '@removed': { reason: 'deleted' } }),
        }],
      },
    }))
  return [...groups, ...memberships].toSorted((a, b) => a.n - b.n)
}

const mergeGroups: Merge = (items) => {
  const merged = new Map<unknown, Record<string, unknown>>()
  for (const item of items) {
    const known = merged.get(item['id'])
    const members = [known?.['members@delta'], item['members@delta']].flatMap((each) => (Array.isArray(each) ? (each as unknown[]) : []))
    merged.set(item['id'], { ...known, ...item, ...(members.length === 0 ? {} : { 'members@delta': members }) })
  }
  return [...merged.values()]
}

export const groupsDelta = (documents: Documents, url: URL, page: Page): Response => answer(documents, url, page, groupChanges(documents), mergeGroups)
