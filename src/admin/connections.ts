import { Hono } from 'hono'
import * as z from 'zod'
import { hashToken, newToken } from '../auth/bearer'
import { trustedIssuerSchema, type TrustedIssuer } from '../auth/trustedIssuer'
import type { Connection } from '../directory/connections'
import { isDevelopmentRequest } from '../http/deployment'
import { problem, type ProblemAt } from '../http/problem'
import { prefixOf, type Tenants } from '../http/tenants'
import { err, ok, type Result } from '../result'
import { refuse, type AdminEnv } from './site'
import { body, problemsIn, refuseInput } from './validate'

/** Channels of identity providers to this tenant, and their tokens. A token is shown once, in the answer that makes it. */

const text = z.string().trim().min(1).max(100)

const newConnection = z.strictObject({
  kind: z.literal('scim'),
  name: text,
  /** The provider behind it; connections of one provider name the same. A new provider when absent. */
  source: text.optional(),
  address: z.enum(['email', 'userName']).default('email'),
  /** Judged by {@link readIssuers}: what an issuer may be depends on where the request came in. */
  issuers: z.array(z.custom<TrustedIssuer>()).max(20).default([]),
  /** Whether Okta may discover Roles and Entitlements. */
  entitlements: z.boolean().default(false),
})

const connectionChange = z.strictObject({ name: text.optional(), entitlements: z.boolean().optional() })

const newTokenRequest = z.strictObject({ expiresAt: z.iso.datetime({ offset: true }).optional() })

/** Nobody else's, so that a connection made without a source never shares one by accident. */
const sourceFor = (name: string): string => {
  const slug = name.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 60)
  return `${slug === '' ? 'source' : slug}-${crypto.randomUUID().slice(0, 8)}`
}

const readIssuers = (
  issuers: readonly unknown[], development: boolean,
): Result<readonly TrustedIssuer[], readonly ProblemAt[]> => {
  const parsed = z.array(trustedIssuerSchema({ development })).safeParse(issuers)
  return parsed.success ? ok(parsed.data) : err(problemsIn(parsed.error, ['issuers']))
}

const baseOf = (url: string, tenant: string): string => `${new URL(url).origin}${prefixOf(tenant)}/scim/v2`

const viewOf = ({ config, ...connection }: Connection, scimBaseUrl: string) => ({
  ...connection, address: config.address, issuers: config.issuers, entitlements: config.entitlements === true, scimBaseUrl,
})

export const connectionRoutes = ({ now, tenants }: { readonly now: () => number; readonly tenants: Tenants }) =>
  new Hono<AdminEnv>()
    .get('/', async (c) => {
      const base = baseOf(c.req.url, c.get('tenant'))
      const connections = await c.get('directory').listConnections()
      return c.json({ connections: connections.map((connection) => viewOf(connection, base)) }, 200)
    })
    .post('/', body(newConnection), async (c) => {
      const { kind, name, source, address, issuers, entitlements } = c.req.valid('json')
      const trusted = readIssuers(issuers, isDevelopmentRequest(c.get('config'), c.req.url))
      if (!trusted.ok) return refuseInput(trusted.error)
      const directory = c.get('directory')
      const { actor } = c.get('administrator')
      const wanted = { kind, name, source: source ?? sourceFor(name), config: { address, issuers: trusted.value, entitlements } }
      const connection = await directory.createConnection(wanted, actor)
      if (!connection.ok) return refuse(connection.error)
      tenants.forgetTrust(c.get('tenant'))
      const { token } = newToken('scim')
      const stored = await directory.createToken(connection.value.id, { hash: await hashToken(token), expiresAt: null }, actor)
      if (!stored.ok) return refuse(stored.error)
      return c.json({ ...viewOf(connection.value, baseOf(c.req.url, c.get('tenant'))), token, tokenId: stored.value.id }, 201)
    })
    .patch('/:id', body(connectionChange), async (c) => {
      const { name, entitlements } = c.req.valid('json')
      const change = { ...(name === undefined ? {} : { name }), ...(entitlements === undefined ? {} : { entitlements }) }
      const changed = await c.get('directory').changeConnection(c.req.param('id'), change, c.get('administrator').actor)
      if (!changed.ok) return refuse(changed.error)
      tenants.forgetTrust(c.get('tenant'))
      return c.json(viewOf(changed.value, baseOf(c.req.url, c.get('tenant'))), 200)
    })
    .get('/:id/tokens', async (c) => {
      const directory = c.get('directory')
      const id = c.req.param('id')
      const tokens = await directory.listTokens(id)
      const isKnown = tokens.length > 0 || (await directory.listConnections()).some((connection) => connection.id === id)
      return isKnown ? c.json({ tokens }, 200) : problem(404, 'No such connection.')
    })
    .post('/:id/tokens', body(newTokenRequest), async (c) => {
      const { expiresAt } = c.req.valid('json')
      const at = expiresAt === undefined ? null : Date.parse(expiresAt)
      if (at !== null && !(at > now())) return refuseInput([{ path: 'expiresAt', sentence: 'This must lie in the future.' }])
      const { token } = newToken('scim')
      const { actor } = c.get('administrator')
      const stored = await c.get('directory').createToken(c.req.param('id'), { hash: await hashToken(token), expiresAt: at }, actor)
      return stored.ok ? c.json({ ...stored.value, token }, 201) : refuse(stored.error)
    })
    .delete('/:id/tokens/:tokenId', async (c) => {
      const gone = await c.get('directory').deleteToken(c.req.param('id'), c.req.param('tokenId'), c.get('administrator').actor)
      return gone.ok ? c.body(null, 204) : refuse(gone.error)
    })
