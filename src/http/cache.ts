/**
 * What an isolate remembers for a while, so that a request does not ask for it again. Misses are remembered like finds;
 * failures are not. Bounded: the entry that was made first goes first.
 */
export interface Cache<T> {
  readonly get: (key: string, load: () => Promise<T>) => Promise<T>
  readonly forget: (key: string) => void
}

export interface CacheOptions {
  readonly maxAgeMs: number
  readonly maxEntries?: number
  /** Milliseconds since the epoch. */
  readonly now?: () => number
}

/** Only values are kept, never a promise: a request must not wait for what another request has begun. */
export const createCache = <T>({ maxAgeMs, maxEntries = 1000, now = Date.now }: CacheOptions): Cache<T> => {
  const entries = new Map<string, { readonly value: T; readonly until: number }>()

  const keep = (key: string, value: T): void => {
    entries.delete(key)
    entries.set(key, { value, until: now() + maxAgeMs })
    const [oldest] = entries.keys()
    if (entries.size > maxEntries && oldest !== undefined) entries.delete(oldest)
  }

  return {
    get: async (key, load) => {
      const known = entries.get(key)
      if (known !== undefined && known.until > now()) return known.value
      const value = await load()
      keep(key, value)
      return value
    },
    forget: (key) => void entries.delete(key),
  }
}
