import { HoldpointError } from '../../../src/index.ts'
import { objectOf } from '../../mcp/message.ts'
import { ServerProcess } from '../child.ts'
import { namesRevision, saysModern, withoutEnvelope } from './agreement.ts'
import { CommandSession } from './command-session.ts'
import { readMessagePosted } from './posted.ts'
import { isFullFor, type Room, Sessions } from './sessions.ts'
import { SharedChild } from './shared-child.ts'
import type { GateTerms, Limits, UpstreamTerms } from './terms.ts'
import {
  answerWhole,
  type Backend,
  headerOf,
  principalKey,
  turnAway,
  turnAwayFull,
  turnAwayUnknown,
  type Visit,
} from './visit.ts'

type CommandUpstream = Extract<UpstreamTerms, { readonly kind: 'command' }>

/** What a message without a session is told. */
const INITIALIZE_FIRST = 'begin with initialize, and send the Mcp-Session-Id that it gives'

/**
 * Serves a command that speaks stdio over HTTP: a process for each session of the earlier era, and one for all requests of a
 * principal in the later, which has no sessions.
 */
export class CommandBackend implements Backend {
  readonly #terms: CommandUpstream
  readonly #gate: GateTerms
  readonly #limits: Limits
  readonly #sessions: Sessions<CommandSession>
  readonly #shared: Sessions<SharedChild>
  readonly #room: Room
  /** All that run, and for whom. */
  readonly #live = new Map<ServerProcess, string>()
  /** Started to see that it starts; the first that needs one has it. */
  #spare: ServerProcess | undefined

  constructor(terms: CommandUpstream, gate: GateTerms, { limits, isShared }: { limits: Limits; isShared: boolean }) {
    this.#terms = terms
    this.#gate = gate
    this.#limits = limits
    this.#room = { most: limits.maxChildren, isShared }
    this.#sessions = new Sessions(this.#room, limits.idleMs)
    this.#shared = new Sessions(this.#room, limits.idleMs)
  }

  /**
   * Sees that the command can be started at all.
   *
   * @throws HoldpointError ERR_CONFIG
   */
  async open(): Promise<void> {
    const server = this.#start('')
    const because = await server.started
    const { command, name } = this.#terms
    if (because !== undefined)
      throw new HoldpointError('ERR_CONFIG', `${name}: ${command[0]} did not start: ${because}`, { at: name })
    this.#spare = server
  }

  async visit(visit: Visit): Promise<void> {
    const sessionId = headerOf(visit.request, 'mcp-session-id')
    if (visit.request.method === 'POST') return await this.#posted(visit, sessionId)
    if (sessionId === undefined) {
      turnAway(visit, saysModern(visit.request) ? 405 : 400, INITIALIZE_FIRST)
      return
    }
    const session = this.#sessions.find(sessionId, principalKey(visit.who))
    if (session === undefined) return turnAwayUnknown(visit)
    if (visit.request.method === 'GET') return await this.#sessions.using(sessionId, () => session.listen(visit))
    this.#sessions.drop(sessionId)
    visit.response.writeHead(200, { 'content-length': 0 }).end()
  }

  async close(): Promise<void> {
    this.#sessions.close()
    this.#shared.close()
    await Promise.all([...this.#live.keys()].map((server) => server.stop()))
  }

  async #posted(visit: Visit, sessionId: string | undefined): Promise<void> {
    const message = await readMessagePosted(visit, this.#limits.maxFrameBytes)
    if (message === undefined) return
    const wrong = withoutEnvelope(visit.request, message)
    if (wrong !== undefined) return answerWhole(visit.response, 400, wrong)
    if (namesRevision(message) || saysModern(visit.request)) return await this.#postedAlone(visit, message)
    if (sessionId !== undefined) {
      const session = this.#sessions.find(sessionId, principalKey(visit.who))
      if (session === undefined) return turnAwayUnknown(visit)
      return await this.#sessions.using(sessionId, () => session.post(visit, message))
    }
    if (objectOf(message)['method'] !== 'initialize') return turnAway(visit, 400, INITIALIZE_FIRST)
    await this.#begun(visit, message)
  }

  async #begun(visit: Visit, message: unknown): Promise<void> {
    const server = await this.#taken(visit)
    if (server === undefined) return
    const session: CommandSession = new CommandSession(visit, {
      ...this.#common(server),
      ended: () => this.#sessions.drop(session.id),
    })
    this.#sessions.keep(session.id, session)
    await this.#sessions.using(session.id, () => session.post(visit, message))
  }

  async #postedAlone(visit: Visit, message: unknown): Promise<void> {
    const principal = principalKey(visit.who)
    const known = this.#shared.find(principal, principal)
    if (known !== undefined) return await this.#shared.using(principal, () => known.post(visit, message))
    const server = await this.#taken(visit)
    if (server === undefined) return
    const meanwhile = this.#shared.find(principal, principal)
    if (meanwhile !== undefined) void server.stop()
    const shared =
      meanwhile ?? new SharedChild(visit, { ...this.#common(server), ended: () => this.#shared.drop(principal) })
    if (meanwhile === undefined) this.#shared.keep(principal, shared)
    await this.#shared.using(principal, () => shared.post(visit, message))
  }

  #common(server: ServerProcess) {
    const { maxFrameBytes, answerMs } = this.#limits
    return { name: this.#terms.name, server, gate: this.#gate, maxFrameBytes, answerMs }
  }

  /** A process that runs; none where there may be no more of them, or it does not start: then the client is told. */
  async #taken(visit: Visit): Promise<ServerProcess | undefined> {
    const spare = this.#spare
    const principal = principalKey(visit.who)
    this.#spare = undefined
    if (spare !== undefined && this.#live.has(spare)) {
      this.#live.set(spare, principal)
      return spare
    }
    if (isFullFor(this.#room, principal, [...this.#live.values()])) {
      this.#sessions.dropIdle()
      this.#shared.dropIdle()
      turnAwayFull(visit)
      return undefined
    }
    const server = this.#start(principal)
    const because = await server.started
    if (because === undefined) return server
    this.#gate.note(`${this.#terms.name} did not start: ${because}`)
    turnAway(visit, 502, `${this.#terms.name} did not start`)
    return undefined
  }

  #start(principal: string): ServerProcess {
    const server = new ServerProcess(this.#terms.command, this.#terms.withheld)
    this.#live.set(server, principal)
    void server.ended.then(() => this.#live.delete(server))
    return server
  }
}
