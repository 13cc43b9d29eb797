import type { Act, PersonRef } from '../change'
import { err, ok } from '../result'
import { memberOf, textOf } from './fields'
import { SCIM_RULES } from './scimEvent'
import { invalidRequest, type Rule } from './securityEventRule'
import { readSubject, refreshOf } from './securityEventSubject'

/**
 * What follows from each type of security event, as tables: RISC 1.0, CAEP 1.0, the events of the stream itself, and those of
 * RFC 9967 (scimEvent.ts). No event activates anybody or changes an address, but for RFC 9967, which is provisioning.
 */

/** The rule for an event type; undefined when the type is not known. SCIM's names compare without case. */
export const findRule = (uri: string): Rule | undefined => RULES.get(uri) ?? SCIM_RULES.get(uri.toLowerCase())

const RISC = 'https://schemas.openid.net/secevent/risc/event-type/'
const CAEP = 'https://schemas.openid.net/secevent/caep/event-type/'
/** Google's `tokens-revoked` and `token-revoked` stand here. */
const OAUTH = 'https://schemas.openid.net/secevent/oauth/event-type/'
const STREAM_PREFIXES = ['ssf', 'sse', 'risc'].map((spec) => `https://schemas.openid.net/secevent/${spec}/event-type/`)

/** What an event says of a person. Unless it says nothing, the person is asked for again. */
interface PersonEvent {
  readonly says?: 'inactive' | 'nothing'
  readonly acts?: (who: PersonRef) => readonly Act[]
  readonly ignored?: string
}

const inactive: PersonEvent = { says: 'inactive' }
const asksAgain: PersonEvent = {}
const sessionRevoked: PersonEvent = { acts: (who) => [{ kind: 'signal', signal: 'sessionRevoked', who }] }
const aboutConsent: PersonEvent = {
  says: 'nothing',
  ignored: "The event is about the person's consent to security events, not about access.",
}

const PERSON_EVENTS: Readonly<Record<string, Readonly<Record<string, PersonEvent>>>> = {
  [RISC]: {
    'account-disabled': inactive,
    // Who was purged is gone from the provider; deleting is for the provider's directory or an administrator to say.
    'account-purged': inactive,
    'account-enabled': { ignored: 'The event activates nobody: the provider is asked whether the person is active.' },
    'identifier-changed': { ignored: 'The event changes no address: the provider is asked what it is now.' },
    'identifier-recycled': { ignored: 'The event gives nobody an address: the provider is asked whose it is now.' },
    'credential-compromise': asksAgain,
    'account-credential-change-required': asksAgain,
    'recovery-activated': asksAgain,
    'recovery-information-changed': asksAgain,
    'sessions-revoked': sessionRevoked,
    'opt-in': aboutConsent,
    'opt-out-initiated': aboutConsent,
    'opt-out-cancelled': aboutConsent,
    'opt-out-effective': aboutConsent,
  },
  [CAEP]: {
    'session-revoked': sessionRevoked,
    'token-claims-change': asksAgain,
    'credential-change': asksAgain,
    'assurance-level-change': asksAgain,
    'device-compliance-change': asksAgain,
    'session-established': asksAgain,
    'session-presented': asksAgain,
    'risk-level-change': asksAgain,
  },
  [OAUTH]: { 'tokens-revoked': asksAgain, 'token-revoked': asksAgain },
}

const ruleOfPerson =
  ({ says, acts, ignored }: PersonEvent): Rule =>
  ({ payload, subject, subjectIssuers }) => {
    const read = readSubject(subject, payload, subjectIssuers)
    if (!read.ok) return invalidRequest(read.error)
    const about = says === 'nothing' ? [] : refreshOf(read.value)
    if (read.value.kind !== 'person') {
      return ok({ about, refresh: about, ignored: read.value.kind === 'nobody' ? read.value.sentence : 'The subject is a group.' })
    }
    const { who } = read.value
    if (says === 'inactive') return ok({ about, changes: [{ kind: 'active', who, active: false }] })
    return ok({ about, refresh: about, acts: acts?.(who) ?? [], ...(ignored === undefined ? {} : { ignored }) })
  }

/** Shared Signals 1.0 section 8.1.4.1. One that nobody asked for has no state. */
const verifyStream: Rule = ({ payload, expectedState }) => {
  const state = memberOf(payload, 'state')
  if (state !== undefined && typeof state !== 'string') return invalidRequest('The state of the verification is no text.')
  if (state !== undefined && expectedState !== undefined && state !== expectedState) {
    return err({ code: 'invalid_state', sentence: 'The state of the verification is not the one that was asked for.' })
  }
  return ok({ about: [], ignored: 'A verification of the stream: it works.' })
}

const STREAM_STATUSES = ['enabled', 'paused', 'disabled'] as const

/** Shared Signals 1.0 section 8.1.5. The bridge never enables a stream again of itself. */
const updateStream: Rule = ({ payload }) => {
  const status = STREAM_STATUSES.find((one) => one === memberOf(payload, 'status'))
  if (status === undefined) return invalidRequest('The status of the stream is none of enabled, paused and disabled.')
  return ok({ about: [], acts: [{ kind: 'stream', status, reason: textOf(payload, 'reason') ?? null }] })
}

const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ...Object.entries(PERSON_EVENTS).flatMap(([prefix, events]) =>
    Object.entries(events).map(([name, event]): [string, Rule] => [prefix + name, ruleOfPerson(event)]),
  ),
  ...STREAM_PREFIXES.flatMap((prefix): [string, Rule][] => [
    [`${prefix}verification`, verifyStream],
    [`${prefix}stream-updated`, updateStream],
  ]),
])
