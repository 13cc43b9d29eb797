/**
 * How a client of the token endpoint proves itself with a key of its own (`private_key_jwt`: RFC 7523 section 2.2, OpenID Connect
 * Core section 9): signed by the client about itself, for this endpoint, for a few minutes, once. Workload identity federation,
 * where somebody else signs, is jwt.ts. Remembers no `jti`: the Directory does.
 */
import type { JSONWebKeySet } from 'jose'
import * as z from 'zod'
import { err, ok, type Result } from '../result'
import { invalid, type AuthFailure } from './failure'
import { keysAtHand } from './issuedToken'
import { verifySignedJwt, type VerifyOptions } from './signedJwt'
import { addressSchema, needsDevelopment } from './trustedIssuer'

/** The client's public keys: a set in the configuration, or the address of one. */
export const clientKeysSchema = z.union([
  z.strictObject({ jwksUri: addressSchema('jwksUri') }),
  z.strictObject({
    jwks: z.strictObject({
      keys: z.array(z.looseObject({ kty: z.enum(['RSA', 'EC', 'OKP']) }).refine((key) => !('d' in key), 'A private key must never be given to anybody.')).min(1).max(10),
    }),
  }),
])

export type ClientKeys = z.infer<typeof clientKeysSchema>

export type ClientAssertionRules = {
  readonly clientId: string
  /** The address of the token endpoint; RFC 7523 also allows the issuer's. */
  readonly audiences: readonly string[]
  readonly keys: ClientKeys
}

export type ClientAssertion = {
  readonly id: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

const TYPES: ReadonlySet<unknown> = new Set([undefined, 'jwt', 'client-authentication+jwt'])
const MAX_LIFETIME_SECONDS = 3_600
const MAX_ID_LENGTH = 200

export const verifyClientAssertion = async (
  assertion: string, { clientId, audiences, keys }: ClientAssertionRules, options: VerifyOptions,
): Promise<Result<ClientAssertion, AuthFailure>> => {
  const isAtHand = 'jwks' in keys
  if (!isAtHand && options.development !== true && needsDevelopment({ issuer: keys.jwksUri, jwksUri: keys.jwksUri })) {
    return err({ kind: 'misconfigured', variable: 'DEVELOPMENT', sentence: "A client's key set at an http address is believed only with DEVELOPMENT=true and on a loopback address." })
  }
  const payload = await verifySignedJwt(
    assertion,
    {
      issuer: clientId, audience: audiences, types: TYPES, maxLength: 8 * 1024, clockToleranceSeconds: 60,
      requiredClaims: ['exp', 'jti', 'sub'],
      findKeys: async () => ok(isAtHand ? NO_ADDRESS : keys.jwksUri),
    },
    // The issuer is the client's id, which is no address that could be wrong.
    { ...options, development: true, ...(isAtHand ? { jwks: keysAtHand(keySetOf(keys.jwks)) } : {}) },
  )
  if (!payload.ok) return payload
  const { sub, jti, exp } = payload.value
  if (sub !== clientId) return err(invalid('caller_not_pinned'))
  if (typeof jti !== 'string' || jti === '' || jti.length > MAX_ID_LENGTH || exp === undefined) return err(invalid('malformed'))
  // What lives for days is no proof that the client is there now.
  if (exp > options.now() / 1000 + MAX_LIFETIME_SECONDS) return err(invalid('too_long_lived'))
  return ok({ id: jti, expiresAt: exp * 1000 })
}

/** Keys at hand have no address, and none is asked. */
const NO_ADDRESS = 'https://keys.invalid'

const keySetOf = ({ keys }: { readonly keys: readonly { readonly [member: string]: unknown; readonly kty: 'RSA' | 'EC' | 'OKP' }[] }): JSONWebKeySet => ({
  keys: keys.map((key) => ({ ...key })),
})
