import { Hono } from 'hono'
import { readCredential, type Credential } from '../auth/bearer'
import { invalid, type AuthFailure } from '../auth/failure'
import type { Env } from '../config'
import type { ScimFailure } from '../directory/requests'
import type { ScimReply } from '../directory/scimCommand'
import { err, ok, type Result } from '../result'
import type { Authenticator, Caller, Proof } from './authenticate'
import { readCommand, type AnyCommand } from './command'
import type { BridgeEnv } from './deployment'
import { methodsOf, readScimAddress, type ScimAddress } from './endpoint'
import { answerIn, scimErrorOf, scimErrorReply, scimOptions, scimReply } from './respond'
import { directoryOf, type Tenants } from './tenants'

/**
 * SCIM 2.0 over HTTP: a request becomes a proof and a command, both go to the tenant's Directory in one call, and its answer
 * becomes the response. Who the caller is comes before anything that is wrong with the request.
 */

export interface ScimOptions {
  readonly tenants: Tenants
  readonly authenticator: Authenticator
}

type Answered = Promise<Result<ScimReply, ScimFailure>>

const refuseCaller = (failure: AuthFailure): Response => scimErrorReply(scimErrorOf(failure))

const refuse = (failure: Exclude<ScimFailure, { readonly kind: 'stale' }>, { endpoint }: ScimAddress): Response => {
  if (failure.kind === 'auth') return refuseCaller(failure.failure)
  return scimErrorReply(failure.error, failure.error.status === 405 ? { allow: methodsOf(endpoint).join(', ') } : {})
}

export const createScim = ({ tenants, authenticator }: ScimOptions): Hono<BridgeEnv> => {
  const call = async ({ env, tenant }: Caller, proof: Proof, command: AnyCommand, base: string): Answered => {
    const directory = directoryOf(env, tenant)
    if (command.op === 'bulk') return directory.bulk({ ...proof, command, base })
    return command.op === 'page' ? directory.page({ ...proof, command, base }) : directory.scim({ ...proof, command, base })
  }

  /** The issuers that a proof rests on may have changed meanwhile: then they are read and it is made once more. */
  const callTwice = async (caller: Caller, proof: Proof, command: AnyCommand, base: string): Answered => {
    const done = await call(caller, proof, command, base)
    if (done.ok || done.error.kind !== 'stale') return done
    tenants.forgetTrust(caller.tenant)
    const again = await authenticator.prove(caller)
    return again.ok ? call(caller, again.value, command, base) : err({ kind: 'auth', failure: again.error })
  }

  const identify = async (env: Env, tenant: string, authorization: string | null): Promise<Result<Credential, AuthFailure>> => {
    const presented = readCredential(authorization)
    if (!presented.ok) return presented
    return (await tenants.isKnown(env, tenant)) ? ok(presented.value) : err(invalid('unknown_tenant'))
  }

  const answer = async (request: Request, address: ScimAddress, site: Pick<Caller, 'env' | 'config'>): Promise<Response> => {
    const { tenant, endpoint, base, params } = address
    const presented = await identify(site.env, tenant, request.headers.get('authorization'))
    if (!presented.ok) return refuseCaller(presented.error)
    const caller: Caller = { ...site, tenant, url: request.url, presented: presented.value }
    const proof = await authenticator.prove(caller)
    if (!proof.ok) return refuseCaller(proof.error)
    const isRefused = proof.value.credential.kind === 'refused'
    const command = isRefused ? { op: 'authenticate' as const } : await readCommand(endpoint, request, params)
    const done = await callTwice(caller, proof.value, command, base)
    if (done.ok) return scimReply(done.value)
    // Stale twice: somebody changes connections right now.
    return done.error.kind === 'stale'
      ? refuseCaller({ kind: 'unavailable', retryAfterSeconds: 1, what: 'the connections are being changed' })
      : refuse(done.error, address)
  }

  const app = new Hono<BridgeEnv>()
  for (const path of ['/scim/v2/*', '/t/:tenant/scim/v2/*']) {
    app.all(path, async (c) => {
      const address = readScimAddress(c.req.url)
      if (address === null) return answerIn(c.req.path, { status: 404, detail: 'There is no such endpoint.' })
      const methods = methodsOf(address.endpoint)
      if (c.req.method === 'OPTIONS' && methods.length > 0) return scimOptions(methods.join(', '))
      return answer(c.req.raw, address, { env: c.env, config: c.get('config') })
    })
  }
  return app
}
