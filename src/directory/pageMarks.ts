import type { ResourceType } from '../scim/schema'
import type { ScimContext } from './scimCommand'
import type { Row } from './sql'

/**
 * Where pages of the whole list began, remembered in memory: which row has how many before it. New rows come last (`seq` only
 * grows), so a mark is right for as long as nobody is gone who was there when it was made; that is looked at before each use.
 */

export interface Mark {
  /** How many rows are not after `seq`. */
  readonly offset: number
  readonly seq: number
}

/** Marks closer than this save too few steps to be kept. */
const APART = 500

export const START: Mark = { offset: 0, seq: 0 }

interface List {
  /** How many rows there were, and the last one's number, when the marks were last known to be right. */
  total: number
  newest: number
  /** By offset. */
  readonly marks: Mark[]
}

export interface PageMarks {
  /** The nearest mark that has at most `offset` rows before it. */
  before(context: ScimContext, type: ResourceType, total: number, offset: number): Mark
  /** Only right after `before` said that the marks are. */
  put(context: ScimContext, type: ResourceType, mark: Mark): void
}

const TABLES: Readonly<Record<ResourceType, string>> = { User: 'users', Group: 'groups' }

interface Newer extends Row {
  n: number
  newest: number | null
}

const newerThan = ({ store, connection }: ScimContext, type: ResourceType, seq: number): Newer =>
  store.sql.one<Newer>(`SELECT count(*) AS n, max(seq) AS newest FROM ${TABLES[type]} WHERE connection_id = ? AND seq > ?`, connection.id, seq)
    ?? { n: 0, newest: null }

const newestOf = ({ store, connection }: ScimContext, type: ResourceType): number =>
  store.sql.one<{ newest: number | null }>(`SELECT max(seq) AS newest FROM ${TABLES[type]} WHERE connection_id = ?`, connection.id)?.newest ?? 0

export const createPageMarks = (): PageMarks => {
  const lists = new Map<string, List>()
  const keyOf = ({ connection }: ScimContext, type: ResourceType): string => `${type} ${connection.id}`

  /** Whoever came since has a higher number; if the total rose by just these, all others are still there. */
  const verify = (context: ScimContext, type: ResourceType, total: number): List => {
    const known = lists.get(keyOf(context, type))
    if (known !== undefined) {
      const { n, newest } = newerThan(context, type, known.newest)
      if (known.total + n === total) {
        known.total = total
        known.newest = newest ?? known.newest
        return known
      }
    }
    const list: List = { total, newest: newestOf(context, type), marks: [] }
    lists.set(keyOf(context, type), list)
    return list
  }

  return {
    before: (context, type, total, offset) => verify(context, type, total).marks.findLast((mark) => mark.offset <= offset) ?? START,
    put: (context, type, mark) => {
      const marks = lists.get(keyOf(context, type))?.marks
      if (marks === undefined || [START, ...marks].some(({ offset }) => Math.abs(offset - mark.offset) < APART)) return
      marks.splice(marks.findLastIndex(({ offset }) => offset < mark.offset) + 1, 0, mark)
    },
  }
}
