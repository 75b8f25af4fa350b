import { Worker } from 'node:worker_threads'
import { HoldpointError } from '../errors.ts'
import type { Answers, Job, Reply, Work, WorkerSetup } from './sqlite-messages.ts'

/** Most requests that may wait for the worker: beyond that a caller is better refused than queued. */
const MOST_PENDING = 1_024

interface Waiting {
  readonly resolve: (answer: never) => void
  readonly reject: (error: HoldpointError) => void
  readonly dueAt: number
  readonly deadlineMs: number
}

/**
 * Sends work to the store's thread and never leaves a caller waiting: an answer, a failure, the thread's death or the
 * deadline, whichever comes first. Work of one turn travels in one message.
 */
export class WorkerClient {
  readonly #setup: WorkerSetup
  readonly #deadlineMs: number
  readonly #waiting = new Map<number, Waiting>()
  #worker: Worker | undefined
  #outbox: Job[] = []
  #nextId = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  /** Called when a new thread replaces a dead one, before anything else is sent to it. */
  readonly #onRestart: (send: (work: Work) => void) => void
  #isFirst = true
  #isStopped = false

  constructor(
    setup: WorkerSetup,
    terms: { readonly deadlineMs: number; readonly onRestart?: (send: (work: Work) => void) => void },
  ) {
    this.#setup = setup
    this.#deadlineMs = terms.deadlineMs
    this.#onRestart = terms.onRestart ?? (() => undefined)
  }

  /** @throws HoldpointError ERR_STORE (as a rejection) when the work failed or nobody knows whether it was done */
  ask<W extends Work>(work: W, deadlineMs: number = this.#deadlineMs): Promise<Answers[W['do']]> {
    // Only `open` begins again: anything else would take a slot that nobody gives back.
    if (this.#isStopped && this.#setup.role === 'slot' && work.do !== 'open')
      return Promise.reject(this.#error('the store was closed'))
    this.#isStopped = false
    if (this.#waiting.size >= MOST_PENDING) {
      return Promise.reject(this.#error(`the store is overloaded: ${MOST_PENDING} requests are waiting`))
    }
    return new Promise<Answers[W['do']]>((resolve, reject) => {
      if (this.#worker === undefined) this.#start()
      this.#enqueue(work, { resolve, reject, deadlineMs, dueAt: performance.now() + deadlineMs })
    })
  }

  /** Ends the thread. Whatever still waits is rejected. */
  async stop(): Promise<void> {
    const worker = this.#worker
    this.#worker = undefined
    this.#isStopped = true
    this.#rejectAll('the store was closed')
    await worker?.terminate()
  }

  #enqueue(work: Work, waiting: Waiting): void {
    const id = this.#nextId
    this.#nextId += 1
    if (this.#waiting.size === 0) this.#worker?.ref()
    this.#waiting.set(id, waiting)
    if (this.#outbox.length === 0) queueMicrotask(() => this.#flush())
    this.#outbox.push({ id, work })
    this.#timer ??= setTimeout(() => this.#expire(), this.#deadlineMs)
  }

  #flush(): void {
    const jobs = this.#outbox
    this.#outbox = []
    this.#worker?.postMessage(jobs)
  }

  #start(): void {
    // Source runs as .ts, the package as .js: the thread's file is a sibling of this one in either.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
    const worker = new Worker(new URL(`./sqlite-worker.${extension}`, import.meta.url), {
      workerData: this.#setup,
      execArgv: ['--disable-warning=ExperimentalWarning'],
      name: 'holdpoint-store',
    })
    worker.on('message', (replies: readonly Reply[]) => this.#receive(replies))
    worker.on('error', (cause) => this.#died(worker, cause))
    worker.on('exit', () => this.#died(worker, undefined))
    worker.unref()
    this.#worker = worker
    const isFirst = this.#isFirst
    this.#isFirst = false
    if (!isFirst)
      this.#onRestart((work) =>
        this.#enqueue(work, {
          resolve: () => undefined,
          reject: () => undefined,
          deadlineMs: this.#deadlineMs,
          dueAt: performance.now() + this.#deadlineMs,
        }),
      )
  }

  #receive(replies: readonly Reply[]): void {
    for (const reply of replies) {
      const waiting = this.#waiting.get(reply.id)
      // Answered too late: its caller was told long ago that nobody knows.
      if (waiting === undefined) continue
      this.#waiting.delete(reply.id)
      if (reply.ok) waiting.resolve(reply.answer as never)
      else waiting.reject(this.#error(`the store failed: ${reply.message}`))
    }
    this.#rest()
  }

  #died(worker: Worker, cause: unknown): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    this.#rejectAll('the store thread ended', cause)
  }

  #expire(): void {
    this.#timer = undefined
    const now = performance.now()
    let next = Number.POSITIVE_INFINITY
    for (const [id, { dueAt, deadlineMs, reject }] of this.#waiting) {
      if (dueAt > now) {
        next = Math.min(next, dueAt)
        continue
      }
      this.#waiting.delete(id)
      reject(this.#error(`the store did not answer within ${deadlineMs} ms`))
    }
    if (this.#waiting.size > 0) this.#timer = setTimeout(() => this.#expire(), next - now)
    this.#rest()
  }

  #rejectAll(message: string, cause?: unknown): void {
    this.#outbox = []
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const { reject } of waiting) reject(this.#error(message, cause))
    this.#rest()
  }

  /** With nothing under way, neither the thread nor a timer keeps the process alive. */
  #rest(): void {
    if (this.#waiting.size > 0) return
    this.#worker?.unref()
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #error(message: string, cause?: unknown): HoldpointError {
    return new HoldpointError('ERR_STORE', message, { at: this.#setup.folder, cause })
  }
}
