/**
 * The paths of PATCH (RFC 7644 figure 7) and of `attributes=`: URN-qualified, dotted, with a value filter, in any case. Resolves
 * them against the registry; changes nothing.
 */
import { err, ok } from '../result'
import type { Result } from '../result'
import type { Attribute, AttributePath } from './attribute'
import { invalidFilter, invalidPath } from './error'
import type { ScimError } from './error'
import { MAX_FILTER_LENGTH, readFilter } from './filter'
import type { Filter } from './filter'
import { scan } from './filterScan'
import type { Characters, Tokens } from './filterScan'
import { resolveBelow, resolveName } from './schema'
import type { Definition } from './schema'

/** A path cut at its value filter: `name[filter].sub`. */
interface Pieces {
  readonly name: string
  readonly filter: Inside | null
  readonly sub: string | null
}

/** What stands between two brackets; `end` is the character of the second. */
interface Inside {
  readonly tokens: Tokens
  readonly end: number
}

/** What a PATCH operation works on. */
export interface Target {
  /** As the request wrote it, for sentences. */
  readonly text: string
  /** From the resource to the attribute; a list, if there is one on the way, is its end. */
  readonly path: AttributePath
  /** The end of `path`. */
  readonly attribute: Attribute
  /** Which values of the list; null for all of them. */
  readonly filter: Filter | null
  /** The sub-attribute of the list's values. */
  readonly sub: Attribute | null
}

/** What stands between the bracket at `open` and the next that closes one; null when none does. */
const insideOf = (tokens: Tokens, open: number): Inside | null => {
  for (let close = open + 1; close < tokens.length; close += 1) {
    const token = tokens.at(close)
    if (token?.kind !== ']') continue
    const length = close - open - 1
    return { tokens: { length, at: (index) => (index < length ? tokens.at(open + 1 + index) : undefined) }, end: token.at }
  }
  return null
}

/** Brackets are found by the scanner, so that quotes and escapes inside them are no concern (`members[value eq "a]\"b]"]`). */
const cut = (tokens: Tokens): Result<Pieces, string> => {
  const name = tokens.at(0)
  const open = tokens.at(1)
  if (name?.kind !== 'word') return err('an attribute name is missing')
  if (open === undefined) return ok({ name: name.text, filter: null, sub: null })
  if (open.kind !== '[') return err(`there is something after "${name.text}"`)
  const filter = insideOf(tokens, 1)
  if (filter === null) return err('"]" is missing')
  const behind = filter.tokens.length + 3
  const after = tokens.at(behind)
  if (tokens.length > behind + 1) return err('there is something after its end')
  if (after === undefined) return ok({ name: name.text, filter, sub: null })
  if (after.kind !== 'word' || after.text.length < 2 || !/^[.:]/.test(after.text)) return err('a sub-attribute is missing after "]"')
  return ok({ name: name.text, filter, sub: after.text.slice(1) })
}

const cannotRead = (text: string, why: string): Result<never, ScimError> =>
  err(invalidPath(`The path "${text.slice(0, 200)}" cannot be read: ${why}.`))

const unknown = (text: string): Result<never, ScimError> =>
  err(invalidPath(`The path "${text.slice(0, 200)}" names no attribute of this resource.`))

/** A path through a list ends at the list, the rest being the sub-attribute of its values. */
const splitAtList = (text: string, path: AttributePath): Result<Target, ScimError> => {
  const end = path.at(-1)
  if (end === undefined) return unknown(text)
  const at = path.findIndex(({ multiValued }) => multiValued)
  const list = path[at]
  if (list === undefined) return ok({ text, path, attribute: end, filter: null, sub: null })
  return ok({ text, path: path.slice(0, at + 1), attribute: list, filter: null, sub: path[at + 1] ?? null })
}

const withFilter = (text: string, pieces: Pieces, { tokens, end }: Inside, target: Target): Result<Target, ScimError> => {
  const { attribute } = target
  if (!attribute.multiValued || attribute.type !== 'complex' || target.sub !== null) {
    return err(invalidPath(`The path "${text.slice(0, 200)}" selects values of "${target.attribute.name}", which is not a list of objects.`))
  }
  const filter = readFilter(tokens, end)
  if (!filter.ok) return err(invalidFilter(`In the path "${text.slice(0, 200)}": ${filter.error.detail}`))
  if (pieces.sub === null) return ok({ ...target, filter: filter.value })
  const [sub, ...deeper] = resolveBelow(attribute, pieces.sub) ?? []
  return sub === undefined || deeper.length > 0 ? unknown(text) : ok({ ...target, filter: filter.value, sub })
}

/** What the tokens of a path name. `text` is the path as it was written, for sentences. */
export const readTarget = (definition: Definition, tokens: Tokens, text: string): Result<Target, ScimError> => {
  const pieces = cut(tokens)
  if (!pieces.ok) return cannotRead(text, pieces.error)
  const path = resolveName(definition, pieces.value.name)
  if (path === null) return unknown(text)
  const target = splitAtList(text, path)
  return target.ok && pieces.value.filter !== null ? withFilter(text, pieces.value, pieces.value.filter, target.value) : target
}

/** 400 `invalidPath` for unknown attributes and malformed paths, `invalidFilter` for what is wrong between the brackets. */
export const readPath = (definition: Definition, text: string): Result<Target, ScimError> => {
  if (text.length > MAX_FILTER_LENGTH) return cannotRead(text, `it is longer than ${MAX_FILTER_LENGTH} characters`)
  const scanned = scan(text)
  if (!scanned.ok) return cannotRead(text, `${scanned.error.what}, at character ${scanned.error.at}`)
  return readTarget(definition, scanned.value, text)
}

/**
 * A name of `attributes=` or `excludedAttributes=`. A filter in it says which values are wanted in Microsoft's collections
 * (`emails[type eq "work"]`, B.7); it is passed over. Null for what names no attribute.
 */
export const readAttributeName = (definition: Definition, text: string): AttributePath | null => {
  const scanned = scan(text)
  const pieces = scanned.ok ? cut(scanned.value) : null
  if (pieces?.ok !== true) return null
  const { name, sub } = pieces.value
  return resolveName(definition, sub === null ? name : `${name}.${sub}`)
}

/** Cuts `a,emails[type eq "x,y"],b` at the commas outside brackets and quotes. */
export const splitNames = (text: Characters): readonly string[] => {
  const names: string[] = []
  let start = 0
  let depth = 0
  let isQuoted = false
  for (let at = 0; at <= text.length; at += 1) {
    const char = text.charAt(at)
    if (at === text.length || (char === ',' && depth === 0 && !isQuoted)) {
      const name = text.slice(start, at).trim()
      if (name !== '') names.push(name)
      start = at + 1
    } else if (char === '\\' && isQuoted) at += 1
    else if (char === '"') isQuoted = !isQuoted
    else if (char === '[' && !isQuoted) depth += 1
    else if (char === ']' && !isQuoted) depth -= 1
  }
  return names
}
