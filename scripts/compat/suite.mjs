// An adapter's conformance suite on what was installed.
import { spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

const LONGEST_SUITE_MS = 600_000

/** The suite goes through the entries of the packed package, and through nothing of the sources. The proxy is a program, and has no entry. */
const configIn = (folder) => `export default {
  resolve: {
    alias: [
      {
        find: /^(\\.\\.\\/)+adapters\\/mcp-proxy\\/index\\.ts$/,
        replacement: ${JSON.stringify(path.join(folder, 'node_modules/holdpoint/dist/adapters/mcp-proxy/index.js'))},
      },
      { find: /^(\\.\\.\\/)+adapters\\/([\\w-]+)\\/index\\.ts$/, replacement: 'holdpoint/$2' },
      { find: /^(\\.\\.\\/)+src\\/index\\.ts$/, replacement: 'holdpoint' },
      { find: /^(\\.\\.\\/)+src\\/testing\\.ts$/, replacement: 'holdpoint/testing' },
    ],
  },
  test: { pool: 'forks', maxWorkers: 1, testTimeout: 30_000, hookTimeout: 60_000 },
}
`

/** @returns `outcome`: `green`, `red`, or `not tried` where the suite could not even be read, with the reason in `because` */
export async function runSuite({ root, folder, host }) {
  writeFileSync(path.join(folder, 'vitest.config.mjs'), configIn(folder))
  const file = path.join(folder, 'results.json')
  const printed = await ended(
    spawn(
      process.execPath,
      [
        path.join(root, 'node_modules/vitest/vitest.mjs'),
        'run',
        `test/adapters/${host.name}/conformance.test.ts`,
        '--reporter=default',
        '--reporter=json',
        `--outputFile.json=${file}`,
      ],
      {
        cwd: folder,
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: LONGEST_SUITE_MS,
        env: { ...process.env, NO_COLOR: '1' },
      },
    ),
  )
  const results = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { testResults: [] }
  const tests = results.testResults.flatMap(({ assertionResults }) => assertionResults)
  if (tests.length === 0) return { outcome: 'not tried', because: `the suite cannot be read: ${firstError(printed)}` }
  const failed = tests
    .filter(({ status }) => status === 'failed')
    .map(({ fullName, failureMessages }) => `${fullName}: ${String(failureMessages?.[0]).split('\n')[0]}`)
  const passed = tests.filter(({ status }) => status === 'passed').length
  return {
    outcome: failed.length === 0 ? 'green' : 'red',
    passed,
    failed,
    skipped: tests.length - passed - failed.length,
  }
}

function ended(child) {
  return new Promise((resolve) => {
    let printed = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8')
      stream.on('data', (text) => {
        printed += text
      })
    }
    child.on('error', (error) => resolve(`Error: ${error.message}`))
    child.on('close', () => resolve(printed))
  })
}

function firstError(printed) {
  const lines = printed.split('\n').filter((line) => /error/i.test(line))
  return (lines[0] ?? 'it ended without a word').trim().replaceAll('|', '\\|')
}
