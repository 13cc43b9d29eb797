/** One Arize account: all of its state in one SQLite database, and the API over it. Its name is that of its service key. */
import { DurableObject } from 'cloudflare:workers'
import type { Hono } from 'hono'
import { createApp } from './app'
import { ensureServiceKey } from './auth'
import { ensurePredefinedRoles } from './roles'
import { createTables } from './sql'

export type Env = { readonly ACCOUNT: DurableObjectNamespace<Account> }

export class Account extends DurableObject<Env> {
  readonly #app: Hono

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    const account = ctx.id.name
    if (account === undefined) throw new Error('an account is reached by its name')
    ctx.storage.transactionSync(() => {
      const now = new Date().toISOString()
      createTables(ctx.storage.sql)
      ensurePredefinedRoles(ctx.storage.sql, now)
      ensureServiceKey(ctx.storage.sql, account, now)
    })
    this.#app = createApp(ctx.storage, account)
  }

  override async fetch(request: Request): Promise<Response> {
    return this.#app.fetch(request)
  }
}
