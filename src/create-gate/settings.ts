import { canonicalText, DEFAULT_LIMITS } from '../bytes/canonical.ts'
import { sha256 } from '../bytes/digest.ts'
import type { LoadedConfig } from '../config/read.ts'
import type { ConfigOptions } from '../config/schema.ts'
import { DEFAULT_TIMEOUT_MS } from '../config/schema.ts'
import { checkFailModes } from '../decide/fail-mode.ts'
import { HoldpointError } from '../errors.ts'
import { observation } from '../observation.ts'
import type { Settings } from '../pass.ts'
import type { OpenDraft } from '../receipt/claims.ts'
import type { Clock } from '../types.ts'
import type { GateOptions } from './options.ts'
import { BUILD } from './process.ts'

const LONGEST_OBSERVATION_MS = 30 * 24 * 60 * 60_000
const DEFAULT_PERMIT_TTL_MS = 30_000

export function settingsOf(configured: ConfigOptions, server: string, mode: Settings['mode']): Settings {
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

export function observed(observe: GateOptions['observe'], clock: Clock): Settings['mode'] {
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

export function openDraft(loaded: LoadedConfig, policy: string, settings: Settings): OpenDraft {
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
