import type { GroupFact } from '../policy/mapping'
import type { AddressRule } from '../scim/address'
import type { BulkPlan } from '../scim/bulkOrder'
import type { ScimError } from '../scim/error'
import type { CursorQuery, ListQuery } from '../scim/query'
import type { DiscoveryRequest } from '../scim/discovery'
import type { CatalogueType, ResourceType } from '../scim/schema'
import type { View, WriteCommand } from '../scim/write'
import type { PolicyInForce } from './policies'
import type { CatalogueRequest } from './scimEntitlements'
import type { PageMarks } from './pageMarks'
import type { Store } from './sql'

/**
 * What a SCIM request asks of the Directory, and what it answers: values that can be cloned, so that one request is one
 * Durable Object call. The HTTP layer has read and checked everything that needs no stored resource.
 */

export type { View } from '../scim/write'

interface Target {
  readonly type: ResourceType
  readonly id: string
}

export type ScimCommand =
  /** The HTTP layer found the request wrong: the caller is authenticated first, then gets this answer. */
  | { readonly op: 'refuse'; readonly error: ScimError }
  /** Only the caller is checked. */
  | { readonly op: 'authenticate' }
  | { readonly op: 'discover'; readonly request: DiscoveryRequest }
  | { readonly op: 'catalogue'; readonly type: CatalogueType; readonly request: CatalogueRequest }
  | WriteCommand
  | ({ readonly op: 'get'; readonly view: View } & Target)
  /** `type` is null for all that the caller may see. */
  | { readonly op: 'list'; readonly type: ResourceType | null; readonly query: ListQuery }

/** A page of a list by cursor (RFC 9865). Apart from the others, since checking a cursor takes time. */
export interface PageCommand {
  readonly op: 'page'
  readonly type: ResourceType | null
  readonly query: CursorQuery
}

/** Several writes in one call, each a transaction of its own. */
export interface BulkCommand extends BulkPlan {
  readonly op: 'bulk'
}

export interface ScimReply {
  readonly status: 200 | 201 | 204 | 304
  /** JSON text. */
  readonly body: string | null
  readonly location: string | null
  readonly etag: string | null
}

/** Who asks, and what the answer depends on beside the tables. */
export interface ScimContext {
  readonly store: Store
  readonly connection: { readonly id: string; readonly name: string; readonly address: AddressRule; readonly hasCatalogue: boolean }
  readonly actor: string
  /** Absolute, without a trailing slash: `https://host/scim/v2`. */
  readonly base: string
  /** Whether a changed group falls out of a mapping of the policy. */
  readonly unmaps: (before: GroupFact, after: GroupFact) => boolean
  /** What is remembered of where pages begin; nothing when left out. */
  readonly marks?: PageMarks
  readonly policy: () => PolicyInForce
}
