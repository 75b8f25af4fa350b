// Runs the MCP conformance suite against a fixture of our own, directly and behind the gate (`guardServer`, `holdpoint mcp`), and
// requires that every check of every scenario comes out the same.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { processTerminal } from '../dist/src/cli/terminal.js'
import { tellDifferences, tellKnown, tellTable, tellUnmet } from './conformance/tell.mjs'

const HELP = `Usage: npm run conformance [-- --direct] [--json]

Runs @modelcontextprotocol/conformance against a server and a client of our own, for the revisions 2025-11-25 and 2026-07-28:
directly, behind guardServer, through the proxy to HTTP, and through the proxy to stdio. Every check must come out there as it
does directly, but for a few known ones, whose reasons are shown. Takes less than a minute.

  --direct   only the fixture, without holdpoint
  --json     print one JSON object and nothing else
  --help     this

Exits 0 when everything is equal and the fixture meets what the revisions require, 1 when not, 2 when it cannot be run here.`

const terminal = processTerminal()
process.exitCode = await main()

async function main() {
  const flags = readFlags()
  if (flags === undefined) return 2
  if (flags.help === true) {
    terminal.out(HELP)
    return 0
  }
  if (!process.features.typescript) {
    terminal.note('conformance: needs Node 24, which `npm run conformance` brings')
    return 2
  }
  const { runAll } = await import('./conformance/runs.mjs')
  const folder = mkdtempSync(path.join(tmpdir(), 'holdpoint-conformance-'))
  // The same modules are started dozens of times.
  process.env.NODE_COMPILE_CACHE = path.join(folder, 'compiled')
  try {
    return tell(await runAll(folder, flags.direct === true, terminal.progress), flags.json === true)
  } catch (error) {
    terminal.note(`conformance: ${error.message}`)
    return 2
  } finally {
    terminal.progress('')
    rmSync(folder, { recursive: true, force: true })
  }
}

function readFlags() {
  const flag = { type: 'boolean' }
  try {
    return parseArgs({ options: { direct: flag, json: flag, help: { ...flag, short: 'h' } } }).values
  } catch (error) {
    terminal.note(`conformance: ${error.message.split('.')[0]}; see --help`)
    return undefined
  }
}

function tell(runs, isJson) {
  const unmet = runs.filter(({ route, isMet }) => route === 'direct' && !isMet)
  const different = runs.filter(({ differences }) => differences.length > 0)
  const failed = unmet.length + different.length
  if (isJson) terminal.out(JSON.stringify({ ok: failed === 0, runs }))
  else {
    terminal.out([tellTable(runs), ...tellKnown(runs)].join('\n'))
    for (const run of unmet) terminal.out(`\n${tellUnmet(run)}`)
    for (const run of different) terminal.out(`\n${tellDifferences(run)}`)
    terminal.out(`\n${runs.length - failed} passed, ${failed} failed`)
  }
  return failed === 0 ? 0 : 1
}
