import type { PersonFacts, Refresh } from '../change'
import type { ScimError } from '../scim/error'
import { foldText } from '../scim/text'
import type { Result } from '../result'
import type { ScimContext } from './scimCommand'
import { ownUser, storePerson } from './told'
import { changeUser, findUser } from './users'

/**
 * What a provider tells of a person, stored where names are unique: a name that somebody else had is free once the provider has
 * given it away. Whatever cannot be stored of a person, their access ends when the provider says so.
 */

export interface Kept {
  /** Why it is not stored, for the journal; null when it is. */
  readonly sentence: string | null
  /** Whom the provider has to be asked about first or again. */
  readonly ask: readonly Refresh[]
}

export const KEPT: Kept = { sentence: null, ask: [] }

interface Holder {
  readonly [column: string]: string | number | null
  readonly id: string
  readonly external_id: string | null
  readonly active: number
}

const holderOf = ({ store, connection }: ScimContext, { id, userName }: PersonFacts): Holder | null =>
  store.sql.one<Holder>(
    `SELECT id, external_id, active FROM users WHERE connection_id = ? AND user_name_fold = ? AND external_id IS NOT NULL AND external_id <> ?`,
    connection.id, foldText(userName), id)

/** The name that a pull under way has for somebody: null when it has none for them, undefined when no pull has come to its end. */
export type StagedName = (externalId: string) => string | null | undefined

const hasGivenUp = (holder: Holder, userName: string, stagedName: StagedName): boolean => {
  if (holder.active === 0) return true
  const staged = holder.external_id === null ? null : stagedName(holder.external_id)
  return staged === null || (staged !== undefined && foldText(staged) !== foldText(userName))
}

/** The address stays with both: identity.ts holds the second (design section 10.1). */
const giveUpName = (context: ScimContext, holder: Holder, userName: string): Result<unknown, ScimError> | null => {
  const user = findUser(context, holder.id)
  return user === null ? null : changeUser(context, user, { ...user.user, userName: `${userName} (${holder.external_id ?? holder.id})` }, 'scim.patch')
}

const endAccess = (context: ScimContext, { id, userName, active }: PersonFacts): void => {
  const own = active ? null : ownUser(context, { id, userName })
  if (own?.user.active === true) changeUser(context, own, { ...own.user, active: false }, 'scim.patch')
}

/** `stagedName`: what a complete pull says of others; nothing is known of them where one person was asked about. */
export const keepPerson = (context: ScimContext, person: PersonFacts, stagedName: StagedName = () => undefined): Kept => {
  const holder = holderOf(context, person)
  if (holder !== null && hasGivenUp(holder, person.userName, stagedName)) giveUpName(context, holder, person.userName)
  const stored = storePerson(context, person)
  if (stored.ok) return KEPT
  endAccess(context, person)
  const ask: readonly Refresh[] = holder?.external_id === null || holder === null ? []
    : [{ kind: 'person', who: { id: holder.external_id, userName: null } }, { kind: 'person', who: { id: person.id, userName: null } }]
  return { sentence: stored.error.detail, ask }
}
