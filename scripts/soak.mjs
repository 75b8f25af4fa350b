// Mixed traffic through several proxies at once, under faults, for as long as one likes; then: does anything remain, has anything
// grown, has anything run that no receipt permits?
//
//   npm run soak -- --minutes 60
//   npm run soak -- --minutes 1 --json
//
// Exits 0 when nothing leaked and every executed call has its permit, 1 when not, 2 on unusable input.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { processTerminal } from '../dist/src/cli/terminal.js'
import { readFlags } from './flags.mjs'
import { approve } from './soak/approve.mjs'
import { startHttp } from './soak/http-client.mjs'
import { startListening } from './soak/listening.mjs'
import { lookAt, processesWith } from './soak/look.mjs'
import { decidedIn, executedIn, slotsIn, unpermitted } from './soak/records.mjs'
import { startStdio } from './soak/stdio-client.mjs'
import { shortSession, steadyTraffic } from './soak/traffic.mjs'
import { startUpstream } from './soak/upstream.mjs'

const root = path.resolve(import.meta.dirname, '..')
const main = path.join(root, 'dist', 'src', 'cli', 'main.js')
const oddServer = path.join(root, 'test', 'support', 'odd-server-child.ts')
/**
 * The heap that a proxy has to do with, MB. Left alone, Node's grows for an hour before it is collected in earnest, and nobody can
 * tell that from a leak; with this, what leaks ends in a proxy that is gone.
 */
const HEAP_MB = 128
const MOST_MORE_FILES = 8

const { minutes, json } = readTerms()
const folder = mkdtempSync(path.join(tmpdir(), 'holdpoint-soak-'))
const state = path.join(folder, 'state')
const store = path.join(state, 'receipts')
const env = { ...process.env, HOLDPOINT_STATE: state }
const ran = path.join(folder, 'ran')
const startedAt = Date.now()
const until = startedAt + minutes * 60_000
const tally = {
  calls: 0,
  answered: 0,
  refused: 0,
  failed: 0,
  cancelled: 0,
  unanswered: 0,
  sessions: 0,
  killed: 0,
  codes: {},
}
const failures = []

mkdirSync(state, { mode: 0o700 })
say(`${minutes} minutes from ${new Date(startedAt).toISOString()}, on Node ${process.version}`)
const upstream = await startUpstream(ran)
const odd = [process.execPath, oddServer, ran]
// Each policy is written once: a proxy that starts meanwhile must find it whole.
const node = [process.execPath, `--max-old-space-size=${HEAP_MB}`]
const stdio = [...node, main, 'mcp', '--name', 'odd', '--policy', policyFor('odd'), '--', ...odd]
const toHttp = ['--policy', policyFor('up'), '--upstream', `up=${upstream.url}`]
const toStdio = ['--policy', policyFor('bridge'), '--name', 'bridge', '--', ...odd]

const steady = await startStdio(stdio, env)
const listeners = await Promise.all([toHttp, toStdio].map((flags) => startListening([...node, main], flags, env)))
const approver = approve(store, path.join(path.dirname(store), 'keys', 'approval.pem'))
const before = [steady, ...listeners].map(({ pid }) => lookAt(pid))
let early = before

const watch = setInterval(
  () => {
    if (Date.now() - startedAt > (until - startedAt) / 3 && early === before) {
      early = [steady, ...listeners].map(({ pid }) => lookAt(pid))
    }
    say(`${JSON.stringify(tally)} ${JSON.stringify([steady, ...listeners].map(({ pid }) => lookAt(pid)))}`)
  },
  Math.max(10_000, (minutes * 60_000) / 60),
)

const traffic = await Promise.allSettled([
  steadyTraffic(steady, until, tally, { flood: true }),
  ...listeners.map(async ({ url }) => {
    while (Date.now() < until) {
      const session = await startHttp(url)
      tally.sessions += 1
      await steadyTraffic(session, Math.min(until, Date.now() + 10_000), tally, { isHttp: true })
      if (Math.random() < 0.8) await session.leave()
    }
  }),
  ...[0, 1].map(async () => {
    while (Date.now() < until) await shortSession(await startStdio(stdio, env), tally)
  }),
])
for (const { reason } of traffic) if (reason !== undefined) failures.push(`the traffic stopped: ${reason.stack}`)
clearInterval(watch)

// What is under way comes to its end, so that what is still open afterwards stays open.
await sleep(6_000)
const after = [steady, ...listeners].map(({ pid }) => lookAt(pid))
const names = ['stdio', 'HTTP to HTTP', 'HTTP to stdio']
for (const [index, name] of names.entries()) {
  const is = after[index]
  if (is === undefined) {
    if (process.platform === 'linux') failures.push(`${name}: the proxy is gone`)
    continue
  }
  if (is.files - before[index].files > MOST_MORE_FILES + 3 * is.children)
    failures.push(`${name}: ${before[index].files} open files at first, ${is.files} at the end`)
}
if (steady.strange > 0) failures.push(`stdio: ${steady.strange} lines on stdout that are no frames`)

steady.leave()
for (const listener of listeners) listener.kill('SIGTERM')
const codes = await Promise.all(
  [steady, ...listeners].map(({ ended }) => Promise.race([ended, sleep(10_000, 'never')])),
)
if (codes.some((code) => code !== 0)) failures.push(`exit codes ${codes.join(', ')} instead of 0`)
await approver.stop()
await upstream.close()
// Whoever was killed left permits open: whoever takes its slot ends them. All at once, or two would take the same one.
const heirs = await Promise.all(Array.from({ length: slotsIn(store) }, () => startStdio(stdio, env)))
for (const heir of heirs) await heir.call('get_note', { mark: 'heir' })
for (const heir of heirs) heir.leave()
await Promise.all(heirs.map(({ ended }) => ended))
await sleep(1_000)
const remaining = processesWith(folder)
if (remaining.length > 0) failures.push(`${remaining.length} processes remain: ${remaining.join(', ')}`)
const handles = process.getActiveResourcesInfo().filter((name) => /TCP|Process/.test(name))
// In this order: a call that runs meanwhile has its permit before.
const executed = executedIn(ran)
const { permitted, counts } = decidedIn(store)
const without = unpermitted(executed, permitted)
if (without.length > 0) failures.push(`${without.length} calls ran without a permit: ${without.slice(0, 5).join('; ')}`)
if (executed.some((call) => call.startsWith('delete_note'))) failures.push('a denied tool ran')
if (minutes >= 0.5 && [tally.answered, counts.refused, counts.confirmed].includes(0))
  failures.push('not everything was tried')
const verified = verify()
if (!verified.ok || !verified.settled) failures.push(`receipts: ${JSON.stringify(verified)}`)

const report = {
  minutes: (Date.now() - startedAt) / 60_000,
  node: process.version,
  traffic: tally,
  decisions: counts,
  executed: executed.length,
  receipts: { ok: verified.ok, settled: verified.settled, count: verified.count },
  processes: Object.fromEntries(
    names.map((name, index) => [name, { first: before[index], third: early[index], last: after[index] }]),
  ),
  handles,
  failures,
}
if (json) process.stdout.write(`${JSON.stringify(report)}\n`)
else for (const line of told(report)) process.stdout.write(`${line}\n`)
if (failures.length === 0) rmSync(folder, { recursive: true, force: true })
else process.stderr.write(`kept: ${folder}\n`)
process.exit(failures.length === 0 ? 0 : 1)

function readTerms() {
  const terminal = processTerminal()
  const options = { minutes: { type: 'string' }, json: { type: 'boolean' } }
  const { flags, code } = readFlags('soak', 'npm run soak -- [--minutes N] [--json]', options, terminal)
  if (flags === undefined) process.exit(code)
  const asked = Number(flags.minutes ?? '1')
  if (asked > 0 && asked <= 10_080) return { minutes: asked, json: flags.json === true }
  terminal.note('soak: --minutes must be above 0 and at most 10080')
  process.exit(2)
}

/** What may run under this name of a server: all but one, and one of the others after a yes. */
function policyFor(name) {
  const file = path.join(folder, `${name}.cedar`)
  writeFileSync(
    file,
    `@id("most") permit (principal, action, resource)
unless { action == Action::"${name}/ask_note" };
@id("asks") @requires("confirmation") permit (principal, action == Action::"${name}/ask_note", resource);
@id("no-deletes") forbid (principal, action == Action::"${name}/delete_note", resource);
`,
  )
  return file
}

function verify() {
  try {
    return JSON.parse(execFileSync(process.execPath, [main, 'verify', '--json'], { env, cwd: folder, maxBuffer: 1e9 }))
  } catch (error) {
    try {
      return JSON.parse(error.stdout)
    } catch {
      return { ok: false, settled: false, count: 0, because: String(error.stderr ?? error) }
    }
  }
}

function say(line) {
  if (!json) process.stdout.write(`${((Date.now() - startedAt) / 1_000).toFixed(0)} s  ${line}\n`)
}

function told({ processes, decisions, receipts, traffic, failures: failed, ...more }) {
  return [
    `traffic    ${JSON.stringify(traffic)}`,
    `decisions  ${JSON.stringify(decisions)}, executed ${more.executed}`,
    `receipts   ${JSON.stringify(receipts)}`,
    ...Object.entries(processes).map(([name, held]) => `${name.padEnd(14)} ${JSON.stringify(held)}`),
    ...failed.map((failure) => `FAILED     ${failure}`),
    `${failed.length === 0 ? 'nothing leaked' : `${failed.length} failures`}, ${more.minutes.toFixed(1)} minutes`,
  ]
}
