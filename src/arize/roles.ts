import * as z from 'zod'
import { parseRole, type PredefinedRole } from '../policy/role'
import type { Named, SendableRole } from '../reconcile/target'
import type { ArizeClient } from './client'
import type { Reply } from './error'
import { idSchema, isSameId } from './id'
import { asPage, readAll } from './page'

/** A predefined role as requests carry it since Arize 11.40 (July 2026). */
export interface PredefinedAssignment<Name extends PredefinedRole> {
  type: 'PREDEFINED'
  name: Name
}

/** A custom role as requests carry it. Its name is Arize's to say, and refused in a request. */
export interface CustomAssignment {
  type: 'CUSTOM'
  id: string
}

export const writePredefined = <Name extends PredefinedRole>(name: Name): PredefinedAssignment<Name> => ({
  type: 'PREDEFINED',
  name,
})

/** The one place that writes a role. */
export const writeRole = (role: SendableRole): PredefinedAssignment<PredefinedRole> | CustomAssignment =>
  role.type === 'PREDEFINED' ? writePredefined(role.name) : { type: 'CUSTOM', id: role.id }

/** A role as Arize answers it: a text that this version need not know. */
export interface RoleSeen {
  readonly isCustom: boolean
  readonly name: string | null
  readonly id: string | null
}

const optionalText = z.string().nullable().catch(null)

/** A role in an answer, in whatever form: an unknown one is no reason to disbelieve the rest of the answer. */
export const roleSchema = z
  .union([
    z.string().transform((name): RoleSeen => ({ isCustom: false, name, id: null })),
    z.object({ type: optionalText, name: optionalText, id: optionalText }).transform(
      ({ type, name, id }): RoleSeen => ({ isCustom: type?.toUpperCase() === 'CUSTOM', name, id }),
    ),
  ])
  .catch({ isCustom: false, name: null, id: null })

/** How the rest of the bridge names a role: `MEMBER`, `custom:Prompt Reviewer`, or a name that it does not know. */
export const nameOfRole = ({ isCustom, name, id }: RoleSeen): string =>
  isCustom ? `custom:${name ?? id ?? ''}` : (name ?? 'UNKNOWN')

/** Whether an answer says another role than was asked for. A role that cannot be read contradicts nothing. */
export const contradicts = (seen: RoleSeen, asked: SendableRole): boolean => {
  if (asked.type === 'CUSTOM') return seen.isCustom ? seen.id !== null && !isSameId(seen.id, asked.id) : seen.name !== null
  if (seen.isCustom) return true
  const name = seen.name === null ? null : parseRole(seen.name)
  return name !== null && name !== asked.name
}

const customRoleSchema = z.object({ id: idSchema, name: z.string(), is_predefined: z.boolean().catch(false) })

/** `GET /v2/roles`: the roles that the account's administrators made. */
export const listCustomRoles = async (client: ArizeClient): Reply<readonly Named[]> => {
  const page = asPage('roles', customRoleSchema)
  const roles = await readAll((query) =>
    client.call((api) => api.GET('/v2/roles', { params: { query: { ...query, is_predefined: false } } }), page),
  )
  if (!roles.ok) return roles
  return { ok: true, value: roles.value.filter((role) => !role.is_predefined).map(({ id, name }) => ({ id, name })) }
}
