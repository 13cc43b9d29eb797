import { createDiscovery, type Discover } from '../auth/discovery'
import { globalFetch, hostOf, within, type Fetch } from '../auth/boundedFetch'
import { isLoopbackHost } from '../auth/development'
import { createJwksCache, type JwksCache } from '../auth/jwks'
import type { Env } from '../config'
import type { DuePoll } from '../directory/polls'
import { err, ok, type Result } from '../result'
import { NOTHING_SETTLED, pollBody, pollSecrets, readPollAnswer, settlePoll, type PollAnswer, type Settled } from '../webhooks/poll'
import { readPolled } from '../webhooks/securityEventRead'
import { securityEventSettings, type SecurityEventSettings } from '../webhooks/securityEventSettings'
import type { WebhookTools } from '../webhooks/source'
import { readBytes, sizeOf } from './body'
import { reportDefect } from './defect'
import { directoryOf, type DirectoryCalls } from './tenants'

/**
 * Streams of security events that are asked for their events (RFC 8936). What came is acknowledged in the next request, once the
 * Directory has stored it: whoever is cut off in between gets it again, which has no second effect.
 */

export interface PollOptions {
  readonly fetch?: Fetch
  readonly jwks?: JwksCache
  readonly discover?: Discover
  /** Milliseconds since the epoch. */
  readonly now?: () => number
}

/** Asks the streams of a tenant that are due. Fails only when the tenant's Directory does. */
export type PollTenant = (env: Env, tenant: string, development: boolean) => Promise<void>

const MAX_EVENTS = 100
const MAX_ROUNDS = 10
const TIMEOUT_MS = 10_000
const MAX_BYTES = 5 * 1024 * 1024

interface Failure {
  readonly sentence: string
  readonly retryAfterMs: number | null
}

const failed = (sentence: string, retryAfterMs: number | null = null): Result<never, Failure> => err({ sentence, retryAfterMs })

interface Stream {
  readonly poll: DuePoll
  readonly settings: SecurityEventSettings
  readonly url: string
  readonly authorization: string | null
}

/** What the connection has stored, judged by its present schemas. */
const openStream = (poll: DuePoll, development: boolean): Result<Stream, Failure> => {
  const settings = securityEventSettings.safeParse(poll.settings)
  const secrets = pollSecrets.safeParse(poll.secrets ?? {})
  if (!settings.success || !secrets.success) return failed('The stored settings or secrets of this connection cannot be used: an administrator has to set them anew.')
  const { pollUrl } = settings.data
  const url = URL.parse(pollUrl ?? '')
  const isFetchable = url?.protocol === 'https:' || (development && url?.protocol === 'http:' && isLoopbackHost(url.hostname))
  if (url === null || !isFetchable) return failed('The address of the stream is not https.')
  return ok({ poll, settings: settings.data, url: url.href, authorization: secrets.data.authorization ?? null })
}

/** Seconds alone: a date would need a clock that agrees. */
const retryAfterOf = (response: Response): number | null => {
  const text = response.headers.get('retry-after') ?? ''
  return /^\d{1,6}$/.test(text) ? Number(text) * 1000 : null
}

const anySettled = ({ stored, refused }: Settled): boolean => stored.length > 0 || refused.size > 0

export const createPolls = (options: PollOptions = {}): PollTenant => {
  const { fetch = globalFetch, now = Date.now } = options
  const { jwks = createJwksCache({ fetch, now }), discover = createDiscovery({ fetch, now }) } = options

  const send = async ({ url, authorization }: Stream, body: string): Promise<Result<Uint8Array, Failure>> => {
    const outcome: { answer: Result<Uint8Array, Failure> | null } = { answer: null }
    const reached = await within(TIMEOUT_MS, async (signal) => {
      const headers = { 'content-type': 'application/json', accept: 'application/json', ...(authorization === null ? {} : { authorization }) }
      const response = await fetch(url, { method: 'POST', body, headers, redirect: 'manual', signal })
      if (response.status === 200) {
        const bytes = await readBytes(response, MAX_BYTES)
        outcome.answer = bytes.ok ? bytes : failed(`${hostOf(url)} answered with more than ${sizeOf(MAX_BYTES)}.`)
      } else {
        await response.body?.cancel()
        outcome.answer = failed(`${hostOf(url)} answered ${response.status}.`, retryAfterOf(response))
      }
      return ok(undefined)
    })
    return reached.ok ? (outcome.answer ?? failed(`${hostOf(url)} did not answer.`)) : failed(`${hostOf(url)} ${reached.error}.`)
  }

  const ask = async (stream: Stream, settled: Settled): Promise<Result<PollAnswer, Failure>> => {
    const answer = await send(stream, pollBody(settled, MAX_EVENTS))
    if (!answer.ok) return answer
    const read = readPollAnswer(answer.value)
    return read.ok ? read : failed(read.error)
  }

  /** Verifies and stores what one answer held. Returns what the transmitter is to be told of it. */
  const take = async (directory: DirectoryCalls, { poll, settings }: Stream, { sets }: PollAnswer, tools: WebhookTools): Promise<Result<Settled, Failure>> => {
    const { connectionId, revision } = poll
    const read = await Promise.all(sets.map(async (set) => ({ id: set.id, result: await readPolled(set, settings, tools) })))
    for (const { result } of read) {
      if (result.ok) continue
      const reason = result.error.kind === 'refused' ? result.error.reason : 'unavailable'
      await directory.refuseDelivery({ connectionId, kind: 'security-events', reason, sentence: result.error.sentence })
    }
    const events = read.flatMap(({ result }) => (result.ok ? [result.value] : []))
    if (events.length === 0) return ok(settlePoll(read))
    const credential = { kind: 'verified', connectionId, revision, caller: settings.issuer } as const
    const stored = await directory.receive({ connectionId, kind: 'security-events', credential, events })
    return stored.ok ? ok(settlePoll(read)) : failed('The connection was changed or paused while its stream was asked.')
  }

  const pollStream = async (directory: DirectoryCalls, stream: Stream, tools: WebhookTools): Promise<Result<void, Failure>> => {
    let settled: Settled = NOTHING_SETTLED
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const answer = await ask(stream, settled)
      if (!answer.ok) return answer
      const taken = await take(directory, stream, answer.value, tools)
      if (!taken.ok) return taken
      settled = taken.value
      // Nothing settled: there was nothing, or nothing of it can be judged now.
      if (!anySettled(settled)) return ok(undefined)
      if (!answer.value.moreAvailable) break
    }
    const told = await send(stream, pollBody(settled, 0))
    return told.ok ? ok(undefined) : told
  }

  const pollOne = async (directory: DirectoryCalls, poll: DuePoll, tools: WebhookTools): Promise<void> => {
    const stream = openStream(poll, tools.development)
    const done = stream.ok ? await pollStream(directory, stream.value, tools) : stream
    const { connectionId } = poll
    await directory.notePoll(done.ok
      ? { connectionId, failure: null, retryAfterMs: null }
      : { connectionId, failure: done.error.sentence, retryAfterMs: done.error.retryAfterMs })
  }

  return async (env, tenant, development) => {
    const directory = directoryOf(env, tenant)
    const tools: WebhookTools = { now, jwks, development, discover: (issuer, document) => discover(issuer, document, { development }) }
    const polls = await directory.duePolls()
    for (const { reason } of (await Promise.allSettled(polls.map((poll) => pollOne(directory, poll, tools)))).filter((end) => end.status === 'rejected')) {
      reportDefect('poll', reason)
    }
  }
}
