/**
 * Access tokens of trusted issuers (RFC 7519, RFC 9068), verified with jose: who signed, for whom, for which caller, until
 * when. A token that can't be right is refused before any key is fetched. Gives no access by itself: the Directory says
 * whether the connection is alive.
 */
import type { JWTPayload } from 'jose'
import { err, ok, type Result } from '../result'
import { readUnverified, type UnverifiedJws } from './compactJws'
import { invalid, type AuthFailure, type AuthReason } from './failure'
import type { KeyHeader } from './jwks'
import { readKeyHeader, verifySignature, type VerifyOptions } from './signedJwt'
import { audiencesOf, claimsObjection } from './tokenType'
import { ALGORITHMS, listOf, type IssuerOfConnection } from './trustedIssuer'

export type VerifiedCaller = {
  readonly connectionId: string
  readonly issuer: string
  /** The value of the pinned claim. */
  readonly caller: string
  /** `jti`, or `uti` where Entra has no `jti`: for the journal. */
  readonly tokenId?: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

/** How far clocks may differ, for `exp`, `nbf` and `iat`. */
const CLOCK_TOLERANCE_SECONDS = 60

const MAX_TOKEN_LENGTH = 8 * 1024
const MAX_TOKEN_ID_LENGTH = 256

/**
 * Verifies a token against the issuers that connections trust. Of several entries with the token's `iss` the one that pins
 * its caller counts, and it must be one connection's. Refusals are `invalid` (401); keys that can't be read are
 * `unavailable` (503).
 */
export const verifyAccessToken = async (
  token: string,
  issuers: readonly IssuerOfConnection[],
  options: VerifyOptions,
): Promise<Result<VerifiedCaller, AuthFailure>> => {
  if (token.length > MAX_TOKEN_LENGTH) return err(invalid('too_large'))
  const jws = readUnverified(token)
  if (jws === undefined) return err(invalid('malformed'))
  const prepared = prepare(jws, issuers)
  if (!prepared.ok) return err(invalid(prepared.error))
  const { entry, header } = prepared.value
  const payload = await verifySignature(token, header, entry, SIGNATURE_RULES, options)
  return payload.ok ? callerOf(jws, payload.value, entry, options.now()) : payload
}

const SIGNATURE_RULES = { clockToleranceSeconds: CLOCK_TOLERANCE_SECONDS, requiredClaims: ['exp'] }

type Prepared = { readonly entry: IssuerOfConnection; readonly header: KeyHeader }

/** Everything that can be refused on the token's own word. */
const prepare = (jws: UnverifiedJws, issuers: readonly IssuerOfConnection[]): Result<Prepared, AuthReason> => {
  const header = readKeyHeader(jws.header)
  if (!header.ok) return header
  const entry = pickIssuer(jws.claims, issuers)
  if (!entry.ok) return entry
  const algorithms: readonly string[] = entry.value.algorithms ?? ALGORITHMS
  if (!algorithms.includes(header.value.alg)) return err('algorithm_not_allowed')
  return ok({ entry: entry.value, header: header.value })
}

const pickIssuer = (
  claims: UnverifiedJws['claims'],
  issuers: readonly IssuerOfConnection[],
): Result<IssuerOfConnection, AuthReason> => {
  const trusting = issuers.filter(({ issuer }) => issuer === claims['iss'])
  if (trusting.length === 0) return err('wrong_issuer')
  const pinning = trusting.filter((entry) => pinnedCaller(claims, entry) !== undefined)
  const [first] = pinning
  if (first === undefined) return err('caller_not_pinned')
  if (pinning.some(({ connectionId }) => connectionId !== first.connectionId)) return err('ambiguous_caller')
  const audiences = audiencesOf(claims)
  return ok(pinning.find(({ audience }) => listOf(audience).some((one) => audiences.includes(one))) ?? first)
}

const pinnedCaller = (claims: UnverifiedJws['claims'], { caller }: IssuerOfConnection): string | undefined => {
  const value = Object.hasOwn(claims, caller.claim) ? claims[caller.claim] : undefined
  return typeof value === 'string' && caller.values.includes(value) ? value : undefined
}

/** The caller of a payload whose signature, `iss`, `aud`, `exp` and `nbf` are right. */
const callerOf = (
  { header }: UnverifiedJws,
  payload: JWTPayload,
  entry: IssuerOfConnection,
  nowMs: number,
): Result<VerifiedCaller, AuthFailure> => {
  const caller = pinnedCaller(payload, entry)
  if (caller === undefined) return err(invalid('caller_not_pinned'))
  const objection = claimsObjection(header, payload, caller)
  if (objection !== undefined) return err(invalid(objection))
  if (entry.tid !== undefined && payload['tid'] !== entry.tid) return err(invalid('wrong_tenant'))
  const latestIssue = nowMs / 1000 + CLOCK_TOLERANCE_SECONDS
  if (payload.iat !== undefined && payload.iat > latestIssue) return err(invalid('not_yet_valid'))
  if (payload.exp === undefined) return err(invalid('no_expiry'))
  const tokenId = tokenIdOf(payload)
  const verified = { connectionId: entry.connectionId, issuer: entry.issuer, caller, expiresAt: payload.exp * 1000 }
  return ok(tokenId === undefined ? verified : { ...verified, tokenId })
}

const tokenIdOf = (payload: JWTPayload): string | undefined =>
  [payload.jti, payload['uti']].find(
    (id): id is string => typeof id === 'string' && id !== '' && id.length <= MAX_TOKEN_ID_LENGTH,
  )
