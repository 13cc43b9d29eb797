/**
 * A SCIM server in a Map: the pure functions of src/scim with the obvious storage behind them, for the replay of recordings and
 * as a model. Believes everybody: who may speak is not this folder's matter.
 */
import { forbidden, invalidValue, notFound, scimErrorBody, uniqueness } from '../../src/scim/error'
import type { ScimError } from '../../src/scim/error'
import { discover, isFiltered } from '../../src/scim/discovery'
import { etagOf } from '../../src/scim/etag'
import { matchesFilter } from '../../src/scim/filterMatch'
import { parseJson } from '../../src/scim/json'
import type { JsonObject } from '../../src/scim/json'
import { patchGroup, patchUser, readPatch } from '../../src/scim/patch'
import type { MemberOperation } from '../../src/scim/patch'
import { project } from '../../src/scim/project'
import { readListQuery, readProjection } from '../../src/scim/query'
import { stripEntraFlag } from '../../src/scim/quirks'
import { listResponse, renderGroup, renderUser } from '../../src/scim/render'
import { readGroup, readUser, replaceGroup, replaceUser } from '../../src/scim/resource'
import type { Member, ScimGroup, ScimUser } from '../../src/scim/resource'
import { storedGroup, storedUser } from '../../src/scim/stored'
import type { Identity } from '../../src/scim/stored'
import { foldText } from '../../src/scim/text'
import type { Send } from '../recordings/replay'

const BASE = 'http://127.0.0.1/scim/v2'

interface Row<T> extends Identity {
  readonly resource: T
}

class Refusal extends Error {
  constructor(readonly error: ScimError) { super(error.detail) }
}

const must = <T>(result: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: ScimError }): T => {
  if (!result.ok) throw new Refusal(result.error)
  return result.value
}

const answer = (status: number, body: JsonObject | null, headers: Record<string, string> = {}): Response =>
  new Response(body === null ? null : JSON.stringify(body), {
    status, headers: { ...(body === null ? {} : { 'content-type': 'application/scim+json' }), ...headers },
  })

interface Request {
  readonly method: string
  readonly url: URL
  readonly id: string | undefined
  readonly body: string | undefined
}

const projected = (url: URL, resource: JsonObject): JsonObject => {
  const { attributes, excludedAttributes } = must(readProjection(url.searchParams))
  return project(resource, attributes, excludedAttributes)
}

const list = (url: URL, all: readonly JsonObject[]): Response => {
  const query = must(readListQuery(url.searchParams))
  const found = all.filter((resource) => query.filter === null || must(matchesFilter(query.filter, resource)))
  const page = found.slice(query.startIndex - 1, query.startIndex - 1 + query.count)
  const resources = page.map((resource) => project(resource, query.attributes, query.excludedAttributes))
  return answer(200, listResponse({ totalResults: found.length, startIndex: query.startIndex, resources }))
}

const created = (url: URL, resource: JsonObject, path: string, id: string): Response =>
  answer(201, projected(url, resource), { location: `${BASE}/${path}/${id}` })

const shown = (url: URL, row: Identity, resource: JsonObject): Response =>
  answer(200, projected(url, resource), { etag: etagOf(row.version) })

export const createModelServer = (): Send => {
  const users = new Map<string, Row<ScimUser>>()
  const groups = new Map<string, Row<ScimGroup>>()
  const members = new Map<string, Set<string>>()
  let clock = 0

  const now = (): string => new Date(Date.UTC(2026, 0, 1) + (clock += 1000)).toISOString()
  const newId = (): string => `00000000-0000-4000-8000-${String(users.size + groups.size + (clock += 1)).padStart(12, '0')}`

  const userOf = (row: Row<ScimUser>): JsonObject =>
    renderUser(storedUser(row.resource, row), {
      base: BASE,
      groups: [...groups.values()].filter(({ id }) => members.get(id)?.has(row.id)).map(({ id, resource }) => ({
        value: id, display: resource.displayName,
      })),
    })
  const displayOf = (userId: string): string => {
    const user = users.get(userId)?.resource
    return String(user?.displayName ?? user?.userName ?? '')
  }
  const groupOf = (row: Row<ScimGroup>): JsonObject =>
    renderGroup(storedGroup(row.resource, row), {
      base: BASE, members: [...(members.get(row.id) ?? [])].map((value): Member => ({ value, display: displayOf(value) })),
    })

  const insertOrRefuse = <T>(rows: Map<string, Row<T>>, id: string, row: Row<T>, nameOf: (resource: T) => string): Row<T> => {
    const name = foldText(nameOf(row.resource))
    const taken = [...rows.values()].some((other) => other.id !== id && foldText(nameOf(other.resource)) === name)
    if (taken) throw new Refusal(uniqueness('The name is taken.'))
    rows.set(id, row)
    return row
  }
  const moved = <T>(row: Row<T>, resource: T, changed: boolean): Row<T> =>
    changed ? { ...row, resource, modified: now(), version: row.version + 1 } : row
  const fresh = <T>(resource: T): Row<T> => {
    const created = now()
    return { id: newId(), created, modified: created, version: 1, resource }
  }
  const saveUser = (row: Row<ScimUser>): Row<ScimUser> => insertOrRefuse(users, row.id, row, ({ userName }) => userName)
  const saveGroup = (row: Row<ScimGroup>): Row<ScimGroup> => insertOrRefuse(groups, row.id, row, ({ displayName }) => displayName)

  /** Carries the operations out; refuses unknown ids when nothing else would change (scim-decisions 19). */
  const applyMembers = (groupId: string, operations: readonly MemberOperation[], otherwiseChanged: boolean): boolean => {
    const before = members.get(groupId) ?? new Set<string>()
    let after = new Set(before)
    const unknown: string[] = []
    const take = ({ value }: Member): void => {
      if (users.has(value)) after.add(value)
      else unknown.push(value)
    }
    for (const operation of operations) {
      if (operation.op === 'clear' || operation.op === 'replace') after = new Set()
      if (operation.op === 'add' || operation.op === 'replace') operation.members.forEach(take)
      if (operation.op === 'remove') for (const value of operation.values) after.delete(value)
    }
    const changed = after.size !== before.size || [...after].some((id) => !before.has(id))
    if (unknown.length > 0 && !changed && !otherwiseChanged) {
      throw new Refusal(invalidValue(`"members" names unknown users: ${unknown.join(', ')}.`))
    }
    members.set(groupId, after)
    return changed
  }

  const find = <T>(rows: Map<string, Row<T>>, id: string): Row<T> => {
    const row = rows.get(id)
    if (row === undefined) throw new Refusal(notFound(`There is no resource "${id}".`))
    return row
  }

  const onUsers = ({ method, url, id, body }: Request): Response => {
    const json = (): JsonObject => must(parseJson(body ?? '')) as JsonObject
    if (id === undefined) {
      if (method === 'GET') return list(url, [...users.values()].map(userOf))
      const row = saveUser(fresh(must(readUser(json()))))
      return created(url, userOf(row), 'Users', row.id)
    }
    const row = find(users, id)
    if (method === 'DELETE') {
      users.delete(id)
      for (const set of members.values()) set.delete(id)
      return answer(204, null)
    }
    if (method === 'GET') return shown(url, row, userOf(row))
    const written = method === 'PUT' ? replaceUser(row.resource, json()) : patchUser(row.resource, must(readPatch(json())))
    const { user, changed } = must(written)
    const saved = saveUser(moved(row, user, changed))
    return shown(url, saved, userOf(saved))
  }

  const onGroups = ({ method, url, id, body }: Request): Response => {
    const json = (): JsonObject => must(parseJson(body ?? '')) as JsonObject
    if (id === undefined) {
      if (method === 'GET') return list(url, [...groups.values()].map(groupOf))
      const read = must(readGroup(json()))
      const row = saveGroup(fresh(read.group))
      applyMembers(row.id, [{ op: 'replace', members: read.members ?? [] }], true)
      return created(url, groupOf(row), 'Groups', row.id)
    }
    const row = find(groups, id)
    if (method === 'DELETE') {
      groups.delete(id)
      members.delete(id)
      return answer(204, null)
    }
    if (method === 'GET') return shown(url, row, groupOf(row))
    const save = (group: ScimGroup, changed: boolean, operations: readonly MemberOperation[]): Row<ScimGroup> => {
      const membersChanged = applyMembers(id, operations, changed)
      return saveGroup(moved(row, group, changed || membersChanged))
    }
    if (method === 'PUT') {
      const { group, members: given, changed } = must(replaceGroup(row.resource, json()))
      const saved = save(group, changed, given === undefined ? [] : [{ op: 'replace', members: given }])
      return shown(url, saved, groupOf(saved))
    }
    const { group, members: operations, changed } = must(patchGroup(row.resource, must(readPatch(json()))))
    const saved = save(group, changed, operations)
    const wantsBody = ['attributes', 'excludedAttributes'].some((name) => url.searchParams.has(name))
    return wantsBody ? shown(url, saved, groupOf(saved)) : answer(204, null)
  }

  const route = (method: string, url: URL, body: string | undefined): Response => {
    const parts = url.pathname.replace('/scim/v2', '').split('/').filter((part) => part !== '')
    const [endpoint, id, ...rest] = parts.map(decodeURIComponent)
    const request = { method, url, id, body }
    if (rest.length > 0) throw new Refusal(notFound('There is nothing here.'))
    if (endpoint === 'Users') return onUsers(request)
    if (endpoint === 'Groups') return onGroups(request)
    if (endpoint === 'ServiceProviderConfig' || endpoint === 'ResourceTypes' || endpoint === 'Schemas') {
      if (method !== 'GET') throw new Refusal(forbidden('Discovery is read only.'))
      return answer(200, must(discover({ endpoint, id: id ?? null, isFiltered: isFiltered(url.searchParams) }, { base: BASE, hasCatalogue: false })))
    }
    throw new Refusal(notFound('This is not a SCIM endpoint.'))
  }

  return (method, path, _headers, body) => {
    try {
      return Promise.resolve(route(method, stripEntraFlag(new URL(`${BASE}${path}`)), body))
    } catch (error) {
      if (!(error instanceof Refusal)) return Promise.reject(error)
      return Promise.resolve(answer(error.error.status, { ...scimErrorBody(error.error) }))
    }
  }
}
