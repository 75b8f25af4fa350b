import type {
  ApprovalAnswer,
  ApprovalRecord,
  ApprovalRequest,
  Claim,
  Committed,
  Holder,
  Receipt,
  SessionKeys,
  SessionReading,
  Settlement,
  Sidecar,
  StoreOpening,
} from '../types.ts'

/**
 * What the store asks of its worker. Every work carries the caller's clock, so that the worker has none of its own.
 */
export type Work =
  | { readonly do: 'open'; readonly slot?: number; readonly now: number }
  | { readonly do: 'append'; readonly receipt: Receipt; readonly settles?: Settlement; readonly sidecar?: Sidecar }
  | {
      readonly do: 'commit'
      readonly receipt: Receipt
      readonly claim: Claim
      readonly sidecar?: Sidecar
      readonly now: number
    }
  | { readonly do: 'holder'; readonly callKey: string }
  | { readonly do: 'read'; readonly session: SessionKeys; readonly now: number }
  | { readonly do: 'request'; readonly request: ApprovalRequest; readonly now: number }
  | { readonly do: 'find'; readonly digest: string; readonly now: number }
  | { readonly do: 'get'; readonly ref: string; readonly now: number }
  | { readonly do: 'pending'; readonly now: number }
  | { readonly do: 'answer'; readonly ref: string; readonly answer: ApprovalAnswer; readonly now: number }
  | { readonly do: 'attended'; readonly now: number }
  | { readonly do: 'attend'; readonly watcher: string; readonly until: number }
  | { readonly do: 'slots' }
  | { readonly do: 'page'; readonly slot: number; readonly after: number; readonly most: number }
  | { readonly do: 'sidecar'; readonly hash: string }
  | { readonly do: 'kept'; readonly hashes: readonly string[] }
  | { readonly do: 'override-uses'; readonly id: string }
  | { readonly do: 'close' }

/** Some receipts of one slot, and where the next page begins. */
export interface Page {
  readonly receipts: readonly Receipt[]
  readonly last: number
}

/** A receipt with what stands beside it. */
export interface Kept {
  readonly receipt: Receipt
  readonly sidecar?: Sidecar
}

/** The answer to each kind of work. */
export interface Answers {
  readonly open: StoreOpening & { readonly slot: number }
  readonly append: { readonly outcome: 'stored' | 'discontinuous' }
  readonly commit: Committed
  readonly holder: Holder | undefined
  readonly read: SessionReading
  readonly request: ApprovalRecord
  readonly find: ApprovalRecord | undefined
  readonly get: ApprovalRecord | undefined
  readonly pending: readonly ApprovalRecord[]
  readonly answer: boolean
  readonly attended: boolean
  readonly attend: undefined
  readonly slots: readonly number[]
  readonly page: Page
  readonly sidecar: Sidecar | undefined
  readonly kept: readonly Kept[]
  readonly 'override-uses': number
  readonly close: undefined
}

export type WorkKind = Work['do']
export type Answer = Answers[WorkKind]

/** Some work with the id that its reply carries. */
export interface Job {
  readonly id: number
  readonly work: Work
}

export type Reply =
  | { readonly id: number; readonly ok: true; readonly answer: Answer }
  | { readonly id: number; readonly ok: false; readonly message: string }

/** Does a job; what it throws is its reply. */
export function answered(id: number, work: () => Answer): Reply {
  try {
    return { id, ok: true, answer: work() }
  } catch (cause) {
    return failed(id, cause)
  }
}

/** The replies to jobs that share one failure. */
export function allFailed(jobs: readonly Job[], cause: unknown): readonly Reply[] {
  return jobs.map(({ id }) => failed(id, cause))
}

function failed(id: number, cause: unknown): Reply {
  return { id, ok: false, message: cause instanceof Error ? cause.message : 'the store failed' }
}

/** Which files a worker opens: a slot to write to, the desk where approvals are answered, or everything to read. */
export type Role = 'slot' | 'desk' | 'reader'

export interface WorkerSetup {
  readonly role: Role
  readonly folder: string
  /** How long another process's lock is waited for, ms. */
  readonly busyMs: number
}
