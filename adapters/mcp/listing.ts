import { type Gate, HoldpointError, type ToolDefinition } from '../../src/index.ts'
import { definitionOf, type Origin } from './definition.ts'
import { isObject, type Message, textOf } from './message.ts'

/** After so long a call has the tools listed again: a server may change them and say nothing. */
const LONGEST_AGE_MS = 60_000
/** Listings that are under way, by the cursor of their next page. */
const MOST_CHAINS = 64
/** As many as a gate learns of one server: what comes after is not known. */
export const MOST_LISTED = 2_000

const NONE: ReadonlyMap<string, unknown> = new Map()

/**
 * What a server lists, gathered from the pages that pass by or that the gate asks for itself. A call is judged by a whole
 * listing and by nothing less: a tool that is in none is refused.
 */
export class Listing {
  /** Our own name of it; none for the gate's own server. */
  readonly server: string | undefined
  readonly origin: Origin
  readonly #gate: Gate
  /** Tools so far, by the cursor that continues them. */
  readonly #chains = new Map<string, readonly unknown[]>()
  #known: ReadonlyMap<string, ToolDefinition> | undefined
  #learnedAt = 0
  #edition = 0

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
    this.#chains.clear()
  }

  /**
   * A page came. Once it is the last of its listing, the gate learns the whole.
   *
   * @param cursor what the page was asked for with; none for the first
   * @returns the page without the tools that are quarantined: what a stranger wrote anew is shown to no model before a person
   * has seen it
   */
  take(cursor: string | undefined, page: Message): Message {
    const { tools } = page
    const next = textOf(page['nextCursor'])
    if (!Array.isArray(tools)) return page
    const before = cursor === undefined ? [] : this.#chains.get(cursor)
    if (cursor !== undefined) this.#chains.delete(cursor)
    if (before !== undefined) {
      const all = [...before, ...tools]
      if (next === undefined) this.learn(all)
      else this.#continue(next, all)
    }
    return this.#withoutQuarantined(page, tools)
  }

  /**
   * Is this the first of several pages of a stranger's? Then the whole has to be known before a model may see it: what has
   * changed is told by the whole alone.
   */
  wantsWhole(cursor: unknown, page: Message): boolean {
    return this.origin === 'third-party' && cursor === undefined && textOf(page['nextCursor']) !== undefined
  }

  /**
   * Learns one whole listing.
   *
   * @param edition the one that was asked for; a listing of an older one serves whoever waits for it, and nobody after
   */
  learn(tools: readonly unknown[], edition: number = this.#edition): void {
    const definitions = tools
      .slice(0, MOST_LISTED)
      .map((tool) => definitionOf(onTheWire(tool), this.origin))
      .filter((definition) => definition !== undefined)
    this.#known = new Map()
    this.#learnedAt = edition === this.#edition ? performance.now() : Number.NEGATIVE_INFINITY
    try {
      this.#gate.register(definitions, { ...serverOf(this), pinned: this.origin === 'third-party' })
      // Of two of one name the gate has learned the first.
      this.#known = new Map(definitions.toReversed().map((definition) => [definition.name, definition]))
    } catch (cause) {
      // INVARIANT I4: tools that cannot be learned are tools that nobody knows.
      if (!(cause instanceof HoldpointError)) throw cause
      this.#gate.warn('tool_unknown', `no tool of ${this.label} can be called: ${cause.message}`)
    }
  }

  #continue(cursor: string, tools: readonly unknown[]): void {
    if (tools.length > MOST_LISTED) return
    this.#chains.set(cursor, tools)
    for (const oldest of this.#chains.keys()) {
      if (this.#chains.size <= MOST_CHAINS) break
      this.#chains.delete(oldest)
    }
  }

  #withoutQuarantined(page: Message, tools: readonly unknown[]): Message {
    const quarantined = this.server === undefined ? NONE : this.#gate.quarantined(this.server)
    if (quarantined.size === 0 || this.#gate.health().mode === 'observe') return page
    const kept = tools.filter(
      (tool) => !(isObject(tool) && typeof tool['name'] === 'string' && quarantined.has(tool['name'])),
    )
    if (kept.length === tools.length) return page
    // A list that is not everybody's must not be kept for everybody (MCP 2026-07-28, caching).
    return { ...page, tools: kept, ...(Object.hasOwn(page, 'cacheScope') ? { cacheScope: 'private' } : {}) }
  }
}

/** How the gate is told whose tool it is. */
export function serverOf({ server }: Listing): { readonly server?: string } {
  return server === undefined ? {} : { server }
}

/** Between two parties in one process frames are objects, with members that no wire would carry. */
function onTheWire(tool: unknown): unknown {
  return JSON.parse(JSON.stringify(tool ?? null), withinDoubles)
}

/**
 * Schemas that were made from 64-bit types have bounds such as 9223372036854775807, which no canonical form takes. No argument
 * beyond 2^53 - 1 is ever taken either, so the nearest bound that can be written means the same.
 */
function withinDoubles(_name: string, value: unknown): unknown {
  if (typeof value !== 'number' || !Number.isInteger(value) || Number.isSafeInteger(value)) return value
  return Math.sign(value) * Number.MAX_SAFE_INTEGER
}
