/**
 * The failures of the API as values, and their wire form (RFC 9457). Clients may rely on the status alone: titles,
 * `error_code` and `request_id` differ between Arize's own pages, so switches.ts can turn each of them.
 */
import type { Switches } from './switches'

export type ProblemStatus = 400 | 401 | 403 | 404 | 405 | 409 | 422 | 429
export type Problem = {
  readonly kind: 'problem'
  readonly status: number
  readonly detail: string
  readonly headers?: Readonly<Record<string, string>>
}

const problem = (status: ProblemStatus, detail: string): Problem => ({ kind: 'problem', status, detail })

export const badRequest = (detail: string): Problem => problem(400, detail)
export const unauthorized = (): Problem => problem(401, 'You must be authenticated to access this resource.')
export const forbidden = (): Problem => problem(403, 'You do not have permission to access this resource.')
export const notFound = (id: string): Problem => problem(404, `The requested resource with ID '${id}' was not found.`)
export const conflict = (): Problem => problem(409, 'A resource with the given identifier already exists.')
export const unprocessable = (detail: string): Problem => problem(422, detail)
export const methodNotAllowed = (allow: string): Problem => ({
  ...problem(405, 'The method is not allowed for this resource.'),
  headers: { allow },
})

type Naming = { readonly title: string; readonly page: string; readonly anchor: string; readonly code: string }

const naming = (title: string, page: string, anchor: string): Naming => ({
  title,
  page,
  anchor,
  code: anchor.toUpperCase().replaceAll('-', '_'),
})

/** title: the OpenAPI document's example; page: the one of the errors page. */
const NAMES: Readonly<Record<number, Naming>> = {
  400: naming('Invalid request parameters', 'Bad Request', 'invalid-request'),
  401: naming('Authentication required', 'Unauthorized', 'authentication-required'),
  403: naming('Access forbidden', 'Forbidden', 'access-forbidden'),
  404: naming('Resource not found', 'Not Found', 'resource-not-found'),
  405: naming('Method not allowed', 'Method Not Allowed', 'method-not-allowed'),
  409: naming('Resource conflict', 'Conflict', 'resource-conflict'),
  422: naming('Unprocessable Entity', 'Unprocessable Entity', 'unprocessable-entity'),
  429: naming('Rate limit exceeded', 'Too Many Requests', 'rate-limit-exceeded'),
  500: naming('Internal Server Error', 'Internal Server Error', 'internal-server-error'),
  503: naming('Service Unavailable', 'Service Unavailable', 'service-unavailable'),
}

const PAGE = 'https://arize.com/docs/ax/rest-reference/errors'

export const problemBody = (problem: Problem, instance: string, switches: Switches): Record<string, string | number> => {
  const names = NAMES[problem.status] ?? naming('Error', 'Error', 'error')
  return {
    status: problem.status,
    title: switches.errorTitles === 'page' ? names.page : names.title,
    type: `${PAGE}#${names.anchor}`,
    detail: problem.detail,
    instance,
    ...(switches.error_code ? { error_code: names.code } : {}),
    ...(switches.request_id ? { request_id: `req_${crypto.randomUUID().replaceAll('-', '').slice(0, 12)}` } : {}),
  }
}
