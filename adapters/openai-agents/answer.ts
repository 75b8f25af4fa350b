import type { Answered, AnswerOptions, ApprovalRecord, Gate } from '../../src/index.ts'
import { nameOf } from './definition.ts'
import { type HostTool, isAgent, member } from './host.ts'
import { type Arguments, callIdOf, type Passage } from './passage.ts'
import { remembered } from './remembered.ts'

/** What somebody answered to an interruption. */
export interface InterruptionAnswer extends AnswerOptions {
  /** The reference that they were shown. Where the question has changed since, theirs is no answer to it. */
  readonly ref?: string
}

/**
 * What an interrupted call waits for, to be shown to whoever answers: the exact arguments, why somebody is asked, and the reference
 * that their answer names. `undefined` when nobody is asked any more, or this view may not see it.
 *
 * @param item one of `result.interruptions`
 */
export async function questionOf(gate: Gate, item: object): Promise<ApprovalRecord | undefined> {
  const asked = callOf(item)
  if (asked === undefined) return undefined
  const request = await asked.passage.question(asked)
  return request === undefined ? undefined : await gate.request(request.ref)
}

/**
 * Records what the principal of this view answered, and tells the run. The yes that counts is the one in the gate's store: it is for
 * these arguments, once. `state.approve` alone is a pointer on which nothing runs.
 *
 * @param gate the view of the person who is signed in and answers
 * @param state the run: `result.state`, or what `RunState.fromString` made of it
 * @param item one of `result.interruptions`, or of `state.getInterruptions()`
 * @returns what became of the answer; the run is told of one that was recorded and that decides the question
 * @throws HoldpointError ERR_STORE, ERR_KEY
 * @example
 * for (const item of result.interruptions) await answerInterruption(me, result.state, item, 'approved')
 * result = await run(agent, result.state)
 */
export async function answerInterruption<Item extends object>(
  gate: Gate,
  state: {
    approve(item: Item): void
    reject(item: Item, options?: { message?: string }): void
  },
  item: Item,
  answer: 'approved' | 'declined',
  { ref, ...options }: InterruptionAnswer = {},
): Promise<Answered> {
  const request = await questionOf(gate, item)
  if (request === undefined || (ref !== undefined && ref !== request.ref)) return NOBODY_ASKS
  const answered = await gate.answer(request.ref, answer, options)
  if (answered.outcome !== 'recorded') return answered
  if (answered.record.state === 'approved') state.approve(item)
  if (answered.record.state === 'declined') state.reject(item, { message: declined(answered.record, options.reason) })
  return answered
}

const NOBODY_ASKS: Answered = {
  outcome: 'refused',
  code: 'approval_mismatch',
  message: 'The gate asks no such question, or asks another one by now: nothing was recorded. Look at the call again.',
}

function declined({ tool }: ApprovalRecord, reason: string | undefined): string {
  const because = reason === undefined ? '' : ` They said: ${reason}`
  return `A person declined this call. ${tool} did not run. Do not make it again.${because} (approval_declined)`
}

/** A call that a run waits with. */
interface Pending {
  readonly passage: Passage
  readonly arguments: Arguments
  readonly callId: string | undefined
}

/** The guarded tool that an interruption is about, and what it would be called with. UNTRUSTED: a saved run may say anything. */
function callOf(item: object): Pending | undefined {
  const [agent, raw] = [member(item, 'agent'), member(item, 'rawItem')]
  if (typeof agent !== 'object' || agent === null || !isAgent(agent)) return undefined
  const given = argumentsOf(raw)
  const names = [member(item, 'toolName'), member(raw, 'name')]
  const tool = agent.tools.find((each: HostTool) => isCalled(each, raw, names))
  const entry = tool === undefined ? undefined : remembered(tool)
  if (given === undefined || entry === undefined || entry.kind === 'ungated') return undefined
  return { passage: entry.passage, arguments: given, callId: callIdOf(raw) }
}

const TYPES: ReadonlyMap<unknown, string> = new Map([
  ['function_call', 'function'],
  ['shell_call', 'shell'],
  ['apply_patch_call', 'apply_patch'],
  ['computer_call', 'computer'],
])

function isCalled(tool: HostTool, raw: unknown, names: readonly unknown[]): boolean {
  if (tool.type !== TYPES.get(member(raw, 'type'))) return false
  const namespace = member(raw, 'namespace')
  if (tool.type !== 'function') return true
  return typeof namespace === 'string'
    ? nameOf(tool) === `${namespace}.${String(member(raw, 'name'))}`
    : names.includes(tool.name)
}

function argumentsOf(raw: unknown): Arguments | undefined {
  const text = member(raw, 'arguments')
  if (typeof text === 'string') return { inputText: text }
  const operation = member(raw, 'operation')
  if (operation !== undefined) return { input: operation }
  const [action, actions] = [member(raw, 'action'), member(raw, 'actions')]
  if (member(raw, 'type') === 'computer_call')
    return { input: { actions: Array.isArray(actions) ? actions : [action] } }
  return action === undefined ? undefined : { input: action }
}
