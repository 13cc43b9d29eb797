/**
 * What a person's groups and entitlements ask for: the mappings that select them, with names as Arize spells them.
 * Judges which reading of a patterned name counts. Merges nothing, and does not know the account.
 */
import { isNamed, type Because, type Entitlement } from './entitlement'
import {
  fillGrants,
  literalMappingsOf,
  mappingsOfEntitlement,
  patternMatchesOf,
  type CompiledMapping,
  type CompiledPolicy,
  type ConnectionFact,
  type GroupFact,
  type PatternMatch,
} from './mapping'
import { compareText, meantName, sameNames, type NameIndex } from './name'
import { MAX_SPLITS } from './pattern'
import { spellAlike, type ExistingNames } from './spelling'

/** One mapping's wish for one entitlement. */
export interface Ask {
  readonly entitlement: Entitlement
  readonly because: Because
  /** ADMIN that its mapping may not give: it counts when the kind of account is decided, but is never given. */
  readonly isForbidden: boolean
}

/** A group name that a pattern reads in several ways that count. */
export interface AmbiguousName {
  readonly because: Because
  /** What each reading gives; empty when there are too many to tell. */
  readonly readings: readonly (readonly Entitlement[])[]
  /** What the listed readings give, as far as looked at: counts when the kind of account is decided. */
  readonly entitlements: readonly Entitlement[]
}

export interface Asked {
  readonly asks: readonly Ask[]
  readonly ambiguous: readonly AmbiguousName[]
  readonly unmappedGroups: readonly string[]
}

/** A reading that is listed for a conflict; more are only counted. */
const MAX_READINGS = 10

interface Reading {
  readonly entitlements: readonly Entitlement[]
}

/** The existing things that a captured name may mean; a name that nothing can be said about yet means itself. */
const candidates = (index: NameIndex | null, name: string): readonly string[] =>
  index === null ? [name] : sameNames(index, name)

/** The entitlement once for each existing organization and space that its captured names may mean. */
const candidatesOf = (
  entitlement: Entitlement,
  captured: { readonly capturesOrganization: boolean; readonly capturesSpace: boolean },
  names: ExistingNames,
): readonly Entitlement[] => {
  if (!isNamed(entitlement)) return [entitlement]
  const index = names.organizations
  const { organization: written } = entitlement
  const organizations = captured.capturesOrganization ? sameNames(index, written) : [written]
  return organizations.flatMap((organization): readonly Entitlement[] => {
    const named = { ...entitlement, organization }
    if (named.kind === 'organization' || !captured.capturesSpace) return [named]
    const existing = meantName(index, organization)
    const spaces = candidates(existing === null ? null : names.spaces(existing), named.space)
    return spaces.map((space) => ({ ...named, space }))
  })
}

/** The readings of one split: none when a name does not exist, several when a name means several things. */
const readingsOf = (
  mapping: CompiledMapping,
  captures: ReadonlyMap<string, string>,
  names: ExistingNames,
): readonly Reading[] => {
  const filled = fillGrants(mapping, captures)
  if (filled === null) return []
  let readings: readonly Reading[] = [{ entitlements: [] }]
  for (const [index, entitlement] of filled.entries()) {
    const grant = mapping.grants[index]
    const meant = grant ? candidatesOf(entitlement, grant, names) : []
    readings = readings.flatMap(({ entitlements }) => meant.map((one) => ({ entitlements: [...entitlements, one] })))
    if (readings.length > MAX_READINGS) readings = readings.slice(0, MAX_READINGS)
  }
  return readings
}

/** The readings of a name that count, each once however often it is found. */
const distinctReadings = ({ mapping, splits }: PatternMatch, names: ExistingNames): readonly Reading[] => {
  const distinct = new Map<string, Reading>()
  for (const captures of splits) {
    for (const reading of readingsOf(mapping, captures, names)) {
      distinct.set(JSON.stringify(reading.entitlements), reading)
    }
  }
  return [...distinct].toSorted(([a], [b]) => compareText(a, b)).map(([, reading]) => reading)
}

const isAdmin = (entitlement: Entitlement): boolean => {
  if (entitlement.kind === 'developer') return false
  if (entitlement.kind === 'account') return entitlement.role === 'ADMIN'
  return entitlement.role.type === 'PREDEFINED' && entitlement.role.name === 'ADMIN'
}

/** Whether the mapping may give what it asks for: a pattern no ADMIN, and nothing account ADMIN, unless it is allowed. */
const isForbidden = (mapping: CompiledMapping, entitlement: Entitlement, policy: CompiledPolicy): boolean => {
  if (mapping.allowAdmin || !isAdmin(entitlement)) return false
  return entitlement.kind === 'account' ? !policy.policy.accounts.allowAdmin : mapping.pattern !== null
}

const asksFor = (
  policy: CompiledPolicy,
  mapping: CompiledMapping,
  because: Because,
  entitlements: readonly Entitlement[],
): readonly Ask[] =>
  entitlements.map((entitlement) => ({ entitlement, because, isForbidden: isForbidden(mapping, entitlement, policy) }))

const NO_CAPTURES: ReadonlyMap<string, string> = new Map()

const asksOfLiteral = (policy: CompiledPolicy, mapping: CompiledMapping, because: Because): readonly Ask[] =>
  asksFor(policy, mapping, because, fillGrants(mapping, NO_CAPTURES) ?? [])

interface AskedOfName {
  readonly asks: readonly Ask[]
  readonly ambiguous: readonly AmbiguousName[]
}

/** What one pattern makes of a group's name. */
const askedOfPattern = (
  policy: CompiledPolicy,
  match: PatternMatch,
  because: Because,
  names: ExistingNames,
): AskedOfName => {
  const readings = distinctReadings(match, names)
  const isUnreadable = match.splits.length > MAX_SPLITS
  const given = readings.flatMap((reading) => reading.entitlements)
  if (readings.length < 2 && !isUnreadable) return { asks: asksFor(policy, match.mapping, because, given), ambiguous: [] }
  const listed = isUnreadable ? [] : readings.slice(0, MAX_READINGS).map((reading) => reading.entitlements)
  return { asks: [], ambiguous: [{ because, readings: listed, entitlements: given }] }
}

const askedOfGroup = (policy: CompiledPolicy, group: GroupFact, names: ExistingNames): AskedOfName => {
  const because = (mapping: CompiledMapping): Because => ({ mapping: mapping.id, group: group.displayName })
  const literal = literalMappingsOf(policy, group).flatMap((mapping) => asksOfLiteral(policy, mapping, because(mapping)))
  const patterned = patternMatchesOf(policy, group).map((match) =>
    askedOfPattern(policy, match, because(match.mapping), names),
  )
  return {
    asks: [...literal, ...patterned.flatMap(({ asks }) => asks)],
    ambiguous: patterned.flatMap(({ ambiguous }) => ambiguous),
  }
}

/** Everything that groups and entitlements ask for, in no order that means anything. */
export const askedBy = (
  policy: CompiledPolicy,
  groups: readonly GroupFact[],
  entitlements: readonly { readonly value: string; readonly connection: ConnectionFact }[],
  names: ExistingNames,
): Asked => {
  const asks: Ask[] = []
  const ambiguous: AmbiguousName[] = []
  const unmapped = new Set<string>()
  for (const group of groups) {
    const asked = askedOfGroup(policy, group, names)
    asks.push(...asked.asks)
    ambiguous.push(...asked.ambiguous)
    if (asked.asks.length + asked.ambiguous.length === 0) unmapped.add(group.displayName)
  }
  for (const entitlement of entitlements) {
    for (const mapping of mappingsOfEntitlement(policy, entitlement)) {
      asks.push(...asksOfLiteral(policy, mapping, { mapping: mapping.id, group: entitlement.value, entitlement: true }))
    }
  }
  return { asks: spellAlike(asks, names), ambiguous, unmappedGroups: [...unmapped].toSorted() }
}
