/**
 * Roles and Entitlements as resources: rendered, and searched, sorted and paged in memory, since a policy has few. Where they
 * come from, and who may see them, is not known here.
 */
import { err, ok } from '../result'
import type { Result } from '../result'
import { valueAt } from './attribute'
import { invalidCursor } from './error'
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

/** The ListResponse. 400 `invalidFilter`; 400 `invalidCursor` for a page by cursor, of which only the first is made. */
export const listCatalogue = (place: CataloguePlace, facts: readonly CatalogueEntry[], query: ListQuery | CursorQuery): Result<JsonObject, ScimError> => {
  const test = query.filter === null ? null : compileResourceTest(query.filter, catalogueDefinitionOf(place.type))
  if (test !== null && !test.ok) return test
  const all = facts.map((fact) => renderEntry(place, fact))
  const found = test === null ? all : all.filter(test.value)
  const isByCursor = isCursorQuery(query)
  if (isByCursor && (query.cursor !== '' || found.length > query.count)) {
    return err(invalidCursor(`${catalogueEndpoint(place.type)} are paged by "startIndex" and "count".`))
  }
  const page = sorted(place.type, found, query).slice(query.startIndex - 1, query.startIndex - 1 + query.count)
  const resources = page.map((resource) => projectEntry(place.type, resource, query))
  return ok(listResponse({ totalResults: found.length, startIndex: query.startIndex, resources }))
}
