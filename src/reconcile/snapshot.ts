/**
 * One subject as the Directory holds it, and what Arize's names mean: everything that a decision needs, as values. The
 * reconciler and the preview decide from the same values, so that what is shown is what is done.
 */
import type { CompiledPolicy, GroupFact } from '../policy/evaluate'
import type { LedgerRow } from './ledger'

/** The Arize account of the subject as it was last read. */
export interface KnownAccount {
  readonly id: string
  readonly role: string
  /** Whether the bridge made it. What was in Arize before is treated more carefully. */
  readonly createdByBridge: boolean
}

export interface Exemption {
  readonly until: string
  readonly reason: string
}

export interface Snapshot {
  readonly address: string
  readonly generation: number
  /** What an account would be named: display name, else the parts of the name, else the address. */
  readonly name: string
  /** How the last active user went away; null while somebody is active, or when nobody ever was. */
  readonly leaver: 'deactivated' | 'deleted' | null
  readonly groups: readonly GroupFact[]
  readonly entitlements: readonly { readonly value: string; readonly connection: { readonly id: string; readonly name: string } }[]
  /** Null when no valid policy is stored: then nothing is removed. */
  readonly policy: CompiledPolicy | null
  readonly account: KnownAccount | null
  /** When a creation was announced whose outcome is not known (ms), or null. */
  readonly createIntendedAt: number | null
  /** Whether a provider is being asked about everybody for the first time: nobody gets an account before that is done. */
  readonly isBackfilling: boolean
  /** Whether the person's API keys have yet to be revoked. */
  readonly areKeysDue: boolean
  /** Whether that was asked for by name (a logout), and not only follows from the person's leaving. */
  readonly areKeysAsked: boolean
  /** Whether the account has to be read again before anything is decided from its role. */
  readonly isAccountDoubtful: boolean
  readonly ledger: readonly LedgerRow[]
  /** The new address of a renamed person whose roles are not confirmed there yet. */
  readonly renamedTo: string | null
  readonly isProtected: boolean
  readonly isOwnUser: boolean
  readonly exemption: Exemption | null
  /** Keys of the changes that an administrator approved, by `changeKey`. */
  readonly approved: ReadonlySet<string>
  /** When the directory last said something about this person (ms). */
  readonly changedAt: number
}

/** What the names of a policy mean in Arize, as far as it has been read. Null: not read yet. */
export interface NameView {
  /** Name → id. Names are unique within the account. */
  readonly organizations: ReadonlyMap<string, string> | null
  /** The names alone, as one list for as long as they do not change: the policy indexes it once. */
  readonly organizationNames: readonly string[]
  /** Name → id within one organization. */
  readonly spaces: (organizationId: string) => ReadonlyMap<string, string> | null
  readonly customRoles: ReadonlyMap<string, string> | null
}
