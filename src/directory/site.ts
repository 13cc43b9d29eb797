import { createClient, type ArizeClient } from '../arize/client'
import { createArize } from '../arize/targets'
import { createSecretBox, secretContext, type SecretBox } from '../auth/secretBox'
import type { ArizeConfig, Config, ConfigFailure } from '../config'
import { EMPTY_POLICY } from '../policy/document'
import { err, ok, type Result } from '../result'
import { count, hourOf, readMeta } from './meta'
import { createPacer, type Pacer } from './pacer'
import type { PolicyInForce } from './policies'
import { createReconciler, type Reconciler } from './reconciler'
import type { Store } from './sql'
import { createSubjectStore } from './subjectStore'

/** Where a tenant's Arize is and what its secrets are sealed with: the environment says it of the default tenant, the object itself of the others. */

/** A setting without which nothing can be done at Arize. */
export type Unready = ConfigFailure

/** The name of the object that serves `/scim/v2`. */
export const DEFAULT_TENANT = 'default'

export interface Site {
  readonly store: Store
  readonly settings: Result<Config, Unready>
  /** The name of the object. */
  readonly name: string
}

export const openSecretBox = async (settings: Result<Config, Unready>): Promise<Result<SecretBox, Unready>> => {
  const masterKey = settings.ok ? settings.value.masterKey : null
  if (masterKey === null) return err({ variable: 'MASTER_KEY', sentence: 'MASTER_KEY is not set: `wrangler secret put MASTER_KEY` (32 random bytes in base64).' })
  const box = await createSecretBox(masterKey)
  return box.ok ? box : err({ variable: 'MASTER_KEY', sentence: box.error.sentence })
}

export const arizeOf = async ({ store, settings, name }: Site): Promise<Result<ArizeConfig, Unready>> => {
  if (!settings.ok) return settings
  const tenant = readMeta(store, 'tenant')
  if (tenant === null) {
    // Another tenant must never work on the default tenant's account, not even for a moment.
    return name === DEFAULT_TENANT ? ok(settings.value.arize) : err({ variable: 'tenant', sentence: 'This tenant has no Arize account yet: PUT /t/{tenant}/admin/api/tenant.' })
  }
  const box = await openSecretBox(settings)
  if (!box.ok) return box
  const key = await box.value.open(tenant.sealedKey, secretContext(tenant.name, 'arize'))
  if (!key.ok) return err({ variable: 'MASTER_KEY', sentence: key.error.sentence })
  return ok({ ...settings.value.arize, baseUrl: tenant.arizeBaseUrl, apiKey: key.value, ownUser: tenant.ownUser })
}

const clientOf = ({ store, settings }: Site, { baseUrl, apiKey }: ArizeConfig, pacer: Pacer, isUrgent: boolean): Result<ArizeClient, Unready> =>
  createClient({
    baseUrl, apiKey,
    development: settings.ok && settings.value.isDevelopment,
    pace: () => pacer.acquire(isUrgent),
    onCall: ({ status }) => {
      const hour = hourOf(store.now())
      count(store, 'arize.calls', hour)
      if (status === null || status >= 400) count(store, 'arize.errors', hour)
    },
  })

export interface WorkOptions {
  readonly policy: () => PolicyInForce
  readonly sleep: (ms: number) => Promise<void>
  readonly wakeAt: (at: number) => void
}

/** The reconciler of a tenant whose Arize is known. */
export const openReconciler = async (site: Site, { policy, sleep, wakeAt }: WorkOptions): Promise<Result<Reconciler, Unready>> => {
  const config = await arizeOf(site)
  if (!config.ok) return config
  const { store } = site
  const { callsPerSecond, ownUser } = config.value
  const pacer = createPacer({ callsPerSecond, now: store.now, sleep })
  const urgent = clientOf(site, config.value, pacer, true)
  const normal = clientOf(site, config.value, pacer, false)
  if (!urgent.ok) return urgent
  if (!normal.ok) return normal
  const arize = { urgent: createArize(urgent.value), normal: createArize(normal.value) }
  const subjects = createSubjectStore(store, { policy, ownUser, names: arize.normal.names })
  return ok(createReconciler({
    store, subjects, arize, wakeAt, callsMade: pacer.permitted, random: Math.random,
    retentionDays: () => (policy().compiled?.policy ?? EMPTY_POLICY).journal.retentionDays,
    yieldTurn: () => sleep(0),
  }))
}
