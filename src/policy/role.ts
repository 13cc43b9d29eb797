/**
 * Arize's roles, their order and their spellings. Predefined roles are told apart by name, custom roles by the name that
 * an administrator gave them. Does not know which resource a role is held on, nor whether an account may hold it
 * (annotator.ts does).
 */

/** Predefined organization and space roles (Arize API, `PredefinedRole`). ANNOTATOR is not comparable with the others. */
export const PREDEFINED_ROLES = ['ADMIN', 'MEMBER', 'READ_ONLY', 'ANNOTATOR'] as const
export type PredefinedRole = (typeof PREDEFINED_ROLES)[number]

/** Roles that an account may be created with. An account's role cannot be changed through the API afterwards. */
export const ACCOUNT_ROLES = ['ADMIN', 'MEMBER', 'ANNOTATOR'] as const
export type AccountRole = (typeof ACCOUNT_ROLES)[number]

/** A role on a resource. A custom role is named as in Arize's settings; its id is found when it is applied. */
export type Role =
  | { readonly type: 'PREDEFINED'; readonly name: PredefinedRole }
  | { readonly type: 'CUSTOM'; readonly name: string }

/** How the ledger, the journal and people write a role: `MEMBER`, or `custom:Prompt Reviewer`. */
export const roleKey = (role: Role): string => (role.type === 'PREDEFINED' ? role.name : `custom:${role.name}`)

/** The reverse of {@link roleKey}; null for a text that no role has. */
export const roleOfKey = (key: string): Role | null => {
  if (key.startsWith('custom:')) return { type: 'CUSTOM', name: key.slice('custom:'.length) }
  return isPredefinedRole(key) ? { type: 'PREDEFINED', name: key } : null
}

const isPredefinedRole = (name: string): name is PredefinedRole =>
  (PREDEFINED_ROLES as readonly string[]).includes(name)

const SPELLINGS: ReadonlyMap<string, PredefinedRole> = new Map([
  ['admin', 'ADMIN'],
  ['member', 'MEMBER'],
  ['readonly', 'READ_ONLY'],
  ['viewer', 'READ_ONLY'],
  ['annotator', 'ANNOTATOR'],
])

/** Any spelling of the four in Arize's dialects (`READ_ONLY`, `read-only`, `readOnly`, `viewer`); null for anything else. */
export const parseRole = (text: string): PredefinedRole | null =>
  SPELLINGS.get(text.toLowerCase().replaceAll(/[-_ ]/g, '')) ?? null

const RANK: Readonly<Record<PredefinedRole, number>> = { ANNOTATOR: 0, READ_ONLY: 1, MEMBER: 2, ADMIN: 3 }

/** The more permissive of two predefined roles: ADMIN > MEMBER > READ_ONLY > ANNOTATOR. */
export const mostPermissive = (a: PredefinedRole, b: PredefinedRole): PredefinedRole => (RANK[a] >= RANK[b] ? a : b)

/**
 * Whether going from one role to another takes something away, as the brake counts it. Between roles that cannot be
 * compared (custom ones) it is assumed that it does.
 */
export const isLowering = (from: Role, to: Role): boolean => {
  if (roleKey(from) === roleKey(to)) return false
  if (from.type === 'CUSTOM' || to.type === 'CUSTOM') return true
  return RANK[to.name] < RANK[from.name]
}
