/**
 * Where a configured issuer keeps its keys, by its own discovery document: OpenID Connect Discovery section 4, or Shared
 * Signals section 7.1. Never asked for an issuer that a token names. Kept for ten minutes; after a failure nothing is asked for
 * half a minute. Says nothing of the keys themselves.
 */
import { err, ok, type Result } from '../result'
import { fetchJson, hostOf, isFetchable, withDefaults, type KeepOptions } from './boundedFetch'
import type { AuthFailure } from './failure'
import { needsDevelopment } from './trustedIssuer'

export type DiscoveryDocument = 'openid-configuration' | 'ssf-configuration'

/** The `jwks_uri` of the issuer; whatever is wrong is `unavailable`, since it is never the sender's fault. */
export type Discover = (
  issuer: string,
  document: DiscoveryDocument,
  place: { readonly development: boolean },
) => Promise<Result<string, AuthFailure>>

type Known = { readonly found: Result<string, string>; readonly until: number }

export const createDiscovery = (options: KeepOptions = {}): Discover => {
  const { fetch, now, maxAgeMs, cooldownMs, timeoutMs, maxBytes, maxEntries } = withDefaults(options)
  const known = new Map<string, Known>()

  /** Two requests may ask at once: one that waited for the other would wait in vain when that one is cut off. */
  const look = async (issuer: string, document: DiscoveryDocument): Promise<Known> => {
    const address = documentAddress(issuer, document)
    const read = await fetchJson(address, { fetch, timeoutMs, maxBytes, accept: 'application/json' })
    const found = read.ok ? keysIn(read.value, issuer) : read
    return { found, until: now() + (found.ok ? maxAgeMs : cooldownMs) }
  }

  const recall = async (issuer: string, document: DiscoveryDocument): Promise<Known> => {
    const name = `${document} ${issuer}`
    const last = known.get(name)
    const current = last !== undefined && now() < last.until ? last : await look(issuer, document)
    known.delete(name)
    known.set(name, current)
    const [oldest] = known.keys()
    if (known.size > maxEntries && oldest !== undefined) known.delete(oldest)
    return current
  }

  return async (issuer, document, { development }) => {
    const insecure = (jwksUri: string) => needsDevelopment({ issuer, jwksUri }) && !development
    const unavailable = (failure: string, until: number): Result<never, AuthFailure> =>
      err({
        kind: 'unavailable',
        retryAfterSeconds: Math.max(1, Math.ceil((until - now()) / 1000)),
        what: `the ${document} of ${hostOf(issuer)} ${failure}`,
      })
    if (insecure(issuer)) return unavailable('is not at an https address', now() + cooldownMs)
    const { found, until } = await recall(issuer, document)
    if (!found.ok) return unavailable(found.error, until)
    return insecure(found.value) ? unavailable('names keys that are not at an https address', now() + cooldownMs) : found
  }
}

/**
 * Of `https://example.com/a/`: OpenID Connect appends, `https://example.com/a/.well-known/openid-configuration`; Shared Signals
 * inserts before the path, `https://example.com/.well-known/ssf-configuration/a`.
 */
const documentAddress = (issuer: string, document: DiscoveryDocument): string => {
  const bare = issuer.replace(/\/$/, '')
  if (document === 'openid-configuration') return `${bare}/.well-known/${document}`
  const url = URL.parse(bare)
  return url === null ? '' : `${url.origin}/.well-known/${document}${url.pathname === '/' ? '' : url.pathname}`
}

const keysIn = (document: unknown, issuer: string): Result<string, string> => {
  if (typeof document !== 'object' || document === null) return err('is malformed')
  if (!('issuer' in document) || document.issuer !== issuer) return err('is of another issuer')
  const jwksUri = 'jwks_uri' in document ? document.jwks_uri : undefined
  if (typeof jwksUri !== 'string' || jwksUri === '') return err('names no keys (jwks_uri)')
  return isFetchable(jwksUri) ? ok(jwksUri) : err('names keys that are not at an https address')
}
