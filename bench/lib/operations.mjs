// What is measured: for each operation its requests to the bridge, and to the bare Worker one durable INSERT or one SELECT
// with the same body (`bare`) and a call that writes or reads the same rows (`rows`).
import { requests, userBody } from './world.mjs'

const repeat = (count, make) => Array.from({ length: count }, (_, index) => make(index))

/** Any of them, evenly, without a clock or a seed. */
const spread = (list, index) => list[(index * 7919) % list.length]

const OK = ({ status }) => status === 200
const CREATED = ({ status }) => status === 201
const NO_CONTENT = ({ status }) => status === 204

const parse = ({ body }) => JSON.parse(body.toString())

/** One durable INSERT of the body that the operation sends. */
const insertInstead = (make) => (yard, count) =>
  repeat(count, () => ({ method: 'POST', path: `/entries/${yard.newName()}`, body: make(yard) }))

const selectInstead = (yard, count) => repeat(count, (index) => ({ method: 'GET', path: `/entries/${spread(yard.known, index)}` }))

const patchOf = (yard, count) => requests.addMembers('group', repeat(count, (index) => spread(yard.known, index))).body

const addMemberRows = (yard, count) => repeat(count, () => ({ method: 'PATCH', path: '/rows/groups/group', body: requests.addMembers('', [yard.newName()]).body }))

const remember = (map, group, ids) => map.set(group, [...(map.get(group) ?? []), ...ids])

const createUser = {
  name: 'create user',
  isDone: CREATED,
  bridge: (world, count) => repeat(count, () => requests.createUser(world.newName())),
  acknowledge: (world, request, answer) => {
    const user = { id: parse(answer).id, name: request.body.userName.replace(/@.*/, '') }
    world.acknowledged.created.push(user)
    world.active.push(user)
  },
  bare: insertInstead((yard) => userBody(yard.newName())),
  rows: (yard, count) => repeat(count, () => {
    const name = yard.newName()
    return { method: 'POST', path: `/rows/users/${name}`, body: userBody(name) }
  }),
}

const findUser = {
  name: 'filter by userName',
  isDone: (answer) => OK(answer) && parse(answer).totalResults === 1,
  bridge: (world, count) => repeat(count, (index) => requests.findUser(spread(world.active, index).name)),
  bare: selectInstead,
  rows: selectInstead,
}

/** A user is added once: each round has a group of its own, or all have the world's. */
const addMember = {
  name: 'PATCH add member',
  isDone: NO_CONTENT,
  bridge: async (world, count) => {
    const group = world.group ?? (await world.createGroup(`Adding ${world.newName()}`))
    const users = world.group === null ? world.active.slice(-count) : await world.createUsers(count)
    return users.map(({ id }) => ({ ...requests.addMembers(group, [id]), group, ids: [id] }))
  },
  acknowledge: (world, { group, ids }) => remember(world.acknowledged.added, group, ids),
  bare: insertInstead((yard) => patchOf(yard, 1)),
  rows: addMemberRows,
}

const deactivate = {
  name: 'deactivate',
  isDone: (answer) => OK(answer) && parse(answer).active === false,
  bridge: (world, count) => world.active.splice(-count).map(({ id }) => ({ ...requests.deactivate(id), id })),
  acknowledge: (world, { id }) => world.acknowledged.deactivated.push(id),
  bare: insertInstead(() => requests.deactivate('').body),
  rows: async (yard, count) => {
    const users = await yard.createUsers(count)
    return users.map((name) => ({ method: 'PATCH', path: `/rows/users/${name}`, body: requests.deactivate('').body }))
  },
}

const isFullPage = (answer) => OK(answer) && parse(answer).Resources.length === 100

const page = {
  name: 'page of 100',
  isDone: isFullPage,
  bridge: (_world, count) => repeat(count, (index) => requests.page(1 + 100 * (index % 9))),
  bare: selectInstead,
  rows: (_yard, count) => repeat(count, () => ({ method: 'GET', path: '/rows/users' })),
}

const THOUSAND = 1000

const addThousand = {
  name: 'PATCH add 1,000 members',
  isDone: NO_CONTENT,
  bridge: async (world, count) => {
    const ids = world.active.slice(0, THOUSAND).map(({ id }) => id)
    const made = []
    for (let index = 0; index < count; index += 1) {
      const group = await world.createGroup(`Thousand ${world.newName()}`)
      made.push({ ...requests.addMembers(group, ids), group, ids })
    }
    return made
  },
  acknowledge: (world, { group, ids }) => remember(world.acknowledged.added, group, ids),
  bare: insertInstead((yard) => patchOf(yard, THOUSAND)),
  rows: (yard, count) => repeat(count, () => ({
    method: 'PATCH', path: `/rows/groups/${yard.newName()}`, body: requests.addMembers('', yard.known.slice(0, THOUSAND)).body,
  })),
}

/** At concurrency 300 the calls of one round are under way together, on one group. */
const addTogether = { ...addMember, name: '300 parallel PATCHes on one group' }

/** The table's, with the calls per round at each concurrency. Users are created before they are deactivated. */
export const tableOperations = [
  { ...createUser, calls: { 1: 60, 16: 160 } },
  { ...findUser, calls: { 1: 60, 16: 160 } },
  { ...addMember, calls: { 1: 60, 16: 160 } },
  { ...deactivate, calls: { 1: 60, 16: 160 } },
  { ...page, calls: { 1: 30, 16: 80 } },
  { ...addThousand, calls: { 1: 10, 16: 16 } },
  { ...addTogether, calls: { 300: 300 } },
]

const lastPage = {
  ...page,
  name: 'page of 100, the last',
  bridge: async (world, count) => {
    const total = await world.countUsers()
    return repeat(count, () => requests.page(total - 99))
  },
}

const removeMember = {
  name: 'PATCH remove member',
  isDone: NO_CONTENT,
  bridge: (world, count) => {
    const added = world.acknowledged.added.get(world.group) ?? []
    return added.splice(0, count).map((id) => ({ ...requests.removeMember(world.group, id), group: world.group, ids: [id] }))
  },
  acknowledge: (world, { group, ids }) => remember(world.acknowledged.removed, group, ids),
  bare: insertInstead((yard) => patchOf(yard, 1)),
}

const groupWithoutMembers = {
  name: 'group without members',
  isDone: OK,
  bridge: (world, count) => repeat(count, () => requests.groupWithoutMembers(world.group)),
  bare: selectInstead,
}

/** Growth's: one group holds everybody. All with concurrency 1. */
export const growthOperations = [
  { ...createUser, calls: 25 },
  { ...findUser, calls: 25 },
  { ...addMember, calls: 25 },
  { ...removeMember, calls: 20 },
  { ...groupWithoutMembers, calls: 25 },
  { ...deactivate, calls: 25 },
  { ...page, name: 'page of 100, the first', calls: 15 },
  { ...lastPage, calls: 15 },
  { ...addThousand, calls: 5 },
]

/** Members of a group by the group's own answer. */
const membersOf = async (world, group) => {
  const { json } = await world.ask('GET', requests.wholeGroup(group).path)
  return new Set((json?.members ?? []).map(({ value }) => value))
}

const countMissing = async (world, added, isMissing) => {
  let missing = 0
  for (const [group, ids] of added) {
    const members = await membersOf(world, group)
    missing += ids.filter((id) => isMissing(members, id)).length
  }
  return missing
}

/** Acknowledged writes that a read does not find: of users, and of members. Forgets them. */
export const countLost = async (world) => {
  const { created, deactivated, added, removed } = world.acknowledged
  const users = await world.askAll(created.map(({ id }) => requests.stateOfUser(id)))
  const leavers = await world.askAll(deactivated.map((id) => requests.stateOfUser(id)))
  const lost =
    users.filter(({ json }, index) => json?.userName !== `${created[index].name}@acme.example`).length +
    leavers.filter(({ json }) => json?.active !== false).length +
    (await countMissing(world, added, (members, id) => !members.has(id))) +
    (await countMissing(world, removed, (members, id) => members.has(id)))
  const counted = created.length + deactivated.length + [...added.values(), ...removed.values()].reduce((sum, ids) => sum + ids.length, 0)
  world.acknowledged = { created: [], deactivated: [], added: new Map(), removed: new Map() }
  return { lost, counted }
}
