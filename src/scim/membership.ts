/**
 * Finds in a filter the one membership that every match must have (`groups eq "…"` of a User, `members eq "…"` of a Group), or the
 * one e-mail address, so that a list can be read from there instead of from all resources. Says nothing of negations and alternatives.
 */
import type { Resolved } from './filterResolve'
import type { ResourceType } from './schema'

export interface MembershipTerm {
  /** The id of the group, or of the member. */
  readonly id: string
  /** Whether the filter asks for nothing else. */
  readonly isAll: boolean
}

const termsOf = (filter: Resolved): readonly Resolved[] => (filter.kind === 'all' ? filter.terms.flatMap(termsOf) : [filter])

/** The first of the terms that names one, which all of them must hold for. */
const firstOf = (terms: readonly Resolved[], read: (term: Resolved) => MembershipTerm | null): MembershipTerm | null => {
  const [found] = terms.flatMap((term) => read(term) ?? [])
  return found === undefined ? null : { id: found.id, isAll: found.isAll && terms.length === 1 }
}

const idIn = (term: Resolved): MembershipTerm | null => {
  if (term.kind !== 'test' || term.isNegated || term.test.kind !== 'text' || term.test.operator !== 'eq') return null
  return term.path.length === 1 && term.path[0]?.name === 'value' ? { id: term.test.value, isAll: true } : null
}

/** The value that some value of the list must have. */
const valueIn = (filter: Resolved, list: string): MembershipTerm | null =>
  firstOf(termsOf(filter), (term) => {
    if (term.kind !== 'some' || term.isNegated || term.path.length !== 1 || term.path[0]?.name !== list) return null
    return firstOf(termsOf(term.filter), idIn)
  })

const LISTS: Readonly<Record<ResourceType, string>> = { User: 'groups', Group: 'members' }

/** Null when matches need no certain membership. */
export const membershipIn = (filter: Resolved, type: ResourceType): MembershipTerm | null => valueIn(filter, LISTS[type])

/** The address, folded, that every match has among its `emails`; null when matches need no certain one. */
export const emailIn = (filter: Resolved): string | null => valueIn(filter, 'emails')?.id ?? null
