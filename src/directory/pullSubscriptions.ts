import type { Result } from '../result'
import type { SourceFailure, Subscription, Subscriptions } from '../sources/source'
import { writeJournal } from './journal'
import type { Store } from './sql'

/** Keeps a provider telling us of changes: subscriptions are made, renewed long before they end, and made again when they are gone. */

/** Renewed when less than this is left: a weekend's outage ends none. */
const RENEW_BEFORE_MS = 3 * 24 * 3_600_000
const LOOK_AGAIN_MS = 12 * 3_600_000

export interface Notify {
  readonly notificationUrl: string
  readonly clientState: string
}

/** `isFormer`: made with a secret that was replaced, and to be ended. */
type Kept = Subscription & { readonly isFormer?: boolean }

const keptOf = ({ sql }: Pick<Store, 'sql'>, connectionId: string): readonly Kept[] => {
  const row = sql.one<{ subscriptions: string }>(`SELECT subscriptions FROM pulls WHERE connection_id = ?`, connectionId)
  return row === null ? [] : (JSON.parse(row.subscriptions) as Kept[])
}

/** Those that are kept alive. */
export const subscriptionsOf = (store: Pick<Store, 'sql'>, connectionId: string): readonly Subscription[] =>
  keptOf(store, connectionId).filter(({ isFormer }) => isFormer !== true)

/** The secret of the subscriptions was replaced: new ones are made with the new one, and these are ended. */
export const renounceSubscriptions = (store: Pick<Store, 'sql'>, connectionId: string): void =>
  keep(store, connectionId, keptOf(store, connectionId).map((subscription) => ({ ...subscription, isFormer: true })))

const keep = ({ sql }: Pick<Store, 'sql'>, connectionId: string, subscriptions: readonly Kept[]): void => {
  sql.run(
    `INSERT INTO pulls (connection_id, phase, subscriptions) VALUES (?, 'idle', ?)
     ON CONFLICT (connection_id) DO UPDATE SET subscriptions = excluded.subscriptions`, connectionId, JSON.stringify(subscriptions))
}

/** Tried once: what the provider does not end now ends by itself, and what it sends is refused. */
const endFormer = async (store: Store, connectionId: string, port: Subscriptions): Promise<void> => {
  for (const former of keptOf(store, connectionId).filter(({ isFormer }) => isFormer === true)) {
    await port.remove({ id: former.id, resource: former.resource, expiresAt: former.expiresAt })
    keep(store, connectionId, keptOf(store, connectionId).filter(({ id }) => id !== former.id))
  }
}

export interface KeepOptions {
  readonly store: Store
  readonly connectionId: string
  readonly port: Subscriptions
  readonly notify: Notify
  /** Renew what there is whatever time is left: the provider asked for it. */
  readonly isUrgent: boolean
}

/** Makes what is missing and renews what ends soon. Returns when to look again (ms since 1970). */
export const keepSubscriptions = async ({ store, connectionId, port, notify, isUrgent }: KeepOptions): Promise<Result<number, SourceFailure>> => {
  for (const resource of port.resources) {
    const known = subscriptionsOf(store, connectionId).find((subscription) => subscription.resource === resource)
    const isFresh = known !== undefined && known.expiresAt > store.now() + RENEW_BEFORE_MS && !isUrgent
    if (isFresh) continue
    const renewed = known === undefined ? null : await port.renew(known)
    if (renewed !== null && !renewed.ok) return renewed
    const made = renewed === null || renewed.value === null ? await port.create({ resource, ...notify }) : null
    if (made !== null && !made.ok) return made
    const subscription = made === null ? renewed?.value : made.value
    if (subscription === null || subscription === undefined) continue
    // The others as they are now: another request may have changed them while the provider was asked.
    keep(store, connectionId, [...keptOf(store, connectionId).filter((other) => other.isFormer === true || other.resource !== resource), subscription])
    if (made !== null) writeJournal(store, { kind: 'pull.subscribed', connectionId, data: { resource, subscription: subscription.id, expires: new Date(subscription.expiresAt).toISOString() } })
  }
  await endFormer(store, connectionId, port)
  const ends = subscriptionsOf(store, connectionId).map(({ expiresAt }) => expiresAt - RENEW_BEFORE_MS)
  return { ok: true, value: Math.max(store.now() + 60_000, Math.min(store.now() + LOOK_AGAIN_MS, ...ends)) }
}
