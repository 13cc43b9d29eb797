import { err, type Result } from '../result'
import type { Source, SourceFailure } from '../sources/source'
import { connectionById } from './connections'
import type { Store } from './sql'

/** What a provider answers to a connection that was paused, changed or removed while it was asked is not an answer to anybody. */

export const OUTDATED: SourceFailure = { kind: 'unavailable', sentence: 'The connection was changed while its provider was asked.' }

/** The same source, whose answers are OUTDATED as soon as the connection is not what it was when this was called. */
export const guardSource = (store: Pick<Store, 'sql'>, connectionId: string, source: Source): Source => {
  const revision = connectionById(store, connectionId)?.revision
  const guarded = <A extends readonly unknown[], T>(ask: (...question: A) => Promise<Result<T, SourceFailure>>) =>
    async (...question: A): Promise<Result<T, SourceFailure>> => {
      const answer = await ask(...question)
      return connectionById(store, connectionId)?.revision === revision ? answer : err(OUTDATED)
    }
  return {
    ...source,
    probe: guarded(source.probe),
    person: guarded(source.person),
    group: guarded(source.group),
    everything: guarded(source.everything),
    ...(source.changes === undefined ? {} : { changes: guarded(source.changes) }),
  }
}
