import type { Act, DirectoryChange, Refresh } from '../change'
import { err, type Result } from '../result'
import type { Members } from './fields'

/** What a type of security event is: a rule from the event, within its verified token, to what follows from it. */

export interface Effect {
  /** What to ask the provider again about the subject: all that follows from an event that is too old. */
  readonly about: readonly Refresh[]
  readonly changes?: readonly DirectoryChange[]
  readonly refresh?: readonly Refresh[]
  readonly acts?: readonly Act[]
  readonly ignored?: string
}

/** The event breaks its own definition. */
export interface Objection {
  readonly code: 'invalid_request' | 'invalid_state'
  readonly sentence: string
}

/** One event of a verified token. */
export interface EventInToken {
  readonly payload: Members
  /** `sub_id` of the token; undefined without one. */
  readonly subject: unknown
  readonly subjectIssuers: readonly string[]
  readonly expectedState: string | undefined
}

export type Rule = (event: EventInToken) => Result<Effect, Objection>

export const invalidRequest = (sentence: string): Result<never, Objection> => err({ code: 'invalid_request', sentence })
