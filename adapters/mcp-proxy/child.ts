import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { Lines } from './lines.ts'
import { settledWithin } from './settled-within.ts'
import { launchOf } from './windows-launch.ts'

/** A server's own command: its program and what follows. */
export type ServerCommand = readonly [program: string, ...args: readonly string[]]

/** How a server's process came to its end. */
export type ServerEnd =
  /** There is no such program, or it may not be run. */
  | { readonly kind: 'not_started'; readonly because: string }
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'killed'; readonly signal: string }

/** What is heard of a server's process. */
export interface ServerHearing {
  /** One line of its stdout. UNTRUSTED. */
  readonly line: (text: string) => void
  /** It wrote a line longer than the longest frame; whatever it was is lost. */
  readonly tooLong: () => void
  /** It takes frames again. */
  readonly drained: () => void
  /** It lives on, and reads nothing more: what it was sent last may be lost. */
  readonly deaf: () => void
}

/** What a server may leave lying unread before it is ended, bytes. */
export const LONGEST_BACKLOG = 64 * 1_048_576
/** What is said of a server that is ended for that. */
export const UNREAD = 'it no longer reads what it is sent'
/** How long a server may take to end once its input has ended, ms: hosts give us two seconds before they send SIGTERM. */
const LONGEST_FAREWELL_MS = 1_500
/** How long it may take to end on SIGTERM, ms. */
const LONGEST_TERM_MS = 1_000
/** What a process wrote before its end may still be on its way, ms; and whoever it left behind may still be ending. */
const LONGEST_ECHO_MS = 500
const GLANCE_MS = 20

/** Whatever happens to this process, none of these outlives it. */
const live = new Set<ServerProcess>()

/**
 * One MCP server as a process of its own, at the head of its own process group, started without a shell in our folder, and in our
 * environment but for what is ours alone. Its stderr is ours.
 */
export class ServerProcess {
  readonly #child: ChildProcess
  /** Settles once it runs; or never will, and with why. Never rejects. */
  readonly started: Promise<string | undefined>
  /** Settles once it is gone, with all that it wrote before heard. Never rejects. */
  readonly ended: Promise<ServerEnd>
  #isEnded = false

  /**
   * @param withheld names of variables of our environment that concern other servers
   * @throws Error where it cannot be handed over at all
   */
  constructor(command: ServerCommand, withheld?: ReadonlySet<string>) {
    const { program, args, verbatim } = launchOf(command)
    this.#child = spawn(program, args, {
      env: handedOn(process.env, withheld),
      stdio: ['pipe', 'pipe', 'inherit'],
      detached: process.platform !== 'win32',
      windowsHide: true,
      windowsVerbatimArguments: verbatim,
    })
    this.#child.stdin?.on('error', () => undefined)
    this.#child.stdout?.on('error', () => undefined)
    if (live.size === 0) process.on('exit', killAll)
    live.add(this)
    this.ended = this.#untilEnd()
    const spawned = new Promise<undefined>((done) => this.#child.once('spawn', () => done(undefined)))
    const failed = this.ended.then((end) => (end.kind === 'not_started' ? end.because : undefined))
    this.started = Promise.race([spawned, failed])
  }

  /** For people; absent where it did not start. */
  get pid(): number | undefined {
    return this.#child.pid
  }

  /** Begins to listen. Until then what it says waits. */
  listen(hearing: ServerHearing, longestBytes: number): void {
    const lines = new Lines(longestBytes, {
      line: (bytes) => hearing.line(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')),
      tooLong: () => hearing.tooLong(),
    })
    this.#child.stdin?.on('drain', () => hearing.drained())
    this.#child.stdin?.on('error', () => void this.#unread(hearing))
    this.#child.stdout?.on('data', (chunk: Buffer) => lines.feed(chunk))
  }

  /**
   * Gives it one frame.
   *
   * @returns false where it is behind: nothing more should be sent before it has `drained`
   * @throws Error where it no longer reads
   */
  send(text: string): boolean {
    const { stdin } = this.#child
    if (stdin === null || !stdin.writable) throw new Error('the server no longer reads')
    return stdin.write(`${text}\n`)
  }

  /** How much it was sent and has not taken, bytes. */
  get backlog(): number {
    return this.#child.stdin?.writableLength ?? 0
  }

  /** Its output waits, because whoever reads it is behind. */
  hold(): void {
    this.#child.stdout?.pause()
  }

  release(): void {
    this.#child.stdout?.resume()
  }

  /** No more frames will come: a server ends by itself then. */
  endInput(): void {
    this.#child.stdin?.end()
  }

  /**
   * Ends it, and everything in its process group: the end of its input first, then SIGTERM, then SIGKILL.
   *
   * @param farewellMs how long it may take to end by itself
   */
  async stop(farewellMs: number = LONGEST_FAREWELL_MS): Promise<ServerEnd> {
    this.endInput()
    // Whoever waits to write does not end.
    this.release()
    if (farewellMs > 0) await settledWithin(farewellMs, this.ended)
    if (!this.#isEnded) {
      this.#signal('SIGTERM')
      await settledWithin(LONGEST_TERM_MS, this.ended)
    }
    if (!this.#isEnded) this.#signal('SIGKILL')
    return await this.ended
  }

  /** At once and without waiting: for the end of our own process. */
  kill(): void {
    this.#signal('SIGKILL')
  }

  /** A process that ends reads nothing more either, and its end says more. */
  async #unread(hearing: ServerHearing): Promise<void> {
    await settledWithin(LONGEST_ECHO_MS, new Promise<void>((done) => this.#child.once('exit', () => done())))
    const { exitCode, signalCode } = this.#child
    if (exitCode === null && signalCode === null) hearing.deaf()
  }

  async #untilEnd(): Promise<ServerEnd> {
    const { promise, resolve } = Promise.withResolvers<ServerEnd>()
    const closed = new Promise<void>((done) => this.#child.once('close', () => done()))
    this.#child.once('error', (error) => {
      if (this.#child.pid === undefined) resolve({ kind: 'not_started', because: reasonOf(error) })
    })
    this.#child.once('exit', (code, signal) => {
      resolve(signal === null ? { kind: 'exited', code: code ?? 0 } : { kind: 'killed', signal })
    })
    const end = await promise
    if (end.kind !== 'not_started') {
      await settledWithin(LONGEST_ECHO_MS, closed)
      await this.#sweep()
    }
    this.#isEnded = true
    live.delete(this)
    if (live.size === 0) process.off('exit', killAll)
    this.#child.stdin?.destroy()
    this.#child.stdout?.destroy()
    return end
  }

  /** Whoever it started and left behind ends too. */
  async #sweep(): Promise<void> {
    if (!this.#signal('SIGTERM') || (await this.#deserted(LONGEST_ECHO_MS))) return
    this.#signal('SIGKILL')
    await this.#deserted(5 * GLANCE_MS)
  }

  /** Is nobody left of the group, within this time? */
  async #deserted(ms: number): Promise<boolean> {
    const until = performance.now() + ms
    while (this.#signal(0)) {
      if (performance.now() > until) return false
      await pause(GLANCE_MS)
    }
    return true
  }

  /** To the whole group. False where nobody is left. */
  #signal(signal: NodeJS.Signals | 0): boolean {
    const { pid } = this.#child
    if (pid === undefined) return false
    if (process.platform === 'win32') return killTree(this.#child, signal)
    try {
      return process.kill(-pid, signal)
    } catch {
      return false
    }
  }
}

/** What npx tells the program that it starts of how it was started itself: an npx that inherits it looks in our package for its own. */
const OF_OUR_NPX: ReadonlySet<string> = new Set(['npm_config_package', 'npm_config_call'])

/**
 * The environment as the host gave it, without what is ours alone: where our state is concerns no server. Names are told apart as
 * Windows does.
 */
export function handedOn(environment: NodeJS.ProcessEnv, withheld: ReadonlySet<string> = new Set()): NodeJS.ProcessEnv {
  const others = new Set([...withheld].map((name) => name.toLowerCase()))
  const isByNpx = environment['npm_command'] === 'exec'
  const isOurs = (name: string) =>
    name.startsWith('holdpoint_') || others.has(name) || (isByNpx && OF_OUR_NPX.has(name))
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !isOurs(name.toLowerCase())))
}

function killAll(): void {
  for (const server of live) server.kill()
}

/** Windows has no process groups, and no signal that a program could heed: what is to end is ended. */
function killTree(child: ChildProcess, signal: NodeJS.Signals | 0): boolean {
  const isRunning = child.exitCode === null && child.signalCode === null
  if (signal === 0 || !isRunning) return isRunning
  spawn('taskkill', ['/pid', `${child.pid}`, '/t', '/f'], { stdio: 'ignore', windowsHide: true }).on('error', () => {
    child.kill(signal)
  })
  return true
}

function reasonOf(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'ENOENT':
      return 'there is no such program'
    case 'EACCES':
      return 'it may not be run'
    default:
      return error.code ?? error.message
  }
}
