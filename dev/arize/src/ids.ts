/**
 * Ids as Arize makes them: standard base64 of `Type:number:salt`. On purpose all of these end in `=`, and two in three hold
 * `/` or `+`, so that a client that does not percent-encode them, or that decodes them, breaks here and not at a customer's.
 */
import * as z from 'zod'

/** A project is a `Model` inside Arize. */
export type IdType =
  | 'User'
  | 'Organization'
  | 'Space'
  | 'Model'
  | 'Role'
  | 'RoleBinding'
  | 'ApiKey'
  | 'AccountOrganizationMember'
  | 'SpaceMember'

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** A third byte of `?` becomes `/` and one of `~` becomes `+`: no letter or digit ever does. */
const MARKS = ['?', '~', ''] as const

export const makeId = (type: IdType, n: number): string => {
  const head = `${type}:${n}:`
  const letters = [...crypto.getRandomValues(new Uint8Array(4))].map((byte) => LETTERS.charAt(byte % LETTERS.length))
  const mark = MARKS[n % MARKS.length] ?? ''
  const salt = letters.map((letter, i) => (mark !== '' && (head.length + i) % 3 === 2 ? mark : letter)).join('')
  const text = head + salt
  return btoa(text.length % 3 === 0 ? `${text}z` : text)
}

/** What Arize's own documentation shows for an id of this type; the salt is not always there. */
const SPELLINGS: Partial<Record<IdType, string>> = {
  Organization: '(?:Account)?Organization',
  Model: '(?:Model|Project)',
}

const MAX_LENGTH = 200

export const isId = (type: IdType, text: string): boolean => {
  if (text.length > MAX_LENGTH || text.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return false
  return new RegExp(`^${SPELLINGS[type] ?? type}:\\d+(?::[^:]+)?$`).test(atob(text))
}

export const idOf = (type: IdType) =>
  z.string().refine((text) => isId(type, text), { error: `must be the id of a ${type}` })
