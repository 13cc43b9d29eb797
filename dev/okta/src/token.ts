import { decodeJwt } from 'jose'
import { readProof, refuseAssertion } from '../../lib/assertion'
import type { Documents } from '../../lib/documents'
import { forbidden, insufficientScope, invalidToken, oauthError } from './errors'
import { isSeen, switchesOf, type Client, type Token } from './model'

/** The org's authorization server for its own API: client credentials by `private_key_jwt`, bound to a key where the app demands it. */

const NONCE_MS = 600_000

/** One nonce at a time, as Okta: a new one for each ten minutes. */
const nonceOf = (): string => `nonce-${Math.floor(Date.now() / NONCE_MS)}`

const clientIdOf = (assertion: string): string => {
  try {
    return decodeJwt(assertion).sub ?? ''
  } catch {
    return ''
  }
}

export const issueToken = async (documents: Documents, request: Request, body: string): Promise<Response> => {
  const form = new URLSearchParams(body)
  if (form.get('grant_type') !== 'client_credentials') return oauthError(400, 'unsupported_grant_type', 'The grant type is not supported.')
  if (form.get('client_assertion_type') !== 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer') return oauthError(401, 'invalid_client', 'Client Credentials requests to the Org Authorization Server must use the private_key_jwt token_endpoint_auth_method.')
  const assertion = form.get('client_assertion') ?? ''
  const clientId = clientIdOf(assertion)
  const client = documents.get<Client>('client', clientId)
  if (client === undefined) return oauthError(401, 'invalid_client', 'The client_assertion signature is invalid.')
  const { origin, pathname } = new URL(request.url)
  const proof = request.headers.get('dpop')
  const isBound = client.dpop || proof !== null
  const read = isBound
    ? await readProof(proof, { method: 'POST', url: request.url, nonce: nonceOf(), token: null, isReplayed: (jti) => isSeen(documents, `proof ${jti}`) })
    : null
  if (read !== null && 'refused' in read) return oauthError(400, read.refused, read.why, read.refused === 'use_dpop_nonce' ? { 'dpop-nonce': nonceOf() } : {})
  const why = await refuseAssertion(assertion, {
    clientId, audience: origin + pathname, keys: client.keys.map((jwk) => ({ jwk: { ...jwk } })), isReplayed: (jti) => isSeen(documents, `assertion ${jti}`),
  })
  if (why !== null) return oauthError(401, 'invalid_client', why)
  const scopes = (form.get('scope') ?? '').split(' ').filter((scope) => scope !== '')
  if (scopes.length === 0) return oauthError(400, 'invalid_scope', 'The authorization server resource does not have any configured default scopes, \'scope\' must be provided.')
  if (scopes.some((scope) => !client.scopes.includes(scope))) return oauthError(400, 'invalid_scope', 'One or more scopes are not configured for the authorization server resource.')
  const { tokenSeconds } = switchesOf(documents)
  const value = crypto.randomUUID()
  documents.put('token', value, { scopes, thumbprint: read?.thumbprint ?? null, expiresAt: Date.now() + tokenSeconds * 1000 } satisfies Token)
  return Response.json({ token_type: isBound ? 'DPoP' : 'Bearer', expires_in: tokenSeconds, access_token: value, scope: scopes.join(' ') })
}

/** Null when the caller may read what needs the scope. */
export const refuseCaller = async (documents: Documents, request: Request, scope: string): Promise<Response | null> => {
  const [scheme = '', value = ''] = (request.headers.get('authorization') ?? '').split(' ')
  const { apiToken, apiNonce } = switchesOf(documents)
  if (scheme === 'SSWS') return value === apiToken ? null : invalidToken()
  const token = documents.get<Token>('token', value)
  if (token === undefined || token.expiresAt < Date.now() || !['Bearer', 'DPoP'].includes(scheme)) return invalidToken()
  if ((token.thumbprint === null) !== (scheme === 'Bearer')) return invalidToken()
  if (token.thumbprint !== null) {
    const read = await readProof(request.headers.get('dpop'), {
      method: request.method, url: request.url, nonce: apiNonce ? nonceOf() : null,
      token: { value, thumbprint: token.thumbprint }, isReplayed: (jti) => isSeen(documents, `proof ${jti}`),
    })
    if ('refused' in read) {
      return oauthError(read.refused === 'use_dpop_nonce' ? 401 : 400, read.refused, read.why, {
        ...(read.refused === 'use_dpop_nonce' ? { 'dpop-nonce': nonceOf() } : {}), 'www-authenticate': `DPoP error="${read.refused}"`,
      })
    }
  }
  return token.scopes.includes(scope) ? null : token.scopes.length === 0 ? forbidden() : insufficientScope()
}
