import { hashToken, type Credential } from '../auth/bearer'
import { isDevelopmentValue } from '../auth/development'
import { createJwksCache, type JwksCache } from '../auth/jwks'
import { verifyAccessToken } from '../auth/jwt'
import { invalid, type AuthFailure } from '../auth/failure'
import type { Config, Env } from '../config'
import { verifyIssuedToken } from '../auth/issuedToken'
import type { ScimCredential, Trust } from '../directory/callers'
import { err, ok, type Result } from '../result'
import { isDevelopmentRequest } from './deployment'
import { DEFAULT_TENANT, prefixOf, type Tenants } from './tenants'

/**
 * A SCIM caller's credential as the Directory takes it: the hash of a token, or what a verified JWT says. Whether a token is a
 * connection's, and whether that connection may speak, is the Directory's answer.
 */

/** The credential with what is known about it in the Worker. */
export interface Proof {
  readonly credential: ScimCredential
  /** Whether the token that exists in development only is believed. */
  readonly isDevelopment: boolean
}

export interface Caller {
  readonly env: Env
  readonly config: Config
  readonly tenant: string
  readonly url: string
  readonly presented: Credential
}

export interface Authenticator {
  /** A JWT that proves nothing becomes `refused`, for the Directory to journal; most failures say that nobody can tell now. */
  readonly prove: (caller: Caller) => Promise<Result<Proof, AuthFailure>>
}

export interface AuthenticatorOptions {
  readonly tenants: Tenants
  readonly jwks?: JwksCache
  /** Milliseconds since the epoch. */
  readonly now?: () => number
}

/** The token endpoint of a tenant, as its tokens name it (RFC 9068 `iss`), and what they are for. */
export const endpointOf = (url: string, tenant: string): { readonly issuer: string; readonly audience: string } => {
  const base = `${new URL(url).origin}${prefixOf(tenant)}`
  return { issuer: `${base}/oauth`, audience: `${base}/scim/v2` }
}

export const createAuthenticator = (options: AuthenticatorOptions): Authenticator => {
  const { tenants, jwks = createJwksCache(), now = Date.now } = options

  const proveToken = async ({ config, tenant, url, presented }: Caller): Promise<Result<Proof, AuthFailure>> => {
    const isDevelopment = isDevelopmentRequest(config, url)
    // A Directory that once ran in development still has its token.
    if (isDevelopmentValue(presented.token) && !isDevelopment) return err(invalid('unknown_token'))
    const credential = { kind: 'token', hash: await hashToken(presented.token) } as const
    return ok({ credential, isDevelopment: isDevelopment && tenant === DEFAULT_TENANT })
  }

  const proveIssued = async ({ env, config, tenant, url, presented }: Caller): Promise<Result<ScimCredential, AuthFailure>> => {
    const verify = (keys: Trust['signingKeys']) =>
      verifyIssuedToken(presented.token, { ...endpointOf(url, tenant), keys, now, development: isDevelopmentRequest(config, url) })
    const known = await verify((await tenants.trustOf(env, tenant)).signingKeys)
    // The key may have been made after this isolate last asked.
    const isNews = !known.ok && known.error.kind === 'invalid' && known.error.reason === 'unknown_key'
    const verified = isNews ? await verify((await tenants.renewTrust(env, tenant)).signingKeys) : known
    if (verified.ok) return ok({ kind: 'issued', ...verified.value })
    return verified.error.kind === 'invalid' ? ok({ kind: 'refused', failure: verified.error }) : verified
  }

  const proveJwt = async ({ env, config, tenant, url, presented }: Caller): Promise<Result<ScimCredential, AuthFailure>> => {
    const { issuers, revisions } = await tenants.trustOf(env, tenant)
    const development = isDevelopmentRequest(config, url)
    const verified = await verifyAccessToken(presented.token, issuers, { now, jwks, development })
    if (!verified.ok) return verified.error.kind === 'invalid' ? ok({ kind: 'refused', failure: verified.error }) : verified
    const { connectionId, caller } = verified.value
    const revision = Object.hasOwn(revisions, connectionId) ? revisions[connectionId] : undefined
    if (revision === undefined) return ok({ kind: 'refused', failure: invalid('wrong_issuer') })
    return ok({ kind: 'verified', connectionId, revision, caller })
  }

  return {
    prove: async (caller) => {
      if (caller.presented.kind === 'token') return proveToken(caller)
      const { presented, url, tenant } = caller
      const isOurs = presented.issuer === endpointOf(url, tenant).issuer
      const credential = await (isOurs ? proveIssued(caller) : proveJwt(caller))
      return credential.ok ? ok({ credential: credential.value, isDevelopment: false }) : err(credential.error)
    },
  }
}
