import { env } from 'cloudflare:workers'
import type { Env } from '../../src/config'

/** The bindings with a Directory that is watched, or that fails: for what callers see of it, and how often it is called. */

type Directories = Env['DIRECTORY']

export interface WatchedEnv {
  readonly env: Env
  /** `tenant.method` of every call, in order. */
  readonly calls: readonly string[]
}

/** `answer` may stand in for a call by throwing; otherwise the real Directory answers. */
export const watchDirectories = (answer: (call: string) => void = () => undefined, bindings: Partial<Env> = {}): WatchedEnv => {
  const calls: string[] = []
  const watched: Directories = new Proxy(env.DIRECTORY, {
    get: (namespace, property) => {
      if (property !== 'getByName') return Reflect.get(namespace, property)
      return (tenant: string) => {
        const stub = namespace.getByName(tenant)
        return new Proxy(stub, {
          get: (target, method) => async (...values: unknown[]) => {
            const call = `${tenant}.${String(method)}`
            calls.push(call)
            answer(call)
            const real: unknown = Reflect.get(target, method)
            return typeof real === 'function' ? await Reflect.apply(real, target, values) : real
          },
        })
      }
    },
  })
  return { env: { ...env, DIRECTORY: watched, ...bindings }, calls }
}
