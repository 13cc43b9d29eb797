import * as z from 'zod'
import { readCredential } from '../auth/bearer'
import { verifyLogoutToken } from '../auth/logoutToken'
import { addressSchema } from '../auth/trustedIssuer'
import type { PersonRef } from '../change'
import { err, ok, type Result } from '../result'
import { problem, refuse, refuseCaller } from './answer'
import { isMembers, memberOf, parseBody, textOf } from './fields'
import type { Webhook } from './source'

/**
 * Okta Universal Logout (global token revocation): the API keys of a person are revoked, and the person is reconciled at once.
 * The status alone counts for Okta; the body of a refusal is for whoever sets it up.
 */

const settings = z.strictObject({
  /** The Okta org, exactly as it stands in `iss`; its OpenID Connect discovery says where the keys are. */
  issuer: addressSchema('issuer'),
  /** The client ids or app instance ids (`sub`) of the applications that may call. */
  subjects: z.array(z.string().min(1).max(512)).min(1).max(100),
  /** What `aud` holds, where it is not the address that the call came to. */
  audience: addressSchema('audience').optional(),
})

export type UniversalLogoutSettings = z.infer<typeof settings>

export const universalLogout: Webhook<UniversalLogoutSettings> = {
  kind: 'universal-logout',
  path: 'logout',
  methods: ['POST'],
  maxBytes: 16 * 1024,
  settings,
  hasSecret: false,
  receive: async (request, connection, tools) => {
    const { issuer, subjects, audience } = connection.settings
    const credential = readCredential(request.headers.get('authorization'))
    if (!credential.ok) return refuseCaller(credential.error)
    if (credential.value.kind !== 'jwt') return refuseCaller({ kind: 'invalid', reason: 'malformed' })
    const rules = {
      issuer,
      subjects,
      audience: audience ?? `${request.url.origin}${request.url.pathname}`,
      findKeys: () => tools.discover(issuer, 'openid-configuration'),
    }
    const token = await verifyLogoutToken(credential.value.token, rules, tools)
    if (!token.ok) return refuseCaller(token.error, { wrong_type: WRONG_TYPE })
    const who = readPerson(request.body, issuer)
    if (!who.ok) return refuse(who.error.status, who.error.reason, who.error.sentence)
    const { id, issuedAt: at, subject } = token.value
    return {
      kind: 'delivery',
      events: [
        {
          id,
          type: 'global-token-revocation',
          at,
          changes: [],
          refresh: [{ kind: 'person', who: who.value }],
          acts: [{ kind: 'logout', who: who.value }],
        },
      ],
      secret: null,
      caller: subject,
      answer: ({ unknown }) => (unknown > 0 ? problem(404, 'Nobody here is known by this subject.') : { status: 204 }),
      refuse: () => problem(422, 'Nobody is logged out: this connection is paused.'),
    }
  },
}

const WRONG_TYPE = 'The token is not of the type global-token-revocation+jwt (typ).'

type Objection = { readonly status: 400 | 404; readonly reason: string; readonly sentence: string }

const readPerson = (body: Uint8Array, issuer: string): Result<PersonRef, Objection> => {
  const object = (sentence: string) => err({ status: 400, reason: 'malformed', sentence } as const)
  const parsed = parseBody(body)
  if (!parsed.ok) return object(parsed.error)
  const subject = memberOf(parsed.value, 'sub_id')
  if (!isMembers(subject)) return object('The body has no subject (sub_id).')
  switch (memberOf(subject, 'format')) {
    case 'email': {
      const email = textOf(subject, 'email')
      return email === undefined ? object('The subject has no e-mail address.') : ok({ id: null, userName: email })
    }
    case 'iss_sub': {
      const id = textOf(subject, 'sub')
      const of = textOf(subject, 'iss', 2048)
      if (id === undefined || of === undefined) return object('The subject has no iss and sub.')
      // The ids of another issuer are not this provider's: one could be anybody's.
      const sentence = 'The subject is of another issuer than this connection.'
      return of === issuer ? ok({ id, userName: null }) : err({ status: 404, reason: 'foreign_subject', sentence })
    }
    default:
      return object('The subject is of a format other than email and iss_sub.')
  }
}
