/** The gate, as hosts use it. */
import type { ApprovalRecord, Passkey, PasskeyAssertion } from './approval.ts'
import type { Call } from './call.ts'
import type { ToolCoverage, ToolSeen } from './coverage.ts'
import type { Health } from './health.ts'
import type { Json } from './json.ts'
import type { Materiality } from './materiality.ts'
import type { PolicyMisfit } from './policy.ts'
import type { Receipt } from './receipt.ts'
import type { Refusal, RefusalCode } from './refusal.ts'
import type { Channel, Scope, Where, Who } from './scope.ts'
import type { Signer } from './signer.ts'
import type { Quarantine, ToolDefinition } from './tool.ts'

/** How an execution ended, as its host saw it. */
export type Ending =
  | { readonly status: 'ok'; readonly result?: unknown }
  | { readonly status: 'tool_error'; readonly error?: unknown }
  | { readonly status: 'timeout' | 'cancelled' | 'not_executed' }

/**
 * When the outcome's receipt is written: `now`, so that it is durable once `settle` resolves; or `soon`, a few milliseconds later
 * and together with whatever is written next, where nobody waits for it. A crash in between leaves the call `unknown`.
 */
export type When = 'now' | 'soon'

/** What the person should know of a call that ran otherwise than it was asked for, or without a check. */
export interface Notice {
  readonly kind: /** No policy answered, and the operator lets low calls run then. */
    | 'failed_open'
    | 'limited'
    | 'dry_run'
    | 'redacted'
    | 'notified'
    /** It waited for a policy point to heal. */
    | 'held'
    /** It would have been refused; observe mode held nothing back. */
    | 'observed'
    /** It ran on a signed override, since no policy answered. */
    | 'override'
    | 'needs_instruction'
  /** One sentence. */
  readonly message: string
  /** What was changed, by JSON Pointer; `from` and `to` are canonical JSON. */
  readonly changes?: readonly { readonly path: string; readonly from?: string; readonly to?: string }[]
}

/** `begin`'s answer. The compare-and-set of this process: it runs once, or says why not. */
export type Begun =
  | { readonly outcome: 'begun'; readonly input: Json; readonly beside?: Json }
  | { readonly outcome: 'refused'; readonly refusal: Refusal }

/** A permitted call, before it runs. */
export interface PermittedAdmission {
  readonly outcome: 'permitted'
  readonly callKey: string
  readonly materiality: Materiality
  /**
   * The decision receipt, durable before this value exists. Absent only for a low call that the operator lets run without one
   * (`onReceiptLoss.low: 'run'`) and in observe mode.
   */
  readonly receipt: Receipt | undefined
  /** True when no policy answered and a low call runs on the operator's fail mode; tell the model and the person. */
  readonly failedOpen: boolean
  /** False in observe mode. */
  readonly enforced: boolean
  /** In observe mode, the refusal that would have been. */
  readonly observed?: Refusal
  /** What the person should know of how it runs; absent where there is nothing. */
  readonly notices?: readonly Notice[]
  /** Synchronous; the tool must be called with `input`, in the same turn. */
  begin(): Begun
  /**
   * What may be shown of the tool's result, to the host, the model and the person: previews too, each by itself. The very value
   * where nothing is kept back. What policy keeps back (`redact_output`) is replaced; where it cannot be told from the rest, all of
   * the result is. Never throws.
   */
  reveal(result: unknown): unknown
  /** Writes the outcome receipt. Never throws; an executed call never turns into an error. */
  settle(ending: Ending, when?: When): Promise<Receipt | undefined>
}

/** A refused call. */
export interface RefusedAdmission {
  readonly outcome: 'refused'
  readonly callKey?: string
  readonly refusal: Refusal
  readonly receipt?: Receipt
  /** Set when a person could say yes: the live request. */
  readonly request?: ApprovalRecord
}

export type Admission = PermittedAdmission | RefusedAdmission

/** Result of `run`: the tool's value, or the refusal. */
export type RunResult<T> =
  | {
      readonly outcome: 'ran'
      /** What may be shown of it: where policy keeps parts back (`redact_output`), it is JSON, or the text that says so. */
      readonly result: T
      readonly receipts: readonly Receipt[]
      readonly failedOpen: boolean
      /** What the person should know of how it ran; absent where there is nothing. */
      readonly notices?: readonly Notice[]
    }
  | { readonly outcome: 'refused'; readonly refusal: Refusal; readonly receipts: readonly Receipt[] }

/** What an admission may be told by its host. */
export interface AdmitOptions {
  readonly signal?: AbortSignal
  /** Wait for `watch` when one is connected (45 s at most). Default true. */
  readonly wait?: boolean
  /** The tool itself wants a person's yes, whatever the policies say: a permit counts only together with one. */
  readonly requires?: 'confirmation'
  /**
   * What a medium or high call does while no policy answers. `hold` waits for the policy point to heal, at most `holdMs`, and
   * decides anew from the same snapshot. Default `refuse`.
   */
  readonly onSilence?: 'refuse' | 'hold'
  /** The longest that a held call waits, ms, at most 10 minutes. Default 60000. */
  readonly holdMs?: number
  /**
   * What the host sees to. `arguments`: the tool is given nothing but `begin`'s input; `all`: of its results, too, nothing is shown
   * but what `reveal` gives. Without this word a permit that obliges to `limit` or `dry_run`, and without `all` one that obliges
   * to `redact_output`, is refused (`obligation_unmet`). `run` sees to all.
   */
  readonly obliging?: 'arguments' | 'all'
}

/** How somebody answered. */
export interface AnswerOptions {
  /** Who confirmed, where the host knows better than the view: whoever sits at the terminal. A role is answered by the view's principal. */
  readonly by?: string
  /** Through what. The view's own channel unless said. */
  readonly channel?: Channel
  /** In their own words; at most 512 characters are kept. Whoever asked reads it, the model too. */
  readonly reason?: string
  /** `shown` of the request that they had before them. Another digest than the request's is no answer to it. */
  readonly shown?: string
  /** What the passkey of this view's principal signed, over `passkeyChallenge` of this answer. The channel is `webauthn` then. */
  readonly passkey?: PasskeyAssertion
}

/** What became of an answer. */
export type Answered =
  | { readonly outcome: 'recorded'; readonly record: ApprovalRecord }
  /** Nothing was recorded. `message` is one sentence for whoever answered. */
  | { readonly outcome: 'refused'; readonly code: RefusalCode; readonly message: string }

/** A gate, or a view of one for a principal and a conversation. Every adapter takes one of these. */
export interface Gate {
  /** A cheap immutable view. */
  as(who: Who, where?: Where): Gate
  /**
   * Tells the gate of a server's tools. Reports policies that do not fit; throws on case-fold twins and bad names.
   *
   * With `pinned` these are all the tools that a third party's server lists now: the first such listing is recorded, and what
   * differs from the record later is quarantined. A tool that cannot be registered is left out then, and the rest stands.
   *
   * @throws HoldpointError ERR_TOOL; with `pinned` ERR_PINS, when what was recorded cannot be relied on
   */
  register(
    tools: readonly ToolDefinition[],
    options?: { readonly server?: string; readonly pinned?: boolean },
  ): readonly PolicyMisfit[]
  /** By name, the tools of a server's newest whole listing that differ from their pins: their calls are refused. */
  quarantined(server: string): ReadonlyMap<string, Quarantine>
  /** One pass, up to the permit. Never throws for what a call, a model or a policy point did. */
  admit(call: Call, options?: AdmitOptions): Promise<Admission>
  /** `admit`, `begin`, execute, `settle`. A live duplicate in this process joins the first. Rethrows the tool's own error. */
  run<T>(call: Call, execute: (input: Json) => T | Promise<T>, options?: AdmitOptions): Promise<RunResult<T>>
  /**
   * Records an answer to a request, by the principal of this view, as the host's authenticated channel has it: the own yes to a
   * confirmation, or somebody else's in the role that was asked for. Never throws for what somebody answered.
   *
   * @throws HoldpointError ERR_STORE, ERR_KEY
   */
  answer(ref: string, answer: 'approved' | 'declined', options?: AnswerOptions): Promise<Answered>
  /** A request, where this view may see it: its own principal's, or one for a role that its principal has. */
  request(ref: string): Promise<ApprovalRecord | undefined>
  /**
   * The open requests that this view may see, oldest first.
   *
   * @param options `for: 'me'`, the default: those alone that its principal can answer still; `anyone`: also those that wait for
   * somebody else
   */
  approvals(options?: { readonly for?: 'me' | 'anyone' }): Promise<readonly ApprovalRecord[]>
  /** The passkeys that the operator registered of this view's person, as its host has signed them in. */
  passkeys(): readonly Passkey[]
  /** The live request for this exact call in this scope, if any. A pointer for hosts that resume; never evidence. */
  requestFor(call: Call): Promise<ApprovalRecord | undefined>
  /** Marks the use of a tool that cannot be gated; `because` says why it runs outside, and stands in the receipt's `note`. */
  markUngated(call: Pick<Call, 'tool' | 'server' | 'callId'>, because: string): Promise<Receipt | undefined>
  /**
   * An adapter says which tools of its host it sees, and which of them the gate stands in front of.
   *
   * @param host `ai-sdk`, `mcp`, `openai`…
   */
  cover(host: string, tools: readonly ToolSeen[], options?: { readonly server?: string }): void
  /** Every tool that a host showed this gate, and how it stands: `gated`, `ungated` or `unknown`. */
  coverage(): readonly ToolCoverage[]
  /**
   * The tripwire: a host's framework says that this call has run. False when this gate admitted no such call in this conversation;
   * then a `programmer-warned` event says so (`ran_without_admission`), and the tool stands as `unknown`.
   */
  reportRun(host: string, call: { readonly tool: string; readonly server?: string; readonly callId: string }): boolean
  /** Tells the programmer of a mistake of theirs that only a host can see, as a `programmer-warned` event. */
  warn(code: string, message: string): void
  /** How the policy points are doing, and how many calls wait for one. */
  health(): Health
  /** The kill switch: whatever this policy point answers for is refused until `release`. False when no point has this id. */
  isolate(point: string, because: string): boolean
  release(point: string): boolean
  /**
   * Says in a receipt, signed by this gate's key and by the new one, that the new one comes after it. Whoever trusts this
   * gate's key then believes the new one. This gate goes on with its own; the next is created with the new one.
   *
   * @throws HoldpointError ERR_KEY, ERR_STORE
   */
  addKey(fresh: Signer): Promise<Receipt>
  /**
   * Says in a receipt that another key signs no more. What it signs behind that place of a log counts for nothing.
   *
   * @param kid RFC 7638 thumbprint
   * @throws HoldpointError ERR_KEY for this gate's own key, ERR_STORE
   */
  retireKey(kid: string): Promise<Receipt>
  /** Opens the store and writes the `open` receipt; otherwise done on first use. */
  ready(): Promise<void>
  /** Seals the stream and closes the store. */
  close(): Promise<void>
  readonly scope: Scope | undefined
}
