import { describe, expect, it } from 'vitest'
import type { ArizeError } from '../../src/reconcile/target'
import type { Result } from '../../src/result'
import { gone, id, json, KEY, list, problem, resource, target, user, wireTo, type Answering, type Wire } from './wire'

const MEMBER = { type: 'PREDEFINED', name: 'MEMBER' } as const
const USER = id('User', 1)
const ORGANIZATION = id('Organization', 1)

const textStream = (chunk: Uint8Array, chunks: number, after: 'close' | 'error' | (() => void) = 'close'): ReadableStream<Uint8Array> => {
  let sent = 0
  return new ReadableStream<Uint8Array>({
    pull: (controller) => {
      sent += 1
      if (sent <= chunks) controller.enqueue(chunk)
      else if (after === 'close') controller.close()
      else if (after === 'error') controller.error(new TypeError('terminated'))
      else after()
    },
  })
}

const spaces = (mebibytes: number) => textStream(new Uint8Array(1024 * 1024).fill(0x20), mebibytes)

const failing =
  (name: string): Answering =>
  () => {
    throw Object.assign(new Error(`fetch to https://api.arize.com with ${KEY} failed`), { name })
  }

const html = (status: number) => new Response('<html>Bad gateway</html>', { status, headers: { 'content-type': 'text/html' } })

/** Every way in which a call ends other than as asked, and what it is. */
const REFUSALS: readonly (readonly [string, Answering, Partial<ArizeError>])[] = [
  ['400 problem', () => problem(400, { detail: 'Not so.' }), { kind: 'rejected', detail: 'Not so.' }],
  ['401 problem', () => problem(401), { kind: 'unauthorized', detail: 'A title' }],
  ['401 with an empty body', () => new Response(null, { status: 401 }), { kind: 'unauthorized' }],
  ['403 problem', () => problem(403), { kind: 'forbidden' }],
  ['404 HTML', () => html(404), { kind: 'not_found', detail: 'Arize answered 404.' }],
  ['409 problem with request_id', () => problem(409, { request_id: 'req_9' }), { kind: 'conflict', requestId: 'req_9' }],
  ['422 problem', () => problem(422), { kind: 'rejected' }],
  ['429 with Retry-After', () => problem(429, {}, { 'retry-after': '3' }), { kind: 'throttled', retryAfterMs: 3000 }],
  ['429 without', () => problem(429), { kind: 'throttled', retryAfterMs: null }],
  ['429 empty', () => new Response(null, { status: 429 }), { kind: 'throttled', retryAfterMs: null }],
  ['empty 502', () => new Response(null, { status: 502, headers: { 'content-length': '0' } }), { kind: 'unavailable', status: 502 }],
  ['HTML 502', () => html(502), { kind: 'unavailable', status: 502, detail: 'Arize answered 502.' }],
  ['503 problem', () => problem(503, { detail: 'Later.' }), { kind: 'unavailable', status: 503, detail: 'Later.' }],
  ['truncated problem', () => new Response('{"detail": "Not', { status: 409 }), { kind: 'conflict' }],
  ['a refusal with a huge body', () => new Response(spaces(6), { status: 403 }), { kind: 'forbidden' }],
  ['a refusal whose body breaks off', () => new Response(textStream(new Uint8Array(3), 1, 'error'), { status: 404 }), { kind: 'not_found' }],
  ['redirect', () => new Response(null, { status: 302, headers: { location: 'https://evil.example/' } }), { kind: 'unavailable', status: 302 }],
  ['permanent redirect', () => new Response(null, { status: 308, headers: { location: '/v3' } }), { kind: 'unavailable', status: 308 }],
  ['network failure', failing('TypeError'), { kind: 'unavailable', status: null }],
  ['time-out', failing('TimeoutError'), { kind: 'unavailable', status: null, detail: 'Arize did not answer in time.' }],
  ['abort', failing('AbortError'), { kind: 'unavailable', status: null, detail: 'Arize did not answer in time.' }],
  ['Response.error()', () => Response.error(), { kind: 'unavailable', status: null }],
  ['truncated JSON', () => new Response('{"user_id": "', { status: 200 }), { kind: 'unavailable' }],
  ['HTML 200 (a proxy)', () => html(200), { kind: 'unavailable' }],
  ['a success larger than 4 MB', () => new Response(spaces(5), { status: 200 }), { kind: 'unavailable', status: 200 }],
  ['a success that breaks off', () => new Response(textStream(new Uint8Array(3), 1, 'error')), { kind: 'unavailable', status: 200 }],
]

const give = ({ arize }: Wire) => target(arize, 'organization').give(USER, resource('organization', ORGANIZATION), MEMBER)
const take = ({ arize }: Wire) => target(arize, 'organization').take(USER, resource('organization', ORGANIZATION))

/** One operation of each method and kind of answer. */
const OPERATIONS: readonly (readonly [string, (wire: Wire) => Promise<Result<unknown, ArizeError>>])[] = [
  ['GET list', ({ arize }) => arize.names.organizations()],
  ['POST membership', give],
  ['POST user', ({ arize }) => arize.accounts.create({ email: 'a@b.example', name: 'A', role: 'MEMBER', inviteMode: 'NONE' })],
  ['PATCH', ({ arize }) => target(arize, 'developer').give(USER, resource('developer', USER), MEMBER)],
  ['DELETE', take],
]

describe.each(OPERATIONS)('%s', (_operation, operate) => {
  it.each(REFUSALS)('%s', async (_name, answer, expected) => {
    const wire = wireTo(answer)
    const result = await operate(wire)
    expect(result).toMatchObject({ ok: false, error: expected })
    expect(JSON.stringify(result)).not.toContain(KEY)
    expect(wire.asked).toHaveLength(1)
  })
})

/** A deadline that ends when its controller says so. */
const untimed = (controller = new AbortController()) => ({ signal: controller.signal, clear: () => undefined })

describe('a success without a body', () => {
  it.each([
    ['204', () => gone()],
    ['200 with an empty body', () => new Response('', { status: 200 })],
    ['200 with JSON', () => json({ deleted: true })],
  ])('%s removes', async (_name, answer) => {
    expect(await take(wireTo(answer))).toEqual({ ok: true, value: undefined })
  })

  it.each([
    ['204', () => gone()],
    ['200 with an empty body', () => new Response('', { status: 200 })],
    ['an empty object', () => json({})],
    ['null', () => json(null)],
    ['an array', () => json([])],
    ['a text', () => json('ok')],
  ])('%s does not tell that a role was given', async (_name, answer) => {
    expect(await give(wireTo(answer))).toMatchObject({ ok: false, error: { kind: 'unavailable' } })
  })
})

describe('a request', () => {
  it('carries the key, JSON and nothing else', async () => {
    const wire = wireTo(() => problem(404))
    await give(wire)
    await take(wire)
    const [post, remove] = wire.asked
    expect(post?.request.headers.get('authorization')).toBe(`Bearer ${KEY}`)
    expect(post?.request.headers.get('content-type')).toBe('application/json')
    expect(post?.request.redirect).toBe('manual')
    expect(post?.body).toEqual({ user_id: USER, role: { type: 'PREDEFINED', name: 'MEMBER' } })
    expect(remove?.body).toBeNull()
    expect(remove?.request.headers.has('content-type')).toBe(false)
  })

  it('percent-encodes ids in paths and queries', async () => {
    const odd = 'VXNl+cj/x=='
    const wire = wireTo(() => problem(404))
    await target(wire.arize, 'space').take(odd, resource('space', 'U3Bh+Y/2U='))
    await wire.arize.accounts.revokeKeys(odd)
    expect(wire.asked[0]?.line).toBe('DELETE /v2/spaces/U3Bh%2BY%2F2U%3D/users/VXNl%2Bcj%2Fx%3D%3D')
    expect(wire.asked[1]?.line).toContain('user_id=VXNl%2Bcj%2Fx%3D%3D')
    expect(wire.asked[1]?.query.get('user_id')).toBe(odd)
  })

  it.each(['', '.', '..'])('is not made with the id %j, which would name another resource', async (bad) => {
    const wire = wireTo(() => gone())
    expect(await target(wire.arize, 'space').take(bad, resource('space', 'S'))).toMatchObject({ ok: false })
    expect(await target(wire.arize, 'organization').take('U', resource('organization', bad))).toMatchObject({ ok: false })
    expect(wire.asked).toEqual([])
  })

  it.each(['../../v2/organizations', '%2e%2e', 'a/b', 'a?b#c', '{user_id}', '$&'])('keeps %j in its segment', async (bad) => {
    const wire = wireTo(() => gone())
    await target(wire.arize, 'organization').take(bad, resource('organization', 'O'))
    expect(wire.asked[0]?.path).toBe(`/v2/organizations/O/users/${encodeURIComponent(bad)}`)
  })

  it('is not made of text that is none', async () => {
    const wire = wireTo(() => gone())
    const rejected = { ok: false, error: { kind: 'rejected', status: 400 } }
    expect(await wire.arize.accounts.find('jo\ud800@acme.com')).toMatchObject(rejected)
    expect(await wire.arize.accounts.read('\udfff')).toMatchObject(rejected)
    expect(wire.asked).toEqual([])
  })

  it('quotes nothing secret that Arize quotes', async () => {
    const result = await take(wireTo(() => problem(401, { detail: `The key ${KEY} is unknown.` })))
    expect(result).toEqual({ ok: false, error: { kind: 'unauthorized', detail: 'The key [key] is unknown.' } })
    const atTheEdge = { detail: `${'x'.repeat(490)}${KEY}`, error_code: KEY, request_id: KEY }
    expect(JSON.stringify(await take(wireTo(() => problem(400, atTheEdge))))).not.toContain(KEY.slice(0, 4))
  })
})

describe('pace and time', () => {
  it('asks for a permit before each call and gives it back, however the call ends', async () => {
    const answers = [() => gone(), () => problem(500), failing('TypeError'), () => html(200)]
    const events: string[] = []
    const wire = wireTo(
      (asked, index) => {
        events.push('call')
        return (answers[index] ?? gone)(asked, index)
      },
      {
        pace: async () => {
          events.push('permit')
          return () => events.push('release')
        },
      },
    )
    for (let count = 0; count < answers.length; count += 1) await take(wire)
    expect(events).toEqual(answers.flatMap(() => ['permit', 'call', 'release']))
  })

  it('starts the time with the call, not with the wait for the permit', async () => {
    const permit = Promise.withResolvers<() => void>()
    const started: number[] = []
    const wire = wireTo(() => gone(), {
      pace: () => permit.promise,
      timeoutMs: 1234,
      deadline: (timeoutMs) => {
        started.push(timeoutMs)
        return untimed()
      },
    })
    const taken = take(wire)
    await Promise.resolve()
    expect(started).toEqual([])
    permit.resolve(() => undefined)
    expect(await taken).toMatchObject({ ok: true })
    expect(started).toEqual([1234])
  })

  it('ends a call without an answer, although fetch ignores the signal', async () => {
    const controller = new AbortController()
    const answer: Answering = () => {
      queueMicrotask(() => controller.abort())
      return new Promise<Response>(() => undefined)
    }
    const wire = wireTo(answer, { deadline: () => untimed(controller) })
    expect(await give(wire)).toMatchObject({ ok: false, error: { status: null, detail: 'Arize did not answer in time.' } })
    expect(wire.calls).toMatchObject([{ status: null }])
  })

  it('ends a call whose body never ends', async () => {
    const controller = new AbortController()
    const answer: Answering = () => new Response(textStream(new Uint8Array(1), 2, () => controller.abort()))
    const wire = wireTo(answer, { deadline: () => untimed(controller) })
    expect(await give(wire)).toMatchObject({ ok: false, error: { status: 200, detail: 'Arize did not answer in time.' } })
    expect(wire.calls).toMatchObject([{ status: 200 }])
  })

  it('gives the timer of every call back, whatever came of it', async () => {
    for (const answer of [() => gone(), () => Promise.reject(new TypeError('lost'))]) {
      let timers = 0
      const deadline = () => {
        timers += 1
        return { signal: new AbortController().signal, clear: () => void (timers -= 1) }
      }
      await take(wireTo(answer, { deadline }))
      expect(timers).toBe(0)
    }
  })

  it('hands the signal to fetch', async () => {
    const { signal } = new AbortController()
    const wire = wireTo(() => gone(), { deadline: () => ({ signal, clear: () => undefined }) })
    await take(wire)
    expect(wire.asked[0]?.signal).toBe(signal)
  })

  it('counts calls by template, without ids', async () => {
    let clock = 1000
    const wire = wireTo(
      (asked, index) => {
        clock += 25
        return index === 1 ? failing('TypeError')(asked, index) : list('users', [user(1, 'a@b.example')])
      },
      { now: () => clock },
    )
    await wire.arize.accounts.find('a@b.example')
    await take(wire)
    expect(wire.calls).toEqual([
      { method: 'GET', path: '/v2/users', status: 200, durationMs: 25 },
      { method: 'DELETE', path: '/v2/organizations/{org_id}/users/{user_id}', status: null, durationMs: 25 },
    ])
  })

  it('lets a defect through', async () => {
    const wire = wireTo(() => gone(), { pace: () => Promise.reject(new Error('defect')) })
    await expect(take(wire)).rejects.toThrow('defect')
  })
})
