/**
 * What the bridge itself has given, as the planner sees it. A row is intended before the call and confirmed after it: a
 * crash between them leaves an intention, which the next plan asserts again or cleans up. Storage is the Directory's.
 */
import type { Because } from '../policy/entitlement'
import type { Role } from '../policy/role'
import type { Resource } from './target'

/** A call that was announced and whose outcome is not known yet. */
export type Intention = { readonly op: 'give'; readonly role: Role } | { readonly op: 'take' }

export interface LedgerRow {
  readonly resource: Resource
  /** The role that Arize confirmed to us; null when the first call has not been confirmed. */
  readonly role: Role | null
  readonly intention: Intention | null
  readonly because: readonly Because[]
}

/** The key of a slot by resource id: one row of the ledger per subject and key. */
export const slotKey = (resource: Pick<Resource, 'kind' | 'id'>): string => `${resource.kind}:${resource.id}`
