import type { AdministratorPrincipal } from '../auth/principal'
import type { Config, Env } from '../config'
import type { Refusal } from '../directory/connections'
import type { DirectoryCalls } from '../http/tenants'
import { problem } from '../http/problem'

/** What every route of the admin API finds when it is reached: the caller is an administrator, the tenant exists. */
export interface AdminEnv {
  Bindings: Env
  Variables: {
    config: Config
    tenant: string
    directory: DirectoryCalls
    administrator: AdministratorPrincipal
  }
}

/** What the Directory declines to do, as the answer. */
export const refuse = ({ status, sentence }: Refusal): Response => problem(status, sentence)
