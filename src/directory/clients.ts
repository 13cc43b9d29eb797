import type { ClientKeys } from '../auth/clientAssertion'
import { invalid, type AuthFailure } from '../auth/failure'
import { issueToken, newSigningKey, TOKEN_LIFETIME_SECONDS } from '../auth/issuedToken'
import type { TrustedIssuer } from '../auth/trustedIssuer'
import { err, ok, type Result } from '../result'
import { closedTo, connectionById, listConnections, type Connection } from './connections'
import { readMeta, writeMeta, type SigningKeys } from './meta'
import { openText, sealText, type SecretSite } from './secrets'
import type { Unready } from './site'
import type { Store } from './sql'

/** Clients of the token endpoint, and the tokens that they get: each is a SCIM connection that may ask for short-lived tokens. */

/** What an administrator says of the client. Its secrets are tokens of the connection with the purpose `client`. */
export interface OauthClient {
  readonly clientId: string
  /** Whoever signs for the client elsewhere (workload identity federation): exact issuers, audiences and subjects. */
  readonly federation: readonly TrustedIssuer[]
  /** The keys with which the client signs for itself (`private_key_jwt`), or null. */
  readonly keys: ClientKeys | null
}

/** What the Worker has to know to judge a request. */
export interface ClientFact extends OauthClient {
  readonly connectionId: string
}

export const clientFacts = (store: Pick<Store, 'sql'>): ClientFact[] =>
  listConnections(store).flatMap(({ id, kind, state, config }) =>
    kind !== 'scim' || state === 'removing' || config.oauth === undefined ? [] : [{ connectionId: id, ...config.oauth }])

/** How the client proved itself, as far as the Worker could tell. */
export type ClientProof =
  | { readonly kind: 'secret'; readonly clientId: string; readonly hash: string }
  /** `once`: an assertion that counts once, by its `jti`. */
  | { readonly kind: 'assertion'; readonly connectionId: string; readonly revision: number; readonly once: string | null }

export interface TokenRequest {
  readonly proof: ClientProof
  readonly issuer: string
  readonly audience: string
}

export type TokenFailure =
  | { readonly kind: 'auth'; readonly failure: AuthFailure }
  | { readonly kind: 'stale' }
  | { readonly kind: 'unready'; readonly unready: Unready }

export interface IssuedToken {
  readonly accessToken: string
  readonly expiresInSeconds: number
}

const LAST_USED_PRECISION_MS = 3_600_000

const bySecret = ({ sql, now }: Pick<Store, 'sql' | 'now'>, clientId: string, hash: string): Connection | null => {
  const row = sql.one<{ connection_id: string }>(
    `SELECT connection_id FROM tokens WHERE hash = ? AND purpose = 'client' AND (expires IS NULL OR expires > ?)`, hash, now())
  const connection = row === null ? null : connectionById({ sql }, row.connection_id)
  if (connection?.config.oauth?.clientId !== clientId) return null
  // For rotation, as precise as a bearer token's.
  sql.run(`UPDATE tokens SET last_used = ? WHERE hash = ? AND coalesce(last_used, 0) < ?`, now(), hash, now() - LAST_USED_PRECISION_MS)
  return connection
}

/** The connection that the client is, if it may have a token now. Notes an assertion that counts once. */
export const clientOf = (store: Store, proof: ClientProof): Result<Connection, AuthFailure | { readonly kind: 'stale' }> => {
  if (proof.kind === 'secret') {
    const connection = bySecret(store, proof.clientId, proof.hash)
    return connection === null ? err(invalid('unknown_token')) : alive(connection)
  }
  const connection = connectionById(store, proof.connectionId)
  if (connection === null || connection.revision !== proof.revision || connection.config.oauth === undefined) return err({ kind: 'stale' })
  if (proof.once !== null && !isFirst(store, connection.id, proof.once)) return err(invalid('replayed'))
  return alive(connection)
}

const alive = (connection: Connection): Result<Connection, AuthFailure> => {
  const closed = closedTo(connection)
  return closed === null ? ok(connection) : err(closed)
}

const isFirst = ({ sql, now }: Store, connectionId: string, jti: string): boolean =>
  sql.run(`INSERT OR IGNORE INTO deliveries (connection_id, event_id, at) VALUES (?, ?, ?)`, connectionId, `assertion ${jti}`, now()) > 0

/** A signing key is replaced after this long; the one before is published for as long as its tokens live. */
const KEY_AGE_MS = 90 * 24 * 3_600_000
const KEPT_MS = 2 * TOKEN_LIFETIME_SECONDS * 1000

/** The public keys that tokens may be signed with now. */
export const publishedKeys = (store: Pick<Store, 'sql'>): SigningKeys => readMeta(store, 'signing') ?? []

const SEALED_AS = 'signing'

/** Signs a token for a client that has proved itself. Makes the tenant's key when there is none, or it is old. */
export const signToken = async (site: SecretSite & { readonly store: Store }, connection: Connection, { issuer, audience }: TokenRequest): Promise<Result<IssuedToken, Unready>> => {
  const { store } = site
  const key = await currentKey(site)
  if (!key.ok) return key
  const accessToken = await issueToken(key.value, {
    issuer, audience, connectionId: connection.id, generation: connection.generation, id: store.newId(),
  }, store.now())
  return ok({ accessToken, expiresInSeconds: TOKEN_LIFETIME_SECONDS })
}

type PrivateKey = Parameters<typeof issueToken>[0]

const currentKey = async (site: SecretSite & { readonly store: Store }): Promise<Result<PrivateKey, Unready>> => {
  const { store } = site
  const known = publishedKeys(store).at(-1)
  if (known !== undefined && known.madeAt > store.now() - KEY_AGE_MS) {
    const opened = await openText(site, known.sealed, SEALED_AS)
    if (opened.ok) return ok({ kid: known.kid, privateJwk: JSON.parse(opened.value) as PrivateKey['privateJwk'] })
    // A replaced MASTER_KEY does not open it any more, and can seal a new one. Without a MASTER_KEY neither goes.
  }
  const made = await newSigningKey(store.newId())
  const sealed = await sealText(site, JSON.stringify(made.privateJwk), SEALED_AS)
  if (!sealed.ok) return sealed
  const kept = publishedKeys(store).filter(({ madeAt }) => madeAt > store.now() - KEY_AGE_MS - KEPT_MS)
  writeMeta(store, 'signing', [...kept, { kid: made.kid, publicJwk: made.publicJwk, sealed: sealed.value, madeAt: store.now() }])
  return ok(made)
}
