/**
 * The recordings of Entra's authentication, replayed against the Worker: `body` goes to the token endpoint (where there is one), and
 * what comes back is used on a SCIM call, whose status is `opens`. `{{token}}` is a token with `claims`, signed by `issuer`.
 */
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { createApp } from '../../src/app'
import { hashToken } from '../../src/auth/bearer'
import { env } from 'cloudflare:workers'
import { createTestIssuer, type TestIssuer } from '../auth/issuer'
import recording from '../recordings/token/T-01-T-06-entra-token.json'
import { admin, callWith, openTenant, own, textAt, write, type Answer } from './bridge'

const TENANT = 'token-recordings'
const PREFIX = `/t/${TENANT}`

interface Step {
  readonly id: string
  readonly name: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  readonly issuer?: string
  /** Seconds since the epoch; the present when absent. */
  readonly now?: number
  readonly claims?: Readonly<Record<string, unknown>>
  readonly expect: { readonly status?: number; readonly error?: string; readonly issuedTokenType?: string; readonly opens?: number }
}

const steps: readonly Step[] = recording.steps
const issuers = new Map<string, TestIssuer>()

beforeAll(async () => {
  await openTenant(TENANT)
  for (const connection of Object.values(recording.connections)) {
    const made = await admin('POST', `${PREFIX}/admin/api/connections`, connection)
    expect(made.status, made.text).toBe(201)
    const id = textAt(made, 'id')
    if (connection.name === recording.connections.client.name) {
      await write(TENANT, `UPDATE tokens SET hash = ? WHERE connection_id = ? AND purpose = 'client'`, await hashToken(recording.secret), id)
    }
  }
  const trusted = [...recording.connections.federation.oauth.federation, ...recording.connections.blank.issuers]
  for (const { issuer, jwksUri } of trusted) issuers.set(issuer, await createTestIssuer({ issuer, jwksUri }))
})

beforeEach(() => {
  const original = globalThis.fetch
  vi.spyOn(globalThis, 'fetch').mockImplementation((input, init) => {
    const issuer = [...issuers.values()].find((one) => one.handles(input))
    return issuer === undefined ? original(input, init) : issuer.fetch(input, init)
  })
})

const sign = async ({ issuer, claims }: Step): Promise<string> => {
  const signer = issuers.get(issuer ?? '')
  return signer === undefined ? '' : signer.signText(JSON.stringify(claims))
}

describe('the recordings of tokens', () => {
  it.each(steps.map((step) => [`${step.id} ${step.name}`, step] as const))('%s', async (_name, step) => {
    const at = step.now === undefined ? Date.now() : step.now * 1000
    const app = createApp({ now: () => at })
    const send = (method: string, path: string, message: object): Promise<Answer> => callWith((request) => app.fetch(request, env), method, path, message)
    const signed = await sign(step)
    let token = signed
    if (step.body !== undefined) {
      const answer = await send('POST', `${PREFIX}/oauth/token`, {
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...step.headers }, body: step.body.replace('{{token}}', signed),
      })
      const { status, error, issuedTokenType } = step.expect
      expect([answer.status, own(answer.body, 'error'), own(answer.body, 'issued_token_type')]).toEqual([status, error, issuedTokenType])
      expect([answer.headers.get('content-type'), answer.headers.get('cache-control')]).toEqual(['application/json', 'no-store'])
      if (status !== 200) return
      expect([own(answer.body, 'token_type'), own(answer.body, 'expires_in')]).toEqual(['Bearer', 3600])
      token = textAt(answer, 'access_token')
    }
    const used = await send('GET', `${PREFIX}/scim/v2/Users?filter=userName+eq+%22x%22`, { authorization: `Bearer ${token}` })
    expect(used.status, used.text).toBe(step.expect.opens)
  })

  it('are each of the transcripts', () => {
    expect([...new Set(steps.map(({ id }) => id.split('/')[0]))]).toEqual(['T-01', 'T-02', 'T-03', 'T-04', 'T-05', 'T-06'])
  })
})
