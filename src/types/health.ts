/** How a gate is doing. */
import type { CanaryResult } from './policy.ts'

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
