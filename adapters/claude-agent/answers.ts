import type { Ending } from '../../src/index.ts'
import type { HookAnswer, ToolEvent } from './host.ts'

export const FAILED = 'holdpoint could not decide about this call, so the tool did not run.'
export const NOBODY =
  'The host wanted a person to confirm this call, and nobody can be asked here, so the tool did not run.'

export function denied(reason: string): HookAnswer {
  return {
    hookSpecificOutput: {
      hookEventName: 'PreToolUse',
      permissionDecision: 'deny',
      permissionDecisionReason: reason,
    },
  }
}

/** How the host says that a tool ended. */
export function endingOf(event: ToolEvent): Ending {
  if (event.hook_event_name === 'PostToolUse') return { status: 'ok', result: event.tool_response }
  return event.is_interrupt === true ? { status: 'cancelled' } : { status: 'tool_error', error: event.error }
}
