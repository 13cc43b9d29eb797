import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openStore } from '../directory/memoryStore'
import type { TestStore } from '../directory/memoryStore'
import { idOf, openScim } from '../directory/scimClient'
import type { Answer, Client } from '../directory/scimClient'
import { parseFilter } from '../../src/scim/filter'
import { matchesFilter } from '../../src/scim/filterMatch'
import { compileFilter } from '../../src/scim/filterSql'
import { isObject } from '../../src/scim/json'
import type { JsonObject } from '../../src/scim/json'
import type { ResourceType } from '../../src/scim/schema'
import { bodies } from './arbitraries'
import { ATTRIBUTES } from './model/attributes'
import { asks } from './model/filterArbitrary'
import { isRefused, matches } from './model/filterModel'
import type { Ask, Single } from './model/filterModel'
import { randomFrom, spell } from './model/filterText'
import { base, build } from './model/rows'
import type { World } from './model/rows'

const worlds: fc.Arbitrary<World> = fc.record({
  users: fc.array(bodies('User'), { minLength: 1, maxLength: 8 }),
  groups: fc.array(bodies('Group'), { minLength: 1, maxLength: 4 }),
  memberships: fc.array(fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 7 })), { maxLength: 12 }),
})

type Found = readonly string[] | 'invalidFilter'

const byModel = (ask: Ask, resources: readonly JsonObject[], resourceType: ResourceType): Found => {
  const shape = ATTRIBUTES[resourceType]
  return isRefused(ask, shape) ? 'invalidFilter' : resources.filter((resource) => matches(ask, resource, shape)).map(({ id }) => String(id))
}

const FROM = { User: ['users u', 'u'], Group: ['groups g', 'g'] } as const

/** The text, all the way to SQLite. */
const bySql = ({ sql }: TestStore, text: string, resourceType: ResourceType): unknown => {
  const parsed = parseFilter(text)
  const compiled = parsed.ok ? compileFilter(parsed.value, resourceType, base) : parsed
  if (!compiled.ok) return compiled.error.scimType
  const [from, alias] = FROM[resourceType]
  return sql.rows<{ id: string }>(
    `SELECT id FROM ${from} WHERE connection_id = ? AND ${compiled.value.sql} ORDER BY ${alias}.seq LIMIT ?`, 'c', ...compiled.value.params, 1000).map(({ id }) => id)
}

const inMemory = (text: string, resources: readonly JsonObject[]): unknown => {
  const parsed = parseFilter(text)
  if (!parsed.ok) return parsed.error.scimType
  const found: string[] = []
  for (const resource of resources) {
    const isMatch = matchesFilter(parsed.value, resource)
    if (!isMatch.ok) return isMatch.error.scimType
    if (isMatch.value) found.push(String(resource.id))
  }
  return found
}

const RUNS = 100
const EACH = 25

describe('a filter as text', () => {
  it(`finds in SQLite what it means, in ${2 * EACH * RUNS} random cases`, async () => {
    const asked = <T extends ResourceType>(resourceType: T) => fc.array(fc.tuple(asks(resourceType), fc.integer()), { minLength: EACH, maxLength: EACH })
    let found = 0
    let refused = 0
    await openStore((store) => {
      fc.assert(fc.property(worlds, asked('User'), asked('Group'), (world, ofUsers, ofGroups) => {
        const resources = build(store, world)
        for (const [resourceType, cases] of [['User', ofUsers], ['Group', ofGroups]] as const) {
          for (const [ask, seed] of cases) {
            const text = spell(randomFrom(seed), ask, resourceType)
            const expected = byModel(ask, resources[resourceType], resourceType)
            expect([text, bySql(store, text, resourceType)]).toEqual([text, expected])
            expect([text, inMemory(text, resources[resourceType])]).toEqual([text, expected])
            if (expected === 'invalidFilter') refused += 1
            else if (expected.length > 0 && expected.length < resources[resourceType].length) found += 1
          }
        }
      }), { numRuns: RUNS })
    })
    // The cases are worth their name: many part the resources, few are refused.
    expect(found).toBeGreaterThan(EACH * RUNS / 10)
    expect(refused).toBeLessThan(EACH * RUNS / 2)
  }, 60_000)
  it('finds it in the lists of the Directory, of its own connection, in 600 random cases', async () => {
    const asked = <T extends ResourceType>(resourceType: T) => fc.array(fc.tuple(linked(resourceType), fc.integer()), { minLength: 15, maxLength: 15 })
    await openScim((world) => {
      fc.assert(fc.property(worlds, asked('User'), asked('Group'), (filled, ofUsers, ofGroups) => {
        for (const table of ['group_members', 'users', 'groups']) world.store.sql.run(`DELETE FROM ${table}`)
        populate(world.entra, filled)
        const ids = populate(world.okta, filled)
        const resources = { User: everything(world.okta, 'User'), Group: named(everything(world.okta, 'Group'), everything(world.okta, 'User')) }
        for (const [resourceType, cases] of [['User', ofUsers], ['Group', ofGroups]] as const) {
          for (const [written, seed] of cases) {
            const ask = withIds(written, ids)
            const filter = spell(randomFrom(seed), ask, resourceType)
            const answer = world.okta.list(resourceType, { filter })
            const found = answer.status === 200 ? resourcesIn(answer).map(({ id }) => id) : answer.body.scimType
            expect([filter, found]).toEqual([filter, byModel(ask, resources[resourceType], resourceType)])
            if (answer.status === 200) expect([filter, answer.body.totalResults]).toEqual([filter, resourcesIn(answer).length])
          }
        }
      }), { numRuns: 20 })
    })
  }, 60_000)
})

const resourcesIn = ({ body }: Answer): readonly JsonObject[] => (Array.isArray(body.Resources) ? body.Resources.filter(isObject) : [])

const everything = (client: Client, type: ResourceType): readonly JsonObject[] => resourcesIn(client.list(type))

/** What the ids are that a world calls `u0` and `g0`. */
const populate = (client: Client, { users, groups, memberships }: World): ReadonlyMap<string, string> => {
  const ids = new Map<string, string>()
  users.forEach((body, index) => ids.set(`u${index}`, idOf(client.post('User', { ...body, userName: `${String(body.userName)}${index}` }))))
  groups.forEach((body, index) => {
    const members = memberships.flatMap(([group, user]) => (group === index && user < users.length ? [{ value: ids.get(`u${user}`) }] : []))
    ids.set(`g${index}`, idOf(client.post('Group', { ...body, displayName: `${String(body.displayName)}${index}`, members })))
  })
  return ids
}

const withIds = (ask: Ask, ids: ReadonlyMap<string, string>): Ask => {
  const single = (asked: Single): Single =>
    (asked.kind === 'compare' && typeof asked.wanted === 'string' ? { ...asked, wanted: ids.get(asked.wanted) ?? asked.wanted } : asked)
  switch (ask.kind) {
    case 'and':
    case 'or': return { ...ask, terms: ask.terms.map((term) => withIds(term, ids)) }
    case 'not': return { ...ask, term: withIds(ask.term, ids) }
    case 'within': return { ...ask, inner: withIds(ask.inner, ids), behind: ask.behind === null ? null : single(ask.behind) }
    default: return single(ask)
  }
}

/** Often of one membership: such lists are read from the members. */
const linked = (resourceType: ResourceType): fc.Arbitrary<Ask> => {
  const [list, ids] = resourceType === 'User' ? (['groups', ['g0', 'g1']] as const) : (['members', ['u0', 'u1', 'u2']] as const)
  const membership = fc.constantFrom(...ids).chain((wanted) => fc.constantFrom<Ask>(
    { kind: 'compare', path: [list], operator: 'eq', wanted }, { kind: 'compare', path: [list, 'value'], operator: 'eq', wanted },
    { kind: 'within', path: [list], inner: { kind: 'compare', path: ['value'], operator: 'eq', wanted }, behind: null }))
  const both = fc.tuple(membership, fc.oneof(asks(resourceType), membership)).map((terms): Ask => ({ kind: 'and', terms }))
  return fc.oneof({ weight: 2, arbitrary: asks(resourceType) }, { weight: 1, arbitrary: membership }, { weight: 2, arbitrary: both })
}

/** Members have a name, which is answered only when it is asked for. */
const named = (groups: readonly JsonObject[], users: readonly JsonObject[]): readonly JsonObject[] => {
  const names = new Map(users.map(({ id, displayName, userName }) => [id, displayName ?? userName]))
  const list = (members: unknown): readonly JsonObject[] => (Array.isArray(members) ? members.filter(isObject) : [])
  return groups.map((group) => ({ ...group, members: list(group.members).map((member) => ({ ...member, display: names.get(member.value) })) }))
}
