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

export interface Scan {
  readonly tokens: readonly Token[]
  /** How many characters were looked at: never more than one for each, plus one for each token. */
  readonly steps: number
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

export const scan = (text: string): Result<Scan, ScanFault> => {
  const tokens: Token[] = []
  let steps = 0
  let at = 0
  while (at < text.length) {
    const start = at
    const char = text.charAt(at)
    at += 1
    steps += 1
    if (isSpace(char)) continue
    if (isBracket(char)) {
      tokens.push({ kind: char, at: start + 1 })
    } else if (char === '"') {
      while (at < text.length && text[at] !== '"') {
        at += text[at] === '\\' ? 2 : 1
        steps += 1
      }
      if (at >= text.length) return err({ what: 'a string has no closing quote', at: start + 1 })
      at += 1
      const value = unquote(text.slice(start, at))
      if (value === null) return err({ what: 'a string is not written as in JSON', at: start + 1 })
      if (value.includes('\u0000')) return err({ what: 'a string has a character U+0000', at: start + 1 })
      tokens.push({ kind: 'string', text: value, at: start + 1 })
    } else {
      while (at < text.length && !endsWord(text.charAt(at))) {
        at += 1
        steps += 1
      }
      tokens.push({ kind: 'word', text: text.slice(start, at), at: start + 1 })
    }
  }
  return ok({ tokens, steps })
}
