/** What was done so far, counted and added up. */
import type { ReadLabel, Surface } from './materiality.ts'

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
