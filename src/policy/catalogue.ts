/**
 * What the policy offers for assigning directly: each mapping by `entitlement`, once, with what it gives in words. Reads a
 * compiled policy. Whether the names in it exist in Arize is found out when somebody is to get them.
 */
import { explainEntitlement } from './explain'
import { fillGrants, isHeeding, type CompiledMapping, type CompiledPolicy, type ConnectionFact } from './mapping'

/** A `role` is about the account and whole organizations; what reaches into a space or a project is an `entitlement`. */
export type EntryKind = 'role' | 'entitlement'

export interface CatalogueEntry {
  readonly kind: EntryKind
  /** Selects the mapping as a value of a user's `roles` or `entitlements`, as the name does. */
  readonly id: string
  /** The text of the mapping's `entitlement`. */
  readonly name: string
  /** At most {@link MAX_DESCRIPTION} characters. */
  readonly description: string
}

/** Okta takes no more (identity-providers A.6). */
export const MAX_DESCRIPTION = 1_000

const NO_CAPTURES: ReadonlyMap<string, string> = new Map()

const join = (words: readonly string[], hidden: number): string => {
  const items = hidden === 0 ? words : [...words, `${hidden} more`]
  const last = items.at(-1) ?? ''
  return items.length < 2 ? last : `${items.slice(0, -1).join(', ')} and ${last}`
}

/** Leaves out what does not fit: the last entitlements, or the end of the only one. */
const describe = (words: readonly string[]): string => {
  for (let shown = words.length; shown > 0; shown -= 1) {
    const text = `Gives ${join(words.slice(0, shown), words.length - shown)}.`
    if (text.length <= MAX_DESCRIPTION) return text
  }
  return `${`Gives ${join(words.slice(0, 1), 0)}`.slice(0, MAX_DESCRIPTION - 1).replace(/[\uD800-\uDBFF]$/, '')}…`
}

const entryOf = (id: string, mapping: CompiledMapping): CatalogueEntry => {
  const entitlements = fillGrants(mapping, NO_CAPTURES) ?? []
  return {
    id,
    kind: entitlements.some(({ kind }) => kind === 'space' || kind === 'project') ? 'entitlement' : 'role',
    name: mapping.entitlement ?? '',
    description: describe(entitlements.map(explainEntitlement)),
  }
}

const entries = new WeakMap<CompiledPolicy, Map<string, readonly CatalogueEntry[]>>()

/** What this connection may assign, in the order of the policy. Remembered for as long as the policy lives. */
export const catalogueFor = (policy: CompiledPolicy, connection: ConnectionFact): readonly CatalogueEntry[] => {
  const byConnection = entries.get(policy) ?? new Map<string, readonly CatalogueEntry[]>()
  entries.set(policy, byConnection)
  const key = JSON.stringify([connection.id, connection.name])
  const known = byConnection.get(key)
  if (known !== undefined) return known
  const made = [...policy.byEntitlementId].flatMap(([id, mappings]) => {
    const mapping = mappings.find(isHeeding(connection))
    return mapping === undefined ? [] : [entryOf(id, mapping)]
  })
  byConnection.set(key, made)
  return made
}
