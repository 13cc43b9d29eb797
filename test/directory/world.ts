import { createConnection } from '../../src/directory/connections'
import { userChanged, type UserState } from '../../src/directory/identity'
import { removeFromGroups } from '../../src/directory/members'
import { createPolicyCache, putPolicy } from '../../src/directory/policies'
import { createReconciler, type Reconciler } from '../../src/directory/reconciler'
import { markMembers, markUsers, subjectOf, type SubjectRow } from '../../src/directory/subjects'
import { createSubjectStore } from '../../src/directory/subjectStore'
import { clearTimer } from '../../src/directory/meta'
import { startNights } from '../../src/directory/timers'
import { createFakeArize, type FakeArize } from './fakeArize'
import { dropMember, groupSeq, putMember } from './memberRows'
import { openStore, type TestStore } from './memoryStore'

/** A Directory without its Durable Object: tables, reconciler and a fake Arize, with people put straight into the tables. */
export interface World {
  readonly store: TestStore
  readonly arize: FakeArize
  readonly reconciler: Reconciler
  /** A reconciler as after a crash: nothing remembered but the tables. */
  readonly restart: () => Reconciler
  readonly policy: (document: unknown) => void
  readonly group: (name: string, members?: readonly string[]) => string
  readonly renameGroup: (id: string, name: string) => void
  readonly addMember: (group: string, userId: string) => void
  readonly removeMember: (group: string, userId: string) => void
  readonly join: (address: string | null, options?: { externalId?: string | null; active?: boolean; connection?: string }) => string
  readonly change: (userId: string, change: { address?: string; active?: boolean; externalId?: string | null }) => void
  readonly remove: (userId: string) => void
  readonly subject: (address: string) => SubjectRow
  readonly wokenAt: () => number | null
  readonly journal: (kind: string) => unknown[]
}

export const CONNECTION = 'okta'

interface UserRow {
  readonly [column: string]: string | number | null
  readonly id: string
  readonly connection_id: string
  readonly external_id: string | null
  readonly active: number
  readonly email: string | null
  readonly hold: string | null
}

export const openWorld = (run: (world: World) => void | Promise<void>, options: { ownUser?: string } = {}): Promise<void> =>
  openStore(async (store) => {
    const { sql } = store
    const arize = createFakeArize()
    const policy = createPolicyCache(store)
    let wokenAt: number | null = null
    const restart = (): Reconciler =>
      createReconciler({
        store,
        subjects: createSubjectStore(store, { policy, ownUser: options.ownUser ?? null, names: arize.names }),
        arize: { urgent: arize, normal: arize },
        callsMade: () => arize.calls.length,
        random: () => 0.5,
        retentionDays: () => policy().compiled?.policy.journal.retentionDays ?? 400,
        yieldTurn: () => Promise.resolve(),
        wakeAt: (at) => {
          wokenAt = at
        },
      })
    clearTimer(store, 'nightly') // set by the object that lends its storage, at the real time
    startNights(store)
    createConnection(store, { kind: 'scim', name: 'Okta', source: 'okta', config: { address: 'email', issuers: [] } }, 'test', CONNECTION)

    const stateOf = (row: UserRow): UserState & { held: boolean } => ({
      id: row.id, connectionId: row.connection_id, externalId: row.external_id, active: row.active === 1, address: row.email, held: row.hold !== null,
    })
    const row = (userId: string): UserRow => {
      const found = sql.one<UserRow>(`SELECT id, connection_id, external_id, active, email, hold FROM users WHERE id = ?`, userId)
      if (found === null) throw new Error(`no user ${userId}`)
      return found
    }
    await run({
      store, arize, restart,
      reconciler: restart(),
      policy: (document) => {
        const put = putPolicy(store, document, 'test')
        if (!put.ok) throw new Error(JSON.stringify(put.error))
      },
      group: (name, members = []) => {
        const id = store.newId()
        sql.run(
          `INSERT INTO groups (id, connection_id, display_name, display_name_fold, created, modified, version, data, fold) VALUES (?, ?, ?, ?, '', '', 1, '{}', '{}')`,
          id, CONNECTION, name, name.toLowerCase())
        for (const member of members) putMember(store, id, member)
        markUsers(store, members, 'quiet')
        return id
      },
      renameGroup: (id, name) => {
        markMembers(store, groupSeq(store, id), 'emptied', 'rename')
        sql.run(`UPDATE groups SET display_name = ?, display_name_fold = ? WHERE id = ?`, name, name.toLowerCase(), id)
      },
      addMember: (group, userId) => {
        putMember(store, group, userId)
        markUsers(store, [userId], 'quiet')
      },
      removeMember: (group, userId) => {
        dropMember(store, group, userId)
        markUsers(store, [userId], 'quiet')
      },
      join: (address, { externalId = null, active = true, connection = CONNECTION } = {}) => {
        const id = store.newId()
        sql.run(
          `INSERT INTO users (id, connection_id, user_name, user_name_fold, external_id, active, email, created, modified, version, data, fold)
           VALUES (?, ?, ?, ?, ?, ?, ?, '', '', 1, '{}', '{}')`,
          id, connection, id, id, externalId, active ? 1 : 0, address)
        userChanged(store, { before: null, after: stateOf(row(id)), actor: 'test', how: 'deactivated' })
        return id
      },
      change: (userId, { address, active, externalId }) => {
        const before = row(userId)
        sql.run(`UPDATE users SET email = ?, active = ?, external_id = ? WHERE id = ?`,
          address ?? before.email, active === undefined ? before.active : Number(active), externalId === undefined ? before.external_id : externalId, userId)
        userChanged(store, { before: stateOf(before), after: stateOf(row(userId)), actor: 'test', how: 'deactivated' })
      },
      remove: (userId) => {
        const before = row(userId)
        removeFromGroups(store, userId)
        sql.run(`DELETE FROM users WHERE id = ?`, userId)
        userChanged(store, { before: stateOf(before), after: null, actor: 'test', how: 'deleted' })
      },
      subject: (address) => {
        const found = subjectOf(store, address)
        if (found === null) throw new Error(`nobody at ${address}`)
        return found
      },
      wokenAt: () => wokenAt,
      journal: (kind) => sql.rows<{ data: string }>(`SELECT data FROM journal WHERE kind = ? ORDER BY seq`, kind).map(({ data }) => JSON.parse(data) as unknown),
    })
  })
