/** The emulator's door: each loopback address is an org of its own. */
import { deliver } from '../../lib/faults'
import type { Env } from './org'

export { Org } from './org'

export default {
  fetch: async (request: Request, env: Env): Promise<Response> => deliver(request, await env.ORG.getByName(new URL(request.url).hostname).fetch(request)),
} satisfies ExportedHandler<Env>
