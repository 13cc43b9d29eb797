/** The emulator's door: finds the tenant that a request is about, by its path or by its token. */
import { deliver } from '../../lib/faults'
import { invalidToken } from './errors'
import type { Env } from './tenant'
import { tenantOfToken } from './token'

export { Tenant } from './tenant'

const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

const tenantOf = (request: Request): string | null => {
  const [, first = '', second = ''] = new URL(request.url).pathname.split('/')
  if (first === 'v1.0') return tenantOfToken(request.headers.get('authorization'))
  const named = first === '_emulator' ? second : first
  return GUID.test(named.toLowerCase()) ? named.toLowerCase() : null
}

export default {
  fetch: async (request: Request, env: Env): Promise<Response> => {
    const tenant = tenantOf(request)
    return tenant === null ? invalidToken() : deliver(request, await env.TENANT.getByName(tenant).fetch(request))
  },
} satisfies ExportedHandler<Env>
