import * as z from 'zod'
import type { AuthFailure } from '../auth/failure'
import type { SetRules } from '../auth/securityEventToken'
import { addressSchema, ALGORITHMS } from '../auth/trustedIssuer'
import { ok, type Result } from '../result'
import type { WebhookTools } from './source'

const text = (longest: number) => z.string().min(1).max(longest)

/** What an administrator says of a stream of security events. */
export const securityEventSettings = z
  .strictObject({
    /** Exactly as it stands in `iss`. */
    issuer: addressSchema('issuer'),
    /** Values of which `aud` must hold one, each compared whole. */
    audience: z.union([text(1024), z.array(text(1024)).min(1).max(20)]),
    /** Where the keys are; by discovery when absent. Google's are at no address that `discovery` knows. */
    jwksUri: addressSchema('jwksUri').optional(),
    discovery: z.enum(['ssf-configuration', 'openid-configuration']).default('ssf-configuration'),
    algorithms: z.array(z.enum(ALGORITHMS)).min(1).optional(),
    /** Whether the transmitter calls us (RFC 8935) or is asked (RFC 8936). */
    delivery: z.enum(['push', 'poll']).default('push'),
    /** Where it is asked. */
    pollUrl: addressSchema('pollUrl').optional(),
    /** Google sends tokens whose header has no `typ`, or `JWT`. */
    acceptsUntyped: z.boolean().default(false),
    /** Whether the `Authorization` header of the stream must be a token of this connection. */
    requiresToken: z.boolean().default(false),
    /** The `state` of the verification event that the connection waits for. */
    expectedState: text(1024).optional(),
    /** Issuers beside `issuer` whose `sub` is the provider's own id of a person. */
    subjectIssuers: z.array(text(2048)).max(20).default([]),
  })
  .superRefine(({ delivery, pollUrl }, context) => {
    if ((delivery === 'poll') === (pollUrl !== undefined)) return
    context.addIssue({ code: 'custom', path: ['pollUrl'], message: 'pollUrl goes with delivery "poll", and with no other.' })
  })

export type SecurityEventSettings = z.infer<typeof securityEventSettings>

export const setRules = (settings: SecurityEventSettings, { discover }: WebhookTools): SetRules => {
  const { issuer, audience, algorithms, acceptsUntyped, jwksUri, discovery } = settings
  const findKeys = async (): Promise<Result<string, AuthFailure>> =>
    jwksUri === undefined ? discover(issuer, discovery) : ok(jwksUri)
  return { issuer, audience, algorithms, acceptsUntyped, findKeys }
}
