/**
 * Spaces calls to Arize: a token bucket of so many calls a second, at most five in flight (Workers allow six connections),
 * and calls for leavers before all others.
 */

export const MAX_IN_FLIGHT = 5

export interface PacerOptions {
  readonly callsPerSecond: number
  readonly now: () => number
  readonly sleep: (ms: number) => Promise<void>
}

export interface Pacer {
  /** Resolves when a call may be made, to a function that must be called when it has ended. */
  readonly acquire: (isUrgent: boolean) => Promise<() => void>
  /** Calls permitted since the pacer was made. */
  readonly permitted: () => number
}

export const createPacer = ({ callsPerSecond, now, sleep }: PacerOptions): Pacer => {
  const burst = Math.max(1, Math.min(callsPerSecond, MAX_IN_FLIGHT))
  const waiting: { readonly isUrgent: boolean; readonly go: () => void }[] = []
  let tokens = burst
  let filledAt = now()
  let inFlight = 0
  let permitted = 0
  let isTimed = false

  const fill = (): void => {
    const at = now()
    tokens = Math.min(burst, tokens + ((at - filledAt) * callsPerSecond) / 1000)
    filledAt = at
  }
  const pump = (): void => {
    fill()
    while (waiting.length > 0 && inFlight < MAX_IN_FLIGHT && tokens >= 1) {
      const urgent = waiting.findIndex(({ isUrgent }) => isUrgent)
      const [next] = waiting.splice(Math.max(0, urgent), 1)
      tokens -= 1
      inFlight += 1
      permitted += 1
      next?.go()
    }
    if (waiting.length === 0 || inFlight >= MAX_IN_FLIGHT || isTimed) return
    isTimed = true
    const pumpAgain = (): void => {
      isTimed = false
      pump()
    }
    // A sleep that fails must not stop the calls for good: the end of any call in flight pumps, too.
    sleep(Math.max(1, Math.ceil(((1 - tokens) * 1000) / callsPerSecond))).then(pumpAgain, () => {
      isTimed = false
    })
  }
  return {
    acquire: async (isUrgent) => {
      await new Promise<void>((go) => {
        waiting.push({ isUrgent, go })
        pump()
      })
      let isDone = false
      return () => {
        if (isDone) return
        isDone = true
        inFlight -= 1
        pump()
      }
    },
    permitted: () => permitted,
  }
}
