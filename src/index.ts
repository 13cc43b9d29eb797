import { createApp } from './app'
import type { Env } from './config'
import { wakeTenants } from './http/tenants'

export { Directory } from './directory/directory'

const app = createApp()

export default {
  fetch: (request, env, context) => app.fetch(request, env, context),
  scheduled: (_controller, env) => wakeTenants(env),
} satisfies ExportedHandler<Env>
