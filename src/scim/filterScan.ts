/**
 * Cuts a filter or a PATCH path into tokens, in one pass: each character is looked at once, whatever it is. Knows neither
 * grammar nor attributes.
 */
import { err, ok } from '../result'
import type { Result } from '../result'

export type Token =
  | { readonly kind: 'word' | 'string'; readonly text: string; readonly at: number }
  | { readonly kind: '(' | ')' | '[' | ']'; readonly at: number }

/** What is wrong, and at which character (from 1). */
export interface ScanFault {
  readonly what: string
  readonly at: number
}

/** A text to cut: a string, or what stands for one and is asked no more than this. */
export interface Characters {
  readonly length: number
  charAt(at: number): string
  slice(start: number, end: number): string
}

/** Tokens to read: a list of them, or what stands for one and is asked no more than this. */
export interface Tokens {
  readonly length: number
  at(index: number): Token | undefined
}

const isSpace = (char: string): boolean => char === ' ' || char === '\t' || char === '\n' || char === '\r'
const isBracket = (char: string): char is '(' | ')' | '[' | ']' => char === '(' || char === ')' || char === '[' || char === ']'
const endsWord = (char: string): boolean => isSpace(char) || isBracket(char) || char === '"'

/** The text between two quotes as JSON reads it; null for escapes and control characters that JSON does not have. */
const unquote = (quoted: string): string | null => {
  try {
    const value: unknown = JSON.parse(quoted)
    return typeof value === 'string' ? value : null
  } catch {
    return null
  }
}

export const scan = (text: Characters): Result<readonly Token[], ScanFault> => {
  const tokens: Token[] = []
  let at = 0
  while (at < text.length) {
    const start = at
    const char = text.charAt(at)
    at += 1
    if (isSpace(char)) continue
    if (isBracket(char)) {
      tokens.push({ kind: char, at: start + 1 })
    } else if (char === '"') {
      for (let next = text.charAt(at); at < text.length && next !== '"'; next = text.charAt(at)) at += next === '\\' ? 2 : 1
      if (at >= text.length) return err({ what: 'a string has no closing quote', at: start + 1 })
      at += 1
      const value = unquote(text.slice(start, at))
      if (value === null) return err({ what: 'a string is not written as in JSON', at: start + 1 })
      if (value.includes('\u0000')) return err({ what: 'a string has a character U+0000', at: start + 1 })
      tokens.push({ kind: 'string', text: value, at: start + 1 })
    } else {
      while (at < text.length && !endsWord(text.charAt(at))) at += 1
      tokens.push({ kind: 'word', text: text.slice(start, at), at: start + 1 })
    }
  }
  return ok(tokens)
}
