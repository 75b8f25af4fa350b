/**
 * `npm run bench`: what a gated call costs, beside a floor, a bare store and peers, in one run of interleaved rounds.
 * Progress goes to stderr; the table, or one JSON object with `--json`, goes to stdout.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { interleave } from './measure.mjs'
import { summarise, table } from './report.mjs'

const LEAST_ROUNDS = 5
const HELP = `usage: npm run bench -- [--json] [--rounds N] [--no-peers] [--outage] [--mcp | --mcp-memory] [--million]
                    [--receipts [--leaves N] | --receipts-memory [--count N] [--verifier-only]]

  --json      one JSON object on stdout and nothing else
  --rounds N  interleaved rounds, at least ${LEAST_ROUNDS} (default 11)
  --no-peers  leave @ai-sdk/policy-opa and @microsoft/agent-governance-sdk out
  --outage    of the table, only what a call meets while its policy service is away
  --mcp       instead of the table: what the MCP proxy adds to a call, over stdio and HTTP
  --mcp-memory  instead of the table: the proxy's memory over 100,000 calls and 200 sessions (minutes)
  --million   instead of the table: the heap over a million durable calls (minutes)
  --receipts  instead of the table: durable receipts a second, checking them, proofs out of a log of up to --leaves N (default 10000000)
  --receipts-memory  instead of the table: the memory of verifier and gate over --count N receipts (default 1000000; minutes)
  --help      this text
`

const say = (line) => process.stderr.write(`${line}\n`)
const root = path.resolve(import.meta.dirname, '..')

function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        json: { type: 'boolean', default: false },
        rounds: { type: 'string', default: '11' },
        'no-peers': { type: 'boolean', default: false },
        outage: { type: 'boolean', default: false },
        mcp: { type: 'boolean', default: false },
        'mcp-memory': { type: 'boolean', default: false },
        million: { type: 'boolean', default: false },
        receipts: { type: 'boolean', default: false },
        leaves: { type: 'string', default: '10000000' },
        'receipts-memory': { type: 'boolean', default: false },
        count: { type: 'string', default: '1000000' },
        'verifier-only': { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
    const whole = (name, least) => {
      const number = Number(values[name])
      if (Number.isSafeInteger(number) && number >= least) return number
      throw new Error(`--${name} takes a whole number of at least ${least}, not "${values[name]}"`)
    }
    const [rounds, leaves, count] = [whole('rounds', LEAST_ROUNDS), whole('leaves', 1_000), whole('count', 1_000)]
    return { ...values, rounds, leaves, count, peers: !values['no-peers'] }
  } catch (error) {
    say(`bench: ${error.message}`)
    process.exit(2)
  }
}

/** The gate is measured as it is published: compiled. */
function build() {
  const built = spawnSync(process.execPath, [path.join(root, 'scripts', 'build.mjs')], { stdio: ['ignore', 2, 2] })
  if (built.status === 0) return
  say('bench: the build failed, so there is no gate to measure')
  process.exit(1)
}

/** Installs the peers from their own lockfile when they are missing. False when they cannot be had. */
function peersInstalled() {
  const folder = path.join(import.meta.dirname, 'peers')
  if (existsSync(path.join(folder, 'node_modules', 'ai'))) return true
  say('bench: installing the peers (npm ci --prefix bench/peers)')
  const installed = spawnSync('npm', ['ci', '--prefix', folder, '--no-audit', '--no-fund'], { stdio: ['ignore', 2, 2] })
  if (installed.status === 0) return true
  say('bench: the peers could not be installed; they are left out')
  return false
}

async function main() {
  const wanted = readArguments()
  if (wanted.help) {
    process.stdout.write(HELP)
    return
  }
  build()
  if (wanted.million) {
    const { heapOverAMillionCalls } = await import('./heap.mjs')
    const heap = await heapOverAMillionCalls({ report: say })
    process.stdout.write(`${JSON.stringify(heap)}\n`)
    return
  }
  const settings = { rounds: wanted.rounds, report: (line) => say(`bench: ${line}`) }
  if (wanted.receipts) {
    const { measureReceipts, receiptsTable } = await import('./receipts.mjs')
    const receipts = await measureReceipts({ ...settings, leaves: wanted.leaves })
    process.stdout.write(wanted.json ? `${JSON.stringify(receipts)}\n` : receiptsTable(receipts))
    return
  }
  if (wanted['receipts-memory']) {
    const { memoryOverReceipts, receiptMemoryTable } = await import('./receipt-memory.mjs')
    const of = wanted['verifier-only'] ? 'verifier' : 'both'
    const memory = await memoryOverReceipts({ receipts: wanted.count, of, report: settings.report })
    process.stdout.write(wanted.json ? `${JSON.stringify(memory)}\n` : receiptMemoryTable(memory))
    return
  }
  if (wanted['mcp-memory']) {
    const { memoryOfTheProxy, memoryTable } = await import('./mcp-memory.mjs')
    const memory = await memoryOfTheProxy(settings)
    process.stdout.write(wanted.json ? `${JSON.stringify(memory)}\n` : memoryTable(memory))
    return
  }
  if (wanted.mcp) {
    const { measureMcp, mcpTable } = await import('./mcp.mjs')
    if (wanted.peers) peersInstalled()
    const mcp = await measureMcp(settings)
    process.stdout.write(wanted.json ? `${JSON.stringify(mcp)}\n` : mcpTable(mcp))
    return
  }
  const { measureOutage, outageTable } = await import('./outage.mjs')
  const calls = wanted.outage ? undefined : await measureCalls(wanted.peers, settings)
  const outage = await measureOutage(settings)
  if (wanted.json) process.stdout.write(`${JSON.stringify({ ...calls, outage })}\n`)
  else process.stdout.write(`${calls === undefined ? '' : `${table(calls)}\n`}${outageTable(outage)}`)
}

/** What a gated call costs, beside floor, store and peers. */
async function measureCalls(withPeers, settings) {
  const { gateContestants, peerContestants } = await import('./contestants.mjs')
  const peers = withPeers && peersInstalled() ? await peerContestants() : []
  const contestants = [...(await gateContestants()), ...peers]
  if (withPeers && !contestants.some(({ id }) => id === 'opa-decision')) {
    say('bench: @ai-sdk/policy-opa is left out: its compiler comes for Linux on x64 only')
  }
  const figures = await interleave(contestants, settings)
  return summarise(contestants, figures, settings.rounds)
}

await main()
