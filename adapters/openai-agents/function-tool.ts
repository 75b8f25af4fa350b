import { renderForModel } from '../../src/index.ts'
import { noted } from '../shared/cross.ts'
import { journalOf } from '../shared/journal.ts'
import { authorAsks, readLoosely } from './author.ts'
import { customDataFor } from './custom-data.ts'
import { inputGuardrailFor } from './guardrail.ts'
import { type HostInvoke, type HostNeedsApproval, member } from './host.ts'
import { callIdOf, type Passage } from './passage.ts'

/** What the host gives back where a tool threw and its author said nothing else. */
const FAILED = 'An error occurred while running the tool. Please try again.'

/** The members of a function tool that stand behind the gate. The innermost `invoke` is the enforcement. */
export function gatedMembers(passage: Passage, invoke: HostInvoke): ReadonlyMap<string, unknown> {
  const { tool } = passage
  return new Map<string, unknown>([
    ['invoke', gatedInvoke(passage, invoke)],
    ['inputGuardrails', [inputGuardrailFor(passage), ...listOf(tool.inputGuardrails)]],
    ['outputGuardrails', listOf(tool.outputGuardrails).map((guardrail) => withoutRefusals(passage, guardrail))],
    ['customDataExtractor', customDataFor(passage)],
    ...(passage.mayAsk ? ([['needsApproval', approvalHook(passage)]] as const) : []),
  ])
}

/** A refusal is returned, never thrown: the run goes on. */
function gatedInvoke(passage: Passage, invoke: HostInvoke): HostInvoke {
  return async (context, text, details) => {
    const callId = callIdOf(details?.toolCall)
    const asked = {
      arguments: { inputText: text },
      callId,
      wantsYes: await authorAsks(passage.tool, context, readLoosely(text)?.value, callId),
      ...(details?.resumeState === undefined ? {} : { step: stepOf(details.resumeState) }),
    }
    const crossed = await passage.cross(context, asked, {
      // INVARIANT I3: the tool reads the decided arguments, whatever else the model's text could be read as.
      execute: (decided) => invoke.call(passage.tool, context, JSON.stringify(decided), details),
      signal: details?.signal,
      failed: (result) => result === FAILED,
    })
    return crossed.outcome === 'refused' ? renderForModel(crossed.refusal) : withNote(crossed.result, crossed.note)
  }
}

/**
 * The host's hook, with the policies asked before the person: what is denied does not pause. It is the experience, not the
 * enforcement: on a resumed run the host may not ask it at all.
 */
function approvalHook(passage: Passage): HostNeedsApproval {
  return async (context, input, callId) => {
    const wantsYes = await authorAsks(passage.tool, context, input, callId)
    if (!wantsYes && !passage.asksPeople) return false
    return await passage.waits({ arguments: { input }, callId, wantsYes })
  }
}

/** The author's words on a result are none on a refusal. */
function withoutRefusals(passage: Passage, guardrail: object): object {
  const run = member(guardrail, 'run')
  if (typeof run !== 'function') return guardrail
  return {
    type: 'tool_output',
    name: member(guardrail, 'name'),
    run: async (data: { readonly output?: unknown; readonly toolCall?: unknown }) =>
      isRefused(passage, data) ? { behavior: { type: 'allow' } } : await run.call(guardrail, data),
  }
}

function isRefused({ around }: Passage, data: { readonly output?: unknown; readonly toolCall?: unknown }): boolean {
  const callId = callIdOf(data.toolCall)
  const refusal = callId === undefined ? undefined : journalOf(around.gate).find(callId)?.refusal
  return refusal !== undefined && data.output === renderForModel(refusal)
}

/** A result with the line for the model, in the shape that the host reads it in: text, parts, or anything that it makes JSON of. */
function withNote(result: unknown, note: string | undefined): unknown {
  if (note === undefined) return result
  if (typeof result === 'string') return noted(result, note)
  const parts = Array.isArray(result) ? result : [result]
  if (parts.length > 0 && parts.every(isPart)) return [...parts, { type: 'text', text: note }]
  return noted(JSON.stringify(result) ?? '', note)
}

function isPart(value: unknown): boolean {
  return ['text', 'image', 'file'].includes(String(member(value, 'type')))
}

/**
 * Tells a paused run that is taken up again from the call that paused: the same saved run is the same call, and goes on once.
 * FNV-1a; where two saved runs should fall together, the second is refused.
 */
function stepOf(resumeState: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < resumeState.length; at += 1) hash = Math.imul(hash ^ resumeState.charCodeAt(at), 0x01000193)
  return hash >>> 0
}

function listOf(value: unknown): readonly object[] {
  return Array.isArray(value) ? value : []
}
