import { hashToken, newToken, type TokenKind } from '../auth/bearer'
import type { ConnectionKind } from '../change'
import type { ConnectionConfig } from '../directory/connections'
import type { ConnectionOrder } from '../directory/connectionOrder'
import { webhookOf } from '../webhooks/sources'
import type { Wanted, WantedOauth } from './connectionInput'
import { webhookUrl, type Place } from './connectionView'

/** Secrets that are made for a connection: each is shown in the answer that makes it and never again. */

export interface MadeSecret {
  readonly id: string
  readonly text: string
  readonly hash: string
}

export const makeSecret = async (kind: TokenKind): Promise<MadeSecret> => {
  const { token } = newToken(kind)
  return { id: crypto.randomUUID(), text: token, hash: await hashToken(token) }
}

/** What callers of such a connection bring; null where they bring none of ours. */
export const secretKindOf = (kind: ConnectionKind): Extract<TokenKind, 'scim' | 'hook'> | null => {
  if (kind === 'scim') return 'scim'
  return kind !== 'okta' && webhookOf(kind)?.hasSecret === true ? 'hook' : null
}

/** Azure Event Grid has no header for it: the secret stands in the address, unless the deliveries are signed. */
const isInAddress = (kind: ConnectionKind, settings: unknown): boolean =>
  kind === 'event-grid' && !(typeof settings === 'object' && settings !== null && 'token' in settings && settings.token !== undefined)

/** How a new secret of the connection's own endpoint is shown. */
export const showSecret = (secret: MadeSecret, kind: ConnectionKind, settings: unknown, url: string | null) => {
  if (kind === 'scim') return { token: secret.text, tokenId: secret.id }
  const shown = { secret: secret.text, secretId: secret.id }
  return url !== null && isInAddress(kind, settings) ? { ...shown, url: `${url}?secret=${secret.text}` } : shown
}

/** Nobody else's, so that a connection made without a source never shares one by accident. */
const sourceFor = (name: string): string => {
  const slug = name.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 60)
  return `${slug === '' ? 'source' : slug}-${crypto.randomUUID().slice(0, 8)}`
}

export const oauthClient = ({ clientId, federation, keys }: WantedOauth, id: string): NonNullable<ConnectionConfig['oauth']> => ({ clientId: clientId ?? id, federation, keys })

/** What the Directory is to store, and what the answer shows this once. */
export interface Making {
  readonly order: ConnectionOrder
  readonly shown: Readonly<Record<string, string>>
}

const configOf = ({ kind, issuers = [], address, entitlements, oauth, settings }: Wanted, id: string, place: Place): ConnectionOrder['config'] => {
  const notificationUrl = kind === 'graph' ? webhookUrl(place, kind, id) : null
  return {
    issuers,
    ...(address === undefined ? {} : { address }),
    ...(entitlements === undefined ? {} : { entitlements }),
    ...(settings === undefined ? {} : { settings }),
    ...(oauth === undefined ? {} : { oauth: oauthClient(oauth, id) }),
    ...(notificationUrl === null ? {} : { notificationUrl }),
  }
}

type NewTokens = NonNullable<ConnectionOrder['tokens']>

/** A new connection with its secrets. */
export const makeConnection = async (wanted: Wanted, place: Place): Promise<Making> => {
  const { kind, name, source = sourceFor(name), secrets } = wanted
  const id = crypto.randomUUID()
  const secretKind = secretKindOf(kind)
  const own = secretKind === null ? null : await makeSecret(secretKind)
  const client = wanted.oauth === undefined ? null : await makeSecret('client')
  // Graph sends it back with each notification, and has to be told it again whenever a subscription is made.
  const clientState = kind === 'graph' ? await makeSecret('hook') : null
  const tokens: NewTokens = [own, clientState].flatMap((secret) => (secret === null ? [] : [{ id: secret.id, hash: secret.hash, purpose: 'bearer' }]))
  const clientTokens: NewTokens = client === null ? [] : [{ id: client.id, hash: client.hash, purpose: 'client' }]
  const sealed = clientState === null || typeof secrets !== 'object' ? secrets : { ...secrets, clientState: clientState.text }
  return {
    order: {
      id, kind, name, source, config: configOf(wanted, id, place), tokens: [...tokens, ...clientTokens],
      ...(sealed === undefined ? {} : { secrets: sealed }),
    },
    shown: {
      ...(own === null ? {} : showSecret(own, kind, wanted.settings, webhookUrl(place, kind, id))),
      ...(client === null ? {} : { clientSecret: client.text, clientSecretId: client.id }),
    },
  }
}
