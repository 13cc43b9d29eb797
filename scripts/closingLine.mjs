// Counts for the last line that CI reads: `N passed, N failed`, alone on its line. Errors outside a test count as failures,
// and so does a test that did not run, unless `-t` left it out. Under `npm test` the counts go to scripts/test.mjs, which prints them last of all;
// a vitest that somebody starts by hand prints them itself.
import { writeSync } from 'node:fs'

// A worker that does not end once every test of every file has ended keeps vitest waiting for ever.
const LINGER_MS = 60_000

export default class ClosingLine {
  isNamePicked = false
  expected = 0
  ended = []
  lingering

  onInit(vitest) {
    this.vitest = vitest
    this.isNamePicked = vitest.config.testNamePattern !== undefined
  }

  onTestRunStart(specifications) {
    this.expected = specifications.length
    this.ended = []
  }

  onTestModuleEnd(module) {
    this.ended.push(module)
    if (this.ended.length === this.expected) this.lingering = setTimeout(() => this.endAnyway(), LINGER_MS)
  }

  endAnyway() {
    console.error('Every test has ended, and a worker of vitest has not: it is left behind.')
    const errors = this.vitest.state.getUnhandledErrors()
    const isPassed = errors.length === 0 && this.ended.every((module) => module.state() !== 'failed')
    this.onTestRunEnd(this.ended, errors, isPassed ? 'passed' : 'failed')
    process.exit(isPassed ? 0 : 1)
  }

  onTestRunEnd(modules, errors, reason) {
    clearTimeout(this.lingering)
    let passed = 0
    let failed = errors.length
    for (const module of modules) {
      if (module.state() === 'failed' && module.errors().length > 0) failed += module.errors().length
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        if (state === 'passed') passed += 1
        else if (state !== 'skipped' || !this.isNamePicked) failed += 1
      }
    }
    if (reason !== 'passed' && failed === 0) failed = 1
    const line = `${passed} passed, ${failed} failed`
    const descriptor = Number(process.env.CLOSING_LINE_FD)
    process.on('exit', () => (descriptor > 2 ? writeSync(descriptor, line) : console.log(line)))
  }
}
