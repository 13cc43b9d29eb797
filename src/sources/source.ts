import type * as z from 'zod'
import type { Fetch } from '../auth/jwks'
import type { GroupRef, PersonFacts, PersonRef, PullKind } from '../change'
import type { Result } from '../result'

/**
 * The port to a provider that can be asked: pages in, people and groups out. Stores nothing; the Directory says when to ask and
 * keeps the cursors. A connector is one file that exports one of these, and one line in sources.ts.
 */

/** Why the provider gave no answer. */
export type SourceFailure =
  /** 429: not before this many milliseconds. */
  | { readonly kind: 'throttled'; readonly retryAfterMs: number; readonly sentence: string }
  /** 401, 403 or a refused token request: somebody must mend the credentials or permissions. */
  | { readonly kind: 'unauthorized'; readonly sentence: string }
  /** 410, or a cursor or delta link that the provider does not take any more: begin again. */
  | { readonly kind: 'expired'; readonly sentence: string }
  /** 5xx, timeout, no or an unreadable answer. */
  | { readonly kind: 'unavailable'; readonly sentence: string }

export type Pulled =
  | { readonly kind: 'person'; readonly person: PersonFacts }
  | { readonly kind: 'group'; readonly group: { readonly id: string; readonly displayName: string } }
  | { readonly kind: 'membership'; readonly groupId: string; readonly personId: string }
  /** Of changes since a delta only: what is not there any more. */
  | { readonly kind: 'personGone'; readonly id: string }
  | { readonly kind: 'groupGone'; readonly id: string }
  | { readonly kind: 'membershipGone'; readonly groupId: string; readonly personId: string }

export interface PulledPage {
  readonly items: readonly Pulled[]
  /** What to ask for next; null after the last page. */
  readonly next: string | null
  /** On the last page of a provider that has deltas: what to ask for to learn of later changes. */
  readonly delta: string | null
}

/** A person with all groups; null: the provider knows no such person. */
export interface PulledPerson {
  readonly person: PersonFacts
  readonly groups: readonly { readonly id: string; readonly displayName: string }[]
}

export interface Source {
  /** Whether the credentials work and may read people and groups. */
  readonly probe: () => Promise<Result<void, SourceFailure>>
  readonly person: (who: PersonRef) => Promise<Result<PulledPerson | null, SourceFailure>>
  /** One page of a group's members (ids of people), and its name; null: no such group. `cursor` null begins. */
  readonly group: (group: GroupRef, cursor: string | null) => Promise<Result<PulledGroup | null, SourceFailure>>
  /** One page of everybody and every group. `cursor` null begins. The caller keeps the cursor and may go on days later. */
  readonly everything: (cursor: string | null) => Promise<Result<PulledPage, SourceFailure>>
  /** One page of what changed since a delta; absent where the provider has none. `expired` means: pull everything. */
  readonly changes?: (delta: string) => Promise<Result<PulledPage, SourceFailure>>
  /** Keeps the provider telling us of changes; absent where nothing has to be kept alive. */
  readonly subscriptions?: Subscriptions
  /**
   * Whether everybody in a group is the connector's to tell of. False where it tells of some people only (those assigned to an
   * app): then a member whom nobody knows is nobody to ask about.
   */
  readonly tellsOfAll: boolean
}

export interface PulledGroup {
  readonly group: { readonly id: string; readonly displayName: string }
  readonly members: readonly string[]
  readonly next: string | null
}

export interface Subscription {
  readonly id: string
  readonly resource: string
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

export interface Subscriptions {
  readonly resources: readonly string[]
  readonly create: (wanted: { readonly resource: string; readonly notificationUrl: string; readonly clientState: string }) => Promise<Result<Subscription, SourceFailure>>
  /** Null: the provider does not know it any more. */
  readonly renew: (subscription: Subscription) => Promise<Result<Subscription | null, SourceFailure>>
  readonly remove: (subscription: Subscription) => Promise<Result<void, SourceFailure>>
}

export interface SourceTools {
  readonly fetch: Fetch
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Bytes for nonces and ids. */
  readonly randomId: () => string
  /** http to loopback hosts is allowed; pass it only with DEVELOPMENT=true. */
  readonly development: boolean
}

export interface Connector<Settings, Secrets> {
  readonly kind: PullKind
  /** What an administrator says, and may read again. */
  readonly settings: z.ZodType<Settings>
  /** Kept sealed, never shown again. */
  readonly secrets: z.ZodType<Secrets>
  readonly connect: (settings: Settings, secrets: Secrets, tools: SourceTools) => Source
}
