// Calls to Arize against the fewest that the change allows, step by step, and whether everybody ended up as they should.
import { tokens } from '../../scripts/lib/settings.mjs'
import { countKinds, openArize } from './arize.mjs'
import { openClient } from './client.mjs'
import { cpuMs, minus } from './measure.mjs'
import { figure, printTable } from './table.mjs'
import { openWorld, requests } from './world.mjs'

const organizationOf = (number) => `Organization ${number}`
const groupOf = (number) => `Bench ${number}`
const RAISED = 'Bench raised'

const BASE_ROLE = 'READ_ONLY'
const RAISED_ROLE = 'MEMBER'

/** Each group is one organization; one more group raises the role in the first. The brake stays out of the way. */
export const policyOf = (grants) => ({
  mappings: [
    ...Array.from({ length: grants }, (_, index) => ({
      id: `bench-${index + 1}`, group: groupOf(index + 1), grants: [{ organization: organizationOf(index + 1), role: BASE_ROLE }],
    })),
    { id: 'raised', group: RAISED, grants: [{ organization: organizationOf(1), role: RAISED_ROLE }] },
  ],
  brake: { maxRemovalsPerHour: 1_000_000, maxRemovalsPercent: 100, maxLeaversPerHour: 1_000_000, maxLeaversPercent: 100 },
})

const addressOf = ({ name }) => `${name}@acme.example`

export const putPolicy = async ({ url }, policy) => {
  const admin = openClient(url, tokens.admin, 1)
  const { status, json } = await admin.ask('PUT', '/admin/api/policy', policy)
  admin.close()
  if (status !== 200) throw new Error(`The policy was refused (${status}): ${JSON.stringify(json)}`)
}

/** Until nobody is due: one call settles for at most 30 s. */
const settleAll = async (world) => {
  for (let tries = 0; tries < 10; tries += 1) {
    const { due, stuck } = await world.settle()
    if (due === 0) return { due, stuck }
  }
  return world.settle()
}

const succeed = (what, answers, status) => {
  const failed = answers.find((answer) => answer.status !== status)
  if (failed !== undefined) throw new Error(`${what} answered ${failed.status}: ${JSON.stringify(failed.json)}`)
}

/** Organizations, policy and empty groups for `grants` grants a person. */
export const prepare = async ({ bridge, arizeServer, grants, firstName = 0 }) => {
  const arize = openArize(arizeServer)
  for (let number = 1; number <= grants; number += 1) await arize.createOrganization(organizationOf(number))
  await putPolicy(bridge, policyOf(grants))
  const world = openWorld(bridge, { firstName })
  const groups = []
  for (let number = 1; number <= grants; number += 1) groups.push(await world.createGroup(groupOf(number)))
  const raised = await world.createGroup(RAISED)
  return { arize, world, groups, raised }
}

/** New people in every group. */
export const join = async ({ world, groups }, count) => {
  const users = await world.createUsers(count)
  const ids = users.map(({ id }) => id)
  succeed('Adding members', await world.askAll(groups.map((group) => requests.addMembers(group, ids))), 204)
  return users
}

/**
 * One step: the directory is changed, then settled.
 * `minimum`: the fewest calls. `expected`: what each of `users` holds afterwards.
 */
const play = async ({ arize, world }, { name, people, change, minimum, users, expected }) => {
  // A leaver is due at once: some of the calls may be made before anybody settles.
  const callsBefore = (await arize.calls()).length
  await change()
  const callsWhenSettling = (await arize.calls()).length
  const cpuBefore = cpuMs(world.server.pid)
  const startedAt = performance.now()
  const { due, stuck } = await settleAll(world)
  const wallMs = performance.now() - startedAt
  const cpu = minus(cpuMs(world.server.pid), cpuBefore)
  const allCalls = await arize.calls()
  const calls = allCalls.slice(callsBefore)
  const settled = allCalls.length - callsWhenSettling
  const holdings = await arize.holdings()
  const wrong = users.filter((user) => (holdings.get(addressOf(user)) ?? 'nobody') !== expected(user)).length
  const kinds = [...countKinds(calls)].map(([kind, count]) => `${count} ${kind}`).join(', ')
  return [
    name, String(people), String(calls.length), String(minimum), calls.length === minimum ? '=' : `${calls.length > minimum ? '+' : ''}${calls.length - minimum}`,
    figure(wallMs / 1000, 2), settled === 0 ? '–' : figure((settled * 1000) / wallMs, 0),
    settled === 0 ? '–' : figure(cpu === null ? null : cpu / settled),
    String(wrong), String(due + stuck), kinds === '' ? 'none' : kinds,
  ]
}

const HEADS = ['step', 'people', 'calls', 'fewest', 'above', 'wall s', 'calls/s', 'CPU ms/call', 'wrong', 'due or stuck', 'by kind']

export const settlingTable = async (stage, { joiners, grants }) => {
  const arizeServer = await stage.arize('arize')
  const bridge = await stage.bridge('settling', { arizeUrl: arizeServer.url })
  const scene = await prepare({ bridge, arizeServer, grants })
  const { arize, world, groups, raised } = scene
  const some = Math.ceil(joiners / 4)
  const users = []
  const holds = new Map()
  const hold = (of, roles) => of.forEach((user) => holds.set(user.name, roles.toSorted().join(', ')))
  const expected = ({ name }) => holds.get(name) ?? 'nobody'
  const roles = (first, from = 1) => [
    ...(from === 1 ? [`${organizationOf(1)} ${first}`] : []),
    ...Array.from({ length: grants - Math.max(1, from - 1) }, (_, index) => `${organizationOf(index + Math.max(2, from))} ${BASE_ROLE}`),
  ]
  const ids = (of) => of.map(({ id }) => id)
  const step = (options) => play(scene, { users, expected, ...options })

  const lines = []
  lines.push(await step({
    name: `joiners, ${grants} grants each`, people: joiners, minimum: 1 + joiners * (2 + grants),
    change: async () => {
      users.push(...(await join(scene, joiners)))
      hold(users, roles(BASE_ROLE))
    },
  }))
  lines.push(await step({ name: 'settled again', people: joiners, minimum: 0, change: async () => undefined }))
  lines.push(await step({
    name: 'everybody evaluated again', people: joiners, minimum: 0,
    change: async () => {
      const policy = policyOf(grants)
      await putPolicy(bridge, { ...policy, mappings: policy.mappings.map((mapping) => ({ ...mapping, id: `${mapping.id}-again` })) })
    },
  }))
  const movers = users.slice(0, some)
  lines.push(await step({
    name: 'movers, one role raised', people: some, minimum: some,
    change: async () => {
      succeed('Raising', await world.askAll([requests.addMembers(raised, ids(movers))]), 204)
      hold(movers, roles(RAISED_ROLE))
    },
  }))
  lines.push(await step({
    name: 'movers, out of one of two groups', people: some, minimum: some,
    change: async () => {
      succeed('Lowering', await world.askAll(ids(movers).map((id) => requests.removeMember(raised, id))), 204)
      hold(movers, roles(BASE_ROLE))
    },
  }))
  lines.push(await step({
    name: 'movers, one organization less', people: some, minimum: some,
    change: async () => {
      succeed('Removing', await world.askAll(ids(movers).map((id) => requests.removeMember(groups[0], id))), 204)
      hold(movers, roles(BASE_ROLE, 2))
    },
  }))
  const leavers = users.slice(some, 2 * some)
  for (const leaver of leavers) await arize.makeKey(addressOf(leaver))
  lines.push(await step({
    name: 'leavers, one API key each', people: some, minimum: some * (grants + 2),
    change: async () => {
      succeed('Deactivating', await world.askAll(ids(leavers).map(requests.deactivate)), 200)
      hold(leavers, [])
    },
  }))
  world.close()
  arize.close()
  await bridge.stop()
  await arizeServer.stop()
  printTable('Calls to Arize against the fewest possible, settled at up to 1,000 calls a second', HEADS, lines)
}
