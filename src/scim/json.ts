/**
 * The door for request bodies: text in, plain JSON out. Refuses keys that could reach a prototype and nesting that no SCIM
 * body has, without recursion. Knows no schema.
 */
import { err, ok } from '../result'
import type { Result } from '../result'
import { invalidSyntax, payloadTooLarge } from './error'
import type { ScimError } from './error'

export type JsonObject = Readonly<Record<string, unknown>>

/** A SCIM body is at most five levels deep; the rest is room for extensions that are ignored. */
export const MAX_DEPTH = 32

/**
 * Commas, colons and opening brackets. The members of a Group that fill 16 MB have fewer; five million empty lists, which fit
 * into the same, would fill the memory.
 */
export const MAX_PARTS = 2_000_000

/** Of one object. Reading an object with a million names takes seconds, whatever they are. */
export const MAX_NAMES = 10_000

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

const findNameFault = (node: object): string | null => {
  const names = Object.keys(node)
  if (names.length > MAX_NAMES) return `The request body has an object with more than ${MAX_NAMES} names.`
  const hostile = names.find((name) => HOSTILE_KEYS.has(name))
  return hostile === undefined ? null : `The request body has a member named "${hostile}", which is not allowed.`
}

/** Level by level, so that a body of a million brackets costs a few arrays and no call stack. */
const findFault = (root: unknown): string | null => {
  let level: unknown[] = [root]
  for (let depth = 1; level.length > 0; depth += 1) {
    const next: unknown[] = []
    for (const node of level) {
      if (typeof node !== 'object' || node === null) continue
      if (depth > MAX_DEPTH) return `The request body is nested deeper than ${MAX_DEPTH} levels.`
      const fault = Array.isArray(node) ? null : findNameFault(node)
      if (fault !== null) return fault
      for (const child of Array.isArray(node) ? node : Object.values(node)) {
        if (typeof child === 'object' && child !== null) next.push(child)
      }
    }
    level = next
  }
  return null
}

const COMMA = 0x2c
const COLON = 0x3a
const BRACKET = 0x5b
const BRACE = 0x7b

/** Looked at before the text is read, as reading it is what costs the memory. Those inside of strings are counted too. */
const hasTooManyParts = (text: string): boolean => {
  if (text.length <= MAX_PARTS) return false
  let parts = 0
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at)
    if (unit === COMMA || unit === COLON || unit === BRACKET || unit === BRACE) parts += 1
  }
  return parts > MAX_PARTS
}

/**
 * Any JSON value. 400 `invalidSyntax` for malformed text, hostile keys at any level, and more than {@link MAX_DEPTH} levels or
 * {@link MAX_NAMES} names; 413 for more than {@link MAX_PARTS} parts. Of a name that is given twice the last counts.
 */
export const parseJson = (text: string): Result<unknown, ScimError> => {
  if (hasTooManyParts(text)) return err(payloadTooLarge(`The request body has more than ${MAX_PARTS} names and values.`))
  const parsed = readText(text)
  if (!parsed.ok) return parsed
  const fault = findFault(parsed.value)
  return fault === null ? parsed : err(invalidSyntax(fault))
}
