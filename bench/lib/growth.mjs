// The table of growth: Directories of several sizes and the bare Worker side by side, so that the machine's drift is everybody's.
import { cpuMs, median, minus, residentMb } from './measure.mjs'
import { countLost, growthOperations } from './operations.mjs'
import { joinRounds, playBare, playRound } from './round.mjs'
import { copyFolder, growFolder } from './seed.mjs'
import { figure, printTable } from './table.mjs'
import { openWorld, openYard, requests } from './world.mjs'

const inThousands = (count) => `${count / 1000}k`

const openSizes = async (stage, seed, sizes) => {
  const worlds = []
  for (const size of sizes) {
    const name = `${size} users`
    copyFolder(stage, seed.name, name)
    const users = await growFolder(stage, name, seed, size)
    const world = openWorld(await stage.bridge(name, { arizeUrl: seed.arizeUrl }), { firstName: seed.users.length, active: users, group: seed.group })
    const counted = await world.countUsers()
    if (counted !== size) throw new Error(`There should be ${size} users and are ${counted}.`)
    worlds.push({ size, world, failed: 0 })
  }
  return worlds
}

const playAt = async (operation, at) => {
  const { world } = at
  const wanted = await operation.bridge(world, operation.calls)
  await world.settle()
  const round = await playRound(world, wanted, 1)
  round.answers.forEach((answer, index) => {
    if (!operation.isDone(answer)) at.failed += 1
    else operation.acknowledge?.(world, wanted[index], answer)
  })
  await world.settle()
  return round
}

const measure = async (worlds, yard, operation, rounds) => {
  const taken = worlds.map(() => [])
  const bare = []
  // The first round is a warm-up.
  for (let round = 0; round <= rounds; round += 1) {
    for (const [index, at] of worlds.entries()) {
      const played = await playAt(operation, at)
      if (round > 0) taken[index].push(played)
    }
    const played = await playBare(yard, await operation.bare(yard, operation.calls), 1)
    if (round > 0) bare.push(played)
  }
  const joined = taken.map(joinRounds)
  const p50 = joined.map(({ latenciesMs }) => median(latenciesMs))
  return [
    operation.name,
    ...p50.map((value) => figure(value)),
    ...p50.slice(1).map((value) => `×${figure(value / p50[0], 2)}`),
    ...joined.map(({ cpuPerCallMs }, index) => `${index === 0 ? '| ' : ''}${figure(cpuPerCallMs)}`),
    `| ${figure(median(joinRounds(bare).latenciesMs))}`,
  ]
}

/** What a group of everybody costs when it is asked for whole. */
const readWhole = async ({ size, world }) => {
  const before = cpuMs(world.server.pid)
  const { wallMs, answers: [answer] } = await playRound(world, [requests.wholeGroup(world.group)], 1)
  const cpu = minus(cpuMs(world.server.pid), before)
  return `a group of ${inThousands(size)} read whole: ${figure(answer.body.length / 1e6)} MB, ${figure(wallMs, 0)} ms, ${figure(cpu, 0)} ms CPU`
}

const memoryRow = (name, { before, worked, read }, bare) =>
  [name, figure(before, 0), figure(worked, 0), figure(read, 0), figure(minus(worked, bare), 0)]

export const growthTable = async (stage, seed, { sizes, rounds }) => {
  const worlds = await openSizes(stage, seed, sizes)
  const bareServer = await stage.bare('bare beside growth')
  const yard = await openYard(bareServer)
  const pids = [...worlds.map(({ world }) => world.server.pid), bareServer.pid]
  const before = pids.map(residentMb)
  const lines = []
  for (const operation of growthOperations) lines.push(await measure(worlds, yard, operation, rounds))
  const worked = pids.map(residentMb)
  const whole = []
  for (const at of worlds) whole.push(await readWhole(at))
  const read = pids.map(residentMb)
  const lost = []
  for (const { size, world, failed } of worlds) {
    const found = await countLost(world)
    lost.push(`${inThousands(size)}: ${failed} failed, ${found.lost} of ${found.counted} acknowledged writes lost`)
  }
  yard.close()
  for (const { world } of worlds) {
    world.close()
    await world.server.stop()
  }
  await bareServer.stop()

  const names = sizes.map(inThousands)
  printTable(
    'Growth: the same operations, one at a time, side by side; one group holds everybody',
    ['operation', ...names.map((name) => `p50 ms ${name}`), ...names.slice(1).map((name) => `${name}/${names[0]}`),
      ...names.map((name, index) => `${index === 0 ? '| ' : ''}CPU ms ${name}`), '| bare p50 ms'],
    lines)
  console.log('')
  for (const line of [...whole, ...lost]) console.log(line)
  const bareWorked = worked.at(-1)
  printTable(
    'Resident memory of each workerd, MiB',
    ['server', 'started', 'after the operations', 'after the whole group', 'above bare'],
    [...names, 'bare'].map((name, index) => memoryRow(name, { before: before[index], worked: worked[index], read: read[index] }, bareWorked)))
}
