import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { backoffMs, LONGEST_WAIT_MS, pauseMs } from '../../src/reconcile/backoff'

const HOUR = 3_600_000
const top = (): number => 1
const half = (): number => 0.5
const bottom = (): number => 0

describe('back-off', () => {
  it.each([
    [1, 1_000], [2, 2_000], [3, 4_000], [4, 8_000], [10, 512_000], [12, 2_048_000], [13, HOUR], [14, HOUR], [5_000, HOUR],
    [0, 1_000], [-7, 1_000],
  ])('after %i failures waits at most %i ms', (attempt, boundMs) => {
    expect(backoffMs(attempt, top)).toBe(boundMs)
    expect(backoffMs(attempt, half)).toBe(boundMs / 2)
    expect(backoffMs(attempt, bottom)).toBe(0)
  })
  it('is any moment up to the bound, in whole milliseconds', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 2_000 }), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (attempt, chance) => {
      const waitMs = backoffMs(attempt, () => chance)
      expect(Number.isInteger(waitMs)).toBe(true)
      expect(waitMs).toBeGreaterThanOrEqual(0)
      expect(waitMs).toBeLessThanOrEqual(Math.min(LONGEST_WAIT_MS, 1_000 * 2 ** (attempt - 1)))
    }))
  })
})

describe('a pause after 429', () => {
  it.each([
    ['what Arize asked for', 2_500, 9, 2_500],
    ['part of a millisecond', 0.2, 9, 1],
    ['an hour at most', 31_536_000_000, 1, HOUR],
    ['an hour for ever', Number.POSITIVE_INFINITY, 1, HOUR],
    ['a back-off when it did not say', null, 3, 2_000],
    ['a back-off when it said none, so that nothing spins', 0, 3, 2_000],
    ['a back-off for a time that has passed', -5_000, 3, 2_000],
    ['a back-off for what is no number', Number.NaN, 3, 2_000],
  ])('is %s', (_, retryAfterMs, attempt, pausedMs) => {
    expect(pauseMs(retryAfterMs, attempt, half)).toBe(pausedMs)
  })
})
