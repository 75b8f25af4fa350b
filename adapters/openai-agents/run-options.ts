import { type Gate, renderForModel } from '../../src/index.ts'
import { giveBack } from '../shared/carry-out.ts'
import { journalOf } from '../shared/journal.ts'

/** What the host asks when it needs the text of an error. */
interface ErrorToFormat {
  readonly kind: string
  readonly toolName: string
  readonly callId?: string
}

/** Settings of a run that make refusals of what never reaches a tool read like all others. */
export interface RunOptions {
  readonly toolNotFoundBehavior: 'return_error_to_model'
  readonly toolErrorFormatter: (error: ErrorToFormat) => Promise<string | undefined>
  readonly toolExecution: { readonly preApprovalInputGuardrails: true }
}

/**
 * Settings for `run` or a `Runner`: a tool that the model made up is refused (`tool_unknown`) and the run goes on, where it would end;
 * and the policies are asked before a person is, for what a tool's author marked with `needsApproval`.
 *
 * @example
 * const result = await run(agent, 'I want my money back.', { ...runOptions(me) })
 */
export function runOptions(gate: Gate): RunOptions {
  return {
    toolNotFoundBehavior: 'return_error_to_model',
    toolErrorFormatter: (error) => unknownTool(gate, error),
    toolExecution: { preApprovalInputGuardrails: true },
  }
}

async function unknownTool(gate: Gate, { kind, toolName, callId }: ErrorToFormat): Promise<string | undefined> {
  if (kind !== 'tool_not_found') return undefined
  const admission = await gate.admit({
    tool: toolName,
    input: {},
    // Never registered, so nobody knows it, whatever else goes by that name.
    definition: { name: toolName, origin: 'own' },
    ...(callId === undefined ? {} : { callId }),
  })
  // While the gate only observes, the host answers in its own words: nothing runs either way.
  await giveBack(admission)
  if (admission.outcome !== 'refused') return undefined
  journalOf(gate).note(callId ?? toolName, toolName, admission)
  return renderForModel(admission.refusal)
}
