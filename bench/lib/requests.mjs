// The table of requests: every operation at the bridge, at one bare INSERT or SELECT and at the same rows, in turn.
import { median, percentile } from './measure.mjs'
import { countLost, tableOperations } from './operations.mjs'
import { joinRounds, playBare, playRound, rateOf } from './round.mjs'
import { copyFolder } from './seed.mjs'
import { figure, printTable } from './table.mjs'
import { openWorld, openYard } from './world.mjs'

const HEADS = [
  'operation', 'c', 'calls', 'req/s', 'p50 ms', 'p99 ms', 'CPU ms', '| bare/s', 'CPU ms', 'ratio', '| rows/s', 'CPU ms', 'ratio', 'CPU above', '| failed', 'lost',
]

/** Who goes first changes, so that nobody always follows the same other. */
const inTurn = (list, round) => [...list.slice(round % list.length), ...list.slice(0, round % list.length)]

const measure = async ({ world, yard }, operation, concurrency, rounds) => {
  const calls = operation.calls[concurrency]
  const taken = { bridge: [], bare: [], rows: [] }
  let failed = 0
  const play = {
    bridge: async () => {
      const wanted = await operation.bridge(world, calls)
      await world.settle()
      const round = await playRound(world, wanted, concurrency)
      round.answers.forEach((answer, index) => {
        if (!operation.isDone(answer)) failed += 1
        else operation.acknowledge?.(world, wanted[index], answer)
      })
      await world.settle()
      return round
    },
    bare: async () => playBare(yard, await operation.bare(yard, calls), concurrency),
    rows: async () => playBare(yard, await operation.rows(yard, calls), concurrency),
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const who of inTurn(['bridge', 'bare', 'rows'], round)) taken[who].push(await play[who]())
  }
  const { lost } = await countLost(world)
  await world.deleteGroups()
  const ratioTo = (others) => median(taken.bridge.map((round, index) => rateOf(round) / rateOf(others[index])))
  const [bridge, bare, rows] = [taken.bridge, taken.bare, taken.rows].map(joinRounds)
  return [
    operation.name, String(concurrency), String(bridge.calls),
    figure(bridge.rate, 0), figure(median(bridge.latenciesMs)), figure(percentile(bridge.latenciesMs, 0.99)), figure(bridge.cpuPerCallMs),
    `| ${figure(bare.rate, 0)}`, figure(bare.cpuPerCallMs), figure(ratioTo(taken.bare), 2),
    `| ${figure(rows.rate, 0)}`, figure(rows.cpuPerCallMs), figure(ratioTo(taken.rows), 2),
    figure(bridge.cpuPerCallMs === null ? null : bridge.cpuPerCallMs - rows.cpuPerCallMs, 2),
    `| ${failed}`, String(lost),
  ]
}

/** Both have compiled their code and filled their caches before anything is measured. */
const warmUp = async ({ world, yard }) => {
  for (const operation of tableOperations) {
    const calls = Math.min(60, operation.calls[16] ?? 20)
    const wanted = await operation.bridge(world, calls)
    const { answers } = await playRound(world, wanted, 16)
    answers.forEach((answer, index) => {
      if (operation.isDone(answer)) operation.acknowledge?.(world, wanted[index], answer)
    })
    await playBare(yard, await operation.bare(yard, calls), 16)
    await playBare(yard, await operation.rows(yard, calls), 16)
    await world.settle()
  }
  await countLost(world)
  await world.deleteGroups()
}

export const requestTable = async (stage, seed, { rounds }) => {
  copyFolder(stage, seed.name, 'requests')
  const bridge = await stage.bridge('requests', { arizeUrl: seed.arizeUrl })
  const bare = await stage.bare('bare beside requests')
  const world = openWorld(bridge, { firstName: seed.users.length, active: seed.users })
  const yard = await openYard(bare)
  await warmUp({ world, yard })
  const lines = []
  for (const operation of tableOperations) {
    for (const concurrency of Object.keys(operation.calls).map(Number)) {
      lines.push(await measure({ world, yard }, operation, concurrency, rounds))
    }
  }
  world.close()
  yard.close()
  await bridge.stop()
  await bare.stop()
  printTable('SCIM requests (1,000 users to start with), beside a bare Worker in the same breath', HEADS, lines)
}
