/**
 * What identity providers do beyond or against the RFCs, each by name, with the transcript that shows it (numbers as in
 * test/recordings/{okta,entra}). Every other file of this folder asks here, so that a quirk is known in one place only.
 */
import { isObject } from './json'
import type { JsonObject } from './json'

/**
 * `"True"` and `"False"` are booleans, in bodies and in filters: Entra's default job sends them (E-11, E-13), the
 * Microsoft validator puts `"True"` in roles (V-01) and in value paths (V-02). Undefined for anything else.
 */
export const readBoolean = (value: unknown): boolean | undefined => {
  if (typeof value === 'boolean') return value
  if (typeof value !== 'string') return undefined
  const word = value.trim().toLowerCase()
  return word === 'true' ? true : word === 'false' ? false : undefined
}

/** Whether JSON's digits are all still there: two ids of twenty digits must not become one. */
const isExact = (value: number): boolean => Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))

/** Numbers for strings: Okta's sample user has a numeric externalId and postalCode (A.6). Undefined for anything else. */
export const readString = (value: unknown): string | undefined => {
  if (typeof value === 'string') return value
  return typeof value === 'number' && isExact(value) ? String(value) : undefined
}

/**
 * `null`, `""` and `[]` mean that nothing is assigned: Okta pushes `"middleName":""` (O-10), Entra nulls whole lists (E-06),
 * sends `""` for a removed manager (E-18) and clears every attribute with either (E-20).
 */
export const isUnassigned = (value: unknown): boolean =>
  value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)

/** A list of one where one value is meant: Entra's manager (E-16), perhaps Okta's active (O-13). Other values as they are. */
export const unwrapSingle = (value: unknown): unknown => (Array.isArray(value) && value.length === 1 ? value[0] : value)

/**
 * A bare value where an object with `value` is meant: Entra's manager id (E-17), a member's id (E-35), an address. The object,
 * or undefined when the value is neither.
 */
export const readValueObject = (value: unknown): JsonObject | undefined => {
  if (isObject(value)) return value
  return typeof value === 'string' ? { value } : undefined
}

/**
 * What a remove of a list takes away: everything when it names no values (B.7), else the values that it names. RFC 7644 section
 * 3.5.2.2 would ignore the names and empty the group (E-34, E-35); `[]` names nobody (scim-decisions 8 and 19).
 */
export const removesEverything = (value: unknown): boolean => value === undefined || value === null

/** What PUT does not clear by leaving it out: Okta's PUT may lack both (O-10, O-12; scim-decisions 17). */
export const KEPT_BY_PUT: readonly string[] = ['active', 'externalId']

const RESERVED: ReadonlySet<string> = new Set([
  'and', 'or', 'not', 'pr', 'eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le',
])

/**
 * Strings without quotes in filters: `externalId eq jyoung` (E-04) and `userName sw O` are in Microsoft's documents (B.7). The
 * language's own words are not values, so that a forgotten value is still an error; nor is what has quotes of another kind.
 */
export const isBareString = (word: string): boolean => !RESERVED.has(word.toLowerCase()) && !/[',;\\]/.test(word)

/**
 * A `+` that was sent raw in a query arrives as a space (Entra writes `+` for spaces, E-01). An address has no spaces, so
 * such a literal means the address with `+`; it is looked for beside what was sent. Null when nothing was lost.
 */
export const restoreLostPlus = (literal: string): string | null =>
  literal.includes(' ') && literal.includes('@') && literal.trim() === literal ? literal.replaceAll(' ', '+') : null

/** The flag that Microsoft's *Tenant URL* carries, and its older sibling (identity-providers B.0). */
const ENTRA_FLAGS: ReadonlySet<string> = new Set(['aadoptscim062020', 'azureadscimpatch2017'])

/** The name of a query parameter that is a flag, with whatever path was glued to it. */
const splitFlag = (name: string): { readonly path: string } | null => {
  const slash = name.indexOf('/')
  const flag = slash < 0 ? name : name.slice(0, slash)
  return ENTRA_FLAGS.has(flag.toLowerCase()) ? { path: slash < 0 ? '' : name.slice(slash) } : null
}

/**
 * The flag is part of the base URL, so requests come as `…/scim/v2/Users?aadOptscim062020&filter=…` or as
 * `…/scim/v2?aadOptscim062020/Users?filter=…` (B.0, E-50): both become `…/scim/v2/Users?filter=…`. Other URLs are returned as
 * they are.
 */
export const stripEntraFlag = (url: URL): URL => {
  const pieces = url.search.slice(1).split('&')
  let path = ''
  let isFlagged = false
  const kept = pieces.flatMap((piece) => {
    const question = piece.indexOf('?')
    const name = question < 0 ? piece : piece.slice(0, question)
    const flag = splitFlag(name.endsWith('=') ? name.slice(0, -1) : name)
    if (flag === null) return [piece]
    isFlagged = true
    path += flag.path
    return question < 0 ? [] : [piece.slice(question + 1)]
  })
  if (!isFlagged) return url
  const clean = new URL(url)
  clean.search = kept.filter((piece) => piece !== '').join('&')
  const base = clean.pathname.replace(/\/$/, '')
  clean.pathname = `${base}${path}`
  // Dot segments must not lead out of the base.
  return clean.pathname.startsWith(base) ? clean : url
}

export interface Quirk {
  readonly what: string
  /** Below test/recordings. */
  readonly recording: string
  /** The steps of it that show the quirk. */
  readonly steps: readonly string[]
  /** The function that minds it, and its file. */
  readonly where: string
}

/** All of them, for people who ask why something is so. A test holds the steps to the recordings. */
export const QUIRKS: readonly Quirk[] = [
  { what: 'Boolean strings', recording: 'entra/E-11-E-14-disable-restore-delete.json', steps: ['E-11'], where: 'quirks readBoolean' },
  { what: 'Numbers for strings', recording: 'okta/A.6-discovery-and-scalars.json', steps: ['A.6-3'], where: 'quirks readString' },
  { what: 'Empty means unassigned', recording: 'entra/E-19-E-20-remove-and-null.json', steps: ['E-20'], where: 'quirks isUnassigned' },
  { what: 'A list of one for a single value', recording: 'entra/E-15-E-18-manager.json', steps: ['E-16'], where: 'quirks unwrapSingle' },
  { what: 'A bare id for an object', recording: 'entra/E-34-E-35-group-remove.json', steps: ['E-35/2'], where: 'quirks readValueObject' },
  { what: 'Strings without quotes in filters', recording: 'entra/E-01-E-04-connect-and-match.json', steps: ['E-04/5'], where: 'quirks isBareString' },
  {
    what: 'A sub-attribute behind a value path in a filter', recording: 'entra/E-01-E-04-connect-and-match.json', steps: ['E-04/3'],
    where: 'filter parseFilter',
  },
  { what: 'A remove names its values', recording: 'entra/E-34-E-35-group-remove.json', steps: ['E-34'], where: 'quirks removesEverything' },
  { what: 'PUT without externalId', recording: 'okta/O-09-O-16-update-and-leave.json', steps: ['O-10'], where: 'quirks KEPT_BY_PUT' },
  {
    what: 'A value path that matches nothing creates', recording: 'entra/E-05-E-10-create-and-update.json', steps: ['E-09/2', 'E-10'],
    where: 'patchList seedFrom',
  },
  { what: 'Dotted and URN names in values', recording: 'entra/E-50-E-52-flag.json', steps: ['E-50'], where: 'value readAssignments' },
  { what: 'id in every rename', recording: 'okta/O-20-O-25-group-push-by-patch.json', steps: ['O-23'], where: 'patchAttribute readSteps' },
  {
    what: 'Names in any case, enterprise names without URN, schemas that are none', recording: 'entra/E-05-E-10-create-and-update.json',
    steps: ['E-06', 'E-06/3'], where: 'schema resolveName',
  },
  { what: 'The flag in the Tenant URL', recording: 'entra/E-50-E-52-flag.json', steps: ['E-50/4', 'E-50/6'], where: 'quirks stripEntraFlag' },
]
