/** One client on our stdin and stdout, one server behind the gate. */
import type { Readable, Writable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { cancelled, errorFor } from '../mcp/answers.ts'
import { attempt, reasonOf } from '../mcp/attempt.ts'
import { LISTEN } from '../mcp/era.ts'
import { NO_ANSWER, PARSE_ERROR } from '../mcp/keys.ts'
import { Link } from '../mcp/link.ts'
import type { Message, RequestId } from '../mcp/message.ts'
import { Upstream } from '../mcp/upstream.ts'
import { LONGEST_BACKLOG, type ServerEnd, type ServerProcess, UNREAD } from './child.ts'
import { frameText, LONGEST_FRAME, readClientFrame, readServerFrame, textForClient } from './frames.ts'
import type { GateTerms } from './http/terms.ts'
import { Lines } from './lines.ts'
import { OpenRequests } from './open-requests.ts'
import { settledWithin } from './settled-within.ts'

/** A client that has said all it had to say still gets the answers that come by then, ms. */
const LONGEST_LAST_ANSWERS_MS = 5_000
const GLANCE_MS = 20
/** What a client does not read by then it never will, ms. */
const LONGEST_FLUSH_MS = 1_000
/** While the server is behind we do not read; but whether the client is still there shows only by reading, ms. */
const LONGEST_PAUSE_MS = 2_000

/** What one session works with. */
export interface SessionTerms {
  /** Our own name of the server. */
  readonly name: string
  readonly server: ServerProcess
  readonly input: Readable
  /** INVARIANT: frames, and nothing else, ever. */
  readonly output: Writable
  readonly gate: GateTerms
  /** Says that it is time to go. */
  readonly stopping: AbortSignal
  readonly timeoutMs?: number
  readonly longestFrame?: number
}

/** Why a session is at its end. */
type End =
  | { readonly kind: 'client_left' }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'server_ended'; readonly end: ServerEnd }
  /** It did what cannot be passed on. */
  | { readonly kind: 'server_faulted'; readonly because: string }

/**
 * Serves until either side is gone. Settles once the server's process is gone too, and every open request has its answer.
 *
 * @returns what became of the server, where it was not the client that ended the session
 */
export async function serveSession(terms: SessionTerms): Promise<string | undefined> {
  return await new StdioSession(terms).run()
}

class StdioSession {
  readonly #terms: SessionTerms
  readonly #longestFrame: number
  readonly #link: Link<null>
  readonly #upstream: Upstream
  readonly #open = new OpenRequests()
  readonly #over = Promise.withResolvers<End>()
  #paused: ReturnType<typeof setTimeout> | undefined

  constructor(terms: SessionTerms) {
    const { name, gate, longestFrame = LONGEST_FRAME } = terms
    this.#terms = terms
    this.#longestFrame = longestFrame
    this.#upstream = new Upstream(gate.gate, name, 'third-party')
    const view = gate.viewFor(undefined, crypto.randomUUID())
    this.#link = new Link<null>({
      upstream: this.#upstream,
      gateFor: () => view,
      toServer: (message) => this.#toServer(message),
      toClient: (message) => this.#toClient(message),
      note: gate.note,
      ...(gate.refused === undefined ? {} : { refused: gate.refused }),
    })
  }

  async run(): Promise<string | undefined> {
    this.#listen()
    const end = await this.#over.promise
    this.#stopReading()
    const because = await this.#finish(end)
    this.#link.close()
    this.#upstream.close()
    await this.#flush()
    return because
  }

  #listen(): void {
    const { server, input, output, stopping } = this.#terms
    const { resolve: end } = this.#over
    const longest = this.#longestFrame
    const lines = new Lines(longest, {
      line: (bytes) => this.#fromClient(bytes),
      tooLong: () => this.#unreadable(`it is longer than ${longest} bytes`),
    })
    const left = () => end({ kind: 'client_left' })
    input.on('data', (chunk: Buffer) => lines.feed(chunk))
    input.once('end', left).once('close', left).once('error', left)
    output.once('close', left).on('error', left)
    output.on('drain', () => server.release())
    const hearing = {
      line: (text: string) => this.#fromServer(text),
      tooLong: () => end({ kind: 'server_faulted', because: `it wrote a line longer than ${longest} bytes` }),
      drained: () => this.#resume(),
      deaf: () => end({ kind: 'server_faulted', because: UNREAD }),
    }
    server.listen(hearing, longest)
    void server.ended.then((how) => end({ kind: 'server_ended', end: how }))
    const stop = () => end({ kind: 'stopped' })
    if (stopping.aborted) stop()
    stopping.addEventListener('abort', stop, { once: true })
  }

  #fromClient(bytes: Uint8Array): void {
    const frame = readClientFrame(bytes, this.#longestFrame)
    if (frame.kind === 'read') {
      this.#open.sent(frame.message)
      this.#follow(() => this.#link.fromClient(frame.message, null))
    } else this.#unreadable(frame.because)
  }

  #unreadable(because: string): void {
    this.#terms.gate.note(`from the client: a message that cannot be read (${because}); not passed on`)
    this.#toClient(errorFor(null, PARSE_ERROR, `holdpoint: this message cannot be read: ${because}`))
  }

  #fromServer(text: string): void {
    const { gate, name } = this.#terms
    const frame = readServerFrame(text)
    if (frame === undefined) gate.note(`${name} wrote a line to its stdout that is no JSON; not passed on`)
    else this.#follow(() => this.#link.fromServer(frame, null))
  }

  /** Whatever goes wrong on the way stays with this one frame. */
  #follow(pass: () => void | Promise<void>): void {
    attempt(pass).catch((cause: unknown) => this.#terms.gate.note(`a message was lost: ${reasonOf(cause)}`))
  }

  #toServer(message: Message): void {
    const { server, input, timeoutMs } = this.#terms
    const isTaken = server.send(frameText(message))
    const { id, method } = message
    if (timeoutMs !== undefined && method !== undefined && method !== LISTEN)
      this.#open.await(id, timeoutMs, (late) => this.#giveUpOn(late))
    if (isTaken) return
    if (server.backlog > LONGEST_BACKLOG) this.#over.resolve({ kind: 'server_faulted', because: UNREAD })
    input.pause()
    this.#paused ??= setTimeout(() => this.#resume(), LONGEST_PAUSE_MS)
  }

  #resume(): void {
    clearTimeout(this.#paused)
    this.#paused = undefined
    this.#terms.input.resume()
  }

  #toClient(message: Message): void {
    const { output, server } = this.#terms
    if (!this.#open.answered(message) || !output.writable) return
    if (!output.write(`${textForClient(message)}\n`)) server.hold()
  }

  /** The time is up: the client is told, and the server too; what comes later is for nobody. A call that is held never runs. */
  #giveUpOn(id: RequestId): void {
    this.#link.lose(id)
    const isKnown = this.#link.cancel(id)
    this.#toClient(errorFor(id, NO_ANSWER, lost(`there was no answer within ${this.#terms.timeoutMs} ms`)))
    if (isKnown) this.#follow(() => this.#toServer(cancelled(id)))
  }

  /** @returns what became of the server, where it was not the client that ended the session */
  async #finish(end: End): Promise<string | undefined> {
    const { name, server } = this.#terms
    switch (end.kind) {
      case 'client_left':
        await this.#lastAnswers()
        this.#leave()
        await server.stop()
        return undefined
      case 'stopped':
        this.#leave()
        await server.stop(0)
        return undefined
      case 'server_ended':
        this.#giveUp(endText(name, end.end))
        return endText(name, end.end)
      case 'server_faulted':
        this.#giveUp(`${name} was ended, because ${end.because}`)
        await server.stop(0)
        return `${name} was ended, because ${end.because}`
    }
  }

  /** Whoever writes a few frames and closes the pipe may still read: what was asked is answered, within reason. */
  async #lastAnswers(): Promise<void> {
    const { name, server, output, stopping } = this.#terms
    let isWaiting = true
    void server.ended.then((end) => {
      if (isWaiting) this.#giveUp(endText(name, end))
    })
    const until = performance.now() + LONGEST_LAST_ANSWERS_MS
    while (this.#open.ids.length > 0 && output.writable && !stopping.aborted && performance.now() < until)
      await pause(GLANCE_MS)
    isWaiting = false
  }

  /** The client is gone: what is held never runs, and how the server ends what it has begun is still on record. */
  #leave(): void {
    for (const id of this.#open.ids) this.#link.cancel(id)
  }

  /** No answer will come any more, and whoever waits is told. What had begun is `unknown`. */
  #giveUp(because: string): void {
    this.#link.close()
    for (const id of this.#open.ids) this.#toClient(errorFor(id, NO_ANSWER, lost(because)))
  }

  #stopReading(): void {
    clearTimeout(this.#paused)
    this.#paused = undefined
    this.#terms.input.removeAllListeners('data').destroy()
  }

  async #flush(): Promise<void> {
    const { output } = this.#terms
    if (!output.writable || output.writableLength === 0) return
    await settledWithin(LONGEST_FLUSH_MS, new Promise<void>((done) => output.write('', () => done())))
  }
}

function endText(name: string, end: ServerEnd): string {
  switch (end.kind) {
    case 'not_started':
      return `${name} did not start: ${end.because}`
    case 'exited':
      return `${name} ended by itself, with exit code ${end.code}`
    case 'killed':
      return `${name} was ended by ${end.signal}`
  }
}

function lost(because: string): string {
  return `holdpoint: ${because}. If this was a call, whether it ran is not known; do not simply repeat it.`
}
