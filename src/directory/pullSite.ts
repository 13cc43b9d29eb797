import * as z from 'zod'
import type { PullKind } from '../change'
import { err, ok, type Result } from '../result'
import { openSource } from '../sources/sources'
import type { Connection } from './connections'
import type { PullSite } from './pulls'
import type { ScimContext } from './scimCommand'
import { openSecrets } from './secrets'
import type { Site } from './site'

/** A pull connection made ready to be asked: its secrets opened, its connector made. */

/** What the bridge itself keeps beside the connector's secrets. */
const ours = z.object({ clientState: z.string().min(1).optional() })

const isPull = (kind: Connection['kind']): kind is PullKind => kind === 'okta' || kind === 'graph'

export const openPullSite = async (
  site: Site, connection: Connection | null, contextOf: (connection: Connection) => ScimContext,
): Promise<Result<PullSite, string>> => {
  if (connection === null || !isPull(connection.kind)) return err('There is no such connection.')
  const secrets = await openSecrets(site, connection.id)
  if (!secrets.ok) return err(secrets.error.sentence)
  const source = openSource(connection.kind, connection.config.settings, secrets.value, {
    fetch: (url, init) => fetch(url, init),
    now: site.store.now,
    randomId: () => crypto.randomUUID(),
    development: site.settings.ok && site.settings.value.isDevelopment,
  })
  if (!source.ok) return source
  const own = ours.safeParse(secrets.value)
  const clientState = own.success ? own.data.clientState : undefined
  const { notificationUrl } = connection.config
  return ok({
    source: source.value,
    context: contextOf(connection),
    notify: clientState === undefined || notificationUrl === undefined ? null : { clientState, notificationUrl },
  })
}
