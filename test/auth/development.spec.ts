import { describe, expect, it } from 'vitest'
import { isDevelopmentPlace, isDevelopmentValue, isLoopbackHost, refuseDevelopmentValue } from '../../src/auth/development'

describe('isLoopbackHost', () => {
  it.each(['localhost', 'LOCALHOST', '127.0.0.1', '127.255.255.255', '127.1.2.3', '[::1]'])('%s is', (host) => {
    expect(isLoopbackHost(host)).toBe(true)
  })

  it.each([
    '', '::1', 'localhost.', 'x.localhost', 'localhost.example.com', '127.0.0.1.example.com', '127.0.0.256', '127.0.1',
    '127.0.0.01', '127.0.0.1.', '128.0.0.1', '0.0.0.0', '10.0.0.1', '[::]', '[::ffff:7f00:1]', '127.0.0.', '127.0.0.-1',
    '127.a.b.c',
  ])('%j is not', (host) => {
    expect(isLoopbackHost(host)).toBe(false)
  })

  it('sees what a URL makes of odd spellings', () => {
    expect(isLoopbackHost(new URL('http://127.1:8787/').hostname)).toBe(true)
    expect(isLoopbackHost(new URL('http://[0:0:0:0:0:0:0:1]/').hostname)).toBe(true)
    expect(isLoopbackHost(new URL('http://localhost@evil.example.com/').hostname)).toBe(false)
  })
})

describe('development values', () => {
  it.each(['dev-scim-token', 'dev-admin-token', 'dev-arize-key', 'dev-arize-key-2'])('%s is one', (value) => {
    expect(isDevelopmentValue(value)).toBe(true)
  })

  it.each(['', 'dev-', 'dev-scim-tokens', 'Dev-scim-token', 'arzb_scim_dev-scim-token'])('%j is none', (value) => {
    expect(isDevelopmentValue(value)).toBe(false)
  })

  it('are believed on a loopback host with DEVELOPMENT=true only; own values everywhere', () => {
    const places = [
      { development: true, hostname: 'localhost' },
      { development: true, hostname: 'bridge.example.com' },
      { development: false, hostname: 'localhost' },
      { development: false, hostname: 'bridge.example.com' },
    ]
    expect(places.map(isDevelopmentPlace)).toEqual([true, false, false, false])
    for (const [at, place] of places.entries()) {
      const answer = refuseDevelopmentValue('ADMIN_TOKEN', 'dev-admin-token', place)
      if (at === 0) expect(answer.ok).toBe(true)
      else expect(answer).toMatchObject({ error: { kind: 'misconfigured', variable: 'ADMIN_TOKEN' } })
      expect(refuseDevelopmentValue('ADMIN_TOKEN', 'arzb_admin_x', place)).toMatchObject({ ok: true })
    }
  })
})
