// Runs the conformance suites of all adapters on the real packages, and writes the tables of hosts in README.md and docs/hosts.md from
// what they gave. With `--check` it writes nothing, and fails where a table says otherwise.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { HOSTS } from '../test/adapters/hosts.ts'
import { declared, pages, withParts } from '../test/support/hosts-table.ts'
import { shownBy } from '../test/support/suite-results.ts'

const root = path.resolve(import.meta.dirname, '..')
const isCheck = process.argv.includes('--check')
const unknown = process.argv.slice(2).filter((argument) => argument !== '--check')
if (unknown.length > 0) {
  console.error(`hosts: ${unknown.join(' ')} is not known; node scripts/hosts.mjs [--check]`)
  process.exit(2)
}

function runSuites() {
  const scratch = mkdtempSync(path.join(tmpdir(), 'holdpoint-hosts-'))
  const file = path.join(scratch, 'results.json')
  const suites = HOSTS.map(({ name }) => `test/adapters/${name}/conformance.test.ts`)
  const options = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
  try {
    spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...suites, ...options], {
      cwd: root,
      stdio: 'inherit',
    })
    return JSON.parse(readFileSync(file, 'utf8'))
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

const shown = shownBy(runSuites(), await declared(HOSTS))
let isRight = true
for (const { host, ways } of shown) {
  const failed = ways.flatMap((way) => [...way.failed].map((number) => `${way.name}: ${number}`))
  console.log(
    `${host.title}: ${ways.length} ways of running, ${failed.length === 0 ? 'all as they say' : `FAILED ${failed.join(', ')}`}`,
  )
  if (failed.length > 0) isRight = false
}
for (const [page, parts] of pages(shown, HOSTS)) {
  const before = readFileSync(path.join(root, page), 'utf8')
  const after = withParts(before, parts)
  if (after === before) console.log(`${page}: as it was`)
  else if (isCheck) {
    isRight = false
    console.log(`${page}: does not say what the suites gave; write it with npm run hosts`)
  } else {
    writeFileSync(path.join(root, page), after)
    console.log(`${page}: written`)
  }
}
process.exit(isRight ? 0 : 1)
