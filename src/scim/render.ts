/**
 * Stored resources as answers: the stored JSON plus what is known only when it is sent (location, groups, members), and the
 * list message. Projection comes after (project.ts).
 */
import type { JsonObject } from './json'
import type { Member } from './member'
import { ENTERPRISE_SCHEMA, PROVISIONING_SCHEMA } from './schema'

const LIST_SCHEMA = 'urn:ietf:params:scim:api:messages:2.0:ListResponse'

/** A group that a user is in. */
export interface GroupReference {
  readonly value: string
  readonly display: string
}

const locationOf = (base: string, endpoint: 'Users' | 'Groups', id: unknown): string =>
  `${base.replace(/\/$/, '')}/${endpoint}/${encodeURIComponent(String(id))}`

const withLocation = (resource: JsonObject, location: string): JsonObject => ({
  ...resource,
  meta: { ...(typeof resource.meta === 'object' ? resource.meta : {}), location },
})

export interface UserView {
  /** The absolute SCIM base (`https://…/scim/v2`). */
  readonly base: string
  /** Left out of the answer when empty (D.3 row 12). */
  readonly groups?: readonly GroupReference[]
  /** What our extension says of the user. */
  readonly provisioning?: JsonObject
}

const schemasWith = (schemas: unknown, extension: string): readonly unknown[] => [...(Array.isArray(schemas) ? schemas : []), extension]

export const renderUser = (data: JsonObject, { base, groups = [], provisioning }: UserView): JsonObject => {
  const user = withLocation(data, locationOf(base, 'Users', data.id))
  if (groups.length === 0 && provisioning === undefined) return user
  // Extensions stay last, as in the RFC's own examples.
  const { [ENTERPRISE_SCHEMA]: enterprise, ...core } = user
  return {
    ...core,
    ...(provisioning === undefined ? {} : { schemas: schemasWith(core.schemas, PROVISIONING_SCHEMA) }),
    ...(groups.length === 0
      ? {}
      : { groups: groups.map(({ value, display }) => ({ value, $ref: locationOf(base, 'Groups', value), display, type: 'direct' })) }),
    ...(enterprise === undefined ? {} : { [ENTERPRISE_SCHEMA]: enterprise }),
    ...(provisioning === undefined ? {} : { [PROVISIONING_SCHEMA]: provisioning }),
  }
}

/** `members` is left out when it is not given, and `[]` when there are none (E-30). */
export const renderGroup = (
  data: JsonObject, { base, members }: { readonly base: string; readonly members?: readonly Member[] },
): JsonObject => ({
  ...withLocation(data, locationOf(base, 'Groups', data.id)),
  ...(members === undefined ? {} : { members: members.map((member) => renderMember(base, member)) }),
})

const renderMember = (base: string, { value, display, type = 'User' }: Member): JsonObject => ({
  value,
  $ref: locationOf(base, type === 'User' ? 'Users' : 'Groups', value),
  ...(display === undefined ? {} : { display }),
  type,
})

export interface Page {
  /** Of all matches, not of this page. */
  readonly totalResults: number
  /** As the client asked: gallery tests want it echoed (B.6). */
  readonly startIndex: number
  readonly resources: readonly JsonObject[]
}

export const listResponse = ({ totalResults, startIndex, resources }: Page): JsonObject => ({
  schemas: [LIST_SCHEMA],
  totalResults,
  startIndex,
  itemsPerPage: resources.length,
  Resources: resources,
})
