import { describe, expect, it } from 'vitest'
import { call, connect, own, textAt, type Answer } from '../bridge'
import { idOf, populate } from './crowd'
import { openWorld, patch, type World } from './world'

/** Many requests at once: none is lost, none is done by half, and nobody sees what is another's. */

/** Milliseconds for hundreds of requests, on a machine that has other things to do. */
const MANY = 60_000

const range = (length: number): number[] => Array.from({ length }, (_, index) => index)

const membersOf = async (world: World, group: string): Promise<readonly string[]> => {
  const { body } = await world.send('GET', `/Groups/${group}`)
  const members = own(body, 'members')
  return Array.isArray(members) ? members.map((member: unknown) => String(own(member, 'value'))).toSorted() : []
}

const countOf = (answers: readonly Answer[]): Readonly<Record<number, number>> => {
  const counts: Record<number, number> = {}
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

describe('one group, 300 requests at once', () => {
  it('keeps 300 members that were added', async () => {
    const world = await openWorld('parallel-adds')
    await populate(world.tenant, world.caller.id, 0, 300)
    const group = textAt(await world.send('POST', '/Groups', { body: { displayName: 'Crowd' } }), 'id')
    const answers = await Promise.all(range(300).map((index) =>
      world.send('PATCH', `/Groups/${group}`, { body: patch('add', 'members', [{ value: idOf(index) }]) })))
    expect(countOf(answers)).toEqual({ 204: 300 })
    expect(await membersOf(world, group)).toEqual(range(300).map(idOf))
    expect(new Set(answers.map(({ headers }) => headers.get('etag'))).size).toBe(300)
    expect((await world.send('GET', `/Groups/${group}`)).headers.get('etag')).toBe('W/"301"')
  }, MANY)

  it('ends with those who were added and without those who were removed', async () => {
    const world = await openWorld('parallel-mixed')
    await populate(world.tenant, world.caller.id, 0, 300)
    const there = range(150).map((index) => ({ value: idOf(index) }))
    const group = textAt(await world.send('POST', '/Groups', { body: { displayName: 'Crowd', members: there } }), 'id')
    const shapes = (index: number): unknown =>
      index % 2 === 0 ? patch('remove', `members[value eq "${idOf(index)}"]`) : patch('Remove', 'members', [{ value: idOf(index) }])
    const answers = await Promise.all(range(300).map((index) => world.send('PATCH', `/Groups/${group}`, {
      body: index < 150 ? shapes(index) : patch('add', index % 2 === 0 ? 'members' : undefined, index % 2 === 0 ? [{ value: idOf(index) }] : { members: [{ value: idOf(index) }] }),
    })))
    expect(countOf(answers)).toEqual({ 204: 300 })
    expect(await membersOf(world, group)).toEqual(range(150).map((index) => idOf(index + 150)))
  }, MANY)

  it('is in each of its users exactly if they are in it, whatever came first', async () => {
    const world = await openWorld('parallel-same')
    await populate(world.tenant, world.caller.id, 0, 10)
    const group = textAt(await world.send('POST', '/Groups', { body: { displayName: 'Crowd' } }), 'id')
    const answers = await Promise.all(range(300).map((index) => {
      const at = `/Groups/${group}`
      if (index % 50 === 49) return world.send('PUT', at, { body: { displayName: 'Crowd', members: [{ value: idOf(index % 10) }] } })
      const member = [{ value: idOf(index % 10) }]
      return world.send('PATCH', at, { body: patch(index % 3 === 0 ? 'remove' : 'add', 'members', member) })
    }))
    expect(answers.filter(({ status }) => status !== 204 && status !== 200)).toEqual([])
    const members = await membersOf(world, group)
    expect(new Set(members).size).toBe(members.length)
    for (const index of range(10)) {
      const { body } = await world.send('GET', `/Users/${idOf(index)}`)
      expect(own(body, 'groups', 0, 'value')).toBe(members.includes(idOf(index)) ? group : undefined)
    }
  }, MANY)
})

describe('many requests for one thing', () => {
  it('make one user of one name', async () => {
    const world = await openWorld('parallel-names')
    const answers = await Promise.all(range(100).map((index) =>
      world.send('POST', '/Users', { body: { userName: index % 2 === 0 ? 'arya@example.com' : 'ARYA@example.com' } })))
    expect(countOf(answers)).toEqual({ 201: 1, 409: 99 })
    const groups = await Promise.all(range(100).map(() => world.send('POST', '/Groups', { body: { displayName: 'Faceless' } })))
    expect(countOf(groups)).toEqual({ 201: 1, 409: 99 })
    const list = await world.send('GET', '/Users')
    expect(own(list.body, 'totalResults')).toBe(2)
  }, MANY)

  it('let one of those who read the same version write', async () => {
    const world = await openWorld('parallel-versions')
    const answers = await Promise.all(range(100).map((index) =>
      world.send('PATCH', '/Users/{user}', { headers: { 'if-match': 'W/"1"' }, body: patch('replace', 'title', `T${index}`) })))
    expect(countOf(answers)).toEqual({ 200: 1, 412: 99 })
    const written = answers.find(({ status }) => status === 200)
    const { body, headers } = await world.send('GET', '/Users/{user}')
    expect([headers.get('etag'), own(body, 'title')]).toEqual(['W/"2"', own(written?.body, 'title')])
  }, MANY)

  it('delete once, and nothing comes back', async () => {
    const world = await openWorld('parallel-deletes')
    const answers = await Promise.all(range(60).map((index) =>
      index % 2 === 0 ? world.send('DELETE', '/Users/{user}') : world.send('PATCH', '/Users/{user}', { body: patch('replace', 'title', `T${index}`) })))
    const counts = countOf(answers)
    expect(counts[204]).toBe(1)
    expect(Object.keys(counts).every((status) => ['200', '204', '404'].includes(status))).toBe(true)
    expect((await world.send('GET', '/Users/{user}')).status).toBe(404)
    expect(await membersOf(world, world.groupId)).toEqual([])
  }, MANY)
})

type Send = (method: string, path: string, body?: unknown) => Promise<Answer>

/** One caller: a tenant of its own, or a connection of its own in a tenant that has another. */
interface Side {
  readonly name: string
  readonly send: Send
  /** Users that are there from the start. */
  readonly before: number
}

interface Life extends Side {
  readonly ids: readonly string[]
  /** Everything that was answered. */
  readonly told: string
}

const sideOf = (world: World, name: string, authorization: string, before: number): Side => ({
  name, before,
  send: (method, path, body) => call(method, `${world.base}${path}`, { authorization, ...(body === undefined ? {} : { body }) }),
})

/** All sides use the same names: they are unique within a connection, and within nothing else. */
const live = async (side: Side): Promise<Life> => {
  const ids: string[] = []
  const texts: string[] = []
  const send = async (...request: Parameters<Send>): Promise<Answer> => {
    const answer = await side.send(...request)
    texts.push(answer.text)
    return answer
  }
  await Promise.all(range(40).map(async (index) => {
    const userName = `user${index}@example.com`
    const user = textAt(await send('POST', '/Users', { userName, title: `of-${side.name}`, emails: [{ value: `user${index}@${side.name}.invalid` }] }), 'id')
    const group = textAt(await send('POST', '/Groups', { displayName: `Group ${index}`, externalId: `of-${side.name}-${index}`, members: [{ value: user }] }), 'id')
    ids.push(user, group)
    await send('GET', `/Users?filter=${encodeURIComponent(`userName eq "${userName}"`)}`)
    await send('PATCH', `/Groups/${group}?attributes=members`, patch('add', 'members', [{ value: 'nobody' }, { value: user }]))
    await send('POST', '/Users', { userName: userName.toUpperCase() })
    await send('GET', '/Groups?count=200')
  }))
  await send('GET', '/Users?count=200')
  await send('GET', '/Users?filter=emails%20co%20%22invalid%22&count=200')
  return { ...side, ids, told: texts.join('\n') }
}

/** Every request for what is another's is answered as one for what is not there. */
const statusesFor = async ({ send, ids }: Life, id: string): Promise<readonly number[]> => {
  const find = await send('GET', `/Users?filter=${encodeURIComponent(`id eq "${id}" or groups eq "${id}" or manager eq "${id}"`)}`)
  expect(own(find.body, 'totalResults')).toBe(0)
  const answers = await Promise.all([
    send('GET', `/Users/${id}`), send('GET', `/Groups/${id}`), send('DELETE', `/Users/${id}`), send('DELETE', `/Groups/${id}`),
    send('PATCH', `/Users/${id}`, patch('replace', 'active', false)), send('PUT', `/Groups/${id}`, { displayName: 'Mine' }),
    send('PATCH', `/Groups/${ids[1] ?? ''}`, patch('add', 'members', [{ value: id }])),
  ])
  return answers.map(({ status }) => status)
}

describe('two tenants, and two connections of one, at once', () => {
  it('never see each other', async () => {
    const left = await openWorld('parallel-left')
    const right = await openWorld('parallel-right')
    const third = await connect(`/t/${left.tenant}`, 'Entra')
    const lives = await Promise.all([
      sideOf(left, 'left', left.caller.authorization, 1), sideOf(right, 'right', right.caller.authorization, 1), sideOf(left, 'third', third.authorization, 0),
    ].map(live))
    for (const life of lives) {
      const others = lives.filter(({ name }) => name !== life.name)
      const foreign = others.flatMap(({ name, ids }) => [...ids, `of-${name}`, `${name}.invalid`])
      expect(foreign.filter((word) => life.told.includes(word))).toEqual([])
      for (const id of others.flatMap(({ ids }) => ids.slice(0, 4))) expect(await statusesFor(life, id)).toEqual([404, 404, 404, 404, 404, 404, 400])
      const users = await life.send('GET', '/Users?count=0')
      expect(own(users.body, 'totalResults')).toBe(life.before + 40)
    }
  }, MANY)
})
