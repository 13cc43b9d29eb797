import { ok, type Result } from '../result'
import type { ScimError } from '../scim/error'
import type { ScimContext } from './scimCommand'

/** What a statement of an event came to. */

/**
 * `older`: a newer statement is known. `unknown`: about somebody or something that no connection of the source has. `refused`:
 * cannot be stored, in the words of the sentence.
 */
export type Effect = 'applied' | 'older' | 'unknown' | { readonly refused: string }

/** Who says it, and when it was so. */
export interface Telling {
  readonly context: ScimContext
  /** Milliseconds since 1970. */
  readonly at: number
}

export const refused = ({ detail }: ScimError): Effect => ({ refused: detail })

export const effectOf = (done: Result<unknown, ScimError> = ok(undefined)): Effect => (done.ok ? 'applied' : refused(done.error))
