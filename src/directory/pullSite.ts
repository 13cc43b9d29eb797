import * as z from 'zod'
import { err, ok, type Result } from '../result'
import { isPull, openSource } from '../sources/sources'
import type { Source, SourceTools } from '../sources/source'
import { connectionById, type Connection } from './connections'
import type { PullSite } from './pulls'
import type { ScimContext } from './scimCommand'
import { openSecrets } from './secrets'
import type { Site } from './site'

/** Pull connections made ready to be asked: their secrets opened, their connectors made, and kept while nothing about them changes. */

/** What the bridge itself keeps beside the connector's secrets. */
const ours = z.object({ clientState: z.string().min(1).optional() })

interface Open {
  /** What it was made from. */
  readonly from: string
  readonly source: Source
  readonly clientState: string | undefined
}

export interface PullSites {
  readonly open: (connectionId: string) => Promise<Result<PullSite, string>>
  /** Calls made to providers so far, in all. */
  readonly callsMade: () => number
}

/** More connections than a tenant has. */
const MAX_OPEN = 50

export const createPullSites = (
  site: () => Site, contextOf: (connection: Connection) => ScimContext, fetch: SourceTools['fetch'] = (url, init) => globalThis.fetch(url, init),
): PullSites => {
  const opened = new Map<string, Open>()
  let calls = 0

  const openConnection = async ({ id, kind, config, revision }: Connection): Promise<Result<Open, string>> => {
    const { store, settings } = site()
    const sealed = store.sql.one<{ secrets: string | null }>(`SELECT secrets FROM connections WHERE id = ?`, id)?.secrets ?? null
    const from = JSON.stringify([revision, kind, config.settings, sealed])
    const known = opened.get(id)
    // The tokens that it has are worth keeping.
    if (known?.from === from) return ok(known)
    if (!isPull(kind)) return err('This connection asks nothing.')
    const secrets = await openSecrets(site(), id)
    if (!secrets.ok) return err(secrets.error.sentence)
    const source = openSource(kind, config.settings, secrets.value, {
      fetch: (url, init) => {
        calls += 1
        return fetch(url, init)
      },
      now: store.now,
      randomId: () => crypto.randomUUID(),
      development: settings.ok && settings.value.isDevelopment,
    })
    if (!source.ok) return source
    const own = ours.safeParse(secrets.value)
    const open: Open = { from, source: source.value, clientState: own.success ? own.data.clientState : undefined }
    if (opened.size >= MAX_OPEN) opened.clear()
    opened.set(id, open)
    return ok(open)
  }

  return {
    callsMade: () => calls,
    open: async (connectionId) => {
      const connection = connectionById(site().store, connectionId)
      if (connection === null) return err('There is no such connection.')
      const open = await openConnection(connection)
      if (!open.ok) return open
      const { source, clientState } = open.value
      const { notificationUrl } = connection.config
      return ok({
        source,
        context: contextOf(connection),
        notify: clientState === undefined || notificationUrl === undefined ? null : { clientState, notificationUrl },
      })
    },
  }
}
