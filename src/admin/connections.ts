import { Hono, type Context } from 'hono'
import * as z from 'zod'
import type { Connection, Refusal } from '../directory/connections'
import type { ConnectionWithStatus } from '../directory/connectionStatus'
import { isDevelopmentRequest } from '../http/deployment'
import { problem } from '../http/problem'
import { answerUnready } from '../http/respond'
import type { Tenants } from '../http/tenants'
import type { Result } from '../result'
import { isPull } from '../sources/sources'
import { anyConnection, readConnectionChange, readNewConnection, readSecrets } from './connectionInput'
import { makeConnection, makeSecret, oauthClient, secretKindOf, showSecret } from './connectionSecrets'
import { viewOf, webhookUrl, type Place } from './connectionView'
import { refuse, type AdminEnv } from './site'
import { body, refuseInput } from './validate'

/** Channels of identity providers to this tenant, and their secrets. A secret is shown once, in the answer that makes it. */

const purpose = z.enum(['bearer', 'client']).default('bearer')

const newTokenRequest = z.strictObject({ expiresAt: z.iso.datetime({ offset: true }).optional(), purpose })

const MAX_GRACE_HOURS = 168

const rotation = z.strictObject({ purpose, graceHours: z.number().min(0).max(MAX_GRACE_HOURS).default(24), secrets: z.unknown().optional() })

const confirmation = z.strictObject({ confirm: z.string().max(200) })

const resyncRequest = z.strictObject({ accept: z.boolean().default(false) })

const noBody = z.strictObject({})

const HOUR_MS = 3_600_000

type C = Context<AdminEnv>

const placeOf = (c: C): Place => ({ url: c.req.url, tenant: c.get('tenant') })

const unknown = (): Response => problem(404, 'No such connection.')

const NO_SECRET = 'Callers of this kind of connection bring no secret of the bridge.'

export const connectionRoutes = ({ now, tenants }: { readonly now: () => number; readonly tenants: Tenants }) => {
  const find = async (c: C, id: string): Promise<ConnectionWithStatus | undefined> => (await c.get('directory').describeConnections(id))[0]

  /** The connection as it is after a change, with what is shown of it this once. */
  const answer = (c: C, done: Result<ConnectionWithStatus, Refusal>, status: 200 | 201 | 202, shown: Readonly<Record<string, unknown>> = {}) => {
    if (!done.ok) return refuse(done.error)
    tenants.forgetTrust(c.get('tenant'))
    return c.json({ ...viewOf(done.value, placeOf(c)), ...shown }, status)
  }

  const replaceSecrets = async (c: C, { id, kind }: Connection, secrets: unknown, graceMs: number) => {
    const read = readSecrets(kind, secrets)
    if (!read.ok) return refuseInput(read.error)
    const clientState = kind === 'graph' ? await makeSecret('hook') : null
    const sealed = clientState === null ? read.value : { ...read.value, clientState: clientState.text }
    const replaced = await c.get('directory').replaceSecrets(id, { secrets: sealed, clientStateHash: clientState?.hash ?? null, graceMs }, c.get('administrator').actor)
    return answer(c, replaced, 200)
  }

  const rotateToken = async (c: C, { id, kind, config }: Connection, asked: 'bearer' | 'client', graceMs: number) => {
    const secretKind = asked === 'client' ? 'client' : secretKindOf(kind)
    if (secretKind === null) return problem(422, NO_SECRET)
    const secret = await makeSecret(secretKind)
    const rotated = await c.get('directory').rotateToken(id, { id: secret.id, hash: secret.hash, purpose: asked, graceMs }, c.get('administrator').actor)
    const shown = asked === 'client'
      ? { clientSecret: secret.text, clientSecretId: secret.id }
      : showSecret(secret, kind, config.settings, webhookUrl(placeOf(c), kind, id))
    return answer(c, rotated, 200, shown)
  }

  return new Hono<AdminEnv>()
    .get('/', async (c) => {
      const connections = await c.get('directory').describeConnections(null)
      return c.json({ connections: connections.map((connection) => viewOf(connection, placeOf(c))) }, 200)
    })
    .post('/', body(anyConnection), async (c) => {
      const wanted = readNewConnection(c.req.valid('json'), isDevelopmentRequest(c.get('config'), c.req.url))
      if (!wanted.ok) return refuseInput(wanted.error)
      const { order, shown } = await makeConnection(wanted.value, placeOf(c))
      return answer(c, await c.get('directory').createConnection(order, c.get('administrator').actor), 201, shown)
    })
    .get('/:id', async (c) => {
      const connection = await find(c, c.req.param('id'))
      return connection === undefined ? unknown() : c.json(viewOf(connection, placeOf(c)), 200)
    })
    .patch('/:id', body(z.unknown()), async (c) => {
      const connection = await find(c, c.req.param('id'))
      if (connection === undefined) return unknown()
      const change = readConnectionChange(connection.kind, c.req.valid('json'), isDevelopmentRequest(c.get('config'), c.req.url))
      if (!change.ok) return refuseInput(change.error)
      const { name, entitlements, settings, issuers, oauth } = change.value
      return answer(c, await c.get('directory').changeConnection(connection.id, {
        ...(name === undefined ? {} : { name }),
        ...(entitlements === undefined ? {} : { entitlements }),
        ...(settings === undefined ? {} : { settings }),
        ...(issuers === undefined ? {} : { issuers }),
        ...(oauth === undefined ? {} : { oauth: oauth === null ? null : oauthClient(oauth, connection.config.oauth?.clientId ?? connection.id) }),
      }, c.get('administrator').actor), 200)
    })
    .delete('/:id', body(confirmation), async (c) => {
      const { confirm } = c.req.valid('json')
      return answer(c, await c.get('directory').removeConnection(c.req.param('id'), confirm, c.get('administrator').actor), 202)
    })
    .get('/:id/removal', async (c) => {
      const preview = await c.get('directory').previewRemoval(c.req.param('id'))
      if (preview.ok) return c.json(preview.value, 200)
      return preview.error.kind === 'unready' ? answerUnready(c.req.path, preview.error.unready) : refuse(preview.error)
    })
    .post('/:id/pause', body(noBody), async (c) =>
      answer(c, await c.get('directory').pauseConnection(c.req.param('id'), c.get('administrator').actor), 200))
    .post('/:id/resume', body(noBody), async (c) =>
      answer(c, await c.get('directory').resumeConnection(c.req.param('id'), c.get('administrator').actor), 200))
    .post('/:id/rotate', body(rotation), async (c) => {
      const { purpose: asked, graceHours, secrets } = c.req.valid('json')
      const connection = await find(c, c.req.param('id'))
      if (connection === undefined) return unknown()
      const graceMs = graceHours * HOUR_MS
      return isPull(connection.kind) || secrets !== undefined
        ? replaceSecrets(c, connection, secrets, graceMs)
        : rotateToken(c, connection, asked, graceMs)
    })
    .post('/:id/resync', body(resyncRequest), async (c) => {
      const { accept } = c.req.valid('json')
      return answer(c, await c.get('directory').resync(c.req.param('id'), accept, c.get('administrator').actor), 202)
    })
    .get('/:id/tokens', async (c) => {
      const connection = await find(c, c.req.param('id'))
      return connection === undefined ? unknown() : c.json({ tokens: connection.status.tokens }, 200)
    })
    .post('/:id/tokens', body(newTokenRequest), async (c) => {
      const { expiresAt, purpose: asked } = c.req.valid('json')
      const at = expiresAt === undefined ? null : Date.parse(expiresAt)
      if (at !== null && !(at > now())) return refuseInput([{ path: 'expiresAt', sentence: 'This must lie in the future.' }])
      const connection = await find(c, c.req.param('id'))
      if (connection === undefined) return unknown()
      const secretKind = asked === 'client' ? 'client' : secretKindOf(connection.kind)
      if (secretKind === null) return problem(422, NO_SECRET)
      const { id, text: token, hash } = await makeSecret(secretKind)
      const stored = await c.get('directory').createToken(connection.id, { id, hash, expiresAt: at, purpose: asked }, c.get('administrator').actor)
      return stored.ok ? c.json({ ...stored.value, token }, 201) : refuse(stored.error)
    })
    .delete('/:id/tokens/:tokenId', async (c) => {
      const gone = await c.get('directory').deleteToken(c.req.param('id'), c.req.param('tokenId'), c.get('administrator').actor)
      return gone.ok ? c.body(null, 204) : refuse(gone.error)
    })
}
