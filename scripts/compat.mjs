// Does each adapter hold on the newest release of its host? Installs that beside a packed holdpoint, in a scratch folder, and runs the
// adapter's conformance suite there: through the package's own entries, as a user has them.
//
//   npm run compat
//   npm run compat -- --host openai --json
//   npm run compat -- --oldest             the oldest release of our range instead
//
// Needs the registry. Weekly and by hand, not in CI: somebody else's release must not turn a change of ours red.
// Exits 0 when every suite is green, 1 when one is red, 2 when one could not be installed or run, or on unusable input.
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { processTerminal } from '../dist/src/cli/terminal.js'
import { HOSTS } from '../test/adapters/hosts.ts'
import { installHost, packHoldpoint } from './compat/install.mjs'
import { runSuite } from './compat/suite.mjs'
import { readFlags } from './flags.mjs'

const HELP = `Usage: npm run compat [-- --host NAME]… [--oldest] [--json]

Installs the newest release of each host beside a packed holdpoint, in a scratch folder, and runs the adapter's conformance suite
there. Needs the registry, and some minutes for each host.

  --host NAME   this one; may be given again. Without it, all of them: ${HOSTS.map(({ name }) => name).join(', ')}
  --oldest      the oldest release of our range instead
  --json        print one JSON object and nothing else
  --help        this

Exits 0 when every suite is green, 1 when one is red, 2 when one could not be installed or run, or on unusable input.`

const root = path.resolve(import.meta.dirname, '..')
const terminal = processTerminal()
const { hosts, json, oldest } = readTerms()
const scratch = mkdtempSync(path.join(tmpdir(), 'holdpoint-compat-'))
// What the tests need beside the host (Vitest, zod of the tests) is found here, above every host's own folder.
symlinkSync(path.join(root, 'node_modules'), path.join(scratch, 'node_modules'))
try {
  const tarball = packHoldpoint(root, scratch)
  const results = []
  for (const host of hosts) {
    terminal.note(
      `${host.name}: installing the ${oldest ? 'oldest' : 'newest'} ${host.packages.map(({ peer }) => peer).join(', ')}`,
    )
    results.push(await tried(host, tarball))
  }
  tell(results)
  process.exitCode = results.some(({ outcome }) => outcome === 'not tried')
    ? 2
    : results.some(({ outcome }) => outcome === 'red')
      ? 1
      : 0
} finally {
  rmSync(scratch, { recursive: true, force: true })
}

async function tried(host, tarball) {
  const folder = path.join(scratch, host.name)
  const installed = installHost({ root, folder, tarball, host, oldest })
  if (installed.because !== undefined)
    return { host: host.name, versions: {}, outcome: 'not tried', because: installed.because }
  const { versions } = installed
  terminal.note(`${host.name}: ${wordsOf(versions)}; running its suite`)
  const ran = await runSuite({ root, folder, host })
  return { host: host.name, versions, ...ran }
}

function tell(results) {
  if (json) return terminal.out(JSON.stringify({ node: process.version, results }))
  terminal.out(`| host | ${oldest ? 'oldest' : 'newest'} | suite | |\n|---|---|---|---|`)
  for (const { host, versions, outcome, passed = 0, skipped = 0, failed = [], because } of results) {
    const counts =
      outcome === 'not tried' ? '' : `${passed} passed, ${failed.length} failed, ${skipped} not to be had here`
    terminal.out(`| ${host} | ${wordsOf(versions)} | ${outcome} | ${because ?? counts} |`)
  }
  for (const { host, failed = [] } of results) for (const name of failed) terminal.out(`${host}: FAILED ${name}`)
}

function wordsOf(versions) {
  return Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')
}

function readTerms() {
  const options = { host: { type: 'string', multiple: true }, json: { type: 'boolean' }, oldest: { type: 'boolean' } }
  const { flags, code } = readFlags('compat', HELP, options, terminal)
  if (flags === undefined) process.exit(code)
  const unknown = (flags.host ?? []).filter((name) => !HOSTS.some((host) => host.name === name))
  if (unknown.length > 0) {
    terminal.note(`compat: ${unknown.join(', ')} is no host; there are ${HOSTS.map(({ name }) => name).join(', ')}`)
    process.exit(2)
  }
  const wanted = HOSTS.filter(({ name }) => flags.host === undefined || flags.host.includes(name))
  return { hosts: wanted, json: flags.json === true, oldest: flags.oldest === true }
}
