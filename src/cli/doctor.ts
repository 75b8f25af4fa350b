/** `holdpoint doctor`: is this installation as safe as its operator thinks? */

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { visible } from '../bytes/visible.ts'
import { onlyServicesDecide } from '../config/read.ts'
import { DEFAULT_TIMEOUT_MS } from '../config/schema.ts'
import { connectionOf, type PostgresStorePlace } from '../config/state-folder.ts'
import { loadPolicies } from '../policy/load.ts'
import { readReceipt } from '../receipt/read.ts'
import { probePostgres } from '../store/postgres/probe.ts'
import { createSqliteStore } from '../store/sqlite.ts'
import { type CommandContext, homely, ownStateFolder, type Situation, situationOf } from './context.ts'
import { reasonOf } from './exit.ts'
import { logFindings } from './log/findings.ts'
import { overrideFindings } from './override/findings.ts'
import { pointFindings } from './point-findings.ts'
import { readingAlong } from './progress.ts'
import { readerOf, shown, storeOf, toolOf } from './receipts.ts'
import { type Terminal, wrap } from './terminal.ts'
import { keyHere, shownKey } from './trust.ts'

/** One thing that was looked at. `warning` is allowed but should be known; `problem` should be mended. */
export interface Finding {
  readonly about: string
  readonly state: 'good' | 'warning' | 'problem'
  readonly says: string
}

const FRESH_KEY_MS = 24 * 60 * 60_000
const MOST_TOOLS = 10
const LABEL = 12

export function doctorCommand(context: CommandContext): Command {
  return new Command('doctor')
    .option('--config <FILE>', 'the holdpoint.yaml to use instead of the one here')
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExits 1 when something should be mended.\n\nExample:\n  holdpoint doctor')
    .action(async (flags: { config?: string; json?: true }) => {
      const findings = await examine(flags.config, context.terminal)
      context.terminal.progress('')
      if (flags.json === true) context.terminal.out(JSON.stringify({ findings }))
      else tell(findings, context.terminal)
      context.end(findings.some(({ state }) => state === 'problem') ? 1 : 0)
    })
}

async function examine(configFile: string | undefined, terminal: Terminal): Promise<readonly Finding[]> {
  const engine = [node(), cedar()]
  let situation: Situation
  try {
    situation = situationOf(configFile)
  } catch (error) {
    return [...engine, problem('config', reasonOf(error))]
  }
  return [
    ...engine,
    good(
      'config',
      situation.config.file === undefined ? 'no holdpoint.yaml here: the defaults hold' : homely(situation.config.file),
    ),
    policies(situation),
    ...settings(situation),
    ...(await pointFindings(situation)),
    ...key(situation),
    ...(await overrideFindings(situation, Date.now())),
    ...(await store(situation)),
    ...(await logFindings(situation)),
    ...(await history(situation, terminal)),
  ]
}

function node(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const recent = major > 22 || (major === 22 && minor >= 13)
  return recent
    ? good('node', process.versions.node)
    : problem('node', `${process.versions.node} is too old: holdpoint needs 22.13 or newer`)
}

function cedar(): Finding {
  const main = createRequire(import.meta.url).resolve('@cedar-policy/cedar-wasm/nodejs')
  const manifest = readFileSync(
    join(main.slice(0, main.lastIndexOf('cedar-wasm')), 'cedar-wasm', 'package.json'),
    'utf8',
  )
  const { version } = JSON.parse(manifest) as { readonly version: string }
  return good('engine', `Cedar ${version}, embedded: decides in this process, without network`)
}

function policies(situation: Situation): Finding {
  if (onlyServicesDecide(situation.config)) return good('policies', 'none here: the services decide')
  try {
    const set = loadPolicies(situation.policies)
    return good('policies', `${set.policies.length} in ${situation.policies.map((file) => file.path).join(', ')}`)
  } catch (error) {
    return problem('policies', reasonOf(error))
  }
}

function settings({ config }: Situation): readonly Finding[] {
  const { failMode, onReceiptLoss, sidecar, timeoutMs } = config.options
  return [
    good(
      'deadline',
      `a policy point has ${timeoutMs ?? DEFAULT_TIMEOUT_MS} ms; medium and high refuse when it is silent`,
    ),
    ...(failMode?.low === 'open'
      ? [warning('fail mode', 'low calls run while no policy answers (failMode.low: open); bounded, counted, marked')]
      : []),
    ...(onReceiptLoss?.low === 'run'
      ? [warning('receipts', 'low calls run even when their receipt cannot be written (onReceiptLoss.low: run)')]
      : []),
    ...(sidecar === 'none'
      ? [warning('sidecar', 'arguments are not kept: "why" and audits cannot show the conditions of past decisions')]
      : []),
  ]
}

function key({ config, places }: Situation): readonly Finding[] {
  const about = 'key'
  const shown = shownKey(places)
  try {
    const signer = keyHere(places)
    if (signer === undefined) return [warning(about, `${shown} does not exist yet; it is created at the first call`)]
    const isFile = places.keyEnv === undefined
    const ageMs = isFile ? Date.now() - statSync(places.keyFile).birthtimeMs : Number.POSITIVE_INFINITY
    const trusted = config.options.trust?.receipts
    return [
      good(about, `${shown}, ${signer.alg}${isFile ? ', mode 0600' : ''}, kid ${signer.kid}`),
      ...(ageMs < FRESH_KEY_MS
        ? [
            warning(
              about,
              'this key was generated in the last 24 hours: give its public part to whoever verifies your receipts',
            ),
          ]
        : []),
      ...(trusted === undefined || trusted.length === 0
        ? [warning('trust', 'no trust.receipts in holdpoint.yaml: on another machine "verify" needs --keys')]
        : trusted.some((jwk) => jwk.x === signer.publicJwk['x'])
          ? []
          : [
              problem(
                'trust',
                'trust.receipts does not list this machine’s own key: its receipts will not verify here',
              ),
            ]),
    ]
  } catch (error) {
    return [problem(about, reasonOf(error))]
  }
}

async function store({ places }: Situation): Promise<readonly Finding[]> {
  if (places.store.kind === 'memory') {
    return [warning('store', 'store: memory forgets: receipts are lost and a call can run again after a restart')]
  }
  if (places.store.kind === 'postgres') return [await answering(places.store)]
  const { folder } = places.store
  return [
    ...(folder.startsWith(tmpdir()) || folder.startsWith('/dev/shm')
      ? [warning('store', `${folder} is a temporary folder: receipts may be gone after a restart`)]
      : []),
    await durability(folder),
  ]
}

/** A server that would lose what it acknowledges says so itself. */
async function answering(at: PostgresStorePlace): Promise<Finding> {
  try {
    const { place, isMade } = await probePostgres(connectionOf(at, process.env))
    const settings = 'fsync, full_page_writes and synchronous_commit are on'
    return good('store', `${place}: ${settings}${isMade ? '' : '; its tables are made at the first call'}`)
  } catch (error) {
    return problem('store', reasonOf(error))
  }
}

/** Opens a throwaway store on the same file system: only there can WAL and the synchronous level be read back. */
async function durability(folder: string): Promise<Finding> {
  const near = existsSync(folder) ? folder : ownStateFolder()
  let trial: string | undefined
  try {
    mkdirSync(near, { recursive: true, mode: 0o700 })
    trial = mkdtempSync(join(near, 'doctor-'))
    const throwaway = createSqliteStore({ folder: trial })
    const opening = await throwaway.open()
    await throwaway.close()
    return opening.durable
      ? good('store', `${homely(folder)}: write-ahead log, synchronous FULL (set and read back)`)
      : problem('store', `${homely(folder)} does not keep what it acknowledges`)
  } catch (error) {
    return problem('store', `${homely(folder)}: ${reasonOf(error)}`)
  } finally {
    if (trial !== undefined) rmSync(trial, { recursive: true, force: true })
  }
}

/** What the receipts say of calls that no gate stood in front of. */
async function history(situation: Situation, terminal: Terminal): Promise<readonly Finding[]> {
  const { store } = situation.places
  if (store.kind === 'memory' || (store.kind === 'folder' && !existsSync(store.folder))) {
    return [warning('tools', 'no call has been recorded yet, so nothing is known of unprotected tools')]
  }
  const ungated = new Set<string>()
  const unattributed = new Set<string>()
  const observed = new Set<string>()
  let count = 0
  const reader = readerOf(storeOf(situation))
  try {
    for await (const receipt of readingAlong(reader.receipts(), terminal)) {
      count += 1
      const claims = readReceipt(receipt.jws)
      if (claims.kind !== 'decision') continue
      if (claims.basis === 'ungated') ungated.add(toolOf(claims))
      else if (!claims.enforced) observed.add(toolOf(claims))
      if (claims.principal.basis === 'default') unattributed.add(toolOf(claims))
    }
  } catch (error) {
    return [problem('receipts', reasonOf(error))]
  } finally {
    await reader.close()
  }
  return [
    good('receipts', `${count} in ${shown(storeOf(situation))}`),
    ...(ungated.size > 0
      ? [warning('tools', `run outside the gate, because \`ungated\` names them: ${listed(ungated)}`)]
      : []),
    ...(observed.size > 0 ? [warning('tools', `were observed, not held: ${listed(observed)}`)] : []),
    ...(unattributed.size > 0
      ? [warning('principal', `called on nobody’s behalf (use gate.as; high is refused): ${listed(unattributed)}`)]
      : []),
  ]
}

function listed(names: ReadonlySet<string>): string {
  const shown = [...names].sort().slice(0, MOST_TOOLS)
  return `${shown.join(', ')}${names.size > MOST_TOOLS ? ` and ${names.size - MOST_TOOLS} more` : ''}`
}

function good(about: string, says: string): Finding {
  return { about, state: 'good', says }
}

function warning(about: string, says: string): Finding {
  return { about, state: 'warning', says }
}

function problem(about: string, says: string): Finding {
  return { about, state: 'problem', says }
}

function tell(findings: readonly Finding[], { out, style, width }: Terminal): void {
  for (const { about, state, says } of findings) {
    const mark = state === 'good' ? style('green', '✓') : state === 'warning' ? style('yellow', '!') : style('red', '✗')
    out(`${mark} ${about.padEnd(LABEL)}${wrap(visible(says), width - LABEL - 2, LABEL + 2)}`)
  }
}
