import { hashToken } from '../auth/bearer'
import {
  refuseSet,
  verifySecurityEventToken,
  type SecurityEventToken,
  type SetErrorCode,
  type SetFailure,
} from '../auth/securityEventToken'
import type { SourceEvent } from '../change'
import { err, ok, type Result } from '../result'
import { findFault, memberOf } from './fields'
import { findRule } from './securityEventEffect'
import type { Effect, Objection } from './securityEventRule'
import { setRules, type SecurityEventSettings } from './securityEventSettings'
import type { WebhookTools } from './source'

/** One security event token as one event of the port, whether it was pushed or polled. */

/** Deliveries are kept as long: an older token could be a replay that nobody remembers. */
const MAX_AGE_MS = 14 * 86_400_000

/** Above this a time is in milliseconds (Okta), below in seconds (everybody else). */
const MILLISECONDS_ABOVE = 1e11
const LATEST_TIME = 8.64e15

const MAX_TYPE_LENGTH = 200

/** `id`: the `jti` that the token must have, where somebody else has named it already. */
export const readSecurityEvent = async (
  token: string,
  settings: SecurityEventSettings,
  tools: WebhookTools,
  id?: string,
): Promise<Result<SourceEvent, SetFailure>> => {
  const verified = await verifySecurityEventToken(token, setRules(settings, tools), tools)
  if (!verified.ok) return verified
  const { value } = verified
  if (id !== undefined && value.id !== id) return refused('wrong_id', 'The name of the token in the answer is not its jti.')
  const fault = findFault([value.subject, ...value.events.map(([, payload]) => payload)])
  if (fault !== undefined) return refused('unfit_json', fault)
  const effects = effectsOf(value, settings)
  if (!effects.ok) return refused('unfit_event', effects.error.sentence, effects.error.code)
  return ok(await eventOf(value, effects.value, tools.now()))
}

const refused = (reason: string, sentence: string, code: SetErrorCode = 'invalid_request') =>
  err(refuseSet(code, reason, sentence))

export interface PolledSet {
  /** The name of the token in the answer to the poll, which must be its `jti`. */
  readonly id: string
  readonly token: string
}

/** RFC 8936: a token out of `readPollAnswer`, verified as a pushed one is. `settlePoll` says what the transmitter is told of it. */
export const readPolled = (
  set: PolledSet,
  settings: SecurityEventSettings,
  tools: WebhookTools,
): Promise<Result<SourceEvent, SetFailure>> => readSecurityEvent(set.token, settings, tools, set.id)

const effectsOf = (token: SecurityEventToken, settings: SecurityEventSettings): Result<readonly Effect[], Objection> => {
  const effects: Effect[] = []
  for (const [uri, payload] of token.events) {
    const effect = findRule(uri)?.({
      payload,
      subject: token.subject,
      subjectIssuers: [settings.issuer, ...settings.subjectIssuers],
      expectedState: settings.expectedState,
    })
    if (effect?.ok === false) return effect
    if (effect !== undefined) effects.push(effect.value)
  }
  return ok(effects)
}

const eventOf = async (token: SecurityEventToken, effects: readonly Effect[], nowMs: number): Promise<SourceEvent> => {
  const event = {
    id: await idOf(token),
    type: token.events.map(([uri]) => uri).join(' ').slice(0, MAX_TYPE_LENGTH),
    at: timeOf(token),
  }
  if (nowMs - token.issuedAt > MAX_AGE_MS) {
    const ignored = 'The event was issued more than 14 days ago: it only causes a question to the provider.'
    return { ...event, changes: [], acts: [], refresh: distinct(effects.flatMap(({ about }) => about)), ignored }
  }
  const changes = distinct(effects.flatMap(({ changes: own = [] }) => own))
  const acts = distinct(effects.flatMap(({ acts: own = [] }) => own))
  const refresh = distinct(effects.flatMap(({ refresh: own = [] }) => own))
  const ignored = effects.find((effect) => effect.ignored !== undefined)?.ignored
  const told = { ...event, changes, refresh, acts }
  if (changes.length > 0 || acts.length > 0) return told
  if (effects.length === 0) return { ...told, ignored: 'The event is of a type that is not known here.' }
  return ignored === undefined ? told : { ...told, ignored }
}

/** Several types in one token describe one occurrence (RFC 8417 section 2.2), so they may say the same twice. */
const distinct = <T>(items: readonly T[]): readonly T[] =>
  [...new Map(items.map((item) => [JSON.stringify(item), item])).values()]

/**
 * `jti`, but for a SCIM event with a transaction: RFC 9967 lets the same event come again with another `jti` and the same `txn`.
 * One transaction may change several resources, so they and the types are part of the name.
 */
const idOf = async ({ id, transaction, subject, events }: SecurityEventToken): Promise<string> => {
  const uri = memberOf(subject, 'uri')
  if (transaction === null || memberOf(subject, 'format') !== 'scim' || typeof uri !== 'string') return id
  const types = events.map(([type]) => type.toLowerCase()).toSorted()
  return `txn:${await hashToken(JSON.stringify([transaction, uri, types]))}`
}

const timeOf = (token: SecurityEventToken): number => {
  const stamps = token.events.map(([, payload]) => memberOf(payload, 'event_timestamp'))
  return [...stamps, token.timeOfEvent].map(readTime).find((time) => time !== null) ?? token.issuedAt
}

const readTime = (value: unknown): number | null => {
  if (typeof value !== 'number' || !(value > 0)) return null
  const time = Math.round(value > MILLISECONDS_ABOVE ? value : value * 1000)
  return time <= LATEST_TIME ? time : null
}
