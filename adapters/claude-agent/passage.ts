import {
  type Admission,
  type ApprovalRecord,
  type Call,
  type Gate,
  type JsonObject,
  type PermittedAdmission,
  type Refusal,
  renderForModel,
  renderNotes,
} from '../../src/index.ts'
import { asksInChat, isAskable, isAskedAnew } from '../shared/hearing.ts'
import { journalOf } from '../shared/journal.ts'
import { reportOf } from '../shared/report-of.ts'
import { isSameJson } from '../shared/same-json.ts'
import { denied, endingOf, FAILED, NOBODY } from './answers.ts'
import { RunningCalls } from './calls.ts'
import type { ClaudeOptions } from './claude-options.ts'
import { Foreign } from './foreign.ts'
import { HOST } from './guard-tools.ts'
import { type GuardedTool, guardedTool } from './guarded.ts'
import {
  beside,
  type HookAnswer,
  type HostEvent,
  isToolEvent,
  type Permission,
  type PermissionQuestion,
  type ToolEvent,
} from './host.ts'
import { type ToolName, toolNameOf } from './names.ts'

/** How long before the host's own deadline a decision is given up, ms: so that the refusal is ours, with its receipt. */
const SPARE_MS = 1_500
/** Questions that a person has not answered yet. */
const MOST_ASKED = 256

/** One call of the host, in the gate's words. */
interface Arrived {
  readonly name: ToolName
  readonly call: Call
  /** Set where our own handler runs the tool, and decides with it. */
  readonly guarded: GuardedTool | undefined
  readonly event: ToolEvent
}

/** What the host is told of a permitted call. */
type Let =
  | { readonly kind: 'refused'; readonly text: string }
  /** `given`: the decided arguments, where it is the host that runs the tool. */
  | { readonly kind: 'let'; readonly given: JsonObject | undefined }

/** The way through the gate of every tool that a query calls. */
export class Passage {
  readonly #gate: Gate
  readonly #options: ClaudeOptions
  readonly #timeoutMs: number
  readonly #foreign: Foreign
  readonly #running = new RunningCalls()
  /** Calls for which the host was told to ask a person. */
  readonly #asked = new Map<string, { readonly arrived: Arrived; readonly request: ApprovalRecord }>()

  constructor(gate: Gate, options: ClaudeOptions, timeoutS: number) {
    this.#gate = gate
    this.#options = options
    this.#timeoutMs = timeoutS * 1_000
    this.#foreign = new Foreign(gate)
  }

  /** `PreToolUse`. INVARIANT I4: whatever goes wrong in here is a no. */
  async before(event: HostEvent, signal: AbortSignal): Promise<HookAnswer> {
    try {
      if (!isToolEvent(event)) return denied(FAILED)
      const arrived = this.#arrive(event)
      const admission = await this.#admit(arrived, this.#inTime(signal))
      if (admission.outcome === 'permitted') return this.#answer(this.#let(arrived, admission))
      const { request, refusal } = admission
      if (request !== undefined && this.#pausesFor(refusal, request)) return this.#pause(arrived, request)
      this.#tell(event.tool_use_id)
      return denied(renderForModel(refusal))
    } catch {
      return denied(FAILED)
    }
  }

  /** `PostToolUse` and `PostToolUseFailure`: the outcome, and the tripwire. */
  async after(event: HostEvent): Promise<HookAnswer> {
    if (!isToolEvent(event)) return {}
    const name = toolNameOf(event, this.#options)
    // A refusal of our own handler is a failure to the host; nothing has run.
    if (this.#guarded(name) !== undefined && reportOf(this.#gate, event.tool_use_id)?.outcome === 'refused') return {}
    const running = this.#running.find(event.tool_use_id)
    // INVARIANT I5: beside a result of our own handler it stands already.
    const note = running?.given === undefined ? undefined : renderNotes(running.admission)
    const reported = await this.#running.end(event.tool_use_id, event.tool_input, endingOf(event))
    if (reported === 'otherwise') this.#warnOfOther(name, event)
    const isKnown = this.#gate.reportRun(HOST, { tool: name.tool, server: name.server, callId: event.tool_use_id })
    if (isKnown) this.#tell(event.tool_use_id)
    return beside(event, note)
  }

  /** `Stop` and `SubagentStop`. */
  async over({ agent_id }: HostEvent): Promise<HookAnswer> {
    await this.#running.endOf(agent_id)
    return {}
  }

  /** `canUseTool`: where the host asks a person. */
  async permission(
    toolName: string,
    input: Record<string, unknown>,
    question: PermissionQuestion,
  ): Promise<Permission | null> {
    const callId = question.toolUseID
    const asked = this.#asked.get(callId)
    this.#asked.delete(callId)
    try {
      if (asked !== undefined && isSameJson(input, asked.arrived.event.tool_input))
        return await this.#askPerson(asked.arrived, asked.request, question.signal)
      return await this.#askedByHost(toolName, input, question)
    } catch {
      await this.#running.drop(callId)
      return { behavior: 'deny', message: FAILED }
    }
  }

  #arrive(event: ToolEvent): Arrived {
    const name = toolNameOf(event, this.#options)
    const guarded = this.#guarded(name)
    const call: Call = {
      tool: name.tool,
      server: name.server,
      // UNTRUSTED: a model's arguments.
      input: guarded?.read === undefined ? event.tool_input : guarded.read(event.tool_input),
      callId: event.tool_use_id,
      definition: guarded?.definition ?? this.#foreign.definitionOf(name),
    }
    return { name, guarded, event, call }
  }

  /** INVARIANT I8: only a server that this program made can be one in whose handlers we stand. */
  #guarded({ server, tool, from }: ToolName): GuardedTool | undefined {
    return from?.source === 'sdk' ? guardedTool(this.#gate, server, tool) : undefined
  }

  async #admit({ call, guarded, event }: Arrived, signal: AbortSignal, isAnswered = false): Promise<Admission> {
    const { onSilence, holdMs } = this.#options
    const admission = await this.#gate.admit(call, {
      signal,
      // What the host itself runs is given the decided arguments; its results are the host's own to show.
      obliging: guarded === undefined ? 'arguments' : 'all',
      wait: !isAnswered && this.#onApproval === 'refuse',
      ...(onSilence === undefined ? {} : { onSilence }),
      ...(holdMs === undefined ? {} : { holdMs }),
    })
    journalOf(this.#gate).note(event.tool_use_id, event.tool_name, admission)
    return admission
  }

  /** The call may run. Where our own handler runs it, it begins there; where the host does, now. */
  #let({ guarded, event }: Arrived, admission: PermittedAdmission): Let {
    const { tool_use_id: callId, tool_name: toolName, agent_id: agentId } = event
    const record = journalOf(this.#gate).note(callId, toolName, admission)
    if (guarded !== undefined) {
      this.#running.add(callId, { admission, record, given: undefined, agentId })
      return { kind: 'let', given: undefined }
    }
    const begun = admission.begin()
    if (begun.outcome === 'refused') return { kind: 'refused', text: renderForModel(begun.refusal) }
    const given = begun.input as JsonObject
    this.#running.add(callId, { admission, record, given, agentId })
    return { kind: 'let', given }
  }

  #answer(permitted: Let): HookAnswer {
    if (permitted.kind === 'refused') return denied(permitted.text)
    const { given } = permitted
    return {
      hookSpecificOutput: {
        hookEventName: 'PreToolUse',
        ...(this.#options.onPermit === 'leave' ? {} : { permissionDecision: 'allow' }),
        // INVARIANT I3: the host runs what was decided.
        ...(given === undefined ? {} : { updatedInput: { ...given } }),
      },
    }
  }

  get #onApproval(): 'refuse' | 'ask' | 'defer' {
    return this.#options.onApproval ?? (this.#options.ask === undefined ? 'refuse' : 'ask')
  }

  /**
   * For what the person in this chat can answer; a query that ends meanwhile can wait for anybody. A call that is deferred a second
   * time is lost to the host, so one that was resumed before there is an answer is told to wait.
   */
  #pausesFor(refusal: Refusal, request: ApprovalRecord): boolean {
    if (this.#onApproval === 'defer') return isAskedAnew(refusal)
    return this.#onApproval === 'ask' && asksInChat(this.#gate) && isAskable(refusal, request)
  }

  #pause(arrived: Arrived, request: ApprovalRecord): HookAnswer {
    if (this.#onApproval === 'defer')
      return { hookSpecificOutput: { hookEventName: 'PreToolUse', permissionDecision: 'defer' } }
    this.#asked.set(arrived.event.tool_use_id, { arrived, request })
    for (const oldest of this.#asked.keys()) {
      if (this.#asked.size <= MOST_ASKED) break
      this.#asked.delete(oldest)
    }
    return {
      hookSpecificOutput: {
        hookEventName: 'PreToolUse',
        permissionDecision: 'ask',
        permissionDecisionReason: request.question,
      },
    }
  }

  /** Their yes is heard by our store, and the gate is asked again: a policy that turned to deny wins over it. */
  async #askPerson(arrived: Arrived, request: ApprovalRecord, signal: AbortSignal): Promise<Permission> {
    const { event } = arrived
    const question = {
      request,
      toolName: event.tool_name,
      ...(event.agent_id === undefined ? {} : { agentId: event.agent_id }),
    }
    const said = await this.#options.ask?.(question, { signal })
    await this.#gate.answer(request.ref, said === 'approved' ? 'approved' : 'declined', { shown: request.shown })
    return await this.#permit(arrived, signal)
  }

  async #permit(arrived: Arrived, signal: AbortSignal): Promise<Permission> {
    const admission = await this.#admit(arrived, this.#inTime(signal), true)
    const permitted: Let =
      admission.outcome === 'permitted'
        ? this.#let(arrived, admission)
        : { kind: 'refused', text: renderForModel(admission.refusal) }
    if (permitted.kind === 'refused') {
      this.#tell(arrived.event.tool_use_id)
      return { behavior: 'deny', message: permitted.text }
    }
    return { behavior: 'allow', updatedInput: { ...(permitted.given ?? (arrived.event.tool_input as JsonObject)) } }
  }

  /** The host has a question of its own about a call: after the gate's permit, and never instead of it. */
  async #askedByHost(
    toolName: string,
    input: Record<string, unknown>,
    question: PermissionQuestion,
  ): Promise<Permission | null> {
    const { toolUseID: callId, signal, mcpServer, agentID } = question
    const event: ToolEvent = {
      hook_event_name: 'PreToolUse',
      tool_name: toolName,
      tool_input: input,
      tool_use_id: callId,
      ...(mcpServer === undefined ? {} : { mcp_server: mcpServer }),
      ...(agentID === undefined ? {} : { agent_id: agentID }),
    }
    if (this.#running.find(callId) === undefined) {
      const permitted = await this.#permit(this.#arrive(event), signal)
      if (permitted.behavior === 'deny') return permitted
    }
    const own = this.#options.canUseTool
    if (own === undefined) {
      await this.#running.drop(callId)
      return { behavior: 'deny', message: NOBODY }
    }
    const answer = await own(toolName, input, question as never)
    if (answer?.behavior !== 'allow') {
      await this.#running.drop(callId)
      return answer
    }
    return await this.#asChanged(event, answer, signal)
  }

  /** Whoever was asked may have changed the arguments: what our handler does not see is decided anew then. */
  async #asChanged(
    event: ToolEvent,
    answer: Extract<Permission, { behavior: 'allow' }>,
    signal: AbortSignal,
  ): Promise<Permission> {
    const callId = event.tool_use_id
    const given = this.#running.find(callId)?.given
    if (given === undefined) return answer
    if (answer.updatedInput === undefined || isSameJson(answer.updatedInput, given))
      return { ...answer, updatedInput: { ...given } }
    await this.#running.drop(callId)
    const permitted = await this.#permit(this.#arrive({ ...event, tool_input: answer.updatedInput }), signal)
    return permitted.behavior === 'allow' ? { ...answer, ...permitted } : permitted
  }

  #inTime(signal: AbortSignal): AbortSignal {
    return AbortSignal.any([signal, AbortSignal.timeout(Math.max(this.#timeoutMs - SPARE_MS, SPARE_MS))])
  }

  #tell(callId: string): void {
    const report = reportOf(this.#gate, callId)
    if (report === undefined) return
    try {
      this.#options.onCall?.(report)
    } catch (cause) {
      this.#gate.warn('listener_failed', `onCall threw: ${cause instanceof Error ? cause.message : 'no error'}`)
    }
  }

  #warnOfOther({ server, tool }: ToolName, { tool_use_id }: ToolEvent): void {
    const because = 'ran with other arguments than were decided'
    this.#gate.cover(HOST, [{ tool, standing: 'unknown', because }], { server })
    this.#gate.warn(
      'ran_with_other_arguments',
      `${HOST} ran ${server}/${tool} (call ${tool_use_id}) with other arguments than the gate had decided. Another PreToolUse hook changes them: let it run where it cannot, or guard the tool's own handler.`,
    )
  }
}
