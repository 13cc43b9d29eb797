/**
 * The door for request bodies: text in, plain JSON out. Refuses keys that could reach a prototype and nesting that no SCIM
 * body has, without recursion. Knows no schema.
 */
import { err, ok } from '../result'
import type { Result } from '../result'
import { invalidSyntax } from './error'
import type { ScimError } from './error'

export type JsonObject = Readonly<Record<string, unknown>>

/** A SCIM body is at most five levels deep; the rest is room for extensions that are ignored. */
export const MAX_DEPTH = 32

const HOSTILE_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const readText = (text: string): Result<unknown, ScimError> => {
  try {
    return ok(JSON.parse(text.startsWith('\uFEFF') ? text.slice(1) : text) as unknown)
  } catch {
    return err(invalidSyntax('The request body is not valid JSON.'))
  }
}

const findHostileKey = (node: object): string | undefined =>
  Array.isArray(node) ? undefined : Object.keys(node).find((key) => HOSTILE_KEYS.has(key))

/** Level by level, so that a body of a million brackets costs a few arrays and no call stack. */
const findFault = (root: unknown): string | null => {
  let level: unknown[] = [root]
  for (let depth = 1; level.length > 0; depth += 1) {
    const next: unknown[] = []
    for (const node of level) {
      if (typeof node !== 'object' || node === null) continue
      if (depth > MAX_DEPTH) return `The request body is nested deeper than ${MAX_DEPTH} levels.`
      const hostile = findHostileKey(node)
      if (hostile !== undefined) return `The request body has a member named "${hostile}", which is not allowed.`
      for (const child of Array.isArray(node) ? node : Object.values(node)) {
        if (typeof child === 'object' && child !== null) next.push(child)
      }
    }
    level = next
  }
  return null
}

/** Any JSON value. 400 `invalidSyntax` for malformed text, hostile keys at any level, and more than {@link MAX_DEPTH} levels. */
export const parseJson = (text: string): Result<unknown, ScimError> => {
  const parsed = readText(text)
  if (!parsed.ok) return parsed
  const fault = findFault(parsed.value)
  return fault === null ? parsed : err(invalidSyntax(fault))
}
