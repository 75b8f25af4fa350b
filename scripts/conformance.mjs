// Runs the MCP conformance suite against a fixture of our own, directly and behind the gate (`guardServer`, `holdpoint mcp`), and
// requires that every check of every scenario comes out the same.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { processTerminal } from '../dist/src/cli/terminal.js'
import { isOnPage, writeOnPage } from './conformance/page.mjs'
import { tellDifferences, tellKnown, tellReceipts, tellTable, tellUnmet } from './conformance/tell.mjs'
import { readFlags } from './flags.mjs'

const HELP = `Usage: npm run conformance [-- --direct] [--write] [--json]

Runs @modelcontextprotocol/conformance against a server and a client of our own, for the revisions 2025-11-25 and 2026-07-28:
directly, behind guardServer, through the proxy to HTTP, and through the proxy to stdio. Every check must come out there as it
does directly, but for a few known ones, whose reasons are shown. Takes about a minute.

  --direct   only the fixture, without holdpoint
  --write    put the table into docs/mcp.md; without it, the page must say the same
  --json     print one JSON object and nothing else
  --help     this

Exits 0 when everything is equal, the fixture meets what the revisions require, the receipts verify, and docs/mcp.md says so;
1 when not, 2 when it cannot be run here.`

const terminal = processTerminal()
process.exitCode = await main()

async function main() {
  const flag = { type: 'boolean' }
  const { flags, code } = readFlags('conformance', HELP, { direct: flag, write: flag, json: flag }, terminal)
  if (flags === undefined) return code
  if (!process.features.typescript) {
    terminal.note('conformance: needs Node 24, which `npm run conformance` brings')
    return 2
  }
  const { runAll, hasWholeReceipts } = await import('./conformance/runs.mjs')
  const folder = mkdtempSync(path.join(tmpdir(), 'holdpoint-conformance-'))
  // The same modules are started dozens of times.
  process.env.NODE_COMPILE_CACHE = path.join(folder, 'compiled')
  try {
    const runs = await runAll(folder, flags.direct === true, terminal.progress)
    const broken = runs.filter((run) => !hasWholeReceipts(run))
    for (const run of broken) terminal.note(`conformance: ${tellReceipts(run)}`)
    return tell(runs, broken, flags)
  } catch (error) {
    terminal.note(`conformance: ${error.message}`)
    return 2
  } finally {
    terminal.progress('')
    rmSync(folder, { recursive: true, force: true })
  }
}

function tell(runs, broken, { direct, write, json }) {
  const unmet = runs.filter(({ route, isMet }) => route === 'direct' && !isMet)
  const different = runs.filter(({ differences }) => differences.length > 0)
  if (write === true && direct !== true) writeOnPage(runs)
  const isStale = direct !== true && !isOnPage(runs)
  const failed = new Set([...unmet, ...different, ...broken]).size + (isStale ? 1 : 0)
  if (json === true) terminal.out(JSON.stringify({ ok: failed === 0, isStale, runs }))
  else {
    terminal.out([tellTable(runs), ...tellKnown(runs)].join('\n'))
    for (const run of unmet) terminal.out(`\n${tellUnmet(run)}`)
    for (const run of different) terminal.out(`\n${tellDifferences(run)}`)
    if (isStale) terminal.out('\ndocs/mcp.md says otherwise: npm run conformance -- --write')
    terminal.out(`\n${runs.length + (direct === true ? 0 : 1) - failed} passed, ${failed} failed`)
  }
  return failed === 0 ? 0 : 1
}
