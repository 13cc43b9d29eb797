/**
 * An identity provider for tests: real keys, a published key set, and tokens signed with WebCrypto directly, so that it can
 * also make the tokens that a library refuses to make. In flow tests inside workerd:
 *
 *   const issuer = await createTestIssuer({ now: Date.now })
 *   const original = globalThis.fetch
 *   vi.spyOn(globalThis, 'fetch').mockImplementation((input, init) =>
 *     issuer.handles(input) ? issuer.fetch(input, init) : original(input, init))
 *   … configure `issuer.trusted` on a connection, then send `Authorization: Bearer ${await issuer.sign()}`
 */
import { base64url } from 'jose'
import type { IssuerOfConnection } from '../../src/auth/trustedIssuer'

export type TestAlgorithm = 'RS256' | 'PS256' | 'ES256' | 'EdDSA'

export type TestIssuerOptions = {
  readonly issuer?: string
  readonly jwksUri?: string
  readonly audience?: string
  readonly caller?: string
  readonly connectionId?: string
  readonly algorithm?: TestAlgorithm
  /** Milliseconds since the epoch; the tokens' times come from it. */
  readonly now?: () => number
}

type Members = Record<string, unknown>
type Answer = () => Response | Promise<Response>

const RSA = { modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' }

const ALGORITHMS = {
  RS256: { make: { name: 'RSASSA-PKCS1-v1_5', ...RSA }, sign: { name: 'RSASSA-PKCS1-v1_5' } },
  PS256: { make: { name: 'RSA-PSS', ...RSA }, sign: { name: 'RSA-PSS', saltLength: 32 } },
  ES256: { make: { name: 'ECDSA', namedCurve: 'P-256' }, sign: { name: 'ECDSA', hash: 'SHA-256' } },
  EdDSA: { make: { name: 'Ed25519' }, sign: { name: 'Ed25519' } },
} as const

type KeyInUse = { readonly kid: string; readonly pair: CryptoKeyPair; readonly jwk: Members }

/** Any JSON value, or text as it is, as a base64url segment of a token. */
export const segment = (value: unknown): string =>
  base64url.encode(typeof value === 'string' ? value : JSON.stringify(value))

const makeKey = async (algorithm: TestAlgorithm, kid: string): Promise<KeyInUse> => {
  const pair = await crypto.subtle.generateKey(ALGORITHMS[algorithm].make, true, ['sign', 'verify'])
  if (!('publicKey' in pair)) throw new Error('expected a key pair')
  const exported = await crypto.subtle.exportKey('jwk', pair.publicKey)
  if (exported instanceof ArrayBuffer) throw new Error('expected a JWK')
  const { kty, n, e, crv, x, y } = exported
  return { kid, pair, jwk: { kty, n, e, crv, x, y, kid, alg: algorithm, use: 'sig' } }
}

const addressOf = (input: unknown): string =>
  typeof input === 'object' && input !== null && 'url' in input ? String(input.url) : String(input)

export const createTestIssuer = async (options: TestIssuerOptions = {}) => {
  const { issuer = 'https://idp.example.test/oauth2/default', audience = 'https://bridge.example.test/scim/v2' } = options
  const { jwksUri = `${issuer}/keys`, caller = 'provisioning-client', connectionId = 'connection-1' } = options
  const { algorithm = 'RS256', now = Date.now } = options
  let generation = 1
  let current = await makeKey(algorithm, 'key-1')
  let published: unknown[] = [current.jwk]
  let answer: Answer | undefined
  let fetches = 0

  const seconds = (offset = 0): number => Math.floor(now() / 1000) + offset

  /** Claims of a good access token; an override of undefined leaves the claim out. */
  const claims = (overrides: Members = {}): Members => ({
    iss: issuer,
    aud: audience,
    sub: caller,
    iat: seconds(-10),
    nbf: seconds(-10),
    exp: seconds(3600),
    jti: `token-${generation}`,
    ...overrides,
  })

  const signSegments = async (header: string, payload: string): Promise<string> => {
    const bytes = new TextEncoder().encode(`${header}.${payload}`)
    const signature = await crypto.subtle.sign(ALGORITHMS[algorithm].sign, current.pair.privateKey, bytes)
    return `${header}.${payload}.${base64url.encode(new Uint8Array(signature))}`
  }

  const trusted: IssuerOfConnection = {
    issuer,
    audience,
    jwksUri,
    connectionId,
    caller: { claim: 'sub', values: [caller] },
  }

  return {
    issuer,
    jwksUri,
    audience,
    caller,
    claims,
    seconds,
    /** What a connection has to be configured with to trust this issuer. */
    trusted,
    /** A signed token: good as it is, and as bad as the overrides make it. */
    sign: (overrides: Members = {}, header: Members = {}): Promise<string> =>
      signSegments(segment({ alg: algorithm, kid: current.kid, typ: 'JWT', ...header }), segment(claims(overrides))),
    /** Signs any text as payload. */
    signText: (payload: string, header: Members = {}): Promise<string> =>
      signSegments(segment({ alg: algorithm, kid: current.kid, typ: 'JWT', ...header }), segment(payload)),
    /** A new key with a new `kid`; the old one is published no longer. */
    rotate: async (): Promise<void> => {
      generation += 1
      current = await makeKey(algorithm, `key-${generation}`)
      published = [current.jwk]
    },
    /** Publishes these members of `keys` instead of the current key. */
    publish: (keys: readonly unknown[]): void => {
      published = [...keys]
    },
    publicJwk: (): Members => ({ ...current.jwk }),
    publicPem: async (): Promise<string> => {
      const spki = await crypto.subtle.exportKey('spki', current.pair.publicKey)
      if (!(spki instanceof ArrayBuffer)) throw new Error('expected bytes')
      const encoded = btoa(String.fromCharCode(...new Uint8Array(spki)))
      return `-----BEGIN PUBLIC KEY-----\n${encoded.replaceAll(/.{64}/g, '$&\n')}\n-----END PUBLIC KEY-----\n`
    },
    /** Makes the key set answer otherwise (an outage, a redirect …) until called with undefined. */
    answerWith: (next: Answer | undefined): void => {
      answer = next
    },
    /** How often the key set was asked for. */
    fetches: (): number => fetches,
    handles: (input: unknown): boolean => addressOf(input) === jwksUri,
    fetch: async (input: unknown, _init?: unknown): Promise<Response> => {
      if (addressOf(input) !== jwksUri) return new Response('not found', { status: 404 })
      fetches += 1
      return answer === undefined ? Response.json({ keys: published }) : answer()
    },
  }
}

export type TestIssuer = Awaited<ReturnType<typeof createTestIssuer>>
