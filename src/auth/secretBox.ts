/**
 * Secrets that must be read again (keys of identity providers and of Arize), sealed with AES-256-GCM under MASTER_KEY.
 * The context is authenticated with the text, so that a sealed value copied to another tenant or field does not open.
 * Stores nothing and reads no variable: the key is a parameter.
 */
import { base64url } from 'jose'
import { err, ok, type Result } from '../result'
import type { FillRandom } from './bearer'

export type SecretBoxFailure = {
  readonly kind: 'malformed' | 'unknown_version' | 'not_opened'
  readonly sentence: string
}

export type SecretBox = {
  /** `<version>.<iv>.<ciphertext>`, base64url, under the newest key. The same text never seals to the same value. */
  readonly seal: (plain: string, context: string) => Promise<string>
  /** Opens what any of the versions sealed under the same context. */
  readonly open: (sealed: string, context: string) => Promise<Result<string, SecretBoxFailure>>
  /** Whether a sealed value is under the newest key already (a rotation re-seals the others). */
  readonly isCurrent: (sealed: string) => boolean
}

/** The context of a tenant's secret, unambiguous whatever the names contain. */
export const secretContext = (tenant: string, name: string): string => JSON.stringify([tenant, name])

const IV_BYTES = 12

const HOW =
  'MASTER_KEY must be 32 random bytes in base64 (`openssl rand -base64 32`), ' +
  'or `v2:<base64>,v1:<base64>` with the newest first.'

/**
 * Reads MASTER_KEY: one key (version `v1`), or several with their versions for rotation, newest first. A failure says what
 * is wrong and never quotes the value.
 */
export const createSecretBox = async (
  masterKey: string,
  random: FillRandom = (bytes) => crypto.getRandomValues(bytes),
): Promise<Result<SecretBox, { readonly sentence: string }>> => {
  const keys = new Map<string, CryptoKey>()
  for (const part of masterKey.split(',')) {
    const { version, encoded } = readPart(part.trim())
    const bytes = decodeKey(encoded)
    if (version === undefined || bytes === undefined) return err({ sentence: HOW })
    if (keys.has(version)) return err({ sentence: `MASTER_KEY has two keys of version ${version}. ${HOW}` })
    keys.set(version, await crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt']))
  }
  const [newest] = keys
  return newest === undefined ? err({ sentence: HOW }) : ok(boxOf(newest, keys, random))
}

const readPart = (part: string): { version: string | undefined; encoded: string } => {
  const colon = part.indexOf(':')
  if (colon < 0) return { version: 'v1', encoded: part }
  const version = part.slice(0, colon)
  return { version: /^v[1-9][0-9]{0,5}$/.test(version) ? version : undefined, encoded: part.slice(colon + 1) }
}

const decodeKey = (encoded: string): Uint8Array<ArrayBuffer> | undefined => {
  const bytes = decodeBytes(encoded.replaceAll('+', '-').replaceAll('/', '_').replace(/=$/, ''))
  return bytes?.byteLength === 32 ? bytes : undefined
}

const decodeBytes = (encoded: string): Uint8Array<ArrayBuffer> | undefined => {
  if (!/^[A-Za-z0-9_-]+$/.test(encoded)) return undefined
  try {
    return new Uint8Array(base64url.decode(encoded))
  } catch {
    return undefined
  }
}

const boxOf = (
  [version, key]: readonly [string, CryptoKey],
  keys: ReadonlyMap<string, CryptoKey>,
  random: FillRandom,
): SecretBox => ({
  seal: async (plain, context) => {
    const iv = random(new Uint8Array(IV_BYTES))
    const sealed = await crypto.subtle.encrypt(parameters(iv, version, context), key, new TextEncoder().encode(plain))
    return `${version}.${base64url.encode(iv)}.${base64url.encode(new Uint8Array(sealed))}`
  },
  open: async (sealed, context) => {
    const [sealedVersion = '', ivText = '', text = '', ...rest] = sealed.split('.')
    const iv = decodeBytes(ivText)
    const ciphertext = decodeBytes(text)
    if (iv?.byteLength !== IV_BYTES || ciphertext === undefined || rest.length > 0) {
      return err({ kind: 'malformed', sentence: 'The stored secret is not in the form that the bridge writes.' })
    }
    const opener = keys.get(sealedVersion)
    if (opener === undefined) {
      return err({
        kind: 'unknown_version',
        sentence: 'The stored secret was sealed with a version of MASTER_KEY that is not configured; add it again.',
      })
    }
    try {
      const plain = await crypto.subtle.decrypt(parameters(iv, sealedVersion, context), opener, ciphertext)
      return ok(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(plain))
    } catch {
      return err({
        kind: 'not_opened',
        sentence:
          'The stored secret does not open: MASTER_KEY was replaced instead of rotated, or the value was altered.',
      })
    }
  },
  isCurrent: (sealed) => sealed.startsWith(`${version}.`),
})

const parameters = (iv: Uint8Array<ArrayBuffer>, version: string, context: string) => ({
  name: 'AES-GCM',
  iv,
  additionalData: new TextEncoder().encode(`${version}.${context}`),
})
