import type { ApprovalRecord, Call, Gate, Json, ToolDefinition } from '../../src/index.ts'
import { giveBack } from '../shared/carry-out.ts'
import { type Crossed, cross } from '../shared/cross.ts'
import { asksInChat, isAskable } from '../shared/hearing.ts'
import { BY_CLIENT } from '../shared/mcp-result.ts'
import { crossRuns, idOfRun } from '../shared/runs.ts'
import { isSameJson } from '../shared/same-json.ts'
import { warnOfUnjson, warnOnce } from '../shared/warnings.ts'
import { isThirdParty, parsed } from './definition.ts'
import type { HostTool, Origin } from './host.ts'

/** What all tools of one guarded set share. */
export interface Surroundings {
  readonly gate: Gate
  readonly server: string | undefined
  /** Tools that suspend their run by themselves, and do nothing before they do. */
  readonly pauses: readonly string[]
  /** Tools that one run of a workflow may call several times with the same arguments. */
  readonly repeats: readonly string[]
  readonly onSilence: 'refuse' | 'hold'
  readonly holdMs: number | undefined
}

/** How one call came, and what runs it. */
export interface Passing {
  readonly input: unknown
  readonly origin: Origin
  readonly execute: (input: Json, reveal: (preview: unknown) => unknown) => unknown
}

/** A tool that suspended its run: it ended without a result, and is to be run again. */
export class Suspended extends Error {}

/** One tool's way through the gate. */
export class Passage {
  readonly name: string
  readonly tool: HostTool
  readonly around: Surroundings
  readonly #definition: ToolDefinition

  constructor(name: string, tool: HostTool, around: Surroundings, definition: ToolDefinition) {
    this.name = name
    this.tool = tool
    this.around = around
    this.#definition = definition
  }

  /** Decides and runs one call. */
  async take(passing: Passing): Promise<Crossed> {
    const hasAnswer = this.pausesItself && passing.origin.isResumed
    return await crossRuns(hasAnswer, (run) => this.#crossOnce(passing, run))
  }

  /** Would policy want the person of this chat to say yes to this? Nothing is claimed: the call itself is decided when it comes. */
  async wantsYes(input: unknown): Promise<boolean> {
    const { gate } = this.around
    if (!asksInChat(gate)) return false
    const call = await this.#callOf(input)
    // A question that stands needs no second one; and a yes that was given is not to be spent by asking about it.
    const request = await gate.requestFor(call)
    if (request?.state === 'pending' || request?.state === 'approved') return request.requires === 'confirmation'
    const admission = await gate.admit(call, { wait: false, obliging: 'all' })
    await giveBack(admission)
    return admission.outcome === 'refused' && isAskable(admission.refusal, admission.request)
  }

  /** The open request for a call with these arguments. */
  async request(input: unknown): Promise<ApprovalRecord | undefined> {
    return await this.around.gate.requestFor(await this.#callOf(input))
  }

  /**
   * INVARIANT I3: whoever is no agent has the host read the arguments once more, behind the gate. What its schema makes something else of
   * each time does not run.
   *
   * @throws TypeError
   */
  async checkRereading(decided: Json, { kind, isResumed }: Origin): Promise<void> {
    if (kind === 'agent' || isResumed || isSameJson(await parsed(this.tool, decided), decided)) return
    throw new TypeError(
      `The schema of tool "${this.name}" makes something else of what it has made of the arguments, so other arguments than were decided would run: nothing ran. Transform them inside execute.`,
    )
  }

  get pausesItself(): boolean {
    return this.around.pauses.includes(this.name)
  }

  warnOfOwnPause(): void {
    warnOnce(
      this.around.gate,
      this.tool,
      'tool_paused',
      `Tool "${this.name}" suspended its run after it had begun. Mastra runs it again from its first line on resuming, and a call runs once: it will be refused. If it does nothing before it suspends, say guardTools(tools, gate, { pauses: ['${this.name}'] }).`,
    )
  }

  async #crossOnce({ input, origin, execute }: Passing, run: number): Promise<Crossed> {
    const { gate, onSilence, holdMs } = this.around
    const { callId, step, kind, signal } = origin
    // One run of a workflow has no ids for its calls: the run's own counts for each tool and its arguments.
    const id = kind === 'workflow' && this.around.repeats.includes(this.name) ? undefined : callId
    const crossed = await cross({
      gate,
      call: {
        ...(await this.#callOf(input, kind !== 'agent')),
        ...(id === undefined ? {} : { callId: idOfRun(id, run) }),
        ...(step === undefined ? {} : { step }),
      },
      execute,
      signal,
      failed: saysItFailed,
      ...(isThirdParty(this.tool) ? BY_CLIENT : {}),
      gaveWay: (error) => error instanceof Suspended,
      asked: { wait: !asksInChat(gate), onSilence, ...(holdMs === undefined ? {} : { holdMs }) },
    })
    if (crossed.outcome === 'refused')
      warnOfUnjson(gate, this.name, this.tool, { refusal: crossed.refusal, input, where: 'execute' })
    return crossed
  }

  /** The call in the gate's words. An agent has parsed its arguments already; nobody else has. */
  async #callOf(input: unknown, isRaw = true): Promise<Call> {
    const { server } = this.around
    return {
      tool: this.name,
      input: (isRaw ? await parsed(this.tool, input) : input) ?? {},
      definition: this.#definition,
      ...(server === undefined ? {} : { server }),
    }
  }
}

/** Mastra returns what its schemas object to, and MCP servers say so in their result. */
function saysItFailed(result: unknown): boolean {
  if (typeof result !== 'object' || result === null) return false
  if (Reflect.get(result, 'isError') === true) return true
  return Reflect.get(result, 'error') === true && Reflect.has(result, 'validationErrors')
}
