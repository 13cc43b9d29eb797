import { Hono } from 'hono'
import * as z from 'zod'
import { foldAddress } from '../scim/address'
import type { AdminEnv } from './site'
import { query } from './validate'

/** What happened, by whom and because of what, newest first. */

const journalQuery = z.object({
  kind: z.string().max(100).optional(),
  person: z.string().max(400).transform(foldAddress).optional(),
  /** The `next` of the page before. */
  before: z.coerce.number('This must be a number.').int('This must be a whole number.').min(1).optional(),
  limit: z.coerce.number('This must be a number.').int('This must be a whole number.').min(1).max(500).default(100),
})

export const journalRoutes = () =>
  new Hono<AdminEnv>().get('/', query(journalQuery), async (c) => {
    const { kind, person, before, limit } = c.req.valid('query')
    const rows = await c.get('directory').readJournal({ kind: kind ?? null, subject: person ?? null, before: before ?? null, limit })
    return c.json({ journal: rows, next: rows.length === limit ? (rows.at(-1)?.seq ?? null) : null }, 200)
  })
