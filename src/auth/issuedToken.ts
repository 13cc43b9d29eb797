/**
 * The access tokens that the bridge itself issues at its token endpoint (RFC 6749 section 4.4, RFC 9068): ES256, one hour, bound to
 * a tenant, a connection and its generation, so that they die with a rotation, a pause or a deletion. Keeps no key and stores
 * nothing.
 */
import { createLocalJWKSet, errors, exportJWK, generateKeyPair, importJWK, SignJWT, type JSONWebKeySet, type JWK } from 'jose'
import { err, ok, type Result } from '../result'
import { invalid, type AuthFailure } from './failure'
import type { JwksCache } from './jwks'
import { verifySignedJwt } from './signedJwt'

export const TOKEN_LIFETIME_SECONDS = 3_600

const ALGORITHM = 'ES256'

export type SigningKey = {
  readonly kid: string
  readonly publicJwk: JWK
  /** Secret: sealed before it is stored. */
  readonly privateJwk: JWK
}

/** A new key pair; `kid` names it in the published key set. */
export const newSigningKey = async (kid: string): Promise<SigningKey> => {
  const { publicKey, privateKey } = await generateKeyPair(ALGORITHM, { extractable: true })
  const marks = { kid, alg: ALGORITHM, use: 'sig' }
  return { kid, publicJwk: { ...(await exportJWK(publicKey)), ...marks }, privateJwk: { ...(await exportJWK(privateKey)), ...marks } }
}

export type IssuedClaims = {
  /** The address of the token endpoint's issuer. */
  readonly issuer: string
  /** The SCIM base URL. */
  readonly audience: string
  readonly connectionId: string
  readonly generation: number
  /** `jti`. */
  readonly id: string
}

export const issueToken = async ({ kid, privateJwk }: Omit<SigningKey, 'publicJwk'>, claims: IssuedClaims, nowMs: number): Promise<string> => {
  const issuedAt = Math.floor(nowMs / 1000)
  return new SignJWT({ client_id: claims.connectionId, gen: claims.generation })
    .setProtectedHeader({ alg: ALGORITHM, typ: 'at+jwt', kid })
    .setIssuer(claims.issuer)
    .setSubject(claims.connectionId)
    .setAudience(claims.audience)
    .setJti(claims.id)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + TOKEN_LIFETIME_SECONDS)
    .sign(await importJWK(privateJwk, ALGORITHM))
}

/** A key set that is at hand, looked into like one that is fetched. */
export const keysAtHand = (jwks: JSONWebKeySet): JwksCache => {
  const find = createLocalJWKSet(jwks)
  return {
    key: async (_uri, { alg, kid }) => {
      try {
        return ok(await find(kid === undefined ? { alg } : { alg, kid }))
      } catch (error) {
        if (error instanceof errors.JOSEError) return err(invalid('unknown_key'))
        throw error
      }
    },
  }
}

export type IssuedCaller = Pick<IssuedClaims, 'connectionId' | 'generation' | 'id'>

export type IssuedRules = {
  readonly issuer: string
  readonly audience: string
  readonly keys: readonly JWK[]
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly development: boolean
}

/** Verifies a token of our own. Whether the connection still has this generation is the Directory's answer. */
export const verifyIssuedToken = async (
  token: string, { issuer, audience, keys, now, development }: IssuedRules,
): Promise<Result<IssuedCaller, AuthFailure>> => {
  if (keys.length === 0) return err(invalid('unknown_key'))
  const payload = await verifySignedJwt(
    token,
    {
      issuer, audience, algorithms: [ALGORITHM], types: new Set(['at+jwt']), maxLength: 4 * 1024,
      // Our own clock signed it.
      clockToleranceSeconds: 5, requiredClaims: ['exp', 'iat', 'jti', 'sub'], findKeys: async () => ok(issuer),
    },
    { now, development, jwks: keysAtHand({ keys: [...keys] }) },
  )
  if (!payload.ok) return payload
  const { sub, jti, gen } = payload.value
  if (typeof sub !== 'string' || typeof jti !== 'string' || typeof gen !== 'number') return err(invalid('malformed'))
  return ok({ connectionId: sub, generation: gen, id: jti })
}
