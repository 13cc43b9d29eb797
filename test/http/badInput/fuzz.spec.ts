import * as fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { call, connect, own, type Answer, type Message } from '../bridge'
import { MARKS, steps, type Step } from './steps'
import { answerFaults, type Asked } from './wire'
import { dumpOf, openWorld, pollution } from './world'

/**
 * Sequences of random requests by two connections of one tenant and by another tenant. Whatever comes: no answer of the bridge's own
 * failing, every answer valid SCIM, a refusal leaves the tables as they were, and nobody is told of what is another's.
 */

const PROVISIONING = 'urn:arize:params:scim:schemas:extension:provisioning:2.0:User'

interface Side {
  readonly tenant: string
  readonly base: string
  readonly authorization: string
  readonly ids: { User: string[]; Group: string[] }
}

let sides: readonly Side[]

beforeAll(async () => {
  const first = await openWorld('fuzz-one')
  const third = await openWorld('fuzz-two')
  const second = await connect('/t/fuzz-one', 'Entra')
  for (const world of [first, third]) {
    await world.send('DELETE', '/Users/{user}')
    await world.send('DELETE', '/Groups/{group}')
  }
  const sideOf = (tenant: string, authorization: string): Side => ({ tenant, base: `/t/${tenant}/scim/v2`, authorization, ids: { User: [], Group: [] } })
  sides = [sideOf('fuzz-one', first.caller.authorization), sideOf('fuzz-one', second.authorization), sideOf('fuzz-two', third.caller.authorization)]
  // The first call of a connection is noted down.
  for (const side of sides) await learn(side)
})

const sideAt = (index: number): Side => {
  const side = sides[index]
  if (side === undefined) throw new Error(`no side ${index}`)
  return side
}

const send = ({ base, authorization }: Side, method: string, path: string, message: Message = {}): Promise<Answer> =>
  call(method, `${base}${path}`, { authorization, ...message })

const idAt = (side: Side, type: string, nth: number): string => {
  const ids = type === 'Group' ? side.ids.Group : side.ids.User
  return ids[nth % Math.max(ids.length, 1)] ?? 'no-such-id'
}

/** Ids in the place of the marks. */
const fill = (text: string, side: Side): string =>
  text.replace(MARKS, (_mark, whose: string, type: string, nth: string) =>
    idAt(whose === 'own' ? side : sideAt((sides.indexOf(side) + 1) % sides.length), type, Number(nth)))

/** What the tables of each tenant held when they were last looked at. */
const last = new Map<string, string>()

const look = async (tenant: string): Promise<string> => {
  const dump = await dumpOf(tenant)
  last.set(tenant, dump)
  return dump
}

const listIds = async (side: Side, type: 'User' | 'Group'): Promise<string[]> => {
  const ids: string[] = []
  for (;;) {
    const { body } = await send(side, 'GET', `/${type}s?attributes=id&count=200&startIndex=${ids.length + 1}`)
    const page = own(body, 'Resources')
    if (!Array.isArray(page) || page.length === 0) return ids
    ids.push(...page.map((resource: unknown) => String(own(resource, 'id'))))
  }
}

/** What a side has is asked for, so that the next step can name it. */
const learn = async (side: Side): Promise<void> => {
  side.ids.User = await listIds(side, 'User')
  side.ids.Group = await listIds(side, 'Group')
}

/** What a change says about what there is now. */
const note = async (side: Side, { method, type }: Step, path: string, { status, body }: Answer): Promise<void> => {
  if (path === '/Bulk') return learn(side)
  if (status === 201) side.ids[type].push(String(own(body, 'id')))
  if (method === 'DELETE') side.ids[type] = side.ids[type].filter((id) => !path.endsWith(id))
}

/** Without what changes by itself: the state of the person at Arize. */
const still = (body: unknown): unknown =>
  Object.entries(body ?? {}).flatMap(([name, value]: [string, unknown]) =>
    name === PROVISIONING ? [] : [[name, name === 'schemas' && Array.isArray(value) ? value.filter((schema) => schema !== PROVISIONING) : value]])

/** Without what this server says of it: what a version is of. */
const contentOf = (body: unknown): string => JSON.stringify(Object.entries(body ?? {}).filter(([name]) => name !== 'meta' && name !== PROVISIONING && name !== 'schemas'))

const foreignWords = (side: Side): readonly string[] =>
  sides.filter((other) => other !== side).flatMap(({ ids, authorization }) => [...ids.User, ...ids.Group, authorization.slice(7)])

const LEAKS = /\bat \S+ \(|\.ts:\d|node_modules|sqlite|SQLITE|arzb_scim_|dev-arize-key/

interface Told {
  readonly step: Step
  readonly path: string
  readonly body: string | undefined
  readonly answer: Answer
}

/** What an answer must be, whatever the request was. */
const faultsOf = (side: Side, { step, path, body, answer }: Told): readonly string[] => {
  const isProjected = /ttributes/.test(path) || /ttributes/i.test(body ?? '')
  const asked: Asked = { base: `http://127.0.0.1${side.base}`, isProjected }
  const sent = `${decodeURIComponent(path.replaceAll(/%(?:zz|ff)/g, ''))} ${body ?? ''}`
  return [
    ...(answer.status >= 500 ? [`status ${answer.status}`] : answerFaults(answer, asked)),
    ...(LEAKS.test(answer.text) ? ['a leak'] : []),
    ...foreignWords(side).filter((word) => answer.text.includes(word) && !sent.includes(word)).map((word) => `tells of ${word}`),
    ...(step.method === 'POST' && /^\/(?:Users|Groups)$/.test(step.path) && answer.status < 300 && answer.status !== 201 ? ['created without 201'] : []),
    ...pollution(),
  ]
}

/** Requests that only ask. */
const isReading = ({ method, path }: Step): boolean => method === 'GET' || path.endsWith('.search')

const play = async (step: Step): Promise<readonly string[]> => {
  const side = sideAt(step.side)
  const path = fill(step.path, side)
  const query = fill(step.query, side)
  const body = step.body === undefined ? undefined : fill(step.body, side)
  const stored = !isReading(step) && /^\/(?:Users|Groups)\/[\w-]+$/.test(path) ? await send(side, 'GET', path) : null
  const known = stored?.headers.get('etag') ?? null
  const ifMatch = step.isCurrent === null || known === null ? null : step.isCurrent ? known : 'W/"0"'
  const answer = await send(side, step.method, `${path}${query}`, { headers: ifMatch === null ? {} : { 'if-match': ifMatch }, ...(body === undefined ? {} : { body }) })
  const before = last.get(side.tenant)
  const isSame = (await look(side.tenant)) === before
  const faults = [...faultsOf(side, { step, path: `${path}${query}`, body, answer })]
  if (!isSame && (answer.status >= 300 || isReading(step))) faults.push(`changes the tables by ${answer.status}`)
  if (ifMatch === 'W/"0"' && answer.status < 300) faults.push('written against If-Match')
  const isWritten = answer.status === 200 || answer.status === 204 || answer.status === 201
  if (known !== null && isWritten && step.method !== 'DELETE') {
    if ((answer.headers.get('etag') === known) !== isSame) faults.push(`from ${known} to ${answer.headers.get('etag')}, and the tables are ${isSame ? 'the same' : 'others'}`)
    const read = await send(side, 'GET', path)
    faults.push(...answerFaults(read, { base: `http://127.0.0.1${side.base}`, isProjected: false }).map((fault) => `read back: ${fault}`))
    const isAsBefore = contentOf(read.body) === contentOf(stored?.body)
    if ((read.headers.get('etag') === known) !== isAsBefore) faults.push(`from ${known} to ${read.headers.get('etag')}, and the resource is ${isAsBefore ? 'the same' : 'another'}`)
    if (answer.status === 200 && query === '' && JSON.stringify(still(read.body)) !== JSON.stringify(still(answer.body))) faults.push('is not what is read')
  }
  if (!isSame) await note(side, step, path, answer)
  const told = `${step.method} ${path}${query} ${body?.slice(0, 2000) ?? ''} -> ${answer.status} ${answer.text.slice(0, 1000)}`
  return faults.map((fault) => `${told}: ${fault}`)
}

/** Every side has users and a group, so that most requests have something to work on. */
const stock = async (): Promise<void> => {
  for (const side of sides) {
    for (let nth = side.ids.User.length; nth < 3; nth += 1) await send(side, 'POST', '/Users', { body: { userName: crypto.randomUUID(), emails: ['a@b.c'] } })
    const members = side.ids.User.map((value) => ({ value }))
    for (let nth = side.ids.Group.length; nth < 2; nth += 1) await send(side, 'POST', '/Groups', { body: { displayName: crypto.randomUUID(), members } })
    await learn(side)
  }
}

/** Everything goes, as a client would delete it; then nothing must be counted. */
const clear = async (): Promise<readonly unknown[]> => {
  const left: unknown[] = []
  for (const side of sides) {
    for (const type of ['Group', 'User'] as const) {
      for (const id of await listIds(side, type)) await send(side, 'DELETE', `/${type}s/${id}`)
      left.push(own((await send(side, 'GET', `/${type}s?count=0`)).body, 'totalResults'))
    }
    await learn(side)
  }
  return left
}

const isFull = (): boolean => sides.some(({ ids }) => ids.User.length + ids.Group.length > 15)

describe('whatever is asked, in whatever order', () => {
  it('is answered as SCIM says, or refused and changes nothing', async () => {
    await fc.assert(fc.asyncProperty(fc.array(steps, { minLength: 4, maxLength: 14 }), async (sequence) => {
      await stock()
      const faults: string[] = []
      for (const { tenant } of sides) await look(tenant)
      for (const step of sequence) faults.push(...(await play(step)))
      // Nobody has changed a tenant but those who asked it.
      for (const [tenant, dump] of last) if ((await dumpOf(tenant)) !== dump) faults.push(`${tenant} was changed by others`)
      if (isFull()) expect(await clear()).toEqual([0, 0, 0, 0, 0, 0])
      expect(faults).toEqual([])
    }), { numRuns: 150 })
    expect(await clear()).toEqual([0, 0, 0, 0, 0, 0])
  }, 120_000)
})
