import { Hono } from 'hono'
import { createMiddleware } from 'hono/factory'
import { verifyAdministrator } from '../auth/administrator'
import { isDevelopmentRequest } from '../http/deployment'
import { problem } from '../http/problem'
import { answerUnready, problemOf } from '../http/respond'
import { DEFAULT_TENANT, directoryOf, type Tenants } from '../http/tenants'
import { connectionRoutes } from './connections'
import { door } from './door'
import { holdRoutes } from './holds'
import { journalRoutes } from './journal'
import { peopleRoutes } from './people'
import { policyRoutes } from './policy'
import type { AdminEnv } from './site'
import { tenantRoutes } from './tenant'

/** The admin API: JSON for the console, the CLI and scripts, of one tenant at a time. */

export interface AdminApiOptions {
  readonly tenants: Tenants
  /** Milliseconds since the epoch. */
  readonly now?: () => number
}

/** Strangers learn nothing but that they are strangers, whatever they ask for. */
const authenticate = createMiddleware<AdminEnv>(async (c, next) => {
  const administrator = await verifyAdministrator(c.req.header('authorization') ?? null, c.get('config'))
  if (!administrator.ok) return problemOf(administrator.error)
  c.set('administrator', administrator.value)
  await next()
  c.header('cache-control', 'no-store')
  return undefined
})

/** The tenant of the address. One that does not exist wakes no Directory; only `PUT …/tenant` may name it. */
const findTenant = (tenants: Tenants) =>
  createMiddleware<AdminEnv>(async (c, next) => {
    const named = c.req.param('tenant')
    const tenant = named ?? DEFAULT_TENANT
    const isMaking = /\/admin\/api\/tenant\/?$/.test(c.req.path)
    const isFound = named !== DEFAULT_TENANT && (await tenants.isKnown(c.env, tenant))
    if (!isFound && !(isMaking && named !== DEFAULT_TENANT)) return problem(404, 'There is no such tenant.')
    c.set('tenant', tenant)
    c.set('directory', directoryOf(c.env, tenant))
    return next()
  })

export const createAdminApi = ({ tenants, now = Date.now }: AdminApiOptions) =>
  new Hono<AdminEnv>()
    .use('*', authenticate, findTenant(tenants), door)
    .get('/health', async (c) => c.json(await c.get('directory').health(), 200))
    .post('/settle', async (c) => {
      if (!isDevelopmentRequest(c.get('config'), c.req.url)) return problem(404, 'There is no such route.')
      const counts = await c.get('directory').settle()
      return counts.ok ? c.json(counts.value, 200) : answerUnready(c.req.path, counts.error)
    })
    .route('/policy', policyRoutes())
    .route('/people', peopleRoutes())
    .route('/holds', holdRoutes({ now }))
    .route('/journal', journalRoutes())
    .route('/connections', connectionRoutes({ now, tenants }))
    .route('/tenant', tenantRoutes({ tenants }))

/** For `hono/client`. */
export type AdminApi = ReturnType<typeof createAdminApi>
