import { Worker } from 'node:worker_threads'
import type { GateEvent, LogHealth, LogReach } from '../types.ts'
import type { KeeperNews, KeeperOrder } from './messages.ts'
import type { LogSetup } from './setup.ts'

/** A log that is kept while a gate runs. */
export interface LogKeeper {
  health(): LogHealth
  /** Makes a last step, within a bound, and ends the thread. Never rejects. */
  close(): Promise<void>
}

/** How long the last step may take, ms: witnesses that do not answer have had their time by then. */
const LONGEST_CLOSING_MS = 5_000
/** How long a thread that died is left away, ms. */
const RESTART_MS = 5_000

/**
 * Starts the thread that keeps a log. It never keeps the program alive: what a program leaves unlogged at its end, the next
 * one logs.
 *
 * @param emit told when a checkpoint was signed, when the log stands still and why, and when it goes on
 */
export function keepLog(setup: LogSetup, emit: (event: GateEvent) => void): LogKeeper {
  return new Keeper(setup, emit)
}

class Keeper implements LogKeeper {
  readonly #setup: LogSetup
  readonly #emit: (event: GateEvent) => void
  #worker: Worker | undefined
  #health: LogHealth = { state: 'starting', size: 0 }
  /** What was last said to stand in the way: said once, not each second. */
  #stalledBy: string | undefined
  /** Slots that are not what they were: said once, too. */
  #exchanged: ReadonlySet<number> = new Set()
  #isClosing = false
  #closed = (): void => undefined

  constructor(setup: LogSetup, emit: (event: GateEvent) => void) {
    this.#setup = setup
    this.#emit = emit
    this.#start()
  }

  health(): LogHealth {
    return this.#health
  }

  async close(): Promise<void> {
    const worker = this.#worker
    this.#isClosing = true
    if (worker === undefined) return
    let timer: ReturnType<typeof setTimeout> | undefined
    await new Promise<void>((resolve) => {
      this.#closed = resolve
      timer = setTimeout(resolve, LONGEST_CLOSING_MS)
      worker.ref()
      worker.postMessage({ do: 'close' } satisfies KeeperOrder)
    })
    clearTimeout(timer)
    // Cut off in the middle of a step, it leaves what a crash would: the next step makes it good.
    await worker.terminate()
  }

  #start(): void {
    // Source runs as .ts, the package as .js: the thread's file is a sibling of this one in either.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
    const worker = new Worker(new URL(`./keeper-worker.${extension}`, import.meta.url), {
      workerData: this.#setup,
      execArgv: ['--disable-warning=ExperimentalWarning'],
      name: 'holdpoint-log',
    })
    worker.on('message', (news: KeeperNews) => this.#hear(news))
    worker.on('error', (cause) => this.#stalled('checkpoint', `its thread ended: ${cause.message}`))
    worker.on('exit', () => this.#ended(worker))
    worker.unref()
    this.#worker = worker
  }

  #ended(worker: Worker): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    this.#closed()
    if (!this.#isClosing) setTimeout(() => this.#isClosing || this.#start(), RESTART_MS).unref()
  }

  #hear(news: KeeperNews): void {
    switch (news.news) {
      case 'waiting':
        // Its holder says how the log is doing.
        this.#health = { state: 'elsewhere', ...reachOf(news.size, news.receipts) }
        this.#stalledBy = undefined
        return
      case 'stepped':
        this.#stepped(news)
        return
      case 'failed':
        this.#health = { ...this.#health, ...reachOf(this.#health.size, news.receipts) }
        this.#stalled('checkpoint', news.why)
        return
      case 'closed':
        this.#closed()
    }
  }

  #stepped({ size, signed, signedAt, quorum, witnesses, changed, receipts }: Stepped): void {
    const cosigned = witnesses.filter(({ result }) => result === 'cosigned').length
    if (signed) this.#emit({ event: 'checkpoint-signed', size, cosigned, witnesses: witnesses.length })
    for (const slot of changed) if (!this.#exchanged.has(slot)) this.#emit(exchanged(slot))
    this.#exchanged = new Set(changed)
    this.#health = {
      state: 'current',
      ...reachOf(size, receipts),
      ...(signedAt === undefined ? {} : { signedAt }),
      ...(quorum === 'none' ? {} : { witnessed: quorum === 'met' }),
    }
    if (quorum !== 'missed') {
      this.#resumed(size)
      return
    }
    const silent = witnesses.filter(({ result }) => result !== 'cosigned').map(({ name, why }) => `${name} ${why}`)
    this.#stalled('witnesses', `too few witnesses have seen its ${size} leaves: ${silent.join('; ')}`)
  }

  #stalled(lacks: 'checkpoint' | 'witnesses', because: string): void {
    // While no checkpoint can be made, nobody is asked whether it was seen.
    const { witnessed, ...reach } = this.#health
    const seen = lacks === 'witnesses' && witnessed !== undefined ? { witnessed } : {}
    this.#health = { ...reach, ...seen, state: 'stalled', because }
    if (this.#stalledBy === lacks + shape(because)) return
    this.#stalledBy = lacks + shape(because)
    this.#emit({ event: 'log-stalled', lacks, because })
  }

  #resumed(size: number): void {
    if (this.#stalledBy === undefined) return
    this.#stalledBy = undefined
    this.#emit({ event: 'log-resumed', size })
  }
}

type Stepped = Extract<KeeperNews, { readonly news: 'stepped' }>

/** @param receipts of the store, where they could be counted */
function reachOf(size: number, receipts: number | undefined): Pick<LogReach, 'size' | 'unlogged'> {
  return { size, ...(receipts === undefined ? {} : { unlogged: Math.max(0, receipts - size) }) }
}

/** A reason without its numbers: the same trouble of a larger tree is not said again. */
function shape(because: string): string {
  return because.replaceAll(/\d+/g, '#')
}

function exchanged(slot: number): GateEvent {
  const message = `receipts-${slot}.db is not the file that it was: receipts that the log has are missing in it, or it was restored from a copy, or is gone; "holdpoint export" still has them`
  return { event: 'programmer-warned', code: 'log', message }
}
