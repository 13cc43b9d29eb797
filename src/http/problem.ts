/** Errors of everything but SCIM: problem details (RFC 9457). */

export type ProblemStatus = 400 | 401 | 404 | 405 | 409 | 412 | 413 | 422 | 500 | 503

const TITLES: Readonly<Record<ProblemStatus, string>> = {
  400: 'Bad Request', 401: 'Unauthorized', 404: 'Not Found', 405: 'Method Not Allowed', 409: 'Conflict',
  412: 'Precondition Failed', 413: 'Content Too Large', 422: 'Unprocessable Content',
  500: 'Internal Server Error', 503: 'Service Unavailable',
}

/** What is wrong at one place of a body or query: `path` as in `issuers[0].jwksUri`, empty for the whole. */
export interface ProblemAt {
  readonly path: string
  readonly sentence: string
}

export interface ProblemOptions {
  readonly errors?: readonly ProblemAt[]
  readonly headers?: Readonly<Record<string, string>>
}

/** `detail` is a sentence for the caller and holds nothing secret. */
export const problem = (status: ProblemStatus, detail: string, { errors, headers = {} }: ProblemOptions = {}): Response =>
  new Response(
    JSON.stringify({ type: 'about:blank', title: TITLES[status], status, detail, ...(errors === undefined ? {} : { errors }) }),
    { status, headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store', ...headers } },
  )
