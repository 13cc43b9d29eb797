import { calculateJwkThumbprint, decodeProtectedHeader, importJWK, jwtVerify, type JWK } from 'jose'

/** Proofs that clients send to a token endpoint, held against what the client has registered. */

export interface AssertionRules {
  readonly clientId: string
  readonly audience: string
  /** Public keys; `thumbprint`: SHA-256 of the certificate that the key is in, which the assertion then has to name. */
  readonly keys: readonly { readonly jwk: JWK; readonly thumbprint?: string }[]
  /** Whether this `jti` was seen before. */
  readonly isReplayed: (jti: string) => boolean
}

const LONGEST_SECONDS = 3_600

/** Null when the assertion proves the client (RFC 7523 section 3), or what is wrong with it. */
export const refuseAssertion = async (assertion: string, { clientId, audience, keys, isReplayed }: AssertionRules): Promise<string | null> => {
  try {
    const header = decodeProtectedHeader(assertion)
    const alg = header.alg ?? ''
    if (!/^(?:[RP]S|ES)\d{3}$/.test(alg)) return 'The algorithm is not allowed.'
    const fitting = keys.filter(({ jwk, thumbprint }) =>
      thumbprint === undefined ? header.kid === undefined || jwk.kid === undefined || jwk.kid === header.kid : thumbprint === header['x5t#S256'])
    for (const { jwk } of fitting) {
      try {
        const { payload } = await jwtVerify(assertion, await importJWK(jwk, alg), {
          issuer: clientId, subject: clientId, audience, requiredClaims: ['exp'], clockTolerance: 5,
        })
        if ((payload.exp ?? 0) > Date.now() / 1000 + LONGEST_SECONDS) return 'The assertion is valid for too long.'
        if (payload.jti !== undefined && isReplayed(payload.jti)) return 'The assertion was used before.'
        return null
      } catch {
        continue
      }
    }
    return 'The assertion is not signed by a registered key, or not for this endpoint.'
  } catch {
    return 'The assertion is no JWT.'
  }
}

export interface ProofRules {
  readonly method: string
  readonly url: string
  /** The nonce that the proof has to bring; null where none is asked for. */
  readonly nonce: string | null
  /** The token that it goes with, and the key that the token is bound to. */
  readonly token: { readonly value: string; readonly thumbprint: string } | null
  readonly isReplayed: (jti: string) => boolean
}

const sha256 = async (text: string): Promise<string> =>
  btoa(String.fromCharCode(...new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))))
    .replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')

export type Proof = { readonly thumbprint: string } | { readonly refused: 'use_dpop_nonce' | 'invalid_dpop_proof'; readonly why: string }

/** A DPoP proof (RFC 9449 section 4.3). */
export const readProof = async (proof: string | null, { method, url, nonce, token, isReplayed }: ProofRules): Promise<Proof> => {
  const refused = (why: string): Proof => ({ refused: 'invalid_dpop_proof', why })
  if (proof === null) return refused('The DPoP proof JWT header is missing.')
  try {
    const { typ, alg, jwk } = decodeProtectedHeader(proof)
    if (typ !== 'dpop+jwt' || alg === undefined || jwk === undefined || 'd' in jwk) return refused('The DPoP proof has no public key.')
    const { payload } = await jwtVerify(proof, await importJWK(jwk, alg))
    const { origin, pathname } = new URL(url)
    if (payload['htm'] !== method || payload['htu'] !== origin + pathname) return refused('The DPoP proof is of another request.')
    if (Math.abs((payload.iat ?? 0) - Date.now() / 1000) > 300) return refused('The DPoP proof is too old or too new.')
    if (typeof payload.jti !== 'string' || isReplayed(payload.jti)) return refused('The DPoP proof was used before.')
    if (nonce !== null && payload['nonce'] !== nonce) return { refused: 'use_dpop_nonce', why: 'Authorization server requires nonce in DPoP proof.' }
    const thumbprint = await calculateJwkThumbprint(jwk)
    if (token !== null && payload['ath'] !== (await sha256(token.value))) return refused('The DPoP proof is of another token.')
    if (token !== null && token.thumbprint !== thumbprint) return refused('The token belongs to another key.')
    return { thumbprint }
  } catch {
    return refused('The DPoP proof is not valid.')
  }
}
