/**
 * The members of a Group as requests write them. A member is an id; what a client says about its name or location is heard and
 * not kept, since both are known better here. Whether an id exists is not asked.
 */
import { err, ok } from '../result'
import type { Result } from '../result'
import { invalidValue } from './error'
import type { ScimError } from './error'
import { isObject } from './json'
import type { JsonObject } from './json'
import { isUnassigned, readString, readValueObject } from './quirks'

export interface Member {
  readonly value: string
  readonly display?: string
  readonly type?: 'User' | 'Group'
}

const fieldOf = (object: JsonObject, name: string): unknown =>
  Object.entries(object).findLast(([key]) => key.toLowerCase() === name)?.[1]

const readType = (value: unknown): 'User' | 'Group' | undefined => {
  const type = readString(value)?.toLowerCase()
  return type === 'user' ? 'User' : type === 'group' ? 'Group' : undefined
}

const readMember = (item: unknown, at: string): Result<Member, ScimError> => {
  const object = readValueObject(item)
  if (object === undefined) return err(invalidValue(`"${at}" must be an object with a "value", or an id.`))
  const value = readString(fieldOf(object, 'value'))
  if (value === undefined || value.trim() === '') return err(invalidValue(`"${at}.value" is required.`))
  if (value.includes('\u0000')) return err(invalidValue(`"${at}.value" has a character U+0000.`))
  const display = readString(fieldOf(object, 'display')) ?? ''
  const type = readType(fieldOf(object, 'type'))
  return ok({
    value: value.toWellFormed(),
    ...(display === '' ? {} : { display }),
    ...(type === undefined ? {} : { type }),
  })
}

/** An id is named once, wherever it stands first. */
export const distinctMembers = (members: readonly Member[]): readonly Member[] => {
  const byValue = new Map<string, Member>()
  for (const member of members) if (!byValue.has(member.value)) byValue.set(member.value, member)
  return byValue.size === members.length ? members : [...byValue.values()]
}

/**
 * A list of members, one member, a list of ids or one id (E-33 to E-35); `null`, `""` and `[]` are nobody. 400 `invalidValue`
 * naming the entry.
 */
export const readMembers = (value: unknown): Result<readonly Member[], ScimError> => {
  if (isUnassigned(value)) return ok([])
  const items: readonly unknown[] = Array.isArray(value) ? value : [value]
  const members: Member[] = []
  for (const [index, item] of items.entries()) {
    const member = readMember(item, isObject(value) ? 'members' : `members[${index}]`)
    if (!member.ok) return member
    members.push(member.value)
  }
  return ok(distinctMembers(members))
}
