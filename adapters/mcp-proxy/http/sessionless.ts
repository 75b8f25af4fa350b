import { randomUUID } from 'node:crypto'
import type { Gate, Who } from '../../../src/index.ts'
import { keepNewest } from '../../mcp/keep-newest.ts'
import { isRequestId, keyOf, type Message } from '../../mcp/message.ts'
import { Upstream } from '../../mcp/upstream.ts'
import { principalKey } from './visit.ts'

/** What a principal's requests without a session have in common. */
export interface Sessionless<C> {
  readonly upstream: Upstream
  readonly conversation: string
  /** On which connection a client was asked something: without a session its answer comes by itself. */
  readonly asked: Map<string, C>
}

const MOST_PRINCIPALS = 1_000
const MOST_ASKED = 1_000

/** Whoever asks one upstream without a session; those that did so last are kept. */
export class SessionlessByPrincipal<C> {
  readonly #kept = new Map<string, Sessionless<C>>()
  readonly #gate: Gate
  readonly #server: string

  constructor(gate: Gate, server: string) {
    this.#gate = gate
    this.#server = server
  }

  of(who: Who | undefined): Sessionless<C> {
    const key = principalKey(who)
    const sessionless = this.#kept.get(key) ?? this.#begun()
    this.#kept.delete(key)
    keepNewest(this.#kept, key, sessionless, MOST_PRINCIPALS)?.upstream.close()
    return sessionless
  }

  close(): void {
    for (const { upstream } of this.#kept.values()) upstream.close()
    this.#kept.clear()
  }

  #begun(): Sessionless<C> {
    const upstream = new Upstream(this.#gate, this.#server, 'third-party')
    return { upstream, conversation: randomUUID(), asked: new Map() }
  }
}

/** The client is asked this on that connection. */
export function remember<C>({ asked }: Sessionless<C>, { id, method }: Message, connection: C): void {
  if (method === undefined || !isRequestId(id)) return
  keepNewest(asked, keyOf(id), connection, MOST_ASKED)
}

/** The connection on which this answer was asked for. */
export function askedOn<C>({ asked }: Sessionless<C>, { id, method }: Message): C | undefined {
  return method === undefined && isRequestId(id) ? asked.get(keyOf(id)) : undefined
}
