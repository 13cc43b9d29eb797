import { importJWK, importPKCS8, type CryptoKey, type JWK } from 'jose'
import * as z from 'zod'
import { err, ok, type Result } from '../result'

/** A private key as administrators have it: PKCS#8 in PEM, or a JWK. */

export const privateKeySchema = z.union([
  z.string().trim().min(1).max(20_000),
  z.looseObject({ kty: z.enum(['RSA', 'EC']) }),
])

export interface SigningKey {
  readonly key: CryptoKey
  readonly alg: string
  readonly kid: string | null
}

const UNREADABLE = 'The private key cannot be read: give it as PKCS#8 PEM ("-----BEGIN PRIVATE KEY-----") or as a JWK of type RSA or EC.'

const jwkOf = (given: z.infer<typeof privateKeySchema>): JWK | null => {
  if (typeof given !== 'string') return given
  if (!given.startsWith('{')) return null
  try {
    const parsed: unknown = JSON.parse(given)
    return typeof parsed === 'object' && parsed !== null ? parsed : null
  } catch {
    return null
  }
}

const CURVES: Readonly<Record<string, string>> = { 'P-256': 'ES256', 'P-384': 'ES384', 'P-521': 'ES512' }

const algorithmOf = ({ kty, crv, alg }: JWK, algorithm: string): string | null => {
  if (kty === 'RSA') return alg === undefined || !/^[RP]S(?:256|384|512)$/.test(alg) ? algorithm : alg
  return kty === 'EC' && crv !== undefined && Object.hasOwn(CURVES, crv) ? (CURVES[crv] ?? null) : null
}

const isPrivate = (key: CryptoKey | Uint8Array): key is CryptoKey => !(key instanceof Uint8Array) && key.type === 'private'

const fromJwk = async (jwk: JWK, algorithm: string): Promise<Result<SigningKey, string>> => {
  const alg = algorithmOf(jwk, algorithm)
  if (alg === null) return err(UNREADABLE)
  const key = await importJWK(jwk, alg)
  return isPrivate(key) ? ok({ key, alg, kid: typeof jwk.kid === 'string' ? jwk.kid : null }) : err('The key is a public one: the bridge needs the private key.')
}

const fromPem = async (pem: string, algorithm: string): Promise<Result<SigningKey, string>> => {
  for (const alg of [algorithm, ...Object.values(CURVES)]) {
    try {
      return ok({ key: await importPKCS8(pem, alg), alg, kid: null })
    } catch {
      continue
    }
  }
  return err(UNREADABLE)
}

/** Reads the key. `algorithm` is what an RSA key signs with. The sentence of a failure holds nothing of the key. */
export const readPrivateKey = async (given: z.infer<typeof privateKeySchema>, algorithm: 'RS256' | 'PS256'): Promise<Result<SigningKey, string>> => {
  try {
    const jwk = jwkOf(given)
    if (jwk !== null) return await fromJwk(jwk, algorithm)
    return typeof given === 'string' ? await fromPem(given.replaceAll('\\n', '\n'), algorithm) : err(UNREADABLE)
  } catch {
    return err(UNREADABLE)
  }
}
