/** What a policy is asked, and what comes of it. */
import type { DerivedFacts } from './call.ts'
import type { Json, JsonObject } from './json.ts'
import type { Materiality, Surface } from './materiality.ts'
import type { SessionFacts } from './session.ts'

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
  /** How many persons in the role said yes, where it was more than one. */
  readonly quorum?: number
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
  /**
   * A permit applies once a person says yes; `requires` is `confirmation` or `approval:<role>`, and `quorum` how many persons in
   * the role it takes, where it is more than one. `obligations` are those of that permit, where they can be known before.
   */
  | {
      readonly kind: 'requestable'
      readonly requires: string
      readonly quorum?: number
      readonly obligations?: readonly Obligation[]
    }
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

/** The fail mode by materiality: only low may open (I5). */
export interface FailModes {
  readonly low: 'closed' | 'open'
  readonly medium: 'closed'
  readonly high: 'closed'
}
