/**
 * What a failed call means for the run (design section 7): one switch for every call, whoever makes it. Changes nothing
 * itself, and keeps Arize's words about one person out of what is said about the tenant.
 */
import type { ArizeError, Names } from './target'

/** What ends the work on a subject before its plan is finished. */
export type Stop =
  /** Outcome unknown or Arize is ill: try this subject again after a back-off. */
  | { readonly kind: 'retry'; readonly sentence: string }
  /** 429: nobody calls Arize for a while. */
  | { readonly kind: 'pause'; readonly retryAfterMs: number | null }
  /** The key does not work: nobody calls Arize until it does. */
  | { readonly kind: 'halt'; readonly sentence: string }
  /** What was believed about names, the account or its role is wrong and has been read again: decide again. */
  | { readonly kind: 'again'; readonly sentence: string }
  /** The directory has said something new about the person: what was decided is out of date, and its own time will come. */
  | { readonly kind: 'moved' }

export type Failure = Stop | { readonly kind: 'stuck'; readonly sentence: string }

interface Preflight {
  readonly names: Pick<Names, 'preflight'>
}

/** What a failed call means when nothing more is known about it. `intent` completes "Could not …". */
export const judgeCall = async (arize: Preflight, error: ArizeError, intent: string): Promise<Failure> => {
  switch (error.kind) {
    case 'unauthorized':
      return { kind: 'halt', sentence: `Arize refuses the bridge's key (401).` }
    case 'throttled':
      return { kind: 'pause', retryAfterMs: error.retryAfterMs }
    case 'unavailable':
      return { kind: 'retry', sentence: `Could not ${intent}: ${error.detail}${error.status === null ? '' : ` (${error.status})`}` }
    case 'forbidden':
      return preflightOr(arize, { kind: 'stuck', sentence: `Arize does not let the bridge's key ${intent} (403): ${error.detail}` })
    case 'not_found':
      return preflightOr(arize, { kind: 'stuck', sentence: `Could not ${intent} (404): ${error.detail}` })
    case 'conflict':
    case 'rejected':
      return { kind: 'stuck', sentence: `Arize refused to ${intent}: ${error.detail}` }
  }
}

/** 403 and 404 may mean that the key was demoted: an admin-only call tells. When it passes, `otherwise`. */
export const preflightOr = async <T>({ names }: Preflight, otherwise: T): Promise<T | Exclude<Stop, { kind: 'again' | 'moved' }>> => {
  const passed = await names.preflight()
  if (passed.ok) return otherwise
  switch (passed.error.kind) {
    case 'throttled':
      return { kind: 'pause', retryAfterMs: passed.error.retryAfterMs }
    case 'unavailable':
      return { kind: 'retry', sentence: `Could not check the bridge's key: ${passed.error.detail}` }
    default:
      return { kind: 'halt', sentence: `The bridge's key is no longer an account administrator's: an administrator-only call was refused (${passed.error.kind}).` }
  }
}
