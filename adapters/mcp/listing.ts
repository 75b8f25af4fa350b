import { type Gate, HoldpointError, type ToolDefinition, type ToolSeen } from '../../src/index.ts'
import { isSame, type Origin } from './definition.ts'
import type { Message } from './message.ts'
import { type Entry, isWhole, readPage } from './page.ts'

/** How a server says that its tools are others now. */
export const LIST_CHANGED = 'notifications/tools/list_changed'
/** After so long a call has the tools listed again: a server may change them and say nothing. */
const LONGEST_AGE_MS = 60_000

/**
 * What a server lists. A call is judged by a whole listing and by nothing less: a tool that is in none is refused. A stranger's
 * tool is shown to a model only as the gate has learned it, whatever else the server answers to whoever asks.
 */
export class Listing {
  /** Our own name of it; none for the gate's own server. */
  readonly server: string | undefined
  readonly origin: Origin
  readonly #gate: Gate
  /** The newest whole listing, with whatever it has twice; of which edition it is, and how old. */
  #learned: readonly ToolDefinition[] = []
  #known: ReadonlyMap<string, ToolDefinition> | undefined
  #knownEdition = 0
  #learnedAt = 0
  #edition = 0
  #unread = 0

  constructor(gate: Gate, server: string | undefined, origin: Origin) {
    this.#gate = gate
    this.server = server
    this.origin = origin
  }

  /** How people are told which server it is. */
  get label(): string {
    return this.server ?? 'the server'
  }

  /** Is there a whole listing that a call may be judged by? */
  get isFresh(): boolean {
    return this.#known !== undefined && performance.now() - this.#learnedAt < LONGEST_AGE_MS
  }

  /** Are tools kept from models and people? A stranger's are, where the gate does more than observe. */
  get isGuarded(): boolean {
    return this.origin === 'third-party' && this.#gate.health().mode !== 'observe'
  }

  /** The tool as the newest whole listing has it. What it has not is a definition that no gate ever learned. */
  find(tool: string): ToolDefinition {
    return this.#known?.get(tool) ?? { name: tool, origin: this.origin }
  }

  lists(tool: string): boolean {
    return this.#known?.has(tool) === true
  }

  /** Which tools are asked for: others whenever the server says that they have changed. */
  get edition(): number {
    return this.#edition
  }

  /** Nothing that was listed counts any longer: the server says that its tools are others now, or does not list them. */
  expire(): void {
    this.#edition += 1
    this.#known = undefined
  }

  /**
   * The server has listed tools to the client. Where that is all of them, the gate learns them.
   *
   * @param asked what the client asked for them with
   * @returns what the client may see, `undefined` where nobody can say what a client would see
   */
  take(asked: Message, result: Message): Message | undefined {
    const page = readPage(result, this.origin)
    if (page === undefined) return this.isGuarded ? undefined : result
    if (isWhole(asked, page)) this.learn(page.entries)
    // Another connection may have listed others: what counts here is what this one has.
    else if (this.#known !== undefined && this.isGuarded) this.#register()
    return this.isGuarded ? this.#withoutStrange(result, page.entries) : result
  }

  /**
   * Has the gate to see the whole before a model may see this part of it? A server may list one thing to us and another to the
   * client, and what it has changed is told by the whole alone.
   */
  wantsWhole(asked: Message, result: Message): boolean {
    if (!this.isGuarded) return false
    const page = readPage(result, this.origin)
    if (page === undefined || isWhole(asked, page)) return false
    const isNew = ({ definition }: Entry) => definition !== undefined && !this.#knows(definition)
    return this.#known === undefined || page.entries.some(isNew)
  }

  /**
   * Learns one whole listing.
   *
   * @param edition the one that was asked for; a listing of an older one serves whoever waits for it, and nobody after
   */
  learn(entries: readonly Entry[], edition: number = this.#edition): void {
    if (this.#known !== undefined && edition < this.#knownEdition) return
    this.#learned = entries.flatMap(({ definition }) => (definition === undefined ? [] : [definition]))
    this.#knownEdition = edition
    this.#learnedAt = edition === this.#edition ? performance.now() : Number.NEGATIVE_INFINITY
    this.#register()
    this.#warnOfUnread(entries.length - this.#learned.length)
  }

  #register(): void {
    const definitions = this.#learned
    try {
      this.#gate.register(definitions, { ...serverOf(this), pinned: this.origin === 'third-party' })
      // Of two of one name the gate has learned the first.
      this.#known = new Map(definitions.toReversed().map((definition) => [definition.name, definition]))
      this.#cover(this.#known.keys())
    } catch (cause) {
      // INVARIANT I4: tools that cannot be learned are tools that nobody knows.
      this.#known = new Map()
      if (!(cause instanceof HoldpointError)) throw cause
      this.#gate.warn('tool_unknown', `no tool of ${this.label} can be called: ${cause.message}`)
    }
  }

  /** Every call of a server's passes the gate; what waits for a person is refused there. */
  #cover(tools: Iterable<string>): void {
    const waiting = this.server === undefined ? undefined : this.#gate.quarantined(this.server)
    const seen = Array.from(tools, (tool): ToolSeen => {
      const because = waiting?.get(tool)
      return { tool, standing: 'gated', ...(because === undefined ? {} : { because: `quarantined: ${because}` }) }
    })
    this.#gate.cover('mcp', seen, serverOf(this))
  }

  #knows(definition: ToolDefinition): boolean {
    const known = this.#known?.get(definition.name)
    return known !== undefined && isSame(known, definition)
  }

  /**
   * INVARIANT I8: each tool is judged by what is shown of it, and not by its name: it is shown where the gate has learned just
   * that, and where that is no tool that waits for a person.
   */
  #withoutStrange(result: Message, entries: readonly Entry[]): Message {
    const quarantined = this.server === undefined ? undefined : this.#gate.quarantined(this.server)
    const kept = entries.filter(
      ({ definition }) =>
        definition !== undefined && this.#knows(definition) && quarantined?.has(definition.name) !== true,
    )
    if (kept.length === entries.length) return result
    const tools = kept.map(({ listed }) => listed)
    // A list that is not everybody's must not be kept for everybody (MCP 2026-07-28, caching).
    return { ...result, tools, ...(Object.hasOwn(result, 'cacheScope') ? { cacheScope: 'private' } : {}) }
  }

  /** UNTRUSTED: what has no name that can be told is counted. */
  #warnOfUnread(count: number): void {
    if (count > 0 && count !== this.#unread) {
      const which = `${count} of the tools of ${this.label} can be read in two ways, or not at all`
      this.#gate.warn('tool_left_out', `${which}: they are left out, and their calls are refused`)
    }
    this.#unread = count
  }
}

/** How the gate is told whose tool it is. */
export function serverOf({ server }: Listing): { readonly server?: string } {
  return server === undefined ? {} : { server }
}
