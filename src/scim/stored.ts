/**
 * What a row of the tables holds of a resource: the JSON of the `data` and `fold` columns and the columns that filters use. The
 * contract between this folder and the Directory; writes nothing.
 */
import { etagOf } from './etag'
import type { JsonObject } from './json'
import { foldOf } from './resource'
import type { ScimGroup, ScimUser } from './resource'
import type { ResourceType } from './schema'
import { foldText } from './text'

/** What this server decides about a resource. Times are ISO 8601 with milliseconds, in UTC. */
export interface Identity {
  readonly id: string
  readonly created: string
  readonly modified: string
  readonly version: number
}

const stored = (resourceType: ResourceType, resource: JsonObject, { id, created, modified, version }: Identity): JsonObject => {
  const { schemas, id: _id, externalId, meta: _meta, ...rest } = resource
  return {
    schemas,
    id,
    ...(externalId === undefined ? {} : { externalId }),
    meta: { resourceType, created, lastModified: modified, version: etagOf(version) },
    ...rest,
  }
}

/** The wire JSON but for `meta.location` and `groups`. */
export const storedUser = (user: ScimUser, identity: Identity): JsonObject => stored('User', user, identity)

/** The wire JSON but for `meta.location` and `members`. */
export const storedGroup = (group: ScimGroup, identity: Identity): JsonObject => stored('Group', group, identity)

interface Texts {
  readonly externalId: string | null
  /** What {@link Texts.data} says. */
  readonly resource: JsonObject
  /** JSON. */
  readonly data: string
  /** JSON: `data` as filters compare it. */
  readonly fold: string
}

export interface UserColumns extends Texts {
  readonly userName: string
  readonly userNameFold: string
  readonly active: 0 | 1
}

export interface GroupColumns extends Texts {
  readonly displayName: string
  readonly displayNameFold: string
}

const textsOf = (data: JsonObject, externalId: string | undefined): Texts => ({
  externalId: externalId ?? null,
  resource: data,
  data: JSON.stringify(data),
  fold: JSON.stringify(foldOf(data)),
})

export const userColumns = (user: ScimUser, identity: Identity): UserColumns => ({
  ...textsOf(storedUser(user, identity), user.externalId),
  userName: user.userName,
  userNameFold: foldText(user.userName),
  active: user.active ? 1 : 0,
})

export const groupColumns = (group: ScimGroup, identity: Identity): GroupColumns => ({
  ...textsOf(storedGroup(group, identity), group.externalId),
  displayName: group.displayName,
  displayNameFold: foldText(group.displayName),
})
