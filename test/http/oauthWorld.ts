import { beforeAll, beforeEach, expect, vi } from 'vitest'
import { createTestIssuer, type TestIssuer } from '../auth/issuer'
import { admin, call, openTenant, ORIGIN, own, textAt, type Answer } from './bridge'

/** The token endpoint of a tenant of its own, its clients, and whoever signs for them. */

export const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

export interface Client {
  readonly id: string
  readonly name: string
  readonly clientId: string
  readonly secret: string
}

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

export const INVALID_CLIENT = [401, 'invalid_client']

export const outcome = ({ status, body }: Answer): unknown => [status, own(body, 'error')]

/** Registers the hooks of a test file and returns its world. */
export const oauthWorld = (tenant: string) => {
  const prefix = `/t/${tenant}`
  const connections = `${prefix}/admin/api/connections`
  const endpoint = `${ORIGIN}${prefix}/oauth/token`
  const signers: { own: TestIssuer | null; federated: TestIssuer | null } = { own: null, federated: null }
  let nth = 0

  beforeAll(() => openTenant(tenant))

  beforeEach(async () => {
    const next = nth + 1
    signers.own = await createTestIssuer({ issuer: `client-${next}`, audience: endpoint, caller: `client-${next}`, jwksUri: `https://client-${next}.example.test/keys` })
    signers.federated = await createTestIssuer({ issuer: `https://wif-${next}.example.test`, audience: 'api://bridge', caller: 'workload' })
    const original = globalThis.fetch
    vi.spyOn(globalThis, 'fetch').mockImplementation((input, init) => {
      const issuer = [signers.own, signers.federated].find((one) => one?.handles(input) === true) ?? null
      return issuer === null ? original(input, init) : issuer.fetch(input, init)
    })
  })

  const signer = (which: 'own' | 'federated'): TestIssuer => {
    const found = signers[which]
    if (found === null) throw new Error('no signer before the first test')
    return found
  }

  const ask = (form: Readonly<Record<string, string>> | string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> =>
    call('POST', `${prefix}/oauth/token`, { headers: { ...FORM, ...headers }, body: typeof form === 'string' ? form : new URLSearchParams(form).toString() })

  return {
    prefix, connections, endpoint, ask, signer,
    /** A client of its own: the next of whom `own` signs. */
    makeClient: async (oauth: Readonly<Record<string, unknown>> = {}): Promise<Client> => {
      nth += 1
      const name = `Client ${nth}`
      const made = await admin('POST', connections, { kind: 'scim', name, oauth: { clientId: `client-${nth}`, ...oauth } })
      expect(made.status, made.text).toBe(201)
      return { id: textAt(made, 'id'), name, clientId: textAt(made, 'clientId'), secret: textAt(made, 'clientSecret') }
    },
    /** Keys of whoever signs as the next client. */
    ownKeys: () => ({ keys: { jwks: { keys: [signer('own').publicJwk()] } } }),
    federation: (more: object = {}) => {
      const { connectionId: _, ...trusted } = signer('federated').trusted
      return { federation: [{ ...trusted, tid: 'tenant-a', ...more }] }
    },
    bySecret: ({ clientId, secret }: Client): Promise<Answer> => ask({ grant_type: 'client_credentials', client_id: clientId, client_secret: secret }),
    byAssertion: (assertion: string, more: Readonly<Record<string, string>> = {}): Promise<Answer> =>
      ask({ grant_type: 'client_credentials', client_assertion_type: JWT_BEARER, client_assertion: assertion, ...more }),
    users: (token: string, at = prefix): Promise<Answer> => call('GET', `${at}/scim/v2/Users`, { authorization: `Bearer ${token}` }),
  }
}
