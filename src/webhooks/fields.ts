import { err, ok, type Result } from '../result'

/** Reading what a sender wrote: own members only, bounded, without recursion. */

export type Members = Readonly<Record<string, unknown>>

export const isMembers = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A member that the object itself has. */
export const memberOf = (value: unknown, name: string): unknown =>
  isMembers(value) && Object.hasOwn(value, name) ? value[name] : undefined

/** A member that is text of 1 to `longest` characters without control characters. */
export const textOf = (value: unknown, name: string, longest = 512): string | undefined => {
  const text = memberOf(value, name)
  return typeof text === 'string' && text !== '' && text.length <= longest && !/\p{Cc}/u.test(text) ? text : undefined
}

/** UTF-8 as text; undefined for other bytes. */
export const decodeText = (bytes: Uint8Array): string | undefined => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes)
  } catch {
    return undefined
  }
}

/** A body as JSON, or why it is none, in a sentence. */
export const parseBody = (bytes: Uint8Array): Result<unknown, string> => {
  const text = decodeText(bytes)
  if (text === undefined) return err('The body is not UTF-8.')
  try {
    const value: unknown = JSON.parse(text)
    const fault = findFault(value)
    return fault === undefined ? ok(value) : err(fault)
  } catch {
    return err('The body is not JSON.')
  }
}

const MAX_DEPTH = 32
const HOSTILE_NAMES: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

/** Nesting that no event has and names that reach a prototype. Level by level, so that no depth uses up the stack. */
export const findFault = (root: unknown): string | undefined => {
  let level: readonly unknown[] = [root]
  for (let depth = 1; level.length > 0; depth += 1) {
    const parents = level.filter((node) => typeof node === 'object' && node !== null)
    if (depth > MAX_DEPTH && parents.length > 0) return `The JSON is nested deeper than ${MAX_DEPTH} levels.`
    if (parents.some((node) => isMembers(node) && Object.keys(node).some((name) => HOSTILE_NAMES.has(name)))) {
      return 'The JSON has a member with a name that is not allowed.'
    }
    level = parents.flatMap((node) => Object.values(node))
  }
  return undefined
}
