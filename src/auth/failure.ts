/**
 * Why a caller was not let in, as values. The HTTP answer stays generic (401 or 503); the sentence of this file is for
 * the journal and the administrator, and never holds a token or a claim that the caller made up.
 */

/** What is wrong with a credential that was presented. */
export type AuthReason =
  | 'malformed'
  | 'too_large'
  | 'unsupported_scheme'
  | 'unknown_tenant'
  | 'unknown_token'
  | 'token_expired'
  | 'connection_paused'
  | 'algorithm_not_allowed'
  | 'critical_header'
  | 'wrong_type'
  | 'id_token'
  | 'wrong_issuer'
  | 'wrong_audience'
  | 'wrong_tenant'
  | 'caller_not_pinned'
  | 'ambiguous_caller'
  | 'unknown_key'
  | 'bad_signature'
  | 'no_expiry'
  | 'expired'
  | 'not_yet_valid'
  | 'too_long_lived'
  | 'replayed'

/**
 * - `missing`: no credential at all (401).
 * - `invalid`: a credential that does not prove anything (401).
 * - `unavailable`: it can't be judged now, for example because the issuer's keys can't be read (503 with Retry-After);
 *   never a 401, which an identity provider takes for a broken set-up.
 * - `misconfigured`: the deployment is wrong, not the caller (503 that names the variable).
 */
export type AuthFailure =
  | { readonly kind: 'missing' }
  | { readonly kind: 'invalid'; readonly reason: AuthReason }
  | { readonly kind: 'unavailable'; readonly retryAfterSeconds: number; readonly what: string }
  | { readonly kind: 'misconfigured'; readonly variable: string; readonly sentence: string }

export const invalid = (reason: AuthReason): AuthFailure => ({ kind: 'invalid', reason })

const SENTENCES: { readonly [reason in AuthReason]: string } = {
  malformed: 'The Authorization header or the token in it is not well-formed.',
  too_large: 'The Authorization header is longer than 8 KiB.',
  unsupported_scheme: 'The Authorization header uses a scheme other than Bearer or Basic.',
  unknown_tenant: 'No such tenant.',
  unknown_token: 'No connection has this token: it was mistyped, rotated or deleted.',
  token_expired: 'The token of this connection has passed its expiry date.',
  connection_paused: 'The connection that this credential belongs to is paused.',
  algorithm_not_allowed: 'The token is signed with an algorithm that is not allowed for its issuer.',
  critical_header: 'The token has a critical header (crit) that is not understood here.',
  wrong_type: 'The token is of a type that is no access token, for example a security event or a logout token.',
  id_token: 'The token is an ID token: it tells who signed in and gives no access.',
  wrong_issuer: 'No connection trusts the issuer (iss) of the token.',
  wrong_audience: 'The token is meant for another service (aud).',
  wrong_tenant: 'The token comes from another tenant of the identity provider (tid).',
  caller_not_pinned: 'The token is from a trusted issuer, but its caller is not one that the connection names.',
  ambiguous_caller: 'Two connections name the caller of the token; each caller may belong to one only.',
  unknown_key: 'The token is signed with a key that its issuer does not publish.',
  bad_signature: 'The signature of the token does not fit its content.',
  no_expiry: 'The token has no expiry (exp).',
  expired: 'The token has expired (exp).',
  not_yet_valid: 'The token is not valid yet (nbf or iat lies in the future); is a clock wrong?',
  too_long_lived: 'The assertion lives for more than an hour (exp): whoever finds one must not be able to use it for long.',
  replayed: 'The assertion has been used before (jti): each counts once.',
}

/** The sentence for a journal or an administrator, without anything secret. */
export const explainReason = (reason: AuthReason): string => SENTENCES[reason]

/** Likewise for a whole failure. */
export const explainFailure = (failure: AuthFailure): string => {
  switch (failure.kind) {
    case 'missing':
      return 'The request has no credential (Authorization header).'
    case 'invalid':
      return explainReason(failure.reason)
    case 'unavailable':
      return `The credential could not be checked: ${failure.what}. Try again after ${failure.retryAfterSeconds} s.`
    case 'misconfigured':
      return failure.sentence
  }
}
