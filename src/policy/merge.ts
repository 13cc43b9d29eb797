/**
 * Slots: several wishes for one resource become one grant, or a conflict where roles cannot be compared; a space brings
 * its organization with it. Gives everything an order of its own. Does not know the account or the annotator rule.
 */
import { isForAnnotators } from './annotator'
import {
  isNamed,
  slotOf,
  type Because,
  type Conflict,
  type Entitlement,
  type Grant,
  type NamedEntitlement,
} from './entitlement'
import { conflictOf } from './explain'
import { compareText } from './name'
import type { Ask } from './readings'
import { mostPermissive, roleKey, type PredefinedRole, type Role } from './role'

const becauseKey = ({ mapping, group, implied, entitlement }: Because): string =>
  JSON.stringify([mapping, group, implied ?? false, entitlement ?? false])

/** Each reason once, by mapping and then by group. */
export const ofBecause = (because: readonly Because[]): readonly Because[] =>
  [...new Map(because.map((one) => [becauseKey(one), one])).entries()]
    .toSorted(
      ([a, left], [b, right]) =>
        compareText(left.mapping, right.mapping) || compareText(left.group, right.group) || compareText(a, b),
    )
    .map(([, one]) => one)

const roleTextOf = (entitlement: Entitlement): string => {
  if (entitlement.kind === 'developer') return ''
  return entitlement.kind === 'account' ? entitlement.role : roleKey(entitlement.role)
}

const groupBy = <T>(all: readonly T[], keyOf: (one: T) => string): readonly (readonly [T, ...T[]])[] => {
  const groups = new Map<string, [T, ...T[]]>()
  for (const one of all) {
    const key = keyOf(one)
    const group = groups.get(key)
    if (group) group.push(one)
    else groups.set(key, [one])
  }
  return [...groups.values()]
}

const reasons = (asks: readonly Ask[]): readonly Because[] => ofBecause(asks.map((ask) => ask.because))

/** Wishes for the same role on the same slot, with all that say so. */
export const bySlotAndRole = <A extends Ask>(
  asks: readonly A[],
): readonly { readonly entitlement: A['entitlement']; readonly because: readonly Because[] }[] =>
  groupBy(asks, ({ entitlement }) => JSON.stringify([slotOf(entitlement), roleTextOf(entitlement)])).map((same) => ({
    entitlement: same[0].entitlement,
    because: reasons(same),
  }))

type Merged = { readonly grant: Grant } | { readonly conflict: Conflict }

/** The role of a slot: the most permissive predefined one, or the only custom one; null when they cannot be compared. */
const winner = (roles: readonly Role[]): Role | null => {
  const custom = new Set<string>()
  let best: PredefinedRole | null = null
  for (const role of roles) {
    if (role.type === 'CUSTOM') custom.add(role.name)
    else best = best === null ? role.name : mostPermissive(best, role.name)
  }
  if (best !== null) return custom.size === 0 ? { type: 'PREDEFINED', name: best } : null
  const [only] = custom
  return only !== undefined && custom.size === 1 ? { type: 'CUSTOM', name: only } : null
}

const mergeNamed = (entitlement: NamedEntitlement, asks: readonly Ask[]): Merged => {
  const roles = asks.flatMap((ask) => (isNamed(ask.entitlement) ? [ask.entitlement.role] : []))
  const role = winner(roles)
  if (role !== null) {
    const agreeing = asks.filter((ask) => roleTextOf(ask.entitlement) === roleKey(role))
    return { grant: { ...entitlement, role, because: reasons(agreeing) } }
  }
  const distinct = new Map(roles.map((one) => [roleKey(one), one])).values()
  const sorted = [...distinct].toSorted((a, b) => compareText(roleKey(a), roleKey(b)))
  const about = { ...entitlement, role: sorted[0] ?? entitlement.role }
  return { conflict: conflictOf({ code: 'slot', entitlement: about, because: reasons(asks), roles: sorted }) }
}

const mergeOne = (asks: readonly [Ask, ...Ask[]]): Merged => {
  const { entitlement } = asks[0]
  if (isNamed(entitlement)) return mergeNamed(entitlement, asks)
  if (entitlement.kind === 'developer') return { grant: { ...entitlement, because: reasons(asks) } }
  const best = asks.reduce(
    (most, { entitlement: other }) =>
      other.kind === 'account' && mostPermissive(most.role, other.role) !== most.role ? other : most,
    entitlement,
  )
  return { grant: { ...best, because: reasons(asks.filter((ask) => roleTextOf(ask.entitlement) === best.role)) } }
}

/** One grant or one conflict for each slot. The wishes all fit the account. */
export const mergeSlots = (
  asks: readonly Ask[],
): { readonly grants: readonly Grant[]; readonly conflicts: readonly Conflict[] } => {
  const merged = groupBy(asks, (ask) => slotOf(ask.entitlement)).map(mergeOne)
  return {
    grants: merged.flatMap((one) => ('grant' in one ? [one.grant] : [])),
    conflicts: merged.flatMap((one) => ('conflict' in one ? [one.conflict] : [])),
  }
}

/**
 * The grants and the organization roles that spaces and projects need where no mapping gives one: `organizationRole`, or
 * ANNOTATOR for an ANNOTATOR space role.
 */
export const withImplied = (grants: readonly Grant[], organizationRole: PredefinedRole): readonly Grant[] => {
  const given = new Set(grants.flatMap((grant) => (grant.kind === 'organization' ? [grant.organization] : [])))
  const inside = grants.flatMap((grant) =>
    (grant.kind === 'space' || grant.kind === 'project') && !given.has(grant.organization) ? [grant] : [],
  )
  const implied = groupBy(inside, (grant) => grant.organization).map(
    (same): Grant => ({
      kind: 'organization',
      organization: same[0].organization,
      role: { type: 'PREDEFINED', name: same.some(isForAnnotators) ? 'ANNOTATOR' : organizationRole },
      because: ofBecause(same.flatMap((grant) => grant.because).map((because): Because => ({ ...because, implied: true }))),
    }),
  )
  return [...grants, ...implied]
}

const KIND_ORDER: Readonly<Record<Entitlement['kind'], number>> = {
  account: 0,
  organization: 1,
  space: 2,
  project: 3,
  developer: 4,
}

const namesOf = (entitlement: Entitlement): readonly string[] => {
  if (!isNamed(entitlement)) return []
  const space = entitlement.kind === 'organization' ? '' : entitlement.space
  return [entitlement.organization, space, entitlement.kind === 'project' ? entitlement.project : '']
}

const compareNames = (a: readonly string[], b: readonly string[]): number =>
  a.reduce((order, name, index) => order || compareText(name, b[index] ?? ''), 0)

const compareEntitlements = (a: Entitlement, b: Entitlement): number =>
  KIND_ORDER[a.kind] - KIND_ORDER[b.kind] ||
  compareNames(namesOf(a), namesOf(b)) ||
  compareText(roleTextOf(a), roleTextOf(b))

/** From the outside in, then by name. */
export const inOrder = (grants: readonly Grant[]): readonly Grant[] => grants.toSorted(compareEntitlements)

/** Each once: those about an entitlement in the order of grants, then the others. */
export const conflictsInOrder = (conflicts: readonly Conflict[]): readonly Conflict[] =>
  [...new Map(conflicts.map((one) => [JSON.stringify(one), one])).values()].toSorted((a, b) => {
    const isBefore = Number(a.entitlement === null) - Number(b.entitlement === null)
    const byEntitlement = a.entitlement && b.entitlement ? compareEntitlements(a.entitlement, b.entitlement) : 0
    const byText = compareText(a.code, b.code) || compareText(a.sentence, b.sentence)
    return isBefore || byEntitlement || byText || compareText(JSON.stringify(a), JSON.stringify(b))
  })
