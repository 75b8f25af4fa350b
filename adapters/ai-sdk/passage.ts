import {
  type Admission,
  type Call,
  type Gate,
  HoldpointError,
  type RefusedAdmission,
  type ToolDefinition,
} from '../../src/index.ts'
import { giveBack } from '../shared/carry-out.ts'
import { asksInChat, hear, hearNos, isAskable, type Said } from '../shared/hearing.ts'
import { type CallRecord, journalOf, partitionOf } from '../shared/journal.ts'
import { warnOfUnjson } from '../shared/warnings.ts'
import { nosInHistory, saidInHistory } from './approval-parts.ts'
import type { HostCall, HostTool } from './host.ts'
import type { Major, RefusalAs } from './presentation.ts'
import { toolAsks } from './tool-asks.ts'
import { warnOfLostReference, warnOfSilentChat } from './warnings.ts'

/** What all tools of one `guardTools` share. */
export interface Surroundings {
  readonly gate: Gate
  readonly server: string | undefined
  readonly refusalAs: RefusalAs | undefined
  readonly client: Major | undefined
  readonly onSilence: 'refuse' | 'hold'
  readonly holdMs: number | undefined
  /** Resolves once the gate knows every tool; absent when it does already. */
  readonly registered: Promise<void> | undefined
}

/** What was registered of the tool: the call is judged by this, whoever registers the name again. None for a stray tool. */
export type Definition = ToolDefinition | Promise<ToolDefinition> | undefined

/** An admission with its line in the journal. */
export interface Passing {
  readonly admission: Admission
  readonly record: CallRecord
}

/** Admissions that a hook began and `execute` has not fetched yet. */
const MOST_STARTED = 256
/** How long the schemas of a tool set may take to be read. */
const LONGEST_READING_MS = 10_000

/** One tool's way through the gate, shared by the host's approval hook and the wrapped `execute`. */
export class Passage {
  readonly name: string
  readonly tool: HostTool
  readonly around: Surroundings
  readonly #definition: Definition
  readonly #started = new Map<string, { readonly input: unknown; readonly passing: Promise<Passing> }>()

  constructor(name: string, tool: HostTool, around: Surroundings, definition: Definition) {
    this.name = name
    this.tool = tool
    this.around = around
    this.#definition = definition
  }

  /** See `asksInChat` of hearing. */
  get asksInChat(): boolean {
    return asksInChat(this.around.gate)
  }

  /**
   * May the host pause here? For a request that this chat can answer; and in observe mode, which holds nothing back, where the
   * tool itself wants a yes: then the host asks as it would without us.
   */
  mayPause(admission: Admission, wantsYes: boolean): boolean {
    if (admission.outcome === 'permitted') return wantsYes && !admission.enforced
    return this.asksInChat && isAskable(admission.refusal, admission.request)
  }

  /** For the hook: begins an admission that `execute` will find. */
  start(call: HostCall, wantsYes: boolean): Promise<Passing> {
    const passing = this.#admit(call, wantsYes, undefined)
    // Nobody may ever fetch it; whoever does meets the rejection.
    passing.catch(() => undefined)
    this.#started.set(this.#keyOf(call), { input: call.input, passing })
    for (const oldest of this.#started.keys()) {
      if (this.#started.size <= MOST_STARTED) break
      this.#started.delete(oldest)
    }
    return passing
  }

  /** The hook answered for good: nothing will be executed, and a permit that is there goes back unused. */
  async drop(call: HostCall, { admission }: Passing): Promise<void> {
    this.#started.delete(this.#keyOf(call))
    await giveBack(admission)
  }

  /** For `execute`: the admission that the hook began for this very input, or a new one. */
  async fetch(call: HostCall, signal: AbortSignal | undefined): Promise<Passing> {
    const key = this.#keyOf(call)
    const started = this.#started.get(key)
    if (started === undefined || started.input !== call.input)
      return await this.#admit(call, await toolAsks(this.tool, call), signal)
    this.#started.delete(key)
    return await unlessAborted(started.passing, signal)
  }

  /** Whose call: a module-level agent serves several people, and call ids repeat. */
  #keyOf(call: HostCall): string {
    const { gate } = this.around
    return JSON.stringify([partitionOf(gate), gate.scope?.agent ?? null, call.messages.length, call.callId])
  }

  async #admit(call: HostCall, wantsYes: boolean, signal: AbortSignal | undefined): Promise<Passing> {
    const { gate, registered, onSilence, holdMs } = this.around
    const asked = this.#callOf(call, await this.#read(registered, signal))
    const said = this.asksInChat ? saidInHistory(call.messages, call.callId) : undefined
    if (this.asksInChat) await hearNos(gate, nosInHistory(call.messages))
    if (said !== undefined) await hear(gate, asked, said)
    const admission = await gate.admit(asked, {
      wait: !this.asksInChat,
      onSilence,
      obliging: 'all',
      ...(holdMs === undefined ? {} : { holdMs }),
      ...(signal === undefined ? {} : { signal }),
      // INVARIANT I4: what the client's history says of an approval is no approval; the tool's own question is our store's too.
      ...(wantsYes ? { requires: 'confirmation' as const } : {}),
    })
    if (admission.outcome === 'refused') this.#warn(call, admission, wantsYes, said)
    return { admission, record: journalOf(gate).note(call.callId, this.name, admission) }
  }

  /** The tool's definition, once the gate knows every tool. A schema that is promised and never comes must not hold up a call. */
  async #read(registered: Promise<void> | undefined, signal: AbortSignal | undefined) {
    const reading = Promise.all([this.#definition, registered])
    const late = new HoldpointError(
      'ERR_TOOL',
      `Tool "${this.name}" did not run: a schema of its tool set is a promise that did not settle within ${LONGEST_READING_MS} ms.`,
    )
    const [definition] = await beforeEither(reading, late, signal)
    return definition
  }

  /** The call in the gate's words. `step` is the message count: providers reuse call ids. */
  #callOf(call: HostCall, definition: ToolDefinition | undefined): Call {
    const { server } = this.around
    return {
      tool: this.name,
      input: call.input,
      callId: call.callId,
      step: call.messages.length,
      ...(server === undefined ? {} : { server }),
      ...(definition === undefined ? {} : { definition }),
    }
  }

  #warn(call: HostCall, refused: RefusedAdmission, wantsYes: boolean, said: Said | undefined): void {
    const { name, tool } = this
    const { gate } = this.around
    warnOfUnjson(gate, name, tool, { refusal: refused.refusal, input: call.input, where: 'execute' })
    if (refused.request === undefined) return
    if (wantsYes && !this.asksInChat) warnOfSilentChat(gate, name, tool)
    if (said !== undefined && said.ref === undefined) warnOfLostReference(gate, name, tool)
  }
}

/** Waits no longer than the caller does, and no longer than a schema may take. */
async function beforeEither<T>(work: Promise<T>, late: Error, signal: AbortSignal | undefined): Promise<T> {
  let stop: () => void = () => undefined
  const ended = new Promise<never>((_resolve, reject) => {
    const leave = () => reject(signal?.reason)
    const timer = setTimeout(() => reject(late), LONGEST_READING_MS)
    signal?.addEventListener('abort', leave, { once: true })
    stop = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', leave)
    }
  })
  try {
    return await Promise.race([work, ended])
  } finally {
    stop()
  }
}

/** Waits for an admission, unless the caller goes away first; a permit that arrives later is given back unused. */
async function unlessAborted(passing: Promise<Passing>, signal: AbortSignal | undefined): Promise<Passing> {
  if (signal === undefined) return await passing
  let leave: () => void = () => undefined
  const aborted = new Promise<undefined>((resolve) => {
    leave = () => resolve(undefined)
    signal.addEventListener('abort', leave, { once: true })
  })
  const first = signal.aborted ? undefined : await Promise.race([passing, aborted])
  signal.removeEventListener('abort', leave)
  if (first !== undefined && !signal.aborted) return first
  // What could not even be admitted has no permit to give back; the caller hears why it left.
  passing.then(({ admission }) => giveBack(admission)).catch(() => undefined)
  throw signal.reason
}
