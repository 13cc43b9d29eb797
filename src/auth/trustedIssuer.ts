/**
 * Whom a connection trusts to sign tokens, and which caller of theirs. A valid signature alone proves nothing: an issuer
 * signs for everybody, so the caller is pinned. Checks the shape of that configuration; fetches nothing.
 */
import * as z from 'zod'
import { isLoopbackHost } from './development'

/** Asymmetric only (RFC 7518, RFC 8037): with a shared secret whoever verifies could also sign. */
export const ALGORITHMS = [
  'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA',
] as const

const text = (longest: number) => z.string().min(1).max(longest)

const shape = z.strictObject({
  /** Exactly as it stands in `iss`, trailing slash included. */
  issuer: text(2048),
  /** Values of which the token's `aud` must hold one, each compared whole (no prefix, no wildcard). */
  audience: z.union([text(1024), z.array(text(1024)).min(1).max(20)]),
  jwksUri: text(2048),
  /** The algorithms that this issuer signs with; all of ALGORITHMS when absent. */
  algorithms: z.array(z.enum(ALGORITHMS)).min(1).optional(),
  /** The claim that names the caller, and the callers that are let in. */
  caller: z.strictObject({
    claim: z.enum(['sub', 'azp', 'appid', 'client_id']),
    values: z.array(text(512)).min(1).max(100),
  }),
  /** The Entra tenant, compared with the claim `tid`. */
  tid: text(64).optional(),
})

export type TrustedIssuer = z.infer<typeof shape>

/** An issuer as one connection trusts it. */
export type IssuerOfConnection = TrustedIssuer & { readonly connectionId: string }

type IssuerObjection = { readonly path: readonly (string | number)[]; readonly sentence: string }

/** With `development`, http on a loopback host is allowed; pass it only for a request that came to a loopback host. */
export type IssuerRules = { readonly development: boolean }

/** The schema for request bodies: unknown keys are refused, and every rule of `issuerObjections` holds. */
export const trustedIssuerSchema = (rules: IssuerRules) =>
  shape.superRefine((issuer, context) => {
    for (const { path, sentence } of issuerObjections(issuer, rules)) {
      context.addIssue({ code: 'custom', path: [...path], message: sentence })
    }
  })

/** Microsoft's sign-in hosts; the tenant is the first segment of the path. */
const MICROSOFT_HOSTS: ReadonlySet<string> = new Set([
  'login.microsoftonline.com', 'login.microsoft.com', 'login.windows.net', 'sts.windows.net',
  'login.microsoftonline.us', 'sts.microsoftonline.us',
  'login.partner.microsoftonline.cn', 'login.chinacloudapi.cn', 'sts.chinacloudapi.cn',
])

/** The audience of Entra's provisioning service in every tenant of the world: public, US Government, China. */
const SHARED_AUDIENCES = [
  '8adf8e6e-67b2-4cf2-a259-e3dc5476c621',
  '4602d0b4-76bb-404b-bca9-2652e1a39c6d',
  '5a532e38-1581-4918-9658-008dc27c1d68',
]

/** The tenant of all personal Microsoft accounts: the same as `consumers`. */
const PERSONAL_ACCOUNTS = '9188040d-6c67-4c5b-b112-36a304b66dad'

const GUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/

/** What speaks against trusting an issuer, beyond its shape. */
const issuerObjections = (issuer: TrustedIssuer, rules: IssuerRules): IssuerObjection[] => {
  const objections = [...urlObjections('issuer', issuer.issuer, rules), ...urlObjections('jwksUri', issuer.jwksUri, rules)]
  return objections.length > 0 ? objections : tenantObjections(issuer)
}

const urlObjections = (key: string, value: string, { development }: IssuerRules): IssuerObjection[] => {
  const objection = (sentence: string): IssuerObjection[] => [{ path: [key], sentence }]
  if (/[{}*<>\s\\]/.test(value)) return objection(`${key} is a template; write the one real address.`)
  const url = URL.parse(value)
  if (url === null) return objection(`${key} is not a URL.`)
  if (url.protocol !== 'https:' && !isLoopbackHttp(url)) return objection(`${key} must begin with https://.`)
  if (url.protocol === 'http:' && !development) {
    return objection(`${key} may use http only with DEVELOPMENT=true, and on a loopback address.`)
  }
  if (url.username !== '' || url.password !== '') return objection(`${key} must not hold a user name or password.`)
  if (value.includes('#')) return objection(`${key} must not have a fragment.`)
  if (key === 'issuer' && value.includes('?')) return objection('issuer must not have a query.')
  return []
}

/** An address among other settings, under the rules of an issuer's. One with http is believed in development only. */
export const addressSchema = (key: string) =>
  text(2048).superRefine((value, context) => {
    for (const { sentence } of urlObjections(key, value, { development: true })) {
      context.addIssue({ code: 'custom', message: sentence })
    }
  })

const isLoopbackHttp = (url: URL): boolean => url.protocol === 'http:' && isLoopbackHost(url.hostname)

/** Whether an issuer may be used in development only. */
export const needsDevelopment = ({ issuer, jwksUri }: Pick<TrustedIssuer, 'issuer' | 'jwksUri'>): boolean =>
  [issuer, jwksUri].some((address) => URL.parse(address)?.protocol !== 'https:')

const tenantObjections = (issuer: TrustedIssuer): IssuerObjection[] => {
  const inIssuer = microsoftTenant(issuer.issuer)
  const inJwks = microsoftTenant(issuer.jwksUri)
  const objections: IssuerObjection[] = []
  const object = (key: string, sentence: string) => objections.push({ path: [key], sentence })
  if (inIssuer !== undefined && !isOneTenant(inIssuer)) {
    object(
      'issuer',
      'issuer must name one Entra tenant by its id; common, organizations, consumers and domain names are no tenant id.',
    )
  }
  // Keys of `common` also sign for tenants and personal accounts other than the one trusted here.
  if (inJwks !== undefined && !isOneTenant(inJwks)) {
    object('jwksUri', 'jwksUri must be the key set of one Entra tenant, named by its id.')
  } else if (inIssuer !== undefined && inJwks !== undefined && inJwks !== inIssuer) {
    object('jwksUri', 'jwksUri belongs to another Entra tenant than issuer.')
  }
  if (inIssuer !== undefined && issuer.tid !== undefined && issuer.tid !== inIssuer) {
    object('tid', 'tid is another tenant than the one in issuer.')
  }
  if (issuer.tid === undefined && listOf(issuer.audience).some(isSharedAudience)) {
    object('tid', 'tid is required: this audience is the same in every Entra tenant of the world.')
  }
  return objections
}

const microsoftTenant = (address: string): string | undefined => {
  const url = URL.parse(address)
  if (url === null || !(MICROSOFT_HOSTS.has(url.hostname) || url.hostname.endsWith('.ciamlogin.com'))) return undefined
  return url.pathname.split('/')[1] ?? ''
}

const isOneTenant = (tenant: string): boolean => GUID.test(tenant) && tenant !== PERSONAL_ACCOUNTS

const isSharedAudience = (audience: string): boolean =>
  SHARED_AUDIENCES.some((shared) => audience.toLowerCase().includes(shared))

export const listOf = (value: string | readonly string[]): readonly string[] =>
  typeof value === 'string' ? [value] : value

export type SharedCaller = { readonly issuer: string; readonly caller: string; readonly connectionIds: readonly string[] }

/**
 * Callers that more than one connection names. One issuer and caller belong to exactly one connection, whatever claim
 * each of them looks at, since one token can carry the same value in several claims.
 */
export const sharedCallers = (issuers: readonly IssuerOfConnection[]): SharedCaller[] => {
  const owners = new Map<string, { issuer: string; caller: string; connectionIds: Set<string> }>()
  for (const { issuer, caller, connectionId } of issuers) {
    for (const value of caller.values) {
      const key = JSON.stringify([issuer, value])
      const owner = owners.get(key) ?? { issuer, caller: value, connectionIds: new Set<string>() }
      owners.set(key, owner)
      owner.connectionIds.add(connectionId)
    }
  }
  return [...owners.values()]
    .filter(({ connectionIds }) => connectionIds.size > 1)
    .map(({ issuer, caller, connectionIds }) => ({ issuer, caller, connectionIds: [...connectionIds] }))
}
