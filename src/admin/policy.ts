import { Hono } from 'hono'
import * as z from 'zod'
import { problem } from '../http/problem'
import type { AdminEnv } from './site'
import { body, refuseInput } from './validate'

/** The policy: read and replaced whole. What a document may say is for the Directory to judge, which knows the connections. */

const etagOf = (version: number): string => `"${version}"`

/** The versions that If-Match names (RFC 9110 13.1.1); null without it, or with `*`. */
const expectedVersionsOf = (ifMatch: string | undefined): readonly number[] | null => {
  if (ifMatch === undefined || ifMatch.trim() === '*') return null
  return ifMatch.split(',').flatMap((tag) => {
    const digits = /^(?:W\/)?"(\d{1,15})"$/.exec(tag.trim())?.[1]
    return digits === undefined ? [] : [Number(digits)]
  })
}

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
      const expected = expectedVersionsOf(c.req.header('if-match'))
      const version = await directory.replacePolicy(c.req.valid('json'), expected, c.get('administrator').actor)
      if (!version.ok) {
        return version.error.kind === 'invalid'
          ? refuseInput(version.error.errors)
          : problem(412, `The policy is at version ${version.error.version} now: read it again before you change it.`)
      }
      c.header('etag', etagOf(version.value))
      return c.json({ version: version.value }, 200)
    })
