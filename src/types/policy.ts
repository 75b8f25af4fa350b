/** Whatever answers, and what its policies say. */
import type { Constraint, EvaluationRequest } from './decision.ts'
import type { JsonSchema } from './json.ts'
import type { ToolDefinition } from './tool.ts'

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
  /** How many persons in the role; one unless said. */
  readonly quorum?: number
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
