import * as z from 'zod'
import type { ArizeError } from '../reconcile/target'
import { ok, type Result } from '../result'
import type { Reader } from './client'
import { contradiction, type Reply } from './error'

/** The largest that Arize allows. */
const PAGE_SIZE = 100

/** 100,000 things. A list that goes on after that is a loop of Arize's, not an account's. */
const PAGES_MAX = 1_000

export interface Page<T> {
  readonly items: readonly T[]
  readonly hasMore: boolean
  readonly cursor: string | null
}

const paginationSchema = z.object({ pagination: z.object({ has_more: z.boolean(), next_cursor: z.string().nullish() }) })

/** Reads one page of a list: `{"<plural>": […], "pagination": {…}}`. */
export const asPage = <T>(plural: string, item: z.ZodType<T>): Reader<Page<T>> => {
  const listSchema = z.object({ [plural]: z.array(item) })
  return (data) => {
    const list = listSchema.safeParse(data)
    const pagination = paginationSchema.safeParse(data)
    const items = list.data?.[plural]
    if (items === undefined || !pagination.success) return null
    const { has_more: hasMore, next_cursor: cursor } = pagination.data.pagination
    return { items, hasMore, cursor: cursor ?? null }
  }
}

/** The query of one page. */
export interface PageQuery {
  readonly limit: number
  readonly cursor?: string
}

/**
 * Every item of a list, or an error: half a list is none, since what is missing from it would be taken for gone. Goes by
 * `has_more` and not by fullness (API page "Pagination": short and empty pages are normal).
 */
export const readAll = async <T>(
  read: (query: PageQuery) => Promise<Result<Page<T>, ArizeError>>,
  pagesMax = PAGES_MAX,
): Reply<readonly T[]> => {
  const items: T[] = []
  const seen = new Set<string>()
  let query: PageQuery = { limit: PAGE_SIZE }
  for (let pages = 0; pages < pagesMax; pages += 1) {
    const page = await read(query)
    if (!page.ok) return page
    items.push(...page.value.items)
    if (!page.value.hasMore) return ok(items)
    const { cursor } = page.value
    if (cursor === null || cursor === '') return contradiction('A list has more, but no cursor to it.')
    if (seen.has(cursor)) return contradiction('A list came back to a cursor that it had given before.')
    seen.add(cursor)
    query = { limit: PAGE_SIZE, cursor }
  }
  return contradiction(`A list did not end within ${pagesMax} pages.`)
}
