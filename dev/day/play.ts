import * as z from 'zod'
import { err, ok, type Result } from '../../src/result'
import { fillIds, type Client, type Exchange } from './exchange'
import { describeCall, differencesOf, factsOf, isWrite, reasonsOf } from './facts'
import type { Paint } from './layout'
import { scenes as theDay, type Scene } from './scenes'
import { showCalls, showOpening, showPeople, showReasons, type Before, type Shown } from './show'
import { makeKey, readArize, readCalls, readPerson, seed, settle, type ArizeState, type Mishap, type PersonView, type World } from './world'

/** Plays the day, shows it, and checks that every scene ends as it must. */

export interface Stage {
  readonly world: World
  readonly print: (line: string) => void
  readonly paint: Paint
  readonly scenes?: readonly Scene[]
}

/** How many calls Arize got in all, or what went wrong: the day stops at the first scene that does not end as it must. */
export type Day = Result<{ readonly calls: number }, readonly Mishap[]>

const HEADERS: Readonly<Record<Client, Readonly<Record<string, string>>>> = {
  Okta: { 'user-agent': 'Okta SCIM Client 1.0.0', accept: 'application/scim+json', 'accept-charset': 'utf-8' },
  Entra: { accept: 'application/scim+json' },
}

const BODY = { 'content-type': 'application/scim+json; charset=utf-8' }

const resource = z.object({ id: z.string() })
const list = z.object({ Resources: z.array(resource) })

type Ids = Map<string, string>

const send = async ({ scim }: World, exchange: Exchange, ids: Ids): Promise<Result<void, Mishap>> => {
  const { client, method, path, body, status } = exchange
  const address = fillIds(path, ids)
  const text = body === undefined ? undefined : fillIds(JSON.stringify(body), ids)
  if (address === null || text === null) return err(`${method} ${path} needs an id that nobody has sent yet.`)
  const answer = await scim(method, address, text, { ...HEADERS[client], ...(text === undefined ? {} : BODY) })
  if (answer.status !== status) return err(`${client}: ${method} ${address} answered ${answer.status} instead of ${status}: ${answer.text}`)
  return keep(exchange, answer.text, ids)
}

/** Remembers the id that the answer gives, as the provider does. */
const keep = ({ path, keep: created, keepFound: found }: Exchange, text: string, ids: Ids): Result<void, Mishap> => {
  const name = created ?? found
  if (name === undefined) return ok(undefined)
  const body: unknown = JSON.parse(text)
  const id = created === undefined ? list.safeParse(body).data?.Resources[0]?.id : resource.safeParse(body).data?.id
  if (id === undefined) return err(`${path} answered without the id of ${name}.`)
  ids.set(name, id)
  return ok(undefined)
}

interface Look {
  readonly state: ArizeState
  readonly views: ReadonlyMap<string, PersonView>
}

const look = async (world: World, scene: Scene): Promise<Result<Look, Mishap>> => {
  const state = await readArize(world)
  if (!state.ok) return state
  const views = new Map<string, PersonView>()
  for (const { who } of scene.people) {
    const view = await readPerson(world, who.email)
    if (!view.ok) return view
    views.set(who.email, view.value)
  }
  return ok({ state: state.value, views })
}

const sideOf = ({ state, views }: Look, email: string): Before => ({
  groups: views.get(email)?.groups.map(({ displayName }) => displayName) ?? [],
  facts: factsOf(state, email),
})

const shownOf = (scene: Scene, before: Look, after: Look): readonly Shown[] =>
  scene.people.map(({ who }) => {
    const view = after.views.get(who.email)
    return {
      name: `${who.givenName} ${who.familyName}`,
      email: who.email,
      before: sideOf(before, who.email),
      after: sideOf(after, who.email),
      reasons: view === undefined ? [] : reasonsOf(view),
    }
  })

const judge = (scene: Scene, after: Look, writes: readonly string[]): readonly Mishap[] => [
  ...scene.people.flatMap(({ who, ending }) => {
    const view = after.views.get(who.email)
    return view === undefined ? [] : differencesOf(who.email, ending, factsOf(after.state, who.email), view)
  }),
  ...(writes.length === scene.writes ? [] : [`calls that changed something at Arize should be ${scene.writes} and are ${writes.length}.`]),
]

const playScene = async (stage: Stage, scene: Scene, number: number, ids: Ids): Promise<Result<void, readonly Mishap[]>> => {
  const { world, print, paint } = stage
  const tell = (lines: readonly string[]): void => lines.forEach((line) => print(line))
  tell(showOpening(number, scene, paint))
  for (const owner of scene.keysFor ?? []) {
    const made = await makeKey(world, owner.email)
    if (!made.ok) return err([made.error])
  }
  const before = await look(world, scene)
  const callsBefore = await readCalls(world)
  if (!before.ok) return err([before.error])
  if (!callsBefore.ok) return err([callsBefore.error])
  for (const exchange of scene.traffic) {
    const sent = await send(world, exchange, ids)
    if (!sent.ok) return err([`Scene ${number}, ${scene.title}: ${sent.error}`])
  }
  const settled = await settle(world)
  const after = await look(world, scene)
  const callsAfter = await readCalls(world)
  if (!after.ok) return err([after.error])
  if (!callsAfter.ok) return err([callsAfter.error])
  const people = shownOf(scene, before.value, after.value)
  const calls = callsAfter.value.slice(callsBefore.value.length)
  const writes = calls.filter(isWrite).map((call) => describeCall(call, after.value.state))
  tell(showPeople(people, paint))
  tell(showReasons(people, paint))
  tell(showCalls(scene.traffic.length, calls.length - writes.length, writes, paint))
  const mishaps = [...(settled.ok ? [] : [settled.error]), ...judge(scene, after.value, writes)]
  return mishaps.length === 0 ? ok(undefined) : err(mishaps.map((mishap) => `Scene ${number}, ${scene.title}: ${mishap}`))
}

/** Needs an Arize account and a bridge in which nothing has happened yet. */
export const playDay = async (stage: Stage): Promise<Day> => {
  const { world, print, paint, scenes = theDay } = stage
  const seeded = await seed(world)
  if (!seeded.ok) return err([seeded.error])
  const callsBefore = await readCalls(world)
  if (!callsBefore.ok) return err([callsBefore.error])
  const ids: Ids = new Map()
  for (const [index, scene] of scenes.entries()) {
    const played = await playScene(stage, scene, index + 1, ids)
    if (!played.ok) return played
  }
  const callsAfter = await readCalls(world)
  if (!callsAfter.ok) return err([callsAfter.error])
  const calls = callsAfter.value.slice(callsBefore.value.length)
  const requests = scenes.reduce((sum, { traffic }) => sum + traffic.length, 0)
  const writes = calls.filter(isWrite).length
  print('')
  print(paint.good(
    `The day ended as it should: ${requests} SCIM requests, ${calls.length} Arize calls (${calls.length - writes} reads, ${writes} changes).`))
  return ok({ calls: calls.length })
}
