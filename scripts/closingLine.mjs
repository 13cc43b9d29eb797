// The last line that CI reads: `N passed, N failed`, alone on its line. Errors outside a test count as failures, and so
// does a test that did not run.
export default class ClosingLine {
  onTestRunEnd(modules, errors, reason) {
    let passed = 0
    let failed = errors.length
    for (const module of modules) {
      if (module.state() === 'failed' && module.errors().length > 0) failed += module.errors().length
      for (const test of module.children.allTests()) {
        if (test.result().state === 'passed') passed += 1
        else failed += 1
      }
    }
    if (reason !== 'passed' && failed === 0) failed = 1
    process.on('exit', () => console.log(`${passed} passed, ${failed} failed`))
  }
}
