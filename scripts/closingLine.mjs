// Counts for the last line that CI reads: `N passed, N failed`, alone on its line. Errors outside a test count as failures,
// and so does a test that did not run, unless `-t` left it out. Under `npm test` the counts go to scripts/test.mjs, which prints them last of all;
// a vitest that somebody starts by hand prints them itself.
import { writeSync } from 'node:fs'

export default class ClosingLine {
  isNamePicked = false

  onInit({ config }) {
    this.isNamePicked = config.testNamePattern !== undefined
  }

  onTestRunEnd(modules, errors, reason) {
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
