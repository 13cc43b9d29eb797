/**
 * A request that writes, read into the command that it asks for: method, type and body, whether they came by themselves or
 * inside of a bulk request. Needs no stored resource, and says nothing of media types or sizes.
 */
import { ok } from '../result'
import type { Result } from '../result'
import type { ScimError } from './error'
import { readPatch } from './patch'
import type { PatchOperation } from './patch'
import type { Projection } from './query'
import { readGroup, readUser } from './resource'
import type { Member, ScimGroup, ScimUser } from './resource'
import type { ResourceType } from './schema'

export interface View extends Projection {
  /** The If-None-Match header. Looked at by `get` only. */
  readonly ifNoneMatch: string | null
}

interface Guarded {
  readonly type: ResourceType
  readonly id: string
  /** The If-Match header. */
  readonly ifMatch: string | null
}

export type WriteCommand =
  | { readonly op: 'createUser'; readonly user: ScimUser; readonly view?: View }
  | { readonly op: 'createGroup'; readonly group: ScimGroup; readonly members: readonly Member[]; readonly view?: View }
  | ({ readonly op: 'replace'; readonly body: unknown; readonly view: View } & Guarded)
  | ({ readonly op: 'patch'; readonly operations: readonly PatchOperation[]; readonly view: View } & Guarded)
  | ({ readonly op: 'delete' } & Guarded)

export type WriteMethod = 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** POST. 400 `invalidSyntax` or `invalidValue` for a body that is no such resource. */
export const readCreate = (type: ResourceType, body: unknown, view: View): Result<WriteCommand, ScimError> => {
  if (type === 'User') {
    const user = readUser(body)
    return user.ok ? ok({ op: 'createUser', user: user.value, view }) : user
  }
  const group = readGroup(body)
  return group.ok ? ok({ op: 'createGroup', group: group.value.group, members: group.value.members ?? [], view }) : group
}

/** PUT, whose body is read over the stored resource later, and PATCH, whose errors are those of readPatch. */
export const readChange = (
  method: 'PUT' | 'PATCH', guarded: Guarded, body: unknown, view: View,
): Result<WriteCommand, ScimError> => {
  if (method === 'PUT') return ok({ op: 'replace', ...guarded, body, view })
  const operations = readPatch(body)
  return operations.ok ? ok({ op: 'patch', ...guarded, operations: operations.value, view }) : operations
}
