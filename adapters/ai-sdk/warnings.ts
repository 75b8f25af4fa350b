import type { Gate, Refusal } from '../../src/index.ts'
import { firstUnjson } from '../shared/unjson.ts'
import type { HostTool } from './host.ts'

/** What was said of each tool already: a mistake in a program is told once, however many calls meet it. */
const told = new WeakMap<HostTool, Set<string>>()

/** The tool's schema makes what JSON cannot hold. */
export function warnOfUnjson(gate: Gate, name: string, tool: HostTool, refusal: Refusal, input: unknown): void {
  if (refusal.code !== 'arguments_rejected') return
  const found = firstUnjson(input)
  if (found === undefined) return
  warnOnce(
    gate,
    tool,
    'unjson_argument',
    `The schema of tool "${name}" turns ${found.path || 'the arguments'} into a ${found.kind}, which has no canonical form: every call is refused. Keep the schema's output to JSON (a string for a date) and convert inside execute.`,
  )
}

/** The tool wants a person's yes, and nobody in this conversation can give it. */
export function warnOfSilentChat(gate: Gate, name: string, tool: HostTool): void {
  warnOnce(
    gate,
    tool,
    'nobody_to_ask',
    `Tool "${name}" has needsApproval, but this view has no signed-in user whose chat can answer, so its calls wait for \`holdpoint watch\` or are refused. Say gate.as({ user }, { conversation, channel: 'chat' }).`,
  )
}

/** A yes came back without saying to what. */
export function warnOfLostReference(gate: Gate, name: string, tool: HostTool): void {
  warnOnce(
    gate,
    tool,
    'approval_without_reference',
    `An answer for tool "${name}" came back without the reference of its request, so it confirmed nothing. Send the stream through respond or holdpointStream, which put the reference into the approval's id; where there is no stream, or experimental_toolApprovalSecret signs that id, call gate.answer(reference, 'approved') before you resume.`,
  )
}

function warnOnce(gate: Gate, tool: HostTool, code: string, message: string): void {
  const codes = told.get(tool) ?? new Set()
  if (codes.has(code)) return
  told.set(tool, codes.add(code))
  gate.warn(code, message)
}
