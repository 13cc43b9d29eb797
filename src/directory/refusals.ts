import { explainFailure, type AuthFailure } from '../auth/failure'
import type { EventKind } from '../change'
import { connectionById } from './connections'
import { writeJournal } from './journal'
import type { Store } from './sql'

/** Callers and deliveries that were not believed: journalled once a minute for each reason, so that a guesser does not fill the disk. */

/** A delivery that the Worker refused already. */
export interface RefusedDelivery {
  readonly connectionId: string
  readonly kind: EventKind
  /** One word of a fixed set. */
  readonly reason: string
  /** For the journal: nothing in it is made up by the sender. */
  readonly sentence: string
}

export interface Refusals {
  readonly ofCaller: (failure: AuthFailure) => void
  /** Of a connection that is not this tenant's, or of another kind, nothing is written. */
  readonly ofDelivery: (refused: RefusedDelivery) => void
}

const EVERY_MS = 60_000
/** Connections times reasons: more than any tenant has is somebody who makes names up. */
const MAX_REMEMBERED = 1_000

/** How a refusal begins in `last_error`, so that the next delivery that is believed takes it away and nothing else. */
const REFUSED = 'A delivery was refused: '

export const createRefusals = (store: Store): Refusals => {
  const toldAt = new Map<string, number>()

  const isTold = (key: string): boolean => {
    const at = store.now()
    if (at - (toldAt.get(key) ?? 0) < EVERY_MS || toldAt.size > MAX_REMEMBERED) return true
    toldAt.set(key, at)
    return false
  }

  return {
    ofCaller: (failure) => {
      const reason = reasonOf(failure)
      if (isTold(reason)) return
      writeJournal(store, { kind: 'auth.refused', connectionId: null, data: { reason, sentence: explainFailure(failure) } })
    },
    ofDelivery: ({ connectionId, kind, reason, sentence }) => {
      if (connectionById(store, connectionId)?.kind !== kind || isTold(`${reason} ${connectionId}`)) return
      writeJournal(store, { kind: 'event.refused', connectionId, data: { reason, sentence } })
      store.sql.run(`UPDATE connections SET last_error = ? WHERE id = ?`, REFUSED + sentence, connectionId)
    },
  }
}

export const reasonOf = (failure: AuthFailure): string => (failure.kind === 'invalid' ? failure.reason : failure.kind)

/** A delivery was believed: what was said of one that was not is over. */
export const forgetRefusal = ({ sql }: Pick<Store, 'sql'>, connectionId: string): void => {
  sql.run(`UPDATE connections SET last_error = NULL WHERE id = ? AND substr(last_error, 1, ?) = ?`, connectionId, REFUSED.length, REFUSED)
}
