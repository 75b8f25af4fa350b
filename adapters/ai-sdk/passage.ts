import type { Admission, Call, Gate, Refusal } from '../../src/index.ts'
import { giveBack } from '../shared/carry-out.ts'
import { type CallRecord, journalOf, partitionOf } from '../shared/journal.ts'
import { firstUnjson } from '../shared/unjson.ts'
import { saidInHistory } from './approval-parts.ts'
import { hear, noteUnheard } from './hearing.ts'
import type { HostMessage, HostTool } from './host.ts'
import type { Major, RefusalAs } from './presentation.ts'

/** What all tools of one `guardTools` share. */
export interface Surroundings {
  readonly gate: Gate
  readonly server: string | undefined
  readonly refusalAs: RefusalAs | undefined
  readonly client: Major | undefined
  /** Resolves once the gate knows every tool; absent when it does already. */
  readonly registered: Promise<void> | undefined
}

/** One call as the host hands it to the hook or to `execute`. */
export interface HostCall {
  readonly callId: string
  readonly input: unknown
  readonly messages: readonly HostMessage[]
}

/** An admission with its line in the journal. */
export interface Passing {
  readonly admission: Admission
  readonly record: CallRecord
}

/** Admissions that a hook began and `execute` has not fetched yet. */
const MOST_STARTED = 256

/** Tools whose author was already told that their schema makes what JSON cannot hold. */
const warned = new WeakSet<HostTool>()

/** One tool's way through the gate, shared by the host's approval hook and the wrapped `execute`. */
export class Passage {
  readonly name: string
  readonly tool: HostTool
  readonly around: Surroundings
  readonly #started = new Map<string, { readonly input: unknown; readonly passing: Promise<Passing> }>()

  constructor(name: string, tool: HostTool, around: Surroundings) {
    this.name = name
    this.tool = tool
    this.around = around
  }

  /** Can the person in this chat answer for this principal? An anonymous chat cannot: nobody is there to say yes. */
  get asksInChat(): boolean {
    const { scope } = this.around.gate
    return scope?.channel === 'chat' && scope.principal.type === 'user' && scope.principal.basis !== 'default'
  }

  /** May the host pause for this refusal? */
  mayPause(admission: Admission): boolean {
    if (admission.outcome !== 'refused' || admission.request?.requires !== 'confirmation' || !this.asksInChat)
      return false
    return admission.refusal.code === 'approval_required' || admission.refusal.code === 'approval_pending'
  }

  /** For the hook: begins an admission that `execute` will find. */
  start(call: HostCall): Promise<Passing> {
    const passing = this.#admit(call, undefined)
    // Nobody may ever fetch it; whoever does meets the rejection.
    passing.catch(() => undefined)
    this.#started.set(this.#keyOf(call), { input: call.input, passing })
    for (const oldest of this.#started.keys()) {
      if (this.#started.size <= MOST_STARTED) break
      this.#started.delete(oldest)
    }
    return passing
  }

  /** The hook answered for good: nothing will be executed. */
  drop(call: HostCall): void {
    this.#started.delete(this.#keyOf(call))
  }

  /** For `execute`: the admission that the hook began for this very input, or a new one. */
  async fetch(call: HostCall, signal: AbortSignal | undefined): Promise<Passing> {
    const key = this.#keyOf(call)
    const started = this.#started.get(key)
    if (started === undefined || started.input !== call.input) return await this.#admit(call, signal)
    this.#started.delete(key)
    return await unlessAborted(started.passing, signal)
  }

  /** Whose call: a module-level agent serves several people, and call ids repeat. */
  #keyOf(call: HostCall): string {
    const { gate } = this.around
    return JSON.stringify([partitionOf(gate), gate.scope?.agent ?? null, call.messages.length, call.callId])
  }

  async #admit(call: HostCall, signal: AbortSignal | undefined): Promise<Passing> {
    const { gate, registered } = this.around
    if (registered !== undefined) await registered
    const asked = this.callOf(call)
    const said = this.asksInChat ? saidInHistory(call.messages, call.callId) : undefined
    if (said !== undefined) await hear(gate, asked, said)
    const admission = await gate.admit(asked, { wait: !this.asksInChat, ...(signal === undefined ? {} : { signal }) })
    if (said !== undefined) noteUnheard(admission, said)
    if (admission.outcome === 'refused') this.#warn(admission.refusal, call.input)
    return { admission, record: journalOf(gate).note(call.callId, this.name, admission) }
  }

  /** The call in the gate's words. `step` is the message count: providers reuse call ids. */
  callOf(call: HostCall): Call {
    const { server } = this.around
    return {
      tool: this.name,
      input: call.input,
      callId: call.callId,
      step: call.messages.length,
      ...(server === undefined ? {} : { server }),
    }
  }

  #warn(refusal: Refusal, input: unknown): void {
    if (refusal.code !== 'arguments_rejected' || warned.has(this.tool)) return
    const found = firstUnjson(input)
    if (found === undefined) return
    warned.add(this.tool)
    this.around.gate.warn(
      'unjson_argument',
      `The schema of tool "${this.name}" turns ${found.path || 'the arguments'} into a ${found.kind}, which has no canonical form: every call is refused. Keep the schema's output to JSON (a string for a date) and convert inside execute.`,
    )
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
  passing.then(({ admission }) => giveBack(admission)).catch(() => undefined)
  throw signal.reason
}
