import { createApp } from './app'
import type { Env } from './config'
import { createSchedule } from './http/schedule'

export { Directory } from './directory/directory'

const app = createApp()
const runSchedule = createSchedule()

export default {
  fetch: (request, env, context) => app.fetch(request, env, context),
  scheduled: (_controller, env) => runSchedule(env),
} satisfies ExportedHandler<Env>
