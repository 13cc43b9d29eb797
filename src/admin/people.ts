import { Hono } from 'hono'
import * as z from 'zod'
import { problem } from '../http/problem'
import { foldAddress } from '../scim/address'
import { refuse, type AdminEnv } from './site'
import { body, query } from './validate'

/** People as the bridge sees them, by their address, and the decisions about one person. */

const address = z.string().max(400).transform(foldAddress)

const peopleQuery = z.object({
  state: z.enum(['in_step', 'due', 'held', 'stuck']).optional(),
  /** Part of the address. */
  search: address.optional(),
  /** `true`: only people whom one source calls active and another one not. */
  disputed: z.enum(['true', 'false']).default('false'),
  limit: z.coerce.number('This must be a number.').int('This must be a whole number.').min(1).max(200).default(50),
  /** The `next` of the page before. */
  after: address.optional(),
})

const identity = z.strictObject({
  decision: z.enum(['same-person', 'take-over']),
  reason: z.string().trim().min(1).max(500),
})

export const peopleRoutes = () =>
  new Hono<AdminEnv>()
    .get('/', query(peopleQuery), async (c) => {
      const { state, search, disputed, limit, after } = c.req.valid('query')
      const page = await c.get('directory').listPeople({
        state: state ?? null, search: search === '' ? null : (search ?? null), isDisputed: disputed === 'true', after: after ?? null, limit,
      })
      return c.json(page, 200)
    })
    .get('/:email', async (c) => {
      const person = await c.get('directory').readPerson(foldAddress(c.req.param('email')))
      return person === null ? problem(404, 'Nobody with this address is known.') : c.json(person, 200)
    })
    .post('/:email/retry', async (c) => {
      const done = await c.get('directory').retryPerson(foldAddress(c.req.param('email')), c.get('administrator').actor)
      return done.ok ? c.body(null, 204) : refuse(done.error)
    })
    .post('/:email/resume', async (c) => {
      const done = await c.get('directory').resumePerson(foldAddress(c.req.param('email')), c.get('administrator').actor)
      return done.ok ? c.body(null, 204) : refuse(done.error)
    })
    .post('/:email/identity', body(identity), async (c) => {
      const { decision, reason } = c.req.valid('json')
      const done = await c.get('directory')
        .decideIdentity(foldAddress(c.req.param('email')), decision, reason, c.get('administrator').actor)
      return done.ok ? c.body(null, 204) : refuse(done.error)
    })
