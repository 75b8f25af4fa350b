import {
  type AdmitOptions,
  type ApprovalRecord,
  type Call,
  type Gate,
  type RefusedAdmission,
  renderForModel,
  type ToolDefinition,
} from '../../src/index.ts'
import { giveBack } from '../shared/carry-out.ts'
import { type Crossed, type Crossing, cross } from '../shared/cross.ts'
import { asksInChat, isAskable, wantsYes as isOpenForAYes } from '../shared/hearing.ts'
import { journalOf, partitionOf } from '../shared/journal.ts'
import { namedRequest } from '../shared/named-request.ts'
import { type HostRunContext, type HostTool, member } from './host.ts'
import { warnOfUnheardYes } from './warnings.ts'

/** What all tools of one `guardTools` share. */
export interface Surroundings {
  readonly gate: Gate
  readonly server: string | undefined
  readonly pauseFor: 'chat' | 'anyone'
  readonly onSilence: 'refuse' | 'hold'
  readonly holdMs: number | undefined
}

/** The arguments of one call: as the text that the model wrote, or as a value where the host has read it already. */
export type Arguments = { readonly inputText: string } | { readonly input: unknown }

/** One call as the host hands it over. */
export interface Asked {
  readonly arguments: Arguments
  readonly callId: string | undefined
  /** The tool's own author wants a person's yes for it. */
  readonly wantsYes: boolean
  /** Tells a call that is taken up again from the one that paused. */
  readonly step?: number
}

/** How a permitted call is run. */
export type Running = Pick<Crossing, 'execute' | 'signal' | 'failed' | 'reveal' | 'revealError'>

/** Refusals that a hook had and no execution has fetched yet. */
const MOST_REFUSED = 256

/** One tool's way through the gate, shared by the host's hooks and the wrapped execution. */
export class Passage {
  readonly name: string
  readonly tool: HostTool
  readonly around: Surroundings
  readonly #definition: ToolDefinition | undefined
  readonly #refused = new Map<string, { readonly text: string; readonly admission: RefusedAdmission }>()

  constructor(name: string, tool: HostTool, around: Surroundings, definition: ToolDefinition | undefined) {
    this.name = name
    this.tool = tool
    this.around = around
    this.#definition = definition
  }

  /** May the host's hook pause for more than the author's own question? A view that names its place has said so for good. */
  get mayAsk(): boolean {
    const { gate, pauseFor } = this.around
    return pauseFor === 'anyone' || gate.scope === undefined || asksInChat(gate)
  }

  /** Is there anybody whom the host could pause for now, beside the author's own question? */
  get asksPeople(): boolean {
    return this.around.pauseFor === 'anyone' || asksInChat(this.around.gate)
  }

  /**
   * The question about a call that a run waits with, for whoever shows it: a pointer. It is asked anew where it has lapsed, since runs
   * are kept for longer than questions, and where the host paused without asking us.
   */
  async question(asked: Pick<Asked, 'arguments' | 'callId'>): Promise<ApprovalRecord | undefined> {
    const found = await this.#find(asked)
    if (found !== undefined && found.state !== 'expired') return found
    await this.#ask(asked)
    return await this.#find(asked)
  }

  async #find(asked: Pick<Asked, 'arguments' | 'callId'>): Promise<ApprovalRecord | undefined> {
    const { gate } = this.around
    const call = this.#callOf({ ...asked, wantsYes: false })
    // Policy may have changed the arguments since the first yes: then the newest question is about the changed ones.
    const newest = asked.callId === undefined ? undefined : journalOf(gate).find(asked.callId)?.request?.ref
    return (newest === undefined ? undefined : await namedRequest(gate, call, newest)) ?? (await gate.requestFor(call))
  }

  /** What the policies want asked; where they want nothing, it was the tool's author who had the host pause. */
  async #ask(asked: Pick<Asked, 'arguments' | 'callId'>): Promise<void> {
    for (const wantsYes of [false, true]) {
      const pending = { ...asked, wantsYes }
      const admission = await this.around.gate.admit(this.#callOf(pending), this.#optionsFor(pending, false))
      if (admission.outcome === 'refused') return
      await giveBack(admission)
    }
  }

  /**
   * For a hook: does this call wait for a person, as far as the policies have it? Asked before the person is: what is denied is
   * nobody's question.
   */
  async waits(asked: Asked): Promise<boolean> {
    const { gate } = this.around
    const admission = await gate.admit(this.#callOf(asked), this.#optionsFor(asked, false))
    if (admission.outcome === 'permitted') {
      // Observe mode holds nothing back: the author's own question is asked as it would be without us.
      const isAskedAnyway = asked.wantsYes && !admission.enforced
      if (isAskedAnyway) await giveBack(admission)
      return isAskedAnyway
    }
    if (!this.#mayPause(admission, asked.wantsYes)) {
      this.#keep(asked, admission)
      return false
    }
    journalOf(gate).note(asked.callId ?? this.name, this.name, admission)
    return true
  }

  /** For the execution: the refusal that a hook had for these very arguments, or the whole pass. */
  async cross(context: HostRunContext | undefined, asked: Asked, running: Running): Promise<Crossed> {
    const { gate } = this.around
    const refused = this.#fetch(asked)
    if (refused !== undefined) {
      const record = journalOf(gate).note(asked.callId ?? this.name, this.name, refused)
      return { outcome: 'refused', refusal: refused.refusal, record }
    }
    const { signal: _, obliging: __, ...options } = this.#optionsFor(asked, !asksInChat(gate))
    const crossed = await cross({ gate, call: this.#callOf(asked), asked: options, ...running })
    if (crossed.outcome === 'refused' && crossed.record.request !== undefined)
      warnOfUnheardYes(this, context, asked.callId)
    return crossed
  }

  /** What the model reads of a call that did not run. */
  async refusalText(asked: Asked): Promise<string | undefined> {
    const { gate } = this.around
    const admission = await gate.admit(this.#callOf(asked), this.#optionsFor(asked, false))
    if (admission.outcome === 'permitted') {
      await giveBack(admission)
      return undefined
    }
    if (this.#mayPause(admission, asked.wantsYes)) return undefined
    journalOf(gate).note(asked.callId ?? this.name, this.name, admission)
    return renderForModel(admission.refusal)
  }

  #mayPause({ request, refusal }: RefusedAdmission, wantsYes: boolean): boolean {
    if (request === undefined || !isOpenForAYes(refusal)) return false
    return (
      wantsYes || this.around.pauseFor === 'anyone' || (isAskable(refusal, request) && asksInChat(this.around.gate))
    )
  }

  #keep(asked: Asked, admission: RefusedAdmission): void {
    const text = textOf(asked.arguments)
    if (asked.callId === undefined || text === undefined) return
    this.#refused.set(this.#keyOf(asked.callId), { text, admission })
    for (const oldest of this.#refused.keys()) {
      if (this.#refused.size <= MOST_REFUSED) break
      this.#refused.delete(oldest)
    }
  }

  #fetch(asked: Asked): RefusedAdmission | undefined {
    if (asked.callId === undefined) return undefined
    const key = this.#keyOf(asked.callId)
    const kept = this.#refused.get(key)
    this.#refused.delete(key)
    // A hook knows nothing of a run that is taken up again: what it was refused is the call that has run.
    const isSame = kept !== undefined && asked.step === undefined && kept.text === textOf(asked.arguments)
    return isSame ? kept.admission : undefined
  }

  /** Whose call: a module-level agent serves several people, and call ids repeat. */
  #keyOf(callId: string): string {
    const { gate } = this.around
    return JSON.stringify([partitionOf(gate), gate.scope?.agent ?? null, callId])
  }

  #callOf({ arguments: given, callId, step }: Asked): Call {
    const { server } = this.around
    return {
      tool: this.name,
      ...given,
      ...(this.#definition === undefined ? {} : { definition: this.#definition }),
      ...(callId === undefined ? {} : { callId }),
      ...(step === undefined ? {} : { step }),
      ...(server === undefined ? {} : { server }),
    }
  }

  #optionsFor({ wantsYes }: Asked, wait: boolean): AdmitOptions {
    const { onSilence, holdMs } = this.around
    return {
      wait,
      onSilence,
      obliging: 'all',
      ...(holdMs === undefined ? {} : { holdMs }),
      // INVARIANT I4: what a saved run says of an approval is no approval; the author's own question is our store's too.
      ...(wantsYes ? { requires: 'confirmation' as const } : {}),
    }
  }
}

/** By what a hook's arguments are those of an execution: hosts hand the one a value and the other a text. */
function textOf(given: Arguments): string | undefined {
  try {
    return JSON.stringify('input' in given ? given.input : JSON.parse(given.inputText))
  } catch {
    return undefined
  }
}

/** The id of a call, out of whatever the host hands over. */
export function callIdOf(call: unknown): string | undefined {
  const callId = member(call, 'callId')
  return typeof callId === 'string' && callId !== '' ? callId : undefined
}
