import { err, ok, type Result } from '../result'
import { refuse, type Refusal } from './connections'
import type { Store } from './sql'

/** The tenants beside the default one. Kept in the default tenant's object, so that an unknown name wakes no other. */

export interface NewTenant {
  /** Letters, digits and hyphens: a part of the URL. */
  readonly name: string
  readonly arizeBaseUrl: string
  readonly arizeApiKey: string
  readonly ownUser: string | null
}

export const hasTenant = ({ sql }: Pick<Store, 'sql'>, name: string): boolean =>
  sql.one(`SELECT 1 AS one FROM tenants WHERE name = ?`, name) !== null

export const listTenants = ({ sql }: Pick<Store, 'sql'>): string[] =>
  sql.rows<{ name: string }>(`SELECT name FROM tenants ORDER BY name`).map(({ name }) => name)

/**
 * Enters a tenant or changes its Arize. `fingerprint` stands for its Arize account: two tenants that work on one account
 * would each take away what the other gave.
 */
export const enterTenant = ({ sql, now }: Store, name: string, fingerprint: string): Result<void, Refusal> => {
  const other = sql.one<{ name: string }>(`SELECT name FROM tenants WHERE arize = ? AND name <> ?`, fingerprint, name)
  if (other !== null) return err(refuse(409, `Tenant "${other.name}" works on this Arize account already.`))
  sql.run(`INSERT INTO tenants (name, arize, created) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET arize = excluded.arize`, name, fingerprint, now())
  return ok(undefined)
}
