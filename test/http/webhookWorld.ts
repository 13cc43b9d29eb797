import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { createApp } from '../../src/app'
import { hashToken } from '../../src/auth/bearer'
import type { EventKind } from '../../src/change'
import { directoryOf } from '../../src/http/tenants'
import { callWith, own, rowsOf, type Answer, type Message } from './bridge'

/** Senders of events over HTTP at one tenant, and what its tables hold then. */

export const createWebhookWorld = (tenant: string) => {
  const site = { app: createApp() }
  let serial = 0

  const send = (method: string, path: string, message: Message = {}, place = env): Promise<Answer> =>
    callWith((request) => site.app.fetch(request, place), method, path, message)

  const connect = async (kind: EventKind, settings: object = {}, secret = `secret-${++serial}`): Promise<{ id: string; secret: string }> => {
    const directory = directoryOf(env, tenant)
    const made = await directory.createConnection({ kind, name: `${kind} ${++serial}`, source: `source ${serial}`, config: { address: 'email', issuers: [], settings } }, 'test')
    if (!made.ok) throw new Error(made.error.sentence)
    const stored = await directory.createToken(made.value.id, { hash: await hashToken(secret), expiresAt: null }, 'test')
    if (!stored.ok) throw new Error(stored.error.sentence)
    // Made behind the application's back: one that knows nothing finds it at once.
    site.app = createApp()
    return { id: made.value.id, secret }
  }

  const read = (query: string, ...values: string[]): Promise<unknown[]> =>
    runInDurableObject(env.DIRECTORY.getByName(tenant), (_directory, { storage }) => storage.sql.exec(query, ...values).toArray())

  const refusals = async (id: string): Promise<unknown> =>
    (await read(`SELECT data FROM journal WHERE kind = 'event.refused' AND connection_id = ? ORDER BY seq`, id)).map((row) => JSON.parse(String(own(row, 'data'))) as unknown)

  const lastError = async (id: string): Promise<unknown> => own(await read(`SELECT last_error FROM connections WHERE id = ?`, id), 0, 'last_error')

  /** Everything but what is to be told of a refusal. */
  const unchanged = async (): Promise<unknown> => {
    const rows = await rowsOf(tenant)
    return JSON.parse(JSON.stringify(rows, (name: string, value: unknown) =>
      name === 'last_error' ? null : Array.isArray(value) ? value.filter((row) => own(row, 'kind') !== 'event.refused') : value))
  }

  return { send, connect, read, refusals, lastError, unchanged, site }
}
