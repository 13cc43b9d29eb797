// `npm test`: builds the emulator, checks types, lints, runs every test; stops at the first of them that fails. Arguments go
// to vitest (`npm test -- test/policy`). The last line is always `N passed, N failed`, alone on its line: CI reads it.
import { spawnSync } from 'node:child_process'
import { root } from './lib/tools.mjs'

const tool = (path) => `${root}node_modules/${path}`

/** Each step is a script that this same Node runs: no shell, no PATH. */
const steps = [
  { what: 'Building the Arize emulator', run: ['scripts/buildEmulator.mjs'] },
  { what: 'Checking types', run: [tool('typescript/bin/tsc'), '--noEmit'] },
  { what: 'Linting', run: [tool('oxlint/bin/oxlint'), '--deny-warnings'] },
  { what: 'Testing', run: [tool('vitest/vitest.mjs'), 'run', ...process.argv.slice(2)] },
]

/** The reporter writes its counts to this descriptor: what is printed last must not depend on how vitest ends. */
const CLOSING_LINE_FD = 3

let counts = ''
let code = 0
for (const { what, run } of steps) {
  console.log(`\n> ${what}`)
  const done = spawnSync(process.execPath, run, {
    cwd: root,
    env: { ...process.env, CLOSING_LINE_FD: String(CLOSING_LINE_FD) },
    stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
  })
  counts = done.output?.[CLOSING_LINE_FD]?.toString().trim() ?? ''
  if (done.error !== undefined) console.error(done.error.message)
  if (done.signal !== null) console.error(`${what}: ended by ${done.signal}.`)
  code = done.status ?? 1
  if (code !== 0) break
}

const [, passed = 0, failed = 0] = /^(\d+) passed, (\d+) failed$/.exec(counts)?.map(Number) ?? []
// A step that failed without counts, or whose counts deny that it failed, is one failure.
console.log(`\n${passed} passed, ${code !== 0 && failed === 0 ? 1 : failed} failed`)
process.exit(code === 0 && failed > 0 ? 1 : code)
