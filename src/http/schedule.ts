import { readConfig, type Env } from '../config'
import { createPolls, type PollTenant } from './polls'
import { wakeTenants } from './tenants'

/** What the cron does once a minute: wakes the tenants, and asks the streams that send nothing of themselves. */
export const createSchedule = (poll: PollTenant = createPolls()): ((env: Env) => Promise<void>) =>
  async (env) => {
    const config = readConfig(env)
    const development = config.ok && config.value.isDevelopment
    await wakeTenants(env, [(place, tenant) => poll(place, tenant, development)])
  }
