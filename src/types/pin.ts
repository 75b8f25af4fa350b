/** Third parties’ tools as they were recorded. */
import type { ToolDefinition } from './tool.ts'

/** A third party's tool as it was recorded. */
export interface Pin {
  /** Its `definitionDigest`. */
  readonly digest: string
  readonly definition: ToolDefinition
}

/** What was recorded of one server's tools. */
export interface PinRecord {
  /** Our own name of the server, never its own. */
  readonly server: string
  readonly recordedAt: number
  /** By name. */
  readonly tools: ReadonlyMap<string, Pin>
}

/** Where pins are kept. Synchronous: a call is held against them on its own turn. */
export interface PinShelf {
  /** Another text whenever a server's pins may have become others; absent when it has none. Cheap, since every call asks. */
  stamp(server: string): string | undefined
  /**
   * A server's pins; absent when it has none.
   *
   * @throws HoldpointError ERR_PINS when they cannot be relied on
   */
  read(server: string): PinRecord | undefined
  /**
   * Records pins where there are none, whole or not at all: of several processes one wins. False when there were some already.
   *
   * @throws HoldpointError ERR_PINS
   */
  pin(record: PinRecord): boolean
  /** What was seen last that differs from the pins, for a person to look at. @throws HoldpointError ERR_PINS */
  seen(server: string): PinRecord | undefined
  /** Takes the place of what was seen before; without tools, nothing differs any longer. @throws HoldpointError ERR_PINS */
  see(record: PinRecord): void
}
