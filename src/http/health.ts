import { Hono } from 'hono'
import type { Health } from '../directory/health'
import { createCache } from './cache'
import type { BridgeEnv } from './deployment'
import { DEFAULT_TENANT, directoryOf } from './tenants'

/** Probes, without a credential and so without personal data: does the Worker run, and does the bridge do its work? */

/** Somebody who is due for longer than this waits because something is wrong, in milliseconds. */
const MAX_LAG_MS = 300_000

/** Anybody may ask, and asking makes the Directory count: an isolate asks it this often at most, in milliseconds. */
const ASKED_AGAIN_AFTER_MS = 5_000

/** What an operator has to mend, one sentence each. None: the bridge is ready. */
const problemsOf = ({ status, problems, lagMs }: Health): readonly string[] => [
  ...problems,
  ...((status === 'halted' || status === 'unready') && problems.length === 0 ? [`The bridge is ${status}.`] : []),
  ...(lagMs > MAX_LAG_MS ? [`Somebody has been waiting for ${Math.floor(lagMs / 60_000)} minutes to be brought in step.`] : []),
]

export const createHealth = ({ now = Date.now }: { readonly now?: () => number } = {}): Hono<BridgeEnv> => {
  const asked = createCache<Health>({ maxAgeMs: ASKED_AGAIN_AFTER_MS, now })
  const app = new Hono<BridgeEnv>()
  app.get('/healthz', (c) => c.json({ status: 'ok' }, 200, { 'cache-control': 'no-store' }))
  app.get('/readyz', async (c) => {
    const health = await asked.get(DEFAULT_TENANT, () => directoryOf(c.env, DEFAULT_TENANT).health())
    const problems = problemsOf(health)
    const status = problems.length === 0 ? 'ready' : 'not ready'
    return c.json({ status, problems }, problems.length === 0 ? 200 : 503, { 'cache-control': 'no-store' })
  })
  return app
}
