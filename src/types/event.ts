/** What happened, for logs and metrics. */
import type { Decision } from './decision.ts'
import type { BreakerState } from './health.ts'
import type { Materiality, Surface } from './materiality.ts'
import type { CanaryResult, PolicyMisfit } from './policy.ts'
import type { OutcomeStatus, ReceiptKind } from './receipt.ts'
import type { RefusalCode } from './refusal.ts'
import type { Channel } from './scope.ts'
import type { Quarantine } from './tool.ts'

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
