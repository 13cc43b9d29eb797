import type { AuthFailure } from '../auth/failure'
import type { ConfigFailure } from '../config'
import type { ScimReply } from '../directory/scimCommand'
import { scimErrorBody, unauthorized, unavailable, type ScimError } from '../scim/error'
import { problem } from './problem'

/** Values as the caller's own wire format. */

/** Exactly this, without a charset: two conformance suites compare it as it is (scim-decisions 11). */
const SCIM_MEDIA_TYPE = 'application/scim+json'

const CHALLENGE = 'Bearer realm="arize-bridge"'

/** How long a caller should wait for somebody to mend the deployment, in seconds. */
const MENDED_AFTER_SECONDS = 60

type Headers = Readonly<Record<string, string>>

const scimResponse = (status: number, body: string | null, headers: Headers = {}): Response =>
  new Response(body, {
    status,
    headers: { ...(body === null ? {} : { 'content-type': SCIM_MEDIA_TYPE }), 'cache-control': 'no-store', ...headers },
  })

export const scimReply = ({ status, body, location, etag }: ScimReply): Response =>
  scimResponse(status, body, { ...(location === null ? {} : { location }), ...(etag === null ? {} : { etag }) })

/** 204 to OPTIONS. */
export const scimOptions = (allow: string): Response => scimResponse(204, null, { allow })

export const scimErrorReply = (error: ScimError, headers: Headers = {}): Response =>
  scimResponse(error.status, JSON.stringify(scimErrorBody(error)), {
    ...(error.status === 401 ? { 'www-authenticate': CHALLENGE } : {}),
    ...(error.retryAfterSeconds === undefined ? {} : { 'retry-after': String(error.retryAfterSeconds) }),
    ...headers,
  })

/** What a caller that was not let in is told: never more about a credential than that it is not accepted. */
export const scimErrorOf = (failure: AuthFailure): ScimError => {
  switch (failure.kind) {
    case 'missing':
      return unauthorized('The request has no credential. Send a token in the Authorization header.')
    case 'invalid':
      return unauthorized('The credential is not accepted.')
    case 'unavailable':
      return unavailable('The credential cannot be checked now. Try again later.', failure.retryAfterSeconds)
    case 'misconfigured':
      return unavailable(failure.sentence, MENDED_AFTER_SECONDS)
  }
}

/** Likewise for everything but SCIM. */
export const problemOf = (failure: AuthFailure): Response => {
  const { status, detail, retryAfterSeconds } = scimErrorOf(failure)
  if (status === 401) return problem(401, detail, { headers: { 'www-authenticate': CHALLENGE } })
  return problem(503, detail, { headers: { 'retry-after': String(retryAfterSeconds ?? MENDED_AFTER_SECONDS) } })
}

const isScimPath = (pathname: string): boolean => /^(?:\/t\/[^/]+)?\/scim(?:\/|$)/.test(pathname)

export interface Answer {
  readonly status: 404 | 500 | 503
  readonly detail: string
  readonly retryAfterSeconds?: number
}

/** An answer that any route may give, in the format of the route that was asked. */
export const answerIn = (pathname: string, answer: Answer): Response => {
  if (isScimPath(pathname)) return scimErrorReply(answer)
  const { status, detail, retryAfterSeconds } = answer
  const headers: Headers = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }
  return problem(status, detail, { headers })
}

/** 503 for a setting that keeps the bridge from working; the sentence names the variable. */
export const answerUnready = (pathname: string, { variable, sentence }: ConfigFailure): Response =>
  answerIn(pathname, {
    status: 503,
    detail: sentence.includes(variable) ? sentence : `${variable}: ${sentence}`,
    retryAfterSeconds: MENDED_AFTER_SECONDS,
  })
