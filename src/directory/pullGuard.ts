import { err, type Result } from '../result'
import type { Source, SourceFailure } from '../sources/source'
import { connectionById } from './connections'
import type { Store } from './sql'

/**
 * Answers of a provider that are none: to a connection that was paused, changed or removed while it was asked, and pages that
 * name themselves as the next one.
 */

export const OUTDATED: SourceFailure = { kind: 'unavailable', sentence: 'The connection was changed while its provider was asked.' }

const IN_CIRCLES: SourceFailure = { kind: 'unavailable', sentence: 'The provider names a page as the one that comes after itself.' }

/** The same source, whose answers are OUTDATED as soon as the connection is not what it was when this was called. */
export const guardSource = (store: Pick<Store, 'sql'>, connectionId: string, source: Source): Source => {
  const revision = connectionById(store, connectionId)?.revision
  const guarded = <A extends readonly unknown[], T>(ask: (...question: A) => Promise<Result<T, SourceFailure>>) =>
    async (...question: A): Promise<Result<T, SourceFailure>> => {
      const answer = await ask(...question)
      return connectionById(store, connectionId)?.revision === revision ? answer : err(OUTDATED)
    }
  /** By the page that was asked for, the last of the question. */
  const turning = <A extends readonly unknown[], T extends { readonly next: string | null } | null>(ask: (...question: A) => Promise<Result<T, SourceFailure>>) =>
    guarded(async (...question: A): Promise<Result<T, SourceFailure>> => {
      const page = await ask(...question)
      return page.ok && page.value !== null && page.value.next !== null && page.value.next === question.at(-1) ? err(IN_CIRCLES) : page
    })
  return {
    ...source,
    probe: guarded(source.probe),
    person: guarded(source.person),
    group: turning(source.group),
    everything: turning(source.everything),
    ...(source.changes === undefined ? {} : { changes: turning(source.changes) }),
  }
}
