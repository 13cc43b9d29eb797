/**
 * The token of Okta Universal Logout (draft-parecki-oauth-global-token-revocation, `typ: global-token-revocation+jwt`): a
 * short-lived statement of one application of the configured issuer, for this one address. Does not know who is logged out.
 */
import { err, ok, type Result } from '../result'
import { invalid, type AuthFailure } from './failure'
import { verifySignedJwt, type SignedJwtRules, type VerifyOptions } from './signedJwt'

export type LogoutToken = {
  readonly issuer: string
  /** `sub`: the application that calls. */
  readonly subject: string
  /** `jti`. */
  readonly id: string
  /** `iat`, in milliseconds since the epoch. */
  readonly issuedAt: number
}

export type LogoutRules = Pick<SignedJwtRules, 'issuer' | 'audience' | 'findKeys'> & {
  /** The client ids or app instance ids that may call. */
  readonly subjects: readonly string[]
}

const TYPES: ReadonlySet<unknown> = new Set(['global-token-revocation+jwt'])
const CLOCK_TOLERANCE_SECONDS = 60
const MAX_ID_LENGTH = 200

const BOUNDS = {
  types: TYPES,
  maxLength: 8 * 1024,
  clockToleranceSeconds: CLOCK_TOLERANCE_SECONDS,
  requiredClaims: ['exp', 'iat', 'jti', 'sub'],
}

/** Verifies it; one of another caller is `caller_not_pinned`, everything else that is wrong another `invalid`. */
export const verifyLogoutToken = async (
  token: string,
  { subjects, ...rules }: LogoutRules,
  options: VerifyOptions,
): Promise<Result<LogoutToken, AuthFailure>> => {
  const payload = await verifySignedJwt(token, { ...rules, ...BOUNDS }, options)
  if (!payload.ok) return payload
  const { sub, jti, iat } = payload.value
  if (typeof jti !== 'string' || jti === '' || jti.length > MAX_ID_LENGTH) return err(invalid('malformed'))
  if (iat === undefined || !Number.isFinite(iat)) return err(invalid('malformed'))
  if (iat > options.now() / 1000 + CLOCK_TOLERANCE_SECONDS) return err(invalid('not_yet_valid'))
  if (typeof sub !== 'string' || !subjects.includes(sub)) return err(invalid('caller_not_pinned'))
  return ok({ issuer: rules.issuer, subject: sub, id: jti, issuedAt: iat * 1000 })
}
