import type { Gate, ToolDefinition } from '../../src/index.ts'
import { partitionOf } from '../shared/journal.ts'
import { type HostRunner, type HostToolCall, member } from './host.ts'

/** Which of the model's calls a callback was called for: the SDK tells its callbacks no ids. */
export interface Identity {
  readonly callId?: string
  /** How many messages came before it. */
  readonly step?: number
}

/** A call that a response brought and no callback has taken up. */
export interface PendingCall extends Identity {
  /** The runner would end over it: what the model really said, which the gate refuses in its own words. */
  readonly rejected?: Rejected
}

export interface Rejected {
  readonly tool: string
  /** Of a tool that nobody knows: never registered. */
  readonly definition?: ToolDefinition
  readonly text: string
}

/** The one member of the arguments that stand in for what a runner cannot read. */
const STAND_IN = 'holdpoint:unread'

/** Arguments that the runner can read, in place of some that it would end over. */
export function standInFor(callId: string): string {
  return JSON.stringify({ [STAND_IN]: callId })
}

/** UNTRUSTED: a model may write this too. */
export function isStandIn(text: string): boolean {
  return text.startsWith(`{"${STAND_IN}":`)
}

/**
 * What a function that was called in the place of a rejected call may run on, where the gate only observes and lets that pass.
 *
 * INVARIANT I4: never on the arguments of a tool that it is not. Its own, that only `JSON.parse` can read, are what it would get
 * without a gate.
 *
 * @throws Error that ends the run, as it would by itself
 */
export function standingIn({ tool, definition, text }: Rejected, decided: unknown): unknown {
  if (definition !== undefined) throw new Error(`The model called "${tool}", which is no function of this runner.`)
  return decided ?? JSON.parse(text)
}

/** Calls without a taker that one gate or view remembers. */
const MOST_PENDING = 1_000

/** Calls of one gate or view, by who asks, tool and arguments; alike ones stand in the order in which they came. */
const pendings = new WeakMap<Gate, Map<string, PendingCall[]>>()

/** A response brought this call. */
export function expect(gate: Gate, tool: string, text: string, call: PendingCall): void {
  const pending = pendings.get(gate) ?? new Map<string, PendingCall[]>()
  pendings.set(gate, pending)
  const key = keyOf(gate, tool, text)
  const alike = pending.get(key) ?? []
  pending.delete(key)
  pending.set(key, [...alike, call])
  for (const oldest of pending.keys()) {
    if (pending.size <= MOST_PENDING) break
    pending.delete(oldest)
  }
}

/**
 * The oldest call of these very arguments: alike calls can take one another's place. Nothing is known of a call that no guarded runner
 * saw. INVARIANT I4: a stand-in that nobody put there stands for nothing that may run.
 */
export function take(gate: Gate, tool: string, text: string): PendingCall {
  const key = keyOf(gate, tool, text)
  const [first, ...rest] = pendings.get(gate)?.get(key) ?? []
  if (rest.length === 0) pendings.get(gate)?.delete(key)
  else pendings.get(gate)?.set(key, rest)
  if (first === undefined) return isStandIn(text) ? { rejected: { tool, text: 'unread' } } : {}
  takenUp.add(first)
  return first
}

/** Calls that a guarded callback has taken up. */
const takenUp = new WeakSet<PendingCall>()

/** Did a guarded callback take this call up? */
export function isTaken(call: PendingCall): boolean {
  return takenUp.has(call)
}

function keyOf(gate: Gate, tool: string, text: string): string {
  return JSON.stringify([partitionOf(gate), tool, text])
}

/** Calls of a `runTools` runner that a callback has taken up. */
const taken = new WeakSet<HostToolCall>()

/** The call in the newest assistant message that this callback was called for. */
export function inMessages(runner: HostRunner, tool: string, text: string): Identity {
  const { messages } = runner
  if (!Array.isArray(messages)) return {}
  const at = messages.findLastIndex((message) => Array.isArray(member(message, 'tool_calls')))
  const calls = (member(messages[at], 'tool_calls') ?? []) as readonly HostToolCall[]
  const call = calls.find(
    (each) => !taken.has(each) && each.function?.name === tool && each.function.arguments === text,
  )
  if (call === undefined) return {}
  taken.add(call)
  return { ...(call.id === undefined ? {} : { callId: call.id }), step: at }
}
