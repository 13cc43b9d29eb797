import { err, ok, type Result } from '../result'
import { isPull } from '../sources/sources'
import { connectionById, refuse, type Connection, type Refusal } from './connections'
import { writeJournal } from './journal'
import { ACCEPTED } from './pulls'
import { askAbout, endRest } from './refreshes'
import type { Store } from './sql'

/** What an administrator's change of a pull connection means for what is asked of the provider. */

/** Asks about everybody, and for notifications where the provider sends some. */
export const startPull = (store: Store, connection: Pick<Connection, 'id' | 'kind'>): void => {
  if (!isPull(connection.kind)) return
  askAbout(store, connection.id, { kind: 'everything' })
  if (connection.kind === 'graph') askAbout(store, connection.id, { kind: 'subscriptions', urgent: false })
}

const CHANGED = 'The settings were changed: the provider has yet to tell of everybody anew.'

/** Begins anew: where the last pull stood means nothing under other settings. */
export const restartPull = (store: Store, connection: Pick<Connection, 'id' | 'kind'>): void => {
  if (!isPull(connection.kind)) return
  store.sql.run(`UPDATE pulls SET phase = 'idle', cursor = NULL, delta = NULL, last_error = ? WHERE connection_id = ?`, CHANGED, connection.id)
  store.sql.run(`DELETE FROM pulled WHERE connection_id = ?`, connection.id)
  store.sql.run(`DELETE FROM refreshes WHERE connection_id = ?`, connection.id)
  startPull(store, connection)
}

/** Pulls everything now. `isAccepted`: what comes is believed, however few people it has. */
export const resync = (store: Store, id: string, isAccepted: boolean, actor: string): Result<Connection, Refusal> => {
  const connection = connectionById(store, id)
  if (connection === null) return err(refuse(404, 'No such connection.'))
  if (!isPull(connection.kind)) return err(refuse(422, 'This connection is told by its provider and asks nothing: only connections of the kinds "okta" and "graph" pull.'))
  if (connection.state !== 'active') return err(refuse(409, `The connection is ${connection.state}.`))
  endRest(store, id)
  askAbout(store, id, { kind: 'everything' })
  if (isAccepted) store.sql.run(`UPDATE refreshes SET name = ? WHERE connection_id = ? AND kind = 'everything'`, ACCEPTED, id)
  writeJournal(store, { kind: 'connection.resync', connectionId: id, actor, data: { accepted: isAccepted } })
  return ok(connection)
}
