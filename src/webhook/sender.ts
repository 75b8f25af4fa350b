import { createHmac } from 'node:crypto'
import { encodeBase64url } from '../bytes/base64url.ts'
import { randomBytes } from '../bytes/digest.ts'
import type { EventSink, Obligation } from '../types.ts'
import { type Announced, announcementOf, messageOf, type Webhook } from './webhook.ts'

/** How long a receiver may take for each message, ms. */
const DEADLINE_MS = 10_000
/** How long after each failure the next attempt comes, ms; after the last of them nobody tries again. */
const PAUSES_MS: readonly number[] = [1_000, 5_000, 30_000, 120_000, 600_000]
/** Messages that wait for one receiver. What is more is dropped, and that is said. */
const MOST_WAITING = 256
const MESSAGE_ID_BYTES = 16
/** A tenth more or less, so that receivers that came back are not met by all at once. */
const SPREAD = 0.1

/** What the sending needs of its surroundings; tests hurry it. */
export interface SenderTerms {
  readonly warn: (message: string) => void
  readonly deadlineMs?: number
  readonly pausesMs?: readonly number[]
}

interface Message {
  readonly id: string
  readonly body: string
  failures: number
}

/** Sends what happens to receivers, off the pass: a sink that only puts messages down. */
export interface Sender {
  readonly sink: EventSink
  /**
   * Meets `notify`: true once every receiver that it is for has taken it, with a status of 2xx, and there is one. Each is asked
   * once: what is not taken now, the call cannot wait for. Absent where no receiver is told of calls. Never rejects.
   */
  readonly announce:
    | ((obligation: Obligation, call: Announced & { readonly signal: AbortSignal }) => Promise<boolean>)
    | undefined
  /** Nothing is tried again from here on. */
  close(): void
}

/**
 * A sender over HTTP: signed as Standard Webhooks has it (HMAC-SHA256 over id, time and body), at least once, in any order. A
 * receiver that fails is tried again with growing pauses; one that answers 410 is told nothing more by this process.
 */
export function createSender(webhooks: readonly Webhook[], terms: SenderTerms): Sender {
  const lines = webhooks.map((webhook) => new Line(webhook, terms))
  return {
    sink: (event) => {
      for (const line of lines) line.put(event)
    },
    announce: webhooks.some(({ events }) => events.has('call.announced'))
      ? async (obligation, call) => {
          const told = await Promise.all(lines.map((line) => line.tell(obligation, call)))
          const asked = told.filter((taken) => taken !== undefined)
          // INVARIANT I4: nobody to tell is not told.
          return asked.length > 0 && asked.every((taken) => taken === true)
        }
      : undefined,
    close: () => {
      for (const line of lines) line.close()
    },
  }
}

/** The headers of one attempt: <https://github.com/standard-webhooks/standard-webhooks>. `at` in seconds since epoch. */
export function signedHeaders(
  secret: Uint8Array,
  id: string,
  at: number,
  body: string,
): Readonly<Record<string, string>> {
  const signature = createHmac('sha256', secret).update(`${id}.${at}.${body}`).digest('base64')
  return { 'webhook-id': id, 'webhook-timestamp': String(at), 'webhook-signature': `v1,${signature}` }
}

/** One receiver, and what is on its way to it. */
class Line {
  readonly #webhook: Webhook
  readonly #terms: SenderTerms
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly #ending = new AbortController()
  #waiting = 0
  #isFull = false

  constructor(webhook: Webhook, terms: SenderTerms) {
    this.#webhook = webhook
    this.#terms = terms
  }

  put(event: Parameters<EventSink>[0]): void {
    if (this.#ending.signal.aborted) return
    const body = messageOf(event, this.#webhook, Date.now())
    if (body === undefined) return
    if (this.#waiting >= MOST_WAITING) {
      if (!this.#isFull) this.#warn(`has ${MOST_WAITING} messages waiting; what comes now is dropped`)
      this.#isFull = true
      return
    }
    this.#waiting += 1
    const message = newMessage(body)
    // Never on the pass: its caller goes on first.
    setImmediate(() => void this.#attempt(message))
  }

  /** Was it taken? `undefined` where it is for somebody else. */
  async tell(
    obligation: Obligation,
    { signal, ...call }: Announced & { readonly signal: AbortSignal },
  ): Promise<boolean | undefined> {
    const body = announcementOf(obligation, call, this.#webhook, Date.now())
    if (body === undefined) return undefined
    if (this.#ending.signal.aborted) return false
    const status = await this.#send(newMessage(body), signal)
    if (status === 410) this.#leave()
    return isTaken(status)
  }

  close(): void {
    this.#ending.abort()
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
  }

  async #attempt(message: Message): Promise<void> {
    if (this.#ending.signal.aborted) return
    const status = await this.#send(message)
    if (this.#ending.signal.aborted) return
    if (isTaken(status)) return this.#done()
    if (status === 410) return this.#leave()
    const pauses = this.#terms.pausesMs ?? PAUSES_MS
    const pause = pauses[message.failures]
    message.failures += 1
    if (pause === undefined) {
      const why = typeof status === 'number' ? `status ${status}` : status
      this.#warn(`did not take message ${message.id} in ${message.failures} attempts (${why}): it is given up`)
      this.#done()
      return
    }
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer)
        void this.#attempt(message)
      },
      pause * (1 + SPREAD * (2 * Math.random() - 1)),
    )
    // A program does not stay for a receiver that is away.
    timer.unref()
    this.#timers.add(timer)
  }

  /** The status, or why there is none. Where a redirect leads, nothing is sent: the operator named this address. */
  async #send({ id, body }: Message, signal?: AbortSignal): Promise<number | string> {
    const { url, secret } = this.#webhook
    const headers = signedHeaders(secret, id, Math.floor(Date.now() / 1_000), body)
    const time = AbortSignal.timeout(this.#terms.deadlineMs ?? DEADLINE_MS)
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json', 'user-agent': 'holdpoint' },
        body,
        redirect: 'manual',
        signal: AbortSignal.any([time, this.#ending.signal, ...(signal === undefined ? [] : [signal])]),
      })
      // UNTRUSTED: what a receiver says is not read.
      await response.body?.cancel().catch(() => undefined)
      return response.status
    } catch {
      return time.aborted ? 'no answer in time' : 'no connection'
    }
  }

  #leave(): void {
    this.#warn('answered 410 and wants nothing more: it is told nothing more until the next start')
    this.close()
  }

  #done(): void {
    this.#waiting -= 1
    this.#isFull = false
  }

  /** Its address may hold a token, so only its host is named. */
  #warn(what: string): void {
    this.#terms.warn(`the webhook at ${this.#webhook.url.host} ${what}`)
  }
}

function newMessage(body: string): Message {
  return { id: `msg_${encodeBase64url(randomBytes(MESSAGE_ID_BYTES))}`, body, failures: 0 }
}

function isTaken(status: number | string): boolean {
  return typeof status === 'number' && status >= 200 && status < 300
}
