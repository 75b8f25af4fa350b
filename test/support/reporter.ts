import type { Reporter, SerializedError, TestModule } from 'vitest/node'

/** Ends a run with one plain line, `N passed, N failed`, for readers that are scripts. */
export default class TallyReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    process.stdout.write(`${tally(modules, unhandledErrors.length)}\n`)
  }
}

function tally(modules: readonly TestModule[], unhandled: number): string {
  let passed = 0
  let failed = unhandled
  let skipped = 0
  for (const module of modules) {
    failed += failuresOutsideTests(module)
    for (const test of module.children.allTests()) {
      const { state } = test.result()
      if (state === 'passed') passed += 1
      else if (state === 'skipped') skipped += 1
      else failed += 1
    }
  }
  const line = `${passed} passed, ${failed} failed`
  return skipped === 0 ? line : `${line}, ${skipped} skipped`
}

/** A file that cannot be loaded, or a hook that throws, holds no failed test and is a failure all the same. */
function failuresOutsideTests(module: TestModule): number {
  const suites = [...module.children.allSuites()]
  return module.errors().length + suites.reduce((sum, suite) => sum + suite.errors().length, 0)
}
