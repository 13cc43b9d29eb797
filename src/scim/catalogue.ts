/**
 * Roles and Entitlements as resources: rendered, and searched, sorted and paged in memory, since a policy has few. Where they
 * come from, and who may see them, is not known here.
 */
import { err, ok } from '../result'
import type { Result } from '../result'
import { valueAt } from './attribute'
import { cursorContext, foreignCursor } from './cursor'
import { expiredCursor, invalidCount } from './error'
import type { ScimError } from './error'
import { etagOf } from './etag'
import { compileResourceTest } from './filterMatch'
import type { JsonObject } from './json'
import { project } from './project'
import { isCursorQuery } from './query'
import type { CursorQuery, ListQuery, Projection } from './query'
import { listResponse } from './render'
import { catalogueDefinitionOf, resolveName } from './schema'
import type { CatalogueType } from './schema'
import { compareText, foldText } from './text'

/** What may be assigned: `id` is a segment of a URL. */
export interface CatalogueEntry {
  readonly id: string
  readonly name: string
  readonly description: string
}

/** Where resources of one type are, and of which version of the policy they are. */
export interface CataloguePlace {
  readonly type: CatalogueType
  /** The absolute SCIM base. */
  readonly base: string
  readonly version: number
}

export const catalogueEndpoint = (type: CatalogueType): 'Roles' | 'Entitlements' => (type === 'Role' ? 'Roles' : 'Entitlements')

/** The whole resource. */
export const renderEntry = ({ type, base, version }: CataloguePlace, { id, name, description }: CatalogueEntry): JsonObject => ({
  schemas: [catalogueDefinitionOf(type).schema],
  id,
  displayName: name,
  ...(type === 'Entitlement' ? { type } : {}),
  description,
  meta: { resourceType: type, location: `${base.replace(/\/$/, '')}/${catalogueEndpoint(type)}/${encodeURIComponent(id)}`, version: etagOf(version) },
})

/** The part of a resource that the client asked for. */
export const projectEntry = (type: CatalogueType, resource: JsonObject, { attributes, excludedAttributes }: Projection): JsonObject =>
  project(resource, attributes, excludedAttributes, catalogueDefinitionOf(type))

/** As for Users: a key without an order is ignored, and what has no value comes last when ascending. */
const sorted = (type: CatalogueType, resources: readonly JsonObject[], { sortBy, sortOrder }: ListQuery): readonly JsonObject[] => {
  const path = sortBy === undefined ? null : resolveName(catalogueDefinitionOf(type), sortBy)
  const end = path?.at(-1)
  if (path === null || end === undefined || end.type === 'complex' || end.multiValued) return resources
  const keyOf = (resource: JsonObject): string => {
    const value = valueAt(resource, path)
    const text = typeof value === 'string' ? value : ''
    return end.caseExact ? text : foldText(text)
  }
  const keyed = resources.map((resource) => ({ resource, key: keyOf(resource) }))
  const direction = sortOrder === 'descending' ? -1 : 1
  return keyed.toSorted((a, b) => direction * compareText(a.key, b.key)).map(({ resource }) => resource)
}

/** FNV-1a. It notices what was changed by mistake; there is nothing to gain by deceiving it. */
const digestOf = (text: string): number => {
  let digest = 0x811c9dc5
  for (let at = 0; at < text.length; at += 1) digest = Math.imul(digest ^ text.charCodeAt(at), 0x01000193)
  return digest >>> 0
}

/**
 * The numbers of a cursor (RFC 9865): the version of the policy, how many were before, the count, and what else was asked. Without
 * a seal, since every page is made of what its caller may see.
 */
const cursorOf = ({ type, version }: CataloguePlace, query: ListQuery, offset: number): string =>
  [version, offset, query.count, digestOf(type + cursorContext('', null, query))].map((number) => number.toString(36)).join('.')

const readNumbers = (cursor: string): readonly number[] =>
  /^[\da-z]{1,10}(?:\.[\da-z]{1,10}){3}$/.test(cursor) ? cursor.split('.').map((text) => Number.parseInt(text, 36)) : []

/** Where the page begins. 400 `invalidCursor`, `invalidCount`, or `expiredCursor` once there is another policy. */
const offsetOf = (place: CataloguePlace, query: ListQuery | CursorQuery): Result<number, ScimError> => {
  if (!isCursorQuery(query)) return ok(query.startIndex - 1)
  if (query.cursor === '') return ok(0)
  const [version = 0, offset = 0, count = 0] = readNumbers(query.cursor)
  if (cursorOf({ ...place, version }, { ...query, count }, offset) !== query.cursor) return foreignCursor()
  if (count !== query.count) return err(invalidCount(`"count" must be that of the first page, which was ${count}.`))
  return version === place.version ? ok(offset) : err(expiredCursor('The policy has changed since. Begin again with an empty cursor.'))
}

/** The ListResponse. 400 `invalidFilter`, and what may be wrong with a cursor. */
export const listCatalogue = (
  place: CataloguePlace, entries: readonly CatalogueEntry[], query: ListQuery | CursorQuery,
): Result<JsonObject, ScimError> => {
  const test = query.filter === null ? null : compileResourceTest(query.filter, catalogueDefinitionOf(place.type))
  if (test !== null && !test.ok) return test
  const offset = offsetOf(place, query)
  if (!offset.ok) return offset
  const all = entries.map((entry) => renderEntry(place, entry))
  const found = test === null ? all : all.filter(test.value)
  const end = offset.value + query.count
  const page = sorted(place.type, found, query).slice(offset.value, end)
  const resources = page.map((resource) => projectEntry(place.type, resource, query))
  const list = listResponse({ totalResults: found.length, startIndex: query.startIndex, resources })
  if (!isCursorQuery(query)) return ok(list)
  const { startIndex: _startIndex, Resources, ...message } = list
  const isLast = query.count === 0 || end >= found.length
  return ok({ ...message, ...(isLast ? {} : { nextCursor: cursorOf(place, query, end) }), Resources })
}
