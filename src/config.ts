import * as z from 'zod'
import { parseApiKey, parseOrigin } from './arize/origin'
import { refuseDevelopmentValue, type DevelopmentPlace } from './auth/development'
import type { AuthFailure } from './auth/failure'
import type { Directory } from './directory/directory'
import { err, ok, type Result } from './result'
import { foldAddress } from './scim/address'

/** What the Workers runtime gives. Nothing is believed before {@link readConfig} has read it. */
export interface Env {
  readonly DIRECTORY: DurableObjectNamespace<Directory>
  readonly ADMIN_TOKEN?: string
  readonly SCIM_TOKEN?: string
  readonly MASTER_KEY?: string
  readonly ARIZE_BASE_URL?: string
  readonly ARIZE_API_KEY?: string
  readonly ARIZE_OWN_USER?: string
  readonly ARIZE_CALLS_PER_SECOND?: string
  readonly DEVELOPMENT?: string
}

/** What code may assume. */
export interface Config {
  readonly adminToken: string
  /** A SCIM token for the default tenant that exists in development only. */
  readonly scimToken: string | null
  /** Seals what must be read again. Null: tenants with their own Arize key cannot be made. */
  readonly masterKey: string | null
  readonly arize: ArizeConfig
  readonly isDevelopment: boolean
}

export interface ArizeConfig {
  readonly baseUrl: string
  readonly apiKey: string
  /** The address of the account user that the key belongs to, folded; null when nobody said. */
  readonly ownUser: string | null
  readonly callsPerSecond: number
}

/** A setting that keeps the bridge from working, and what to do about it. Never holds the value. */
export interface ConfigFailure {
  readonly variable: string
  readonly sentence: string
}

const DEFAULT_CALLS_PER_SECOND = 5

const optional = z.string().trim().optional().transform((text) => (text === undefined || text === '' ? null : text))

const secret = (name: string) =>
  z.string(`${name} is not set: \`wrangler secret put ${name}\`.`).trim().min(1, `${name} is empty: \`wrangler secret put ${name}\`.`)

const schema = z.object({
  ADMIN_TOKEN: secret('ADMIN_TOKEN'),
  SCIM_TOKEN: optional,
  MASTER_KEY: optional,
  ARIZE_BASE_URL: z.string('ARIZE_BASE_URL is not set: the origin of your Arize region, such as https://api.arize.com.')
    .trim().min(1, 'ARIZE_BASE_URL is empty. Set it to the origin of your region, such as https://api.arize.com.'),
  ARIZE_API_KEY: secret('ARIZE_API_KEY'),
  ARIZE_OWN_USER: optional,
  ARIZE_CALLS_PER_SECOND: z.coerce.number('ARIZE_CALLS_PER_SECOND is not a number.').min(0.1).max(10_000).default(DEFAULT_CALLS_PER_SECOND),
  DEVELOPMENT: z.enum(['true', 'false'], 'DEVELOPMENT must be true or false.').optional(),
})

export const readConfig = (env: Env): Result<Config, ConfigFailure> => {
  const parsed = schema.safeParse(env)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    return err({ variable: String(issue?.path[0] ?? 'configuration'), sentence: issue?.message ?? 'The configuration is wrong.' })
  }
  const { data } = parsed
  return ok({
    adminToken: data.ADMIN_TOKEN,
    scimToken: data.SCIM_TOKEN,
    masterKey: data.MASTER_KEY,
    arize: {
      baseUrl: data.ARIZE_BASE_URL,
      apiKey: data.ARIZE_API_KEY,
      ownUser: data.ARIZE_OWN_USER === null ? null : foldAddress(data.ARIZE_OWN_USER),
      callsPerSecond: data.ARIZE_CALLS_PER_SECOND,
    },
    isDevelopment: data.DEVELOPMENT === 'true',
  })
}

/**
 * Refuses values that everybody knows wherever somebody else could use them: outside `DEVELOPMENT=true`, or when the request
 * came to a host that is not loopback (design section 10.6).
 */
export const refuseDevelopmentValues = (config: Config, hostname: string): Result<void, AuthFailure> => {
  const place: DevelopmentPlace = { development: config.isDevelopment, hostname }
  const values = { ADMIN_TOKEN: config.adminToken, SCIM_TOKEN: config.scimToken ?? '', ARIZE_API_KEY: config.arize.apiKey }
  for (const [variable, value] of Object.entries(values)) {
    const judged = refuseDevelopmentValue(variable, value, place)
    if (!judged.ok) return judged
  }
  return ok(undefined)
}

/** Where a tenant's Arize is, checked: the origin that its address names and the key as a header carries it. */
export const readArize = (
  baseUrl: string, apiKey: string, isDevelopment: boolean,
): Result<{ readonly origin: string; readonly apiKey: string }, ConfigFailure> => {
  const origin = parseOrigin(baseUrl, isDevelopment)
  if (!origin.ok) return origin
  const key = parseApiKey(apiKey)
  return key.ok ? ok({ origin: origin.value, apiKey: key.value }) : key
}
