/** A call, as a host hands it over and as it is kept. */
import type { Json, JsonObject } from './json.ts'
import type { ToolDefinition } from './tool.ts'

/** A tool call as a host hands it over. `input` is UNTRUSTED: it is snapshotted before anything reads it. */
export interface Call {
  readonly tool: string
  /** Our own name of the tool's server; the configured server (or `local`) when absent. */
  readonly server?: string
  /** The arguments as a value. Exactly one of `input` and `inputText` is given. */
  readonly input?: unknown
  /** The arguments as the JSON text that the host received; read strictly. */
  readonly inputText?: string
  /**
   * What goes to the tool beside its arguments, where a protocol has such a thing: a client's answers to a server's questions, for
   * instance. UNTRUSTED. Policies do not read it, but two calls that differ in it are two calls, a person who is asked is shown it,
   * and it may not name holdpoint's own files.
   */
  readonly beside?: unknown
  /** The host's id of this call. A host without ids leaves it out, and the gate mints one. */
  readonly callId?: string
  /** The adapter's message count when the call was made: providers reuse call ids. */
  readonly step?: number
  /** The caller's own promise that this is the same act; replaces the call id in the call key. */
  readonly idempotencyKey?: string
  /**
   * The very object that was registered for this tool. Where several were registered under one name, the call is judged by
   * this one; a call whose definition was never registered is refused (`tool_changed`). The newest when absent.
   */
  readonly definition?: ToolDefinition
}

/** The one exact copy of a call's arguments that everything downstream reads (I3). */
export interface Snapshot {
  /** RFC 8785 canonical text of the arguments. */
  readonly text: string
  readonly bytes: Uint8Array
  /** Of the arguments, and of what goes beside them. */
  readonly digest: string
  /** What a person is shown before they say yes: `text`, or arguments and `beside` as one canonical text. */
  readonly shown: string
  /** A fresh parse of `text`; each reader gets its own. */
  parse(): Json
  /** The same of what goes beside the arguments. */
  parseBeside(): Json | undefined
}

/** Facts that the gate derives from arguments so that policies need no string surgery, keyed by JSON Pointer. */
export interface DerivedFacts {
  readonly [pointer: string]: JsonObject
}
