/** Okta's errors (developer.okta.com, "Okta API error codes"): a code that stays, a summary, and an id for support. */
const error = (status: number, errorCode: string, errorSummary: string, headers: Readonly<Record<string, string>> = {}): Response =>
  Response.json({ errorCode, errorSummary, errorLink: errorCode, errorId: `oae${crypto.randomUUID().replaceAll('-', '').slice(0, 20)}`, errorCauses: [] }, { status, headers })

export const notFound = (id: string, type: string): Response => error(404, 'E0000007', `Not found: Resource not found: ${id} (${type})`)
export const invalidToken = (): Response => error(401, 'E0000011', 'Invalid token provided')
export const forbidden = (): Response => error(403, 'E0000006', 'You do not have permission to perform the requested action')
export const badRequest = (why: string): Response => error(400, 'E0000001', `Api validation failed: ${why}`)
export const badFilter = (): Response => error(400, 'E0000031', 'Invalid search criteria.')
export const methodNotAllowed = (): Response => error(405, 'E0000022', 'The endpoint does not support the provided HTTP method')
export const tooMany = (): Response => error(429, 'E0000047', 'API call exceeded rate limit due to too many requests.')

export const insufficientScope = (): Response =>
  error(403, 'E0000006', 'You do not have permission to perform the requested action', {
    'www-authenticate': 'Bearer authorization_uri="http://127.0.0.1/oauth2/v1/authorize", realm="http://127.0.0.1", scope="", error="insufficient_scope", error_description="The access token provided does not contain the required scopes."',
  })

/** What the fault `status` asks for. */
export const errorOf = (status: number): Response => {
  if (status === 401) return invalidToken()
  if (status === 403) return forbidden()
  if (status === 404) return notFound('unknown', 'Resource')
  if (status === 429) return tooMany()
  return error(status, 'E0000009', 'Internal Server Error')
}

/** An error of the token endpoint (RFC 6749 section 5.2). */
export const oauthError = (status: number, code: string, description: string, headers: Readonly<Record<string, string>> = {}): Response =>
  Response.json({ error: code, error_description: description }, { status, headers })
