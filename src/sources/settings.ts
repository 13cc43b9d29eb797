import * as z from 'zod'
import { isFetchable } from '../auth/boundedFetch'

/** What the settings of several connectors have in common. */

/** The origin of a provider: https, or http on this machine (which is called in development only). Kept without a path. */
export const originSchema = z
  .string()
  .trim()
  .max(300)
  .refine((text) => {
    const url = URL.parse(text)
    return url !== null && isFetchable(text) && url.pathname === '/' && url.search === '' && url.hash === '' && url.username === '' && url.password === ''
  }, 'This must be an https address without a path, such as https://example.okta.com.')
  .transform((text) => new URL(text).origin)

/** A credential: neither line breaks nor other characters that no header takes. */
export const credentialSchema = z.string().trim().min(1).max(4096).regex(/^[\x21-\x7e]+$/, 'This must be printable characters without spaces.')
