import { base64url } from 'jose'
import * as fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { eventGrid } from '../../src/webhooks/eventGrid'
import { securityEvent } from '../../src/webhooks/securityEvent'
import type { Received } from '../../src/webhooks/source'
import { universalLogout } from '../../src/webhooks/universalLogout'
import { segment } from '../auth/issuer'
import { createSignedWorld, receive, type SignedWorld } from './signedWorld'

const NOW = Date.UTC(2026, 10, 23, 12)
const SECONDS = NOW / 1000
const TENANT = '84bd8158-6d4d-4958-8b9f-9d6445542f95'
const ISSUER = `https://login.microsoftonline.com/${TENANT}/v2.0`
const KEYS = `https://login.microsoftonline.com/${TENANT}/discovery/v2.0/keys`
const LOGOUT_ADDRESS = 'https://bridge.example.com/webhooks/logout/c1'

type Members = Readonly<Record<string, unknown>>

/** One way in: what a good token is, and how one is presented. */
type Door = {
  readonly header: Members
  readonly claims: Members
  readonly present: (token: string) => Promise<Received>
}

const EVENT = {
  id: 'e1', type: 'Microsoft.Graph.UserDeleted', source: `/tenants/${TENANT}`, specversion: '1.0', data: { tenantId: TENANT, resourceData: { id: 'u1' } },
}

const options = {
  issuer: ISSUER, jwksUri: KEYS, now: () => NOW,
  documents: { [`${ISSUER}/.well-known/openid-configuration`]: { issuer: ISSUER, jwks_uri: KEYS } },
}

let world: SignedWorld
let forger: SignedWorld

beforeAll(async () => {
  world = await createSignedWorld(options)
  forger = await createSignedWorld(options)
})

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

const logout = (token: string, body: string | Uint8Array) =>
  receive(universalLogout, { issuer: ISSUER, subjects: ['app'] }, world.tools, { headers: bearer(token), body })

const DOORS: Readonly<Record<string, Door>> = {
  'a security event': {
    header: { typ: 'secevent+jwt' },
    claims: {
      iss: ISSUER, aud: 'bridge', iat: SECONDS, jti: 'set-1', sub_id: { format: 'email', email: 'ann@example.com' },
      events: { 'https://schemas.openid.net/secevent/risc/event-type/account-disabled': {} },
    },
    present: (body) => receive(securityEvent, { issuer: ISSUER, audience: 'bridge', jwksUri: KEYS }, world.tools, { body }),
  },
  'a logout': {
    header: { typ: 'global-token-revocation+jwt' },
    claims: { iss: ISSUER, aud: LOGOUT_ADDRESS, sub: 'app', jti: 'u1', iat: SECONDS, exp: SECONDS + 300 },
    present: (token) => logout(token, JSON.stringify({ sub_id: { format: 'email', email: 'ann@example.com' } })),
  },
  'an event of Event Grid': {
    header: { typ: 'JWT' },
    claims: { iss: ISSUER, aud: 'bridge', tid: TENANT, azp: '4962773b-9cdb-44cf-a8bf-237846a00ab7', azpacr: '2', iat: SECONDS, exp: SECONDS + 300 },
    present: (token) => {
      const settings = { tenantId: TENANT, token: { issuer: ISSUER, audience: 'bridge', jwksUri: KEYS } }
      return receive(eventGrid, settings, world.tools, { headers: bearer(token), body: JSON.stringify(EVENT) })
    },
  },
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

const partsOf = (token: string): readonly [string, string, string] => {
  const [header = '', payload = '', signature = ''] = token.split('.')
  return [header, payload, signature]
}

const bytesOf = (signature: string): string | undefined => {
  try {
    return base64url.decode(signature).toString()
  } catch {
    return undefined
  }
}

/** Base64url has spare bits at its end: another spelling of the same signature is no forgery. */
const isSame = (token: string, good: string): boolean => {
  const [header, payload, signature] = partsOf(token)
  const [goodHeader, goodPayload, goodSignature] = partsOf(good)
  const isSigned = token.split('.').length === 3 && /^[\w-]*$/.test(signature) && bytesOf(signature) === bytesOf(goodSignature)
  return isSigned && header === goodHeader && payload === goodPayload
}

const flip = (text: string, at: number, by: number): string => {
  const index = Math.floor(at * text.length)
  const from = ALPHABET.indexOf(text[index] ?? '')
  return `${text.slice(0, index)}${from < 0 ? '_' : (ALPHABET[(from ^ by) % 64] ?? '')}${text.slice(index + 1)}`
}

const HEADER_CHANGES: readonly Members[] = [
  ...['none', 'None', 'nOnE', '', 'HS256', 'HS384', 'HS512', 'RS1', 'RS384', 'PS256', 'ES256', 'EdDSA', 'RSA-OAEP', 'dir'].map((alg) => ({ alg })),
  ...['key-2', '', '/dev/null', '../../../dev/null', "' OR 1=1 --", '__proto__', 'key-1\u0000'].map((kid) => ({ kid })),
  { kid: 7 }, { kid: null }, { kid: ['key-1'] }, { alg: ['RS256'] }, { alg: null }, { crit: [] }, { crit: ['exp'] }, { crit: ['b64'], b64: false }, { b64: false },
  { jku: 'https://evil.example.com/keys' }, { x5u: 'https://evil.example.com/x' }, { x5c: ['AAAA'] }, { zip: 'DEF' }, { enc: 'A128GCM' },
  { typ: 'at+jwt' }, { typ: 'dpop+jwt' }, { typ: null }, { cty: 'JWT' },
]

type Mutation = (good: string, door: Door) => string | Promise<string>

const change = fc.constantFrom(...HEADER_CHANGES)
const claimChange = fc.dictionary(fc.constantFrom('iss', 'aud', 'sub', 'iat', 'exp', 'jti', 'tid', 'azp', 'events', 'sub_id', 'x'), fc.jsonValue(), { minKeys: 1 })

const mutations: fc.Arbitrary<Mutation> = fc.oneof(
  { arbitrary: fc.tuple(fc.nat({ max: 999_999 }), fc.integer({ min: 1, max: 63 })).map(([at, by]): Mutation => (good) => flip(good, at / 1e6, by)), weight: 4 },
  change.map((header): Mutation => (good, door) => [segment({ alg: 'RS256', kid: 'key-1', ...door.header, ...header }), ...partsOf(good).slice(1)].join('.')),
  change.map((header): Mutation => (_good, door) => forger.token(door.claims, { ...door.header, jwk: forger.issuer.publicJwk(), ...header })),
  claimChange.map((claims): Mutation => (good, door) => {
    const [header, , signature] = partsOf(good)
    return [header, segment({ ...door.claims, ...claims, forged: true }), signature].join('.')
  }),
  fc.nat({ max: 999_999 }).map((at): Mutation => (good) => good.slice(0, Math.floor((at / 1e6) * good.length))),
  fc.constantFrom<Mutation>(
    (good) => `${good}.`, (good) => `.${good}`, (good) => `${good}.${good}`, (good) => good.replace('.', '..'), (good) => good.replaceAll('.', ' '),
    (good) => `${good}=`, (good) => `${good} x`, (good) => `x ${good}`, (good) => [...good].toReversed().join(''), (good) => partsOf(good).slice(0, 2).join('.'),
    (good) => JSON.stringify({ payload: partsOf(good)[1], protected: partsOf(good)[0], signature: partsOf(good)[2] }), (good) => JSON.stringify(good),
    (_good, door) => forger.token(door.claims, door.header), (_good, door) => `${segment({ alg: 'none', ...door.header })}.${segment(door.claims)}.`,
  ),
  fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...ALPHABET, '.') })).map((text): Mutation => () => text),
)

describe.each(Object.entries(DOORS))('%s', (_name, door) => {
  it('is accepted as it is, and in none of 1,000 mutations', async () => {
    const good = await world.token(door.claims, door.header)
    expect((await door.present(good)).kind).toBe('delivery')
    world.asked()
    const reasons = new Set<string>()
    await fc.assert(
      fc.asyncProperty(mutations, async (mutate) => {
        const mutated = await mutate(good, door)
        fc.pre(!isSame(mutated.trim(), good))
        // A header can't carry everything that a body can.
        fc.pre(/^[\x20-\x7e]*$/.test(mutated))
        const received = await door.present(mutated)
        if (received.kind === 'refused') reasons.add(received.reason)
        return received.kind === 'refused'
      }),
      { numRuns: 1_000 },
    )
    expect(reasons.size).toBeGreaterThanOrEqual(5)
    expect(world.asked().filter((address) => address.includes('evil'))).toEqual([])
  })
})

describe('a body', () => {
  const anything = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.string({ unit: 'binary' }).map((text) => new TextEncoder().encode(text)),
    fc.json().map((text) => new TextEncoder().encode(text)),
  )

  it('of anything is accepted by none', async () => {
    const token = await world.token(DOORS['a logout']?.claims, DOORS['a logout']?.header)
    const url = 'https://bridge.example.com/webhooks/eventgrid/c1?secret=s'
    await fc.assert(
      fc.asyncProperty(anything, async (body) => {
        const received = await Promise.all([
          receive(securityEvent, { issuer: ISSUER, audience: 'bridge', jwksUri: KEYS }, world.tools, { body }),
          logout(token, body),
          receive(eventGrid, { tenantId: TENANT }, world.tools, { url, body }),
        ])
        return received.every(({ kind }) => kind === 'refused')
      }),
      { numRuns: 400 },
    )
  })
})
