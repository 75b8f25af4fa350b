/** What a log's thread and its gate say to one another. */
import type { WitnessReport } from '../log/witnesses.ts'

/** To the thread. */
export interface KeeperOrder {
  /** Makes a last step where the lease can be had, gives it back, and ends. */
  readonly do: 'close'
}

/** From the thread. */
export type KeeperNews =
  /** Another process takes the log forward. */
  | { readonly news: 'waiting' }
  | {
      readonly news: 'stepped'
      readonly size: number
      readonly signed: boolean
      readonly quorum: 'met' | 'missed' | 'none'
      readonly witnesses: readonly WitnessReport[]
      /** Slots whose receipts were exchanged. */
      readonly changed: readonly number[]
    }
  | { readonly news: 'failed'; readonly why: string }
  | { readonly news: 'closed' }
