/**
 * The published keys of trusted issuers: fetched over https without following redirects, bounded in time and size, kept
 * for ten minutes. A token with an unknown key causes at most one fruitless fetch in each cool-down; a rotated key is
 * picked up at once. Decides nothing about tokens.
 */
import { createLocalJWKSet, errors, type CryptoKey, type JSONWebKeySet } from 'jose'
import { err, ok, type Result } from '../result'
import { fetchJson, hostOf, within, withDefaults, type KeepOptions } from './boundedFetch'
import { invalid, type AuthFailure } from './failure'

export type { Fetch } from './boundedFetch'

export type KeyHeader = { readonly alg: string; readonly kid?: string }

export type JwksCache = {
  /**
   * The key for a token's header. `unknown_key` only when the issuer's key set was read and has no such key; a key set
   * that can't be read is `unavailable`. Without `kid`, the one key that fits the algorithm.
   */
  readonly key: (jwksUri: string, header: KeyHeader) => Promise<Result<CryptoKey, AuthFailure>>
}

type KeySet = ReturnType<typeof createLocalJWKSet>

type Entry = {
  keys: { readonly find: KeySet; readonly loadedAt: number } | undefined
  /** Until when no fetch is made for a key that is missing, and why the last one failed, if it did. */
  coolUntil: number
  failure: string | undefined
  /** Counts the fetches: one that was given up and fails later changes nothing. */
  attempt: number
  pending: { readonly loading: Promise<Result<void, string>>; readonly giveUpAt: number } | undefined
}

const newEntry = (): Entry => ({ keys: undefined, coolUntil: 0, failure: undefined, attempt: 0, pending: undefined })

const MAX_KEYS = 200
const ACCEPT = 'application/json, application/jwk-set+json'

export const createJwksCache = (options: KeepOptions = {}): JwksCache => {
  const { fetch, now, maxAgeMs, cooldownMs, timeoutMs, maxBytes, maxEntries } = withDefaults(options)
  const entries = new Map<string, Entry>()

  const entryOf = (jwksUri: string): Entry => {
    const entry = entries.get(jwksUri) ?? newEntry()
    entries.delete(jwksUri)
    entries.set(jwksUri, entry)
    const [oldest] = entries.keys()
    if (entries.size > maxEntries && oldest !== undefined) entries.delete(oldest)
    return entry
  }

  const load = async (jwksUri: string, entry: Entry): Promise<Result<void, string>> => {
    entry.attempt += 1
    const { attempt } = entry
    const fetched = await fetchJson(jwksUri, { fetch, timeoutMs, maxBytes, accept: ACCEPT })
    const loaded = fetched.ok ? readKeySet(fetched.value) : fetched
    if (loaded.ok) {
      entry.keys = { find: loaded.value, loadedAt: now() }
      entry.failure = undefined
      entry.coolUntil = 0
    } else if (entry.attempt === attempt) {
      entry.failure = loaded.error
      entry.coolUntil = now() + cooldownMs
    }
    if (entry.attempt === attempt) entry.pending = undefined
    return loaded.ok ? ok(undefined) : loaded
  }

  /** Joins a fetch under way. One that another request started may die with that request, so nobody waits for ever. */
  const refresh = async (jwksUri: string, entry: Entry): Promise<Result<void, string>> => {
    const { pending } = entry
    if (pending !== undefined && now() < pending.giveUpAt) {
      const joined = await within(pending.giveUpAt - now(), async () => ok(await pending.loading))
      if (joined.ok) return joined.value
    }
    const loading = load(jwksUri, entry)
    entry.pending = { loading, giveUpAt: now() + timeoutMs }
    return loading
  }

  const unavailable = (jwksUri: string, entry: Entry, failure: string): AuthFailure => ({
    kind: 'unavailable',
    retryAfterSeconds: Math.max(1, Math.ceil((entry.coolUntil - now()) / 1000)),
    what: `the key set at ${hostOf(jwksUri)} ${failure}`,
  })

  const freshKeys = ({ keys }: Entry): Entry['keys'] =>
    keys !== undefined && now() < keys.loadedAt + maxAgeMs ? keys : undefined

  /** Looks again when another call has brought new keys meanwhile. */
  const lookInFresh = async (entry: Entry, header: KeyHeader): Promise<Result<CryptoKey, LookFailure>> => {
    const keys = freshKeys(entry)
    const found = await look(keys?.find, header)
    return found.ok || freshKeys(entry) === keys ? found : lookInFresh(entry, header)
  }

  const key: JwksCache['key'] = async (jwksUri, header) => {
    const entry = entryOf(jwksUri)
    const found = await lookInFresh(entry, header)
    if (found.ok || found.error !== 'no_such_key') return orFailure(found, jwksUri)
    if (now() < entry.coolUntil) {
      const { failure } = entry
      return err(failure === undefined ? invalid('unknown_key') : unavailable(jwksUri, entry, failure))
    }
    const refreshed = await refresh(jwksUri, entry)
    if (!refreshed.ok) return err(unavailable(jwksUri, entry, refreshed.error))
    const foundNow = await look(entry.keys?.find, header)
    if (!foundNow.ok && foundNow.error === 'no_such_key') entry.coolUntil = now() + cooldownMs
    return orFailure(foundNow, jwksUri)
  }

  const orFailure = (found: Result<CryptoKey, LookFailure>, jwksUri: string): Result<CryptoKey, AuthFailure> => {
    if (found.ok) return found
    if (found.error !== 'unusable') return err(invalid('unknown_key'))
    const what = `the key set at ${hostOf(jwksUri)} holds a key that can't be used`
    return err({ kind: 'unavailable', retryAfterSeconds: Math.ceil(cooldownMs / 1000), what })
  }

  return { key }
}

/** `ambiguous`: a token without `kid` although several keys fit. */
type LookFailure = 'no_such_key' | 'ambiguous' | 'unusable'

const look = async (keys: KeySet | undefined, { alg, kid }: KeyHeader): Promise<Result<CryptoKey, LookFailure>> => {
  if (keys === undefined) return err('no_such_key')
  try {
    return ok(await keys(kid === undefined ? { alg } : { alg, kid }))
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) return err('no_such_key')
    return err(error instanceof errors.JWKSMultipleMatchingKeys ? 'ambiguous' : 'unusable')
  }
}

const readKeySet = (document: unknown): Result<KeySet, string> => {
  if (!isKeySet(document)) return err('holds no keys')
  try {
    return ok(createLocalJWKSet(document))
  } catch {
    return err('is malformed')
  }
}

const isKeySet = (value: unknown): value is JSONWebKeySet =>
  typeof value === 'object' &&
  value !== null &&
  'keys' in value &&
  Array.isArray(value.keys) &&
  value.keys.length > 0 &&
  value.keys.length <= MAX_KEYS
