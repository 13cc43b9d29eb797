/**
 * How long to wait after a failure. Full jitter: some moment up to a bound that doubles, so that subjects which failed
 * together do not return together. Reads no clock and draws no chance of its own.
 */

const BASE_MS = 1_000

/** The longest wait between two tries, in milliseconds: nothing is given up, and nothing waits longer than this. */
export const LONGEST_WAIT_MS = 3_600_000

/**
 * Milliseconds to wait after the given number of failures in a row (1 after the first). `random` gives numbers from 0
 * up to, not including, 1.
 */
export const backoffMs = (attempt: number, random: () => number): number =>
  Math.round(random() * Math.min(LONGEST_WAIT_MS, BASE_MS * 2 ** (Math.max(1, attempt) - 1)))

/**
 * Milliseconds that a 429 pauses the tenant: what Arize asked for, at most an hour (a wrong header must not stop
 * offboarding for longer), or a back-off when it asked for nothing.
 */
export const pauseMs = (retryAfterMs: number | null, attempt: number, random: () => number): number =>
  retryAfterMs !== null && retryAfterMs > 0 ? Math.min(LONGEST_WAIT_MS, Math.ceil(retryAfterMs)) : backoffMs(attempt, random)
