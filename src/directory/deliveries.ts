import { invalid } from '../auth/failure'
import type { Act, DirectoryChange, PersonRef, Refresh, SourceEvent } from '../change'
import type { Policy } from '../policy/document'
import { err, type Result } from '../result'
import { authenticate, named, noteEvent, type AuthenticatedConnection, type AuthenticationFailure } from './callers'
import { connectionById } from './connections'
import { writeJournal } from './journal'
import { pullOf, askAbout } from './refreshes'
import { forgetRefusal } from './refusals'
import type { DeliveryRequest } from './requests'
import type { ScimContext } from './scimCommand'
import { addressesOf } from './siblings'
import { believedTime, OLDEST_MS } from './statements'
import type { Store } from './sql'
import { askToRevokeKeys, markAddress } from './subjects'
import { isKnown, keyOf, tell } from './told'
import type { Effect } from './toldEffect'

/**
 * Deliveries of events: each event is stored by its id and carried out once, in the transaction that the acknowledgement waits
 * for. Where a pull connector of the source can be asked, an event is only a reason to ask (design section 2).
 */

export interface Delivery {
  readonly events: readonly SourceEvent[]
  /** Whether the delivery as a whole is proven: then an event needs no secret of its own. */
  readonly isProven: boolean
  /** Whether a secret with this SHA-256 is the connection's at present. */
  readonly isSecret: (hash: string) => boolean
  readonly signals: Policy['signals']
}

/** What became of it. `unknown` counts events about somebody whom no connection of the source knows. */
export interface Taken {
  readonly taken: number
  readonly duplicates: number
  readonly unknown: number
  /** Ids of events with a secret of their own that is not the connection's. Nothing is written about them here: anybody can send some. */
  readonly refused: readonly string[]
}

const MAX_NAME = 200

const isNew = ({ sql, now }: Store, connectionId: string, id: string): boolean =>
  sql.run(`INSERT OR IGNORE INTO deliveries (connection_id, event_id, at) VALUES (?, ?, ?)`, connectionId, id.slice(0, MAX_NAME), now()) > 0

const personsOf = ({ changes, refresh, acts }: SourceEvent): PersonRef[] => [
  ...changes.flatMap((change) => (change.kind === 'active' || change.kind === 'membership' ? [change.who] : [])),
  ...refresh.flatMap((wanted) => (wanted.kind === 'person' ? [wanted.who] : [])),
  ...acts.flatMap((act) => (act.kind === 'stream' ? [] : [act.who])),
]

/** Whoever may have left is asked about before everybody else. */
const saysLeft = (change: DirectoryChange): boolean =>
  (change.kind === 'active' && !change.active) || (change.kind === 'person' && !change.person.active)

/** What to ask about instead of believing what a change says. */
const questionsOf = (change: DirectoryChange): Refresh[] => {
  switch (change.kind) {
    case 'active': return [{ kind: 'person', who: change.who }]
    case 'person': return [{ kind: 'person', who: { id: change.person.id, userName: change.person.userName } }]
    case 'membership': return [{ kind: 'person', who: change.who }]
    case 'group': return [{ kind: 'group', group: change.group }]
    case 'groupGone': return [{ kind: 'group', group: change.group }]
    case 'resource': return []
  }
}

const isSubscribed = ({ sql }: Store, connectionId: string): boolean =>
  sql.one(`SELECT 1 AS one FROM connections WHERE id = ? AND kind = 'graph'`, connectionId) !== null

/** The end of a sentence; null where all is well. */
const STREAM_SENTENCES: Readonly<Record<Extract<Act, { kind: 'stream' }>['status'], string | null>> = {
  enabled: null,
  paused: 'the stream is paused',
  disabled: 'the stream is disabled',
  reauthorize: 'the subscription has to be authorized again',
  removed: 'the subscription was removed',
}

/** Only people whom the source itself tells of: an event touches nobody else's. */
const carryOut = (context: ScimContext, act: Act, signals: Policy['signals']): void => {
  const { store, connection } = context
  if (act.kind === 'stream') {
    if (isSubscribed(store, connection.id)) askAbout(store, connection.id, { kind: 'subscriptions', urgent: true })
    const reason = act.reason === null ? '' : `: ${act.reason.slice(0, MAX_NAME)}`
    const sentence = STREAM_SENTENCES[act.status]
    store.sql.run(`UPDATE connections SET last_error = ? WHERE id = ?`, sentence === null ? null : `The sender says that ${sentence}${reason}.`, connection.id)
    return
  }
  const isRevoking = act.kind === 'logout' || signals[act.signal] === 'revokeApiKeys'
  for (const address of addressesOf(store, connection.id, keyOf(act.who))) {
    if (isRevoking) askToRevokeKeys(store, address)
    markAddress(store, address, 'now')
  }
}

type Told = 'taken' | 'unknown'

interface Line {
  readonly id: string
  readonly type: string
  readonly effects: readonly (Effect | 'asked')[]
  readonly ignored?: string
}

const take = (context: ScimContext, event: SourceEvent, { signals }: Delivery, pull: string | null): { readonly line: Line; readonly told: Told } => {
  const { store } = context
  const at = believedTime(event.at, store.now())
  const isOld = event.at !== null && event.at < store.now() - OLDEST_MS
  const isUnknown = personsOf(event).length > 0 && !personsOf(event).some((who) => isKnown(context, who))
  const isTold = (change: DirectoryChange): boolean => !isOld && (pull === null || change.kind === 'resource')
  const effects: (Effect | 'asked')[] = event.changes.filter(isTold).map((change) => tell(context, at, change))
  const doubted = event.changes.filter((change) => !isTold(change))
  const questions = [...event.refresh, ...doubted.flatMap(questionsOf)]
  if (pull !== null && questions.length > 0) {
    const isUrgent = doubted.some(saysLeft)
    for (const question of questions) askAbout(store, pull, question, isUrgent)
    effects.push('asked')
  }
  if (!isOld) for (const act of event.acts) carryOut(context, act, signals)
  const ignored = event.ignored ?? (isOld ? 'The event is more than 14 days old.' : pull === null && event.refresh.length > 0 ? 'No pull connector of this source can be asked.' : undefined)
  return {
    line: { id: event.id.slice(0, MAX_NAME), type: event.type.slice(0, MAX_NAME), effects, ...(ignored === undefined ? {} : { ignored }) },
    told: isUnknown && !effects.includes('applied') ? 'unknown' : 'taken',
  }
}

/** The connection that the address names, and nobody else's secret. */
export const senderOf = (store: Store, { connectionId, kind, credential }: DeliveryRequest): Result<AuthenticatedConnection, AuthenticationFailure> => {
  const caller = credential.kind === 'each' ? named(store, connectionId) : authenticate(store, credential)
  if (!caller.ok) return caller
  const { connection } = caller.value
  return connection.id === connectionId && connection.kind === kind ? caller : err(invalid('unknown_token'))
}

const noteBelieved = (store: Store, connectionId: string): void => {
  forgetRefusal(store, connectionId)
  const connection = connectionById(store, connectionId)
  if (connection !== null) noteEvent(store, connection)
}

/** Stores and carries out a delivery. Called inside one transaction; the caller arms the alarm. */
export const receive = (context: ScimContext, delivery: Delivery): Taken => {
  const { store, connection, actor } = context
  const lines: Line[] = []
  const refused: string[] = []
  const pull = pullOf(store, connection.id)
  let duplicates = 0
  let unknown = 0
  for (const event of delivery.events) {
    const isBelieved = event.secretHash === undefined ? delivery.isProven : delivery.isSecret(event.secretHash)
    if (!isBelieved) refused.push(event.id.slice(0, MAX_NAME))
    else if (!isNew(store, connection.id, event.id)) duplicates += 1
    else {
      const { line, told } = take(context, event, delivery, pull)
      lines.push(line)
      if (told === 'unknown') unknown += 1
    }
  }
  if (refused.length < delivery.events.length) noteBelieved(store, connection.id)
  if (lines.length > 0) {
    writeJournal(store, {
      kind: 'event.taken', connectionId: connection.id, actor,
      data: { events: lines.slice(0, 100), count: lines.length, ...(duplicates === 0 ? {} : { duplicates }) },
    })
  }
  return { taken: lines.length, duplicates, unknown, refused }
}
