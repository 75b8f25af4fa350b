import { sha256 } from '../bytes/digest.ts'
import { personKey } from '../bytes/person.ts'
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
  /** What was declined, by digest: kept for good, without the arguments. */
  readonly #declined = new Map<string, ApprovalRecord>()
  /** By `subjectOf`, the reference that was approved last. */
  readonly #approved = new Map<string, string>()
  #characters = 0
  readonly #watchers = new Map<string, number>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  request(request: ApprovalRequest): ApprovalRecord {
    const known = this.find(request.requestDigest)
    if (known !== undefined && stands(known, request)) return known
    if (known !== undefined && isLive(known.state)) this.#records.set(known.ref, { ...known, state: 'expired' })
    this.#forget()
    const previous = this.#records.get(this.#approved.get(subjectOf(request)) ?? '')
    const record: ApprovalRecord = { ...following(request, previous), state: 'pending', answers: [] }
    this.#records.set(request.ref, record)
    this.#characters += charactersOf(record)
    this.#newest.set(request.requestDigest, request.ref)
    return this.#current(record)
  }

  find(requestDigest: string): ApprovalRecord | undefined {
    const ref = this.#newest.get(requestDigest)
    return ref === undefined ? this.#declined.get(requestDigest) : this.get(ref)
  }

  get(ref: string): ApprovalRecord | undefined {
    const record = this.#records.get(ref)
    if (record !== undefined) return this.#current(record)
    for (const declined of this.#declined.values()) if (declined.ref === ref) return declined
    return undefined
  }

  pending(): readonly ApprovalRecord[] {
    return [...this.#records.values()].map((record) => this.#current(record)).filter(({ state }) => state === 'pending')
  }

  answer(ref: string, answer: ApprovalAnswer): boolean {
    const record = this.get(ref)
    const next = record === undefined ? undefined : answeredWith(record, answer)
    if (record === undefined || next === undefined) return false
    const now = { ...record, ...next }
    this.#records.set(ref, now)
    if (next.state === 'declined') this.#declined.set(record.requestDigest, withoutArguments(now))
    if (next.state === 'approved') this.#approved.set(subjectOf(record), ref)
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
    for (const record of this.#records.values()) {
      const { ref, requestDigest, expiresAt } = record
      const hasRoom = this.#records.size < MOST_REMEMBERED && this.#characters < MOST_CHARACTERS
      if (hasRoom && !isForgotten(expiresAt, now)) return
      this.#records.delete(ref)
      this.#characters -= charactersOf(record)
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

/** The state at a moment: what waits for an answer or for its use ends when its time is over. A no has no end. */
export function stateAt(state: ApprovalState, expiresAt: number, now: number): ApprovalState {
  return (state === 'pending' || state === 'approved') && expiresAt <= now ? 'expired' : state
}

/** Is there no other to be opened? A no stands for good; whatever else is live does so with the same question. */
export function stands({ state, shown }: ApprovalRecord, asked: ApprovalRequest): boolean {
  return state === 'declined' || (isLive(state) && shown === asked.shown)
}

/**
 * What one more answer makes of a request; `undefined` where it takes none.
 *
 * INVARIANT I4: persons are counted, not answers: whoever has said yes is not a second person. One no ends it, for good.
 */
export function answeredWith(
  { state, answers, quorum }: ApprovalRecord,
  answer: ApprovalAnswer,
): Pick<ApprovalRecord, 'state' | 'answers'> | undefined {
  const all = [...answers, answer]
  if (answer.answer === 'declined')
    return state === 'pending' || state === 'approved' ? { state: 'declined', answers: all } : undefined
  if (state !== 'pending' || answers.some(({ by }) => personKey(by) === personKey(answer.by))) return undefined
  return { state: all.length >= quorum ? 'approved' : 'pending', answers: all }
}

/** Whose calls of which tool a request is compared with. */
export function subjectOf({ tool, principal }: ApprovalRequest): string {
  return sha256(JSON.stringify([tool, principal.type, principal.id, principal.tenant ?? null]))
}

/** The request beside what was approved before it. */
export function following(
  { previousText: _, ...request }: ApprovalRequest,
  previous: ApprovalRequest | undefined,
): ApprovalRequest {
  return previous === undefined ? request : { ...request, previousText: previous.argumentsText }
}

/** What is kept of a no for good: who said it to what, and nothing that was in the call. */
export function withoutArguments<T extends ApprovalRequest>({ previousText: _, ...request }: T): T {
  return { ...request, argumentsText: '', question: '' } as unknown as T
}

function charactersOf({ argumentsText, previousText, question }: ApprovalRequest): number {
  return argumentsText.length + (previousText?.length ?? 0) + question.length
}

function isForgotten(expiresAt: number, now: number): boolean {
  return expiresAt + REMEMBERED_MS <= now
}
