import type { AmendedCall } from './amend.ts'
import type { Limits } from './bytes/canonical.ts'
import type { Observation } from './observation.ts'
import type {
  Call,
  Classification,
  Contract,
  Decision,
  EvaluationRequest,
  FailModes,
  Json,
  Scope,
  Snapshot,
} from './types.ts'

/** What the operator set, checked once when the gate was created. */
export interface Settings {
  /** The server that calls without one belong to. */
  readonly server: string
  readonly limits: Limits
  /** The policy budget, ms. */
  readonly timeoutMs: number
  /** How long a permit may wait for `begin`, ms on the monotonic clock. */
  readonly permitTtlMs: number
  readonly failModes: FailModes
  readonly mode: { readonly kind: 'enforce' } | Observation
  /** What a low call does when its receipt cannot be written. */
  readonly onReceiptLoss: { readonly low: 'refuse' | 'run' }
  /** Keep the preimages of commitments beside the receipts, for `why` and for re-deriving decisions. */
  readonly sidecar: 'keep' | 'none'
}

/** A call as it stood when it arrived: everything that was read before the first `await`. */
export interface Arrival {
  readonly call: Call
  readonly server: string
  readonly callId: string
  /** The host had no id for this call, so the gate made one. */
  readonly minted: boolean
  readonly contract: Contract | undefined
  readonly snapshot: Snapshot | undefined
  /** The gate's own parse of the snapshot, for its checks alone: policy and tool each get another. */
  readonly input: Json | undefined
  readonly rejected: { readonly path: string; readonly because: string } | undefined
  readonly callKey: string | undefined
}

/** What the pass has worked out so far about one call; each stage fills in its own line. */
export interface Considered {
  readonly scope: Scope
  readonly arrival: Arrival
  readonly startedAt: number
  classification: Classification
  request?: EvaluationRequest
  /** The policy in force when the question was asked: what answers, permits and receipts are held to. */
  policyDigest?: string
  decision?: Decision
  decisionMs?: number
  /** A policy point that had not answered in time has spoken since, and it is no permit. */
  overruled?: boolean
  /** What obligations made of the arguments: these were decided, and these run. */
  amended?: AmendedCall
  /** It waited for a policy point to heal. */
  held?: boolean
}

/** Nothing known is high. */
export const UNCLASSIFIED: Classification = {
  materiality: 'high',
  surface: 'unknown',
  surfaces: ['unknown'],
  evidence: [{ source: 'default', argues: 'high', at: 'tool', because: 'nothing is known of this tool' }],
}

/** A member when there is a value, none otherwise. */
export function optional<K extends string, V>(name: K, value: V | undefined): { readonly [key in K]?: V } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [key in K]: V })
}
