import { setTimeout as delay } from 'node:timers/promises'
import pTimeout from 'p-timeout'
import { HoldpointError } from '../../errors.ts'
import type { StoreOpening } from '../../types.ts'
import type { Answers, Work } from '../sqlite-messages.ts'
import { isReceipt, PostgresBook, type Reply, type Tenure } from './book.ts'
import { Leases } from './lease.ts'
import { type Backend, Session, type Source } from './session.ts'
import { textsOf, unstorable } from './texts.ts'
import { troubleOf } from './trouble.ts'

/** Most work that may wait: beyond that a caller is better refused than queued. */
const MOST_PENDING = 1_024
/** A batch takes a few locks for each receipt, and a server has some thousands for all of its sessions. */
const MOST_IN_BATCH = 64
/** Texts of a batch, characters, from which on it takes no more work. */
const MOST_CHARACTERS = 4 * 1_048_576
/** Opening makes tables, and may wait for its turn and for those who come back: it may take longer, ms. */
const OPENING_MS = 9_000
/** How soon a lost connection is tried again, ms: twice as late each time, up to the last. */
const FIRST_RETRY_MS = 50
const LAST_RETRY_MS = 250

interface Job {
  readonly work: Work
  readonly characters: number
  readonly dueAt: number
  readonly resolve: (answer: never) => void
  readonly reject: (error: HoldpointError) => void
}

/**
 * The writing side of a process: one connection that holds its slot, one batch at a time, and no caller left waiting.
 *
 * A batch that failed in any way is nobody's permit: its callers are told that nobody knows. What has not been sent yet goes on over a
 * new connection.
 */
export class Writer {
  readonly #source: Source
  readonly #deadlineMs: number
  readonly #now: () => number
  readonly #leases: Leases
  readonly #book: PostgresBook
  readonly #queue: Job[] = []
  #session: Session | undefined
  /** Who served the last session, until it is known to be gone. */
  #before: Backend | undefined
  #tenure: Tenure | undefined
  #isClosed = false
  /** One thing at a time is done over the connection. */
  #turn: Promise<unknown> = Promise.resolve()
  #isDraining = false
  #retry: ReturnType<typeof setTimeout> | undefined

  constructor(
    source: Source,
    terms: { readonly schema: string; readonly deadlineMs: number; readonly now: () => number },
  ) {
    this.#source = source
    this.#deadlineMs = terms.deadlineMs
    this.#now = terms.now
    this.#leases = new Leases(terms.schema)
    this.#book = new PostgresBook(terms.schema)
  }

  /** @throws HoldpointError ERR_STORE (as a rejection) when the work failed or nobody knows whether it was done */
  async ask<W extends Work>(work: W): Promise<Answers[W['do']]> {
    if (this.#isClosed) throw this.#error('the store was closed')
    if (isReceipt(work) && this.#tenure === undefined) throw this.#error('the store is not open')
    if (this.#queue.length >= MOST_PENDING)
      throw this.#error(`the store is overloaded: ${MOST_PENDING} requests are waiting`)
    // UNTRUSTED: a text that the database refuses must fail its own work, and no other of the batch.
    const wrong = unstorable(work)
    if (wrong !== undefined) throw this.#error(wrong)
    const answer = new Promise<Answers[W['do']]>((resolve, reject) => {
      const characters = textsOf(work).reduce((sum, text) => sum + text.length, 0)
      this.#queue.push({ work, characters, resolve, reject, dueAt: performance.now() + this.#deadlineMs })
      this.#wake()
    })
    return await this.#within(answer, this.#deadlineMs)
  }

  /** Takes a slot, and what dead processes left. */
  async open(): Promise<StoreOpening> {
    this.#isClosed = false
    return await this.#within(
      this.#inTurn(() => this.#open()),
      Math.max(this.#deadlineMs, OPENING_MS),
    )
  }

  /** Leaves the slot. What still waits is done before. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#retry)
    await this.#within(
      this.#inTurn(() => this.#close()),
      this.#deadlineMs,
    )
  }

  async #open(): Promise<StoreOpening> {
    // Opened again while it is open: what it holds is left first, as a new process would find it.
    this.#drop()
    this.#tenure = undefined
    try {
      const session = await this.#ready()
      session.allow(Math.max(this.#deadlineMs, OPENING_MS))
      const { tenure, place, last, stranded } = await this.#leases.take(session, delay)
      session.allow(this.#deadlineMs)
      this.#tenure = tenure
      this.#book.adopt(stranded)
      session.rest()
      return {
        durable: true,
        place,
        ...(last === undefined ? {} : { last }),
        stranded: [...stranded.keys()].map((decision) => ({ decision, status: 'unknown' })),
      }
    } catch (cause) {
      this.#drop()
      throw this.#failure(cause)
    }
  }

  async #close(): Promise<void> {
    try {
      if (this.#tenure !== undefined) await this.#leases.leave(await this.#ready(), this.#tenure)
    } catch (cause) {
      throw this.#failure(cause)
    } finally {
      this.#tenure = undefined
      this.#drop()
    }
  }

  #wake(): void {
    if (this.#isDraining) return
    this.#isDraining = true
    // Whatever is asked in this same turn goes along.
    void this.#inTurn(() => this.#drain()).finally(() => {
      this.#isDraining = false
      this.#session?.rest()
      if (this.#queue.length > 0) this.#wake()
    })
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) await this.#batch()
  }

  async #batch(): Promise<void> {
    let session: Session
    try {
      session = await this.#ready()
    } catch (cause) {
      // Nobody is there: whoever waits is told now, and the next to ask tries again.
      for (const job of this.#queue.splice(0)) job.reject(this.#failure(cause))
      return
    }
    session.wake()
    const jobs = this.#take()
    if (jobs.length === 0) return
    try {
      const works = jobs.map(({ work }) => work)
      const replies = await this.#book.run(session, works, this.#tenure, Math.floor(this.#now()))
      for (const [index, job] of jobs.entries()) this.#reply(job, replies[index])
    } catch (cause) {
      // INVARIANT I2: nobody knows, so nobody is told that it was done.
      for (const job of jobs) job.reject(this.#failure(cause))
      if (session.isOver) this.#lost()
    }
  }

  /** The next batch. Whoever has given up waiting is not served: nothing would hear of the permit. */
  #take(): readonly Job[] {
    const jobs: Job[] = []
    let characters = 0
    while (jobs.length < MOST_IN_BATCH && characters < MOST_CHARACTERS) {
      const job = this.#queue.shift()
      if (job === undefined) break
      if (job.dueAt <= performance.now()) continue
      characters += job.characters
      jobs.push(job)
    }
    return jobs
  }

  #reply(job: Job, reply: Reply | undefined): void {
    if (reply?.ok === true) job.resolve(reply.answer as never)
    else job.reject(this.#error(`the store failed: ${reply?.message ?? 'without an answer'}`))
  }

  /** A connection that holds this process's slot, if it has one. */
  async #ready(): Promise<Session> {
    if (this.#session !== undefined && !this.#session.isOver) return this.#session
    const lost = this.#session?.backend ?? this.#before
    this.#session = undefined
    const session = await Session.open(await this.#source.pool(), this.#deadlineMs, () => this.#lost())
    try {
      const backend = await session.settle()
      if (this.#tenure !== undefined) this.#tenure = await this.#leases.resume(session, this.#tenure, lost)
      this.#before = backend
      this.#session = session
      return session
    } catch (cause) {
      session.end()
      this.#before = lost
      throw cause
    }
  }

  /** The connection is gone. The slot is held again before others take it for left behind. */
  #lost(waitMs = FIRST_RETRY_MS): void {
    if (this.#isClosed || this.#tenure === undefined) return
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => {
      void this.#inTurn(async () => {
        try {
          if (this.#isClosed) return
          const session = await this.#ready()
          if (this.#queue.length === 0) session.rest()
        } catch {
          // Whoever asks meanwhile is told; here it is only tried again.
          this.#lost(Math.min(waitMs * 2, LAST_RETRY_MS))
        }
      })
    }, waitMs).unref()
  }

  #drop(): void {
    this.#session?.end()
    this.#session = undefined
    this.#before = undefined
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work)
    this.#turn = turn.catch(() => undefined)
    return await turn
  }

  async #within<T>(work: Promise<T>, milliseconds: number): Promise<T> {
    const message = this.#error(`the store did not answer within ${milliseconds} ms`)
    return await pTimeout(work, { milliseconds, message })
  }

  #failure(cause: unknown): HoldpointError {
    return troubleOf(cause, this.#source.place)
  }

  #error(message: string): HoldpointError {
    return new HoldpointError('ERR_STORE', message, { at: this.#source.place })
  }
}
