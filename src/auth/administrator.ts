/**
 * Who may use the admin API by the administrator token. Compares hashes, so that neither the length nor the content of the
 * token shows in the time it takes. Does not decide whether a development token may be believed: see development.ts.
 */
import { err, ok, type Result } from '../result'
import { equalHashes, hashToken, readCredential } from './bearer'
import { invalid, type AuthFailure } from './failure'
import type { AdministratorPrincipal } from './principal'

/** An administrator token is `administrator`: it is the one who can hand out lesser roles. */
export const verifyAdministrator = async (
  authorization: string | null,
  { adminToken }: { readonly adminToken: string },
): Promise<Result<AdministratorPrincipal, AuthFailure>> => {
  if (adminToken === '') {
    const sentence = 'ADMIN_TOKEN is empty: set it with `wrangler secret put ADMIN_TOKEN`.'
    return err({ kind: 'misconfigured', variable: 'ADMIN_TOKEN', sentence })
  }
  const credential = readCredential(authorization)
  if (!credential.ok) return credential
  const [presented, expected] = await Promise.all([hashToken(credential.value.token), hashToken(adminToken)])
  return equalHashes(presented, expected)
    ? ok({ kind: 'administrator', role: 'administrator', actor: 'administrator-token' })
    : err(invalid('unknown_token'))
}
