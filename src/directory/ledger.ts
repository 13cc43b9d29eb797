import type { Because } from '../policy/entitlement'
import { roleKey, roleOfKey, type Role } from '../policy/role'
import { slotKey, type Intention, type LedgerRow } from '../reconcile/ledger'
import type { Resource, ResourceKind } from '../reconcile/target'
import type { Row, Store } from './sql'
import { markHolders, type LedgerColumn } from './subjects'

/** The ledger's rows: what the bridge gave, one row per subject and slot, intended before and confirmed after each call. */

interface StoredRow extends Row {
  address: string
  kind: ResourceKind
  resource_id: string
  resource_name: string
  organization_id: string
  role: string | null
  intended: string | null
  because: string
}

const TAKE = 'take'

const intentionOf = (intended: string | null): Intention | null => {
  if (intended === null) return null
  if (intended === TAKE) return { op: 'take' }
  const role = roleOfKey(intended)
  return role === null ? { op: 'take' } : { op: 'give', role }
}

const ledgerRow = (row: StoredRow): LedgerRow => ({
  resource: { kind: row.kind, id: row.resource_id, name: row.resource_name, organizationId: row.organization_id },
  role: row.role === null ? null : roleOfKey(row.role),
  intention: intentionOf(row.intended),
  because: JSON.parse(row.because) as Because[],
})

export const ledgerOf = ({ sql }: Pick<Store, 'sql'>, address: string): LedgerRow[] =>
  sql
    .rows<StoredRow>(`SELECT address, kind, resource_id, resource_name, organization_id, role, intended, because FROM ledger WHERE address = ? ORDER BY slot`, address)
    .map(ledgerRow)

/** The spaces that go with an organization are in doubt while its removal is. Returns whether one was before. */
export const intendCascades = ({ sql, now }: Store, address: string, cascades: readonly Resource[]): boolean => {
  let isInDoubt = false
  for (const resource of cascades) {
    const slot = slotKey(resource)
    const row = sql.one<{ intended: string | null }>(`SELECT intended FROM ledger WHERE address = ? AND slot = ?`, address, slot)
    isInDoubt ||= row !== null && row.intended !== null
    sql.run(`UPDATE ledger SET intended = ?, intended_at = ? WHERE address = ? AND slot = ?`, TAKE, now(), address, slot)
  }
  return isInDoubt
}

/** Writes down what is about to be asked. Returns whether an earlier call on the slot is still in doubt. */
export const intend = ({ sql, now }: Store, address: string, resource: Resource, intention: Intention, because: readonly Because[]): boolean => {
  const slot = slotKey(resource)
  const before = sql.one<{ intended: string | null }>(`SELECT intended FROM ledger WHERE address = ? AND slot = ?`, address, slot)
  const intended = intention.op === 'take' ? TAKE : roleKey(intention.role)
  if (before === null) {
    sql.run(
      `INSERT INTO ledger (address, slot, kind, resource_id, resource_name, organization_id, intended, intended_at, because) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      address, slot, resource.kind, resource.id, resource.name, resource.organizationId, intended, now(), JSON.stringify(because))
    return false
  }
  sql.run(`UPDATE ledger SET intended = ?, intended_at = ? WHERE address = ? AND slot = ?`, intended, now(), address, slot)
  return before.intended !== null
}

/** The slot holds this role now. */
export const confirmRole = ({ sql, now }: Store, address: string, resource: Resource, role: Role, because: readonly Because[]): void => {
  sql.run(
    `UPDATE ledger SET role = ?, intended = NULL, intended_at = NULL, confirmed_at = ?, because = ?, resource_name = ? WHERE address = ? AND slot = ?`,
    roleKey(role), now(), JSON.stringify(because), resource.name, address, slotKey(resource))
}

/** The slot holds nothing now, and neither does what was removed along with it. */
export const confirmGone = ({ sql }: Store, address: string, resource: Resource, cascades: readonly Resource[]): void => {
  for (const gone of [resource, ...cascades]) sql.run(`DELETE FROM ledger WHERE address = ? AND slot = ?`, address, slotKey(gone))
}

/** The call was certainly not carried out: a slot that was never confirmed was never held. */
export const withdraw = ({ sql }: Store, address: string, resource: Resource): void => {
  sql.run(`DELETE FROM ledger WHERE address = ? AND slot = ? AND role IS NULL`, address, slotKey(resource))
  sql.run(`UPDATE ledger SET intended = NULL, intended_at = NULL WHERE address = ? AND slot = ?`, address, slotKey(resource))
}

/** What was confirmed about an organization and all that is in it is in doubt: the next plan asserts it again. */
export const doubt = ({ sql, now }: Store, address: string, organizationId: string): void => {
  sql.run(
    `UPDATE ledger SET intended = role, intended_at = ? WHERE address = ? AND organization_id = ? AND role IS NOT NULL AND intended IS NULL`,
    now(), address, organizationId)
}

/** Closes the rows of a resource that no longer exists and of everything in it, and makes everybody due who had one. */
export const closeResource = (store: Store, { kind, id, name }: Resource): void => {
  const { sql, now } = store
  const rows: LedgerColumn = { column: kind === 'organization' ? 'organization_id' : 'resource_id', id }
  markHolders(store, rows)
  sql.run(
    `INSERT INTO journal (at, kind, subject, data) SELECT DISTINCT ?, 'arize.resource_gone', address, ? FROM ledger WHERE ${rows.column} = ?`,
    now(), JSON.stringify({ resource: { kind, name, id } }), id)
  sql.run(`DELETE FROM ledger WHERE ${rows.column} = ?`, id)
}

/** The rows of one subject become another's. */
export const moveRows = ({ sql }: Store, from: string, to: string): void => {
  sql.run(`UPDATE OR REPLACE ledger SET address = ? WHERE address = ?`, to, from)
}

export const forgetRows = ({ sql }: Store, address: string): void => {
  sql.run(`DELETE FROM ledger WHERE address = ?`, address)
}

/** Whether nobody else holds a confirmed ADMIN on the organization, as far as the bridge knows, and is not about to lose it. */
export const isLastAdmin = ({ sql }: Pick<Store, 'sql'>, address: string, organizationId: string): boolean =>
  sql.one(
    `SELECT 1 AS one FROM ledger WHERE organization_id = ? AND kind = 'organization' AND role = 'ADMIN' AND intended IS NULL AND address <> ? LIMIT 1`,
    organizationId, address) === null
