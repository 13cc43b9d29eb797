import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CURSOR_TIMEOUT_SECONDS } from '../../src/scim/query'
import type { ResourceType } from '../../src/scim/schema'
import { idsOf, openLists, userNamed, type ListClient } from './listClient'

const people = (client: ListClient, count: number): string[] =>
  Array.from({ length: count }, (_, index) => client.create('User', userNamed(`p${index}`)))

const refusal = (scimType: string): object => ({ status: 400, scimType })

describe('a page by cursor', () => {
  it('says what RFC 9865 says, and nothing of an index', async () => {
    await openLists(async ({ okta }) => {
      const ids = people(okta, 5)
      const first = await okta.page('User', { count: 2 })
      expect(Object.keys(first).toSorted()).toEqual(['Resources', 'itemsPerPage', 'nextCursor', 'schemas', 'status', 'totalResults'])
      expect(first).toMatchObject({ status: 200, totalResults: 5, itemsPerPage: 2, schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'] })
      expect(first.nextCursor).toMatch(/^[A-Za-z0-9\-._~]+$/)
      const pages = await okta.walk('User', { count: 2 })
      expect(pages.map(({ itemsPerPage, nextCursor }) => [itemsPerPage, nextCursor !== undefined])).toEqual([[2, true], [2, true], [1, false]])
      expect(idsOf(...pages)).toEqual(ids)
    })
  })

  it('has no next page after a last one that is full, and an empty list is one page', async () => {
    await openLists(async ({ okta }) => {
      expect(await okta.page('User')).toMatchObject({ totalResults: 0, itemsPerPage: 0, Resources: [] })
      people(okta, 4)
      expect((await okta.walk('User', { count: 2 })).map(({ itemsPerPage }) => itemsPerPage)).toEqual([2, 2])
      expect(await okta.page('User')).not.toHaveProperty('nextCursor')
    })
  })

  it('of no resources is the total alone', async () => {
    await openLists(async ({ okta }) => {
      people(okta, 3)
      const none = await okta.page('User', { count: 0 })
      expect(none).toMatchObject({ status: 200, totalResults: 3, itemsPerPage: 0, Resources: [] })
      expect(none).not.toHaveProperty('nextCursor')
    })
  })

  it('is by index when there is no cursor', async () => {
    await openLists(({ okta }) => {
      people(okta, 3)
      const list = okta.list('User', { count: 2 })
      expect(list).toMatchObject({ totalResults: 3, startIndex: 1, itemsPerPage: 2 })
      expect(list).not.toHaveProperty('nextCursor')
    })
  })
})

/** A page of `count=2` of p0 to p4 with this projection and filter. */
const QUERY = { count: 2, filter: 'userName sw "p"', attributes: 'userName,emails' }

describe('a cursor', () => {
  it.each<[string, Record<string, string | number>, string | null]>([
    ['the same query', {}, null],
    ['names in another case', { filter: 'USERNAME sw "p"', attributes: 'emails,USERNAME' }, null],
    ['startIndex=1 beside it', { startIndex: 1 }, null],
    ['another count', { count: 3 }, 'invalidCount'],
    ['no resources', { count: 0 }, 'invalidCount'],
    ['a count that is none', { count: 'two' }, 'invalidCount'],
    ['another filter', { filter: 'userName sw "q"' }, 'invalidCursor'],
    ['no filter', { filter: '' }, 'invalidCursor'],
    ['other attributes', { attributes: 'userName' }, 'invalidCursor'],
    ['excluded attributes', { excludedAttributes: 'emails' }, 'invalidCursor'],
    ['a sort', { sortBy: 'userName' }, 'invalidCursor'],
    ['another count and another filter', { filter: 'userName sw "q"', count: 3 }, 'invalidCursor'],
    ['a startIndex', { startIndex: 3 }, 'invalidValue'],
  ])('with %s: %j', async (_name, change, scimType) => {
    await openLists(async ({ okta }) => {
      const ids = people(okta, 5)
      const { nextCursor = '' } = await okta.page('User', QUERY)
      const next = await okta.page('User', { ...QUERY, cursor: nextCursor, ...change })
      if (scimType === null) expect(idsOf(next)).toEqual(ids.slice(2, 4))
      else expect(next).toMatchObject(refusal(scimType))
    })
  })

  it('is of one connection, one endpoint and one tenant', async () => {
    let foreign = ''
    await openLists(async ({ okta, entra }) => {
      people(okta, 3)
      people(entra, 3)
      foreign = (await okta.page('User', { count: 1 })).nextCursor ?? ''
      expect((await okta.page('User', { count: 1, cursor: foreign })).status).toBe(200)
      expect(await entra.page('User', { count: 1, cursor: foreign })).toMatchObject(refusal('invalidCursor'))
      expect(await okta.page('Group', { count: 1, cursor: foreign })).toMatchObject(refusal('invalidCursor'))
      expect(await okta.page(null, { count: 1, cursor: foreign })).toMatchObject(refusal('invalidCursor'))
    })
    await openLists(async ({ okta }) => {
      people(okta, 3)
      expect(await okta.page('User', { count: 1, cursor: foreign })).toMatchObject(refusal('invalidCursor'))
    })
  })

  it('with any character changed, added or left out is none', async () => {
    await openLists(async ({ okta }) => {
      people(okta, 3)
      const cursor = (await okta.page('User', { count: 1 })).nextCursor ?? ''
      const characters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~'
      const altered = fc.tuple(fc.nat({ max: cursor.length - 1 }), fc.constantFrom(...characters), fc.constantFrom('replace', 'insert', 'cut'))
      await fc.assert(fc.asyncProperty(altered, async ([at, character, how]) => {
        const text = cursor.slice(0, at) + (how === 'cut' ? '' : character) + cursor.slice(how === 'insert' ? at : at + 1)
        fc.pre(text !== cursor)
        expect(await okta.page('User', { count: 1, cursor: text })).toMatchObject(refusal('invalidCursor'))
      }), { numRuns: 300 })
      // Every spelling of the last character: base64 has bits to spare there.
      for (const last of characters) {
        const text = cursor.slice(0, -1) + last
        expect((await okta.page('User', { count: 1, cursor: text })).status).toBe(text === cursor ? 200 : 400)
      }
    })
  })

  it.each([' ', 'VZUTiyhEQJ94IR', '__proto__', '1', '%', 'ü', 'a'.repeat(500)])('%j never was one', async (cursor) => {
    await openLists(async ({ okta }) => {
      people(okta, 1)
      expect(await okta.page('User', { cursor })).toMatchObject(refusal('invalidCursor'))
    })
  })

  it('is good for an hour after its page, and its key stays', async () => {
    await openLists(async ({ okta, store }) => {
      const ids = people(okta, 4)
      const first = await okta.page('User', { count: 1 })
      store.clock.at += CURSOR_TIMEOUT_SECONDS * 1000
      const second = await okta.page('User', { count: 1, cursor: first.nextCursor ?? '' })
      expect(idsOf(second)).toEqual([ids[1]])
      store.clock.at += 1000
      expect(await okta.page('User', { count: 1, cursor: first.nextCursor ?? '' })).toMatchObject(refusal('expiredCursor'))
      expect(await okta.page('User', { count: 2, cursor: first.nextCursor ?? '' })).toMatchObject(refusal('invalidCount'))
      expect(idsOf(await okta.page('User', { count: 1, cursor: second.nextCursor ?? '' }))).toEqual([ids[2]])
    })
  })

  it('holds nothing of the people', async () => {
    await openLists(async ({ okta }) => {
      for (const name of ['ada', 'bea', 'cleo']) okta.create('User', userNamed(name, { externalId: `00u-${name}` }))
      const { nextCursor = '' } = await okta.page('User', { count: 1, sortBy: 'userName', filter: 'userName sw "b" or userName pr' })
      const payload = atob((nextCursor.split('.')[0] ?? '').replaceAll('-', '+').replaceAll('_', '/'))
      expect(payload).toMatch(/^[\da-z]{6}(?:\.[\da-z]{1,2}){4}$/)
    })
  })
})

describe('pages while the directory changes', () => {
  it('skip nobody who stays and repeat nobody, whoever comes and goes', async () => {
    await openLists(async ({ okta }) => {
      const ids = people(okta, 10)
      const gone: string[] = []
      const pages = await okta.walk('User', { count: 3 }, (page) => {
        // The last of the page before, the first of this one, and one that is new.
        for (const id of [ids[page * 3 - 1], ids[page * 3]]) {
          if (id === undefined) continue
          okta.remove('User', id)
          gone.push(id)
        }
        if (page === 1) ids.push(okta.create('User', userNamed('late')))
      })
      const seen = idsOf(...pages)
      expect(new Set(seen).size).toBe(seen.length)
      expect(ids.filter((id) => !gone.includes(id) && !seen.includes(id))).toEqual([])
    })
  })

  it('are sorted, and go on behind a row that is gone by those before it', async () => {
    await openLists(async ({ okta }) => {
      const names = ['d', 'a', 'f', 'c', 'b', 'e']
      const ids = new Map(names.map((name) => [name, okta.create('User', userNamed(name))]))
      const idOf = (name: string): string => ids.get(name) ?? ''
      const query = { count: 3, sortBy: 'userName', attributes: 'userName' }
      const first = await okta.page('User', query)
      expect(idsOf(first)).toEqual(['a', 'b', 'c'].map(idOf))
      okta.remove('User', idOf('c'))
      okta.replace('User', idOf('b'), 'userName', 'zoe@example.com')
      expect(idsOf(await okta.page('User', { ...query, cursor: first.nextCursor ?? '' }))).toEqual(['d', 'e', 'f'].map(idOf))
      okta.replace('User', idOf('a'), 'title', 'Chief')
      expect(await okta.page('User', { ...query, cursor: first.nextCursor ?? '' })).toMatchObject(refusal('expiredCursor'))
    })
  })

  it('sorted by what never changes need their rows only to be there', async () => {
    await openLists(async ({ okta }) => {
      const ids = people(okta, 4)
      const query = { count: 2, sortBy: 'meta.created' }
      const first = await okta.page('User', query)
      for (const id of ids.slice(0, 2)) okta.replace('User', id, 'title', 'Chief')
      expect(idsOf(await okta.page('User', { ...query, cursor: first.nextCursor ?? '' }))).toEqual(ids.slice(2))
    })
  })

  it('show each of two connections its own, although their rows alternate', async () => {
    await openLists(async ({ okta, entra }) => {
      const ids = ['a', 'b', 'c'].map((name) => [okta, entra].map((client) => client.create('User', userNamed(name))))
      for (const sortBy of ['', 'userName']) {
        expect(idsOf(...await okta.walk('User', { count: 1, sortBy }))).toEqual(ids.map(([own]) => own))
        expect(idsOf(...await entra.walk('User', { count: 1, sortBy }))).toEqual(ids.map(([, own]) => own))
      }
    })
  })
})

interface Action {
  readonly kind: 'create' | 'remove' | 'rename'
  readonly type: ResourceType
  readonly pick: number
}

const actions: fc.Arbitrary<Action> = fc.record({
  kind: fc.constantFrom('create', 'remove', 'rename'), type: fc.constantFrom('User', 'Group'), pick: fc.nat({ max: 1000 }),
})

const queries = fc.record({
  type: fc.constantFrom<(ResourceType | null)[]>('User', 'Group', null),
  count: fc.integer({ min: 1, max: 4 }),
  sortBy: fc.constantFrom('', 'userName', 'displayName', 'meta.created', 'title', 'externalId', 'id'),
  sortOrder: fc.constantFrom('ascending', 'descending'),
  filter: fc.constantFrom('', 'meta.resourceType pr', 'displayName pr', 'not (title pr)', 'meta.resourceType eq "User"'),
})

const startWith = (client: ListClient): Map<string, ResourceType> => {
  const all = new Map<string, ResourceType>()
  for (let index = 0; index < 7; index += 1) {
    const more = { ...(index % 2 === 0 ? { displayName: `N${(index * 5) % 7}` } : {}), ...(index % 3 === 0 ? { title: `T${index % 2}` } : {}) }
    all.set(client.create('User', userNamed(`u${(index * 3) % 7}`, more)), 'User')
    if (index % 2 === 0) all.set(client.create('Group', { displayName: `N${index}`, externalId: `x${7 - index}` }), 'Group')
  }
  return all
}

describe('any walk by cursor', () => {
  it('finds the list as it is by index', async () => {
    await openLists(async ({ okta }) => {
      startWith(okta)
      await fc.assert(fc.asyncProperty(queries, async ({ type, count, ...rest }) => {
        const pages = await okta.walk(type, { count, ...rest })
        const whole = okta.list(type, { ...rest, count: 200 })
        expect(idsOf(...pages)).toEqual(idsOf(whole))
        for (const page of pages) expect(page).toMatchObject({ status: 200, totalResults: whole.totalResults })
      }), { numRuns: 150 })
    })
  })

  it('finds everybody who stays, once, while others come, go and are renamed', async () => {
    await openLists(async ({ client }) => {
      let serial = 0
      await fc.assert(fc.asyncProperty(queries, fc.array(actions, { maxLength: 12 }), async ({ type, count, sortBy, sortOrder }, script) => {
        const okta = client(`okta ${(serial += 1)}`)
        const all = startWith(okta)
        const touched = new Set<string>()
        const act = ({ kind, type: of, pick }: Action): void => {
          serial += 1
          if (kind === 'create') {
            const made = of === 'User' ? okta.create('User', userNamed(`m${pick}-${serial}`)) : okta.create('Group', { displayName: `M${pick}-${serial}` })
            all.set(made, of)
            touched.add(made)
            return
          }
          const known = [...all].filter(([, what]) => what === of).map(([id]) => id)
          const id = known[pick % known.length]
          if (id === undefined) return
          touched.add(id)
          if (kind === 'rename') return okta.replace(of, id, of === 'User' ? 'userName' : 'displayName', `r${pick}-${serial}`)
          all.delete(id)
          okta.remove(of, id)
        }
        const pages = await okta.walk(type, { count, sortBy, sortOrder }, (page) => {
          const next = script[page - 1]
          if (next !== undefined) act(next)
        })
        const seen = idsOf(...pages)
        const last = pages.at(-1)
        if (last?.status === 400) {
          // All rows of the page before are gone or moved: said, never guessed. In their own order lists have no such end.
          expect([last.scimType, sortBy]).toEqual(['expiredCursor', expect.stringMatching(/./)])
          return
        }
        const stayed = [...all].filter(([id, of]) => !touched.has(id) && (type === null || type === of)).map(([id]) => id)
        expect(stayed.filter((id) => seen.filter((other) => other === id).length !== 1)).toEqual([])
      }), { numRuns: 100 })
    })
  }, 30_000)
})
