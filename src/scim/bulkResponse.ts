/**
 * The response to a bulk request (RFC 7644 section 3.7.3): what became of each operation that was tried, in the order of the
 * request. Decides nothing.
 */
import type { Result } from '../result'
import type { BulkOperation } from './bulk'
import { scimErrorBody } from './error'
import type { ScimError } from './error'
import type { JsonObject } from './json'

const RESPONSE_SCHEMA = 'urn:ietf:params:scim:api:messages:2.0:BulkResponse'

/** What the answer to a request of its own would have said. */
export interface BulkSuccess {
  readonly status: number
  readonly etag: string | null
}

export interface BulkOutcome extends Pick<BulkOperation, 'index' | 'method' | 'bulkId'> {
  /** Absolute; null for what does not exist: a POST that failed. */
  readonly location: string | null
  readonly result: Result<BulkSuccess, ScimError>
}

const operationOf = ({ location, method, bulkId, result }: BulkOutcome): JsonObject => ({
  ...(location === null ? {} : { location }),
  ...(method === null ? {} : { method: method.toWellFormed() }),
  ...(bulkId === null ? {} : { bulkId: bulkId.toWellFormed() }),
  ...(result.ok && result.value.etag !== null ? { version: result.value.etag } : {}),
  status: String(result.ok ? result.value.status : result.error.status),
  ...(result.ok ? {} : { response: scimErrorBody(result.error) }),
})

/** Operations that were not tried, since there were too many errors before, are left out. */
export const bulkResponse = (outcomes: readonly BulkOutcome[]): JsonObject => ({
  schemas: [RESPONSE_SCHEMA],
  Operations: outcomes.toSorted((a, b) => a.index - b.index).map(operationOf),
})
