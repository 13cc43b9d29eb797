/**
 * What an exception that nobody expected comes to. Its message is not logged: it may quote what a request brought, and so a
 * person or a secret. The name and the places in the code say enough to find the cause.
 */

const framesOf = (error: Error): readonly string[] =>
  (error.stack ?? '').split('\n').map((line) => line.trim()).filter((line) => /^at \S/.test(line)).slice(0, 20)

export const reportDefect = (where: string, error: unknown): void => {
  const told = error instanceof Error ? { error: error.name, frames: framesOf(error) } : { error: typeof error }
  console.error(JSON.stringify({ level: 'error', event: 'defect', where, ...told }))
}

const isFlagged = (error: object, flag: 'overloaded' | 'retryable' | 'durableObjectReset'): boolean =>
  Object.getOwnPropertyDescriptor(error, flag)?.value === true

/** Whether a Durable Object could not take the call, or was reset while it had it, as the runtime says by properties of the error. */
export const isOutOfReach = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && (isFlagged(error, 'overloaded') || isFlagged(error, 'retryable') || isFlagged(error, 'durableObjectReset'))
