// How a serving script ends: on SIGINT, SIGTERM and SIGHUP, when npm is gone, or with an error. Every end stops the servers
// first, so that no workerd is left behind.
import { UsageError } from './settings.mjs'

const NPM_GONE_CHECK_MS = 500

/**
 * Runs `main` and keeps the process until it is told to end. `main` is given `onEnd(cleanUp)`: what it registers runs in
 * reverse order at every end.
 * @param {(life: { onEnd: (cleanUp: () => unknown) => void }) => Promise<void>} main
 */
export const runUntilStopped = async (main) => {
  const cleanUps = []
  let ending = null

  const cleanUp = async () => {
    for (const step of cleanUps.toReversed()) await Promise.resolve(step()).catch((error) => console.error(error))
  }
  const end = (code) => {
    ending ??= cleanUp().then(() => process.exit(code))
    return ending
  }

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void end(0))
  // npm does not hand every signal on to its script: without npm this process has nobody to answer to.
  if (process.env.npm_lifecycle_event !== undefined) {
    const parent = process.ppid
    setInterval(() => {
      if (process.ppid !== parent) void end(0)
    }, NPM_GONE_CHECK_MS)
  }
  try {
    await main({ onEnd: (step) => cleanUps.push(step) })
  } catch (error) {
    // A signal to the whole process group ends a child before it is noticed here.
    await new Promise((resolve) => setTimeout(resolve, 50))
    if (ending !== null) return
    console.error(error instanceof UsageError ? error.message : error)
    await end(1)
  }
}
