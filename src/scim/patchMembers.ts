/**
 * PATCH operations on the members of a Group, as changes to a set of ids. The members that are there are never needed: a group
 * of 100,000 is patched without reading it. Whether ids exist is for the caller to find out.
 */
import { err, ok } from '../result'
import type { Result } from '../result'
import { invalidFilter, mutability } from './error'
import type { ScimError } from './error'
import type { Filter } from './filter'
import { isObject } from './json'
import { distinctMembers, readMembers } from './member'
import type { Member } from './member'
import type { Step } from './patchAttribute'
import { isUnassigned, readString, removesEverything, unwrapSingle } from './quirks'

/** To be carried out in order. Removing who is not there, and adding who is, changes nothing. */
export type MemberOperation =
  | { readonly op: 'add'; readonly members: readonly Member[] }
  | { readonly op: 'remove'; readonly values: readonly string[] }
  | { readonly op: 'replace'; readonly members: readonly Member[] }
  | { readonly op: 'clear' }

type Operations = readonly MemberOperation[]

/** The ids that a filter selects, whoever is in the group; `all` where it selects every member. */
type Selection = ReadonlySet<string> | 'all'

const NOBODY: ReadonlySet<string> = new Set()

const intersect = (a: Selection, b: Selection): Selection =>
  a === 'all' ? b : b === 'all' ? a : new Set([...a].filter((id) => b.has(id)))

const unite = (a: Selection, b: Selection): Selection => (a === 'all' || b === 'all' ? 'all' : new Set([...a, ...b]))

/** RFC 7644 table 9 lets a comparison be refused that is not supported: others would have to read every member first. */
const unsupported = (): Result<never, ScimError> =>
  err(invalidFilter('Members are selected by "value eq", joined with "and" or "or", and by nothing else.'))

/** Every member is a User: groups are not taken as members, so `type` selects all or nobody. */
const select = (filter: Filter): Result<Selection, ScimError> => {
  if (filter.kind === 'and' || filter.kind === 'or') {
    let selection: Selection = filter.kind === 'and' ? 'all' : NOBODY
    for (const term of filter.terms) {
      const selected = select(term)
      if (!selected.ok) return selected
      selection = filter.kind === 'and' ? intersect(selection, selected.value) : unite(selection, selected.value)
    }
    return ok(selection)
  }
  if (filter.kind !== 'compare' || filter.operator !== 'eq') return unsupported()
  const literal = readString(filter.value)
  if (literal === undefined) return unsupported()
  const name = filter.name.toLowerCase()
  if (name === 'value') return ok(new Set([literal]))
  return name === 'type' ? ok(literal.toLowerCase() === 'user' ? 'all' : NOBODY) : unsupported()
}

const removing = (values: Iterable<string>): Operations => {
  const list = [...values]
  return list.length === 0 ? [] : [{ op: 'remove', values: list }]
}

const adding = (members: readonly Member[]): Operations => (members.length === 0 ? [] : [{ op: 'add', members }])

const cannotChange = (): Result<never, ScimError> => err(mutability('"members.value" cannot be changed, only added and removed.'))

/** `members` and `members.value` without a filter. */
const readWhole = ({ target, operation }: Step): Result<Operations, ScimError> => {
  const { op, value } = operation
  if (op === 'remove' && removesEverything(value)) return target.sub === null ? ok([{ op: 'clear' }]) : cannotChange()
  const members = readMembers(value)
  if (!members.ok) return members
  if (op === 'remove') return ok(removing(members.value.map((member) => member.value)))
  if (op === 'add') return ok(adding(members.value))
  return ok([members.value.length === 0 ? { op: 'clear' } : { op: 'replace', members: members.value }])
}

/** Add or replace through a filter: the selected are to be in the group, or another in their place. */
const readSelected = (selection: ReadonlySet<string>, { operation }: Step): Result<Operations, ScimError> => {
  const given = unwrapSingle(operation.value)
  if (isUnassigned(given)) return ok(operation.op === 'add' ? [] : removing(selection))
  const speaksOfAnother = !isObject(given) || Object.keys(given).some((name) => name.toLowerCase() === 'value')
  const members = speaksOfAnother ? readMembers(given) : ok([...selection].map((value) => ({ value })))
  if (!members.ok) return members
  const staying = new Set(members.value.map(({ value }) => value))
  const leaving = operation.op === 'replace' ? [...selection].filter((id) => !staying.has(id)) : []
  return ok([...removing(leaving), ...adding(members.value)])
}

const readFiltered = (filter: Filter, step: Step): Result<Operations, ScimError> => {
  const selected = select(filter)
  if (!selected.ok) return selected
  const selection = selected.value
  if (step.operation.op === 'remove') return ok(selection === 'all' ? [{ op: 'clear' }] : removing(selection))
  if (step.target.sub !== null) return cannotChange()
  return selection === 'all' ? unsupported() : readSelected(selection, step)
}

/** 400 `invalidValue` for what is no member, `invalidFilter` for other filters, `mutability` for writing `members[…].value`. */
export const readMemberOperations = (step: Step): Result<Operations, ScimError> => {
  const { sub, filter } = step.target
  // Names and locations of members are not kept, so there is nothing to do about them.
  if (sub !== null && sub.name !== 'value') return ok([])
  return filter === null ? readWhole(step) : readFiltered(filter, step)
}

/** Neighbours of one kind become one, so that a request of a thousand removals is one statement. */
export const mergeOperations = (operations: Operations): Operations => {
  const merged: MemberOperation[] = []
  let run: MemberOperation[] = []
  const flush = (): void => {
    const [first] = run
    if (first === undefined) return
    const members = run.flatMap((each) => (each.op === 'add' ? each.members : []))
    const values = run.flatMap((each) => (each.op === 'remove' ? each.values : []))
    if (first.op === 'add') merged.push({ op: 'add', members: distinctMembers(members) })
    else if (first.op === 'remove') merged.push({ op: 'remove', values: [...new Set(values)] })
    else merged.push(first)
    run = []
  }
  for (const operation of operations) {
    const isSameKind = run[0]?.op === operation.op && (operation.op === 'add' || operation.op === 'remove')
    if (!isSameKind) flush()
    run.push(operation)
  }
  flush()
  return merged
}
