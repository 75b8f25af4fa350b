import type { Call, Gate, Json, ToolDefinition } from '../../src/index.ts'
import { type Crossed, cross } from '../shared/cross.ts'
import { asksInChat, hear, isAskable } from '../shared/hearing.ts'
import { BY_CLIENT } from '../shared/mcp-result.ts'
import { crossRuns, idOfRun } from '../shared/runs.ts'
import { warnOfUnjson, warnOnce } from '../shared/warnings.ts'
import { isThirdParty } from './definition.ts'
import { argumentsOf, asHostArgument, type HostConfig, type HostTool, isBubbleUp } from './host.ts'
import { isToolMessage } from './message.ts'
import { decisionIn, questionOf } from './question.ts'
import { isAnswered, messagesOf, type Task, taskOf } from './task.ts'

/** What all tools of one guarded set share. */
export interface Surroundings {
  readonly gate: Gate
  readonly server: string | undefined
  /** Tools that pause their graph by themselves, and do nothing before they do. */
  readonly pauses: readonly string[]
  readonly onSilence: 'refuse' | 'hold'
  readonly holdMs: number | undefined
}

/** How one call came, and what runs it. */
export interface Passing {
  readonly arg: unknown
  readonly config: HostConfig
  readonly execute: (arg: unknown, reveal: (preview: unknown) => unknown) => unknown
}

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

  /** The host's id of this call; absent where a program called the tool by itself. */
  callIdOf({ toolCall }: HostConfig): string | undefined {
    return typeof toolCall?.id === 'string' && toolCall.id !== '' ? toolCall.id : undefined
  }

  /**
   * Decides and runs one call. Where policy wants the person of this chat to say yes first, the graph pauses: by an error of
   * LangGraph's own, and on resuming the whole call comes here again.
   */
  async take(passing: Passing): Promise<Crossed> {
    const { gate } = this.around
    const { config } = passing
    const task = asksInChat(gate) ? taskOf(config, this.name, this.callIdOf(config)) : undefined
    if (task === undefined) return await this.#cross(passing)
    const call = this.#callOf(passing)
    // Read before the call is judged: an answer can only be to a question that stood when this run began.
    const standing = await standingRef(gate, call)
    const crossed = await this.#cross(passing)
    if (crossed.outcome === 'ran' || !isAskable(crossed.refusal, crossed.record.request)) return crossed
    const { request } = crossed.record
    const decision = this.#decided(task, task.interrupt(questionOf(this.name, request)))
    if (decision === undefined || request.ref !== standing) return crossed
    await hear(gate, call, { ...decision, ref: standing })
    return await this.#cross(passing)
  }

  /** What the person decided; undefined, and the programmer is told, for an answer that cannot be taken for theirs to this. */
  #decided(task: Task, answer: unknown) {
    const decision = decisionIn(answer)
    if (decision === undefined) {
      this.#warn(
        'answer_not_read',
        `The answer for tool "${this.name}" is not one decision to approve or to reject, so it counts as none. Resume with new Command({ resume: { decisions: [{ type: 'approve' }] } }); arguments cannot be edited, because policy and person have seen these.`,
      )
      return undefined
    }
    if (task.isOurs(answer)) return decision
    this.#warn(
      'answer_without_id',
      `An answer for tool "${this.name}" came without the id of its question, while other questions may be open: LangGraph gives such an answer to all of them, so it counts for none. Resume with new Command({ resume: { [interrupt.id]: { decisions: [...] } } }).`,
    )
    return undefined
  }

  async #cross(passing: Passing): Promise<Crossed> {
    const hasAnswer = this.#pausesItself && isAnswered(passing.config)
    return await crossRuns(hasAnswer, (run) => this.#crossOnce(passing, run))
  }

  async #crossOnce(passing: Passing, run: number): Promise<Crossed> {
    const { gate, onSilence, holdMs } = this.around
    const { arg, config, execute } = passing
    try {
      const crossed = await cross({
        gate,
        call: this.#callOf(passing, run),
        execute: (decided: Json, reveal) => execute(asHostArgument(decided, arg), reveal),
        signal: config.signal,
        failed: (result) => isToolMessage(result) && result.status === 'error',
        ...(this.#pausesItself ? { gaveWay: isBubbleUp } : {}),
        ...(isThirdParty(this.tool) ? BY_CLIENT : {}),
        asked: { wait: !asksInChat(gate), onSilence, ...(holdMs === undefined ? {} : { holdMs }) },
      })
      if (crossed.outcome === 'refused')
        warnOfUnjson(gate, this.name, this.tool, { refusal: crossed.refusal, input: arg, where: 'the tool' })
      return crossed
    } catch (error) {
      if (isBubbleUp(error) && !this.#pausesItself) this.#warnOfOwnPause()
      throw error
    }
  }

  /** The call in the gate's words. `step` is the message count: providers reuse call ids. */
  #callOf({ arg, config }: Passing, run = 0): Call {
    const { server } = this.around
    const callId = this.callIdOf(config)
    const step = messagesOf(config)?.length
    return {
      tool: this.name,
      input: argumentsOf(arg),
      definition: this.#definition,
      ...(callId === undefined ? {} : { callId: idOfRun(callId, run) }),
      ...(step === undefined ? {} : { step }),
      ...(server === undefined ? {} : { server }),
    }
  }

  get #pausesItself(): boolean {
    return this.around.pauses.includes(this.name)
  }

  #warnOfOwnPause(): void {
    this.#warn(
      'tool_paused',
      `Tool "${this.name}" interrupted its graph after it had begun. LangGraph runs it again from its first line on resuming, and a call runs once: it will be refused. If it does nothing before it interrupts, say guardTools(tools, gate, { pauses: ['${this.name}'] }).`,
    )
  }

  #warn(code: string, message: string): void {
    warnOnce(this.around.gate, this.tool, code, message)
  }
}

/** The open request for this very call. A store that cannot be asked knows of none; the call is then refused for the same reason. */
async function standingRef(gate: Gate, call: Call): Promise<string | undefined> {
  try {
    const request = await gate.requestFor(call)
    return request?.state === 'pending' ? request.ref : undefined
  } catch {
    return undefined
  }
}
