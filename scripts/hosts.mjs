// Runs the conformance suites of all adapters on the real packages, and writes the tables of hosts in README.md and docs/hosts.md from
// what they gave. With `--check` it writes nothing, and fails where a table says otherwise.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { processTerminal } from '../dist/src/cli/terminal.js'
import { HOSTS } from '../test/adapters/hosts.ts'
import { declared, pages, withParts } from '../test/support/hosts-table.ts'
import { shownBy } from '../test/support/suite-results.ts'
import { readFlags } from './flags.mjs'

const HELP = `Usage: npm run hosts [-- --check] [--json]

Runs the seventeen behaviours of every adapter on the host's real package, and writes the tables of README.md and docs/hosts.md
from what they gave. About a minute.

  --check    write nothing; the pages must say so already
  --json     print one JSON object and nothing else on stdout
  --help     this

Exits 0 when every way of running did what it says of itself, and the pages say the same; 1 when not; 2 on unusable input.`

const root = path.resolve(import.meta.dirname, '..')
const terminal = processTerminal()
const flag = { type: 'boolean' }
const { flags, code } = readFlags('hosts', HELP, { check: flag, json: flag }, terminal)
if (flags === undefined) process.exit(code)

function runSuites() {
  const scratch = mkdtempSync(path.join(tmpdir(), 'holdpoint-hosts-'))
  const file = path.join(scratch, 'results.json')
  const suites = HOSTS.map(({ name }) => `test/adapters/${name}/conformance.test.ts`)
  const options = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
  try {
    spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...suites, ...options], {
      cwd: root,
      stdio: ['ignore', flags.json === true ? process.stderr : 'inherit', 'inherit'],
    })
    return JSON.parse(readFileSync(file, 'utf8'))
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

const shown = shownBy(runSuites(), await declared(HOSTS))
const ways = shown.flatMap(({ host, ways }) =>
  ways.map(({ name, failed }) => ({ host: host.title, way: name, failed: [...failed] })),
)
const written = [...pages(shown, HOSTS)].map(([page, parts]) => ({ page, became: bringUpToDate(page, parts) }))
if (flags.json === true) terminal.out(JSON.stringify({ ways, pages: written }))
else tell()
process.exit(ways.some(({ failed }) => failed.length > 0) || written.some(({ became }) => became === 'wrong') ? 1 : 0)

function bringUpToDate(page, parts) {
  const before = readFileSync(path.join(root, page), 'utf8')
  const after = withParts(before, parts)
  if (after === before) return 'as it was'
  if (flags.check === true) return 'wrong'
  writeFileSync(path.join(root, page), after)
  return 'written'
}

function tell() {
  for (const [host, run] of Map.groupBy(ways, ({ host }) => host)) {
    const failed = run.flatMap(({ way, failed }) => failed.map((number) => `${way}: ${number}`))
    const how = failed.length === 0 ? 'all as they say' : `FAILED ${failed.join(', ')}`
    terminal.out(`${host}: ${run.length} ways of running, ${how}`)
  }
  for (const { page, became } of written)
    terminal.out(
      `${page}: ${became === 'wrong' ? 'does not say what the suites gave; write it with npm run hosts' : became}`,
    )
}
