import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { crowd, idsOf, openLists, userNamed, type ListClient, type ListWorld } from './listClient'

/** Ids of a connection's rows in the order of the table. */
const allOf = ({ store }: ListWorld, connection: string, table = 'users'): string[] =>
  store.sql.rows<{ id: string }>(`SELECT id FROM ${table} WHERE connection_id = ? ORDER BY seq`, connection).map(({ id }) => id)

type Step =
  | { readonly kind: 'page'; readonly startIndex: number; readonly count: number }
  | { readonly kind: 'create' }
  | { readonly kind: 'remove'; readonly at: number }

const SIZE = 2600

const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('page'), startIndex: fc.integer({ min: 1, max: SIZE + 40 }), count: fc.integer({ min: 1, max: 200 }) }) },
  // As importers do: round numbers, so that marks are met.
  {
    weight: 4,
    arbitrary: fc.integer({ min: 0, max: SIZE / 100 }).map((page) => ({ kind: 'page', startIndex: page * 100 + 1, count: 100 } as const)),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'create' }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove'), at: fc.nat({ max: SIZE - 1 }) }) },
) as fc.Arbitrary<Step>

describe('any page', () => {
  it('is the slice of the whole list, while users come and go', async () => {
    await openLists((world) => {
      const { okta, entra } = world
      crowd(world, 'okta', SIZE / 2)
      crowd(world, 'entra', 700)
      for (let index = 0; index < 3; index += 1) entra.create('User', userNamed(`between${index}`))
      crowd(world, 'okta', SIZE / 2, 'v')
      let serial = 0
      fc.assert(fc.property(fc.array(steps, { minLength: 5, maxLength: 30 }), (script) => {
        for (const step of script) {
          const all = allOf(world, 'okta')
          if (step.kind === 'create') okta.create('User', userNamed(`new${(serial += 1)}`))
          else if (step.kind === 'remove') okta.remove('User', all[step.at % all.length] ?? '')
          else {
            const { startIndex, count } = step
            const page = okta.list('User', { startIndex, count, attributes: 'id' })
            expect(idsOf(page)).toEqual(all.slice(startIndex - 1, startIndex - 1 + count))
            expect(page).toMatchObject({ totalResults: all.length, startIndex })
          }
        }
      }), { numRuns: 15 })
    })
  }, 30_000)

  it('of both types is the slice of both lists', async () => {
    await openLists((world) => {
      crowd(world, 'okta', 1500)
      const groups = Array.from({ length: 12 }, (_, index) => world.okta.create('Group', { displayName: `G${index}` }))
      const all = [...allOf(world, 'okta'), ...groups]
      fc.assert(fc.property(fc.integer({ min: 1, max: 1530 }), fc.integer({ min: 0, max: 200 }), (startIndex, count) => {
        const page = world.okta.list(null, { startIndex, count, attributes: 'id' })
        expect(idsOf(page)).toEqual(all.slice(startIndex - 1, startIndex - 1 + count))
        expect(page.totalResults).toBe(all.length)
      }), { numRuns: 60 })
    })
  })

  const sorts = fc.record({
    sortBy: fc.constantFrom('userName', 'displayName', 'externalId', 'title', 'emails', 'meta.lastModified', 'groups', 'nonsense'),
    sortOrder: fc.constantFrom('ascending', 'descending'), startIndex: fc.integer({ min: 1, max: 40 }), count: fc.integer({ min: 1, max: 40 }),
  })

  it('of a sorted list is the slice of the sorted whole', async () => {
    await openLists(({ okta }) => {
      mixed(okta)
      fc.assert(fc.property(sorts, fc.constantFrom('User', 'Group', null), ({ startIndex, count, ...sort }, type) => {
        const whole = okta.list(type, { ...sort, count: 200 })
        const page = okta.list(type, { ...sort, startIndex, count })
        expect(idsOf(page)).toEqual(idsOf(whole).slice(startIndex - 1, startIndex - 1 + count))
        expect(page.totalResults).toBe(whole.totalResults)
      }), { numRuns: 100 })
    })
  })

  it('of two sorted types puts them into one order, those without the attribute last', async () => {
    await openLists(({ okta }) => {
      const [ann, bob, none] = [userNamed('1', { displayName: 'Ann' }), userNamed('2', { displayName: 'bob' }), userNamed('3')].map((body) => okta.create('User', body))
      const [alpha, bobs] = ['alpha', 'BOB'].map((displayName) => okta.create('Group', { displayName }))
      expect(idsOf(okta.list(null, { sortBy: 'displayName' }))).toEqual([alpha, ann, bob, bobs, none])
      expect(idsOf(okta.list(null, { sortBy: 'displayName', sortOrder: 'descending' }))).toEqual([none, bob, bobs, ann, alpha])
      expect(idsOf(okta.list(null, { sortBy: 'userName', sortOrder: 'descending' }))).toEqual([alpha, bobs, none, bob, ann])
      expect(idsOf(okta.list(null, { sortBy: 'nonsense' }))).toEqual([ann, bob, none, alpha, bobs])
    })
  })
})

const mixed = (okta: ListClient): void => {
  for (let index = 0; index < 20; index += 1) {
    const title = index % 3 === 0 ? {} : { title: `T${index % 4}` }
    okta.create('User', userNamed(`u${(index * 7) % 20}`, { ...title, externalId: `x${index % 5}`, emails: [{ value: `e${(index * 3) % 20}@example.com` }] }))
    if (index % 2 === 0) okta.create('Group', { displayName: `G${(index * 3) % 20}`, ...(index % 4 === 0 ? { externalId: `x${index}` } : {}) })
  }
}

describe('what a page reads', () => {
  const plansOf = ({ store }: ListWorld): string[] =>
    store.statements.all.filter((text) => text.includes('SELECT')).flatMap((text) =>
      store.sql.rows<{ detail: string }>(`EXPLAIN QUERY PLAN ${text}`, ...Array.from(text.matchAll(/\?/g), () => null)).map(({ detail }) => detail))

  const offsetsOf = (world: ListWorld, client: ListClient, params: Record<string, number>): string[] => {
    world.store.statements.forget()
    client.list('User', params)
    return world.store.statements.all.filter((text) => text.includes('OFFSET')).map((text) => (text.includes('DESC') ? 'from the end' : 'from a mark or the start'))
  }

  it('begins at the end that is nearer', async () => {
    await openLists((world) => {
      crowd(world, 'okta', 3000)
      expect(offsetsOf(world, world.okta, { startIndex: 2901, count: 100 })).toEqual(['from the end'])
      expect(offsetsOf(world, world.okta, { startIndex: 1101, count: 100 })).toEqual(['from a mark or the start'])
    })
  })

  it('asks nothing of marks near the start', async () => {
    await openLists((world) => {
      crowd(world, 'okta', 3000)
      world.store.statements.forget()
      world.okta.list('User', { startIndex: 101, count: 100, attributes: 'id' })
      expect(world.store.statements.all.filter((text) => text.includes('users'))).toHaveLength(1)
    })
  })

  it('that finds nobody looks once, and one behind the end counts', async () => {
    await openLists(({ store, okta }) => {
      for (const name of ['ada', 'bob']) okta.create('User', userNamed(name))
      const lookups = (params: Parameters<ListClient['list']>[1]): unknown[] => {
        store.statements.forget()
        return [okta.list('User', params).totalResults, store.statements.all.filter((text) => /\busers u\b/.test(text)).length]
      }
      expect(lookups({ filter: 'userName eq "cyd"' })).toEqual([0, 1])
      expect(lookups({ filter: 'emails eq "cyd@example.com"', sortBy: 'userName' })).toEqual([0, 1])
      expect(lookups({ filter: 'userName pr', startIndex: 3 })).toEqual([2, 2])
      expect(lookups({ filter: 'userName pr', count: 0 })).toEqual([2, 1])
    })
  })

  it('sorted by what has an index is no more than the page, and counts nobody', async () => {
    await openLists(async (world) => {
      crowd(world, 'okta', 60)
      const first = await world.okta.page('User', { sortBy: 'userName', count: 2, attributes: 'id' })
      world.store.statements.forget()
      await world.okta.page('User', { sortBy: 'userName', count: 2, attributes: 'id', cursor: first.nextCursor ?? '' })
      expect(world.store.statements.all.filter((text) => text.includes('count(*)'))).toEqual([])
      const plans = plansOf(world)
      expect(plans.filter((detail) => detail.includes('TEMP B-TREE'))).toEqual([])
      expect(plans).toContainEqual(expect.stringMatching(/users_user_name \(connection_id=\? AND user_name_fold>\?\)/))
    })
  })

  it.each<[string, 'User' | 'Group']>([
    ['groups eq "{group}"', 'User'], ['groups.value eq "{group}"', 'User'], ['groups[value eq "{group}"]', 'User'],
    ['groups eq "{group}" and active eq true', 'User'], ['groups[value eq "{group}" and type eq "direct"]', 'User'], ['members eq "okta-u7"', 'Group'],
    ['members[value eq "okta-u7"] and displayName pr', 'Group'],
  ])('of %s are members, and no other %s', async (filter, type) => {
    await openLists(async (world) => {
      crowd(world, 'okta', 60)
      const { store, okta, entra } = world
      const members = [50, 7, 3, 41, 22].map((index) => `okta-u${index}`)
      const group = okta.create('Group', { displayName: 'Five', members: members.map((value) => ({ value })) })
      okta.create('Group', { displayName: 'Others', members: [{ value: 'okta-u8' }] })
      const text = filter.replace('{group}', group)
      const expected = type === 'User' ? [3, 7, 22, 41, 50].map((index) => `okta-u${index}`) : [group]
      store.statements.forget()
      expect(idsOf(okta.list(type, { filter: text, startIndex: 2, count: 2, attributes: 'id' }))).toEqual(expected.slice(1, 3))
      const plans = plansOf(world)
      expect(plans.filter((detail) => /users_connection|groups_connection|SCAN [ug]\b|SCAN users|SCAN groups/.test(detail) && !/seq=\?/.test(detail))).toEqual([])
      expect(plans.some((detail) => /SEARCH d USING (PRIMARY KEY|COVERING INDEX)/.test(detail))).toBe(true)
      expect(plans.filter((detail) => detail.includes('TEMP B-TREE'))).toEqual([])
      for (const sortBy of ['', 'meta.created', 'id']) {
        expect(idsOf(...await okta.walk(type, { filter: text, count: 2, sortBy })).toSorted()).toEqual(expected.toSorted())
      }
      expect(okta.list(type, { filter: text }).totalResults).toBe(expected.length)
      expect(entra.list(type, { filter: text })).toMatchObject({ totalResults: 0, Resources: [] })
      expect((await entra.page(type, { filter: text })).totalResults).toBe(0)
    })
  })

  it.each(['emails eq "{address}"', 'emails[type eq "work"].value eq "{address}"', 'emails.value eq "{address}" and active eq true'])(
    'of %s is whoever has it now, found by it', async (filter) => {
      await openLists(async (world) => {
        const { store, okta, entra } = world
        const work = (...values: readonly string[]) => ({ emails: values.map((value, index) => ({ value, type: 'work', ...(index === 0 ? { primary: true } : {}) })) })
        crowd(world, 'okta', 20)
        const first = okta.create('User', userNamed('ada', work('first@example.com', 'Shared@Example.com', 'shared@example.com')))
        okta.create('User', userNamed('bob', work('bob@example.com')))
        const second = okta.create('User', userNamed('cyd', work('SHARED@example.com')))
        const theirs = entra.create('User', userNamed('ada', work('shared@example.com')))
        const having = (client: ListClient, address: string): readonly string[] => idsOf(client.list('User', { filter: filter.replace('{address}', address), attributes: 'id' }))
        store.statements.forget()
        expect(having(okta, 'shared@EXAMPLE.com')).toEqual([first, second])
        const plans = plansOf(world)
        expect(plans).toContainEqual(expect.stringMatching(/SEARCH d USING PRIMARY KEY \(address=\?/))
        expect(plans.filter((detail) => /users_connection|SCAN u\b|TEMP B-TREE/.test(detail))).toEqual([])
        expect(idsOf(...await okta.walk('User', { filter: filter.replace('{address}', 'shared@example.com'), count: 1, sortBy: 'userName', sortOrder: 'descending' })))
          .toEqual([second, first])
        okta.replace('User', first, 'emails', [{ value: 'new@example.com', type: 'work' }])
        expect([having(okta, 'shared@example.com'), having(okta, 'NEW@example.com'), having(entra, 'shared@example.com')]).toEqual([[second], [first], [theirs]])
        okta.remove('User', second)
        expect(having(okta, 'shared@example.com')).toEqual([])
        for (const [client, id] of [[okta, first], [entra, theirs]] as const) client.remove('User', id)
        expect(store.sql.rows(`SELECT address FROM user_emails WHERE address NOT LIKE 'bob@%'`)).toEqual([])
      })
    })

  it('by meta.resourceType of another type is nothing', async () => {
    await openLists((world) => {
      crowd(world, 'okta', 10)
      expect(world.okta.list('User', { filter: 'meta.resourceType eq "Group"' }).totalResults).toBe(0)
      expect(world.okta.list('User', { filter: 'meta.resourceType eq "user"' }).totalResults).toBe(0)
      expect(world.okta.list('User', { filter: 'meta.resourceType co "se"' }).totalResults).toBe(10)
    })
  })
})
