import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openStore } from '../directory/memoryStore'
import type { TestStore } from '../directory/memoryStore'
import { parseFilter } from '../../src/scim/filter'
import { matchesFilter } from '../../src/scim/filterMatch'
import { compileFilter } from '../../src/scim/filterSql'
import type { JsonObject } from '../../src/scim/json'
import type { ResourceType } from '../../src/scim/schema'
import { bodies } from './arbitraries'
import { ATTRIBUTES } from './model/attributes'
import { asks } from './model/filterArbitrary'
import { isRefused, matches } from './model/filterModel'
import type { Ask } from './model/filterModel'
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
})
