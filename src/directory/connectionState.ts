import { err, ok, type Result } from '../result'
import { startPull } from './connectionPull'
import { connectionById, refuse, type Connection, type Refusal } from './connections'
import { writeJournal } from './journal'
import type { Store } from './sql'

/**
 * Pause and resume. Nobody is let in by a paused connection and nobody is asked, and what it has told stays as it is: silence
 * takes nothing away (design section 10.1). Tokens that were issued before die with the generation.
 */

const SENTENCES = { active: 'The connection is active already.', paused: 'The connection is paused already.' }

const setState = (store: Store, id: string, state: 'active' | 'paused', actor: string): Result<Connection, Refusal> => {
  const before = connectionById(store, id)
  if (before === null) return err(refuse(404, 'No such connection.'))
  if (before.state === 'removing') return err(refuse(409, 'The connection is being removed.'))
  if (before.state === state) return err(refuse(409, SENTENCES[state]))
  store.sql.run(`UPDATE connections SET state = ?, revision = revision + 1, generation = generation + 1 WHERE id = ?`, state, id)
  writeJournal(store, { kind: state === 'paused' ? 'connection.paused' : 'connection.resumed', connectionId: id, actor })
  const after = connectionById(store, id)
  return after === null ? err(refuse(404, 'No such connection.')) : ok(after)
}

export const pauseConnection = (store: Store, id: string, actor: string): Result<Connection, Refusal> => setState(store, id, 'paused', actor)

/** Asks a provider that can be asked for everything: what it told meanwhile was not heard. */
export const resumeConnection = (store: Store, id: string, actor: string): Result<Connection, Refusal> => {
  const resumed = setState(store, id, 'active', actor)
  if (resumed.ok) startPull(store, resumed.value)
  return resumed
}
