import { readConfig, refuseDevelopmentValues, type Config, type ConfigFailure, type Env } from '../config'
import { isDevelopmentPlace } from '../auth/development'
import { err, ok, type Result } from '../result'

/** The deployment as one request finds it. */

/** For Hono: what every route may assume. */
export interface BridgeEnv {
  Bindings: Env
  Variables: { config: Config }
}

const read = new WeakMap<Env, Result<Config, ConfigFailure>>()

const configOf = (env: Env): Result<Config, ConfigFailure> => {
  const known = read.get(env) ?? readConfig(env)
  read.set(env, known)
  return known
}

/**
 * The configuration, read once per isolate, if it may be used for a request to this host: values that everybody knows are
 * believed on loopback only (design section 10.6).
 */
export const deploymentFor = (env: Env, hostname: string): Result<Config, ConfigFailure> => {
  const config = configOf(env)
  if (!config.ok) return config
  const judged = refuseDevelopmentValues(config.value, hostname)
  if (judged.ok) return config
  const failure = judged.error
  return failure.kind === 'misconfigured'
    ? err({ variable: failure.variable, sentence: failure.sentence })
    : ok(config.value)
}

export const isDevelopmentRequest = (config: Config, url: string): boolean =>
  isDevelopmentPlace({ development: config.isDevelopment, hostname: new URL(url).hostname })
