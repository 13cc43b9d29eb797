/**
 * The paths of PATCH (RFC 7644 figure 7) and of `attributes=`: URN-qualified, dotted, with a value filter, in any case. Resolves
 * them against the registry; changes nothing.
 */
import { err, ok } from '../result'
import type { Result } from '../result'
import type { Attribute, AttributePath } from './attribute'
import { invalidFilter, invalidPath } from './error'
import type { ScimError } from './error'
import { MAX_FILTER_LENGTH, parseFilter } from './filter'
import type { Filter } from './filter'
import { scan } from './filterScan'
import { resolveBelow, resolveName } from './schema'
import type { Definition } from './schema'

/** A path cut at its value filter: `name[filter].sub`. */
interface Pieces {
  readonly name: string
  readonly filter: string | null
  readonly sub: string | null
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

/** Brackets are found by the scanner, so that quotes and escapes inside them are no concern (`members[value eq "a]\"b"]`). */
const cut = (text: string): Result<Pieces, string> => {
  const scanned = scan(text)
  if (!scanned.ok) return err(`${scanned.error.what}, at character ${scanned.error.at}`)
  const { tokens } = scanned.value
  const [name, open] = tokens
  if (name?.kind !== 'word') return err('an attribute name is missing')
  if (open === undefined) return ok({ name: name.text, filter: null, sub: null })
  if (open.kind !== '[') return err(`there is something after "${name.text}"`)
  const closing = tokens.findIndex((token) => token.kind === ']')
  const close = tokens[closing]
  if (close === undefined) return err('"]" is missing')
  const [after, ...more] = tokens.slice(closing + 1)
  if (more.length > 0) return err('there is something after its end')
  const filter = text.slice(open.at, close.at - 1)
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

const withFilter = (text: string, pieces: Pieces, source: string, target: Target): Result<Target, ScimError> => {
  const { attribute } = target
  if (!attribute.multiValued || attribute.type !== 'complex' || target.sub !== null) {
    return err(invalidPath(`The path "${text}" selects values of "${pieces.name}", which is not a list of objects.`))
  }
  const filter = parseFilter(source)
  if (!filter.ok) return err(invalidFilter(`In the path "${text.slice(0, 200)}": ${filter.error.detail}`))
  if (pieces.sub === null) return ok({ ...target, filter: filter.value })
  const [sub, ...deeper] = resolveBelow(attribute, pieces.sub) ?? []
  return sub === undefined || deeper.length > 0 ? unknown(text) : ok({ ...target, filter: filter.value, sub })
}

/** 400 `invalidPath` for unknown attributes and malformed paths, `invalidFilter` for what is wrong between the brackets. */
export const readPath = (definition: Definition, text: string): Result<Target, ScimError> => {
  if (text.length > MAX_FILTER_LENGTH) return cannotRead(text, `it is longer than ${MAX_FILTER_LENGTH} characters`)
  const pieces = cut(text)
  if (!pieces.ok) return cannotRead(text, pieces.error)
  const path = resolveName(definition, pieces.value.name)
  if (path === null) return unknown(text)
  const target = splitAtList(text, path)
  return target.ok && pieces.value.filter !== null ? withFilter(text, pieces.value, pieces.value.filter, target.value) : target
}

/**
 * A name of `attributes=` or `excludedAttributes=`. A filter in it says which values are wanted in Microsoft's collections
 * (`emails[type eq "work"]`, B.7); it is passed over. Null for what names no attribute.
 */
export const readAttributeName = (definition: Definition, text: string): AttributePath | null => {
  const pieces = cut(text)
  if (!pieces.ok) return null
  const { name, sub } = pieces.value
  return resolveName(definition, sub === null ? name : `${name}.${sub}`)
}

/** Cuts `a,emails[type eq "x,y"],b` at the commas outside brackets and quotes. */
export const splitNames = (text: string): readonly string[] => {
  const names: string[] = []
  let start = 0
  let depth = 0
  let isQuoted = false
  for (let at = 0; at <= text.length; at += 1) {
    const char = text[at]
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
