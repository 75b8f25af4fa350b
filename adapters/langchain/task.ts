import { member } from '../shared/declared.ts'
import type { HostConfig } from './host.ts'

/** The graph task that a call runs in, where it is one that may pause for this call. */
export interface Task {
  /** LangGraph's `interrupt`: throws where nobody has answered yet. */
  readonly interrupt: (payload: unknown) => unknown
  /**
   * Is this answer to this task's question, and to no other?
   *
   * INVARIANT I3: LangGraph gives an answer without an id to every task that waits, whatever its person was shown. So it counts
   * only where no other question can be open: a lone call of the outermost graph. Beside others, it has to come by its id.
   */
  isOurs(answer: unknown): boolean
}

/**
 * The task of one call. Undefined where a pause would be wrong: outside a graph, without a checkpointer, or in a task that runs
 * several calls, since LangGraph tells the questions of one task apart by their order alone, and that changes from run to run.
 */
export function taskOf(config: HostConfig, name: string, callId: string | undefined): Task | undefined {
  const { configurable, interrupt } = config
  if (typeof interrupt !== 'function' || callId === undefined) return undefined
  if (typeof member(configurable, '__pregel_checkpointer') !== 'object') return undefined
  // A tool that another tool calls may have that one's call id, and would pause in the middle of it.
  const isThis = (call: unknown): boolean => member(call, 'id') === callId && member(call, 'name') === name
  const asked = callsAsked(messagesOf(config))
  const isLone = asked.length === 1 && isThis(asked[0])
  if (!isLone && !isThis(member(member(scratchpadOf(config), 'currentTaskInput'), 'lg_tool_call'))) return undefined
  const isOutermost = !String(member(configurable, 'checkpoint_ns') ?? '').includes('|')
  return {
    interrupt: (payload) => interrupt(payload),
    isOurs: (answer) => (isLone && isOutermost) || isAddressed(configurable, answer),
  }
}

/** The messages of the graph's state, whichever way the host hands it over. */
export function messagesOf(config: HostConfig): readonly unknown[] | undefined {
  for (const state of [config.state, member(scratchpadOf(config), 'currentTaskInput')]) {
    const messages = Array.isArray(state) ? state : member(state, 'messages')
    if (Array.isArray(messages)) return messages
  }
  return undefined
}

/** Does an answer arrive with this very run? One to a question further inside counts, too. */
export function isAnswered(config: HostConfig): boolean {
  const { configurable } = config
  return member(scratchpadOf(config), 'nullResume') !== undefined || answersById(configurable).length > 0
}

function scratchpadOf({ configurable }: HostConfig): unknown {
  return member(configurable, '__pregel_scratchpad')
}

/** Did this very answer come by the id of its question? */
function isAddressed(configurable: HostConfig['configurable'], answer: unknown): boolean {
  return answersById(configurable).includes(answer)
}

function answersById(configurable: HostConfig['configurable']): readonly unknown[] {
  const byId = member(configurable, '__pregel_resume_map')
  return typeof byId === 'object' && byId !== null ? Object.values(byId) : []
}

/** The calls that the last message of a model asks for. */
function callsAsked(messages: readonly unknown[] | undefined): readonly unknown[] {
  const calls: unknown = messages?.map((message) => Reflect.get(Object(message), 'tool_calls')).findLast(Array.isArray)
  return Array.isArray(calls) ? calls : []
}
