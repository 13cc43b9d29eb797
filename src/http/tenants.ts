import type { Env } from '../config'
import type { Trust } from '../directory/callers'
import type { Directory } from '../directory/directory'
import { createCache } from './cache'
import { reportDefect } from './defect'

/** Which Directory a request is for, and what an isolate remembers of the tenants. */

/** Served without `/t/{tenant}`; its Directory keeps the book of the others. */
export const DEFAULT_TENANT = 'default'

/** A part of the URL and of host names: no underscore, no case. */
export const isTenantName = (text: string): boolean => /^[a-z0-9-]{1,63}$/.test(text)

/** Where a tenant's routes begin, below the origin. */
export const prefixOf = (tenant: string): string => (tenant === DEFAULT_TENANT ? '' : `/t/${tenant}`)

type Calls<T> = {
  readonly [K in keyof T as T[K] extends (...args: never[]) => unknown ? K : never]: T[K] extends (...args: infer A) => infer R
    ? (...args: A) => Promise<Awaited<R>>
    : never
}

/** The Directory as another isolate sees it: each method is one call. */
export type DirectoryCalls = Pick<Calls<Directory>, Exclude<keyof Calls<Directory>, 'alarm' | 'fetch' | `webSocket${string}`>>

export const directoryOf = (env: Env, tenant: string): DirectoryCalls => env.DIRECTORY.getByName(tenant)

export interface Tenants {
  /** Whether the tenant exists. A name that is none asks nobody. */
  readonly isKnown: (env: Env, tenant: string) => Promise<boolean>
  /** The issuers that the tenant's connections trust. */
  readonly trustOf: (env: Env, tenant: string) => Promise<Trust>
  /** The same, read anew, but at most every few seconds: for a key or connection that may be new. */
  readonly renewTrust: (env: Env, tenant: string) => Promise<Trust>
  readonly forgetTenant: (tenant: string) => void
  readonly forgetTrust: (tenant: string) => void
}

/** How long an isolate believes what it was told of tenants and issuers (design section 11). */
const MAX_AGE_MS = 60_000

/** Whoever makes names and keys up must not make every request a call. */
const RENEWAL_MS = 3_000

export const createTenants = ({ now = Date.now }: { readonly now?: () => number } = {}): Tenants => {
  const known = createCache<boolean>({ maxAgeMs: MAX_AGE_MS, now })
  const trusts = createCache<Trust>({ maxAgeMs: MAX_AGE_MS, now })
  const renewals = createCache<void>({ maxAgeMs: RENEWAL_MS, now })
  return {
    isKnown: async (env, tenant) =>
      tenant === DEFAULT_TENANT ||
      (isTenantName(tenant) && (await known.get(tenant, () => directoryOf(env, DEFAULT_TENANT).findTenant(tenant)))),
    trustOf: (env, tenant) => trusts.get(tenant, () => directoryOf(env, tenant).trust()),
    renewTrust: async (env, tenant) => {
      await renewals.get(tenant, async () => trusts.forget(tenant))
      return trusts.get(tenant, () => directoryOf(env, tenant).trust())
    },
    forgetTenant: (tenant) => known.forget(tenant),
    forgetTrust: (tenant) => trusts.forget(tenant),
  }
}

/** What is done for each tenant once a minute. */
export type Errand = (env: Env, tenant: string) => Promise<void>

/** Arms an alarm that was lost. */
const wake: Errand = (env, tenant) => directoryOf(env, tenant).wake()

/** Wakes every tenant and runs the errands. One that fails keeps no other from its turn. */
export const wakeTenants = async (env: Env, errands: readonly Errand[] = []): Promise<void> => {
  const attempt = async <T>(work: () => Promise<T>, otherwise: T): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      reportDefect('scheduled', error)
      return otherwise
    }
  }
  const visit = (tenant: string): Promise<unknown> =>
    Promise.all([wake, ...errands].map((errand) => attempt(() => errand(env, tenant), undefined)))
  const others = await attempt(() => directoryOf(env, DEFAULT_TENANT).listTenants(), [])
  await Promise.all([DEFAULT_TENANT, ...others].map(visit))
}
