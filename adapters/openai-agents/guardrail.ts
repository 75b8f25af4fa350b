import { authorAsks, readLoosely, saysApproved } from './author.ts'
import { member } from './host.ts'
import { callIdOf, type Passage } from './passage.ts'

/** What the host hands to a guardrail of tool inputs. */
export interface GuardrailData {
  readonly context: object
  readonly toolCall: object
}

/** What a guardrail may answer: the run goes on either way. */
export interface GuardrailAnswer {
  readonly behavior: { readonly type: 'allow' } | { readonly type: 'rejectContent'; readonly message: string }
}

/** A guardrail of tool inputs, as the host lists it. */
export interface Guardrail {
  readonly type: 'tool_input'
  readonly name: 'holdpoint'
  readonly run: (data: GuardrailData) => Promise<GuardrailAnswer>
}

const ALLOW: GuardrailAnswer = { behavior: { type: 'allow' } }

/**
 * Asks the policies before the person is asked, where the run has `preApprovalInputGuardrails`: the host pauses for what its author
 * marked, and for text that it cannot read. Everything else is the wrapped `invoke`'s alone.
 */
export function inputGuardrailFor(passage: Passage): Guardrail {
  return {
    type: 'tool_input',
    name: 'holdpoint',
    run: async ({ context, toolCall }) => {
      const callId = callIdOf(toolCall)
      const text = member(toolCall, 'arguments')
      if (typeof text !== 'string') return ALLOW
      const input = readLoosely(text)
      const wantsYes = input !== undefined && (await authorAsks(passage.tool, context, input.value, callId))
      const mayPauseHere =
        input === undefined || (wantsYes && !(callId !== undefined && saysApproved(context, passage.name, callId)))
      if (!mayPauseHere) return ALLOW
      const message = await passage.refusalText({ arguments: { inputText: text }, callId, wantsYes })
      return message === undefined ? ALLOW : { behavior: { type: 'rejectContent', message } }
    },
  }
}
