// `npm test`: builds the emulator, checks types, lints, runs every test; stops at the first of them that fails. Arguments go
// to vitest (`npm test -- test/policy`). The last line is always `N passed, N failed`, alone on its line: CI reads it.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { createFaultFilter } from './lib/faultNoise.mjs'
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

/** Runs one step to its end and tells its exit code and the counts that it wrote. */
const runStep = async ({ what, run }) => {
  console.log(`\n> ${what}`)
  const child = spawn(process.execPath, run, {
    cwd: root,
    env: { ...process.env, CLOSING_LINE_FD: String(CLOSING_LINE_FD), ...(process.stdout.isTTY ? { FORCE_COLOR: '1' } : {}) },
    stdio: ['inherit', 'pipe', 'pipe', 'pipe'],
  })
  for (const [from, to] of [[child.stdout, console.log], [child.stderr, console.error]]) {
    const isShown = createFaultFilter()
    createInterface({ input: from }).on('line', (line) => {
      if (isShown(line)) to(line)
    })
  }
  const written = text(child.stdio[CLOSING_LINE_FD])
  return new Promise((resolve) => {
    child.on('error', (error) => {
      console.error(error.message)
      resolve({ code: 1, counts: '' })
    })
    child.on('close', async (code, signal) => {
      if (signal !== null) console.error(`${what}: ended by ${signal}.`)
      resolve({ code: code ?? 1, counts: (await written).trim() })
    })
  })
}

let counts = ''
let code = 0
for (const step of steps) {
  const done = await runStep(step)
  counts = done.counts
  code = done.code
  if (code !== 0) break
}

const [, passed = 0, failed = 0] = /^(\d+) passed, (\d+) failed$/.exec(counts)?.map(Number) ?? []
// A step that failed without counts, or whose counts deny that it failed, is one failure.
console.log(`\n${passed} passed, ${code !== 0 && failed === 0 ? 1 : failed} failed`)
process.exit(code === 0 && failed > 0 ? 1 : code)
