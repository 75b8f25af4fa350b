// Plays an outage of a real OPA in front of an agent's tools: healthy, slow, hung, killed, healed. Exit code 1 says that
// something went otherwise than test/faults/matrix.json foresees, 2 that it cannot be played here.
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { createScratch } from '../dist/src/cli/demo/scratch.js'
import { commandFor } from '../dist/src/cli/demo/summary.js'
import { processTerminal } from '../dist/src/cli/terminal.js'
import { readFlags } from './flags.mjs'
import { publicKeyBelow, readCounters, readEvidence } from './gameday/evidence.mjs'
import { isAsForeseen, playDay } from './gameday/story.mjs'
import { teller } from './gameday/tell.mjs'

const HELP = `Usage: npm run gameday [-- --json]

Plays an outage of a real OPA in front of an agent's tools, and shows what low, medium and high calls experience, what the breaker
does, the counters and the receipts. Takes about 15 s. Needs linux-x64; installs OPA with npm when it is not here (test/engines).

  --json   print one JSON object and nothing else
  --help   this

Exits 0 when everything went as docs/outages.md says, 1 when not, 2 when it cannot be played here.`

const terminal = processTerminal()
process.exitCode = await main()

async function main() {
  const { flags, code } = readFlags('gameday', HELP, { json: { type: 'boolean' } }, terminal)
  if (flags === undefined) return code
  if (!(await hasOpa())) return 2
  return await play(flags.json === true)
}

/** Is there an OPA? Installs it where that is possible; says plainly where it is not. */
async function hasOpa() {
  if (!process.features.typescript) {
    terminal.note('gameday: needs Node 24, which `npm run gameday` brings')
    return false
  }
  const { ENGINES_FOLDER, enginesInstalled, isEnginePlatform } = await import('../test/support/engines.ts')
  if (enginesInstalled()) return true
  if (!isEnginePlatform()) {
    terminal.note(
      `gameday: cannot be played here: OPA is installed from npm for linux-x64, this is ${process.platform}-${process.arch}`,
    )
    return false
  }
  terminal.note('installing OPA and Cerbos below test/engines (npm ci, about 100 MB)')
  const { status, stderr } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: ENGINES_FOLDER,
    encoding: 'utf8',
  })
  if (status === 0 && enginesInstalled()) return true
  terminal.note(`gameday: OPA could not be installed\n${stderr}`)
  return false
}

async function play(isJson) {
  const { createWorld } = await import('./gameday/world.mjs')
  terminal.progress('starting OPA and the filesystem server')
  const scratch = createScratch()
  const tell = isJson ? { begin() {}, call() {}, again() {}, end() {} } : teller(terminal)
  const world = await createWorld(scratch.base)
  let phases
  try {
    tell.opening?.()
    phases = await playDay(world, tell)
  } finally {
    await world.close()
  }
  const counters = readCounters(world.metrics.text())
  const receipts = await readEvidence(scratch.base)
  const isForeseen = isAsForeseen(phases)
  const isCounted =
    counters.failureOpenings === receipts.failureOpenings && counters.overrideUses === receipts.overrideUses
  const ok = isForeseen && isCounted && receipts.ok
  if (isJson) terminal.out(JSON.stringify({ ok, phases, counters, receipts, folder: scratch.base }))
  else {
    const verify = commandFor(`verify --keys ${publicKeyBelow(scratch.base)}`, path.join(scratch.base, 'store'))
    tell.closing({ phases, counters, receipts, isForeseen, folder: scratch.base, verify })
  }
  scratch.keep()
  return ok ? 0 : 1
}
