/**
 * What a provider tells of people and groups, in the provider's own names. Types only: every folder may speak of them.
 */

/** One channel of a provider to us. */
export type ConnectionKind = 'scim' | EventKind | PullKind

/** Told by the provider: its requests arrive at `/webhooks/{path}/{connection}`. Graph is both. */
export type EventKind = 'okta-event-hook' | 'universal-logout' | 'security-events' | 'graph' | 'event-grid'

/** Asked by us. */
export type PullKind = 'okta' | 'graph'

/** Somebody, as the provider names them. Both are null for nobody. */
export interface PersonRef {
  /** The provider's own id, which its SCIM client sends as `externalId`. */
  readonly id: string | null
  /** The sign-in name or e-mail address. */
  readonly userName: string | null
}

export interface GroupRef {
  /** The provider's own id. */
  readonly id: string
  readonly displayName: string | null
}

/** All that a provider tells of a person when it is asked. What is null is not known. */
export interface PersonFacts {
  readonly id: string
  readonly userName: string
  readonly email: string | null
  readonly displayName: string | null
  readonly givenName: string | null
  readonly familyName: string | null
  readonly active: boolean
}

/** One statement. What it leaves open stays as it is. */
export type DirectoryChange =
  | { readonly kind: 'person'; readonly person: PersonFacts }
  | { readonly kind: 'active'; readonly who: PersonRef; readonly active: boolean }
  | { readonly kind: 'group'; readonly group: { readonly id: string; readonly displayName: string } }
  | { readonly kind: 'groupGone'; readonly group: GroupRef }
  | { readonly kind: 'membership'; readonly group: GroupRef; readonly who: PersonRef; readonly member: boolean }
  /** RFC 9967: a SCIM write on the sender's resource with this id. `body` is the resource, or the PatchOp message. */
  | { readonly kind: 'resource'; readonly type: 'User' | 'Group'; readonly id: string; readonly op: 'put' | 'patch' | 'delete'; readonly body: unknown }

/** Something to be asked of the provider again. Without a pull connector of the source it is journalled and nothing else. */
export type Refresh =
  | { readonly kind: 'person'; readonly who: PersonRef }
  | { readonly kind: 'group'; readonly group: GroupRef }
  | { readonly kind: 'everything' }

/** What an event asks for beside changes of the directory. */
export type Act =
  /** Universal Logout: the person's API keys are revoked, and the person is reconciled at once. */
  | { readonly kind: 'logout'; readonly who: PersonRef }
  /** CAEP session-revoked and its like: the policy's `signals` says what follows. */
  | { readonly kind: 'signal'; readonly signal: 'sessionRevoked'; readonly who: PersonRef }
  /** The stream or subscription itself: shown with the connection. */
  | { readonly kind: 'stream'; readonly status: 'enabled' | 'paused' | 'disabled' | 'reauthorize' | 'removed'; readonly reason: string | null }

/** One verified event of a delivery. */
export interface SourceEvent {
  /** Unique within the connection: however often it comes, it has one effect. At most 200 characters. */
  readonly id: string
  /** The sender's name for it, for the journal. At most 200 characters. */
  readonly type: string
  /** When it happened as the sender says, in milliseconds since 1970; null when the sender does not say. */
  readonly at: number | null
  /** SHA-256 of a secret that came with this event alone (Graph's `clientState`): the Directory drops the event when it is not the connection's. */
  readonly secretHash?: string
  readonly changes: readonly DirectoryChange[]
  readonly refresh: readonly Refresh[]
  readonly acts: readonly Act[]
  /** Why nothing follows from it, in a sentence for the journal. */
  readonly ignored?: string
}
