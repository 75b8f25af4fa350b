import { saysApproved } from './author.ts'
import type { HostRunContext } from './host.ts'
import type { Passage } from './passage.ts'

/** What was said of each tool already: a mistake in a program is told once, however many calls meet it. */
const told = new WeakSet<object>()

/** The saved run says that somebody approved, and the gate's own store has no such yes. */
export function warnOfUnheardYes(
  { name, tool, around }: Passage,
  context: HostRunContext | undefined,
  callId: string | undefined,
): void {
  if (callId === undefined || told.has(tool) || !saysApproved(context, name, callId)) return
  told.add(tool)
  around.gate.warn(
    'approval_without_answer',
    `The run says that a call of ${name} was approved, and no yes for it is in the gate's store, so it did not run. Answer with answerInterruption(gate, state, item, 'approved') in place of state.approve(item), as the person who is signed in.`,
  )
}
