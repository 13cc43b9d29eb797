/** Graph's errors (learn.microsoft.com/graph/errors): a code, a message, and what support asks for. */
export const graphError = (status: number, code: string, message: string, headers: Readonly<Record<string, string>> = {}): Response =>
  Response.json(
    { error: { code, message, innerError: { date: new Date().toISOString().slice(0, 19), 'request-id': crypto.randomUUID(), 'client-request-id': crypto.randomUUID() } } },
    { status, headers })

export const invalidToken = (): Response => graphError(401, 'InvalidAuthenticationToken', 'Access token has expired or is not yet valid.')
export const denied = (): Response => graphError(403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.')
export const notFound = (id: string): Response =>
  graphError(404, 'Request_ResourceNotFound', `Resource '${id}' does not exist or one of its queried reference-property objects are not present.`)
export const forgotten = (url: URL): Response =>
  graphError(410, 'resyncRequired', 'Resync required. Replace any local items with the server\'s version.', { location: `${url.origin}${url.pathname}?$deltatoken=` })
export const badRequest = (message: string): Response => graphError(400, 'BadRequest', message)
export const validationError = (message: string): Response => graphError(400, 'ValidationError', message)

/** What the fault `status` asks for. */
export const errorOf = (status: number, retryAfter: number, url: URL): Response => {
  if (status === 401) return invalidToken()
  if (status === 403) return denied()
  if (status === 404) return notFound('unknown')
  if (status === 410) return forgotten(url)
  if (status === 429) return graphError(429, 'TooManyRequests', 'Too many requests.', { 'retry-after': String(retryAfter) })
  return graphError(status, 'ServiceNotAvailable', 'The service is temporarily unavailable.')
}
