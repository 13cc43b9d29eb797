import * as z from 'zod'
import type { Documents } from '../../lib/documents'

/** What a tenant consists of. People, groups and memberships are kept in the order of their last change, which is what a delta query walks through. */

export interface Person {
  readonly userPrincipalName: string
  readonly mail: string | null
  readonly displayName: string | null
  readonly givenName: string | null
  readonly surname: string | null
  readonly accountEnabled: boolean
  readonly otherMails: readonly string[]
  /** Null while the person is there; `changed` after a soft deletion, `deleted` after a permanent one. */
  readonly removed: 'changed' | 'deleted' | null
}

export interface Group {
  readonly displayName: string
  readonly removed: 'deleted' | null
}

/** By `{group}/{member}`. */
export interface Membership {
  readonly groupId: string
  readonly memberId: string
  readonly isMember: boolean
}

export interface Subscription {
  readonly resource: string
  readonly changeType: string
  readonly notificationUrl: string
  readonly lifecycleNotificationUrl: string | null
  readonly clientState: string | null
  readonly expirationDateTime: string
}

export const clientSchema = z.strictObject({
  secrets: z.array(z.string()).default([]),
  certificates: z.array(z.strictObject({ thumbprint: z.string(), jwk: z.looseObject({ kty: z.string() }) })).default([]),
  permissions: z.array(z.string()).default(['User.Read.All', 'GroupMember.Read.All']),
})

export type Client = z.infer<typeof clientSchema>

export const switchesSchema = z.strictObject({
  pageSize: z.int().min(1).max(999).optional(),
  tokenSeconds: z.int().min(1).max(86_400).optional(),
  isNotifying: z.boolean().optional(),
})

export interface Switches {
  readonly pageSize: number
  readonly tokenSeconds: number
  readonly isNotifying: boolean
  /** Links from before are forgotten. */
  readonly epoch: number
}

const DEFAULT: Switches = { pageSize: 100, tokenSeconds: 3599, isNotifying: true, epoch: 0 }

export const switchesOf = (documents: Documents): Switches => ({ ...DEFAULT, ...documents.get<Partial<Switches>>('switches', '') })

export interface Token {
  readonly permissions: readonly string[]
  readonly expiresAt: number
}

export const findPerson = (documents: Documents, name: string): { readonly id: string; readonly data: Person } | null => {
  const folded = name.toLowerCase()
  const found = documents.list<Person>('person').find(({ id, data }) => id.toLowerCase() === folded || data.userPrincipalName.toLowerCase() === folded)
  return found === undefined || found.data.removed !== null ? null : found
}

export const findGroup = (documents: Documents, id: string): Group | null => {
  const group = documents.get<Group>('group', id)
  return group === undefined || group.removed !== null ? null : group
}

/** Those who are there, in the order in which they came. */
export const membersOf = (documents: Documents, groupId: string): readonly string[] =>
  documents.list<Membership>('membership').filter(({ data }) => data.groupId === groupId && data.isMember).map(({ data }) => data.memberId)

export const putMembership = (documents: Documents, groupId: string, memberId: string, isMember: boolean): void => {
  const id = `${groupId}/${memberId}`
  if ((documents.get<Membership>('membership', id)?.isMember ?? false) === isMember) return
  documents.append('membership', id, { groupId, memberId, isMember } satisfies Membership)
}
