import * as z from 'zod'
import type { PersonRef } from '../change'
import { err, ok, type Result } from '../result'
import { createGraphApi, EXPIRED, groupSchema, isOfType, idSchema, PERSON_SELECT, personSchema, unreadable, type GraphApi } from './graphApi'
import { readDelta } from './graphDelta'
import { graphSubscriptions } from './graphSubscriptions'
import { graphSecretsSchema, type GraphSecrets } from './graphToken'
import { readCursor, segmentOf } from './outbound'
import { originSchema } from './settings'
import type { Connector, PulledPerson, Source, SourceFailure, SourceTools } from './source'

/**
 * Microsoft Graph: one person, one group, all of them by delta queries, and the subscriptions to their changes. Only direct
 * members of a group count, as in Entra's own provisioning: nobody gets access through a group in a group.
 */

const settings = z.strictObject({
  tenantId: z.guid().transform((id) => id.toLowerCase()),
  /** The registered app (application id). */
  clientId: z.guid().transform((id) => id.toLowerCase()),
  /** National clouds have their own, such as https://login.microsoftonline.us. */
  loginUrl: originSchema.default('https://login.microsoftonline.com'),
  graphUrl: originSchema.default('https://graph.microsoft.com'),
})

export type GraphSettings = z.infer<typeof settings>

const MOST_PAGES = 50

const groupCursorSchema = z.object({ name: z.string(), next: z.string() })

const groupsOf = async (api: GraphApi, user: string): Promise<Result<PulledPerson['groups'] | null, SourceFailure>> => {
  const groups: { id: string; displayName: string }[] = []
  let link: string | null = null
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    // Roles and administrative units come too. Asked for by type, Graph would answer from an index that lags behind.
    const at: { path: string } | { link: string } = link === null ? { path: `/users/${user}/memberOf?$select=id,displayName&$top=999` } : { link }
    const page = await api.getPage(at)
    if (!page.ok) return page.error.kind === 'missing' ? ok(null) : err(page.error)
    const read = z.array(groupSchema).safeParse(page.value.items.filter((item) => isOfType(item, 'group')))
    if (!read.success) return err({ kind: 'unauthorized', sentence: 'Microsoft Graph tells no names of groups: grant the app the application permission GroupMember.Read.All (with admin consent).' })
    groups.push(...read.data)
    link = page.value.next
    if (link === null) return ok(groups)
  }
  return err(unreadable('more groups of one person than it has pages for,'))
}

const connect = (given: GraphSettings, secrets: GraphSecrets, tools: SourceTools): Source => {
  const api = createGraphApi(given, secrets, tools)

  const person = async ({ id, userName }: PersonRef): Promise<Result<PulledPerson | null, SourceFailure>> => {
    const segment = segmentOf(id ?? userName ?? '')
    if (segment === null) return ok(null)
    const found = await api.getOne(`/users/${segment}?$select=${PERSON_SELECT}`, personSchema)
    if (!found.ok || found.value === null) return found.ok ? ok(null) : found
    const facts = found.value
    if (id !== null && facts.id.toLowerCase() !== id.toLowerCase()) return ok(null)
    const groups = await groupsOf(api, encodeURIComponent(facts.id))
    if (!groups.ok) return groups
    // Deleted between the two questions.
    return ok(groups.value === null ? null : { person: facts, groups: groups.value })
  }

  const group: Source['group'] = async ({ id }, cursor) => {
    const segment = segmentOf(id)
    if (segment === null) return ok(null)
    const at = cursor === null ? null : groupCursorSchema.safeParse(readCursor(cursor))
    if (at !== null && !at.success) return err(EXPIRED)
    const named = at === null ? await api.getOne(`/groups/${segment}?$select=id,displayName`, groupSchema) : ok({ id, displayName: at.data.name })
    if (!named.ok || named.value === null) return named.ok ? ok(null) : named
    const { displayName } = named.value
    const page = await api.getPage(at === null ? { path: `/groups/${segment}/members?$select=id&$top=999` } : { link: at.data.next })
    if (!page.ok) return page.error.kind === 'missing' ? ok(null) : err(page.error)
    const members = z.array(z.object({ id: idSchema })).safeParse(page.value.items.filter((item) => isOfType(item, 'user')))
    if (!members.success) return err(unreadable('a list of members'))
    const { next } = page.value
    return ok({
      group: { id, displayName }, members: members.data.map((member) => member.id),
      next: next === null ? null : JSON.stringify({ name: displayName, next }),
    })
  }

  const probe = async (): Promise<Result<void, SourceFailure>> => {
    const users = await api.probe('/users?$top=1&$select=id')
    return users.ok ? api.probe('/groups?$top=1&$select=id') : users
  }

  return { probe, person, group, ...readDelta(api), subscriptions: graphSubscriptions(api, tools), tellsOfAll: true }
}

export const graph: Connector<GraphSettings, GraphSecrets> = { kind: 'graph', settings, secrets: graphSecretsSchema, connect }
