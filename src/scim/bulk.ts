/**
 * Bulk requests (RFC 7644 section 3.7): their limits, and what one is once it was read. Reading, order, references and the
 * response have files of their own. Carries nothing out.
 */
import type { ScimError } from './error'
import type { ResourceType } from './schema'
import type { WriteMethod } from './write'

/** In one request; ServiceProviderConfig announces both limits, and more is 413 (RFC 7644 section 3.7.4). */
export const MAX_BULK_OPERATIONS = 1000
/** Of the request's body (design section 10.6). */
export const MAX_BULK_BYTES = 5 * 1024 * 1024

/** Where an operation works: a collection (for POST), or a resource, whose id may be a reference. */
export interface BulkTarget {
  readonly type: ResourceType
  readonly id: string | null
}

/** An operation that can be carried out once its references are resolved. */
export interface BulkWrite {
  readonly method: WriteMethod
  readonly target: BulkTarget
  /** Of the resource, as If-Match would have it. */
  readonly version: string | null
  /** The body that a request of its own would have. */
  readonly data: unknown
}

export interface BulkOperation {
  /** Its place in the request, from 0. */
  readonly index: number
  /** As the response repeats it: in capitals where it is one of the four, else as it came; null when it is no text. */
  readonly method: string | null
  readonly bulkId: string | null
  /** Null when the path leads to no resource. */
  readonly target: BulkTarget | null
  /** What is wrong with it whatever the directory holds: then it is answered with that and not carried out. */
  readonly fault: ScimError | null
  /** Null when there is a fault. */
  readonly write: BulkWrite | null
}

export interface BulkRequest {
  /** How many errors end the request; null for never. */
  readonly failOnErrors: number | null
  /** In the order of the request. */
  readonly operations: readonly BulkOperation[]
}
