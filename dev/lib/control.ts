import { type Context, Hono } from 'hono'
import * as z from 'zod'
import type { Documents } from './documents'
import { addFault, faultSchema, type Holding } from './faults'

/** The part of the control surface that every provider's emulator has. It is no part of the provider: no fault meets it, and it is in no record of calls. */

/** Reads the body and carries it out; a body that does not fit is told what is wrong with it. */
export const change = <T extends z.ZodType>(schema: T, apply: (input: z.infer<T>, c: Context) => unknown) =>
  async (c: Context): Promise<Response> => {
    const text = await c.req.text()
    const parsed = schema.safeParse(text === '' ? {} : JSON.parse(text))
    if (!parsed.success) return c.json({ errors: parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) }, 400)
    const answer = await apply(parsed.data, c)
    return answer === undefined ? c.body(null, 204) : Response.json(answer)
  }

const faultsSchema = z.union([z.strictObject({ faults: z.array(faultSchema) }), faultSchema])

export const commonControl = (documents: Documents, holding: Holding, { state, reset }: { readonly state: () => unknown; readonly reset: () => void }): Hono =>
  new Hono()
    .get('/state', () => Response.json(state()))
    .get('/calls', () => Response.json({ calls: documents.list('call').map(({ data }) => data) }))
    .post('/reset', change(z.strictObject({}), reset))
    .get('/held', () => Response.json({ held: holding.count() }))
    .post('/release', change(z.strictObject({}), () => holding.release()))
    .delete('/faults', (c) => {
      documents.clear('fault')
      return c.body(null, 204)
    })
    .post('/faults', change(faultsSchema, (input) => {
      for (const fault of 'faults' in input ? input.faults : [input]) addFault(documents, fault)
    }))

export const recordCall = (documents: Documents, request: Request, status: number): void => {
  const { pathname, search } = new URL(request.url)
  documents.put('call', crypto.randomUUID(), { method: request.method, path: pathname + search, status })
}
