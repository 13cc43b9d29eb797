import { Hono } from 'hono'
import { createAdminApi } from './admin/api'
import { createDiscovery } from './auth/discovery'
import { createJwksCache } from './auth/jwks'
import { createAuthenticator } from './http/authenticate'
import { deploymentFor, type BridgeEnv } from './http/deployment'
import { isOutOfReach, reportDefect } from './http/defect'
import { createHealth } from './http/health'
import { createOauth } from './http/oauth'
import { answerIn, answerUnready } from './http/respond'
import { createScim } from './http/scim'
import { createTenants } from './http/tenants'
import { createWebhooks } from './http/webhooks'

/** Answers on every host, whatever the deployment lacks. */
const LIVENESS = '/healthz'

/** A Directory that was out of reach is asked again after this long, in seconds. */
const RETRY_AFTER_SECONDS = 2

/** The whole Worker as one Hono application. What it remembers of tenants and keys lives as long as it does. */
export const createApp = ({ now = Date.now }: { readonly now?: () => number } = {}): Hono<BridgeEnv> => {
  const tenants = createTenants({ now })
  const jwks = createJwksCache({ now })
  const adminApi = createAdminApi({ tenants, now })
  const app = new Hono<BridgeEnv>()

  app.use('*', async (c, next) => {
    if (c.req.path === LIVENESS) return next()
    const config = deploymentFor(c.env, new URL(c.req.url).hostname)
    if (!config.ok) return answerUnready(c.req.path, config.error)
    c.set('config', config.value)
    return next()
  })

  app.route('/', createHealth({ now }))
  app.route('/', createScim({ tenants, authenticator: createAuthenticator({ tenants, jwks, now }) }))
  app.route('/', createOauth({ tenants, jwks, now }))
  app.route('/', createWebhooks({ tenants, jwks, discover: createDiscovery({ now }), now }))
  app.route('/admin/api', adminApi)
  app.route('/t/:tenant/admin/api', adminApi)

  app.notFound((c) => answerIn(c.req.path, { status: 404, detail: 'There is no such route.' }))

  app.onError((error, c) => {
    if (isOutOfReach(error)) {
      const detail = 'The bridge is busy. Try again later.'
      return answerIn(c.req.path, { status: 503, detail, retryAfterSeconds: RETRY_AFTER_SECONDS })
    }
    reportDefect(`${c.req.method} ${c.req.path.split('/').slice(0, 3).join('/')}`, error)
    return answerIn(c.req.path, { status: 500, detail: 'Something went wrong inside the bridge. It was logged.' })
  })

  return app
}
