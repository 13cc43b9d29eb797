import { base64url, SignJWT } from 'jose'
import * as z from 'zod'
import { err, ok, type Result } from '../result'
import { codeOf, exchange, judgeFound, type OutboundRequest, type Provider, type Reply } from './outbound'
import { privateKeySchema, readPrivateKey, type SigningKey } from './privateKey'
import type { SourceFailure, SourceTools } from './source'

/**
 * How the bridge proves itself to Microsoft: an app's client secret, or an assertion signed with the key of its certificate
 * (learn.microsoft.com/entra/identity-platform/certificate-credentials). Tokens are used until a minute before they end.
 */

export const graphSecretsSchema = z.union([
  // Microsoft's own secrets hold any printable character.
  z.object({ clientSecret: z.string().trim().min(1).max(4096) }),
  z.object({
    certificate: z.string().trim().max(20_000).refine((pem) => CERTIFICATE.test(pem), 'This must be the certificate in PEM.'),
    privateKey: privateKeySchema,
  }),
])

export type GraphSecrets = z.infer<typeof graphSecretsSchema>

const CERTIFICATE = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s\\n]+)-----END CERTIFICATE-----/

export interface GraphApp {
  readonly tenantId: string
  readonly clientId: string
  readonly loginUrl: string
  readonly graphUrl: string
}

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const ASSERTION_SECONDS = 600
const MARGIN_MS = 60_000

const grantSchema = z.object({ access_token: z.string().min(1), expires_in: z.coerce.number().min(0).max(1_000_000_000) })

interface Signer extends SigningKey {
  /** SHA-256 of the certificate: says which of the app's certificates it is. */
  readonly thumbprint: string
}

const readSigner = async ({ certificate, privateKey }: Extract<GraphSecrets, { certificate: string }>): Promise<Result<Signer, string>> => {
  const key = await readPrivateKey(privateKey, 'PS256')
  if (!key.ok) return key
  const text = (CERTIFICATE.exec(certificate)?.[1] ?? '').replaceAll('\\n', '').replaceAll(/\s/g, '')
  try {
    const der = Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
    return ok({ ...key.value, thumbprint: base64url.encode(new Uint8Array(await crypto.subtle.digest('SHA-256', der))) })
  } catch {
    return err('The certificate cannot be read: give it in PEM.')
  }
}

const unreadable: SourceFailure = { kind: 'unavailable', sentence: 'Microsoft gave a token that cannot be read.' }

const unauthorized = (sentence: string): SourceFailure => ({ kind: 'unauthorized', sentence })

export interface GraphAuthorizer {
  readonly send: (request: OutboundRequest) => Promise<Result<Reply, SourceFailure>>
}

export const authorizeGraph = (app: GraphApp, secrets: GraphSecrets, provider: Provider, tools: SourceTools): GraphAuthorizer => {
  const tokenUrl = `${app.loginUrl}/${app.tenantId}/oauth2/v2.0/token`
  let signer: Signer | null = null
  let token: { readonly value: string; readonly until: number } | null = null

  const proofOf = async (): Promise<Result<Readonly<Record<string, string>>, SourceFailure>> => {
    if ('clientSecret' in secrets) return ok({ client_secret: secrets.clientSecret })
    const read = signer === null ? await readSigner(secrets) : ok(signer)
    if (!read.ok) return err(unauthorized(`${read.error} Rotate the credentials of this connection.`))
    signer = read.value
    const now = Math.floor(tools.now() / 1000)
    const assertion = await new SignJWT({})
      .setProtectedHeader({ typ: 'JWT', alg: signer.alg, 'x5t#S256': signer.thumbprint })
      .setIssuer(app.clientId).setSubject(app.clientId).setAudience(tokenUrl)
      .setJti(tools.randomId()).setIssuedAt(now).setNotBefore(now).setExpirationTime(now + ASSERTION_SECONDS)
      .sign(signer.key)
    return ok({ client_assertion_type: ASSERTION_TYPE, client_assertion: assertion })
  }

  const fetchToken = async (): Promise<Result<string, SourceFailure>> => {
    const proof = await proofOf()
    if (!proof.ok) return proof
    const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: app.clientId, scope: `${app.graphUrl}/.default`, ...proof.value })
    const reply = await exchange(tools, { name: 'Microsoft Entra' }, {
      method: 'POST', url: tokenUrl, body: form.toString(), headers: { 'content-type': 'application/x-www-form-urlencoded' },
    })
    if (!reply.ok) return reply
    const { status, isOk, json } = reply.value
    if (isOk) {
      const grant = grantSchema.safeParse(json)
      if (!grant.success) return err(unreadable)
      token = { value: grant.data.access_token, until: tools.now() + grant.data.expires_in * 1000 - MARGIN_MS }
      return ok(token.value)
    }
    if (status === 400 || status === 401 || status === 403) {
      const code = codeOf(json)
      const what = 'clientSecret' in secrets ? 'client secret' : 'certificate and private key'
      return err(unauthorized(`Microsoft Entra refused a token${code === null ? '' : ` (${code})`}: check tenantId and clientId in the settings of this connection, and that its ${what} has not expired.`))
    }
    const judged = judgeFound(tools, { ...provider, name: 'Microsoft Entra' }, tokenUrl, reply.value)
    return judged.ok ? err(unreadable) : judged
  }

  const send = async (request: OutboundRequest): Promise<Result<Reply, SourceFailure>> => {
    for (;;) {
      const kept = token !== null && tools.now() < token.until ? token.value : null
      const value = kept === null ? await fetchToken() : ok(kept)
      if (!value.ok) return value
      const reply = await exchange(tools, provider, { ...request, headers: { ...request.headers, authorization: `Bearer ${value.value}` } })
      // A token that was kept may have been revoked: one more try with a new one.
      if (!reply.ok || reply.value.status !== 401 || kept === null) return reply
      token = null
    }
  }
  return { send }
}
