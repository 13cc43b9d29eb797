/**
 * The ports through which the reconciler sees Arize. `arize/` implements them over HTTP; tests may implement them over a
 * map. Nothing here knows about SCIM, SQL or HTTP.
 */
import type { AccountRole, Role } from '../policy/role'
import type { Result } from '../result'

/**
 * Why a call to Arize did not do what was asked, by what the reconciler has to do about it (design section 7). `detail` is
 * Arize's own sentence where it sent one, never a secret; `requestId` is Arize's, for its support.
 */
export type ArizeError = { readonly detail: string; readonly requestId?: string } & (
  | /** 401: the key is unknown, revoked or expired. Halts the tenant. */ { readonly kind: 'unauthorized' }
  | /** 403: the key may not do this. A preflight tells whether it may do anything. */ { readonly kind: 'forbidden' }
  | /** 404: gone, never there, or hidden from this key (API page "Errors": not distinguished). */ { readonly kind: 'not_found' }
  | /** 409: exists already, or a tombstone. */ { readonly kind: 'conflict' }
  | /** 400 or 422: the request breaks a rule, such as the annotator rule. */ { readonly kind: 'rejected'; readonly status: number }
  | /** 429: pauses the tenant for `retryAfterMs`, or for a back-off when Arize did not say. */ {
      readonly kind: 'throttled'
      readonly retryAfterMs: number | null
    }
  | /** 5xx, a time-out, a lost or unreadable response: whether the call was applied is unknown. */ {
      readonly kind: 'unavailable'
      readonly status: number | null
    }
)

/** An account user as Arize shows it. Names of roles and states are read leniently: Arize may add some. */
export interface Account {
  readonly id: string
  readonly email: string
  readonly name: string
  /** `ADMIN`, `MEMBER`, `ANNOTATOR`, or a name that this version does not know. */
  readonly role: string
  readonly status: string
  /** ISO 8601, or null when Arize did not say. */
  readonly createdAt: string | null
  readonly isDeveloper: boolean | null
}

export type InviteMode = 'NONE' | 'EMAIL_LINK' | 'TEMPORARY_PASSWORD'

export interface NewAccount {
  readonly email: string
  readonly name: string
  readonly role: AccountRole
  readonly inviteMode: InviteMode
}

/** Account users (`/v2/users`) and their API keys (`/v2/api-keys`). */
export interface Accounts {
  /** The account user with exactly this address (ASCII case folded), or null. Reads every page of the substring filter. */
  find(email: string): Promise<Result<Account | null, ArizeError>>
  /** The account user with this id, or null when Arize answers 404. */
  read(id: string): Promise<Result<Account | null, ArizeError>>
  /** Creates an account user. `created` is false when Arize answered with an invitation that was there before (200). */
  create(account: NewAccount): Promise<Result<{ readonly account: Account; readonly created: boolean }, ArizeError>>
  /** Revokes every live USER key of the account user (idempotent) and returns the ids of those it revoked. */
  revokeKeys(userId: string): Promise<Result<readonly string[], ArizeError>>
}

/** A named thing in Arize. */
export interface Named {
  readonly id: string
  readonly name: string
}

/** What names mean in Arize: complete lists, oldest first, every page read. */
export interface Names {
  organizations(): Promise<Result<readonly Named[], ArizeError>>
  spaces(organizationId: string): Promise<Result<readonly Named[], ArizeError>>
  customRoles(): Promise<Result<readonly Named[], ArizeError>>
  /** The organization with this id, or null when Arize answers 404. */
  organization(id: string): Promise<Result<Named | null, ArizeError>>
  /** A harmless call that only an account administrator's key may make: proves that the key still works. */
  preflight(): Promise<Result<void, ArizeError>>
}

/** The resource kinds on which a role is held through a membership. */
export type ResourceKind = 'organization' | 'space' | 'project' | 'developer'

/** One Arize resource. `organizationId` is the parent of a space or project and the id itself of an organization. */
export interface Resource {
  readonly kind: ResourceKind
  readonly id: string
  readonly name: string
  readonly organizationId: string
}

/** A role that can be sent: a custom role carries the id that Arize knows it by. */
export type SendableRole = Exclude<Role, { type: 'CUSTOM' }> | (Extract<Role, { type: 'CUSTOM' }> & { readonly id: string })

/**
 * One kind of membership. `give` is an upsert: the same call adds a member and changes the role of one. Adding a kind of
 * membership to the bridge is one implementation of this port.
 */
export interface Target {
  readonly kind: ResourceKind
  give(userId: string, resource: Resource, role: SendableRole): Promise<Result<void, ArizeError>>
  /** Removes the membership. `not_found` is returned as the error that it is: what it means is the reconciler's to judge. */
  take(userId: string, resource: Resource): Promise<Result<void, ArizeError>>
}

/** Everything that the reconciler asks of one Arize account. */
export interface Arize {
  readonly accounts: Accounts
  readonly names: Names
  readonly targets: readonly Target[]
}
