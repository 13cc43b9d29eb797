/**
 * Security Event Tokens (RFC 8417) of one configured transmitter: who signed, for whom, and what is said to have happened; a
 * refusal carries the code that RFC 8935 section 2.4 answers it with. Does not know what an event means, nor whether it was
 * seen before.
 */
import type { JWTPayload } from 'jose'
import { err, ok, type Result } from '../result'
import { explainFailure, explainReason, type AuthFailure, type AuthReason } from './failure'
import { verifySignedJwt, type SignedJwtRules, type VerifyOptions } from './signedJwt'

/** The registry of RFC 8935 section 7.1.2, and `invalid_state` of Shared Signals 1.0 section 8.1.4.1. */
export type SetErrorCode =
  | 'invalid_request'
  | 'invalid_key'
  | 'invalid_issuer'
  | 'invalid_audience'
  | 'authentication_failed'
  | 'access_denied'
  | 'invalid_state'

export type SetFailure =
  /** The sentence holds nothing that the sender made up: it may go into the answer. */
  | { readonly kind: 'refused'; readonly code: SetErrorCode; readonly reason: string; readonly sentence: string }
  /** It can't be judged now: the sender tries again. */
  | { readonly kind: 'unavailable'; readonly retryAfterSeconds: number; readonly sentence: string }

type Members = Readonly<Record<string, unknown>>

export type SecurityEventToken = {
  readonly issuer: string
  /** `jti`. */
  readonly id: string
  /** `iat`, in milliseconds since the epoch. */
  readonly issuedAt: number
  /** `toe` (when it happened) as it came: senders do not agree on the unit. */
  readonly timeOfEvent: unknown
  /** `txn`: the transaction that the events belong to. */
  readonly transaction: string | null
  /** `sub_id` (RFC 9493); undefined where the subject stands in the event. */
  readonly subject: unknown
  /** URI and payload. */
  readonly events: readonly (readonly [string, Members])[]
}

export type SetRules = Pick<SignedJwtRules, 'issuer' | 'audience' | 'algorithms' | 'findKeys'> & {
  /** Also a header with `typ: JWT` or none, as Google sends: `events` alone then tells a SET from other tokens. */
  readonly acceptsUntyped: boolean
}

const TYPED: ReadonlySet<unknown> = new Set(['secevent+jwt'])
const UNTYPED: ReadonlySet<unknown> = new Set(['secevent+jwt', 'jwt', undefined])

/** How far ahead `iat` may lie, and how far clocks may differ for `exp` and `nbf`. */
const CLOCK_TOLERANCE_SECONDS = 300

/** A SCIM event may hold a whole resource. */
export const MAX_SET_LENGTH = 1024 * 1024
const MAX_ID_LENGTH = 200
const MAX_EVENTS = 20

/**
 * Verifies a SET. `exp` is not asked for, since an event does not end, but honoured where it stands. A `sub` is refused: Shared
 * Signals 1.0 and RFC 9967 forbid it, lest a SET pass for another token or another token for a SET.
 */
export const verifySecurityEventToken = async (
  token: string,
  { acceptsUntyped, ...rules }: SetRules,
  options: VerifyOptions,
): Promise<Result<SecurityEventToken, SetFailure>> => {
  const types = acceptsUntyped ? UNTYPED : TYPED
  const bounds = { maxLength: MAX_SET_LENGTH, clockToleranceSeconds: CLOCK_TOLERANCE_SECONDS, requiredClaims: [] }
  const payload = await verifySignedJwt(token, { ...rules, ...bounds, types }, options)
  return payload.ok ? readClaims(payload.value, rules.issuer, options.now()) : err(setFailure(payload.error))
}

export const refuseSet = (code: SetErrorCode, reason: string, sentence: string): SetFailure =>
  ({ kind: 'refused', code, reason, sentence })

const invalidRequest = (reason: string, sentence: string): Result<never, SetFailure> =>
  err(refuseSet('invalid_request', reason, sentence))

const readClaims = (claims: JWTPayload, issuer: string, nowMs: number): Result<SecurityEventToken, SetFailure> => {
  const { jti, iat } = claims
  if (typeof jti !== 'string' || jti === '' || jti.length > MAX_ID_LENGTH) {
    return invalidRequest('no_id', `The token has no identifier (jti) of 1 to ${MAX_ID_LENGTH} characters.`)
  }
  if (iat === undefined || !Number.isFinite(iat) || iat < 0) {
    return invalidRequest('no_issue_time', 'The token has no time of issue (iat).')
  }
  if (iat > nowMs / 1000 + CLOCK_TOLERANCE_SECONDS) return err(setFailure({ kind: 'invalid', reason: 'not_yet_valid' }))
  if (Object.hasOwn(claims, 'sub')) {
    return invalidRequest('sub_claim', 'The token has the claim sub, which a security event must not have: sub_id names its subject.')
  }
  const events = readEvents(claims['events'])
  if (events === undefined) {
    return invalidRequest('no_events', `The claim events is no object of 1 to ${MAX_EVENTS} events, each an object.`)
  }
  const transaction = claims['txn']
  return ok({
    issuer,
    id: jti,
    issuedAt: iat * 1000,
    timeOfEvent: claims['toe'],
    transaction: typeof transaction === 'string' && transaction !== '' ? transaction : null,
    subject: Object.hasOwn(claims, 'sub_id') ? claims['sub_id'] : undefined,
    events,
  })
}

const isMembers = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const readEvents = (value: unknown): SecurityEventToken['events'] | undefined => {
  if (!isMembers(value)) return undefined
  const events: (readonly [string, Members])[] = []
  for (const [uri, payload] of Object.entries(value)) {
    if (!isMembers(payload) || events.length === MAX_EVENTS) return undefined
    events.push([uri, payload])
  }
  return events.length === 0 ? undefined : events
}

const CODES: { readonly [reason in AuthReason]?: SetErrorCode } = {
  algorithm_not_allowed: 'invalid_key',
  unknown_key: 'invalid_key',
  bad_signature: 'invalid_key',
  wrong_issuer: 'invalid_issuer',
  wrong_audience: 'invalid_audience',
}

/** Where the sentence for access tokens would mislead. */
const SENTENCES: { readonly [reason in AuthReason]?: string } = {
  malformed: 'The body is no signed security event token in compact form.',
  too_large: `The token is longer than ${MAX_SET_LENGTH} characters.`,
  wrong_type: 'The token is not of the type secevent+jwt (typ).',
  wrong_issuer: 'The issuer (iss) is not the one that this stream is configured for.',
  wrong_audience: 'The audience (aud) is not this receiver.',
}

/** A failure of a token as the answer to its transmitter. */
export const setFailure = (failure: AuthFailure): SetFailure => {
  switch (failure.kind) {
    case 'missing':
      return refuseSet('authentication_failed', 'missing', explainFailure(failure))
    case 'invalid':
      return refuseSet(
        CODES[failure.reason] ?? 'invalid_request',
        failure.reason,
        SENTENCES[failure.reason] ?? explainReason(failure.reason),
      )
    case 'unavailable':
      return { kind: 'unavailable', retryAfterSeconds: failure.retryAfterSeconds, sentence: explainFailure(failure) }
    case 'misconfigured':
      return { kind: 'unavailable', retryAfterSeconds: 60, sentence: explainFailure(failure) }
  }
}
