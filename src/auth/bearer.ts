/**
 * The Authorization header as a credential, and the tokens that the bridge itself issues. Reads and compares; whether a
 * token belongs to somebody is the Directory's answer, whether a JWT is genuine that of jwt.ts. Never throws on input.
 */
import { base64url } from 'jose'
import { err, ok, type Result } from '../result'
import { readHeader, readUnverified } from './compactJws'
import { invalid, type AuthFailure } from './failure'

/** `issuer` is unverified: good for looking up who should have signed, for nothing else. */
export type Credential =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'jwt'; readonly token: string; readonly issuer: string }

const MAX_AUTHORIZATION_LENGTH = 8 * 1024

/** Neither white space nor control characters, so that two headers merged by a proxy are not taken for one token. */
const TOKEN = /^[^\s\p{Cc}]+$/u

/**
 * Reads what identity providers send: `Bearer x` in any case, `x` alone (Okta's "Header" mode), or Basic (RFC 7617), whose
 * password is the token and whose user name means nothing. A compact JWS becomes a `jwt`, everything else a `token`.
 */
export const readCredential = (authorization: string | null): Result<Credential, AuthFailure> => {
  const secret = readSecret(authorization)
  return secret.ok ? classify(secret.value) : secret
}

const readSecret = (authorization: string | null): Result<string, AuthFailure> => {
  if (authorization === null) return err({ kind: 'missing' })
  if (authorization.length > MAX_AUTHORIZATION_LENGTH) return err(invalid('too_large'))
  const text = authorization.trim()
  if (text === '') return err({ kind: 'missing' })
  const gap = text.search(/[ \t]/)
  const scheme = (gap < 0 ? text : text.slice(0, gap)).toLowerCase()
  const rest = gap < 0 ? '' : text.slice(gap).trim()
  if (scheme === 'bearer') return token(rest)
  if (scheme === 'basic') return basicPassword(rest)
  return gap < 0 ? token(text) : err(invalid('unsupported_scheme'))
}

const token = (text: string): Result<string, AuthFailure> => (TOKEN.test(text) ? ok(text) : err(invalid('malformed')))

const basicPassword = (encoded: string): Result<string, AuthFailure> => {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) return err(invalid('malformed'))
  try {
    const bytes = Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0))
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    const colon = text.indexOf(':')
    return colon < 0 ? err(invalid('malformed')) : token(text.slice(colon + 1))
  } catch {
    return err(invalid('malformed'))
  }
}

const classify = (text: string): Result<Credential, AuthFailure> => {
  if (readHeader(text) === undefined) return ok({ kind: 'token', token: text })
  const jws = readUnverified(text)
  if (jws === undefined) return err(invalid('malformed'))
  const issuer = jws.claims['iss']
  return typeof issuer === 'string' ? ok({ kind: 'jwt', token: text, issuer }) : err(invalid('wrong_issuer'))
}

/** SHA-256 in hexadecimal: what is stored of a token, and the only form in which it travels to the Directory. */
export const hashToken = async (text: string): Promise<string> =>
  Array.from(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('')

/** Whether two hashes of `hashToken` are equal, in a time that does not depend on where they differ. */
export const equalHashes = (a: string, b: string): boolean => {
  const left = new TextEncoder().encode(a)
  const right = new TextEncoder().encode(b)
  if (left.byteLength !== right.byteLength) return false
  // Only workerd has this function; elsewhere every byte is looked at all the same.
  if (typeof crypto.subtle.timingSafeEqual === 'function') return crypto.subtle.timingSafeEqual(left, right)
  return left.reduce((difference, byte, index) => difference | (byte ^ (right[index] ?? 0)), 0) === 0
}

/** `hook`: a secret that a sender of events brings. `client`: that of a client of the token endpoint. */
export type TokenKind = 'scim' | 'admin' | 'hook' | 'client'

/** Fills the array with random bytes and returns it, as `crypto.getRandomValues` does. */
export type FillRandom = (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>

const systemRandom: FillRandom = (bytes) => crypto.getRandomValues(bytes)

/**
 * A new token with 256 random bits: `arzb_<kind>_<43 characters of base64url>`. The prefix is fixed, so that secret
 * scanners find a leaked one with `arzb_(scim|admin|hook|client)_[A-Za-z0-9_-]{43}`. `hint` (prefix and last four characters) may be
 * shown for ever, the token only once.
 */
export const newToken = (kind: TokenKind, random: FillRandom = systemRandom): { token: string; hint: string } => {
  const prefix = `arzb_${kind}_`
  const secret = base64url.encode(random(new Uint8Array(32)))
  return { token: prefix + secret, hint: `${prefix}…${secret.slice(-4)}` }
}
