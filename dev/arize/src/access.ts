/**
 * Who sees and may change what. Rights come down from above: an account admin administers every organization, an
 * organization admin every space in it. Whoever may not see a thing gets 404, whoever sees it and may not act gets 403.
 */
import type { Call } from './call'
import { first } from './sql'

export const organizationRole = (call: Call, organization: number): string | undefined =>
  first<{ role: string }>(
    call.sql,
    'SELECT role FROM organization_members WHERE organization = ? AND user = ?',
    organization,
    call.caller.n,
  )?.role

export const administersOrganization = (call: Call, organization: number): boolean =>
  call.caller.isAdmin || organizationRole(call, organization) === 'ADMIN'

export const seesOrganization = (call: Call, organization: number): boolean =>
  call.caller.isAdmin || organizationRole(call, organization) !== undefined

/** As much of a space as rights depend on. */
export type Place = { readonly n: number; readonly organization: number; readonly is_private: number }

export const administersSpace = (call: Call, space: Place): boolean =>
  administersOrganization(call, space.organization) ||
  first(
    call.sql,
    `SELECT 1 FROM space_members WHERE space = ? AND user = ? AND role = 'ADMIN'`,
    space.n,
    call.caller.n,
  ) !== undefined

/** A right that a custom role gives on the space. */
export const holdsPermission = (call: Call, space: Place, permission: string): boolean =>
  first(
    call.sql,
    `SELECT 1 FROM bindings b JOIN roles r ON r.n = b.role, json_each(r.permissions) p
     WHERE b.user = ? AND b.space = ? AND r.is_deleted = 0 AND p.value = ?`,
    call.caller.n,
    space.n,
    permission,
  ) !== undefined

/** SQL over `s`, a row of spaces: whether the user ?1 has a role in it, or it is public in an organization of theirs. */
export const SPACE_IS_SEEN = `(
  EXISTS (SELECT 1 FROM space_members m WHERE m.space = s.n AND m.user = ?1)
  OR EXISTS (SELECT 1 FROM bindings b WHERE b.space = s.n AND b.user = ?1)
  OR EXISTS (SELECT 1 FROM organization_members o WHERE o.organization = s.organization AND o.user = ?1
             AND (s.is_private = 0 OR o.role = 'ADMIN')))`

export const seesSpace = (call: Call, space: Place): boolean =>
  call.caller.isAdmin ||
  first(call.sql, `SELECT 1 FROM spaces s WHERE s.n = ?2 AND ${SPACE_IS_SEEN}`, call.caller.n, space.n) !== undefined

/** "Requires account admin role, account member role, or USER_READ permission": everybody but annotators. */
export const seesUsers = (call: Call): boolean => call.caller.role !== 'ANNOTATOR'
