import type { AuthFailure } from '../auth/failure'
import type { EventKind, SourceEvent } from '../change'
import type { PolicyError } from '../policy/document'
import type { ScimError } from '../scim/error'
import type { ScimCredential } from './callers'
import type { ScimCommand } from './scimCommand'

/** What the Worker asks of a Directory, and why it is refused. */

/** One SCIM request as the Worker hands it over: who calls, and what is asked. */
export interface ScimRequest {
  readonly credential: ScimCredential
  readonly command: ScimCommand
  /** Absolute, without a trailing slash: `https://host/scim/v2`. */
  readonly base: string
  /** `DEVELOPMENT=true` and a loopback host: the development token is believed. */
  readonly isDevelopment: boolean
}

export type ScimFailure =
  | { readonly kind: 'scim'; readonly error: ScimError }
  | { readonly kind: 'auth'; readonly failure: AuthFailure }
  /** The caller's issuers changed since the Worker read them: read again, verify again. */
  | { readonly kind: 'stale' }

/** A delivery of events as the Worker hands it over. */
export interface DeliveryRequest {
  readonly connectionId: string
  readonly kind: EventKind
  /** `each`: every event brings its own secret. */
  readonly credential: ScimCredential | { readonly kind: 'each' }
  readonly events: readonly SourceEvent[]
}

export type DeliveryFailure =
  | { readonly kind: 'auth'; readonly failure: AuthFailure }
  | { readonly kind: 'stale' }

/** Why a policy was not stored: it is wrong, or somebody else stored `version` meanwhile. */
export type PolicyRefusal =
  | { readonly kind: 'invalid'; readonly errors: readonly PolicyError[] }
  | { readonly kind: 'changed'; readonly version: number }
