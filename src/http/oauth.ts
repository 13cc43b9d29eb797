import { Hono } from 'hono'
import { hashToken } from '../auth/bearer'
import { verifyClientAssertion } from '../auth/clientAssertion'
import { readHeader, readUnverified } from '../auth/compactJws'
import { invalid, type AuthFailure } from '../auth/failure'
import type { JwksCache } from '../auth/jwks'
import { verifyAccessToken } from '../auth/jwt'
import type { Config, Env } from '../config'
import type { ClientProof, TokenFailure } from '../directory/clients'
import type { Trust } from '../directory/callers'
import { err, ok, type Result } from '../result'
import { endpointOf } from './authenticate'
import { mediaTypeOf, readText } from './body'
import { isDevelopmentRequest, type BridgeEnv } from './deployment'
import { readTokenRequest, type Presented, type TokenError } from './tokenRequest'
import { DEFAULT_TENANT, directoryOf, type Tenants } from './tenants'

/**
 * The token endpoint (RFC 6749 section 4.4): a client that proves itself by a secret, a key of its own or an identity provider's
 * assertion gets a token for one hour; and the keys with which those tokens are signed.
 */

export interface OauthOptions {
  readonly tenants: Tenants
  readonly jwks: JwksCache
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

const MAX_BYTES = 64 * 1024

const NO_STORE = { 'cache-control': 'no-store', pragma: 'no-cache' }

const answer = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Response =>
  new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json', ...NO_STORE, ...headers } })

/** RFC 6749 section 5.2. */
const refuse = ({ error, description, status }: TokenError, isBasic: boolean): Response =>
  answer(status, { error, error_description: description }, status === 401 && isBasic ? { 'www-authenticate': 'Basic realm="arize-bridge"' } : {})

const INVALID_CLIENT: TokenError = { status: 401, error: 'invalid_client', description: 'The client is not known here, or its proof is not accepted.' }

const refusalOf = (failure: AuthFailure): Response | TokenError => {
  if (failure.kind === 'unavailable') return unavailable('The proof cannot be checked now. Try again later.', failure.retryAfterSeconds)
  if (failure.kind === 'misconfigured') return unavailable(failure.sentence, 60)
  return INVALID_CLIENT
}

const unavailable = (description: string, retryAfterSeconds: number): Response =>
  answer(503, { error: 'temporarily_unavailable', error_description: description }, { 'retry-after': String(retryAfterSeconds) })

interface Asked {
  readonly env: Env
  readonly config: Config
  readonly tenant: string
  readonly url: string
}

export const createOauth = ({ tenants, jwks, now }: OauthOptions): Hono<BridgeEnv> => {
  const byAssertion = async (asked: Asked, trust: Trust, { clientId, assertion, mayBeOwn }: Extract<Presented, { kind: 'assertion' }>): Promise<Result<ClientProof, AuthFailure>> => {
    const { issuer } = endpointOf(asked.url, asked.tenant)
    const options = { now, jwks, development: isDevelopmentRequest(asked.config, asked.url) }
    const clients = trust.clients.filter((client) => clientId === null || client.clientId === clientId)
    const signer = readUnverified(assertion)?.claims['iss']
    const own = mayBeOwn ? clients.find((client) => client.clientId === signer && client.keys !== null) : undefined
    if (own !== undefined && own.keys !== null) {
      const verified = await verifyClientAssertion(assertion, { clientId: own.clientId, audiences: [`${issuer}/token`, issuer], keys: own.keys }, options)
      return verified.ok ? ok(proofOf(trust, own.connectionId, verified.value.id)) : verified
    }
    const issuers = clients.flatMap(({ connectionId, federation }) => federation.map((trusted) => ({ ...trusted, connectionId })))
    const verified = await verifyAccessToken(assertion, issuers, options)
    return verified.ok ? ok(proofOf(trust, verified.value.connectionId, null)) : verified
  }

  const prove = async (asked: Asked, trust: Trust, presented: Presented): Promise<Result<ClientProof, AuthFailure>> => {
    if (presented.kind === 'assertion') return byAssertion(asked, trust, presented)
    if (!trust.clients.some(({ clientId }) => clientId === presented.clientId)) return err(invalid('unknown_token'))
    return ok({ kind: 'secret', clientId: presented.clientId, hash: await hashToken(presented.secret) })
  }

  const issueOnce = async (asked: Asked, presented: Presented): Promise<Response | TokenError | 'stale'> => {
    const { env, tenant, url } = asked
    let trust = await tenants.trustOf(env, tenant)
    let proof = await prove(asked, trust, presented)
    // The client, or its keys, may have been made after this isolate last asked.
    if (!proof.ok && proof.error.kind === 'invalid') {
      trust = await tenants.renewTrust(env, tenant)
      proof = await prove(asked, trust, presented)
    }
    if (!proof.ok) return refusalOf(proof.error)
    const issued = await directoryOf(env, tenant).issueToken({ proof: proof.value, ...endpointOf(url, tenant) })
    if (!issued.ok) return failed(issued.error)
    const { accessToken, expiresInSeconds } = issued.value
    // Signed with a key that this isolate has not heard of: it must know it when the token comes back a moment later.
    const kid = readHeader(accessToken)?.['kid']
    if (!trust.signingKeys.some((key) => key.kid === kid)) tenants.forgetTrust(tenant)
    return answer(200, {
      access_token: accessToken, token_type: 'Bearer', expires_in: expiresInSeconds,
      ...(presented.kind === 'assertion' && presented.isExchange ? { issued_token_type: 'urn:ietf:params:oauth:token-type:access_token' } : {}),
    })
  }

  /** What the proof was judged by may have changed meanwhile: then it is judged once more. */
  const issue = async (asked: Asked, presented: Presented): Promise<Response | TokenError> => {
    if (!(await tenants.isKnown(asked.env, asked.tenant))) return INVALID_CLIENT
    const first = await issueOnce(asked, presented)
    if (first !== 'stale') return first
    tenants.forgetTrust(asked.tenant)
    const second = await issueOnce(asked, presented)
    return second === 'stale' ? unavailable('The connections are being changed.', 1) : second
  }

  const failed = (failure: TokenFailure): Response | TokenError | 'stale' => {
    if (failure.kind === 'auth') return refusalOf(failure.failure)
    if (failure.kind === 'stale') return 'stale'
    const { variable, sentence } = failure.unready
    return unavailable(sentence.includes(variable) ? sentence : `${variable}: ${sentence}`, 60)
  }

  const take = async (request: Request, asked: Asked): Promise<Response> => {
    const authorization = request.headers.get('authorization')
    const isBasic = authorization !== null
    const refused = (error: TokenError): Response => refuse(error, isBasic)
    if (mediaTypeOf(request) !== 'application/x-www-form-urlencoded') {
      return refused({ status: 400, error: 'invalid_request', description: 'The body must be application/x-www-form-urlencoded.' })
    }
    const text = await readText(request, MAX_BYTES)
    if (!text.ok) return refused({ status: 400, error: 'invalid_request', description: text.error === 'too_large' ? 'The body is larger than 64 KiB.' : 'The body is not UTF-8.' })
    const presented = readTokenRequest(new URLSearchParams(text.value), authorization)
    if (!presented.ok) return refused(presented.error)
    const done = await issue(asked, presented.value)
    return done instanceof Response ? done : refused(done)
  }

  const app = new Hono<BridgeEnv>()
  for (const prefix of ['', '/t/:tenant']) {
    app.all(`${prefix}/oauth/token`, async (c) => {
      if (c.req.method !== 'POST') return new Response(null, { status: 405, headers: { allow: 'POST' } })
      return take(c.req.raw, { env: c.env, config: c.get('config'), tenant: tenantOf(c.req.param('tenant')), url: c.req.url })
    })
    app.get(`${prefix}/oauth/jwks`, async (c) => {
      const tenant = tenantOf(c.req.param('tenant'))
      if (!(await tenants.isKnown(c.env, tenant))) return answer(404, { error: 'not_found' })
      const { signingKeys } = await tenants.trustOf(c.env, tenant)
      return new Response(JSON.stringify({ keys: signingKeys }), { headers: { 'content-type': 'application/jwk-set+json', 'cache-control': 'public, max-age=300' } })
    })
  }
  return app
}

/** The default tenant has no second address: its name below /t/ is nobody's. */
const tenantOf = (named: string | undefined): string => (named === undefined ? DEFAULT_TENANT : named === DEFAULT_TENANT ? '' : named)

const proofOf = ({ revisions }: Trust, connectionId: string, once: string | null): ClientProof => ({
  kind: 'assertion', connectionId, once, revision: (Object.hasOwn(revisions, connectionId) ? revisions[connectionId] : undefined) ?? 0,
})
