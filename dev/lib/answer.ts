import { recordCall } from './control'
import type { Documents } from './documents'
import { type Fault, type Holding, HTML, lost, takeFault } from './faults'

/** One call to a provider's API, on a good day or a bad one. */

/** What the provider answers, and how it words what every provider does on a bad day. */
export interface Provider {
  readonly answer: (fault: Fault | null) => Promise<Response>
  readonly error: (fault: Fault) => Response
  /** A list of nobody. */
  readonly empty: () => Response
}

const misbehave = async (fault: Fault, holding: Holding, { answer, error, empty }: Provider): Promise<Response> => {
  switch (fault.kind) {
    case 'status': return error(fault)
    case 'empty': return empty()
    case 'html': return new Response(HTML, { status: 502, headers: { 'content-type': 'text/html' } })
    case 'lost':
      if (fault.applied) await answer(null)
      return lost()
    case 'held':
      await holding.wait()
      return answer(null)
    case 'partial':
    case 'foreign': return answer(fault)
  }
}

/** Answers as the oldest fault that fits has it, and puts the call on record. */
export const answerCall = async (documents: Documents, holding: Holding, request: Request, provider: Provider): Promise<Response> => {
  const { pathname, search } = new URL(request.url)
  const fault = takeFault(documents, { method: request.method, path: pathname + search })
  const response = fault === null ? await provider.answer(null) : await misbehave(fault, holding, provider)
  recordCall(documents, request, response.status)
  return response
}
