import type { ApprovalAnswer, ApprovalRecord, ApprovalRequest, ApprovalState } from '../types.ts'

/** How long an ended request can still be looked up; its receipts say for good who answered. */
export const REMEMBERED_MS = 7 * 24 * 60 * 60_000
/** Most requests that a store keeps. Beyond it the oldest are forgotten, and one that is forgotten is never a yes. */
export const MOST_REMEMBERED = 10_000
/** How much text of arguments they hold together. */
export const MOST_CHARACTERS = 64 * 1_048_576

/** Requests for a person's yes, in memory, and who is there to answer. */
export class Approvals {
  readonly #records = new Map<string, ApprovalRecord>()
  /** The newest reference of each request digest. */
  readonly #newest = new Map<string, string>()
  #characters = 0
  readonly #watchers = new Map<string, number>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  request(request: ApprovalRequest): ApprovalRecord {
    const known = this.find(request.requestDigest)
    if (known !== undefined && isLive(known.state)) return known
    this.#forget()
    const record: ApprovalRecord = { ...request, state: 'pending' }
    this.#records.set(request.ref, record)
    this.#characters += request.argumentsText.length
    this.#newest.set(request.requestDigest, request.ref)
    return this.#current(record)
  }

  find(requestDigest: string): ApprovalRecord | undefined {
    const ref = this.#newest.get(requestDigest)
    return ref === undefined ? undefined : this.get(ref)
  }

  get(ref: string): ApprovalRecord | undefined {
    const record = this.#records.get(ref)
    return record === undefined ? undefined : this.#current(record)
  }

  pending(): readonly ApprovalRecord[] {
    return [...this.#records.values()].map((record) => this.#current(record)).filter(({ state }) => state === 'pending')
  }

  answer(ref: string, answer: ApprovalAnswer): boolean {
    const record = this.get(ref)
    if (record?.state !== 'pending') return false
    this.#records.set(ref, { ...record, state: answer.answer, answered: answer })
    return true
  }

  isSpendable(ref: string): boolean {
    return this.get(ref)?.state === 'approved'
  }

  spend(ref: string): void {
    const record = this.#records.get(ref)
    if (record !== undefined) this.#records.set(ref, { ...record, state: 'spent' })
  }

  attend(watcher: string, until: number): void {
    this.#watchers.set(watcher, until)
  }

  attended(): boolean {
    const now = this.#now()
    for (const [watcher, until] of this.#watchers) {
      if (until > now) return true
      this.#watchers.delete(watcher)
    }
    return false
  }

  /** Makes room for one more. Records stand in the order in which they were asked for, so the old ones come first. */
  #forget(): void {
    const now = this.#now()
    for (const { ref, requestDigest, expiresAt, argumentsText } of this.#records.values()) {
      const hasRoom = this.#records.size < MOST_REMEMBERED && this.#characters < MOST_CHARACTERS
      if (hasRoom && !isForgotten(expiresAt, now)) return
      this.#records.delete(ref)
      this.#characters -= argumentsText.length
      if (this.#newest.get(requestDigest) === ref) this.#newest.delete(requestDigest)
    }
  }

  /** Once seen to have expired, a request has for good: a clock that is put back does not bring its yes to life. */
  #current(record: ApprovalRecord): ApprovalRecord {
    const state = stateAt(record.state, record.expiresAt, this.#now())
    if (state === record.state) return record
    const current = { ...record, state }
    if (this.#records.has(record.ref)) this.#records.set(record.ref, current)
    return current
  }
}

/** Can a request in this state still lead anywhere? Expired and spent ones make room for a new request. */
export function isLive(state: ApprovalState): boolean {
  return state === 'pending' || state === 'approved' || state === 'declined'
}

/** The state at a moment: whatever is still live ends when its time is over. */
export function stateAt(state: ApprovalState, expiresAt: number, now: number): ApprovalState {
  return isLive(state) && expiresAt <= now ? 'expired' : state
}

function isForgotten(expiresAt: number, now: number): boolean {
  return expiresAt + REMEMBERED_MS <= now
}
