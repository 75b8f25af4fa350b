import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { canonicalText, DEFAULT_LIMITS } from './bytes/canonical.ts'
import { randomBytes, sha256 } from './bytes/digest.ts'
import { visibleLine } from './bytes/visible.ts'
import { type LoadedConfig, readConfig } from './config/read.ts'
import type { ConfigOptions } from './config/schema.ts'
import { DEFAULT_TIMEOUT_MS } from './config/schema.ts'
import { connectionOf, type Places, placesOf, stateFolder } from './config/state-folder.ts'
import { Coverage } from './coverage.ts'
import { createPanel, type PolicyOption } from './create-panel.ts'
import { checkFailModes, createOpenBudget } from './decide/fail-mode.ts'
import { Holds } from './decide/holds.ts'
import { createObligations, type ObligationHandler } from './decide/obligations.ts'
import type { PanelTerms } from './decide/panel.ts'
import { Turns } from './decide/turns.ts'
import { HoldpointError } from './errors.ts'
import { Exits } from './exits.ts'
import { keepLog } from './log-keeper/keeper.ts'
import { type LogSetup, logSetup } from './log-keeper/setup.ts'
import { observation } from './observation.ts'
import { overrideFolder } from './override/folder.ts'
import { overrideKeys } from './override/keys.ts'
import { createOverrides } from './override/live.ts'
import { ownFiles } from './own-files.ts'
import type { Settings } from './pass.ts'
import { Passkeys } from './passkeys.ts'
import { Chain } from './receipt/chain.ts'
import type { OpenDraft } from './receipt/claims.ts'
import { keyFromEnvironment } from './receipt/key-env.ts'
import { loadOrCreateKey } from './receipt/key-file.ts'
import { Lineage, traceOfConversation } from './receipt/lineage.ts'
import { Recorder } from './receipt/recorder.ts'
import { DEFAULT_SIGNER_MS, remoteSigner } from './receipt/remote-signer.ts'
import { generateSigner } from './receipt/sign.ts'
import { CoverageKeeper } from './store/coverage-files.ts'
import { withDeadline } from './store/deadline.ts'
import { createMemoryStore } from './store/memory.ts'
import { pinFolder } from './store/pin-files.ts'
import { createPinMemory } from './store/pin-memory.ts'
import { postgresStore } from './store/postgres/store.ts'
import { createSqliteStore } from './store/sqlite.ts'
import { fanOut } from './telemetry/events.ts'
import { ToolRegistry } from './tool-registry.ts'
import type {
  Clock,
  EventSink,
  Gate,
  Json,
  JsonObject,
  PinShelf,
  ReceiptSigner,
  RemoteSigner,
  Signer,
  Store,
} from './types.ts'
import { GateView, type SharedState } from './view.ts'
import { warningsOf } from './warnings.ts'
import { createSender } from './webhook/sender.ts'
import { checkWebhook } from './webhook/webhook.ts'

/** What `createGate` takes: the keys of `holdpoint.yaml`, and what only code can say. */
export interface GateOptions extends ConfigOptions {
  /** Folder or file to read instead of the working directory's `holdpoint.yaml`; `false` reads none. */
  readonly config?: string | { readonly file: string } | false
  /** Who decides, instead of the policies of the configuration: a point, a function, or several that must all permit. */
  readonly policy?: PolicyOption
  /** Decide and receipt, block nothing, until this date (at most 30 days ahead). Never a setting of `holdpoint.yaml`. */
  readonly observe?: { readonly until: string | number }
  /**
   * Who asks when nobody says: `os-user` where whoever runs this program is the principal, as of a proxy that a person's own host
   * starts. Default: the OS user on a terminal, and the gate itself elsewhere.
   */
  readonly principal?: 'os-user'
  /** The gate's name in its receipts (`iss`), and the principal when nobody else is named. Default: the server's name. */
  readonly name?: string
  readonly events?: readonly EventSink[]
  /** What meets the obligations of a permit, by their type. A permit whose obligation nothing here meets does not count. */
  readonly obligations?: Readonly<Record<string, ObligationHandler>>
  /** A receipt key that is elsewhere, such as in a KMS, and how long it may take for each signature, ms. Default 3000. */
  readonly receipts?: { readonly signer: RemoteSigner; readonly deadlineMs?: number }
  /** Stores and effects, for tests and for stores of one's own. */
  readonly effects?: {
    readonly store?: Store
    readonly signer?: Signer
    /**
     * Signs what people answer, and nothing else. Default: a key file beside that of the receipts; with a `signer` of one's own,
     * a key that lives as long as this gate.
     */
    readonly approver?: Signer
    readonly clock?: Clock
    readonly pins?: PinShelf
  }
}

const LONGEST_OBSERVATION_MS = 30 * 24 * 60 * 60_000
const DEFAULT_PERMIT_TTL_MS = 30_000
const MOST_DECIDING = 1_024
const LONGEST_SIGNING_MS = 60_000
const BUILD = (JSON.parse(readFileSync(packageFile(), 'utf8')) as { version: string }).version

/** Gates of this process by what they were created from: a development server that reloads a module gets the same one. */
const gates = processWide<Gate>('holdpoint.gates.v1')
/** The memory stores of such gates, and their pins. */
const memories = processWide<Store>('holdpoint.memories.v1')
const pinMemories = processWide<PinShelf>('holdpoint.pin-memories.v1')

/**
 * Creates a gate. Synchronous: a mistake in `holdpoint.yaml`, a policy or an option throws here, with file and line. The
 * store opens on first use or at `await gate.ready()`. The same options in one process give the same gate, unless the policy
 * itself is code.
 *
 * @throws HoldpointError ERR_CONFIG, ERR_POLICY, ERR_KEY
 * @example
 * export const gate = createGate()
 */
export function createGate(options: GateOptions = {}): Gate {
  const { config, policy, observe, principal, name, events, obligations, receipts, effects, ...settings } = options
  const loaded = readConfig(config ?? process.cwd(), settings)
  // A policy in code cannot be compared: two functions of one text may close over different rules. Such gates are never shared.
  const isShared = [effects, policy, obligations, receipts].every((code) => code === undefined)
  const identity = isShared ? identityOf(loaded, { observe, principal, name }) : undefined
  const known = identity === undefined ? undefined : gates.get(identity)
  if (known !== undefined) return known
  const { gate }: Assembled = assemble(loaded, options, {
    identity,
    keepsLog: true,
    closed: () => {
      // A second `close` of this gate must not take away the one that has come after it.
      if (identity !== undefined && gates.get(identity) === gate) gates.delete(identity)
    },
  })
  if (identity !== undefined) gates.set(identity, gate)
  return gate
}

/** A gate, and what of its parts outlives a call that outlives the gate. */
export interface Assembled {
  readonly gate: Gate
  readonly recorder: Recorder
  readonly store: Store
  readonly places: Places
}

/**
 * Puts a gate together.
 *
 * @param how `keepsLog`: a process that ends at once leaves the log to those that stay
 * @throws HoldpointError ERR_CONFIG, ERR_POLICY, ERR_KEY
 */
export function assemble(
  loaded: LoadedConfig,
  options: GateOptions,
  how: { readonly identity?: string | undefined; readonly keepsLog: boolean; readonly closed?: () => void },
): Assembled {
  const { options: configured } = loaded
  const { identity } = how
  const clock = options.effects?.clock ?? systemClock
  const state = stateFolder(process.env, process.platform, homedir())
  const places = placesOf(configured, loaded.folder, state, loaded.storeAt)
  const signer = createKey(places, clock, options)
  const store =
    options.effects?.store === undefined ? createStore(places, clock, identity) : withDeadline(options.effects.store)
  const sender = createSender(
    (configured.webhooks ?? []).map((one) => checkWebhook(one, process.env)),
    {
      // A sink's own words go to the others, which need not be there yet.
      warn: (message) => emit({ event: 'programmer-warned', code: 'webhook', message }),
    },
  )
  const emit = fanOut([...(options.events ?? [warnProcess]), sender.sink])
  const holds = new Holds(clock)
  const panel = createPanel(options.policy, loaded, {
    clock,
    emit,
    timeoutMs: configured.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    breaker: (configured.breaker ?? {}) as NonNullable<PanelTerms['breaker']>,
    healed: () => holds.heal(),
  })
  const { server } = loaded
  const settings = settingsOf(configured, server, observed(options.observe, clock))
  const issuer = options.name ?? server

  const chain = new Chain({ signer, store, clock, issuer, random: randomBytes })
  const recorder = new Recorder({
    store,
    chain,
    clock,
    emit,
    schedule: scheduleFirmly,
    open: openDraft(loaded, panel.policyDigest, settings),
  })
  const lineage = new Lineage()
  const coverage = new Coverage(emit, () => coverageFile?.heard())
  const coverageFile = !isKept(places, options)
    ? undefined
    : new CoverageKeeper({
        folder: places.coverage,
        gate: issuer,
        coverage,
        clock,
        schedule: scheduleFirmly,
        warn: (message) => emit({ event: 'programmer-warned', code: 'coverage', message }),
      })
  const live: SharedState['live'] = new Map()
  const exits = new Exits({
    settings,
    recorder,
    panel,
    lineage,
    signer,
    clock,
    random: randomBytes,
    schedule,
    emit,
    forget: (callKey) => live.delete(callKey),
  })
  const gate = new GateView({
    parts: {
      settings,
      tools: new ToolRegistry({
        configured: server,
        words: loaded.words,
        own: configured.own,
        panel,
        emit,
        pins: options.effects?.pins ?? createPins(places, identity),
        clock,
      }),
      panel,
      store,
      recorder,
      exits,
      turns: new Turns(),
      holds,
      obligations: createObligations(
        { ...(sender.announce === undefined ? {} : { notify: sender.announce }), ...options.obligations },
        clock,
      ),
      overrides: createOverrides({
        shelf: overrideFolder(places.overrides),
        keys: overrideKeys((configured.trust?.override ?? []) as readonly JsonObject[], signer.kid),
        clock,
        warn: (message) => emit({ event: 'programmer-warned', code: 'override', message }),
      }),
      coverage,
      ownFiles: ownFiles(ownPaths(loaded, places, state), { folder: process.cwd(), home: homedir(), state }),
      approver: approverOf(places, options, signer),
      passkeys: new Passkeys(configured.approvals ?? {}),
      clock,
      random: randomBytes,
      sleep: (ms) => delay(ms),
      emit,
      openings: createOpenBudget({ clock }),
    },
    live,
    running: new Map(),
    fallback: { agent: issuer, osUser: options.principal === 'os-user' || isOnTerminal() },
    environment: (configured.environment ?? {}) as { readonly [name: string]: Json },
    traceOf: (conversation) =>
      conversation === undefined
        ? Buffer.from(randomBytes(16)).toString('hex')
        : traceOfConversation(signer, conversation),
    deciding: { count: 0, most: MOST_DECIDING },
    coverageFile,
    log:
      configured.log === undefined || !how.keepsLog
        ? undefined
        : keepLog(setupOf(loaded, places, signer, options), emit),
    closed: () => {
      sender.close()
      how.closed?.()
    },
  })
  return { gate, recorder, store, places }
}

/** @throws HoldpointError ERR_KEY, ERR_CONFIG */
function createKey(places: Places, clock: Clock, { effects, receipts }: GateOptions): ReceiptSigner {
  if (effects?.signer !== undefined) return effects.signer
  if (receipts === undefined)
    return places.keyEnv === undefined
      ? loadOrCreateKey(places.keyFile)
      : keyFromEnvironment(places.keyEnv, process.env)
  const { signer, deadlineMs = DEFAULT_SIGNER_MS } = receipts
  if (!(deadlineMs > 0 && deadlineMs <= LONGEST_SIGNING_MS)) {
    throw new HoldpointError(
      'ERR_CONFIG',
      `createGate options: "receipts.deadlineMs" must be more than 0 and at most ${LONGEST_SIGNING_MS}`,
      { at: 'createGate options' },
    )
  }
  const { blind } = loadOrCreateKey(places.blindingKeyFile)
  return remoteSigner(signer, { blind, deadlineMs, clock, schedule: scheduleFirmly })
}

function createStore({ store }: Places, clock: Clock, identity: string | undefined): Store {
  if (store.kind === 'folder') return createSqliteStore({ folder: store.folder })
  if (store.kind === 'postgres') return postgresStore(connectionOf(store, process.env))
  return remembered(memories, identity, () => createMemoryStore({ now: () => clock.now() }))
}

/** Whose key signs answers. It is asked for by the first of them: most gates ask nobody. */
function approverOf(
  { approvalKeyFile }: Places,
  { effects }: GateOptions,
  receipts: Pick<Signer, 'kid'>,
): () => Signer {
  let known = effects?.approver
  return () => {
    known ??= effects?.signer === undefined ? loadOrCreateKey(approvalKeyFile) : generateSigner()
    if (known.kid !== receipts.kid) return known
    throw new HoldpointError('ERR_KEY', 'answers are signed by another key than receipts: one key has one role', {
      at: approvalKeyFile,
    })
  }
}

function createPins({ store, pins }: Places, identity: string | undefined): PinShelf {
  return store.kind === 'memory' ? remembered(pinMemories, identity, createPinMemory) : pinFolder(pins)
}

/** A gate whose receipts no other process can read leaves nothing else behind. */
function isKept({ store }: Places, { effects }: GateOptions): boolean {
  return store.kind !== 'memory' && effects?.store === undefined
}

/** @throws HoldpointError ERR_CONFIG where the receipts are in a store that has no folder here */
function setupOf(loaded: LoadedConfig, places: Places, { kid }: ReceiptSigner, { effects }: GateOptions): LogSetup {
  return logSetup(loaded, effects?.store === undefined ? places : { ...places, store: { kind: 'memory' } }, kid)
}

/** INVARIANT I2: a gate that is closed and created again goes on with the keys of this process, and with its pins. */
function remembered<T>(memory: Map<string, T>, identity: string | undefined, make: () => T): T {
  const known = identity === undefined ? undefined : memory.get(identity)
  if (known !== undefined) return known
  const made = make()
  if (identity !== undefined) memory.set(identity, made)
  return made
}

/** What no call may touch: the state folder, the key, the receipts, and all that the next start will read. */
function ownPaths(loaded: LoadedConfig, places: Places, state: string): readonly string[] {
  return [
    state,
    places.keyFile,
    places.approvalKeyFile,
    places.logKeyFile,
    places.blindingKeyFile,
    ...(places.store.kind === 'folder' ? [places.store.folder] : []),
    places.overrides,
    ...loaded.sources,
  ]
}

function settingsOf(configured: ConfigOptions, server: string, mode: Settings['mode']): Settings {
  return {
    server,
    limits: { ...DEFAULT_LIMITS, ...configured.limits } as Settings['limits'],
    timeoutMs: configured.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    permitTtlMs: configured.permitTtlMs ?? DEFAULT_PERMIT_TTL_MS,
    failModes: checkFailModes(configured.failMode ?? {}),
    mode,
    onReceiptLoss: { low: configured.onReceiptLoss?.low ?? 'refuse' },
    sidecar: configured.sidecar ?? 'keep',
  }
}

function observed(observe: GateOptions['observe'], clock: Clock): Settings['mode'] {
  if (observe === undefined) return { kind: 'enforce' }
  const untilAt = typeof observe.until === 'number' ? observe.until : Date.parse(observe.until)
  const ahead = untilAt - clock.now()
  if (Number.isSafeInteger(untilAt) && ahead > 0 && ahead <= LONGEST_OBSERVATION_MS) return observation(untilAt, clock)
  throw new HoldpointError(
    'ERR_CONFIG',
    'createGate options: "observe.until" must be a date in the next 30 days; observe mode blocks nothing, so it ends by itself',
    { at: 'createGate options' },
  )
}

function openDraft(loaded: LoadedConfig, policy: string, settings: Settings): OpenDraft {
  return {
    kind: 'open',
    build: BUILD,
    config: loaded.digest,
    policy,
    trust: sha256(canonicalText(loaded.options.trust ?? {})),
    mode: settings.mode.kind,
    ...(settings.mode.kind === 'observe' ? { until: settings.mode.untilAt } : {}),
  }
}

/** What a gate is created from. Sinks do not count: they only listen. */
function identityOf(loaded: LoadedConfig, code: object): string {
  return sha256(JSON.stringify([loaded.folder, loaded.file ?? null, loaded.digest, loaded.policyFiles, code]))
}

/**
 * With no sink of the program's own, what a programmer or operator must hear is still said, on stderr.
 *
 * UNTRUSTED: a message may name what a server chose, and a terminal reads it.
 */
const warnProcess: EventSink = (event) => {
  for (const [code, message] of warningsOf(event))
    process.emitWarning(visibleLine(message), { type: 'HoldpointWarning', code })
}

function isOnTerminal(): boolean {
  return process.stdin.isTTY === true && process.stdout.isTTY === true
}

function schedule(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms).unref()
  return () => clearTimeout(timer)
}

/** The program does not end before it is run. */
function scheduleFirmly(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms)
  return () => clearTimeout(timer)
}

/** `package.json` from `src/` and from `dist/src/`. */
function packageFile(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? '../package.json' : '../../package.json', import.meta.url)
}

function processWide<T>(name: string): Map<string, T> {
  const holder = globalThis as { [key: symbol]: unknown }
  const key = Symbol.for(name)
  if (!(holder[key] instanceof Map)) holder[key] = new Map()
  return holder[key] as Map<string, T>
}

const systemClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() }
