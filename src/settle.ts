import { type Given, LiveAdmission, observedAdmission } from './admission.ts'
import { redactionsOf } from './amend.ts'
import type { PolicyPanel } from './decide/panel.ts'
import { reveal } from './decide/redact.ts'
import { microseconds, toolName } from './draft.ts'
import { resultText } from './exit-words.ts'
import { noticesOf } from './notices.ts'
import { type Considered, optional, type Settings } from './pass.ts'
import { Permit } from './permit/permit.ts'
import { commitResult, saltFor } from './receipt/commit.ts'
import type { Lineage } from './receipt/lineage.ts'
import type { Recorder } from './receipt/recorder.ts'
import type {
  Admission,
  Clock,
  EventSink,
  Json,
  OutcomeStatus,
  PermittedAdmission,
  Receipt,
  Refusal,
  RefusalCode,
  When,
} from './types.ts'

/** What a call that may run needs until it has ended. */
export interface SettleParts {
  readonly settings: Settings
  readonly panel: PolicyPanel
  readonly lineage: Lineage
  readonly recorder: Recorder
  readonly clock: Clock
  /** Runs something later; gives back how to call it off. */
  readonly schedule: (ms: number, run: () => void) => () => void
  readonly emit: EventSink
  /** Forgets a live admission. */
  readonly forget: (callKey: string) => void
}

/** Under what a permit was given. `salt` is the call's own, of which those of its commitments are made. */
export interface PermitTerms {
  readonly failedOpen: boolean
  readonly signal: AbortSignal | undefined
  readonly salt: string
  /** The id of the override that it runs on. */
  readonly override?: string | undefined
}

/** Hands out a permit whose receipt and claim are durable, or that needs none. */
export function permittedCall(
  parts: SettleParts,
  considered: Considered,
  receipt: Receipt | undefined,
  terms: PermitTerms & { readonly enforced: boolean; readonly refusalOf: (code: RefusalCode) => Refusal },
): PermittedAdmission {
  const { clock, panel, settings, schedule, forget } = parts
  const { arrival, classification } = considered
  const callKey = arrival.callKey ?? ''
  const policyDigest = considered.policyDigest ?? panel.policyDigest
  const permit = new Permit({
    clock,
    ttlMs: settings.permitTtlMs,
    signal: terms.signal,
    current: () =>
      !parts.recorder.isClosed &&
      panel.policyDigest === policyDigest &&
      panel.isOpenFor(toolName(considered)) &&
      considered.overruled !== true,
  })
  const redactions = terms.enforced ? redactionsOf(considered.decision) : []
  const admission: LiveAdmission = new LiveAdmission({
    callKey,
    materiality: classification.materiality,
    receipt,
    failedOpen: terms.failedOpen,
    enforced: terms.enforced,
    notices: noticesOf(considered, terms),
    reveal: (result) => reveal(result, redactions),
    permit,
    // INVARIANT I3: the tool gets a fresh parse of the very bytes that were decided.
    given: () => given(considered, {}),
    refusal: terms.refusalOf,
    record: (status, result, when) =>
      settled(parts, considered, receipt, { salt: terms.salt, claimed: true, status, result, when }),
    forget: () => forget(callKey),
    cancelExpiry: schedule(settings.permitTtlMs, () => admission.expire()),
  })
  return admission
}

/** A fresh parse of the snapshot; `otherwise` where none could be taken. */
function given({ amended, arrival }: Considered, otherwise: Json): Given {
  const { call } = arrival
  const taken = amended?.snapshot ?? arrival.snapshot
  const beside = taken === undefined ? (call.beside as Json | undefined) : taken.parseBeside()
  return { input: taken?.parse() ?? otherwise, ...optional('beside', beside) }
}

/** Is observe mode on? Nothing is held back then, nobody is asked, and receipts say so. It ends by itself. */
export function isObserving({ settings }: Pick<SettleParts, 'settings'>): boolean {
  return settings.mode.kind === 'observe' && settings.mode.isOn()
}

/** Lets a call run in observe mode, whatever was decided. `observed` is the refusal that would have been. */
export function observedCall(
  parts: SettleParts,
  considered: Considered,
  receipt: Receipt | undefined,
  terms: {
    readonly salt?: string | undefined
    readonly observed?: Refusal | undefined
    readonly refusalOf: (code: RefusalCode) => Refusal
  },
): Admission {
  const { arrival, classification } = considered
  const callKey = arrival.callKey ?? ''
  const cancelExpiry = parts.schedule(parts.settings.permitTtlMs, () => parts.forget(callKey))
  return observedAdmission({
    callKey,
    materiality: classification.materiality,
    receipt,
    observed: terms.observed,
    notices: noticesOf(considered, { failedOpen: false, observed: terms.observed }),
    isObserving: () => isObserving(parts),
    refusal: terms.refusalOf,
    // Observe blocks nothing: arguments that could not be snapshotted reach the tool as the host gave them.
    given: () => given(considered, arrival.call.input as Json),
    record: async (status, result, when) => {
      cancelExpiry()
      parts.forget(callKey)
      const end = { salt: terms.salt ?? '', claimed: false, status, result, when }
      return await settled(parts, considered, receipt, end)
    },
  })
}

/** Writes the outcome receipt and tells the sinks. Never rejects: the call has run, and that cannot be taken back. */
async function settled(
  { recorder, clock, emit, lineage }: SettleParts,
  considered: Considered,
  decision: Receipt | undefined,
  end: {
    readonly salt: string
    readonly claimed: boolean
    readonly status: OutcomeStatus
    readonly result: unknown
    readonly when: When | undefined
  },
): Promise<Receipt | undefined> {
  if (decision === undefined) return undefined
  const { status } = end
  const us = microseconds(clock.monotonic() - considered.startedAt)
  const text = end.result === undefined ? undefined : resultText(end.result)
  const result =
    text === undefined
      ? {}
      : { result: { commit: commitResult(saltFor('result', end.salt), text), bytes: Buffer.byteLength(text) } }
  const receipt = await recorder.outcome(
    { kind: 'outcome', decision: decision.hash, status, us, trace: considered.scope.trace, ...result },
    end.claimed ? { decision: decision.hash, status } : undefined,
    end.when,
  )
  if (receipt !== undefined) lineage.delivered(considered.scope.trace, receipt.hash)
  emit({
    event: 'call-settled',
    tool: toolName(considered),
    status,
    decision: decision.id,
    ms: us / 1_000,
    ...(receipt === undefined ? {} : { receipt: receipt.id }),
  })
  return receipt
}
