import * as z from 'zod'
import type { ArizeError, SendableRole } from '../reconcile/target'
import { ok, type Result } from '../result'
import { as, type Reader } from './client'
import { contradiction } from './error'
import { idSchema, isSameId } from './id'
import { contradicts, roleSchema, type RoleSeen } from './roles'

/** A membership as the answer to its upsert shows it: the only place where REST ever does. */
export interface MembershipSeen {
  readonly userId: string
  readonly resourceId: string
  readonly role: RoleSeen
}

/** Reads `{"user_id", "role", <resource>: id}`. */
export const asMembership = (resource: 'organization_id' | 'space_id'): Reader<MembershipSeen> => {
  const read = as(z.object({ user_id: idSchema, role: roleSchema }))
  const readResource = as(z.object({ [resource]: idSchema }))
  return (data, status) => {
    const membership = read(data, status)
    const resourceId = readResource(data, status)?.[resource]
    if (membership === null || resourceId === undefined) return null
    return { userId: membership.user_id, resourceId, role: membership.role }
  }
}

/** A success that tells of another person, resource or role is none: what was asked may or may not have been done. */
export const confirm = (
  seen: Result<MembershipSeen, ArizeError>,
  userId: string,
  resourceId: string,
  role: SendableRole,
): Result<void, ArizeError> => {
  if (!seen.ok) return seen
  const { value } = seen
  if (!isSameId(value.userId, userId)) return contradiction('It shows the membership of another user.')
  if (!isSameId(value.resourceId, resourceId)) return contradiction('It shows a membership elsewhere.')
  if (contradicts(value.role, role)) return contradiction('It shows another role.')
  return ok(undefined)
}
