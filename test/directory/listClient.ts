import { createPageMarks } from '../../src/directory/pageMarks'
import { createPolicyCache } from '../../src/directory/policies'
import { executeScim } from '../../src/directory/scim'
import type { ScimCommand, ScimContext, ScimReply } from '../../src/directory/scimCommand'
import { draftPage, finishPage } from '../../src/directory/scimPage'
import type { Result } from '../../src/result'
import type { ScimError } from '../../src/scim/error'
import { readPatch } from '../../src/scim/patch'
import { isCursorQuery, readListQuery } from '../../src/scim/query'
import { readGroup, readUser } from '../../src/scim/resource'
import type { ResourceType } from '../../src/scim/schema'
import { openStore, type TestStore } from './memoryStore'

/** Lists as a client of one connection pages through them, without HTTP. */

export interface Resource {
  readonly id: string
  readonly [attribute: string]: unknown
}

export interface Listed {
  readonly status: number
  readonly scimType?: string
  readonly detail?: string
  readonly totalResults: number
  readonly startIndex?: number
  readonly itemsPerPage: number
  readonly nextCursor?: string
  readonly Resources: readonly Resource[]
}

type Params = Readonly<Record<string, string | number>>

export interface ListClient {
  readonly create: (type: ResourceType, body: unknown) => string
  readonly remove: (type: ResourceType, id: string) => void
  readonly replace: (type: ResourceType, id: string, path: string, value: unknown) => void
  /** By index. */
  readonly list: (type: ResourceType | null, params?: Params) => Listed
  /** By cursor, empty when `params` has none. */
  readonly page: (type: ResourceType | null, params?: Params) => Promise<Listed>
  /** Every page by cursor; `between` runs before each but the first. */
  readonly walk: (type: ResourceType | null, params?: Params, between?: (page: number) => void) => Promise<Listed[]>
}

export interface ListWorld {
  readonly store: TestStore
  readonly okta: ListClient
  readonly entra: ListClient
  /** A client of a connection of its own. */
  readonly client: (connectionId: string) => ListClient
}

const listedOf = (done: Result<ScimReply, ScimError>): Listed =>
  done.ok
    ? { status: done.value.status, ...(JSON.parse(done.value.body ?? '{}') as Omit<Listed, 'status'>) }
    : { totalResults: -1, itemsPerPage: -1, Resources: [], ...done.error }

const queryOf = (params: Params): ReturnType<typeof readListQuery> =>
  readListQuery(new URLSearchParams(Object.entries(params).map(([name, value]) => [name, String(value)])))

const clientOf = (context: ScimContext): ListClient => {
  const must = (command: Result<ScimCommand, ScimError>): ScimReply => {
    const done = command.ok ? executeScim(context, command.value) : command
    if (!done.ok) throw new Error(done.error.detail)
    return done.value
  }
  const list = (type: ResourceType | null, params: Params = {}): Listed => {
    const query = queryOf(params)
    return listedOf(query.ok ? executeScim(context, structuredClone({ op: 'list', type, query: query.value } as const)) : query)
  }
  const page = async (type: ResourceType | null, params: Params = {}): Promise<Listed> => {
    const query = queryOf({ cursor: '', ...params })
    if (!query.ok) return listedOf(query)
    if (!isCursorQuery(query.value)) throw new Error('no cursor')
    const draft = draftPage(context, structuredClone({ op: 'page', type, query: query.value } as const))
    return listedOf(draft.ok ? await finishPage(draft.value) : draft)
  }
  const walk = async (type: ResourceType | null, params: Params = {}, between?: (page: number) => void): Promise<Listed[]> => {
    const pages: Listed[] = []
    let cursor: string | undefined = ''
    while (cursor !== undefined) {
      if (pages.length > 0) between?.(pages.length)
      const next: Listed = await page(type, { ...params, cursor })
      pages.push(next)
      if (pages.length > 10_000) throw new Error('a list without an end')
      cursor = next.nextCursor
    }
    return pages
  }
  return {
    list, page, walk,
    create: (type, body) => {
      const read = type === 'User' ? readUser(body) : null
      const group = type === 'Group' ? readGroup(body) : null
      const reply = read !== null
        ? must(read.ok ? { ok: true, value: { op: 'createUser', user: read.value } } : read)
        : must(group?.ok === true ? { ok: true, value: { op: 'createGroup', group: group.value.group, members: group.value.members ?? [] } } : { ok: false, error: { status: 400, detail: 'no group' } })
      return String((JSON.parse(reply.body ?? '{}') as Resource).id)
    },
    remove: (type, id) => void must({ ok: true, value: { op: 'delete', type, id, ifMatch: null } }),
    replace: (type, id, path, value) => {
      const operations = readPatch({ Operations: [{ op: 'replace', path, value }] })
      must(operations.ok
        ? { ok: true, value: { op: 'patch', type, id, operations: operations.value, ifMatch: null, view: { attributes: [], excludedAttributes: [], ifNoneMatch: null } } }
        : operations)
    },
  }
}

/** Two connections over one store. What is remembered of pages is remembered as the Directory does. */
export const openLists = (run: (world: ListWorld) => void | Promise<void>): Promise<void> =>
  openStore(async (store) => {
    const marks = createPageMarks()
    const client = (id: string): ListClient =>
      clientOf({
        store, marks, base: 'https://bridge.example/scim/v2', actor: `token of ${id}`,
        connection: { id, name: `Connection ${id}`, address: 'email', hasCatalogue: false },
        unmaps: () => false, policy: createPolicyCache(store),
      })
    await run({ store, client, okta: client('okta'), entra: client('entra') })
  })

export const idsOf = (...pages: readonly Listed[]): string[] => pages.flatMap(({ Resources }) => Resources.map(({ id }) => id))

export const userNamed = (name: string, more: Readonly<Record<string, unknown>> = {}): unknown => ({ userName: `${name}@example.com`, ...more })

/** Many users at once, made in SQL: `okta-u1` is the first of the connection `okta`. */
export const crowd = ({ store }: Pick<ListWorld, 'store'>, connectionId: string, size: number, prefix = 'u'): void => {
  store.sql.run(
    `WITH RECURSIVE n (name, i) AS (SELECT ? || '1', 1 UNION ALL SELECT ? || (i + 1), i + 1 FROM n WHERE i < ?)
     INSERT INTO users (id, connection_id, user_name, user_name_fold, active, created, modified, version, data, fold)
     SELECT ? || '-' || name, ?, name, name, 1, '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z', 1,
       json_object('schemas', json_array('urn:ietf:params:scim:schemas:core:2.0:User'), 'id', ? || '-' || name, 'userName', name), json_object('userName', name) FROM n`,
    prefix, prefix, size, connectionId, connectionId, connectionId)
  store.sql.run(
    `INSERT INTO counters (name, hour, value) VALUES (?, 0, ?) ON CONFLICT (name, hour) DO UPDATE SET value = value + excluded.value`,
    `users:${connectionId}`, size)
}
