import { describe, expect, it } from 'vitest'
import { runBulk } from '../../src/directory/scimBulk'
import { readBulkCommand } from '../../src/http/bulk'
import { err } from '../../src/result'
import { CIRCULAR, IN_AN_EXTENSION, ONE_OF_EACH, TEMPORARY_IDS } from '../scim/bulkExamples'
import { bulk, create, createGroup, ENTERPRISE, executeAs, idAt, managerOf, patch, statuses } from './bulkClient'
import { BASE, dueSubjects, forget, idOf, journalled, membersOf, openScim, person, type Client, type Json } from './scimClient'

describe('the examples of RFC 7644 section 3.7', () => {
  it('create a user and a group that it is in', async () => {
    await openScim(async ({ okta }) => {
      const outcomes = await bulk(okta, { operations: TEMPORARY_IDS.Operations })
      const [alice, guides] = [idAt(outcomes, 0), idAt(outcomes, 1)]
      expect(outcomes).toEqual([
        { location: `${BASE}/Users/${alice}`, method: 'POST', bulkId: 'qwerty', version: 'W/"1"', status: '201' },
        { location: `${BASE}/Groups/${guides}`, method: 'POST', bulkId: 'ytrewq', version: 'W/"1"', status: '201' },
      ])
      expect(okta.get('User', alice).body.userName).toBe('Alice')
      expect(membersOf(okta.get('Group', guides))).toEqual([alice])
    })
  })

  it('create a user and one whose manager it is', async () => {
    await openScim(async ({ okta }) => {
      const outcomes = await bulk(okta, { operations: IN_AN_EXTENSION.Operations.toReversed() })
      expect(managerOf(okta, idAt(outcomes, 0))).toMatchObject({ value: idAt(outcomes, 1) })
    })
  })

  it('refuse a circle with 409 and no location, and create neither', async () => {
    await openScim(async ({ okta, dump }) => {
      const before = dump()
      const outcomes = await bulk(okta, { operations: CIRCULAR.Operations })
      const detail = '"bulkId:qwerty", "bulkId:ytrewq" refer to each other in a circle: create one of them without its reference, then PATCH it.'
      const response = { schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'], status: '409', detail }
      expect(outcomes).toEqual([
        { method: 'POST', bulkId: 'qwerty', status: '409', response }, { method: 'POST', bulkId: 'ytrewq', status: '409', response },
      ])
      expect(dump()).toEqual(before)
    })
  })

  const prepare = (okta: Client): { readonly ids: readonly string[]; readonly operations: readonly unknown[] } => {
    const [b = '', d = '', e = ''] = ['b', 'd', 'e'].map((name) => idOf(okta.post('User', person(name, { nickName: name }))))
    const text = JSON.stringify(ONE_OF_EACH.Operations).replaceAll('{b}', b).replaceAll('{d}', d).replaceAll('{e}', e)
    return { ids: [b, d, e], operations: JSON.parse(text) as unknown[] }
  }

  it('do one of each', async () => {
    await openScim(async ({ okta }) => {
      const { ids: [b = '', d = '', e = ''], operations } = prepare(okta)
      const outcomes = await bulk(okta, { operations, failOnErrors: ONE_OF_EACH.failOnErrors })
      expect(outcomes).toEqual([
        { location: `${BASE}/Users/${idAt(outcomes, 0)}`, method: 'POST', bulkId: 'qwerty', version: 'W/"1"', status: '201' },
        { location: `${BASE}/Users/${b}`, method: 'PUT', version: 'W/"2"', status: '200' },
        { location: `${BASE}/Users/${d}`, method: 'PATCH', version: 'W/"2"', status: '200' },
        { location: `${BASE}/Users/${e}`, method: 'DELETE', status: '204' },
      ])
      expect(okta.get('User', b).body).toMatchObject({ userName: 'Bob' })
      expect(okta.get('User', d).body).toMatchObject({ userName: 'Dave' })
      expect(okta.get('User', d).body.nickName).toBeUndefined()
      expect(okta.get('User', e).status).toBe(404)
    })
  })

  it('stop at the first error, and tell of nothing behind it', async () => {
    await openScim(async ({ okta, dump }) => {
      const { operations } = prepare(okta)
      okta.post('User', { userName: 'ALICE' })
      const before = dump()
      const outcomes = await bulk(okta, { operations, failOnErrors: ONE_OF_EACH.failOnErrors })
      expect(outcomes).toMatchObject([{ method: 'POST', bulkId: 'qwerty', status: '409', response: { status: '409', scimType: 'uniqueness' } }])
      expect(dump()).toEqual(before)
    })
  })

  it('go on after errors when nothing else was asked', async () => {
    await openScim(async ({ okta }) => {
      const { ids: [b = '', d = '', e = ''], operations } = prepare(okta)
      okta.post('User', { userName: 'ALICE' })
      okta.put('User', b, person('b', { nickName: 'changed' }))
      okta.put('User', d, person('d', { nickName: 'changed' }))
      okta.remove('User', e)
      const outcomes = await bulk(okta, { operations })
      expect(outcomes).toMatchObject([
        { method: 'POST', bulkId: 'qwerty', status: '409' },
        { method: 'PUT', location: `${BASE}/Users/${b}`, status: '412', response: { status: '412', detail: expect.stringContaining('W/"2"') } },
        { method: 'PATCH', location: `${BASE}/Users/${d}`, status: '412' },
        { method: 'DELETE', location: `${BASE}/Users/${e}`, status: '404', response: { status: '404' } },
      ])
      expect(outcomes.some((outcome) => 'version' in outcome)).toBe(false)
      expect(okta.get('User', b).body.userName).toBe('b@example.com')
    })
  })
})

describe('references', () => {
  it('are resolved wherever they stand, forwards and backwards', async () => {
    await openScim(async ({ okta }) => {
      const old = idOf(okta.post('User', person('old')))
      const group = idOf(okta.post('Group', { displayName: 'Engineers', members: [{ value: old }] }))
      const outcomes = await bulk(okta, {
        operations: [
          patch(`/Groups/${group}`,
            { op: 'add', path: 'members', value: [{ value: 'bulkId:ada' }, 'bulkId:bob'] },
            { op: 'remove', path: `members[value eq "${old}" or value eq "bulkId:bob"]` }),
          patch('/Users/bulkId:ada', { op: 'replace', path: `${ENTERPRISE}:manager`, value: 'bulkId:bob' }, { op: 'add', path: 'title', value: 'Countess' }),
          create('ada'),
          { method: 'PUT', path: '/Users/bulkId%3Abob', version: 'W/"1"', data: person('bob', { [ENTERPRISE]: { manager: { value: 'bulkId:cyd' } } }) },
          create('bob'),
          create('cyd'),
          { method: 'DELETE', path: '/Groups/bulkId:short' },
          createGroup('short', 'bulkId:ada'),
        ],
      })
      expect(statuses(outcomes)).toEqual(['204', '200', '201', '200', '201', '201', '204', '201'])
      const [ada, bob, cyd] = [idAt(outcomes, 2), idAt(outcomes, 4), idAt(outcomes, 5)]
      expect(membersOf(okta.get('Group', group))).toEqual([ada])
      expect(managerOf(okta, ada)).toMatchObject({ value: bob })
      expect(managerOf(okta, bob)).toMatchObject({ value: cyd })
      expect(okta.get('User', ada).body.title).toBe('Countess')
      expect(outcomes.slice(0, 2)).toEqual([
        { location: `${BASE}/Groups/${group}`, method: 'PATCH', version: 'W/"2"', status: '204' },
        { location: `${BASE}/Users/${ada}`, method: 'PATCH', version: 'W/"2"', status: '200' },
      ])
      expect(okta.list('Group').body.totalResults).toBe(1)
    })
  })

  it('close a circle by a PATCH behind it, as the refusal says', async () => {
    await openScim(async ({ okta }) => {
      const outcomes = await bulk(okta, {
        operations: [
          patch('/Users/bulkId:ada', { op: 'add', path: `${ENTERPRISE}:manager`, value: { value: 'bulkId:bob' } }),
          create('bob', { [ENTERPRISE]: { manager: { value: 'bulkId:ada' } } }),
          create('ada'),
        ],
      })
      expect(statuses(outcomes)).toEqual(['200', '201', '201'])
      expect(managerOf(okta, idAt(outcomes, 1))).toMatchObject({ value: idAt(outcomes, 2) })
      expect(managerOf(okta, idAt(outcomes, 2))).toMatchObject({ value: idAt(outcomes, 1) })
    })
  })

  it('to what was not created are 409, and so are references to those', async () => {
    await openScim(async ({ okta }) => {
      okta.post('User', person('ada'))
      const outcomes = await bulk(okta, {
        operations: [
          createGroup('late', 'bulkId:middle'),
          create('middle', { [ENTERPRISE]: { manager: { value: 'bulkId:ada' } } }),
          create('ada'),
          { method: 'DELETE', path: '/Users/bulkId:ada' },
          create('bob'),
        ],
      })
      expect(outcomes.map(({ status, response, location }) => [status, response?.detail, location === undefined])).toEqual([
        ['409', 'The operation refers to "bulkId:middle", which was not created.', true],
        ['409', 'The operation refers to "bulkId:ada", which was not created.', true],
        ['409', 'A User with the userName "ada@example.com" exists already.', true],
        ['409', 'The operation refers to "bulkId:ada", which was not created.', true],
        ['201', undefined, false],
      ])
      expect(okta.list('User').body.totalResults).toBe(2)
    })
  })

  it('never reach a resource of another connection', async () => {
    await openScim(async ({ okta, entra }) => {
      const ada = idOf(entra.post('User', person('ada')))
      const outcomes = await bulk(okta, { operations: [{ method: 'DELETE', path: `/Users/${ada}` }, createGroup('G', ada)] })
      expect(statuses(outcomes)).toEqual(['404', '201'])
      expect(membersOf(okta.get('Group', idAt(outcomes, 1)))).toEqual([])
      expect(entra.get('User', ada).status).toBe(200)
    })
  })
})

describe('an operation', () => {
  it('is what a request of its own would be: the same rows, journal and marks', async () => {
    const group = { displayName: 'Engineers' }
    const change = [{ op: 'replace', path: 'active', value: 'False' }]
    const told = async (run: (client: Client) => Promise<void>): Promise<unknown> => {
      let seen: unknown
      await openScim(async (world) => {
        const { okta, dump } = world
        await run(okta)
        seen = [dump(), journalled(world), dueSubjects(world)]
      })
      return seen
    }
    const single = await told(async (okta) => {
      const ada = idOf(okta.post('User', person('ada', { groups: ['x'], id: 'mine', meta: { version: 'x' } })))
      const id = idOf(okta.post('Group', { ...group, members: [{ value: ada }] }))
      okta.patch('User', ada, change)
      okta.put('Group', id, { displayName: 'Renamed', members: [] })
      okta.remove('Group', id)
      okta.post('User', person('ada'))
    })
    const together = await told(async (okta) => {
      const outcomes = await bulk(okta, {
        operations: [
          create('ada', { groups: ['x'], id: 'mine', meta: { version: 'x' } }),
          { method: 'POST', path: '/Groups', bulkId: 'g', data: { ...group, members: [{ value: 'bulkId:ada' }] } },
          { method: 'patch', path: 'Users/bulkId:ada', data: { Operations: change } },
          { method: 'Put', path: '/Groups/bulkId:g/', data: { displayName: 'Renamed', members: [] } },
          { method: 'DELETE', path: '/Groups/bulkId:g', data: { anything: true } },
          { ...create('ada'), bulkId: 'again' },
        ],
      })
      expect(statuses(outcomes)).toEqual(['201', '201', '200', '200', '204', '409'])
    })
    expect(together).toEqual(single)
  })

  it('that is wrong changes nothing, and the others are done', async () => {
    await openScim(async ({ okta }) => {
      const ada = idOf(okta.post('User', person('ada')))
      const wrong: readonly (readonly [unknown, string, string | undefined])[] = [
        [{ ...create('x'), data: { userName: '' } }, '400', 'invalidValue'],
        [{ ...create('y'), data: 'text' }, '400', 'invalidSyntax'],
        [patch(`/Users/${ada}`, { op: 'replace', path: 'shoeSize', value: 7 }), '400', 'invalidPath'],
        [patch(`/Users/${ada}`, { op: 'upsert', path: 'title', value: 7 }), '400', 'invalidSyntax'],
        [{ method: 'PATCH', path: `/Users/${ada}`, data: [] }, '400', 'invalidSyntax'],
        [{ method: 'PUT', path: `/Users/${ada}`, version: 'W/"9"', data: person('ada') }, '412', undefined],
        [{ method: 'DELETE', path: `/Groups/${ada}` }, '404', undefined],
        [{ method: 'DELETE', path: '/Users' }, '405', undefined],
        [{ method: 'POST', path: `/Users/${ada}`, bulkId: 'z', data: {} }, '405', undefined],
        [{ method: 'POST', path: '/Bulk', bulkId: 'b', data: { Operations: [] } }, '400', 'invalidValue'],
        [{ method: 'POST', path: '/.search', bulkId: 's', data: {} }, '400', 'invalidValue'],
        [{ method: 'POST', path: '/Users/.search', bulkId: 't', data: {} }, '400', 'invalidValue'],
        [{ method: 'PATCH', path: '/Me', data: {} }, '400', 'invalidValue'],
        [{ method: 'DELETE', path: '/Schemas/x' }, '400', 'invalidValue'],
        [{ method: 'PUT', path: '/Cats/7', data: {} }, '404', undefined],
        [{ method: 'PUT', path: 'https://elsewhere.example/Users/7', data: {} }, '404', undefined],
      ]
      const before = okta.get('User', ada)
      const outcomes = await bulk(okta, { operations: [...wrong.map(([operation]) => operation), create('last')] })
      expect(outcomes.slice(0, -1).map(({ status, response }) => [status, response?.status, response?.scimType]))
        .toEqual(wrong.map(([, status, scimType]) => [status, status, scimType]))
      expect(outcomes.at(-1)?.status).toBe('201')
      expect(outcomes.slice(0, -1).every(({ response }) => /^\S.*\.$/.test(response?.detail ?? ''))).toBe(true)
      expect(okta.get('User', ada)).toEqual(before)
    })
  })

  it('with an id of another alphabet has a location that is one', async () => {
    await openScim(async ({ okta }) => {
      const [outcome] = await bulk(okta, { operations: [{ method: 'DELETE', path: '/Users/a%2Fb%22%C3%A9' }] })
      expect(outcome).toMatchObject({ status: '404', location: `${BASE}/Users/a%2Fb%22%C3%A9` })
    })
  })

  it('on a group of many does not read them', async () => {
    await openScim(async (world) => {
      const { okta, store } = world
      const ada = idOf(okta.post('User', person('ada')))
      const group = idOf(okta.post('Group', { displayName: 'Engineers', members: [{ value: ada }] }))
      forget(world)
      const outcomes = await bulk(okta, { operations: [{ method: 'PUT', path: `/Groups/${group}`, data: { displayName: 'Renamed' } }] })
      expect(statuses(outcomes)).toEqual(['200'])
      expect(store.statements.all.filter((query) => /SELECT member_id/.test(query) && /FROM members WHERE group_id/.test(query))).toEqual([])
    })
  })
})

describe('failOnErrors', () => {
  it.each([
    [1, ['409']], [2, ['201', '409', '409']], [3, ['201', '409', '409', '201', '409']], [4, ['201', '409', '409', '201', '409', '201']],
  ])('%i', async (failOnErrors, expected) => {
    await openScim(async ({ okta }) => {
      okta.post('User', person('ada'))
      const again = (bulkId: string): Json => ({ ...create('ada'), bulkId })
      const outcomes = await bulk(okta, {
        failOnErrors, operations: failOnErrors === 1 ? [again('1'), create('b')] : [create('b'), again('1'), again('2'), create('c'), again('3'), create('d')],
      })
      expect(statuses(outcomes)).toEqual(expected)
      expect(okta.list('User').body.totalResults).toBe(1 + expected.filter((status) => status === '201').length)
    })
  })

  it('counts in the order of work; what waited and was not tried is left out', async () => {
    await openScim(async ({ okta }) => {
      const outcomes = await bulk(okta, { failOnErrors: 1, operations: [createGroup('g', 'bulkId:late'), create('early'), { method: 'GET', path: '/Users' }, create('late')] })
      expect(outcomes.map(({ bulkId, method, status }) => [bulkId, method, status])).toEqual([['early', 'POST', '201'], [undefined, 'GET', '400']])
      expect(okta.list('User').body.totalResults).toBe(1)
      expect(okta.list('Group').body.totalResults).toBe(0)
    })
  })
})

describe('between slices', () => {
  const many = (count: number): readonly Json[] => Array.from({ length: count }, (_, index) => create(`u${index}`))

  it.each([[1, 0], [20, 0], [21, 1], [100, 4]])('%i small operations give the object away %i times', async (count, expected) => {
    await openScim(async ({ okta }) => {
      let turns = 0
      const seen: unknown[] = []
      const outcomes = await bulk(okta, {
        operations: many(count),
        yieldTurn: () => {
          turns += 1
          seen.push(okta.list('User').body.totalResults)
          return Promise.resolve()
        },
      })
      expect([turns, new Set(statuses(outcomes))]).toEqual([expected, new Set(['201'])])
      expect(seen).toEqual(Array.from({ length: expected }, (_, turn) => 20 * (turn + 1)))
    })
  })

  it('large operations are slices of their own', async () => {
    await openScim(async ({ okta }) => {
      let turns = 0
      const operations = ['a', 'b', 'c'].map((name) => create(name, { nickName: 'x'.repeat(70_000) }))
      await bulk(okta, {
        operations,
        yieldTurn: () => {
          turns += 1
          return Promise.resolve()
        },
      })
      expect(turns).toBe(2)
    })
  })

  it('others may write, and a version tells', async () => {
    await openScim(async ({ okta }) => {
      const ada = idOf(okta.post('User', person('ada')))
      const outcomes = await bulk(okta, {
        operations: [...many(20), { method: 'DELETE', path: `/Users/${ada}`, version: 'W/"1"' }],
        yieldTurn: () => {
          okta.patch('User', ada, [{ op: 'add', path: 'title', value: 'Countess' }])
          return Promise.resolve()
        },
      })
      expect(outcomes.at(-1)?.status).toBe('412')
      expect(okta.get('User', ada).body.title).toBe('Countess')
    })
  })

  it.each([
    [{ kind: 'auth', failure: { kind: 'invalid', reason: 'connection_paused' } } as const, '401', /no longer accepted/],
    [{ kind: 'stale' } as const, '503', /Send the operation again/],
  ])('a caller who is let in no more is told which operations were not done: %j', async (failure, status, sentence) => {
    await openScim(async ({ okta }) => {
      let isOut = false
      const outcomes = await bulk(okta, {
        operations: many(25),
        execute: (command) => (isOut ? err(failure) : executeAs(okta)(command)),
        yieldTurn: () => {
          isOut = true
          return Promise.resolve()
        },
      })
      expect(statuses(outcomes)).toEqual([...Array.from({ length: 20 }, () => '201'), ...Array.from({ length: 5 }, () => status)])
      expect(outcomes.at(-1)?.response?.detail).toMatch(sentence)
      expect(okta.list('User').body.totalResults).toBe(20)
    })
  })

  it('a caller who is not let in at all is answered with that alone', async () => {
    await openScim(async ({ okta, dump }) => {
      const command = readBulkCommand({ Operations: many(2) })
      if (!command.ok) throw new Error(command.error.detail)
      const before = dump()
      const execute = (): ReturnType<ReturnType<typeof executeAs>> => err({ kind: 'stale' })
      expect(await runBulk(command.value, { base: BASE, execute, yieldTurn: () => Promise.resolve() })).toEqual({ ok: false, error: { kind: 'stale' } })
      expect(dump()).toEqual(before)
      expect(okta.list('User').body.totalResults).toBe(0)
    })
  })
})
