import { Hono } from 'hono'
import * as z from 'zod'
import { refuse, type AdminEnv } from './site'
import { body, refuseInput } from './validate'

/** What the brake holds, and the two ways in which a person ends it. */

const DAY_MS = 86_400_000
const DEFAULT_EXEMPTION_MS = 30 * DAY_MS
const MAX_EXEMPTION_MS = 366 * DAY_MS

const reason = z.string().trim().min(1).max(500)

const approval = z.strictObject({
  reason: reason.default('Approved by an administrator.'),
  /** The `revision` of the hold that was looked at: refused when it has changed since. */
  revision: z.int('This must be a whole number.').min(0).optional(),
})

const refusal = z.strictObject({
  reason: reason.default('Refused by an administrator.'),
  /** Until when the listed people keep what they have. */
  until: z.iso.datetime({ offset: true }).optional(),
})

export const holdRoutes = ({ now }: { readonly now: () => number }) =>
  new Hono<AdminEnv>()
    .get('/', async (c) => c.json({ holds: await c.get('directory').listHolds() }, 200))
    .post('/:id/approve', body(approval), async (c) => {
      const { actor } = c.get('administrator')
      const { reason: because, revision = null } = c.req.valid('json')
      const hold = await c.get('directory').approveHold(c.req.param('id'), actor, because, revision)
      return hold.ok ? c.json(hold.value, 200) : refuse(hold.error)
    })
    .post('/:id/refuse', body(refusal), async (c) => {
      const { reason: because, until } = c.req.valid('json')
      const at = until === undefined ? now() + DEFAULT_EXEMPTION_MS : Date.parse(until)
      if (!(at > now())) return refuseInput([{ path: 'until', sentence: 'This must lie in the future.' }])
      if (at > now() + MAX_EXEMPTION_MS) {
        return refuseInput([{ path: 'until', sentence: 'This must be at most one year from now.' }])
      }
      const hold = await c.get('directory').refuseHold(c.req.param('id'), at, c.get('administrator').actor, because)
      return hold.ok ? c.json(hold.value, 200) : refuse(hold.error)
    })
