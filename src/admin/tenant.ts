import { createMiddleware } from 'hono/factory'
import { Hono } from 'hono'
import * as z from 'zod'
import { hashToken } from '../auth/bearer'
import { isDevelopmentValue } from '../auth/development'
import { createSecretBox } from '../auth/secretBox'
import { readArize, type Config, type ConfigFailure } from '../config'
import { isDevelopmentRequest } from '../http/deployment'
import { problem } from '../http/problem'
import { answerUnready } from '../http/respond'
import { DEFAULT_TENANT, directoryOf, isTenantName, prefixOf, type Tenants } from '../http/tenants'
import { err, ok, type Result } from '../result'
import { foldAddress } from '../scim/address'
import { refuse, type AdminEnv } from './site'
import { body, refuseInput } from './validate'

/** A second tenant: made, or moved to another Arize account, by the default tenant's administrator (design section 10.6). */

const newTenant = z.strictObject({
  arizeBaseUrl: z.string().trim().min(1).max(2048),
  arizeApiKey: z.string().trim().min(1).max(4096),
  /** The address of the account user that the key belongs to. */
  ownUser: z.string().trim().min(1).max(320).transform(foldAddress).optional(),
})

/** Stands for an Arize account in the book of tenants, without telling the key. */
const fingerprintOf = (origin: string, apiKey: string): Promise<string> => hashToken(`${origin}\n${apiKey}`)

/** Asked before anything is entered: a tenant without a sealed key of its own must not come to be. */
const canSeal = async ({ masterKey }: Config): Promise<Result<void, ConfigFailure>> => {
  if (masterKey === null) {
    const sentence = 'MASTER_KEY is not set: `wrangler secret put MASTER_KEY` (32 random bytes in base64).'
    return err({ variable: 'MASTER_KEY', sentence })
  }
  const box = await createSecretBox(masterKey)
  return box.ok ? ok(undefined) : err({ variable: 'MASTER_KEY', sentence: box.error.sentence })
}

const FIELDS: ReadonlyMap<string, string> = new Map([['ARIZE_BASE_URL', 'arizeBaseUrl'], ['ARIZE_API_KEY', 'arizeApiKey']])

/** The same sentence about the field of the body. */
const refuseArize = ({ variable, sentence }: ConfigFailure): Response => {
  const path = FIELDS.get(variable) ?? ''
  return refuseInput([{ path, sentence: sentence.replace(variable, 'This') }])
}

const nameRule = createMiddleware<AdminEnv>(async (c, next) => {
  const tenant = c.get('tenant')
  if (tenant === DEFAULT_TENANT) return problem(404, 'The default tenant is set up by the variables of the deployment.')
  if (!isTenantName(tenant)) {
    return problem(400, 'The name of a tenant is 1 to 63 lower-case letters, digits and hyphens, and not "default".')
  }
  return next()
})

const isOwnAccount = async ({ arize, isDevelopment }: Config, fingerprint: string): Promise<boolean> => {
  const own = readArize(arize.baseUrl, arize.apiKey, isDevelopment)
  return own.ok && (await fingerprintOf(own.value.origin, own.value.apiKey)) === fingerprint
}

export const tenantRoutes = ({ tenants }: { readonly tenants: Tenants }) =>
  new Hono<AdminEnv>().put('/', nameRule, body(newTenant), async (c) => {
    const name = c.get('tenant')
    const config = c.get('config')
    const { arizeBaseUrl, arizeApiKey, ownUser } = c.req.valid('json')
    const sealing = await canSeal(config)
    if (!sealing.ok) return answerUnready(c.req.path, sealing.error)
    const arize = readArize(arizeBaseUrl, arizeApiKey, config.isDevelopment)
    if (!arize.ok) return refuseArize(arize.error)
    const { origin, apiKey } = arize.value
    if (isDevelopmentValue(apiKey) && !isDevelopmentRequest(config, c.req.url)) {
      const sentence = 'This is a development value, which is believed only in development and on a loopback address.'
      return refuseInput([{ path: 'arizeApiKey', sentence }])
    }
    const fingerprint = await fingerprintOf(origin, apiKey)
    if (await isOwnAccount(config, fingerprint)) return problem(409, 'The default tenant works on this Arize account already.')
    const book = directoryOf(c.env, DEFAULT_TENANT)
    const isNew = !(await book.findTenant(name))
    const entered = await book.enterTenant(name, fingerprint)
    if (!entered.ok) return refuse(entered.error)
    const { actor } = c.get('administrator')
    const provisioned = await c.get('directory')
      .provision({ name, arizeBaseUrl: origin, arizeApiKey: apiKey, ownUser: ownUser ?? null }, actor)
    if (!provisioned.ok) return refuse(provisioned.error)
    tenants.forgetTenant(name)
    const prefix = `${new URL(c.req.url).origin}${prefixOf(name)}`
    return c.json({ tenant: name, scimBaseUrl: `${prefix}/scim/v2`, adminApiUrl: `${prefix}/admin/api` }, isNew ? 201 : 200)
  })
