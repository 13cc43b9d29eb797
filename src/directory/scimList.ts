import type { ScimError } from '../scim/error'
import type { JsonObject } from '../scim/json'
import type { Projection, ListQuery } from '../scim/query'
import type { ResourceType } from '../scim/schema'
import type { Result } from '../result'
import { readLarge, sourceOf, type PageRow, type Source } from './pageSource'
import type { ScimContext } from './scimCommand'
import { fitAnswer, groupTexts, listText, userTexts, type PageItem } from './scimView'

/** One page of Users, of Groups or of both, by index: the filter, the order and the page are SQL. */

/** In the order in which lists over all types have them (RFC 7644 section 3.4.2.1). */
const ALL_TYPES: readonly ResourceType[] = ['User', 'Group']

export const typesOf = (type: ResourceType | null): readonly ResourceType[] => (type === null ? ALL_TYPES : [type])

/** The resources of a page as texts, in its order; those from the one on that makes the answer too large are left out. */
export const pageTexts = (context: ScimContext, rows: readonly PageRow[], view: Projection): string[] => {
  const itemsOf = (type: ResourceType): PageItem[] =>
    rows.flatMap((row) => (row.type === type
      ? [{ id: row.id, read: () => JSON.parse(row.data ?? readLarge(context, row)) as JsonObject }]
      : []))
  const texts: Readonly<Record<ResourceType, string[]>> = {
    User: userTexts(context, itemsOf('User'), view),
    Group: groupTexts(context, itemsOf('Group'), view),
  }
  const next: Record<ResourceType, number> = { User: 0, Group: 0 }
  return rows.flatMap(({ type }) => texts[type][next[type]++] ?? [])
}

/** A page that is not full ends the list, and so tells how long it is, unless it is empty because it begins behind the end. */
const totalOf = (source: Source, { startIndex, count }: ListQuery, found: number): number =>
  found < count && (found > 0 || startIndex === 1) ? startIndex - 1 + found : source.count()

/**
 * The ListResponse as JSON text; `type` null for all that the caller may see. 400 `invalidFilter`; 400 `tooMany` when the page is too
 * large for one answer, or the filter for one statement.
 */
export const listResources = (context: ScimContext, type: ResourceType | null, query: ListQuery): Result<string, ScimError> => {
  const source = sourceOf(context, typesOf(type), query)
  if (!source.ok) return source
  const { startIndex, count } = query
  const rows = count === 0 ? [] : source.value.rows({ after: null, offset: startIndex - 1, limit: count })
  return fitAnswer(listText(totalOf(source.value, query, rows.length), startIndex, pageTexts(context, rows, query)))
}
