/**
 * PATCH of `members` on a plain Set of ids (identity-providers D.1 rows 7 to 9 and 14, scim-decisions 8 and 19). Whether somebody
 * is known is asked at the very end.
 */
import type { Ask } from './filterModel'
import { Refused, isNothing, isObject } from './patchModel'
import type { Change, Named } from './patchModel'

const refuse = (scimType: string): never => {
  throw new Refused(scimType)
}

const idOf = (item: unknown): string => {
  const key = isObject(item) ? Object.keys(item).find((name) => name.toLowerCase() === 'value') : undefined
  const value = isObject(item) ? (key === undefined ? undefined : item[key]) : typeof item === 'string' ? item : undefined
  const text = typeof value === 'number' && (!Number.isInteger(value) || Number.isSafeInteger(value)) ? String(value) : value
  return typeof text === 'string' && text.trim() !== '' ? text : refuse('invalidValue')
}

const idsOf = (value: unknown): readonly string[] => (isNothing(value) ? [] : (Array.isArray(value) ? value : [value]).map(idOf))

type Selected = readonly string[] | 'everybody'

/** Whom a filter names, in the group or not; only equality of ids can be asked, and every member is a User. */
const selectedBy = (filter: Ask): Selected => {
  if (filter.kind === 'and' || filter.kind === 'or') {
    const parts = filter.terms.map(selectedBy)
    const lists = parts.filter((part) => part !== 'everybody')
    if (filter.kind === 'or') return lists.length < parts.length ? 'everybody' : lists.flat()
    const [first, ...others] = lists
    return first === undefined ? 'everybody' : first.filter((id) => others.every((list) => list.includes(id)))
  }
  if (filter.kind !== 'compare' || filter.operator !== 'eq') return refuse('invalidFilter')
  const { path: [name], wanted } = filter
  if (typeof wanted !== 'string' && typeof wanted !== 'number') return refuse('invalidFilter')
  if (name === 'value') return [String(wanted)]
  if (name !== 'type') return refuse('invalidFilter')
  return String(wanted).toLowerCase() === 'user' ? 'everybody' : []
}

const patchOnce = (members: ReadonlySet<string>, { op, value }: Change, { filter, sub }: Named): ReadonlySet<string> => {
  if (sub !== null && sub !== 'value') return members
  const without = (ids: readonly string[]): ReadonlySet<string> => new Set([...members].filter((id) => !ids.includes(id)))
  if (filter === null) {
    if (op === 'remove' && (value === undefined || value === null)) return sub === null ? new Set() : refuse('mutability')
    const ids = idsOf(value)
    return op === 'remove' ? without(ids) : new Set([...(op === 'add' ? members : []), ...ids])
  }
  const selected = selectedBy(filter)
  if (op === 'remove') return selected === 'everybody' ? new Set() : without(selected)
  if (sub !== null) return refuse('mutability')
  if (selected === 'everybody') return refuse('invalidFilter')
  const given = Array.isArray(value) && value.length === 1 ? (value[0] as unknown) : value
  if (isNothing(given)) return op === 'add' ? members : without(selected)
  const isAboutThem = isObject(given) && !Object.keys(given).some((name) => name.toLowerCase() === 'value')
  const ids = isAboutThem ? selected : idsOf(given)
  return new Set([...(op === 'replace' ? without(selected) : members), ...ids])
}

/** Who is in the group after the steps. */
export const patchMembers = (before: readonly string[], steps: readonly [Change, Named][]): ReadonlySet<string> =>
  steps.reduce<ReadonlySet<string>>((members, [change, named]) => patchOnce(members, change, named), new Set(before))
