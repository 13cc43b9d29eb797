import { explainFailure, type AuthFailure, type AuthReason } from '../auth/failure'
import type { Received, WebhookAnswer } from './source'

/** Answers of the kinds whose senders look at the status alone: problem details (RFC 9457) for whoever reads the sender's log. */

export const problem = (status: number, detail: string): WebhookAnswer => ({
  status,
  headers: { 'content-type': 'application/problem+json', ...(status === 401 ? { 'www-authenticate': 'Bearer' } : {}) },
  body: JSON.stringify({ type: 'about:blank', status, detail }),
})

export const refuse = (status: number, reason: string, sentence: string, detail = sentence): Received =>
  ({ kind: 'refused', answer: problem(status, detail), reason, sentence })

export const unavailable = (retryAfterSeconds: number, sentence: string): Received =>
  ({ kind: 'unavailable', answer: { status: 503, headers: { 'retry-after': `${retryAfterSeconds}` } }, sentence })

export const NOT_PROVEN = 'Nothing proves that this comes from the sender of this connection.'

/** A caller that is not believed. The reason is for the journal; the caller learns only that it was not. */
export const refuseCaller = (
  failure: AuthFailure,
  sentences: { readonly [reason in AuthReason]?: string } = {},
): Received => {
  switch (failure.kind) {
    case 'missing':
      return refuse(401, 'missing', explainFailure(failure), NOT_PROVEN)
    case 'invalid': {
      const status = failure.reason === 'caller_not_pinned' ? 403 : 401
      return refuse(status, failure.reason, sentences[failure.reason] ?? explainFailure(failure), NOT_PROVEN)
    }
    case 'unavailable':
      return unavailable(failure.retryAfterSeconds, explainFailure(failure))
    case 'misconfigured':
      return unavailable(60, failure.sentence)
  }
}
