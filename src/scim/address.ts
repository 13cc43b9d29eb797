/**
 * The address by which a user is known to Arize (design 10.1). Folding is trimming and ASCII A-Z to a-z, nothing else: two
 * addresses that differ otherwise may be two people. Chooses; never guesses.
 */
import { isObject } from './json'
import type { ScimUser } from './resource'

/** `userName` only where a connection says so. */
export type AddressRule = 'email' | 'userName'

const ADDRESS = /^[^\s@<>(),;:"[\]\\\p{Cc}]+@[^\s@<>(),;:"[\]\\\p{Cc}]+$/u

/** One `@` between two parts without spaces, control characters and the marks of address lists; at most 320 characters (RFC 3696). */
export const isAddress = (text: string): boolean => text.length <= 320 && ADDRESS.test(text)

export const foldAddress = (text: string): string => text.trim().replace(/[A-Z]/g, (letter) => letter.toLowerCase())

const addressOrNull = (text: string): string | null => {
  const folded = foldAddress(text)
  return isAddress(folded) ? folded : null
}

interface Email {
  readonly value: string
  readonly isPrimary: boolean
  readonly isWork: boolean
}

const emailsOf = (user: ScimUser): readonly Email[] => {
  const emails: readonly unknown[] = Array.isArray(user.emails) ? user.emails : []
  return emails.flatMap((email) =>
    isObject(email) && typeof email.value === 'string'
      ? [{
          value: email.value,
          isPrimary: email.primary === true,
          isWork: typeof email.type === 'string' && email.type.toLowerCase() === 'work',
        }]
      : [])
}

/** The only one, or nothing: of two work addresses neither is "the one of type work". */
const theOne = <T>(items: readonly T[]): T | undefined => (items.length === 1 ? items[0] : undefined)

/**
 * The primary e-mail, else the one of type work, else the only one, else userName; folded. Null when there is none, or when the
 * one so chosen is no address: no other e-mail ever stands in for it.
 */
export const primaryAddress = (user: ScimUser, rule: AddressRule): string | null => {
  if (rule === 'userName') return addressOrNull(user.userName)
  const emails = emailsOf(user)
  const email = emails.find(({ isPrimary }) => isPrimary) ?? theOne(emails.filter(({ isWork }) => isWork)) ?? theOne(emails)
  return addressOrNull(email === undefined ? user.userName : email.value)
}
