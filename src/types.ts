/**
 * The nouns and ports of holdpoint. This file imports nothing, and every room may import it.
 *
 * Times named `…At` are milliseconds since the Unix epoch (UTC); durations named `…Ms` are milliseconds.
 * Digests and hashes are SHA-256, base64url without padding, unless a comment says otherwise.
 */

// ── Values ────────────────────────────────────────────────────────────────────────────────────────

export type Json = null | boolean | number | string | readonly Json[] | { readonly [member: string]: Json }
export type JsonObject = { readonly [member: string]: Json }

/** The harm that a wrong call does, least first. */
export const MATERIALITIES = ['low', 'medium', 'high'] as const
export type Materiality = (typeof MATERIALITIES)[number]

/** What kind of thing a call touches. */
export const SURFACES = [
  'read',
  'internal-write',
  'communication',
  'financial',
  'infrastructure',
  'code-execution',
  'data-egress',
  'credentials',
  'identity',
  'actuation',
  'unknown',
] as const
export type Surface = (typeof SURFACES)[number]

/** What the operator says that a tool lets a conversation read: data that is not for everybody, or a stranger's words. */
export const READ_LABELS = ['private', 'untrusted'] as const
export type ReadLabel = (typeof READ_LABELS)[number]

// ── Who and where ─────────────────────────────────────────────────────────────────────────────────

/** How we know who the principal is. `default` means nobody said: high is refused then. */
export type PrincipalBasis = 'stated' | 'os-user' | 'default'

/** On whose behalf a call is made. With no user, the agent itself is the principal. */
export interface Principal {
  readonly type: 'user' | 'agent'
  readonly id: string
  readonly roles: readonly string[]
  readonly tenant?: string
  readonly basis: PrincipalBasis
}

/**
 * Where a person can answer for this view: a host's own chat, where they are signed in; the terminal of `watch`; a form of an MCP
 * client (elicitation), which like the terminal is answered from the account that the client runs under.
 */
export type Channel = 'chat' | 'terminal' | 'elicitation' | 'none'

/** What `gate.as` is told about the principal. */
export interface Who {
  /** The authenticated user, as the host knows them. */
  readonly user?: string
  /** The agent that asks on the user's behalf. */
  readonly agent?: string
  readonly roles?: readonly string[]
  readonly tenant?: string
}

/** What `gate.as` is told about the place. The conversation id is the operator's own, never the model's or the client's claim. */
export interface Where {
  readonly conversation?: string
  /** A W3C trace id: 32 lower-case hexadecimal digits. */
  readonly trace?: string
  /** Facts of the environment that policies read as `context.environment`. */
  readonly environment?: JsonObject
  readonly channel?: Channel
}

/** Who and where, resolved: what each admission is bound to. */
export interface Scope {
  readonly principal: Principal
  readonly agent?: string
  readonly conversation?: string
  readonly trace: string
  readonly environment: JsonObject
  readonly channel: Channel
}

// ── The call ──────────────────────────────────────────────────────────────────────────────────────

/** A tool call as a host hands it over. `input` is UNTRUSTED: it is snapshotted before anything reads it. */
export interface Call {
  readonly tool: string
  /** Our own name of the tool's server; the configured server (or `local`) when absent. */
  readonly server?: string
  /** The arguments as a value. Exactly one of `input` and `inputText` is given. */
  readonly input?: unknown
  /** The arguments as the JSON text that the host received; read strictly. */
  readonly inputText?: string
  /**
   * What goes to the tool beside its arguments, where a protocol has such a thing: a client's answers to a server's questions, for
   * instance. UNTRUSTED. Policies do not read it, but two calls that differ in it are two calls, a person who is asked is shown it,
   * and it may not name holdpoint's own files.
   */
  readonly beside?: unknown
  /** The host's id of this call. A host without ids leaves it out, and the gate mints one. */
  readonly callId?: string
  /** The adapter's message count when the call was made: providers reuse call ids. */
  readonly step?: number
  /** The caller's own promise that this is the same act; replaces the call id in the call key. */
  readonly idempotencyKey?: string
  /**
   * The very object that was registered for this tool. Where several were registered under one name, the call is judged by
   * this one; a call whose definition was never registered is refused (`tool_changed`). The newest when absent.
   */
  readonly definition?: ToolDefinition
}

/** The one exact copy of a call's arguments that everything downstream reads (I3). */
export interface Snapshot {
  /** RFC 8785 canonical text of the arguments. */
  readonly text: string
  readonly bytes: Uint8Array
  /** Of the arguments, and of what goes beside them. */
  readonly digest: string
  /** What a person is shown before they say yes: `text`, or arguments and `beside` as one canonical text. */
  readonly shown: string
  /** A fresh parse of `text`; each reader gets its own. */
  parse(): Json
  /** The same of what goes beside the arguments. */
  parseBeside(): Json | undefined
}

/** JSON Schema, as the tool declares it. UNTRUSTED when the tool is a third party's. */
export type JsonSchema = boolean | JsonObject

/** MCP tool annotations. UNTRUSTED: they can only raise materiality (I8). */
export interface ToolAnnotations {
  readonly title?: string
  readonly readOnlyHint?: boolean
  readonly destructiveHint?: boolean
  readonly idempotentHint?: boolean
  readonly openWorldHint?: boolean
}

/** A tool as its host lists it. */
export interface ToolDefinition {
  readonly name: string
  readonly title?: string
  readonly description?: string
  readonly inputSchema?: JsonSchema
  readonly outputSchema?: JsonSchema
  readonly annotations?: ToolAnnotations
  /** `own` tools are the operator's code; `third-party` definitions come over a wire. */
  readonly origin: 'own' | 'third-party'
  /** `metadata.holdpoint` on a static own tool: counts as the operator's word. */
  readonly declared?: { readonly materiality?: Materiality; readonly surface?: Surface }
  /** A description that is computed at run time is left out of the definition digest (it may hold dates). */
  readonly dynamicDescription?: boolean
}

/** Why a third party's tool may not be called: it is not as it was pinned, or nothing was pinned of it. */
export type Quarantine = 'tool_changed' | 'tool_unknown'

/** What the operator said about a tool in `holdpoint.yaml` or code. The only word that may lower materiality. */
export interface OperatorWord {
  readonly materiality?: Materiality
  readonly surface?: Surface
  /** What a call of it brings into its conversation; absent where it brings nothing of note. */
  readonly reads?: readonly ReadLabel[]
  /** `file:line`, or `code`. */
  readonly source: string
}

/**
 * What the operator calls their own, each name with everything below it: mail domains, and hosts of addresses. Written as
 * URLs write them: lower case, punycode, no dot at the end. What is left out is not judged.
 */
export interface OwnPlaces {
  readonly domains?: readonly string[] | undefined
  readonly hosts?: readonly string[] | undefined
}

/** What the gate knows of a tool: its definition, digest, schema check, and what the operator said. */
export interface Contract {
  readonly server: string
  readonly tool: string
  /** `server/tool`. */
  readonly id: string
  readonly definition: ToolDefinition
  readonly definitionDigest: string
  readonly operator?: OperatorWord
  /** Where a call of it stays in the house. */
  readonly own?: OwnPlaces
  /** Checks arguments against the input schema. `undefined` when they conform. */
  check(input: Json): SchemaMiss | undefined
}

/** The first place where arguments miss the tool's schema. */
export interface SchemaMiss {
  /** JSON Pointer (RFC 6901) into the arguments. */
  readonly path: string
  readonly requires: string
}

/** Facts that the gate derives from arguments so that policies need no string surgery, keyed by JSON Pointer. */
export interface DerivedFacts {
  readonly [pointer: string]: JsonObject
}

// ── Pins ──────────────────────────────────────────────────────────────────────────────────────────

/** A third party's tool as it was recorded. */
export interface Pin {
  /** Its `definitionDigest`. */
  readonly digest: string
  readonly definition: ToolDefinition
}

/** What was recorded of one server's tools. */
export interface PinRecord {
  /** Our own name of the server, never its own. */
  readonly server: string
  readonly recordedAt: number
  /** By name. */
  readonly tools: ReadonlyMap<string, Pin>
}

/** Where pins are kept. Synchronous: a call is held against them on its own turn. */
export interface PinShelf {
  /** Another text whenever a server's pins may have become others; absent when it has none. Cheap, since every call asks. */
  stamp(server: string): string | undefined
  /**
   * A server's pins; absent when it has none.
   *
   * @throws HoldpointError ERR_PINS when they cannot be relied on
   */
  read(server: string): PinRecord | undefined
  /**
   * Records pins where there are none, whole or not at all: of several processes one wins. False when there were some already.
   *
   * @throws HoldpointError ERR_PINS
   */
  pin(record: PinRecord): boolean
  /** What was seen last that differs from the pins, for a person to look at. @throws HoldpointError ERR_PINS */
  seen(server: string): PinRecord | undefined
  /** Takes the place of what was seen before; without tools, nothing differs any longer. @throws HoldpointError ERR_PINS */
  see(record: PinRecord): void
}

// ── Materiality ───────────────────────────────────────────────────────────────────────────────────

export type EvidenceSource =
  | 'operator'
  | 'definition'
  | 'arguments'
  | 'schema'
  | 'name'
  | 'description'
  | 'annotations'
  | 'default'

/** One reason for a tier, with the words that it rests on. */
export interface Evidence {
  readonly source: EvidenceSource
  readonly argues: Materiality
  readonly surface?: Surface
  /** Where: a pointer, a name token, `holdpoint.yaml:4`. Never an argument's value. */
  readonly at: string
  readonly because: string
}

export interface Classification {
  readonly materiality: Materiality
  /** The tool's own, which sums are kept by: the arguments of a call change it only where it is `read` or `unknown`. */
  readonly surface: Surface
  /** `surface`, and whatever else the arguments touch. */
  readonly surfaces: readonly Surface[]
  readonly evidence: readonly Evidence[]
}

// ── Policy and decision ───────────────────────────────────────────────────────────────────────────

/** The AuthZEN 1.0 evaluation request. The same canonical bytes go to every policy decision point. */
export interface EvaluationRequest {
  readonly subject: { readonly type: 'user' | 'agent'; readonly id: string; readonly properties: JsonObject }
  readonly action: { readonly name: 'tools/call' }
  readonly resource: {
    readonly type: 'tool'
    /** `server/tool`. */
    readonly id: string
    readonly properties: {
      readonly materiality: Materiality
      readonly surface: Surface
      /** All that the call touches, `surface` first; absent where there is no other. */
      readonly surfaces?: readonly Surface[]
      readonly server: string
      readonly definition: string
    }
  }
  readonly context: {
    readonly arguments: Json
    readonly derived: DerivedFacts
    /** Array lengths by JSON Pointer: Cedar sets drop order and duplicates. */
    readonly lengths: { readonly [pointer: string]: number }
    readonly environment: JsonObject
    readonly agent?: string
    readonly session: SessionFacts
    readonly approval: ApprovalFacts
  }
}

/** What a person has said yes to, as policies read it. Always present. */
export interface ApprovalFacts {
  readonly confirmed: boolean
  readonly roles: readonly string[]
}

/** Permitted calls, counted and added up by name. */
export interface Sums {
  readonly calls: { readonly [name: string]: number }
  /** Sum of `/amount`, as a decimal string with at most 4 places. */
  readonly spent: { readonly [name: string]: string }
}

/** Sums by `server/tool`, and by surface. Names without a call are left out. */
export interface Counted extends Sums {
  readonly surfaces: Sums
}

/**
 * What this principal has done so far, reserved permits included: `calls`, `spent` and `surfaces` in this conversation, `hour`
 * and `day` in all of theirs.
 */
export interface SessionFacts extends Counted {
  /** The last 60 minutes, and up to 5 minutes more: a sum never lapses early. */
  readonly hour: Counted
  /** The last 24 hours, and up to 5 minutes more. */
  readonly day: Counted
  /** A call of a tool with `reads: [private]` was permitted in this conversation. Never unset. */
  readonly private_data_read: boolean
  /** The same of `reads: [untrusted]`. */
  readonly untrusted_content_read: boolean
}

const NOTHING: Counted = { calls: {}, spent: {}, surfaces: { calls: {}, spent: {} } }

/** What is known of a session in which nothing happened. */
export const NO_SESSION: SessionFacts = {
  ...NOTHING,
  hour: NOTHING,
  day: NOTHING,
  private_data_read: false,
  untrusted_content_read: false,
}

/** Must be done, or the call is refused. */
export interface Obligation {
  readonly id: string
  readonly type: string
  readonly properties: JsonObject
}

/** A condition that did not hold, worked out after the decision. It explains; it never decides. */
export interface Constraint {
  /** The policy's `@id`. */
  readonly policy: string
  /** JSON Pointer into the arguments. */
  readonly path: string
  /** In words: `at most 500`. */
  readonly requires: string
  /** At most 64 characters, secret-shaped values masked. Absent from receipts. */
  readonly actual?: string
}

/** Why nobody validly spoke for a call. */
export type SilenceCause =
  /** No permit applied. */
  | { readonly kind: 'no_permit' }
  /** A permit applies once a person says yes; `requires` is `confirmation` or `approval:<role>`. */
  | { readonly kind: 'requestable'; readonly requires: string }
  /** No answer came: only this may ever fail open (I5), and only this moves the breaker. */
  | {
      readonly kind: 'absent'
      readonly fault: 'timeout' | 'unavailable' | 'circuit_open'
      /** How long the service, or its breaker, asks to be left alone, ms. */
      readonly retryAfterMs?: number
    }
  /** An answer came and cannot be trusted. */
  | {
      readonly kind: 'wrong'
      readonly fault:
        | 'policy_error'
        | 'malformed'
        | 'misconfigured'
        | 'stale'
        | 'isolated'
        | 'unusable_policy'
        /** The gate itself stood still beyond the budget: whether an answer came, nobody knows. */
        | 'stalled'
      readonly detail: string
    }

/** What policies said. `determining` and `errors` are policy `@id`s; `sentence` is the policy's `@refusal` text. */
interface Grounds {
  readonly determining: readonly string[]
  readonly errors: readonly string[]
}

/** The one decision of a pass. Only `permit` runs (I4). */
export type Decision =
  | ({ readonly kind: 'permit'; readonly obligations: readonly Obligation[] } & Grounds)
  | ({ readonly kind: 'deny'; readonly sentence?: string } & Grounds)
  | ({ readonly kind: 'silence'; readonly cause: SilenceCause; readonly sentence?: string } & Grounds)

/**
 * Whatever answers. May answer at once or later, may throw, hang or answer nonsense: `decide/answer.ts` is its only
 * reader. Anything but the literal shapes of {@link Decision} is a wrong answer.
 */
export interface PolicyDecisionPoint {
  readonly id: string
  /** The tools that it answers for: `shop/refund`, `shop/*` or `*`. Default: all. */
  readonly tools?: readonly string[]
  /** It answers on the spot, in this process, so that it is never absent and needs no breaker. */
  readonly embedded?: true
  /** Digest of the policy that answers, as committed in receipts. */
  readonly policyDigest: string
  /** False when a decision cannot be re-derived from the receipt and opened arguments (a function). */
  readonly rederivable: boolean
  /**
   * Does the policy read `context.session`? Such decisions are taken one after the other: of a principal, or, where it looks at
   * nothing but the `conversation`, of a principal there.
   */
  readonly readsSession: boolean | 'conversation'
  /** Learns a server's tools, so that policies are validated against them. Returns what does not fit. */
  register(server: string, tools: readonly ToolDefinition[]): readonly PolicyMisfit[]
  /** UNTRUSTED result: read by `readAnswer`. */
  evaluate(
    request: EvaluationRequest,
    call: { readonly signal: AbortSignal; readonly schema: JsonSchema | undefined },
  ): unknown
  /** Works out which conditions failed. Called on refusal only. */
  explain(request: EvaluationRequest, schema: JsonSchema | undefined): Explanation
  /** Shows that a rule which errs is no permit there; without it, nothing needs to be shown. */
  canary?(call: { readonly signal: AbortSignal }): Promise<CanaryResult>
  /** How long ago the policy in force was known to be the newest, ms; absent where it cannot age. */
  policyAgeMs?(): number | undefined
}

/** What a policy decision point made of a rule that errs. Unless it `passed`, medium and high calls are refused. */
export type CanaryResult =
  | { readonly kind: 'passed' }
  /** The error came back as a permit; `because` names the engine's setting. */
  | { readonly kind: 'failed'; readonly because: string }
  /** Nothing was shown; `because` says what is missing there. */
  | { readonly kind: 'unestablished'; readonly because: string }

/** `isolated` is an operator's kill switch; the others follow the point's absence. */
export type BreakerState = 'closed' | 'open' | 'half_open' | 'isolated'

/** How one policy decision point is doing. */
export interface PointHealth {
  readonly id: string
  readonly tools: readonly string[]
  /** Always `closed` for a point that cannot be absent. */
  readonly breaker: BreakerState
  /** How long the breaker stays open, ms. */
  readonly retryInMs?: number
  /** `none`: it has none; `pending`: not judged yet. */
  readonly canary: CanaryResult['kind'] | 'pending' | 'none'
  readonly policyAgeMs?: number
}

/** How a gate is doing. */
export interface Health {
  readonly mode: 'enforce' | 'observe'
  readonly points: readonly PointHealth[]
  /** Calls that wait for a policy point to heal. */
  readonly held: number
  /** The transparency log over the receipts; absent where this gate keeps none. */
  readonly log?: LogHealth
}

/**
 * How a gate's log is doing: `current`, taken forward by `elsewhere` (another process of the store), or `stalled`. Calls never wait
 * for it.
 */
export type LogHealth = LogReach &
  ({ readonly state: 'starting' | 'current' | 'elsewhere' } | { readonly state: 'stalled'; readonly because: string })

/** How far a log has come, as of its keeper's last look. */
export interface LogReach {
  /** Leaves under the newest signed checkpoint. */
  readonly size: number
  /** Receipts of the store that have no leaf yet; absent before the first look. By count: not exact where a file of receipts was exchanged. */
  readonly unlogged?: number
  /** When the newest checkpoint was signed, ms since the Unix epoch; absent where another process signs. */
  readonly signedAt?: number
  /** Have enough witnesses seen it? Absent where none is asked, where another process asks, and while none can be asked. */
  readonly witnessed?: boolean
}

/** A policy that does not fit the registered tools: that server's medium and high refuse until it does. */
export interface PolicyMisfit {
  readonly policy: string
  /** `file:line:column`. */
  readonly at: string
  readonly message: string
}

/** What the operator said about one tool in the short form of `holdpoint.yaml`: nothing but this lets it run. */
export interface ShortRule {
  /** As written: `refund`, or `files/write_file`. */
  readonly name: string
  /** `server/tool`. */
  readonly tool: string
  /** `holdpoint.yaml:4:3`, or `createGate options`. */
  readonly at: string
  readonly says:
    | { readonly kind: 'deny' }
    /** Every call runs. */
    | { readonly kind: 'permit' }
    /** Calls that meet every condition run; what becomes of the others stands in `otherwise`. None: no call meets them. */
    | {
        readonly kind: 'permit-when'
        readonly conditions: readonly ShortCondition[]
        readonly otherwise: ShortOtherwise
      }
}

/** What one argument must be. */
export interface ShortCondition {
  /** The path of the argument: `['amount']`. */
  readonly path: readonly string[]
  readonly at: string
  readonly max?: number
  readonly min?: number
  /** All texts, all numbers or all booleans. */
  readonly oneOf?: readonly (string | number | boolean)[]
  /** Folders that the path must be in. */
  readonly under?: readonly string[]
  /** Hosts that the address must be at or below. */
  readonly host?: readonly string[]
}

/** What becomes of calls outside of the conditions: refused, or asked about. */
export interface ShortOtherwise {
  readonly at: string
  /** `confirmation`, or the role of whom to ask. */
  readonly ask?: string
  /** The sentence that model and person read. */
  readonly say?: string
}

/** For `why` and for refusals: every policy that spoke and every condition with what it required. */
export interface Explanation {
  readonly constraints: readonly Constraint[]
  readonly policies: readonly {
    readonly id: string
    readonly at: string
    readonly effect: 'permit' | 'forbid'
    readonly applied: boolean
    /** The yes that a permit waits for, or that lifts a forbid: `confirmation` or `approval:<role>`. */
    readonly requires?: string
    readonly conditions: readonly {
      readonly text: string
      readonly path?: string
      readonly holds: boolean | 'error'
      readonly requires?: string
      readonly actual?: string
    }[]
  }[]
}

/** The fail mode by materiality: only low may open (I5). */
export interface FailModes {
  readonly low: 'closed' | 'open'
  readonly medium: 'closed'
  readonly high: 'closed'
}

// ── Refusal ───────────────────────────────────────────────────────────────────────────────────────

export type RefusalCause = 'policy' | 'human' | 'outage' | 'pin' | 'budget' | 'input' | 'replay' | 'host'

export type RefusalCode =
  | 'denied_by_policy'
  | 'no_permit'
  | 'policy_error'
  | 'obligation_unmet'
  | 'approval_required'
  | 'approval_pending'
  | 'approval_declined'
  | 'approval_expired'
  | 'approval_mismatch'
  | 'approver_not_separate'
  | 'policy_timeout'
  | 'policy_unavailable'
  | 'policy_wrong_answer'
  | 'policy_stale'
  | 'circuit_open'
  | 'isolated'
  | 'receipt_unavailable'
  | 'overloaded'
  | 'tool_unknown'
  | 'tool_changed'
  | 'budget_exceeded'
  | 'arguments_rejected'
  | 'already_executed'
  | 'in_progress'
  | 'key_reuse'
  | 'permit_expired'
  | 'permit_revoked'
  | 'outcome_unknown'
  | 'cancelled'
  | 'ungated_tool'

/** What would satisfy the refusal. Never a command that unblocks itself (I9). */
export type Remedy =
  | { readonly kind: 'request_approval'; readonly ref: string }
  | { readonly kind: 'change_arguments' }
  | { readonly kind: 'retry_later' }
  | { readonly kind: 'operator' }
  | { readonly kind: 'none' }

/** The transparent no: a value for the model and for the person. */
export interface Refusal {
  readonly holdpoint: 'refusal/v1'
  readonly code: RefusalCode
  readonly cause: RefusalCause
  /** One sentence, for both readers. */
  readonly message: string
  /** `server/tool`. */
  readonly tool: string
  readonly materiality: Materiality
  readonly executed: false
  /** At most three; argument paths only. */
  readonly constraints: readonly Constraint[]
  readonly remedy: Remedy
  readonly retryable: boolean
  /** Receipt id; absent only when the receipt of this refusal could not be written. */
  readonly receipt?: string
}

// ── Receipts ──────────────────────────────────────────────────────────────────────────────────────

export type ReceiptKind = 'open' | 'decision' | 'outcome' | 'key' | 'seal'
export type OutcomeStatus = 'ok' | 'tool_error' | 'timeout' | 'cancelled' | 'not_executed' | 'unknown'

/** A signed receipt. `hash` = SHA-256(0x00 ‖ payload) is leaf, chain pointer and trace edge at once. */
export interface Receipt {
  /** `r_` and the first 128 bits of `hash` in Crockford base32: anyone can recompute it. */
  readonly id: string
  readonly hash: string
  readonly kind: ReceiptKind
  readonly stream: string
  readonly seq: number
  /** `hash` of the receipt before this one in its stream; absent on `open`. */
  readonly prev?: string
  /** JWS compact serialisation. */
  readonly jws: string
}

/** What the gate hands a store beside an outcome: which permit it ends. */
export interface Settlement {
  /** `hash` of the decision receipt that claimed the call key. */
  readonly decision: string
  readonly status: OutcomeStatus
}

/** The salted preimages of a receipt's commitments, kept beside it, erasable without harming any proof. */
export interface Sidecar {
  /** The call's own salt, which never leaves the store: those of the request's and the result's commitments are made of it. */
  readonly salt: string
  /** Canonical text of the evaluation request (arguments included). */
  readonly request: string
}

/** A call key with everything that must be unique or counted with it. */
export interface Claim {
  readonly callKey: string
  readonly inputDigest: string
  /** The approval that this permit spends; it must be `approved` and unspent in the same transaction. */
  readonly approval?: string
  /** The override that this permit uses. Counted in the same transaction, and never given back. */
  readonly override?: OverrideUse
  readonly session?: SessionClaim
}

/** A signed override, as a store counts it: which one, and the most uses that it may ever have there. */
export interface OverrideUse {
  readonly id: string
  readonly most: number
}

/** Whose acts are added up: a principal's in one conversation, and in all of them. */
export interface SessionKeys {
  readonly conversation: string
  readonly principal: string
}

/** Versions of what is added up: every claim and every freed claim moves both. */
export interface SessionSeen {
  readonly conversation: number
  readonly principal: number
}

/** What a claim adds to its session. */
export interface SessionClaim extends SessionKeys {
  readonly tool: string
  readonly surface: Surface
  readonly amount?: string
  readonly reads?: readonly ReadLabel[]
  /** When it was decided: which hour and day it counts in. */
  readonly at: number
  /** Versions that the decision rests on: the claim is `stale` when one of them is no longer what the ledger says. */
  readonly seen?: Partial<SessionSeen>
}

export type ClaimStatus = 'claimed' | OutcomeStatus

export type Committed =
  /** Receipt and claim are durable. `use` is which use of its override this is, from 1. */
  | { readonly outcome: 'claimed'; readonly use?: number }
  /** Nothing was written: the key is taken. */
  | { readonly outcome: 'taken'; readonly receipt: string; readonly inputDigest: string; readonly status: ClaimStatus }
  /** Nothing was written: the approval was spent, declined or expired meanwhile. */
  | { readonly outcome: 'approval_spent' }
  /** Nothing was written: the override has had its uses. */
  | { readonly outcome: 'override_spent' }
  /** Nothing was written: the session moved on; decide again. */
  | { readonly outcome: 'stale' }
  /** Nothing was written: `seq` does not follow the stream's head; sign again. */
  | { readonly outcome: 'discontinuous' }

/**
 * Where receipts go. Both functions resolve when durable, and reject when it is unknown whether they are.
 *
 * A store accepts a stream's receipts only in sequence, so a receipt that could not be written never leaves a hole.
 */
export interface ReceiptStore {
  append(
    receipt: Receipt,
    beside?: { readonly settles?: Settlement; readonly sidecar?: Sidecar },
  ): Promise<{ readonly outcome: 'stored' | 'discontinuous' }>
  commitDecision(receipt: Receipt, claim: Claim, sidecar?: Sidecar): Promise<Committed>
}

/** The holder of a call key, as a later call with the same key learns of it. */
export type Holder = Extract<Committed, { readonly outcome: 'taken' }>

/** Reads who holds a call key. A look, not a claim: only `commitDecision` decides. */
export interface ClaimLedger {
  holder(callKey: string): Promise<Holder | undefined>
}

/** What the store counts for a session, and the versions of it. */
export interface SessionReading {
  readonly seen: SessionSeen
  readonly facts: SessionFacts
}

/** Reads what the store counts for a session. */
export interface SessionLedger {
  /** @param now what the windows end at */
  read(session: SessionKeys, now: number): Promise<SessionReading>
}

/** A confirmation that a call waits for, bound to one digest, single use. */
export interface ApprovalRequest {
  /** `hp_` and eight Crockford base32 characters. */
  readonly ref: string
  /** Binds principal, conversation, tool, definition, arguments, environment and policy. */
  readonly requestDigest: string
  /** `confirmation` or `approval:<role>`. */
  readonly requires: string
  readonly tool: string
  readonly materiality: Materiality
  readonly principal: { readonly type: string; readonly id: string; readonly tenant?: string }
  readonly conversation?: string
  /** The exact canonical arguments; where more goes to the tool, an object of `arguments` and `beside`. */
  readonly argumentsText: string
  readonly because: string
  /** A yes given under this OS account does not count: the agent has a tool that runs code, so it has the account too. */
  readonly separate?: true
  readonly createdAt: number
  readonly expiresAt: number
}

export type ApprovalState = 'pending' | 'approved' | 'declined' | 'spent' | 'expired'

/** Who answered and through what. A local answer proves somebody with this OS account said yes. */
export interface ApprovalAnswer {
  readonly answer: 'approved' | 'declined'
  readonly by: string
  readonly channel: Channel
  readonly at: number
}

export interface ApprovalRecord extends ApprovalRequest {
  readonly state: ApprovalState
  readonly answered?: ApprovalAnswer
}

/** Durable requests and answers. An answer is recorded once; spending happens inside `commitDecision`. */
export interface ApprovalStore {
  /** Opens a request, or returns the live one (pending, approved or declined) for the same digest. */
  request(request: ApprovalRequest): Promise<ApprovalRecord>
  /** The live record for a digest, or the newest ended one. */
  find(requestDigest: string): Promise<ApprovalRecord | undefined>
  get(ref: string): Promise<ApprovalRecord | undefined>
  pending(): Promise<readonly ApprovalRecord[]>
  /** Records an answer to a pending request; false when it is no longer pending. */
  answer(ref: string, answer: ApprovalAnswer): Promise<boolean>
  /** Is a person's `watch` connected now? */
  attended(): Promise<boolean>
  /** A watcher says that it is there, until `until`. */
  attend(watcher: string, until: number): Promise<void>
}

/** Everything that the gate keeps. One object in practice; a port for each use so that each reader sees its own. */
export interface Store extends ReceiptStore, ClaimLedger, SessionLedger, ApprovalStore {
  /** Opens files, checks durability settings, takes over what a dead process left. Throws `HoldpointError`. */
  open(): Promise<StoreOpening>
  /** Receipts, oldest first; those of one stream in sequence. For verify, watch and why. */
  receipts(): AsyncIterable<Receipt>
  sidecar(receiptHash: string): Promise<Sidecar | undefined>
  close(): Promise<void>
}

/** What a store found when it opened. */
export interface StoreOpening {
  readonly durable: boolean
  /** Where it lives, for people: a folder, or `memory`. */
  readonly place: string
  /** The last stream that this slot holds, so that the next one can point at it. */
  readonly last?: { readonly stream: string; readonly seq: number; readonly hash: string }
  /** Permits without an outcome from a process that died. The gate writes the outcome receipt of each. */
  readonly stranded: readonly {
    /** `hash` of the decision receipt. */
    readonly decision: string
    /** `not_executed` where the claim was never durable, so that the call provably never began. */
    readonly status: 'unknown' | 'not_executed'
  }[]
}

/** A key that this process holds. `sign` is synchronous: receipts are signed in chain order on the caller's turn. */
export interface Signer {
  readonly alg: 'Ed25519' | 'ES256'
  /** RFC 7638 thumbprint of the public key. */
  readonly kid: string
  /** The public key as a JWK. */
  readonly publicJwk: JsonObject
  sign(bytes: Uint8Array): Uint8Array
  /** Keyed hash for values that may be guessed (call keys, conversation ids); stable for this key. */
  blind(label: string, value: string): string
}

/**
 * A receipt key whose private part is elsewhere: in a KMS, an HSM, another process. What it answers is verified under `publicJwk`
 * before it is believed, and waited for no longer than `receipts.deadlineMs`.
 */
export interface RemoteSigner {
  /** The public key (RFC 7517): Ed25519 or P-256. Whoever verifies the receipts trusts this one. */
  readonly publicJwk: JsonObject
  /** Checked against the key where it is said: `Ed25519` or `ES256`. */
  readonly alg?: 'Ed25519' | 'ES256'
  /** Checked against the key where it is said: its RFC 7638 thumbprint. A provider's own name of a key is none. */
  readonly kid?: string
  /**
   * Signs these bytes: Ed25519 (RFC 8032, not prehashed), or ECDSA over their SHA-256 as r ‖ s, 64 bytes (RFC 7518 §3.4), not DER.
   *
   * @param options `signal` is aborted when nobody waits any more
   */
  sign(bytes: Uint8Array, options: { readonly signal: AbortSignal }): Promise<Uint8Array>
}

/** The key of a gate, wherever it is. */
export interface ReceiptSigner extends Omit<Signer, 'sign'> {
  /** @throws HoldpointError ERR_SIGNER (as a rejection) when there is no signature that verifies in time */
  sign(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>
}

// ── Effects ───────────────────────────────────────────────────────────────────────────────────────

/** Time enters as an argument. */
export interface Clock {
  /** Wall clock, ms since epoch. */
  now(): number
  /** Monotonic clock, ms, for budgets and permit ages. */
  monotonic(): number
}

export type RandomBytes = (length: number) => Uint8Array

// ── Events ────────────────────────────────────────────────────────────────────────────────────────

/** What happened, for logs and metrics. Never arguments, never signatures. */
export type GateEvent =
  | {
      readonly event: 'gate-opened'
      readonly mode: 'enforce' | 'observe'
      readonly policy: string
      readonly store: string
    }
  | {
      readonly event: 'decision-made'
      readonly tool: string
      readonly materiality: Materiality
      readonly surface: Surface
      readonly decision: Decision['kind']
      readonly enforced: boolean
      readonly code?: RefusalCode
      readonly receipt?: string
      readonly principal: string
      readonly conversation?: string
      readonly trace: string
      readonly ms: number
    }
  | {
      readonly event: 'call-settled'
      readonly tool: string
      readonly status: OutcomeStatus
      readonly receipt?: string
      readonly decision: string
      readonly ms: number
    }
  /** A permit of a process that died was ended at start; `unknown`: nobody can say whether the call ran. */
  | { readonly event: 'outcome-recovered'; readonly status: 'unknown' | 'not_executed'; readonly receipt?: string }
  | { readonly event: 'failure-opened'; readonly tool: string; readonly fault: string; readonly receipt: string }
  /** A medium call ran during an outage on a signed override. */
  | {
      readonly event: 'override-used'
      readonly override: string
      readonly tool: string
      readonly reason: string
      readonly ticket: string
      /** This use among the most that it may have, from 1. */
      readonly use: number
      readonly most: number
      readonly receipt: string
    }
  /** A policy point's breaker went from one state to another. */
  | {
      readonly event: 'breaker-moved'
      readonly point: string
      readonly from: BreakerState
      readonly to: BreakerState
      readonly because: string
    }
  | {
      readonly event: 'canary-judged'
      readonly point: string
      readonly result: CanaryResult['kind']
      readonly message: string
    }
  /** A policy point's answer is none. `detail` is for the operator, and says nothing of a call's arguments. */
  | {
      readonly event: 'answer-rejected'
      readonly point: string
      readonly fault: 'malformed' | 'misconfigured'
      readonly detail: string
    }
  /** A word against the call came after it had been decided without that point. */
  | { readonly event: 'verdict-late'; readonly point: string; readonly tool: string }
  | { readonly event: 'call-held'; readonly tool: string; readonly materiality: Materiality; readonly waitMs: number }
  | {
      readonly event: 'call-released'
      readonly tool: string
      readonly because: 'again' | 'expired' | 'cancelled'
      readonly heldMs: number
    }
  /** A call that was already claimed, or a key used for another call, came again. */
  | { readonly event: 'replay-detected'; readonly tool: string; readonly code: RefusalCode }
  | { readonly event: 'approval-requested'; readonly tool: string; readonly ref: string; readonly requires: string }
  | {
      readonly event: 'approval-answered'
      readonly ref: string
      readonly answer: 'approved' | 'declined'
      readonly channel: Channel
    }
  | { readonly event: 'receipt-failed'; readonly kind: ReceiptKind; readonly code: string; readonly message: string }
  /** A third party's tool is not as it was pinned, or is new: its calls are refused until a person accepts it. Once per change. */
  | { readonly event: 'tool-quarantined'; readonly server: string; readonly tool: string; readonly kind: Quarantine }
  /** The log's tree over so many receipts was signed; so many of its witnesses have seen it already. */
  | {
      readonly event: 'checkpoint-signed'
      readonly size: number
      readonly cosigned: number
      readonly witnesses: number
    }
  /**
   * No checkpoint can be made, or too few witnesses see it: what is newer can be cut off without a trace. Said once for each
   * reason. Calls go on.
   */
  | { readonly event: 'log-stalled'; readonly lacks: 'checkpoint' | 'witnesses'; readonly because: string }
  | { readonly event: 'log-resumed'; readonly size: number }
  | { readonly event: 'policy-misfitted'; readonly server: string; readonly misfits: readonly PolicyMisfit[] }
  | { readonly event: 'programmer-warned'; readonly code: string; readonly message: string }

export type EventSink = (event: GateEvent) => void

// ── The gate ──────────────────────────────────────────────────────────────────────────────────────

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
  /** Synchronous; the tool must be called with `input`, in the same turn. */
  begin(): Begun
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
  | { readonly outcome: 'ran'; readonly result: T; readonly receipts: readonly Receipt[]; readonly failedOpen: boolean }
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
}

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
  /** Records the principal's own answer to a request, from the host's authenticated channel. */
  answer(
    ref: string,
    answer: 'approved' | 'declined',
    options?: { readonly by?: string; readonly channel?: Channel },
  ): Promise<boolean>
  /** The live request for this exact call in this scope, if any. A pointer for hosts that resume; never evidence. */
  requestFor(call: Call): Promise<ApprovalRecord | undefined>
  /** Marks the use of a tool that cannot be gated; `because` says why it runs outside, and stands in the receipt's `note`. */
  markUngated(call: Pick<Call, 'tool' | 'server' | 'callId'>, because: string): Promise<Receipt | undefined>
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
