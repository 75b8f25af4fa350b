/**
 * Asks an MCP server over stdio for its tools, and takes the server down again.
 *
 * Frames are spoken directly: a person who has nothing installed but holdpoint and the server can run `init`, and the
 * server is the head of a process group of its own, so that what `npx` started below it goes away with it.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { reasonOf, UnusableInput } from '../exit.ts'

const PROTOCOL = '2025-06-18'
const GRACE_MS = 2_000
const MOST_BYTES = 16 * 1024 * 1024
const MOST_PAGES = 100
const KEPT_OF_STDERR = 400
const METHOD_NOT_FOUND = -32_601

const frame = z.looseObject({
  id: z.union([z.number(), z.string()]).optional(),
  method: z.string().optional(),
  result: z.unknown().optional(),
  error: z.looseObject({ message: z.string() }).optional(),
})
const greeting = z.looseObject({ serverInfo: z.looseObject({ name: z.string() }).optional() })
const page = z.looseObject({ tools: z.array(z.unknown()), nextCursor: z.string().nullish() })

/** What a server says of itself. UNTRUSTED. */
export interface ServerAnswer {
  readonly name: string | undefined
  /** As they came, page after page. */
  readonly tools: readonly unknown[]
}

/**
 * Starts the server, lists its tools, stops it. However this ends, by an interrupt too, the server's processes are ended.
 *
 * @param command program and arguments; run as it stands, without a shell, in this environment
 * @param deadlineMs for everything together
 * @throws UnusableInput when it cannot be started, ends early, speaks no MCP or is not done in time
 */
export async function askServer(command: readonly string[], deadlineMs: number): Promise<ServerAnswer> {
  const server = new Server(command)
  const kill = (): void => server.signal('SIGKILL')
  const leave = (signal: NodeJS.Signals): void => {
    kill()
    process.kill(process.pid, signal)
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.once(signal, leave)
  process.once('exit', kill)
  const timer = setTimeout(() => server.fail(`did not list its tools within ${deadlineMs / 1_000} s`), deadlineMs)
  try {
    return await listed(server)
  } finally {
    clearTimeout(timer)
    await server.stop()
    for (const signal of signals) process.off(signal, leave)
    process.off('exit', kill)
  }
}

async function listed(server: Server): Promise<ServerAnswer> {
  const hello = { protocolVersion: PROTOCOL, capabilities: {}, clientInfo: { name: 'holdpoint init', version: '0' } }
  const { data: greeted } = greeting.safeParse(await server.request('initialize', hello))
  server.send({ method: 'notifications/initialized' })
  const tools: unknown[] = []
  let cursor: string | undefined
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    const { data } = page.safeParse(await server.request('tools/list', cursor === undefined ? {} : { cursor }))
    if (data === undefined) throw server.unusable('answered tools/list with something that is no list of tools')
    tools.push(...data.tools)
    if (data.nextCursor == null) return { name: greeted?.serverInfo?.name, tools }
    cursor = data.nextCursor
  }
  throw server.unusable(`has more than ${MOST_PAGES} pages of tools`)
}

interface Waiting {
  readonly settle: (result: unknown) => void
  readonly fail: (error: Error) => void
}

class Server {
  readonly #shown: string
  readonly #child: ChildProcessWithoutNullStreams
  readonly #gone: Promise<void>
  readonly #waiting = new Map<number | string, Waiting>()
  #failure: Error | undefined
  #ids = 0
  #bytes = 0
  #rest = ''
  #complaints = ''

  constructor([program = '', ...args]: readonly string[]) {
    this.#shown = [program, ...args].join(' ')
    this.#child = spawn(program, args, { stdio: 'pipe', detached: process.platform !== 'win32' })
    this.#gone = new Promise((settle) => {
      this.#child.once('exit', () => settle())
      this.#child.once('error', () => settle())
    })
    this.#child.once('error', (error) => this.fail(`cannot be started: ${reasonOf(error)}`))
    this.#child.once('close', (code, signal) => this.fail(`ended (${signal ?? code}) before it listed its tools`))
    // A server that is gone no longer reads; its end is told above.
    this.#child.stdin.on('error', () => {})
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => this.#read(text))
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#complaints = (this.#complaints + text).slice(-KEPT_OF_STDERR)
    })
  }

  request(method: string, params: object): Promise<unknown> {
    return new Promise((settle, fail) => {
      if (this.#failure !== undefined) {
        fail(this.#failure)
        return
      }
      this.#ids += 1
      this.#waiting.set(this.#ids, { settle, fail })
      this.send({ id: this.#ids, method, params })
    })
  }

  send(message: object): void {
    if (this.#child.stdin.writable) this.#child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
  }

  /** Whoever waits for an answer, now or later, gets this instead; the first failure counts. */
  fail(what: string): void {
    this.#failure ??= this.unusable(what)
    for (const { fail } of this.#waiting.values()) fail(this.#failure)
    this.#waiting.clear()
  }

  unusable(what: string): UnusableInput {
    const said = this.#complaints
      .trim()
      .split(/\s*\n\s*/)
      .slice(-3)
      .join(' / ')
    return new UnusableInput(`the server "${this.#shown}" ${what}${said === '' ? '' : `; it said: ${said}`}`)
  }

  /** Politely first: its input ends and it is asked to leave. Then whatever is left of its group is ended. */
  async stop(): Promise<void> {
    this.#child.stdin.end()
    this.signal('SIGTERM')
    await Promise.race([this.#gone, delay(GRACE_MS, undefined, { ref: false })])
    this.signal('SIGKILL')
    this.#child.stdout.destroy()
    this.#child.stderr.destroy()
  }

  signal(signal: NodeJS.Signals): void {
    const { pid } = this.#child
    if (pid === undefined) return
    if (process.platform === 'win32') {
      this.#child.kill(signal)
      return
    }
    try {
      process.kill(-pid, signal)
    } catch {
      // Nobody of its group is left.
    }
  }

  /** UNTRUSTED: a line each. What is no JSON is a log line of a server that knows no better. */
  #read(text: string): void {
    this.#bytes += text.length
    if (this.#bytes > MOST_BYTES) {
      this.fail(`said more than ${MOST_BYTES / 1024 / 1024} MiB`)
      this.signal('SIGKILL')
      return
    }
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#take(line)
  }

  #take(line: string): void {
    if (!line.trimStart().startsWith('{')) return
    let value: unknown
    try {
      value = JSON.parse(line)
    } catch {
      return
    }
    const { data } = frame.safeParse(value)
    if (data?.id === undefined) return
    if (data.method !== undefined) {
      this.#reply(data.id, data.method)
      return
    }
    const waiting = this.#waiting.get(data.id)
    this.#waiting.delete(data.id)
    if (data.error === undefined) waiting?.settle(data.result)
    else waiting?.fail(this.unusable(`answered with an error: ${data.error.message}`))
  }

  /** We offer nothing to servers, but they may ask whether we are there. */
  #reply(id: number | string, method: string): void {
    if (method === 'ping') this.send({ id, result: {} })
    else this.send({ id, error: { code: METHOD_NOT_FOUND, message: `${method} is not offered here` } })
  }
}
