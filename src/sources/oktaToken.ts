import { base64url, exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose'
import * as z from 'zod'
import { err, ok, type Result } from '../result'
import { codeOf, exchange, judgeFound, type OutboundRequest, type Provider, type Reply } from './outbound'
import { readPrivateKey, type privateKeySchema, type SigningKey } from './privateKey'
import type { SourceFailure, SourceTools } from './source'

/**
 * How the bridge proves itself to Okta: an API token, or a service app's access token, for which it signs an assertion with its
 * private key and, when the app demands it, proves the possession of a second key with every request (DPoP, RFC 9449).
 */

export interface Authorizer {
  /** Sends one request in the connection's name. */
  readonly send: (request: OutboundRequest) => Promise<Result<Reply, SourceFailure>>
}

export interface AppCredentials {
  readonly orgUrl: string
  readonly clientId: string
  readonly scopes: readonly string[]
  readonly privateKey: z.infer<typeof privateKeySchema>
  readonly keyId: string | undefined
}

export const withApiToken = (token: string, provider: Provider, tools: SourceTools): Authorizer => ({
  send: (request) => exchange(tools, provider, { ...request, headers: { ...request.headers, authorization: `SSWS ${token}` } }),
})

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const ASSERTION_SECONDS = 300
/** A token is not used in its last minute: the request may take some of it. */
const MARGIN_MS = 60_000

const grantSchema = z.object({
  access_token: z.string().min(1),
  token_type: z.string(),
  expires_in: z.number().min(0).max(1_000_000_000).default(3600),
})

interface AccessToken {
  readonly value: string
  readonly isBound: boolean
  readonly until: number
}

interface ProofKey {
  readonly key: CryptoKey
  readonly jwk: JWK
}

const PROOF_ALGORITHM = 'ES256'

const newProofKey = async (): Promise<ProofKey> => {
  const { privateKey, publicKey } = await generateKeyPair(PROOF_ALGORITHM)
  return { key: privateKey, jwk: await exportJWK(publicKey) }
}

interface Proved {
  readonly method: string
  readonly url: string
  readonly nonce: string | null
  readonly token: string | null
}

/** RFC 9449 section 4.2. */
const proofOf = async ({ key, jwk }: ProofKey, { method, url, nonce, token }: Proved, tools: SourceTools): Promise<string> => {
  const { origin, pathname } = new URL(url)
  const hash = token === null ? null : base64url.encode(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token))))
  return new SignJWT({
    htm: method, htu: origin + pathname, ...(nonce === null ? {} : { nonce }), ...(hash === null ? {} : { ath: hash }),
  })
    .setProtectedHeader({ typ: 'dpop+jwt', alg: PROOF_ALGORITHM, jwk })
    .setJti(tools.randomId())
    .setIssuedAt(Math.floor(tools.now() / 1000))
    .sign(key)
}

/** Without a proof, with one, and with the nonce that the server then names. */
const MOST_TRIES = 3

export const withPrivateKey = (credentials: AppCredentials, provider: Provider, tools: SourceTools): Authorizer => {
  const { orgUrl, clientId, scopes } = credentials
  const tokenUrl = `${orgUrl}/oauth2/v1/token`
  let signingKey: SigningKey | null = null
  let proofKey: ProofKey | null = null
  let token: AccessToken | null = null
  let nonces: { readonly token: string | null; readonly api: string | null } = { token: null, api: null }

  const readKey = async (): Promise<Result<SigningKey, SourceFailure>> => {
    if (signingKey !== null) return ok(signingKey)
    const read = await readPrivateKey(credentials.privateKey, 'RS256')
    if (!read.ok) return err({ kind: 'unauthorized', sentence: `${read.error} Rotate the credentials of this connection.` })
    signingKey = read.value
    return read
  }

  const assertionOf = ({ key, alg, kid }: SigningKey): Promise<string> => {
    const now = Math.floor(tools.now() / 1000)
    const id = credentials.keyId ?? kid
    return new SignJWT({})
      .setProtectedHeader({ typ: 'JWT', alg, ...(id === null ? {} : { kid: id }) })
      .setIssuer(clientId).setSubject(clientId).setAudience(tokenUrl)
      .setJti(tools.randomId()).setIssuedAt(now).setExpirationTime(now + ASSERTION_SECONDS)
      .sign(key)
  }

  const tryGrant = async (key: SigningKey): Promise<Result<Reply, SourceFailure>> => {
    const form = new URLSearchParams({
      grant_type: 'client_credentials', scope: scopes.join(' '), client_assertion_type: ASSERTION_TYPE, client_assertion: await assertionOf(key),
    })
    const proof = proofKey === null ? {} : { dpop: await proofOf(proofKey, { method: 'POST', url: tokenUrl, nonce: nonces.token, token: null }, tools) }
    return exchange(tools, provider, {
      method: 'POST', url: tokenUrl, body: form.toString(), headers: { 'content-type': 'application/x-www-form-urlencoded', ...proof },
    })
  }

  const fetchToken = async (): Promise<Result<AccessToken, SourceFailure>> => {
    const key = await readKey()
    if (!key.ok) return key
    for (let tries = 1; ; tries += 1) {
      const reply = await tryGrant(key.value)
      if (!reply.ok) return reply
      const { status, headers, json, isOk } = reply.value
      if (isOk) return readGrant(json)
      const code = codeOf(json)
      const nonce = headers.get('dpop-nonce')
      const isNonceAsked = code === 'use_dpop_nonce' && nonce !== null
      const isProofAsked = code === 'invalid_dpop_proof' && proofKey === null
      if (tries < MOST_TRIES && (isNonceAsked || isProofAsked)) {
        proofKey ??= await newProofKey()
        if (nonce !== null) nonces = { ...nonces, token: nonce }
        continue
      }
      // Okta refuses an assertion, a scope and a missing grant with 400 or 401 alike.
      if (status === 400 || status === 401 || status === 403) {
        return err({ kind: 'unauthorized', sentence: `Okta refused a token${code === null ? '' : ` (${code})`}: check clientId and private key of this connection, and that the service app is granted the scopes ${scopes.join(', ')}.` })
      }
      const judged = judgeFound(tools, provider, tokenUrl, reply.value)
      return judged.ok ? err(unreadable) : judged
    }
  }

  const readGrant = (json: unknown): Result<AccessToken, SourceFailure> => {
    const grant = grantSchema.safeParse(json)
    if (!grant.success) return err(unreadable)
    const { access_token: value, token_type: type, expires_in: seconds } = grant.data
    const isBound = type.toLowerCase() === 'dpop'
    if (isBound && proofKey === null) return err(unreadable)
    token = { value, isBound, until: tools.now() + seconds * 1000 - MARGIN_MS }
    return ok(token)
  }

  const sendWith = async (request: OutboundRequest, { value, isBound }: AccessToken): Promise<Result<Reply, SourceFailure>> => {
    const proof = isBound && proofKey !== null
      ? { authorization: `DPoP ${value}`, dpop: await proofOf(proofKey, { method: request.method, url: request.url, nonce: nonces.api, token: value }, tools) }
      : { authorization: `Bearer ${value}` }
    return exchange(tools, provider, { ...request, headers: { ...request.headers, ...proof } })
  }

  /** A token that was revoked and a nonce that is asked for are worth one more try each. */
  const send = async (request: OutboundRequest): Promise<Result<Reply, SourceFailure>> => {
    for (let tries = 1; ; tries += 1) {
      const wasKept = token !== null && tools.now() < token.until
      const held = wasKept && token !== null ? ok(token) : await fetchToken()
      if (!held.ok) return held
      const reply = await sendWith(request, held.value)
      if (!reply.ok || reply.value.status !== 401 || tries === MOST_TRIES) return reply
      const nonce = reply.value.headers.get('dpop-nonce')
      if (held.value.isBound && nonce !== null && nonce !== nonces.api) nonces = { ...nonces, api: nonce }
      else if (wasKept) token = null
      else return reply
    }
  }
  return { send }
}

const unreadable: SourceFailure = { kind: 'unavailable', sentence: 'Okta gave a token that cannot be read.' }
