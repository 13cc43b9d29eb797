import * as z from 'zod'
import type { SetFailure } from '../auth/securityEventToken'
import { err, ok, type Result } from '../result'
import { isMembers, memberOf, parseBody } from './fields'
import type { PolledSet } from './securityEventRead'

/**
 * The messages of a poll for security event tokens (RFC 8936 section 2): what is asked, and what was answered. Sends nothing and
 * verifies nothing: every token goes through `readPolled`.
 */

/** What is kept sealed of a stream that is polled. */
export const pollSecrets = z.strictObject({
  /** The whole of the `Authorization` header of a poll, as in `Bearer abc`; none when absent. */
  authorization: z.string().regex(/^[\x21-\x7e](?:[\x20-\x7e]{0,8190}[\x21-\x7e])?$/, 'This must be what an Authorization header may hold.').optional(),
})

/** What the transmitter is told of the tokens of the poll before: by `jti`, those stored and those refused. */
export interface Settled {
  readonly stored: readonly string[]
  readonly refused: ReadonlyMap<string, { readonly err: string; readonly description: string }>
}

export interface PollAnswer {
  readonly sets: readonly PolledSet[]
  readonly moreAvailable: boolean
}

export const NOTHING_SETTLED: Settled = { stored: [], refused: new Map() }

/** One that can't be judged now is in neither: the transmitter gives it out again. Store the events before saying so. */
export const settlePoll = (
  read: readonly { readonly id: string; readonly result: Result<unknown, SetFailure> }[],
): Settled => ({
  stored: read.flatMap(({ id, result }) => (result.ok ? [id] : [])),
  refused: new Map(
    read.flatMap(({ id, result }) =>
      !result.ok && result.error.kind === 'refused'
        ? [[id, { err: result.error.code, description: result.error.sentence }] as const]
        : [],
    ),
  ),
})

/** The body of the request. With `maxEvents` 0 it only acknowledges (section 2.4.3). It never waits for an event to come. */
export const pollBody = ({ stored, refused }: Settled, maxEvents: number): string =>
  JSON.stringify({
    maxEvents,
    returnImmediately: true,
    ...(stored.length > 0 ? { ack: stored } : {}),
    ...(refused.size > 0 ? { setErrs: Object.fromEntries(refused) } : {}),
  })

/** Of one answer; `maxEvents` asks for far fewer. */
const MAX_SETS = 1_000

/** The answer of a transmitter, or why it is none, in a sentence. */
export const readPollAnswer = (body: Uint8Array): Result<PollAnswer, string> => {
  const answer = parseBody(body)
  if (!answer.ok) return answer
  const sets = memberOf(answer.value, 'sets')
  if (!isMembers(sets)) return err('The answer has no object of tokens (sets).')
  const entries = Object.entries(sets)
  if (entries.length > MAX_SETS) return err(`The answer has more than ${MAX_SETS} tokens.`)
  const read = entries.flatMap(([id, token]) => (typeof token === 'string' ? [{ id, token }] : []))
  if (read.length < entries.length) return err('The answer has a token that is no text.')
  return ok({ sets: read, moreAvailable: memberOf(answer.value, 'moreAvailable') === true })
}
