import { createConnection } from '../../src/directory/connections'
import { receive, type Taken } from '../../src/directory/deliveries'
import { createPolicyCache } from '../../src/directory/policies'
import type { ScimContext } from '../../src/directory/scimCommand'
import type { ConnectionKind, DirectoryChange, PersonRef, SourceEvent } from '../../src/change'
import { readUser } from '../../src/scim/resource'
import { createUser, changeUser, deleteUser, findUser } from '../../src/directory/users'
import { openStore, START, type TestStore } from './memoryStore'

/** Senders of events and SCIM clients of one Directory, without HTTP: what each tells, and what the tables hold then. */

export interface EventWorld {
  readonly store: TestStore
  /** Makes a connection; those of one source tell of the same people. */
  readonly connect: (id: string, kind: ConnectionKind, source?: string) => string
  readonly tell: (connection: string, events: readonly SourceEvent[], options?: { isProven?: boolean; secrets?: readonly string[] }) => Taken
  /** A user as a SCIM client makes it. Returns its id. */
  readonly join: (connection: string, person: { readonly userName: string; readonly externalId?: string; readonly active?: boolean }) => string
  /** The same user put again, as SCIM clients do with every change of a profile. */
  readonly put: (connection: string, id: string, active: boolean) => void
  /** The user deleted, as a SCIM client does it. */
  readonly leave: (connection: string, id: string) => void
  readonly state: (connection: string) => DirectoryState
  /** `counts` of a user: whether it is active and nobody of its source has said otherwise. */
  readonly counts: (connection: string, externalId: string) => boolean | null
  readonly journal: (kind: string) => readonly unknown[]
  readonly questions: () => readonly string[]
  /** Empties the tables, for another round. */
  readonly clear: () => void
}

export interface DirectoryState {
  /** `externalId userName active|inactive[ stopped]` */
  readonly users: readonly string[]
  /** `externalId displayName` */
  readonly groups: readonly string[]
  /** `group person` by externalId. */
  readonly members: readonly string[]
}

export const openEventWorld = (run: (world: EventWorld) => void): Promise<void> =>
  openStore((store) => {
    const { sql } = store
    const contextOf = (id: string): ScimContext => ({
      store, actor: 'test', base: 'https://bridge.example/scim/v2', connection: { id, name: id, address: 'email', hasCatalogue: false },
      unmaps: () => false, policy: createPolicyCache(store),
    })
    const must = <T>(result: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown }): T => {
      if (!result.ok) throw new Error(JSON.stringify(result.error))
      return result.value
    }
    const texts = (query: string, ...values: string[]): string[] =>
      sql.rows<{ text: string }>(query, ...values).map(({ text }) => text).toSorted()

    run({
      store,
      connect: (id, kind, source = 'okta') => {
        must(createConnection(store, { kind, name: id, source, config: { address: 'email', issuers: [] } }, 'test', id))
        return id
      },
      tell: (connection, events, { isProven = true, secrets = [] } = {}) => {
        const taken: Taken[] = []
        store.transaction(() => {
          taken.push(receive(contextOf(connection), {
            events: structuredClone(events), isProven, isSecret: (hash) => secrets.includes(hash), signals: { sessionRevoked: 'refresh' },
          }))
        })
        const [outcome] = taken
        if (outcome === undefined) throw new Error('nothing was received')
        return outcome
      },
      join: (connection, { userName, externalId, active = true }) => {
        const user = must(readUser({ userName, active, ...(externalId === undefined ? {} : { externalId }) }))
        return must(createUser(contextOf(connection), user)).id
      },
      put: (connection, id, active) => {
        const context = contextOf(connection)
        const before = findUser(context, id)
        if (before === null) throw new Error(`no user ${id}`)
        must(changeUser(context, before, { ...before.user, active }, 'scim.replace'))
      },
      leave: (connection, id) => {
        const context = contextOf(connection)
        const user = findUser(context, id)
        if (user === null) throw new Error(`no user ${id}`)
        deleteUser(context, user)
      },
      state: (connection) => ({
        users: texts(
          `SELECT coalesce(external_id, '-') || ' ' || user_name || iif(active = 1, ' active', ' inactive') || iif(stopped IS NULL, '', ' stopped') AS text
           FROM users WHERE connection_id = ?`, connection),
        groups: texts(`SELECT coalesce(external_id, '-') || ' ' || display_name AS text FROM groups WHERE connection_id = ?`, connection),
        members: texts(
          `SELECT g.external_id || ' ' || u.external_id AS text FROM members m JOIN groups g ON g.id = m.group_id JOIN users u ON u.id = m.member_id
           WHERE g.connection_id = ?`, connection),
      }),
      counts: (connection, externalId) => {
        const row = sql.one<{ counts: number }>(
          `SELECT active = 1 AND stopped IS NULL AS counts FROM users WHERE connection_id = ? AND external_id = ?`, connection, externalId)
        return row === null ? null : row.counts === 1
      },
      journal: (kind) => sql.rows<{ data: string }>(`SELECT data FROM journal WHERE kind = ? ORDER BY seq`, kind).map(({ data }) => JSON.parse(data) as unknown),
      questions: () => texts(`SELECT connection_id || ' ' || kind || ' ' || id AS text FROM refreshes WHERE kind <> ?`, ''),
      clear: () => {
        for (const table of ['connections', 'users', 'groups', 'group_members', 'statements', 'deliveries', 'subjects', 'journal', 'refreshes']) sql.run(`DELETE FROM ${table}`)
      },
    })
  })

let serial = 0

/** An event with one change. Times are seconds before or after the world's start. */
export const event = (atSeconds: number | null, change: DirectoryChange, id = `event-${++serial}`): SourceEvent =>
  ({ id, type: change.kind, at: atSeconds === null ? null : START + atSeconds * 1000, changes: [change], refresh: [], acts: [] })

export const active = (who: PersonRef, is: boolean): DirectoryChange => ({ kind: 'active', who, active: is })

export const membership = (group: string, displayName: string | null, who: PersonRef, member: boolean): DirectoryChange =>
  ({ kind: 'membership', group: { id: group, displayName }, who, member })
