import { beforeAll, describe, expect, it } from 'vitest'
import { NOTHING_SETTLED, pollBody, readPollAnswer, settlePoll } from '../../src/webhooks/poll'
import { readPolled } from '../../src/webhooks/securityEventRead'
import { securityEventSettings } from '../../src/webhooks/securityEventSettings'
import { createSignedWorld, type SignedWorld } from './signedWorld'

const NOW = Date.UTC(2026, 10, 23, 12)
const ISSUER = 'https://idp.example.test'
const KEYS = 'https://idp.example.test/keys'
const TYPE = 'https://schemas.openid.net/secevent/risc/event-type/account-disabled'

const settings = securityEventSettings.parse({
  issuer: ISSUER, audience: 'bridge', jwksUri: KEYS, delivery: 'poll', pollUrl: 'https://idp.example.test/poll',
})

const claims = (jti: string) => ({
  iss: ISSUER, aud: 'bridge', iat: NOW / 1000, jti, sub_id: { format: 'opaque', id: 'u1' }, events: { [TYPE]: {} },
})

let world: SignedWorld

beforeAll(async () => {
  world = await createSignedWorld({ issuer: ISSUER, jwksUri: KEYS, now: () => NOW })
})

const bytes = (value: unknown) => new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value))

describe('a poll', () => {
  it('takes what is good, refuses what is bad by its name, and leaves what can not be judged', async () => {
    const dark = await createSignedWorld({ issuer: ISSUER, jwksUri: 'https://idp.example.test/elsewhere', now: () => NOW })
    const header = { typ: 'secevent+jwt' }
    const answer = readPollAnswer(
      bytes({
        moreAvailable: true,
        sets: { good: await world.token(claims('good'), header), forged: await dark.token(claims('forged'), header), swapped: await world.token(claims('good'), header) },
      }),
    )
    if (!answer.ok) throw new Error(answer.error)
    expect(answer.value.moreAvailable).toBe(true)
    const read = await Promise.all(
      answer.value.sets.map(async (set) => ({ id: set.id, result: await readPolled(set, settings, world.tools) })),
    )
    const later = { id: 'later', result: await readPolled({ id: 'later', token: await dark.token(claims('later'), header) }, settings, dark.tools) }
    expect(read[0]?.result).toMatchObject({
      ok: true, value: { id: 'good', changes: [{ kind: 'active', who: { id: 'u1', userName: null }, active: false }] },
    })
    expect(JSON.parse(pollBody(settlePoll([...read, later]), 50))).toEqual({
      maxEvents: 50,
      returnImmediately: true,
      ack: ['good'],
      setErrs: {
        forged: { err: 'invalid_key', description: expect.any(String) },
        swapped: { err: 'invalid_request', description: 'The name of the token in the answer is not its jti.' },
      },
    })
  })

  it('says nothing of the one before when there was none', () => {
    expect(JSON.parse(pollBody(NOTHING_SETTLED, 100))).toEqual({ maxEvents: 100, returnImmediately: true })
  })

  it('may be answered with nothing', () => {
    expect(readPollAnswer(bytes({ sets: {} }))).toEqual({ ok: true, value: { sets: [], moreAvailable: false } })
    expect(readPollAnswer(bytes({ sets: {}, moreAvailable: 'true', other: 1 }))).toEqual({ ok: true, value: { sets: [], moreAvailable: false } })
  })

  it.each([
    ['nothing', ''], ['no JSON', '<html>'], ['a list', []], ['null', 'null'], ['no sets', { moreAvailable: true }], ['a list of sets', { sets: ['a.b.c'] }],
    ['a set that is an object', { sets: { a: { b: 1 } } }], ['a name that reaches a prototype', '{"sets":{"__proto__":"a.b.c"}}'],
    ['too many', { sets: Object.fromEntries(Array.from({ length: 1_001 }, (_, at) => [`${at}`, 'a.b.c'])) }],
    ['a deep one', `{"sets":${'['.repeat(5_000)}${']'.repeat(5_000)}}`],
  ])('is not believed when it is answered with %s', (_name, body) => {
    expect(readPollAnswer(bytes(body))).toEqual({ ok: false, error: expect.stringMatching(/\.$/) })
  })
})
