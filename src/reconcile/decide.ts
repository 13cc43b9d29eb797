/**
 * From a snapshot to a plan, without any I/O: evaluates the policy, finds ids for names, plans. Says which names have to
 * be read first instead of guessing. Does not know the brake, and calls nothing.
 */
import { evaluate, mappingsOfGroup, type CompiledPolicy, type Evaluation } from '../policy/evaluate'
import type { Conflict, Grant } from '../policy/entitlement'
import type { Role } from '../policy/role'
import { slotKey } from './ledger'
import { plan, type Desired, type Plan } from './plan'
import type { NameView, Snapshot } from './snapshot'
import type { ResourceKind, SendableRole } from './target'

/** Names that must be read before the decision is final. */
export type Missing =
  | { readonly kind: 'organizations' }
  | { readonly kind: 'spaces'; readonly organizationId: string }
  | { readonly kind: 'customRoles' }

export interface Decision {
  readonly evaluation: Evaluation
  readonly desired: readonly Desired[]
  /** The policy's conflicts and the grants whose names mean nothing in Arize. */
  readonly conflicts: readonly Conflict[]
  readonly plan: Plan
  /** Not empty: read these and decide again. The plan then removes nothing. */
  readonly missing: readonly Missing[]
  /** A group fits a pattern and names nothing that exists in Arize: it may, once the names are read again. */
  readonly awaitsNames: boolean
  /** Whether there is a grant that can be given now, and so a reason for an account to exist. */
  readonly hasGrant: boolean
}

export interface DecideOptions {
  /** The kinds for which there is a target. */
  readonly supported: ReadonlySet<ResourceKind>
  /** Whether the subject is the only one with a confirmed ADMIN on the organization. */
  readonly isLastAdmin: (organizationId: string) => boolean
}

const EMPTY: Evaluation = { grants: [], accountRole: null, conflicts: [], unmappedGroups: [] }

type Resolution =
  | { readonly kind: 'desired'; readonly desired: Desired }
  | { readonly kind: 'conflict'; readonly conflict: Conflict }
  | { readonly kind: 'missing'; readonly missing: Missing }
  | { readonly kind: 'none' }

export const decide = (snapshot: Snapshot, names: NameView, options: DecideOptions): Decision => {
  if (snapshot.leaver !== null || snapshot.policy === null) return decision(snapshot, names, options, EMPTY, [])
  if (names.organizations === null && needsNames(snapshot)) {
    return decision(snapshot, names, options, EMPTY, [{ kind: 'missing', missing: { kind: 'organizations' } }])
  }
  const organizations = names.organizations ?? new Map<string, string>()
  const unread = new Map<string, Resolution>()
  const evaluation = evaluate({
    policy: snapshot.policy,
    groups: snapshot.groups,
    entitlements: snapshot.entitlements,
    organizationNames: names.organizationNames,
    spaceNames: (organization) => {
      const id = organizations.get(organization)
      if (id === undefined) return null
      const spaces = names.spaces(id)
      if (spaces !== null) return [...spaces.keys()]
      unread.set(id, { kind: 'missing', missing: { kind: 'spaces', organizationId: id } })
      return null
    },
    account: snapshot.account === null ? null : { role: snapshot.account.role },
  })
  const resolutions = evaluation.grants.map((grant) => resolve(grant, snapshot, names, options))
  return decision(snapshot, names, options, evaluation, [...unread.values(), ...resolutions])
}

/** Nothing has to be read from Arize for somebody in no group. */
const needsNames = (snapshot: Snapshot): boolean => snapshot.groups.length > 0 || snapshot.entitlements.length > 0

const decision = (
  snapshot: Snapshot,
  names: NameView,
  options: DecideOptions,
  evaluation: Evaluation,
  resolutions: readonly Resolution[],
): Decision => {
  const desired = resolutions.flatMap((r) => (r.kind === 'desired' ? [r.desired] : []))
  const missing = resolutions.flatMap((r) => (r.kind === 'missing' ? [r.missing] : []))
  const unresolved = resolutions.flatMap((r) => (r.kind === 'conflict' ? [r.conflict] : []))
  const conflicts = [...evaluation.conflicts, ...unresolved]
  return {
    evaluation,
    desired,
    conflicts,
    missing,
    awaitsNames: snapshot.policy !== null && namesNothing(snapshot.groups, snapshot.policy, evaluation),
    hasGrant: desired.length > 0 || evaluation.grants.some((grant) => grant.kind === 'account'),
    plan: plan({
      desired,
      ledger: snapshot.ledger,
      observed: null,
      leaver: snapshot.leaver !== null,
      keepRows: reasonToKeep(snapshot, evaluation, conflicts, missing),
      protectedPerson: snapshot.isProtected,
      ownUser: snapshot.isOwnUser,
      exempt: snapshot.exemption,
      isLastAdmin: options.isLastAdmin,
      renamedTo: snapshot.renamedTo,
      contested: contestedSlots(conflicts, names),
      approved: snapshot.approved,
    }),
  }
}

/** A removal decided from an incomplete picture is the one mistake that cannot be undone: design section 7, apply. */
const reasonToKeep = (
  snapshot: Snapshot,
  evaluation: Evaluation,
  conflicts: readonly Conflict[],
  missing: readonly Missing[],
): { readonly sentence: string } | null => {
  if (snapshot.policy === null) return { sentence: 'There is no valid policy: what was given stays.' }
  if (missing.length > 0) return { sentence: 'Names are still being read from Arize: what was given stays until they are.' }
  const open = conflicts.find((conflict) => KEEPS.has(conflict.code))
  if (open !== undefined) return { sentence: `What was given stays until this is settled: ${open.sentence}` }
  const lost = groupThatMeantSomething(snapshot, snapshot.policy, evaluation)
  return lost === null
    ? null
    : { sentence: `Group "${lost}" gave a role before and names nothing that exists in Arize now. Was an organization renamed there? What was given stays until the names agree again.` }
}

const namesNothing = (groups: Snapshot['groups'], policy: CompiledPolicy, { unmappedGroups }: Evaluation): boolean =>
  unmappedGroups.length > 0 &&
  groups.some((group) => unmappedGroups.includes(group.displayName) && mappingsOfGroup(policy, group).length > 0)

/**
 * A group that a pattern still selects but that gives nothing any more, although the ledger has a role because of it: an
 * organization that was renamed or hidden in Arize, which must not remove anybody.
 */
const groupThatMeantSomething = (snapshot: Snapshot, policy: CompiledPolicy, { unmappedGroups }: Evaluation): string | null => {
  if (unmappedGroups.length === 0 || snapshot.ledger.length === 0) return null
  const given = new Set(snapshot.ledger.flatMap(({ because }) => because.map(({ mapping, group }) => JSON.stringify([mapping, group]))))
  const lost = snapshot.groups.find(
    (group) =>
      unmappedGroups.includes(group.displayName) &&
      mappingsOfGroup(policy, group).some((mapping) => given.has(JSON.stringify([mapping, group.displayName]))),
  )
  return lost?.displayName ?? null
}

/** Conflicts in which it is not known what the person should hold. A grant that Arize forbids is not one of them. */
const KEEPS: ReadonlySet<Conflict['code']> = new Set(['unresolved', 'ambiguous_name', 'annotator_mixed'])

/** Slots on which grants contradict each other: what is held there stays. */
const contestedSlots = (conflicts: readonly Conflict[], names: NameView): ReadonlyMap<string, string> =>
  new Map(
    conflicts.flatMap(({ code, entitlement, sentence }): [string, string][] => {
      if (code !== 'slot' || entitlement === null) return []
      if (entitlement.kind !== 'organization' && entitlement.kind !== 'space') return []
      const organizationId = names.organizations?.get(entitlement.organization)
      if (organizationId === undefined) return []
      if (entitlement.kind === 'organization') return [[slotKey({ kind: 'organization', id: organizationId }), sentence]]
      const spaceId = names.spaces(organizationId)?.get(entitlement.space)
      return spaceId === undefined ? [] : [[slotKey({ kind: 'space', id: spaceId }), sentence]]
    }),
  )

const resolve = (grant: Grant, snapshot: Snapshot, names: NameView, options: DecideOptions): Resolution => {
  if (grant.kind === 'account') return { kind: 'none' }
  if (!options.supported.has(grant.kind)) {
    return conflict(grant, 'unsupported', `The bridge does not apply ${grant.kind} roles to this Arize account.`)
  }
  if (grant.kind === 'developer') {
    const id = snapshot.account?.id ?? ''
    return { kind: 'desired', desired: { resource: { kind: 'developer', id, name: 'developer access', organizationId: '' }, role: DEVELOPER, because: grant.because } }
  }
  const organizationId = names.organizations?.get(grant.organization)
  if (organizationId === undefined) return conflict(grant, 'unresolved', missingOrganization(grant.organization, names))
  const role = sendable(grant.role, names)
  if (role.kind !== 'role') return role.kind === 'missing' ? role : conflict(grant, 'unresolved', role.sentence)
  if (grant.kind === 'organization') {
    const resource = { kind: 'organization', id: organizationId, name: grant.organization, organizationId } as const
    return { kind: 'desired', desired: { resource, role: role.role, because: grant.because } }
  }
  const spaces = names.spaces(organizationId)
  if (spaces === null) return { kind: 'missing', missing: { kind: 'spaces', organizationId } }
  const spaceId = spaces.get(grant.space)
  if (spaceId === undefined) {
    return conflict(grant, 'unresolved', `Space "${grant.space}" does not exist in Arize organization "${grant.organization}", or the bridge's key cannot see it.`)
  }
  if (grant.kind === 'project') return conflict(grant, 'unsupported', `The bridge does not apply project roles to this Arize account.`)
  const resource = { kind: 'space', id: spaceId, name: grant.space, organizationId } as const
  return { kind: 'desired', desired: { resource, role: role.role, because: grant.because } }
}

/** Developer access is a switch, not a role: the ledger remembers that it was turned on. */
const DEVELOPER: SendableRole = { type: 'PREDEFINED', name: 'MEMBER' }

const conflict = (grant: Grant, code: Conflict['code'], sentence: string): Resolution => {
  const { because, ...entitlement } = grant
  return { kind: 'conflict', conflict: { code, entitlement, because, sentence } }
}

const missingOrganization = (name: string, names: NameView): string => {
  const folded = name.trim().toLowerCase()
  const near = [...(names.organizations?.keys() ?? [])].find((other) => other.trim().toLowerCase() === folded)
  const hint = near === undefined ? '' : ` Arize has one that is written "${near}".`
  return `Organization "${name}" does not exist in Arize, or the bridge's key cannot see it.${hint} The role is given as soon as it appears.`
}

type Sendable =
  | { readonly kind: 'role'; readonly role: SendableRole }
  | { readonly kind: 'missing'; readonly missing: Missing }
  | { readonly kind: 'unknown'; readonly sentence: string }

const sendable = (role: Role, names: NameView): Sendable => {
  if (role.type === 'PREDEFINED') return { kind: 'role', role }
  if (names.customRoles === null) return { kind: 'missing', missing: { kind: 'customRoles' } }
  const id = names.customRoles.get(role.name)
  return id === undefined
    ? { kind: 'unknown', sentence: `Custom role "${role.name}" does not exist in Arize.` }
    : { kind: 'role', role: { ...role, id } }
}
