/** What a log's thread and its gate say to one another. */
import type { WitnessReport } from '../log/witnesses.ts'

/** To the thread. */
export interface KeeperOrder {
  /** Makes a last step where the lease can be had, gives it back, and ends. */
  readonly do: 'close'
}

/** From the thread. */
export type KeeperNews =
  /** Another process takes the log forward, and had published so many leaves. */
  | ({ readonly news: 'waiting'; readonly size: number } & Counted)
  | ({
      readonly news: 'stepped'
      readonly size: number
      /** When the head was signed, ms since epoch. */
      readonly signedAt: number | undefined
      readonly signed: boolean
      readonly quorum: 'met' | 'missed' | 'none'
      readonly witnesses: readonly WitnessReport[]
      /** Slots whose receipts were exchanged. */
      readonly changed: readonly number[]
    } & Counted)
  | ({ readonly news: 'failed'; readonly why: string } & Counted)
  | { readonly news: 'closed' }

interface Counted {
  /** Receipts that the store has; `undefined` where they cannot be counted. */
  readonly receipts: number | undefined
}
