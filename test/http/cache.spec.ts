import { describe, expect, it } from 'vitest'
import { createCache } from '../../src/http/cache'

const counter = () => {
  let loads = 0
  return { load: async () => (loads += 1), loads: () => loads }
}

describe('createCache', () => {
  it('asks again when the answer is too old, and not before', async () => {
    let now = 1000
    const { load } = counter()
    const cache = createCache<number>({ maxAgeMs: 100, now: () => now })
    expect(await cache.get('a', load)).toBe(1)
    now = 1099
    expect(await cache.get('a', load)).toBe(1)
    now = 1100
    expect(await cache.get('a', load)).toBe(2)
  })

  it('keeps answers apart, and what is false or null too', async () => {
    const cache = createCache<boolean | null>({ maxAgeMs: 100, now: () => 0 })
    expect([await cache.get('a', async () => false), await cache.get('a', async () => true)]).toEqual([false, false])
    expect([await cache.get('b', async () => null), await cache.get('b', async () => true)]).toEqual([null, null])
    expect(await cache.get('__proto__', async () => true)).toBe(true)
  })

  it('does not keep a failure', async () => {
    const cache = createCache<number>({ maxAgeMs: 100, now: () => 0 })
    await expect(cache.get('a', () => Promise.reject(new Error('down')))).rejects.toThrow('down')
    expect(await cache.get('a', async () => 7)).toBe(7)
  })

  it('forgets what it is told to', async () => {
    const { load } = counter()
    const cache = createCache<number>({ maxAgeMs: 100, now: () => 0 })
    await cache.get('a', load)
    cache.forget('a')
    expect(await cache.get('a', load)).toBe(2)
  })

  it('holds no more than its bound: the oldest goes first', async () => {
    const cache = createCache<string>({ maxAgeMs: 100, maxEntries: 3, now: () => 0 })
    for (const key of ['a', 'b', 'c', 'd']) await cache.get(key, async () => key)
    expect(await cache.get('b', async () => 'again')).toBe('b')
    expect(await cache.get('a', async () => 'again')).toBe('again')
    expect(await cache.get('b', async () => 'again')).toBe('again')
  })
})
