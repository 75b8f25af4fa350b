import path from 'node:path'
import { defineConfig } from 'vitest/config'

// Tests start hundreds of processes from the source: what Node compiled for the first, the others need not compile again.
process.env['NODE_COMPILE_CACHE'] ??= path.join(import.meta.dirname, 'node_modules', '.cache', 'node')

// Type tests run under tsc; hosts are private projects with their own lockfiles and scripts.
const elsewhere = ['test/types/**', 'test/hosts/**', 'test/engines/**', 'test/ui/**', '**/node_modules/**']

/**
 * Rooms that read no clock, process or file of their own (AGENTS.md): their test files share a process, which loads what they import
 * once. All others get a process each.
 */
const pure = [
  'approval',
  'bytes',
  'call',
  'decide',
  'log',
  'materiality',
  'override',
  'pins',
  'policy',
  'receipt',
  'refusal',
  'verify',
]
const pureTests = pure.map((room) => `test/${room}/**/*.test.ts`)

export default defineConfig({
  test: {
    projects: [
      { extends: true, test: { name: 'pure', include: pureTests, isolate: false } },
      { extends: true, test: { name: 'whole', include: ['test/**/*.test.ts'], exclude: [...elsewhere, ...pureTests] } },
    ],
    exclude: elsewhere,
    // Processes, not threads: tests start workers, change AsyncLocalStorage and load one wasm cache per process.
    globalSetup: ['./test/support/build.setup.ts', './test/support/engines.setup.ts', './test/support/ui.setup.ts'],
    setupFiles: ['./test/support/fast-check.setup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    reporters: ['default', './test/support/reporter.ts'],
    coverage: { include: ['src/**', 'adapters/**'], reporter: ['text-summary', 'html'] },
  },
})
