/**
 * Arize's annotator rule as a table: an ANNOTATOR account holds only ANNOTATOR roles, and any other account never holds
 * one (Arize API, add-user to an organization or a space: 400). Does not say what becomes of a role that does not fit
 * (evaluate.ts does).
 */
import type { Entitlement } from './entitlement'
import { parseRole, type AccountRole, type PredefinedRole, type Role } from './role'

type Kind = PredefinedRole | 'CUSTOM'

/** Whether an account of the role on the left may hold the organization or space role above. */
export const ANNOTATOR_MATRIX: Readonly<Record<AccountRole, Readonly<Record<Kind, boolean>>>> = {
  ADMIN: { ADMIN: true, MEMBER: true, READ_ONLY: true, ANNOTATOR: false, CUSTOM: true },
  MEMBER: { ADMIN: true, MEMBER: true, READ_ONLY: true, ANNOTATOR: false, CUSTOM: true },
  ANNOTATOR: { ADMIN: false, MEMBER: false, READ_ONLY: false, ANNOTATOR: true, CUSTOM: false },
}

/** Whether an account with this account role, as Arize names it, is an annotator's. A name we do not know is not. */
const isAnnotatorAccount = (accountRole: string): boolean => parseRole(accountRole) === 'ANNOTATOR'

/** Whether Arize lets an account with this account role hold the role on an organization or a space. */
export const fitsAccount = (accountRole: string, role: Role): boolean =>
  ANNOTATOR_MATRIX[isAnnotatorAccount(accountRole) ? 'ANNOTATOR' : 'MEMBER'][
    role.type === 'CUSTOM' ? 'CUSTOM' : role.name
  ]

/**
 * The kind of account that an entitlement is for. Project roles are custom ones, and an annotator's account has no
 * developer access.
 */
export const isForAnnotators = (entitlement: Entitlement): boolean => {
  if (entitlement.kind === 'developer' || entitlement.kind === 'project') return false
  if (entitlement.kind === 'account') return entitlement.role === 'ANNOTATOR'
  return entitlement.role.type === 'PREDEFINED' && entitlement.role.name === 'ANNOTATOR'
}

/** Whether an account with this account role may hold the entitlement. */
export const entitlementFitsAccount = (accountRole: string, entitlement: Entitlement): boolean =>
  isAnnotatorAccount(accountRole) === isForAnnotators(entitlement)
