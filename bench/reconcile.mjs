// `npm run bench:reconcile`: how many calls to Arize people cost against the fewest possible, and how long a leaver keeps
// access while joiners wait. `--joiners=200`, `--grants=3`, `--queued=1000`, `--quick`. It asserts nothing.
import { leaverTable } from './lib/leavers.mjs'
import { settlingTable } from './lib/settling.mjs'
import { runOnStage } from './lib/stage.mjs'
import { readOption } from './lib/table.mjs'

const isQuick = readOption('quick') !== null

const readCount = (name, usual, quick) => {
  const count = Number(readOption(name) ?? (isQuick ? quick : usual))
  if (Number.isInteger(count) && count >= 1) return count
  throw new Error(`--${name} takes a number: --${name}=${usual}`)
}

await runOnStage(async (stage) => {
  const grants = readCount('grants', 3, 3)
  const joiners = readCount('joiners', 200, 40)
  const queued = readCount('queued', 1000, 200)
  await settlingTable(stage, { joiners, grants })
  await leaverTable(stage, { queued, leavers: isQuick ? 3 : 5, grants, callsPerSecond: 5 })
})
