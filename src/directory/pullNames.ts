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
  /** Whom the provider has to be asked about. */
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

/** What the provider says now of somebody's name: null when it does not know them, undefined when it was not asked. */
export type NameNow = (externalId: string) => string | null | undefined

const UNASKED: NameNow = () => undefined

const hasGivenUp = (holder: Holder, userName: string, nameNow: NameNow): boolean => {
  if (holder.active === 0) return true
  const name = holder.external_id === null ? null : nameNow(holder.external_id)
  return name === null || (name !== undefined && foldText(name) !== foldText(userName))
}

/** Who has the person's name here, and has to be asked about before the person can have it. Null when nobody has. */
export const holderOfName = (context: ScimContext, person: PersonFacts): string | null => {
  const holder = holderOf(context, person)
  return holder === null || hasGivenUp(holder, person.userName, UNASKED) ? null : holder.external_id
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

/** What the provider said of a person, with what it says of others' names. */
export const keepPerson = (context: ScimContext, person: PersonFacts, nameNow: NameNow = UNASKED): Kept => {
  const holder = holderOf(context, person)
  if (holder !== null && hasGivenUp(holder, person.userName, nameNow)) giveUpName(context, holder, person.userName)
  const stored = storePerson(context, person)
  if (stored.ok) return KEPT
  endAccess(context, person)
  return { sentence: stored.error.detail, ask: holder === null ? [] : [{ kind: 'person', who: { id: person.id, userName: null } }] }
}
