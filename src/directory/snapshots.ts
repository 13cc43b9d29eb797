import type { GroupFact } from '../policy/evaluate'
import type { Conflict } from '../policy/entitlement'
import type { Exemption, Snapshot } from '../reconcile/snapshot'
import { foldAddress } from '../scim/address'
import { ledgerOf } from './ledger'
import type { PolicyInForce } from './policies'
import { isBackfilling } from './refreshes'
import type { Store } from './sql'
import { KEYS_ASKED, subjectOf, type SubjectRow } from './subjects'

/** Builds the reconciler's view of one subject out of the tables. */

/** An account is read again when it was not for this long (nightly). */
const ACCOUNT_STALE_MS = 24 * 3_600_000

/** The groups of every user that counts for the address. */
export const groupsOf = ({ sql }: Pick<Store, 'sql'>, address: string): GroupFact[] =>
  sql
    .rows<{ id: string; display_name: string; external_id: string | null; connection_id: string; name: string }>(
      `SELECT DISTINCT g.id, g.display_name, g.external_id, g.connection_id, c.name
       FROM users u JOIN group_members m ON m.user_seq = u.seq JOIN groups g ON g.seq = m.group_seq JOIN connections c ON c.id = g.connection_id
       WHERE u.email = ? AND u.active = 1 AND u.stopped IS NULL AND u.hold IS NULL ORDER BY g.seq`, address)
    .map((row) => ({
      id: row.id, displayName: row.display_name, externalId: row.external_id, connection: { id: row.connection_id, name: row.name },
    }))

interface CountingUser {
  readonly [column: string]: string
  readonly data: string
  readonly connection_id: string
  readonly name: string
}

const countingUsers = ({ sql }: Pick<Store, 'sql'>, address: string): CountingUser[] =>
  sql.rows<CountingUser>(
    `SELECT u.data, u.connection_id, c.name FROM users u JOIN connections c ON c.id = u.connection_id
     WHERE u.email = ? AND u.active = 1 AND u.stopped IS NULL AND u.hold IS NULL ORDER BY u.seq LIMIT 20`, address)

type Entitled = Snapshot['entitlements'][number]

const entitlementsOf = (users: readonly CountingUser[]): Entitled[] =>
  users.flatMap(({ data, connection_id: id, name }) =>
    entitlementValues(JSON.parse(data) as { entitlements?: unknown; roles?: unknown }).map((value) => ({ value, connection: { id, name } })))

/** What mappings by `entitlement` are compared with, of one stored user. */
export const entitlementValues = ({ entitlements, roles }: { readonly entitlements?: unknown; readonly roles?: unknown }): string[] =>
  [...valuesOf(entitlements), ...valuesOf(roles)]

const valuesOf = (list: unknown): string[] =>
  Array.isArray(list)
    ? list.flatMap((element: unknown) => {
        const value = typeof element === 'object' && element !== null && 'value' in element ? element.value : null
        return typeof value === 'string' ? [value] : []
      })
    : []

/** What an account would be named. Arize refuses names that are empty or longer than 255 characters. */
export const nameOf = (user: string | undefined, address: string): string => {
  const { displayName, name } = JSON.parse(user ?? '{}') as { displayName?: string; name?: { formatted?: string; givenName?: string; familyName?: string } }
  const whole = [name?.givenName, name?.familyName].filter((part) => part !== undefined && part !== '').join(' ')
  const chosen = [displayName, name?.formatted, whole].find((text) => typeof text === 'string' && text.trim() !== '')
  return (chosen ?? address).trim().slice(0, 255)
}

const exemptionOf = ({ sql, now }: Pick<Store, 'sql' | 'now'>, address: string): Exemption | null => {
  const row = sql.one<{ until: number; reason: string }>(
    `SELECT until, reason FROM overrides WHERE address = ? AND kind = 'exempt' AND until > ? ORDER BY until DESC LIMIT 1`, address, now())
  return row === null ? null : { until: new Date(row.until).toISOString(), reason: row.reason }
}

/** A renamed person's old roles wait until the new address is in step (design section 10.1). */
const pendingRename = ({ sql }: Pick<Store, 'sql'>, row: SubjectRow | null): string | null => {
  if (row === null || row.renamed_to === null) return null
  const next = sql.one<{ state: string; leaver: string | null }>(`SELECT state, leaver FROM subjects WHERE address = ?`, row.renamed_to)
  return next?.state === 'in_step' ? null : row.renamed_to
}

const doubtsAccount = (row: SubjectRow, now: number): boolean => {
  if (row.arize_read === null || now - row.arize_read > ACCOUNT_STALE_MS) return true
  const conflicts = JSON.parse(row.conflicts) as Conflict[]
  return conflicts.some(({ code }) => code === 'annotator_rule' || code === 'account_role' || code === 'annotator_mixed')
}

export const snapshotOf = (store: Store, address: string, policy: PolicyInForce, ownUser: string | null): Snapshot => {
  const row = subjectOf(store, address)
  const users = countingUsers(store, address)
  return {
    address,
    generation: row?.generation ?? 0,
    name: nameOf(users[0]?.data, address),
    leaver: row?.leaver ?? null,
    groups: users.length === 0 ? [] : groupsOf(store, address),
    entitlements: entitlementsOf(users),
    policy: policy.compiled,
    account: row === null || row.arize_id === null ? null : { id: row.arize_id, role: row.arize_role ?? '', createdByBridge: row.arize_created === 1 },
    createIntendedAt: row?.create_intended ?? null,
    isBackfilling: (row === null || row.arize_id === null) && isBackfilling(store),
    areKeysDue: (row?.keys_due ?? 0) > 0,
    areKeysAsked: row?.keys_due === KEYS_ASKED,
    isAccountDoubtful: row === null || doubtsAccount(row, store.now()),
    ledger: ledgerOf(store, address),
    renamedTo: pendingRename(store, row),
    isProtected: (policy.compiled?.policy.protected ?? []).some((person) => foldAddress(person) === address),
    isOwnUser: ownUser === address,
    exemption: exemptionOf(store, address),
    approved: new Set(row?.approved === null || row === null ? [] : (JSON.parse(row.approved) as string[])),
    changedAt: row?.changed ?? 0,
  }
}
