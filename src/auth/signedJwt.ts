/**
 * What every signed token has to pass, of whatever kind (RFC 7515, RFC 7519, RFC 8725): type and algorithm before a key is
 * looked up, then signature, issuer, audience and times with jose. A key comes from the configured issuer alone: `jwk`, `jku`,
 * `x5c` and `x5u` of a header are never looked at. Knows nothing of what a token is for.
 */
import { errors, jwtVerify, type JWTPayload } from 'jose'
import { err, ok, type Result } from '../result'
import { readUnverified } from './compactJws'
import { invalid, type AuthFailure, type AuthReason } from './failure'
import type { JwksCache, KeyHeader } from './jwks'
import { audiencesOf, headerObjection } from './tokenType'
import { ALGORITHMS, listOf, needsDevelopment } from './trustedIssuer'

export type VerifyOptions = {
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly jwks: JwksCache
  /** DEVELOPMENT=true and a request to a loopback host: only then are http issuers believed. */
  readonly development?: boolean
}

export type Signer = {
  readonly issuer: string
  readonly audience: string | readonly string[]
  readonly jwksUri: string
}

export type SignedJwtRules = {
  readonly issuer: string
  /** Of which the token's `aud` must hold one, each compared whole. */
  readonly audience: string | readonly string[]
  readonly algorithms?: readonly string[] | undefined
  /** In lower case and without `application/`; undefined: a header without `typ`. */
  readonly types: ReadonlySet<unknown>
  readonly maxLength: number
  readonly clockToleranceSeconds: number
  readonly requiredClaims: readonly string[]
  /** Where the issuer's keys are: asked only for a token that says the right things of itself. */
  readonly findKeys: () => Promise<Result<string, AuthFailure>>
}

/** The claims of a token of the one issuer that is meant. */
export const verifySignedJwt = async (
  token: string,
  rules: SignedJwtRules,
  options: VerifyOptions,
): Promise<Result<JWTPayload, AuthFailure>> => {
  if (token.length > rules.maxLength) return err(invalid('too_large'))
  const jws = readUnverified(token)
  if (jws === undefined) return err(invalid('malformed'))
  const header = readKeyHeader(jws.header, rules.types)
  if (!header.ok) return err(invalid(header.error))
  if (!(rules.algorithms ?? ALGORITHMS).includes(header.value.alg)) return err(invalid('algorithm_not_allowed'))
  if (jws.claims['iss'] !== rules.issuer) return err(invalid('wrong_issuer'))
  const audiences = audiencesOf(jws.claims)
  if (!listOf(rules.audience).some((one) => audiences.includes(one))) return err(invalid('wrong_audience'))
  const jwksUri = await rules.findKeys()
  if (!jwksUri.ok) return jwksUri
  const signer = { issuer: rules.issuer, audience: rules.audience, jwksUri: jwksUri.value }
  return verifySignature(token, header.value, signer, rules, options)
}

/** What the key is looked up by; refuses symmetric algorithms, `none`, critical headers and other types. */
export const readKeyHeader = (
  header: Readonly<Record<string, unknown>>,
  types?: ReadonlySet<unknown>,
): Result<KeyHeader, AuthReason> => {
  const { alg, kid } = header
  const allowed: readonly unknown[] = ALGORITHMS
  if (typeof alg !== 'string' || !allowed.includes(alg)) return err('algorithm_not_allowed')
  const objection = headerObjection(header, types)
  if (objection !== undefined) return err(objection)
  if (kid !== undefined && typeof kid !== 'string') return err('malformed')
  return ok(kid === undefined ? { alg } : { alg, kid })
}

/** Signature, `iss`, `aud`, and the times as far as the token has them. */
export const verifySignature = async (
  token: string,
  header: KeyHeader,
  signer: Signer,
  rules: Pick<SignedJwtRules, 'clockToleranceSeconds' | 'requiredClaims'>,
  { now, jwks, development = false }: VerifyOptions,
): Promise<Result<JWTPayload, AuthFailure>> => {
  if (needsDevelopment(signer) && !development) {
    const sentence = 'An issuer with an http address is believed only with DEVELOPMENT=true and on a loopback address.'
    return err({ kind: 'misconfigured', variable: 'DEVELOPMENT', sentence })
  }
  const key = await jwks.key(signer.jwksUri, header)
  if (!key.ok) return key
  try {
    const { payload } = await jwtVerify(token, key.value, {
      algorithms: [header.alg],
      issuer: signer.issuer,
      audience: [...listOf(signer.audience)],
      clockTolerance: rules.clockToleranceSeconds,
      currentDate: new Date(now()),
      requiredClaims: [...rules.requiredClaims],
    })
    return ok(payload)
  } catch (error) {
    return err(failureOf(error))
  }
}

const REASON_OF_CLAIM: ReadonlyMap<string, AuthReason> = new Map([
  ['iss', 'wrong_issuer'],
  ['aud', 'wrong_audience'],
  ['nbf', 'not_yet_valid'],
])

const failureOf = (error: unknown): AuthFailure => {
  if (error instanceof errors.JWTExpired) return invalid('expired')
  if (error instanceof errors.JWSSignatureVerificationFailed) return invalid('bad_signature')
  if (error instanceof errors.JWTClaimValidationFailed) return invalid(reasonOfClaim(error))
  if (error instanceof errors.JOSEAlgNotAllowed) return invalid('algorithm_not_allowed')
  if (error instanceof errors.JOSEError) return invalid('malformed')
  // jose throws a TypeError for a key that does not suit the algorithm, such as RSA below 2048 bits: the issuer's doing.
  if (error instanceof TypeError) {
    const what = "the issuer's key does not suit the algorithm of the token"
    return { kind: 'unavailable', retryAfterSeconds: 60, what }
  }
  throw error
}

const reasonOfClaim = ({ claim, reason }: errors.JWTClaimValidationFailed): AuthReason => {
  if (claim === 'exp' && reason === 'missing') return 'no_expiry'
  return reason === 'invalid' ? 'malformed' : (REASON_OF_CLAIM.get(claim) ?? 'malformed')
}
