import { encodeBase64url } from '../bytes/base64url.ts'
import { HoldpointError } from '../errors.ts'
import type {
  Claim,
  Clock,
  Committed,
  RandomBytes,
  Receipt,
  ReceiptSigner,
  ReceiptStore,
  Settlement,
  Sidecar,
} from '../types.ts'
import type { DraftClaims, OpenDraft, Unchained } from './claims.ts'
import { type LastReceipt, type Link, linkOf, type Said } from './link.ts'
import { draftReceipt, signingInput, withSignature } from './sign.ts'

const STREAM_BYTES = 16
/** How long a store may take before its answer counts as lost. */
const DEFAULT_DEADLINE_MS = 10_000
/** A receipt is carried into one new stream when its own was given up, and not into a second. */
const MOST_STREAMS = 2

/** How often a receipt is signed anew because one before it could not be. */
const MOST_SIGNINGS = 4

/** How one attempt to write ended. */
type Attempt<T> =
  | { readonly outcome: 'done'; readonly answer: T; readonly receipt: Receipt }
  | { readonly outcome: 'discontinuous' }

/**
 * The contiguous chain of one gate process.
 *
 * Receipts take the next place on the caller's turn and are handed to the store in that order, so that signing overlaps with the
 * store's group commit. A key that is elsewhere signs many at once: a place rests on the payload before it, not on its signature.
 * Four things can go wrong with a place:
 * - there is no signature: nothing was written, and the head steps back as below;
 * - nothing was written (the key was taken, the session moved): the head steps back to the receipt before it. Later
 *   receipts that were signed on top come back `discontinuous` and are signed again, in order;
 * - nobody knows whether it was written: the stream is given up where it stands and a new one begins, whose `open` receipt
 *   names the last acknowledged receipt. Whatever the store did hold of the old stream is still contiguous;
 * - the store refuses a receipt that follows an acknowledged one: it is no longer the store we wrote to, and the stream is
 *   given up too.
 *
 * INVARIANT I6: what this class has acknowledged stays a contiguous run of its stream, whatever the store answers.
 */
export class Chain {
  readonly #signer: ReceiptSigner
  readonly #store: ReceiptStore
  readonly #clock: Clock
  readonly #issuer: string
  readonly #random: RandomBytes
  readonly #deadlineMs: number
  #openDraft: OpenDraft | undefined
  /** The stream that new receipts join; `undefined` before the first and after one was given up. */
  #stream: string | undefined
  #head: Link | undefined
  #acknowledged: LastReceipt | undefined

  constructor(parts: {
    readonly signer: ReceiptSigner
    readonly store: ReceiptStore
    readonly clock: Clock
    /** The gate's own name: `iss` of every receipt. */
    readonly issuer: string
    readonly random: RandomBytes
    readonly deadlineMs?: number
  }) {
    this.#signer = parts.signer
    this.#store = parts.store
    this.#clock = parts.clock
    this.#issuer = parts.issuer
    this.#random = parts.random
    this.#deadlineMs = parts.deadlineMs ?? DEFAULT_DEADLINE_MS
  }

  /**
   * Begins a stream and keeps the draft for the streams that follow if this one is ever given up.
   *
   * @throws HoldpointError ERR_STORE when the `open` receipt may not be durable
   */
  async open(draft: OpenDraft, last?: LastReceipt): Promise<Receipt> {
    this.#openDraft = draft
    this.#acknowledged = last
    return await this.#begin(draft)
  }

  /** Writes a receipt that claims nothing. @throws HoldpointError ERR_STORE when it may not be durable */
  async append(draft: Said, beside?: { readonly settles?: Settlement; readonly sidecar?: Sidecar }): Promise<Receipt> {
    const { receipt } = await this.#write(draft, (signed) => this.#store.append(signed, beside))
    return receipt
  }

  /**
   * Writes a decision and claims its call key, in one transaction of the store. There is a receipt exactly when the answer
   * is `claimed`; with any other answer nothing was written.
   *
   * @throws HoldpointError ERR_STORE when nobody knows whether both are durable
   */
  async commit(
    draft: DraftClaims,
    claim: Claim,
    sidecar?: Sidecar,
  ): Promise<{ readonly receipt?: Receipt; readonly committed: Committed }> {
    const { receipt, answer } = await this.#write(draft, (signed) => this.#store.commitDecision(signed, claim, sidecar))
    return answer.outcome === 'claimed' ? { receipt, committed: answer } : { committed: answer }
  }

  async #write<T extends { readonly outcome: string }>(
    draft: Said,
    send: (receipt: Receipt) => Promise<T>,
  ): Promise<{ readonly receipt: Receipt; readonly answer: T }> {
    let streams = 0
    let stream: string | undefined
    for (let signings = 0; ; ) {
      this.#ensureStream()
      if (this.#stream !== stream) {
        stream = this.#stream
        streams += 1
      }
      if (streams > MOST_STREAMS)
        throw new HoldpointError('ERR_STORE', 'the store keeps losing the place of new receipts')
      const link = this.#sign(this.#stream ?? '', this.#head, draft)
      const below = link.before
      const attempt = await this.#attempt(link, send)
      if (attempt.outcome === 'done') return { receipt: attempt.receipt, answer: attempt.answer }
      if (below?.unsigned === undefined) continue
      signings += 1
      // A stream that nobody signed the beginning of has nothing on top of it.
      if (below.receipt.seq === 0 || signings === MOST_SIGNINGS) throw below.unsigned
    }
  }

  /** Hands one link to the store and settles its fate. */
  async #attempt<T extends { readonly outcome: string }>(
    link: Link,
    send: (receipt: Receipt) => Promise<T>,
  ): Promise<Attempt<T>> {
    const { before } = link
    let receipt: Receipt
    if (link.signature instanceof Promise) {
      const signature = await this.#signatureOf(link, link.signature)
      if (before?.fate === 'pending') await before.handed
      if (before?.fate === 'unwritten' || before?.fate === 'unknown') {
        this.#stepBack(link)
        return { outcome: 'discontinuous' }
      }
      receipt = withSignature(link.receipt, signature)
    } else receipt = withSignature(link.receipt, link.signature)
    let answer: T
    try {
      const sent = send(receipt)
      link.hand()
      answer = await within(sent, this.#deadlineMs)
    } catch (cause) {
      this.#lose(link)
      if (cause instanceof HoldpointError) throw cause
      throw new HoldpointError('ERR_STORE', 'the store failed, and it is not known whether the receipt is durable', {
        cause,
      })
    }
    if (answer.outcome === 'stored' || answer.outcome === 'claimed') {
      this.#acknowledge(link)
      return { outcome: 'done', answer, receipt }
    }
    this.#stepBack(link)
    if (answer.outcome !== 'discontinuous') return { outcome: 'done', answer, receipt }
    // Signed on top of a receipt that is not certain yet: its own turn comes when that one's fate is known.
    if (before?.fate === 'pending') await before.decided
    if (before === undefined || before.fate === 'durable') this.#giveUp(link.receipt.stream)
    return { outcome: 'discontinuous' }
  }

  /** INVARIANT I6: what has no signature was never handed over, so its place is free. */
  async #signatureOf(link: Link, signature: Promise<Uint8Array>): Promise<Uint8Array> {
    try {
      return await signature
    } catch (cause) {
      link.unsigned =
        cause instanceof HoldpointError
          ? cause
          : new HoldpointError('ERR_SIGNER', 'the signer of receipts failed', { cause })
      if (link.receipt.seq === 0) this.#giveUp(link.receipt.stream)
      this.#stepBack(link)
      throw link.unsigned
    }
  }

  #acknowledge(link: Link): void {
    link.fate = 'durable'
    link.before = undefined
    const { stream, seq, hash } = link.receipt
    const newest = this.#acknowledged
    if (newest === undefined || newest.stream !== stream || newest.seq < seq) this.#acknowledged = { stream, seq, hash }
    link.decide()
  }

  /** INVARIANT: nothing at this link's place is durable, so the head may stand on the receipt before it. */
  #stepBack(link: Link): void {
    link.fate = 'unwritten'
    for (let above = this.#head; above !== undefined; above = above.before) {
      if (above !== link) continue
      this.#head = link.before
      break
    }
    link.hand()
    link.decide()
  }

  #lose(link: Link): void {
    link.fate = 'unknown'
    this.#giveUp(link.receipt.stream)
    link.hand()
    link.decide()
  }

  #giveUp(stream: string): void {
    if (this.#stream !== stream) return
    this.#stream = undefined
    this.#head = undefined
  }

  /** Begins the next stream when the last was given up. Its `open` receipt goes first; nobody waits for it here. */
  #ensureStream(): void {
    if (this.#stream !== undefined) return
    if (this.#openDraft === undefined) throw new HoldpointError('ERR_CLOSED', 'the receipt chain was not opened')
    // A failed `open` gives its stream up; whoever stands on it learns that from its own answer.
    this.#begin(this.#openDraft).catch(() => undefined)
  }

  async #begin(draft: OpenDraft): Promise<Receipt> {
    const stream = encodeBase64url(this.#random(STREAM_BYTES))
    const last = this.#acknowledged
    const link = this.#sign(stream, undefined, {
      ...draft,
      kid: this.#signer.kid,
      ...(last === undefined ? {} : { last }),
    })
    this.#stream = stream
    const attempt = await this.#attempt(link, (receipt) => this.#store.append(receipt))
    if (attempt.outcome === 'done') return attempt.receipt
    throw new HoldpointError('ERR_STORE', 'the store refused to begin a stream of receipts')
  }

  /** Takes the next place, synchronously, moves the head there, and has it signed. */
  #sign(stream: string, before: Link | undefined, draft: Unchained | Said): Link {
    const iss = this.#issuer
    const seq = before === undefined ? 0 : before.receipt.seq + 1
    const said = typeof draft === 'function' ? draft({ iss, stream, seq, kid: this.#signer.kid }) : draft
    const receipt = draftReceipt(this.#signer, {
      ...said,
      v: 1,
      iss,
      stream,
      seq,
      ...(before === undefined ? {} : { prev: before.receipt.hash }),
      ts: Math.round(this.#clock.now()),
      mono: Math.round(this.#clock.monotonic() * 1_000),
    })
    const link = linkOf(receipt, this.#signer.sign(signingInput(receipt)), before)
    this.#head = link
    return link
  }
}

/** Waits no longer than `ms`. A late answer is nobody's: the stream was given up by then. */
function within<T>(work: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new HoldpointError('ERR_STORE', `the store did not answer within ${ms} ms`))
    const timer = setTimeout(late, ms)
    const settled =
      <V>(settle: (value: V) => void) =>
      (value: V) => {
        clearTimeout(timer)
        settle(value)
      }
    work.then(settled(resolve), settled(reject))
  })
}
