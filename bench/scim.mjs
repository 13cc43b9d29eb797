// `npm run bench:scim`: how fast the bridge answers SCIM beside a bare Worker, whether anything acknowledged is lost, and what
// 1,000, 10,000 and 100,000 users change. `--quick`: under a minute. `--users=1000,50000`: other sizes. It asserts nothing.
import { growthTable } from './lib/growth.mjs'
import { requestTable } from './lib/requests.mjs'
import { seedFolder } from './lib/seed.mjs'
import { runOnStage } from './lib/stage.mjs'
import { readOption } from './lib/table.mjs'

const isQuick = readOption('quick') !== null

const readSizes = () => {
  const sizes = (readOption('users') ?? (isQuick ? '1000,10000' : '1000,10000,100000')).split(',').map(Number)
  if (sizes.every((size, index) => Number.isInteger(size) && size >= 1000 && size > (sizes[index - 1] ?? 0))) return sizes
  throw new Error('--users takes rising numbers of at least 1000: --users=1000,10000')
}

await runOnStage(async (stage) => {
  const sizes = readSizes()
  // Only leavers are looked up there: without a policy nobody is given anything.
  const arize = await stage.arize('arize')
  const seed = await seedFolder(stage, arize.url)
  await requestTable(stage, seed, { rounds: isQuick ? 2 : 5 })
  await growthTable(stage, seed, { sizes, rounds: isQuick ? 2 : 4 })
})
