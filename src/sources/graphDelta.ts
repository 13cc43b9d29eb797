import * as z from 'zod'
import { err, ok, type Result } from '../result'
import { EXPIRED, idSchema, PERSON_SELECT, personSchema, unreadable, type Collection, type GraphApi } from './graphApi'
import { readCursor, segmentOf } from './outbound'
import type { Pulled, PulledPage, SourceFailure } from './source'

/**
 * Delta queries (learn.microsoft.com/graph/delta-query-overview): the same pages tell of everybody at first and later of what
 * changed. People come before groups, so that whoever is in a group is known when the group is read.
 */

const USERS = `/users/delta?$select=${PERSON_SELECT}`
const GROUPS = '/groups/delta?$select=displayName,members'

/** Where a round of pages stands; between rounds, both links. `from`: the link that the groups' part begins with, null for all of them. */
const cursorSchema = z.discriminatedUnion('phase', [
  z.object({ phase: z.literal('users'), link: z.string(), groups: z.string().nullable() }),
  z.object({ phase: z.literal('groups'), link: z.string().nullable(), users: z.string() }),
])

type Cursor = z.infer<typeof cursorSchema>

const removedSchema = z.object({ id: idSchema, '@removed': z.object({}) })

const membersSchema = z.array(z.object({ '@odata.type': z.string().optional(), id: idSchema, '@removed': z.object({}).optional() }))
const groupItemSchema = z.object({ id: idSchema, displayName: z.string().min(1).nullish(), 'members@delta': membersSchema.optional() })

/** A group in a group is no member here: what Entra itself assigns and provisions counts direct members only. */
const isUser = (type: string | undefined): boolean => type === undefined || type.toLowerCase() === '#microsoft.graph.user'

const groupItems = (item: unknown): Pulled[] | null => {
  const gone = removedSchema.safeParse(item)
  if (gone.success) return [{ kind: 'groupGone', id: gone.data.id }]
  const read = groupItemSchema.safeParse(item)
  if (!read.success) return null
  const { id, displayName, 'members@delta': members = [] } = read.data
  const named: Pulled[] = displayName === null || displayName === undefined ? [] : [{ kind: 'group', group: { id, displayName } }]
  return [
    ...named,
    ...members.filter((member) => isUser(member['@odata.type'])).map((member): Pulled => ({
      kind: member['@removed'] === undefined ? 'membership' : 'membershipGone', groupId: id, personId: member.id,
    })),
  ]
}

/** A change may come without what did not change: then the whole person is asked for. */
const personItems = async (api: GraphApi, item: unknown): Promise<Result<Pulled[], SourceFailure>> => {
  // A soft deletion (`changed`) and a permanent one (`deleted`) both end the person's access; a restored person comes again.
  const gone = removedSchema.safeParse(item)
  if (gone.success) return ok([{ kind: 'personGone', id: gone.data.id }])
  const read = personSchema.safeParse(item)
  if (read.success) return ok([{ kind: 'person', person: read.data }])
  const named = z.object({ id: idSchema }).safeParse(item)
  const segment = named.success ? segmentOf(named.data.id) : null
  if (!named.success || segment === null) return err(unreadable('a list of people'))
  const found = await api.getOne(`/users/${segment}?$select=${PERSON_SELECT}`, personSchema)
  if (!found.ok) return found
  return ok([found.value === null ? { kind: 'personGone', id: named.data.id } : { kind: 'person', person: found.value }])
}

export const readDelta = (api: GraphApi) => {
  const fetchPage = async (path: string, link: string | null): Promise<Result<Collection, SourceFailure>> => {
    const page = await api.getPage(link === null ? { path } : { link })
    if (page.ok) return page
    return err(page.error.kind === 'missing' ? unreadable('404 for a list of the directory') : page.error)
  }

  const usersPage = async (link: string | null, groups: string | null): Promise<Result<PulledPage, SourceFailure>> => {
    const page = await fetchPage(USERS, link)
    if (!page.ok) return page
    const items: Pulled[] = []
    for (const item of page.value.items) {
      const read = await personItems(api, item)
      if (!read.ok) return read
      items.push(...read.value)
    }
    const { next, delta } = page.value
    const cursor: Cursor | null = next !== null ? { phase: 'users', link: next, groups } : delta !== null ? { phase: 'groups', link: groups, users: delta } : null
    return cursor === null ? err(unreadable('a last page without a delta link')) : ok({ items, next: JSON.stringify(cursor), delta: null })
  }

  const groupsPage = async (link: string | null, users: string): Promise<Result<PulledPage, SourceFailure>> => {
    const page = await fetchPage(GROUPS, link)
    if (!page.ok) return page
    const items = page.value.items.map(groupItems)
    if (items.includes(null)) return err(unreadable('a list of groups'))
    const { next, delta } = page.value
    const pulled = items.flatMap((each) => each ?? [])
    if (next !== null) return ok({ items: pulled, next: JSON.stringify({ phase: 'groups', link: next, users } satisfies Cursor), delta: null })
    if (delta === null) return err(unreadable('a last page without a delta link'))
    return ok({ items: pulled, next: null, delta: JSON.stringify({ phase: 'users', link: users, groups: delta } satisfies Cursor) })
  }

  const goOn = async (cursor: string): Promise<Result<PulledPage, SourceFailure>> => {
    const read = cursorSchema.safeParse(readCursor(cursor))
    if (!read.success) return err(EXPIRED)
    return read.data.phase === 'users' ? usersPage(read.data.link, read.data.groups) : groupsPage(read.data.link, read.data.users)
  }

  return {
    everything: (cursor: string | null) => (cursor === null ? usersPage(null, null) : goOn(cursor)),
    changes: goOn,
  }
}
