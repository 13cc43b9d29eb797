import { afterEach, describe, expect, it } from 'vitest'
import { createApp } from '../../src/app'
import type { Env } from '../../src/config'
import { call, callWith, own, write, type Answer } from './bridge'
import { watchDirectories } from './watchedEnv'

/** A new isolate: what an older one remembers of an answer is not asked here. */
const ready = (bindings: Partial<Env> = {}): Promise<Answer> =>
  callWith((request) => createApp().fetch(request, watchDirectories(undefined, bindings).env), 'GET', '/readyz')

const setMeta = (key: string, value: unknown): Promise<void> =>
  write('default', 'INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value', key, JSON.stringify(value))

afterEach(async () => {
  await write('default', `DELETE FROM meta WHERE key IN ('halted', 'paused')`)
  await write('default', `DELETE FROM subjects WHERE address = 'late@example.com'`)
})

describe('/healthz', () => {
  it('says that the Worker runs, and nothing else', async () => {
    const answer = await call('GET', '/healthz')
    expect([answer.status, answer.body, answer.headers.get('cache-control')]).toEqual([200, { status: 'ok' }, 'no-store'])
  })

  it('says so on any host and whatever is not set, and wakes nobody', async () => {
    const watched = watchDirectories(undefined, { ADMIN_TOKEN: '', ARIZE_API_KEY: '' })
    const answer = await callWith((request) => createApp().fetch(request, watched.env), 'GET', '/healthz', { origin: 'https://bridge.example.com' })
    expect([answer.status, watched.calls]).toEqual([200, []])
  })
})

describe('/readyz', () => {
  it('is 200 when nothing is wrong', async () => {
    const answer = await ready()
    expect([answer.status, answer.body]).toEqual([200, { status: 'ready', problems: [] }])
  })

  it('is 503 with the reason while nothing may be sent to Arize', async () => {
    await setMeta('halted', { since: Date.now(), sentence: 'The key was refused.' })
    const answer = await ready()
    expect([answer.status, own(answer.body, 'problems', 0)]).toEqual([503, expect.stringContaining('The key was refused.')])
  })

  it('is 200 during a pause that Arize asked for: lag will tell', async () => {
    await setMeta('paused', { until: Date.now() + 60_000, attempt: 1 })
    expect((await ready()).status).toBe(200)
  })

  it.each([[4, 200], [6, 503]])('is, when somebody has been due for %i minutes, %i, and names nobody', async (minutes, status) => {
    // Paused, so that nobody is brought in step while this looks.
    await setMeta('paused', { until: Date.now() + 600_000, attempt: 1 })
    await write('default', `INSERT INTO subjects (address, state, due) VALUES ('late@example.com', 'due', ?)`, Date.now() - minutes * 60_000)
    const answer = await ready()
    expect(answer.status).toBe(status)
    expect(answer.text).not.toContain('late@example.com')
    expect(String(own(answer.body, 'problems', 0)).includes(`${minutes} minutes`)).toBe(status === 503)
  })

  it('names the variable that is missing', async () => {
    const answer = await ready({ ARIZE_API_KEY: '' })
    expect([answer.status, answer.headers.get('content-type'), own(answer.body, 'detail')])
      .toEqual([503, 'application/problem+json', expect.stringContaining('ARIZE_API_KEY')])
  })

  it('is asked of the Directory once in five seconds, however many ask', async () => {
    const watched = watchDirectories()
    let now = Date.now()
    const app = createApp({ now: () => now })
    const ask = () => callWith((request) => app.fetch(request, watched.env), 'GET', '/readyz')
    await ask()
    await ask()
    expect(watched.calls).toEqual(['default.health'])
    now += 5_000
    await ask()
    expect(watched.calls).toEqual(['default.health', 'default.health'])
  })
})
