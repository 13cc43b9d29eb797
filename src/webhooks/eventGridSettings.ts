import * as z from 'zod'
import { addressSchema, trustedIssuerSchema, type IssuerOfConnection } from '../auth/trustedIssuer'

/** Event Grid's own application in the public cloud: the caller of every delivery that it signs. */
export const EVENT_GRID_APPLICATION = '4962773b-9cdb-44cf-a8bf-237846a00ab7'

const text = (longest: number) => z.string().min(1).max(longest)

const token = z.strictObject({
  /** As it stands in `iss`: https://sts.windows.net/{tenant}/ for v1 tokens, https://login.microsoftonline.com/{tenant}/v2.0 for v2. */
  issuer: addressSchema('issuer'),
  /** The application id or id URI that the event subscription was given. */
  audience: z.union([text(1024), z.array(text(1024)).min(1).max(20)]),
  /** The tenant's own key set: https://login.microsoftonline.com/{tenant}/discovery/v2.0/keys. */
  jwksUri: addressSchema('jwksUri'),
  /** Event Grid's application in another cloud. */
  callers: z.array(text(512)).min(1).max(20).default([EVENT_GRID_APPLICATION]),
})

/** What an administrator says of an Event Grid subscription. */
export const eventGridSettings = z
  .strictObject({
    /** The Entra tenant whose changes count. */
    tenantId: z.guid().transform((id) => id.toLowerCase()),
    /** Set where the event subscription uses Microsoft Entra authentication. Without it a secret stands in the address. */
    token: token.optional(),
  })
  .superRefine((settings, context) => {
    const [caller] = trustedCallers(settings, '')
    if (caller === undefined) return
    const { connectionId: _, ...issuer } = caller
    for (const { path, message } of trustedIssuerSchema({ development: true }).safeParse(issuer).error?.issues ?? []) {
      context.addIssue({ code: 'custom', path: ['token', ...path], message })
    }
  })

export type EventGridSettings = z.infer<typeof eventGridSettings>

/** Whom a token must come from: v2 tokens name the caller in `azp`, v1 tokens in `appid`. */
export const trustedCallers = (
  { tenantId, token: trusted }: { readonly tenantId: string; readonly token?: z.infer<typeof token> | undefined },
  connectionId: string,
): readonly IssuerOfConnection[] => {
  if (trusted === undefined) return []
  const { callers: values, ...issuer } = trusted
  return (['azp', 'appid'] as const).map((claim) => ({ ...issuer, caller: { claim, values }, tid: tenantId, connectionId }))
}
