/**
 * The failures that SCIM knows (RFC 7644 section 3.12 and RFC 9865 section 4) as values, and their wire form. Does not decide
 * which failure fits a request, and sends nothing.
 */

const ERROR_SCHEMA = 'urn:ietf:params:scim:api:messages:2.0:Error'

export type ScimStatus = 400 | 401 | 403 | 404 | 405 | 409 | 412 | 413 | 415 | 500 | 501 | 503

export type ScimType =
  | 'invalidFilter' | 'tooMany' | 'uniqueness' | 'mutability' | 'invalidSyntax' | 'invalidPath' | 'noTarget' | 'invalidValue'
  | 'invalidVers' | 'sensitive' | 'invalidCursor' | 'expiredCursor' | 'invalidCount'

export interface ScimError {
  readonly status: ScimStatus
  readonly scimType?: ScimType
  /** One sentence that names the attribute. Identity providers show it to administrators. */
  readonly detail: string
  /** Whole seconds for the Retry-After header. */
  readonly retryAfterSeconds?: number
}

const badRequest = (scimType: ScimType) => (detail: string): ScimError => ({ status: 400, scimType, detail })

export const expiredCursor = badRequest('expiredCursor')
export const invalidCount = badRequest('invalidCount')
export const invalidCursor = badRequest('invalidCursor')
export const invalidFilter = badRequest('invalidFilter')
export const invalidPath = badRequest('invalidPath')
export const invalidSyntax = badRequest('invalidSyntax')
export const invalidValue = badRequest('invalidValue')
export const mutability = badRequest('mutability')
export const noTarget = badRequest('noTarget')
export const tooMany = badRequest('tooMany')
export const uniqueness = (detail: string): ScimError => ({ status: 409, scimType: 'uniqueness', detail })

const plain = (status: ScimStatus) => (detail: string): ScimError => ({ status, detail })

export const unauthorized = plain(401)
export const forbidden = plain(403)
export const notFound = plain(404)
export const methodNotAllowed = plain(405)
export const conflict = plain(409)
export const preconditionFailed = plain(412)
export const payloadTooLarge = plain(413)
export const unsupportedMediaType = plain(415)
export const notImplemented = plain(501)

/** Okta honours only whole seconds here (A.4), so the number is rounded up. */
export const unavailable = (detail: string, retryAfterSeconds: number): ScimError => ({
  status: 503, detail, retryAfterSeconds: Math.ceil(retryAfterSeconds),
})

export interface ScimErrorBody {
  readonly schemas: readonly [typeof ERROR_SCHEMA]
  readonly status: string
  readonly scimType?: ScimType
  readonly detail: string
}

/** Control characters, and the marks that turn the direction of the text around them. */
const DISTURBING = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu

/** Sentences quote what a request brought, and are read by people, in tables and on terminals. */
const readable = (sentence: string): string => sentence.toWellFormed().replace(DISTURBING, '\uFFFD')

/** The body of RFC 7644 section 3.12, `status` being a string. */
export const scimErrorBody = ({ status, scimType, detail }: ScimError): ScimErrorBody => ({
  schemas: [ERROR_SCHEMA],
  status: String(status),
  ...(scimType === undefined ? {} : { scimType }),
  detail: readable(detail),
})
