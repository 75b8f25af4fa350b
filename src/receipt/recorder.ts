import { HoldpointError } from '../errors.ts'
import type {
  Claim,
  Clock,
  Committed,
  EventSink,
  GateEvent,
  Receipt,
  ReceiptKind,
  Settlement,
  Sidecar,
  Signer,
  Store,
  When,
} from '../types.ts'
import type { Chain } from './chain.ts'
import type { DecisionDraft, KeyDraft, OpenDraft, OutcomeDraft } from './claims.ts'
import type { Place } from './link.ts'
import { PendingWrites, type Schedule } from './pending-writes.ts'
import { keyAddition, keyRetirement } from './succession.ts'

/** How long a failed opening is remembered before the next call tries again. */
const REOPEN_MS = 1_000

/**
 * The gate's pen: opens the store once, writes receipts in chain order, and reports what could not be written.
 *
 * `commit` rejects when nothing is known to be durable: the gate turns that into a refusal. The other writes never reject,
 * because the call they speak of has already been refused or has already run.
 */
export class Recorder {
  readonly #store: Store
  readonly #chain: Chain
  readonly #clock: Clock
  readonly #emit: EventSink
  readonly #open: OpenDraft
  readonly #pending: PendingWrites
  #opening: Promise<void> | undefined
  #failure: { readonly error: HoldpointError; readonly at: number } | undefined
  /** Writes under way: the seal comes after them. */
  readonly #writing = new Set<Promise<unknown>>()
  #isOpen = false
  #isClosed = false
  #closing: Promise<void> | undefined
  #count = 0
  #openCalls = 0

  constructor(parts: {
    readonly store: Store
    readonly chain: Chain
    readonly clock: Clock
    readonly emit: EventSink
    readonly open: OpenDraft
    readonly schedule: Schedule
  }) {
    this.#store = parts.store
    this.#chain = parts.chain
    this.#clock = parts.clock
    this.#emit = parts.emit
    this.#open = parts.open
    this.#pending = new PendingWrites(parts.schedule)
  }

  /** True once the store is open: the hot path then awaits nothing. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  /** True from the first line of `close`: nothing may begin any more, because nothing could be said of it. */
  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Opens the store and writes the `open` receipt. Concurrent callers share one opening. @throws HoldpointError ERR_STORE */
  async ready(): Promise<void> {
    if (this.#isOpen) return
    if (this.#isClosed) throw closed()
    if (this.#failure !== undefined && this.#clock.monotonic() - this.#failure.at < REOPEN_MS) throw this.#failure.error
    this.#opening ??= this.#begin()
    try {
      await this.#opening
    } catch (cause) {
      this.#failure = { error: asStoreError(cause), at: this.#clock.monotonic() }
      throw this.#failure.error
    } finally {
      this.#opening = undefined
    }
  }

  /** Writes a decision that claims nothing: a refusal, or a call that runs outside enforcement. */
  async decision(draft: DecisionDraft, sidecar?: Sidecar): Promise<Receipt | undefined> {
    const beside = sidecar === undefined ? {} : { sidecar }
    this.#pending.release()
    if (!this.#isClosed) return await this.#beforeSeal(this.#write('decision', () => this.#chain.append(draft, beside)))
    this.#failed('decision', closed())
    return undefined
  }

  /**
   * Writes a permit and claims its key in one transaction.
   *
   * @throws HoldpointError ERR_STORE when that may not have happened, ERR_CLOSED when the gate was closed before it had
   */
  async commit(
    draft: DecisionDraft,
    claim: Claim,
    sidecar?: Sidecar,
  ): Promise<{ readonly receipt?: Receipt; readonly committed: Committed }> {
    try {
      if (this.#isClosed) throw closed()
      this.#pending.release()
      return await this.#beforeSeal(this.#commit(draft, claim, sidecar))
    } catch (cause) {
      throw this.#failed('decision', cause)
    }
  }

  /** Writes how a call ended, and ends its claim; `soon`, where nobody waits for that, together with whatever is next. */
  async outcome(draft: OutcomeDraft, settles?: Settlement, when: When = 'now'): Promise<Receipt | undefined> {
    const write = async () => await this.#outcome(draft, settles)
    if (when === 'now') this.#pending.release()
    if (!this.#isClosed) return await this.#beforeSeal(when === 'now' ? write() : this.#pending.wait(write))
    this.#failed('outcome', closed())
    return undefined
  }

  /** Writes which key comes after this gate's. @throws HoldpointError ERR_KEY, ERR_STORE, ERR_CLOSED */
  async addKey(fresh: Signer): Promise<Receipt> {
    return await this.#key((place) => keyAddition(place, fresh))
  }

  /** Writes that another key signs no more. @throws HoldpointError ERR_KEY, ERR_STORE, ERR_CLOSED */
  async retireKey(kid: string): Promise<Receipt> {
    return await this.#key((place) => keyRetirement(place, kid))
  }

  /** Rejects when the receipt may not be durable: whoever rotates goes no further then. */
  async #key(draft: (place: Place) => KeyDraft): Promise<Receipt> {
    await this.ready()
    if (this.#isClosed) throw closed()
    try {
      const receipt = await this.#beforeSeal(this.#chain.append(draft))
      this.#count += 1
      return receipt
    } catch (cause) {
      if (cause instanceof HoldpointError && cause.code === 'ERR_KEY') throw cause
      throw this.#failed('key', cause)
    }
  }

  async #commit(
    draft: DecisionDraft,
    claim: Claim,
    sidecar: Sidecar | undefined,
  ): Promise<{ readonly receipt?: Receipt; readonly committed: Committed }> {
    const written = await this.#chain.commit(draft, claim, sidecar)
    if (written.committed.outcome !== 'claimed') return written
    this.#count += 1
    this.#openCalls += 1
    if (!this.#isClosed || written.receipt === undefined) return written
    // Nobody has this permit yet, so its key is free again before the seal.
    const end = { decision: written.receipt.hash, status: 'not_executed' } as const
    await this.#outcome({ kind: 'outcome', ...end }, end)
    throw closed()
  }

  async #outcome(draft: OutcomeDraft, settles?: Settlement): Promise<Receipt | undefined> {
    const receipt = await this.#write('outcome', () =>
      this.#chain.append(draft, settles === undefined ? {} : { settles }),
    )
    // Another process's permit was never counted here.
    if (receipt !== undefined && settles !== undefined && settles.callKey === undefined) this.#openCalls -= 1
    return receipt
  }

  /** Lets what is under way be written, seals the stream and closes the store. A second call waits for the first. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#pending.release()
    this.#closing ??= this.#seal()
    await this.#closing
  }

  /** INVARIANT I6: the seal is the last receipt of its stream. */
  async #seal(): Promise<void> {
    await this.#opening?.catch(() => undefined)
    if (!this.#isOpen) {
      // An opening that failed half way may have a place in the store, which others wait for.
      if (this.#failure !== undefined) await this.#store.close().catch(() => undefined)
      return
    }
    this.#isOpen = false
    await Promise.allSettled(this.#writing)
    await this.#write('seal', () =>
      this.#chain.append({
        kind: 'seal',
        count: this.#count,
        open_calls: this.#openCalls,
        status: this.#openCalls === 0 ? 'complete' : 'interrupted',
      }),
    )
    await this.#store.close()
  }

  async #beforeSeal<T>(writing: Promise<T>): Promise<T> {
    this.#writing.add(writing)
    try {
      return await writing
    } finally {
      this.#writing.delete(writing)
    }
  }

  async #begin(): Promise<void> {
    if (this.#open.until !== undefined && this.#failure === undefined) this.#emit(observing(this.#open.until))
    const opening = await this.#store.open()
    await this.#chain.open(this.#open, opening.last)
    this.#count += 1
    this.#isOpen = true
    this.#emit({ event: 'gate-opened', mode: this.#open.mode, policy: this.#open.policy, store: opening.place })
    // What a dead process left open is ours to end, so it counts as open here until it has ended.
    this.#openCalls += opening.stranded.length
    for (const { decision, status } of opening.stranded) {
      const ended = { kind: 'outcome', decision, status, recovered: true } as const
      const receipt = await this.#outcome(ended, { decision, status })
      this.#emit({ event: 'outcome-recovered', status, ...(receipt === undefined ? {} : { receipt: receipt.id }) })
    }
  }

  async #write(kind: ReceiptKind, write: () => Promise<Receipt>): Promise<Receipt | undefined> {
    try {
      const receipt = await write()
      this.#count += 1
      return receipt
    } catch (cause) {
      this.#failed(kind, cause)
      return undefined
    }
  }

  #failed(kind: ReceiptKind, cause: unknown): HoldpointError {
    const error = asStoreError(cause)
    this.#emit({ event: 'receipt-failed', kind, code: error.code, message: error.message })
    return error
  }
}

/** Who listens hears of a gate that holds nothing back, whether or not its store opens. */
function observing(until: number): GateEvent {
  const message = `This gate protects nothing: until ${new Date(until).toISOString()} it observes, so calls that policies refuse run all the same.`
  return { event: 'programmer-warned', code: 'observing', message }
}

function closed(): HoldpointError {
  return new HoldpointError('ERR_CLOSED', 'the gate was closed')
}

function asStoreError(cause: unknown): HoldpointError {
  return cause instanceof HoldpointError
    ? cause
    : new HoldpointError('ERR_STORE', 'the receipt store failed', { cause })
}
