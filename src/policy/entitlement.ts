/**
 * What a policy can give: one role on one Arize resource, and the slot that it fills. Resources are named, not
 * identified: ids are found by the reconciler. Does not decide who gets anything (evaluate.ts does).
 */
import type { AccountRole, PredefinedRole, Role } from './role'

export type Entitlement =
  | { readonly kind: 'account'; readonly role: AccountRole }
  | { readonly kind: 'organization'; readonly organization: string; readonly role: Role }
  | { readonly kind: 'space'; readonly organization: string; readonly space: string; readonly role: Role }
  | {
      readonly kind: 'project'
      readonly organization: string
      readonly space: string
      readonly project: string
      readonly role: Role
    }
  | { readonly kind: 'developer' }

/** An entitlement on something that has a name. */
export type NamedEntitlement = Exclude<Entitlement, { kind: 'account' | 'developer' }>

export const isNamed = (entitlement: Entitlement): entitlement is NamedEntitlement =>
  entitlement.kind !== 'account' && entitlement.kind !== 'developer'

/**
 * Which mapping, through which group, says so. `implied` marks the organization role that a space grant needs;
 * `entitlement` says that `group` is not a group's name but a value of the user's `entitlements`.
 */
export interface Because {
  readonly mapping: string
  readonly group: string
  readonly implied?: true
  readonly entitlement?: true
}

/** An entitlement that a subject should hold, and everything that says so. */
export type Grant = Entitlement & { readonly because: readonly Because[] }

/** The slot of an entitlement by resource names. At most one role is held in a slot. */
export const slotOf = (entitlement: Entitlement): string => {
  switch (entitlement.kind) {
    case 'account':
    case 'developer':
      return JSON.stringify([entitlement.kind])
    case 'organization':
      return JSON.stringify(['organization', entitlement.organization])
    case 'space':
      return JSON.stringify(['space', entitlement.organization, entitlement.space])
    case 'project':
      return JSON.stringify(['project', entitlement.organization, entitlement.space, entitlement.project])
  }
}

/** A grant that is not given, and why, in a sentence for people. */
export type ConflictCode =
  /** Arize refuses the role on this kind of account (annotator rule). */
  | 'annotator_rule'
  /** No account yet and the groups ask for both kinds: `annotators.mixed` decides. */
  | 'annotator_mixed'
  /** The account has another account role, which the API cannot change. */
  | 'account_role'
  /** `allowAdmin` is not set. */
  | 'admin_not_allowed'
  /** A predefined and a custom role, or two custom roles, on one slot. */
  | 'slot'
  /** A pattern reads a group name in two valid ways. */
  | 'ambiguous_name'
  /** The organization, space, project or role does not exist in Arize. */
  | 'unresolved'
  /** The bridge has nothing that applies this kind of entitlement. */
  | 'unsupported'

export interface Conflict {
  readonly code: ConflictCode
  /**
   * What is not given (of a slot with several roles, the first); null when the conflict is not about one entitlement but
   * about a group's name or about everything that the person should have.
   */
  readonly entitlement: Entitlement | null
  readonly because: readonly Because[]
  /** What is wrong and what a human has to do about it. */
  readonly sentence: string
}

export type { AccountRole, PredefinedRole, Role }
