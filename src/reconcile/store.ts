/**
 * What the reconciler asks of the Directory while it works on one subject. Every call is one local transaction: after it
 * returns, a crash loses nothing.
 */
import type { Because, Conflict, Grant } from '../policy/entitlement'
import type { Role } from '../policy/role'
import type { Result } from '../result'
import type { Intention } from './ledger'
import type { Missing } from './decide'
import type { Withheld } from './plan'
import type { NameView, Snapshot } from './snapshot'
import type { Account, ArizeError, Resource } from './target'

/** What the administrator reads about a person after a reconcile. */
export interface Verdict {
  readonly grants: readonly Grant[]
  readonly conflicts: readonly Conflict[]
  readonly withheld: readonly Withheld[]
  /** The brake's sentence about the whole burst, when it held something. */
  readonly brake: string | null
  /** A group of the person names nothing that exists in Arize yet. */
  readonly awaitsNames: boolean
  /** The brake holds the revocation of the person's API keys. */
  readonly areKeysHeld: boolean
}

/** The key under which a hold lists the revocation of a person's API keys, beside the keys of changes. */
export const REVOKE_KEYS = 'revoke keys'

/** The brake's word on one subject's removals (design section 10.3). */
export interface Clearance {
  /** All removals of the subject may be made now. */
  readonly isCleared: boolean
  /** Why they may not, for people. */
  readonly sentence: string
}

export interface SubjectStore {
  snapshot(address: string): Snapshot
  /** Moves whenever the directory says something new about the subject. */
  generation(address: string): number
  names(): NameView
  /** Reads the missing names from Arize into the cache. */
  readNames(missing: readonly Missing[]): Promise<Result<void, ArizeError>>
  /** Throws away what an organization's name, its spaces' names or all names were believed to mean. */
  forgetNames(): void
  isLastAdmin(address: string, organizationId: string): boolean
  clearance(address: string): Clearance

  intendCreate(address: string): void
  /** Stores what Arize says the account is. `isCreated`: the bridge has just made it; false takes nothing back. */
  knowAccount(address: string, account: Pick<Account, 'id' | 'role'>, isCreated: boolean): void
  /** The account is gone in Arize, and every membership with it. */
  forgetAccount(address: string): void
  keysRevoked(address: string, keyIds: readonly string[]): void

  /** Returns whether an earlier call on the slot is still in doubt. */
  intend(address: string, resource: Resource, intention: Intention, because: readonly Because[], cascades: readonly Resource[]): boolean
  /** The slot holds this role now; null: it holds none, and neither do the slots that went with it. */
  confirm(address: string, resource: Resource, role: Role | null, because: readonly Because[], cascades: readonly Resource[], lowered: boolean): void
  /** The call was refused for certain: the slot is what it was. */
  withdraw(address: string, resource: Resource, cascades: readonly Resource[]): void
  /** What Arize confirmed about the organization and all that is in it is in doubt: the next plan asserts it again. */
  doubt(address: string, organizationId: string): void
  /** The organization or space no longer exists in Arize. */
  resourceGone(resource: Resource): void
}
