import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Type tests run under tsc; hosts are private projects with their own lockfiles and scripts.
    exclude: ['test/types/**', 'test/hosts/**', 'test/engines/**', '**/node_modules/**'],
    // Processes, not threads: tests start workers, change AsyncLocalStorage and load one wasm cache per process.
    globalSetup: ['./test/support/engines.setup.ts'],
    setupFiles: ['./test/support/fast-check.setup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    reporters: ['default', './test/support/reporter.ts'],
    coverage: { include: ['src/**', 'adapters/**'], reporter: ['text-summary', 'html'] },
  },
})
