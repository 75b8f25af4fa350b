/** A person’s yes or no. */
import type { Materiality } from './materiality.ts'
import type { Channel } from './scope.ts'

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
