/**
 * Naming patterns: literal text with `{name}` captures, case-insensitive, and templates that are filled with what was
 * captured. Finds every way to read a name; does not judge which of them means something (readings.ts does). No regular
 * expression is ever made from a pattern: there is none to blow up.
 */
import { err, ok, type Result } from '../result'
import { foldCase, tidyName } from './name'

export type Part =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'capture'; readonly name: string }

/** Text with placeholders. `{{` and `}}` stand for the braces themselves. */
export type Template = readonly Part[]

/** A template that names can be matched against: no two captures side by side, none twice, at most {@link MAX_CAPTURES}. */
export interface Pattern {
  readonly parts: Template
}

const MAX_CAPTURES = 4
/** A name that can be read in more ways than this is not read at all. */
export const MAX_SPLITS = 1_000
/** Longer names (UTF-16 units) match no pattern. Okta allows 255, Entra 256. */
export const MAX_MATCHED_NAME = 1_024

const CAPTURE_NAME = /^[A-Za-z][A-Za-z0-9_]{0,31}$/

/** Reads a template; the error is a sentence for people. */
export const parseTemplate = (text: string): Result<Template, string> => {
  const parts: Part[] = []
  let literal = ''
  const endLiteral = (): void => {
    if (literal !== '') parts.push({ kind: 'literal', text: literal })
    literal = ''
  }
  let at = 0
  while (at < text.length) {
    const character = text.charAt(at)
    if (character !== '{' && character !== '}') {
      literal += character
      at += 1
    } else if (text.charAt(at + 1) === character) {
      literal += character
      at += 2
    } else if (character === '}') {
      return err('This closing brace ends no placeholder. Write }} for a brace that is part of the name.')
    } else {
      const end = text.indexOf('}', at)
      const name = end === -1 ? '' : text.slice(at + 1, end)
      if (!CAPTURE_NAME.test(name)) {
        return err(
          'A placeholder is a name in braces, such as {organization}: a letter, then at most 31 letters, digits or _. ' +
            'Write {{ for a brace that is part of the name.',
        )
      }
      endLiteral()
      parts.push({ kind: 'capture', name })
      at = end + 1
    }
  }
  endLiteral()
  return ok(parts)
}

/** The names of a template's placeholders, in order, repeated ones repeated. */
export const placeholdersOf = (template: Template): readonly string[] =>
  template.flatMap((part) => (part.kind === 'capture' ? [part.name] : []))

/** The template with its placeholders filled; null when one of them was not captured. */
export const fillTemplate = (template: Template, captures: ReadonlyMap<string, string>): string | null => {
  let text = ''
  for (const part of template) {
    const filled = part.kind === 'literal' ? part.text : captures.get(part.name)
    if (filled === undefined) return null
    text += filled
  }
  return text
}

const foldPart = (part: Part): Part => (part.kind === 'literal' ? { kind: 'literal', text: foldCase(part.text) } : part)

/** Reads a group pattern; the error is a sentence for people. Without placeholders it matches exactly one name. */
export const parsePattern = (text: string): Result<Pattern, string> => {
  const template = parseTemplate(tidyName(text))
  if (!template.ok) return template
  const names = placeholdersOf(template.value)
  if (names.length > MAX_CAPTURES) return err(`A pattern may capture at most ${MAX_CAPTURES} parts of a name.`)
  const repeated = names.find((name, index) => names.indexOf(name) !== index)
  if (repeated !== undefined) return err(`{${repeated}} is captured twice. Give each placeholder a name of its own.`)
  for (const [index, part] of template.value.entries()) {
    const next = template.value[index + 1]
    if (part.kind === 'capture' && next?.kind === 'capture') {
      const pair = `{${part.name}}{${next.name}}`
      return err(`${pair} stand side by side: nothing says where one ends. Put some text between them.`)
    }
  }
  return ok({ parts: template.value.map(foldPart) })
}

/** Where each part may begin so that it and everything after it still fits the rest of the text. */
const startsOf = (parts: Template, text: string): readonly Uint8Array[] => {
  const starts = parts.map(() => new Uint8Array(text.length + 1))
  const end = new Uint8Array(text.length + 1)
  end[text.length] = 1
  starts.push(end)
  for (let index = parts.length - 1; index >= 0; index -= 1) {
    const part = parts[index]
    const here = starts[index]
    const next = starts[index + 1]
    if (!part || !here || !next) continue
    if (part.kind === 'literal') {
      for (let at = 0; at + part.text.length <= text.length; at += 1) {
        if (next[at + part.text.length] === 1 && text.startsWith(part.text, at)) here[at] = 1
      }
    } else {
      here.fill(1, 0, Math.max(0, next.lastIndexOf(1)))
    }
  }
  return starts
}

const cannotMatch = (parts: Template, folded: string): boolean => {
  const first = parts[0]
  const last = parts.at(-1)
  return (
    (first?.kind === 'literal' && !folded.startsWith(first.text)) ||
    (last?.kind === 'literal' && !folded.endsWith(last.text))
  )
}

/** A name made ready once for many patterns. */
export interface ReadableName {
  readonly text: string
  readonly folded: string
}

/** The name as patterns read it; null for one that no pattern matches because of its length. */
export const readableName = (name: string): ReadableName | null => {
  if (name.length > MAX_MATCHED_NAME) return null
  const text = tidyName(name)
  return { text, folded: foldCase(text) }
}

const splitsOf = ({ parts }: Pattern, { text, folded }: ReadableName): readonly ReadonlyMap<string, string>[] => {
  const starts = startsOf(parts, folded)
  const splits: ReadonlyMap<string, string>[] = []
  const walk = (index: number, at: number, captures: readonly (readonly [string, string])[]): void => {
    if (starts[index]?.[at] !== 1) return
    const part = parts[index]
    if (!part) splits.push(new Map(captures))
    else if (part.kind === 'literal') walk(index + 1, at + part.text.length, captures)
    else {
      for (let end = at + 1; end <= text.length && splits.length <= MAX_SPLITS; end += 1) {
        if (starts[index + 1]?.[end] === 1) walk(index + 1, end, [...captures, [part.name, text.slice(at, end)]])
      }
    }
  }
  walk(0, 0, [])
  return splits
}

/**
 * Every way to read `name` as the pattern, each as captures by placeholder: non-empty pieces of the name as it is spelled,
 * shortest first capture first. At most {@link MAX_SPLITS} + 1 are listed: more than MAX_SPLITS means too many. Takes
 * time proportional to captures × length × (splits listed + 1), whatever the name.
 */
export const matchPattern = (pattern: Pattern, name: string | ReadableName): readonly ReadonlyMap<string, string>[] => {
  const readable = typeof name === 'string' ? readableName(name) : name
  return readable === null || cannotMatch(pattern.parts, readable.folded) ? [] : splitsOf(pattern, readable)
}
