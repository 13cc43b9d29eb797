/**
 * Tells an access token from the other tokens that the same issuer signs with the same keys: ID tokens, security events,
 * logout tokens. Looks at type and claims only; signature and times are checked elsewhere.
 */
import type { AuthReason } from './failure'
import { listOf } from './trustedIssuer'

type Members = Readonly<Record<string, unknown>>

/** RFC 9068 section 2.1 types access tokens `at+jwt`; most issuers still say `JWT` or nothing. */
const ACCESS_TYPES: ReadonlySet<unknown> = new Set([undefined, 'jwt', 'at+jwt'])

/** Claims that OpenID Connect Core (2, 3.1.3.6, 3.3.2.11) and FAPI put in ID tokens only. */
const ID_TOKEN_CLAIMS = ['nonce', 'at_hash', 'c_hash', 's_hash']

/**
 * Claims that only access tokens have: the scope, the client as RFC 9068 or Okta names it, and how the client proved itself
 * to Entra (v2 and v1). No ID token of the providers at hand carries one.
 */
const ACCESS_TOKEN_CLAIMS = ['scope', 'scp', 'client_id', 'cid', 'azpacr', 'appidacr']

/** `typ` in lower case and without the optional `application/` (RFC 7515 section 4.1.9); null when it is no string. */
const typeOf = (header: Members): string | null | undefined => {
  const typ = header['typ']
  if (typ === undefined) return undefined
  return typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : null
}

/** What the header alone forbids in a token of these types (`typeOf`). */
export const headerObjection = (header: Members, types: ReadonlySet<unknown> = ACCESS_TYPES): AuthReason | undefined => {
  if (Object.hasOwn(header, 'crit') || Object.hasOwn(header, 'b64')) return 'critical_header'
  return types.has(typeOf(header)) ? undefined : 'wrong_type'
}

/**
 * What the claims say against its being an access token.
 *
 * `events` makes a security event (RFC 8417 section 2.2) or a logout token (OpenID Back-Channel Logout section 2.4), with
 * or without a `typ`. Keycloak says `ID`, `Logout`, `Refresh` in a claim `typ`, Cognito `id` in `token_use`.
 *
 * An ID token whose audience is trusted here can't be told with certainty, since nothing obliges it to carry a mark. So, in
 * this order: a claim that only ID tokens have refuses; the type `at+jwt` or a claim that only access tokens have accepts;
 * then a token that is meant for its own client (an ID token's `aud` is its client, `azp`), or that tells how a person
 * signed in, is refused. What remains has another service as its audience, which an ID token never has.
 */
export const claimsObjection = (header: Members, claims: Members, caller: string): AuthReason | undefined => {
  if (Object.hasOwn(claims, 'events')) return 'wrong_type'
  const declared = lowerCase(claims['typ'])
  if (declared === 'id' || lowerCase(claims['token_use']) === 'id') return 'id_token'
  if (declared === 'logout' || declared === 'refresh' || declared === 'offline') return 'wrong_type'
  if (ID_TOKEN_CLAIMS.some((name) => Object.hasOwn(claims, name))) return 'id_token'
  if (typeOf(header) === 'at+jwt' || ACCESS_TOKEN_CLAIMS.some((name) => Object.hasOwn(claims, name))) return undefined
  const audiences: readonly unknown[] = audiencesOf(claims)
  const clients = [claims['azp'], claims['appid'], caller]
  const isForItself = clients.some((client) => client !== undefined && audiences.includes(client))
  const tellsSignIn = Object.hasOwn(claims, 'auth_time') || Object.hasOwn(claims, 'amr')
  return isForItself || tellsSignIn ? 'id_token' : undefined
}

const lowerCase = (value: unknown): string | undefined => (typeof value === 'string' ? value.toLowerCase() : undefined)

/** The members of `aud` (RFC 7519 section 4.1.3) that are strings. */
export const audiencesOf = (claims: Members): readonly string[] => {
  const audience = claims['aud']
  if (typeof audience === 'string') return listOf(audience)
  return Array.isArray(audience) ? audience.filter((member) => typeof member === 'string') : []
}
