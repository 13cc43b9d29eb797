/**
 * Takes a compact JWS (RFC 7515 section 7.1) apart without believing any of it: for looking up who might have signed it,
 * and for refusing the hopeless before a key is fetched. Verifies nothing.
 */
import { decodeJwt, decodeProtectedHeader } from 'jose'

export type UnverifiedJws = {
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
}

/** Three base64url segments; the signature may be empty, so that `alg: none` is named as such and not as malformed. */
const COMPACT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*$/

/** The header of something shaped like a JWS with an `alg`; undefined for opaque text. */
export const readHeader = (token: string): Readonly<Record<string, unknown>> | undefined => {
  if (!COMPACT.test(token)) return undefined
  try {
    const header: Record<string, unknown> = decodeProtectedHeader(token)
    return typeof header['alg'] === 'string' ? header : undefined
  } catch {
    return undefined
  }
}

/** Header and claims; undefined unless both are JSON objects. */
export const readUnverified = (token: string): UnverifiedJws | undefined => {
  const header = readHeader(token)
  if (header === undefined) return undefined
  try {
    return { header, claims: decodeJwt(token) }
  } catch {
    return undefined
  }
}
