import { Hono } from 'hono'
import * as z from 'zod'
import { problem } from '../http/problem'
import { matchesEtag } from '../scim/etag'
import type { AdminEnv } from './site'
import { body, refuseInput } from './validate'

/** The policy: read and replaced whole. What a document may say is for the Directory to judge, which knows the connections. */

const etagOf = (version: number): string => `"${version}"`

const NO_POLICY = { version: 0, document: { mappings: [] }, createdAt: null, actor: null }

export const policyRoutes = () =>
  new Hono<AdminEnv>()
    .get('/', async (c) => {
      const { version, document, createdAt, actor } = (await c.get('directory').readPolicy()) ?? NO_POLICY
      c.header('etag', etagOf(version))
      return c.json({ version, policy: document, createdAt, actor }, 200)
    })
    .put('/', body(z.unknown()), async (c) => {
      const directory = c.get('directory')
      const ifMatch = c.req.header('if-match')
      if (ifMatch !== undefined) {
        const present = (await directory.readPolicy())?.version ?? 0
        if (!matchesEtag(ifMatch, present)) {
          return problem(412, `The policy is at version ${present} now: read it again before you change it.`)
        }
      }
      const version = await directory.replacePolicy(c.req.valid('json'), c.get('administrator').actor)
      if (!version.ok) return refuseInput(version.error)
      c.header('etag', etagOf(version.value))
      return c.json({ version: version.value }, 200)
    })
