import { env } from 'cloudflare:workers'
import { runInDurableObject } from 'cloudflare:test'
import { beforeAll, describe, expect, it } from 'vitest'
import { sealSecrets } from '../../src/directory/secrets'
import { readConfig } from '../../src/config'
import { createPolls, type PollTenant } from '../../src/http/polls'
import { directoryOf } from '../../src/http/tenants'
import { createTestIssuer, type TestIssuer } from '../auth/issuer'
import { openTenant, own, write } from './bridge'

/** A transmitter that is asked (RFC 8936), in place of the network: what it was asked, and what it still has to give. */

const TENANT = 'polls'
const ISSUER = 'https://idp.example.test'
const POLL_URL = 'https://idp.example.test/poll'
const RISC = 'https://schemas.openid.net/secevent/risc/event-type/account-disabled'

interface Asked {
  readonly url: string
  readonly authorization: string | null
  readonly redirect: string | undefined
  readonly body: unknown
}

interface World {
  readonly connectionId: string
  readonly asked: Asked[]
  /** Tokens that the transmitter has not been told about. */
  readonly sets: Map<string, string>
  readonly poll: () => ReturnType<PollTenant>
  /** What the transmitter does instead of answering; null to answer. */
  readonly trouble: { answer: (() => Response | Promise<Response>) | null; keys: boolean }
}

let issuer: TestIssuer
let serial = 0

beforeAll(async () => {
  await openTenant(TENANT)
  issuer = await createTestIssuer({ issuer: ISSUER })
})

const token = (jti: string, claims: object = {}, from: TestIssuer = issuer): Promise<string> =>
  from.signText(JSON.stringify({
    iss: ISSUER, aud: 'bridge', iat: Math.floor(Date.now() / 1000), jti, sub_id: { format: 'opaque', id: `person-${jti}` }, events: { [RISC]: {} }, ...claims,
  }), { typ: 'secevent+jwt' })

const listed = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

const openWorld = async ({ settings = {}, batch = 100 }: { settings?: object; batch?: number } = {}): Promise<World> => {
  const source = `source-${++serial}`
  await write(TENANT, `UPDATE connections SET state = 'paused'`)
  const made = await directoryOf(env, TENANT).createConnection({
    kind: 'security-events', name: `Stream ${serial}`, source,
    config: { address: 'email', issuers: [], settings: { issuer: ISSUER, audience: 'bridge', jwksUri: issuer.jwksUri, delivery: 'poll', pollUrl: POLL_URL, ...settings } },
  }, 'test')
  if (!made.ok) throw new Error(made.error.sentence)
  const connectionId = made.value.id
  const sealed = await sealSecrets({ settings: readConfig(env), name: TENANT }, connectionId, { authorization: 'Bearer poll-secret' })
  if (!sealed.ok) throw new Error(sealed.error.sentence)
  await write(TENANT, `UPDATE connections SET secrets = ? WHERE id = ?`, sealed.value, connectionId)
  const asked: Asked[] = []
  const sets = new Map<string, string>()
  const trouble: World['trouble'] = { answer: null, keys: false }
  const poll = createPolls({
    fetch: async (url, init) => {
      if (url === issuer.jwksUri) return trouble.keys ? new Response('down', { status: 503 }) : issuer.fetch(url)
      const body: unknown = JSON.parse(String(init.body))
      asked.push({ url, authorization: new Headers(init.headers).get('authorization'), redirect: init.redirect, body })
      if (trouble.answer !== null) return trouble.answer()
      for (const id of [...listed(own(body, 'ack')), ...Object.keys(own(body, 'setErrs') ?? {})]) sets.delete(String(id))
      const given = [...sets].slice(0, Math.min(batch, Number(own(body, 'maxEvents'))))
      return Response.json({ sets: Object.fromEntries(given), moreAvailable: given.length < sets.size })
    },
  })
  return { connectionId, asked, sets, trouble, poll: () => poll(env, TENANT, false) }
}

/** A poll is due at once again. */
const makeDue = ({ connectionId }: World): Promise<void> => write(TENANT, `UPDATE polls SET due = 0 WHERE connection_id = ?`, connectionId)

const read = (query: string, ...values: string[]): Promise<unknown[]> =>
  runInDurableObject(env.DIRECTORY.getByName(TENANT), (_directory, { storage }) => storage.sql.exec(query, ...values).toArray())

const deliveries = async ({ connectionId }: World): Promise<unknown> =>
  (await read(`SELECT event_id FROM deliveries WHERE connection_id = ? ORDER BY event_id`, connectionId)).map((row) => own(row, 'event_id'))

const lastError = async ({ connectionId }: World): Promise<unknown> =>
  own(await read(`SELECT last_error FROM connections WHERE id = ?`, connectionId), 0, 'last_error')

describe('a stream that is polled', () => {
  it('gives its events, which are acknowledged once they are stored, and is not asked again at once', async () => {
    const world = await openWorld({ batch: 2 })
    for (const id of ['a', 'b', 'c']) world.sets.set(id, await token(id))
    await world.poll()
    expect(await deliveries(world)).toEqual(['a', 'b', 'c'])
    expect(world.sets.size).toBe(0)
    expect(world.asked).toEqual([
      { url: POLL_URL, authorization: 'Bearer poll-secret', redirect: 'manual', body: { maxEvents: 100, returnImmediately: true } },
      { url: POLL_URL, authorization: 'Bearer poll-secret', redirect: 'manual', body: { maxEvents: 100, returnImmediately: true, ack: ['a', 'b'] } },
      { url: POLL_URL, authorization: 'Bearer poll-secret', redirect: 'manual', body: { maxEvents: 0, returnImmediately: true, ack: ['c'] } },
    ])
    await world.poll()
    expect(world.asked).toHaveLength(3)
    await makeDue(world)
    await world.poll()
    expect(world.asked).toHaveLength(4)
  })

  it('is asked by one at a time', async () => {
    const world = await openWorld()
    await Promise.all([world.poll(), world.poll(), world.poll()])
    expect(world.asked).toHaveLength(1)
  })

  it('is told what was refused, and the connection tells it too', async () => {
    const world = await openWorld()
    const other = await createTestIssuer({ issuer: ISSUER })
    world.sets.set('forged', await token('forged', {}, other)).set('good', await token('good')).set('swapped', await token('elsewhere'))
    await world.poll()
    expect(await deliveries(world)).toEqual(['good'])
    expect(world.asked.at(-1)?.body).toMatchObject({
      ack: ['good'], setErrs: { forged: { err: 'invalid_key' }, swapped: { err: 'invalid_request', description: 'The name of the token in the answer is not its jti.' } },
    })
    expect(await read(`SELECT json_extract(data, '$.reason') AS reason FROM journal WHERE kind = 'event.refused' AND connection_id = ? ORDER BY reason`, world.connectionId))
      .toEqual([{ reason: 'bad_signature' }, { reason: 'wrong_id' }])
  })

  it('keeps what cannot be judged while the keys are out of reach', async () => {
    const world = await openWorld()
    world.sets.set('a', await token('a'))
    world.trouble.keys = true
    await world.poll()
    expect(await deliveries(world)).toEqual([])
    expect(world.asked.map(({ body }) => body)).toEqual([{ maxEvents: 100, returnImmediately: true }])
    expect([...world.sets.keys()]).toEqual(['a'])
  })

  it('has one effect when the acknowledgement is lost', async () => {
    const world = await openWorld()
    world.sets.set('a', await token('a'))
    const lost = { now: true }
    const forget = world.sets.delete.bind(world.sets)
    world.sets.delete = (id) => (lost.now ? false : forget(id))
    await world.poll()
    expect([...world.sets.keys()]).toEqual(['a'])
    lost.now = false
    await makeDue(world)
    await world.poll()
    expect(world.sets.size).toBe(0)
    expect(await read(`SELECT json_extract(data, '$.count') AS count FROM journal WHERE kind = 'event.taken' AND connection_id = ?`, world.connectionId)).toEqual([{ count: 1 }])
  })

  it.each<[string, () => Response | Promise<Response>, string]>([
    ['an outage', () => new Response('no', { status: 503 }), 'idp.example.test answered 503.'],
    ['a redirect', () => new Response(null, { status: 302, headers: { location: 'https://evil.example.com/' } }), 'idp.example.test answered 302.'],
    ['an answer that is no JSON', () => new Response('<html>'), 'The body is not JSON.'],
    ['an answer without tokens', () => Response.json({}), 'The answer has no object of tokens (sets).'],
    ['tokens that are a list', () => Response.json({ sets: ['x'] }), 'The answer has no object of tokens (sets).'],
    ['a hostile name', () => new Response('{"sets":{"__proto__":"x"}}'), 'The JSON has a member with a name that is not allowed.'],
    ['an answer that is too large', () => new Response('x'.repeat(5 * 1024 * 1024 + 1)), 'idp.example.test answered with more than 5 MB.'],
    ['a network failure', () => Promise.reject(new Error('refused')), 'idp.example.test could not be reached.'],
  ])('changes nothing after %s, says so once, and asks later', async (_name, answer, sentence) => {
    const world = await openWorld()
    world.trouble.answer = answer
    await world.poll()
    await makeDue(world)
    await world.poll()
    expect(await deliveries(world)).toEqual([])
    expect(await lastError(world)).toBe(`The stream could not be polled: ${sentence}`)
    expect(await read(`SELECT data FROM journal WHERE kind = 'pull.failed' AND connection_id = ?`, world.connectionId)).toEqual([{ data: JSON.stringify({ what: 'stream', sentence }) }])
    world.trouble.answer = null
    await makeDue(world)
    await world.poll()
    expect(await lastError(world)).toBeNull()
  })

  it('is left alone for as long as it asks', async () => {
    const world = await openWorld()
    world.trouble.answer = () => new Response('', { status: 429, headers: { 'retry-after': '600' } })
    const before = Date.now()
    await world.poll()
    const due = Number(own(await read(`SELECT due FROM polls WHERE connection_id = ?`, world.connectionId), 0, 'due'))
    expect(due).toBeGreaterThanOrEqual(before + 600_000)
    expect(due).toBeLessThanOrEqual(Date.now() + 600_000)
  })

  it.each([
    ['an http address', { pollUrl: 'http://idp.example.test/poll' }],
    ['an http address of this machine', { pollUrl: 'http://127.0.0.1:9/poll' }],
    ['settings that do not fit', { audience: 7 }],
  ])('is not asked with %s', async (_name, settings) => {
    const world = await openWorld({ settings })
    await world.poll()
    expect(world.asked).toEqual([])
    expect(await lastError(world)).toMatch(/^The stream could not be polled: The (address of the stream is not https|stored settings)/)
  })

  it('is not asked while the connection is paused, nor when it is pushed to', async () => {
    const paused = await openWorld()
    await write(TENANT, `UPDATE connections SET state = 'paused' WHERE id = ?`, paused.connectionId)
    await paused.poll()
    const pushed = await openWorld({ settings: { delivery: 'push', pollUrl: undefined } })
    await pushed.poll()
    expect([...paused.asked, ...pushed.asked]).toEqual([])
  })
})
