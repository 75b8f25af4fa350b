import type { Gate, ToolDefinition } from '../../src/index.ts'
import { partitionOf } from '../shared/journal.ts'
import { type HostRunner, type HostToolCall, member } from './host.ts'
import { type Identity, identityAmong } from './identity.ts'

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
export function inMessages(gate: Gate, runner: HostRunner, tool: string, text: string): Identity {
  const { messages } = runner
  if (!Array.isArray(messages)) return {}
  const at = messages.findLastIndex((message) => Array.isArray(member(message, 'tool_calls')))
  const calls = (member(messages[at], 'tool_calls') ?? []) as readonly HostToolCall[]
  const call = calls.find(
    (each) => !taken.has(each) && each.function?.name === tool && each.function.arguments === text,
  )
  if (call === undefined) return {}
  taken.add(call)
  return identityAmong(gate, calls.map(spokenIn), spokenIn(call), at)
}

/** Did a guarded callback of a `runTools` runner take this call up? */
export function isTakenUp(call: HostToolCall): boolean {
  return taken.has(call)
}

/** Texts that the tools' own parsers refused, newest last: their calls never reach a callback. */
const unparsed = new WeakMap<Gate, Set<string>>()
const MOST_UNPARSED = 100

export function noteUnparsed(gate: Gate, tool: string, text: string): void {
  const texts = unparsed.get(gate) ?? new Set()
  unparsed.set(gate, texts)
  texts.add(keyOf(gate, tool, text))
  for (const oldest of texts) {
    if (texts.size <= MOST_UNPARSED) break
    texts.delete(oldest)
  }
}

/** Did a guarded tool's parser refuse this text? Told once. */
export function takeUnparsed(gate: Gate, tool: string, text: string): boolean {
  return unparsed.get(gate)?.delete(keyOf(gate, tool, text)) === true
}

function spokenIn({ id, function: { name = '', arguments: text = '' } = {} as never }: HostToolCall) {
  return { id, name, text }
}
