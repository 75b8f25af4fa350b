import type { Gate } from '../../src/index.ts'
import { warnOnce } from '../shared/warnings.ts'
import type { HostTool } from './host.ts'

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
