import type { SealedCursor } from '../scim/cursor'
import { readMeta, writeMeta } from './meta'
import type { Store } from './sql'

/**
 * The seal of a cursor: HMAC-SHA-256 under a key that each tenant has for itself and nobody else needs. A cursor of another tenant,
 * connection or query, or one with a character changed, does not pass.
 */

const base64urlOf = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')

const bytesOf = (base64url: string): Uint8Array<ArrayBuffer> | null => {
  try {
    return Uint8Array.from(atob(base64url.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0))
  } catch {
    return null
  }
}

const randomKey = (): string => base64urlOf(crypto.getRandomValues(new Uint8Array(32)))

/** The tenant's key, made when it is first needed: base64url of 32 random bytes. */
export const cursorKey = (store: Pick<Store, 'sql'>, newKey = randomKey): string => {
  const known = readMeta(store, 'cursorKey')
  if (known !== null) return known
  const made = newKey()
  writeMeta(store, 'cursorKey', made)
  return made
}

const importKey = (key: string): Promise<CryptoKey> =>
  crypto.subtle.importKey('raw', bytesOf(key) ?? new Uint8Array(), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify'])

const messageOf = (payload: string, context: string): Uint8Array => new TextEncoder().encode(`${payload}\n${context}`)

export const sealCursor = async (key: string, payload: string, context: string): Promise<SealedCursor> => {
  const seal = await crypto.subtle.sign('HMAC', await importKey(key), messageOf(payload, context))
  return { payload, seal: base64urlOf(new Uint8Array(seal)) }
}

/** Compared in constant time, and only in the one spelling that base64url has for 32 bytes. */
export const isSealed = async (key: string, { payload, seal }: SealedCursor, context: string): Promise<boolean> => {
  const bytes = bytesOf(seal)
  if (bytes === null || base64urlOf(bytes) !== seal) return false
  return crypto.subtle.verify('HMAC', await importKey(key), bytes, messageOf(payload, context))
}
