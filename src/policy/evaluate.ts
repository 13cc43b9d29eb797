/**
 * From a person's groups to what the person should hold: grants, conflicts, and the kind of account to create. Applies the
 * annotator rule before merging slots, so that a grant that fits is given beside one that does not. Calls nothing and
 * remembers nothing; whether literal names exist in Arize is the reconciler's to find out.
 */
import { entitlementFitsAccount, isForAnnotators } from './annotator'
import type { Because, Conflict, Entitlement, Grant } from './entitlement'
import { conflictOf } from './explain'
import type { CompiledPolicy, ConnectionFact, GroupFact } from './mapping'
import { bySlotAndRole, conflictsInOrder, inOrder, mergeSlots, ofBecause, withImplied } from './merge'
import { askedBy, type Ask, type Asked } from './readings'
import { parseRole, type AccountRole } from './role'
import { existingNames } from './spelling'

export { compilePolicy, mappingsOfGroup, type CompiledPolicy, type ConnectionFact, type GroupFact } from './mapping'

export interface EvaluateInput {
  readonly policy: CompiledPolicy
  readonly groups: readonly GroupFact[]
  readonly entitlements: readonly { readonly value: string; readonly connection: ConnectionFact }[]
  /** The organizations that exist in Arize. Not to be changed afterwards: the list is indexed once while it lives. */
  readonly organizationNames: readonly string[]
  /** The spaces of an organization that exists; null: not known yet. */
  readonly spaceNames: (organization: string) => readonly string[] | null
  /** The person's Arize account, its role as Arize names it; null when there is none. */
  readonly account: { readonly role: string } | null
}

export interface Evaluation {
  /** From the outside in: account, organization, space, project, developer; then by name. At most one for each slot. */
  readonly grants: readonly Grant[]
  /** The role to create the account with; null when there is an account, nothing to give, or everything is held. */
  readonly accountRole: AccountRole | null
  readonly conflicts: readonly Conflict[]
  /** Display names of the groups that no mapping gave anything for. */
  readonly unmappedGroups: readonly string[]
}

/** The account as the annotator rule sees it: the one that exists, or the one that would be created. */
type Standing =
  | { readonly kind: 'exists'; readonly role: string }
  | { readonly kind: 'new'; readonly role: 'MEMBER' | 'ANNOTATOR' }
  | { readonly kind: 'held' }

type Decided = Exclude<Standing, { kind: 'held' }>

/** All wishes decide an account's kind together, those that will be held or refused as well: it is chosen for ever. */
const standingOf = ({ policy, account }: EvaluateInput, asked: Asked): Standing => {
  if (account !== null) return { kind: 'exists', role: account.role }
  const wished = [...asked.asks.map((ask) => ask.entitlement), ...asked.ambiguous.flatMap((name) => name.entitlements)]
  const annotators = wished.filter(isForAnnotators).length
  const isMixed = annotators > 0 && annotators < wished.length
  if (!isMixed) return { kind: 'new', role: annotators > 0 ? 'ANNOTATOR' : 'MEMBER' }
  const { mixed } = policy.policy.annotators
  return mixed === 'hold' ? { kind: 'held' } : { kind: 'new', role: mixed === 'annotator' ? 'ANNOTATOR' : 'MEMBER' }
}

const forbiddenConflicts = (asks: readonly Ask[]): readonly Conflict[] =>
  bySlotAndRole(asks.filter((ask) => ask.isForbidden)).map(({ entitlement, because }) =>
    conflictOf({ code: 'admin_not_allowed', entitlement, because }),
  )

const ambiguityConflicts = ({ ambiguous }: Asked): readonly Conflict[] =>
  ambiguous.map(({ because, readings }) =>
    conflictOf({ code: 'ambiguous_name', entitlement: null, because: [because], readings }),
  )

const heldConflict = ({ asks, ambiguous }: Asked): Conflict => {
  const annotators: Because[] = []
  const others: Because[] = []
  for (const { entitlement, because } of asks) (isForAnnotators(entitlement) ? annotators : others).push(because)
  for (const { entitlements, because } of ambiguous) {
    if (entitlements.some(isForAnnotators)) annotators.push(because)
    if (!entitlements.every(isForAnnotators)) others.push(because)
  }
  return conflictOf({
    code: 'annotator_mixed',
    entitlement: null,
    because: ofBecause([...annotators, ...others]),
    annotators: ofBecause(annotators),
    others: ofBecause(others),
  })
}

/** A wish that does not fit the account, said once for each slot and role. */
const misfitConflicts = (misfits: readonly Ask[], standing: Decided): readonly Conflict[] =>
  bySlotAndRole(misfits).map(({ entitlement, because }) =>
    standing.kind === 'exists'
      ? conflictOf({ code: 'annotator_rule', entitlement, because, accountRole: standing.role })
      : conflictOf({
          code: 'annotator_mixed',
          entitlement,
          because,
          mixed: standing.role === 'ANNOTATOR' ? 'annotator' : 'member',
        }),
  )

interface Outcome {
  readonly grants: readonly Grant[]
  readonly conflicts: readonly Conflict[]
}

type AccountAsk = Ask & { readonly entitlement: Extract<Entitlement, { kind: 'account' }> }

const isAccountAsk = (ask: Ask): ask is AccountAsk => ask.entitlement.kind === 'account'

/**
 * Account roles beside an account that exists: the one that it has is granted, the most permissive one is wanted, and
 * what is wanted but not had is a conflict, since nothing changes an account's role. ANNOTATOR compares with nothing.
 */
const judgeAccountRoles = (asks: readonly AccountAsk[], accountRole: string): Outcome => {
  const had = parseRole(accountRole)
  const roles = bySlotAndRole(asks)
  const isAdminWanted = roles.some(({ entitlement }) => entitlement.role === 'ADMIN')
  const isWanted = (role: AccountRole): boolean => !(role === 'MEMBER' && isAdminWanted)
  return {
    grants: roles.flatMap(({ entitlement, because }) => (entitlement.role === had ? [{ ...entitlement, because }] : [])),
    conflicts: roles
      .filter(({ entitlement: { role } }) => role !== had && isWanted(role))
      .map(({ entitlement, because }) => conflictOf({ code: 'account_role', entitlement, because, accountRole })),
  }
}

const NOTHING: Outcome = { grants: [], conflicts: [] }

/** What may be given to the account, merged slot by slot, and what may not. */
const judge = (asks: readonly Ask[], standing: Decided, input: EvaluateInput): Outcome => {
  const isExisting = standing.kind === 'exists'
  const account = isExisting ? judgeAccountRoles(asks.filter(isAccountAsk), standing.role) : NOTHING
  const rest = isExisting ? asks.filter((ask) => !isAccountAsk(ask)) : asks
  const fits = (ask: Ask): boolean => entitlementFitsAccount(standing.role, ask.entitlement)
  const merged = mergeSlots(rest.filter(fits))
  return {
    grants: withImplied([...account.grants, ...merged.grants], input.policy.policy.spaces.organizationRole),
    conflicts: [
      ...account.conflicts,
      ...misfitConflicts(rest.filter((ask) => !fits(ask)), standing),
      ...merged.conflicts,
    ],
  }
}

const roleToCreate = (standing: Standing, grants: readonly Grant[]): AccountRole | null => {
  if (standing.kind !== 'new' || grants.length === 0) return null
  const given = grants.find((grant) => grant.kind === 'account')
  return given?.kind === 'account' ? given.role : standing.role
}

/**
 * What a person should hold (design section 6). The same facts give the same answer in whatever order groups and mappings
 * come. Never throws, whatever groups are called.
 */
export const evaluate = (input: EvaluateInput): Evaluation => {
  const names = existingNames(input.organizationNames, input.spaceNames)
  const asked = askedBy(input.policy, input.groups, input.entitlements, names)
  const standing = standingOf(input, asked)
  const outcome =
    standing.kind === 'held'
      ? { grants: [], conflicts: [heldConflict(asked)] }
      : judge(
          asked.asks.filter((ask) => !ask.isForbidden),
          standing,
          input,
        )
  const conflicts = [...forbiddenConflicts(asked.asks), ...ambiguityConflicts(asked), ...outcome.conflicts]
  return {
    grants: inOrder(outcome.grants),
    accountRole: roleToCreate(standing, outcome.grants),
    conflicts: conflictsInOrder(conflicts),
    unmappedGroups: asked.unmappedGroups,
  }
}
