import { refuseAssertion } from '../../lib/assertion'
import type { Documents } from '../../lib/documents'
import { switchesOf, type Client, type Token } from './model'

/** Entra's token endpoint: client credentials by secret or certificate. Tokens name their tenant, so that Graph's door finds it. */

const PREFIX = 'emulated'

export const tenantOfToken = (authorization: string | null): string | null =>
  /^Bearer emulated\.([0-9a-f-]{36})\.[0-9a-f-]{36}$/.exec(authorization ?? '')?.[1] ?? null

const fault = (status: number, error: string, code: number, why: string): Response =>
  Response.json(
    { error, error_description: `AADSTS${code}: ${why} Trace ID: ${crypto.randomUUID()} Correlation ID: ${crypto.randomUUID()}`, error_codes: [code], timestamp: new Date().toISOString() },
    { status })

const isReplayed = (documents: Documents) => (jti: string): boolean => {
  if (documents.get('jti', jti) !== undefined) return true
  documents.put('jti', jti, true)
  return false
}

export const issueToken = async (documents: Documents, tenant: string, request: Request, body: string): Promise<Response> => {
  const form = new URLSearchParams(body)
  if (form.get('grant_type') !== 'client_credentials') return fault(400, 'unsupported_grant_type', 70_003, 'The app requested an unsupported grant type.')
  if (form.get('scope')?.endsWith('/.default') !== true) return fault(400, 'invalid_scope', 1_002_012, 'The provided value for scope is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier.')
  const clientId = (form.get('client_id') ?? '').toLowerCase()
  const client = documents.get<Client>('client', clientId)
  if (client === undefined) return fault(400, 'unauthorized_client', 700_016, 'Application was not found in the directory.')
  const assertion = form.get('client_assertion')
  if (assertion === null) {
    if (!client.secrets.includes(form.get('client_secret') ?? '')) return fault(401, 'invalid_client', 7_000_215, 'Invalid client secret provided.')
  } else {
    const { origin, pathname } = new URL(request.url)
    const why = await refuseAssertion(assertion, {
      clientId, audience: origin + pathname, keys: client.certificates.map(({ thumbprint, jwk }) => ({ thumbprint, jwk: { ...jwk } })), isReplayed: isReplayed(documents),
    })
    if (why !== null) return fault(401, 'invalid_client', 700_027, `The certificate with identifier used to sign the client assertion is not registered on application. ${why}`)
  }
  const { tokenSeconds } = switchesOf(documents)
  const value = `${PREFIX}.${tenant}.${crypto.randomUUID()}`
  documents.put('token', value, { permissions: client.permissions, expiresAt: Date.now() + tokenSeconds * 1000 } satisfies Token)
  return Response.json({ token_type: 'Bearer', expires_in: tokenSeconds, ext_expires_in: tokenSeconds, access_token: value })
}

/** What the caller's app may do; null for nobody's token. */
export const permissionsOf = (documents: Documents, authorization: string | null): readonly string[] | null => {
  const token = documents.get<Token>('token', (authorization ?? '').replace(/^Bearer /, ''))
  return token === undefined || token.expiresAt < Date.now() ? null : token.permissions
}
