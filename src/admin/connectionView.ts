import type { ConnectionConfig } from '../directory/connections'
import type { ConnectionWithStatus } from '../directory/connectionStatus'
import { prefixOf } from '../http/tenants'
import type { ConnectionKind } from '../change'
import { webhookOf } from '../webhooks/sources'

/** A connection as administrators see it: how it is doing, and exactly what has to be pasted where. Nothing secret. */

/** Where a connection is reached: the address that the administrator used, and the tenant. */
export interface Place {
  readonly url: string
  readonly tenant: string
}

const baseOf = ({ url, tenant }: Place): string => `${new URL(url).origin}${prefixOf(tenant)}`

/** Where the sender's requests go; null for kinds that are told nothing. */
export const webhookUrl = (place: Place, kind: ConnectionKind, id: string): string | null => {
  const path = kind === 'scim' || kind === 'okta' ? undefined : webhookOf(kind)?.path
  return path === undefined ? null : `${baseOf(place)}/webhooks/${path}/${id}`
}

/** What a SCIM client's form asks for. */
const scimPart = (place: Place, { issuers, entitlements, oauth }: ConnectionConfig) => ({
  issuers,
  entitlements: entitlements === true,
  scimBaseUrl: `${baseOf(place)}/scim/v2`,
  ...(oauth === undefined ? {} : { clientId: oauth.clientId, tokenEndpoint: `${baseOf(place)}/oauth/token`, oauth }),
})

const isPolled = (settings: unknown): boolean =>
  typeof settings === 'object' && settings !== null && 'delivery' in settings && settings.delivery === 'poll'

export const viewOf = ({ config, status, ...connection }: ConnectionWithStatus, place: Place) => {
  const url = isPolled(config.settings) ? null : webhookUrl(place, connection.kind, connection.id)
  return {
    ...connection,
    address: config.address,
    ...(connection.kind === 'scim' ? scimPart(place, config) : { settings: config.settings ?? {} }),
    ...(url === null ? {} : { url }),
    ...status,
  }
}
