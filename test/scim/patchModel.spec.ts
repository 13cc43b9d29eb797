import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { forget, idOf, membersOf, openScim, person } from '../directory/scimClient'
import type { Answer, Client, ScimWorld } from '../directory/scimClient'
import { patchUser, readPatch } from '../../src/scim/patch'
import { readUser } from '../../src/scim/resource'
import { PROVISIONING_SCHEMA } from '../../src/scim/schema'
import { bodies } from './arbitraries'
import { CORE, ENTERPRISE } from './model/attributes'
import { randomFrom } from './model/filterText'
import { patchMembers } from './model/memberModel'
import { groupChanges, userChanges, write } from './model/patchArbitrary'
import { Refused, clean, isObject, isSameJson, patchResource, stepsOf } from './model/patchModel'
import type { Change, Json, Named } from './model/patchModel'

/** What the model says of a resource: what becomes of it, or why not. */
type Expected = { readonly after: Json } | { readonly refused: string }

const attempt = <T>(work: () => T): T | string => {
  try {
    return work()
  } catch (error) {
    if (error instanceof Refused) return error.message
    throw error
  }
}

/** What a client may have written. */
const own = (resource: Json): Json => {
  const { schemas: _schemas, id: _id, meta: _meta, groups: _groups, members: _members, [PROVISIONING_SCHEMA]: _ours, ...rest } = resource
  return rest
}

const userAfter = (before: Json, changes: readonly Change[]): Expected => {
  const after = attempt(() => patchResource('User', before, stepsOf(changes)))
  return typeof after === 'string' ? { refused: after } : { after }
}

const schemasOf = (user: Json): readonly string[] => (user[ENTERPRISE] === undefined ? [CORE.User] : [CORE.User, ENTERPRISE])

const seeds = fc.integer()

/** So that a case that is refused for a slip of the generator does not count as one. */
const tally = () => ({ changed: 0, unchanged: 0, refused: 0 })

describe('PATCH of a User', () => {
  it('does what it means, in 3,000 random cases', () => {
    const seen = tally()
    fc.assert(fc.property(bodies('User'), userChanges, seeds, (body, wanted, seed) => {
      const user = readUser(body)
      if (!user.ok) throw new Error(user.error.detail)
      const before = own(user.value)
      const { operations, changes } = write(randomFrom(seed), wanted, 'User')
      const text = JSON.stringify(operations)
      const expected = userAfter(before, changes)
      const read = readPatch({ Operations: operations })
      const patched = read.ok ? patchUser(user.value, read.value) : read
      if ('refused' in expected) {
        seen.refused += 1
        expect([text, patched.ok ? patched.value : patched.error.scimType]).toEqual([text, expected.refused])
        return
      }
      if (!patched.ok) throw new Error(`${text} is refused: ${patched.error.detail}`)
      const isChanged = !isSameJson(before, expected.after)
      seen[isChanged ? 'changed' : 'unchanged'] += 1
      expect([text, own(patched.value.user)]).toEqual([text, expected.after])
      expect([text, patched.value.changed]).toEqual([text, isChanged])
      expect(patched.value.user.schemas).toEqual(schemasOf(expected.after))
    }), { numRuns: 3000 })
    expect(Math.min(seen.changed, seen.unchanged, seen.refused)).toBeGreaterThan(150)
  }, 60_000)

  it('in the Directory is all or nothing, and moves version and time only when something changed, in 500 random cases', async () => {
    await openScim((world) => {
      const { okta, store } = world
      fc.assert(fc.property(bodies('User'), userChanges, seeds, (body, wanted, seed) => {
        store.sql.run(`DELETE FROM users`)
        const id = idOf(okta.post('User', body))
        const before = okta.get('User', id).body
        store.clock.at += 1000
        const { operations, changes } = write(randomFrom(seed), wanted, 'User')
        const expected = userAfter(own(before), changes)
        const rows = JSON.stringify(world.dump())
        const answer = okta.patch('User', id, operations.filter(isObject))
        const after = okta.get('User', id).body
        const isChanged = 'after' in expected && !isSameJson(own(before), expected.after)
        expect(outcomeOf(answer)).toEqual('refused' in expected ? [400, expected.refused] : [200, undefined])
        if (!isChanged) expect(JSON.stringify(world.dump())).toBe(rows)
        else expect(own(after)).toEqual(expected.after)
        if (answer.status === 200) expect(answer.body).toEqual(after)
        expect(isMoved(before, after)).toBe(isChanged)
        okta.remove('User', id)
        forget(world)
      }), { numRuns: 500 })
    })
  }, 60_000)
})

const outcomeOf = ({ status, body }: Answer): readonly unknown[] => [status, status < 400 ? undefined : body.scimType]

const isMoved = (before: Json, after: Json): boolean => {
  const [old, now] = [before.meta, after.meta]
  if (!isObject(old) || !isObject(now)) throw new Error('no meta')
  const isLater = String(now.lastModified) > String(old.lastModified)
  expect(now.version !== old.version).toBe(isLater)
  expect(now.created).toBe(old.created)
  return isLater
}

const seedPeople = (client: Client): readonly string[] => ['ada', 'bob', 'cyd', 'dan'].map((name) => idOf(client.post('User', person(name))))

interface GroupOutcome {
  /** Any of them may be named when there are several. */
  readonly refused: readonly string[]
  readonly after: Json
  readonly members: ReadonlySet<string>
}

const isOfMembers = ([, { path }]: readonly [Change, Named]): boolean => path[0] === 'members'

const groupAfter = (before: Json, members: readonly string[], changes: readonly Change[]): GroupOutcome => {
  const steps = attempt(() => stepsOf(changes))
  if (typeof steps === 'string') return { refused: [steps], after: before, members: new Set(members) }
  const after = attempt(() => patchResource('Group', before, steps.filter((step) => !isOfMembers(step))))
  const inIt = attempt(() => patchMembers(members, steps.filter(isOfMembers)))
  return {
    refused: [after, inIt].filter((each) => typeof each === 'string'),
    after: typeof after === 'string' ? before : after, members: typeof inIt === 'string' ? new Set(members) : inIt,
  }
}

/** Everything about one random request, from the table rows before it to those after it. */
const checkGroup = (world: ScimWorld, people: readonly string[], [body, there, wanted, seed]: readonly [Json, readonly number[], (ids: readonly string[]) => readonly Change[], number]): keyof ReturnType<typeof tally> => {
  const { okta, store } = world
  const members = [...new Set(there.map((index) => people[index] ?? ''))].toSorted()
  store.sql.run(`DELETE FROM groups`)
  const id = idOf(okta.post('Group', { ...body, members }))
  const before = okta.get('Group', id).body
  expect(membersOf({ ...NONE, body: before }).toSorted()).toEqual(members)
  store.clock.at += 1000
  const { operations, changes } = write(randomFrom(seed), wanted(people), 'Group')
  const text = JSON.stringify(operations)
  const expected = groupAfter(own(before), members, changes)
  const known = [...expected.members].filter((member) => people.includes(member)).toSorted()
  const isChanged = !isSameJson(own(before), expected.after) || !isSameJson(members, known)
  // Ids that nobody has are skipped when the rest changes something (scim-decisions 19).
  const isVain = !isChanged && expected.members.size > known.length
  const refused = expected.refused.length > 0 ? expected.refused : isVain ? ['invalidValue'] : []
  const rows = JSON.stringify(world.dump())
  const answer = okta.patch('Group', id, operations.filter(isObject))
  const after = okta.get('Group', id).body
  if (refused.length > 0 || !isChanged) expect([text, JSON.stringify(world.dump())]).toEqual([text, rows])
  if (refused.length > 0) {
    expect([text, answer.status, refused.includes(String(answer.body.scimType))]).toEqual([text, 400, true])
  } else {
    expect([text, ...outcomeOf(answer)]).toEqual([text, 204, undefined])
    expect([text, own(after), membersOf({ ...NONE, body: after }).toSorted()]).toEqual([text, expected.after, known])
    expect([text, isMoved(before, after)]).toEqual([text, isChanged])
  }
  okta.remove('Group', id)
  forget(world)
  return refused.length > 0 ? 'refused' : isChanged ? 'changed' : 'unchanged'
}

const NONE = { status: 200, etag: null, location: null }

describe('PATCH of a Group', () => {
  it('does to the rows what it means for a set, in 1,500 random cases', async () => {
    const seen = tally()
    const people = ['{0}', '{1}', '{2}', '{3}']
    /** The ids of people are known when the store is open; until then they have numbers. */
    const placed = (ids: readonly string[], changes: readonly Change[]): readonly Change[] =>
      JSON.parse(JSON.stringify(changes).replace(/\{(\d)\}/g, (_whole, index: string) => ids[Number(index)] ?? '')) as readonly Change[]
    await openScim((world) => {
      const ids = seedPeople(world.okta)
      const bodiesOfGroups: fc.Arbitrary<Json> = bodies('Group')
      fc.assert(fc.property(bodiesOfGroups, fc.array(fc.nat({ max: 3 }), { maxLength: 4 }), groupChanges(people), seeds, (body, there, changes, seed) => {
        const outcome: keyof typeof seen = checkGroup(world, ids, [body, there, (known) => placed(known, changes), seed])
        seen[outcome] += 1
      }), { numRuns: 1500 })
    })
    expect(Math.min(seen.changed, seen.unchanged, seen.refused)).toBeGreaterThan(100)
  }, 60_000)
})

describe('the model', () => {
  it.each<[unknown, unknown]>([
    [{ emails: [{ type: 'work', primary: true }], name: {} }, undefined],
    [{ emails: [{ value: 'a', primary: true }, { value: 'b', primary: true }, { primary: true, value: 'a' }] }, { emails: [{ value: 'a', primary: true }, { value: 'b', primary: false }] }],
  ])('cleans %j', (value, cleaned) => expect(clean(value)).toEqual(cleaned))
})
