import { homedir } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { randomBytes } from '../bytes/digest.ts'
import type { LoadedConfig } from '../config/read.ts'
import { DEFAULT_TIMEOUT_MS } from '../config/schema.ts'
import { type Places, placesOf, stateFolder } from '../config/state-folder.ts'
import { Coverage } from '../coverage.ts'
import { createPanel } from '../create-panel.ts'
import { createOpenBudget } from '../decide/fail-mode.ts'
import { Holds } from '../decide/holds.ts'
import { createObligations } from '../decide/obligations.ts'
import type { PanelTerms } from '../decide/panel.ts'
import { Turns } from '../decide/turns.ts'
import { Exits } from '../exits.ts'
import { keepLog } from '../log-keeper/keeper.ts'
import { overrideFolder } from '../override/folder.ts'
import { overrideKeys } from '../override/keys.ts'
import { createOverrides } from '../override/live.ts'
import { ownFiles } from '../own-files.ts'
import { Passkeys } from '../passkeys.ts'
import { Chain } from '../receipt/chain.ts'
import { Lineage, traceOfConversation } from '../receipt/lineage.ts'
import { Recorder } from '../receipt/recorder.ts'
import { CoverageKeeper } from '../store/coverage-files.ts'
import { withDeadline } from '../store/deadline.ts'
import { fanOut } from '../telemetry/events.ts'
import { ToolRegistry } from '../tool-registry.ts'
import type { Gate, Json, JsonObject, Store } from '../types.ts'
import { GateView, type SharedState } from '../view.ts'
import { createSender } from '../webhook/sender.ts'
import { checkWebhook } from '../webhook/webhook.ts'
import { approverOf, createKey, createPins, createStore, isKept, ownPaths, setupOf } from './keeping.ts'
import type { GateOptions } from './options.ts'
import { isOnTerminal, schedule, scheduleFirmly, systemClock, warnProcess } from './process.ts'
import { observed, openDraft, settingsOf } from './settings.ts'

const MOST_DECIDING = 1_024

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
