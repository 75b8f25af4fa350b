import { HoldpointError } from '../errors.ts'
import type { Clock, Contract, Pin, PinRecord, PinShelf, Quarantine } from '../types.ts'

/** What a gate holds a server's tools against. Without a record none of them is known. */
interface Held {
  readonly stamp: string | undefined
  readonly record: PinRecord | undefined
  /** Nothing was ever pinned of it here: its next listing is first used. */
  readonly isNew: boolean
}

/** Has a tool become another than its pin, or none at all? */
export function quarantineOf(record: PinRecord | undefined, tool: string, digest: string): Quarantine | undefined {
  const pin = record?.tools.get(tool)
  if (pin === undefined) return 'tool_unknown'
  return pin.digest === digest ? undefined : 'tool_changed'
}

/** The tools of a listing as they are recorded. */
export function pinsOf(contracts: readonly Contract[]): ReadonlyMap<string, Pin> {
  return new Map(contracts.map(({ tool, definitionDigest: digest, definition }) => [tool, { digest, definition }]))
}

/**
 * The pins of third parties' servers, as one gate believes them: trust on first use.
 *
 * INVARIANT I4: what was pinned once in this gate is never first used again. Pins that are gone or broken since refuse.
 */
export class Pins {
  readonly #shelf: PinShelf
  readonly #clock: Clock
  readonly #warn: (message: string) => void
  readonly #held = new Map<string, Held>()

  constructor(parts: {
    readonly shelf: PinShelf
    readonly clock: Clock
    /** Told, in words for the operator, when pins that were good are no longer. */
    readonly warn: (message: string) => void
  }) {
    this.#shelf = parts.shelf
    this.#clock = parts.clock
    this.#warn = parts.warn
  }

  /** Are this server's tools held against pins? */
  holds(server: string): boolean {
    return this.#held.has(server)
  }

  /**
   * Reads a server's pins before its tools are looked at.
   *
   * @throws HoldpointError ERR_PINS when they cannot be relied on
   */
  open(server: string): PinRecord | undefined {
    const stamp = this.#shelf.stamp(server)
    const record = this.#shelf.read(server)
    const isNew = this.#held.get(server)?.isNew ?? true
    if (record !== undefined) this.#held.set(server, { stamp, record, isNew: false })
    else if (isNew) this.#held.set(server, { stamp: undefined, record, isNew })
    return this.current(server)
  }

  /**
   * Pins what a server lists, where nothing is pinned of it yet. A listing without tools says nothing, and is no first use.
   *
   * @throws HoldpointError ERR_PINS
   */
  first(server: string, contracts: readonly Contract[]): void {
    if (this.#held.get(server)?.isNew !== true || contracts.length === 0) return
    // Another process may have been first: then its pins are what these tools are held against.
    this.#shelf.pin({ server, recordedAt: this.#clock.now(), tools: pinsOf(contracts) })
    this.#held.set(server, { stamp: undefined, record: undefined, isNew: false })
    if (this.open(server) === undefined)
      throw new HoldpointError('ERR_PINS', `the pins of ${server} vanished right after they were written`, {
        at: server,
      })
  }

  /** A server's pins as they are now: another process may have accepted a tool meanwhile. Never throws. */
  current(server: string): PinRecord | undefined {
    const held = this.#held.get(server)
    if (held === undefined) return undefined
    const stamp = this.#stampOf(server)
    if (stamp === held.stamp) return held.record
    const record = this.#reread(server)
    this.#held.set(server, { stamp, record, isNew: false })
    return record
  }

  /** Puts down what differs, so that a person can look at it from another process. */
  see(server: string, differing: readonly Contract[]): void {
    try {
      const tools = pinsOf(differing)
      if (tools.size > 0 && isSame(tools, this.#seen(server))) return
      this.#shelf.see({ server, recordedAt: this.#clock.now(), tools })
    } catch (cause) {
      // The tools are refused all the same: only their review has to wait.
      this.#warn(`what ${server} lists now cannot be put down for review: ${reasonOf(cause)}`)
    }
  }

  /** What cannot be read is written anew. */
  #seen(server: string): ReadonlyMap<string, Pin> {
    try {
      return this.#shelf.seen(server)?.tools ?? new Map()
    } catch {
      return new Map()
    }
  }

  #stampOf(server: string): string | undefined {
    try {
      return this.#shelf.stamp(server)
    } catch {
      // Whatever is wrong with it is said when it is read.
      return 'unreadable'
    }
  }

  #reread(server: string): PinRecord | undefined {
    try {
      const record = this.#shelf.read(server)
      if (record === undefined)
        this.#warn(`the pins of ${server} are gone: its calls are refused until this process is started again`)
      return record
    } catch (cause) {
      this.#warn(`the calls of ${server} are refused: ${reasonOf(cause)}`)
      return undefined
    }
  }
}

function isSame(one: ReadonlyMap<string, Pin>, other: ReadonlyMap<string, Pin>): boolean {
  return one.size === other.size && [...one].every(([tool, { digest }]) => other.get(tool)?.digest === digest)
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : 'they cannot be read'
}
