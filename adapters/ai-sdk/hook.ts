import { renderAsReason, type ToolSeen } from '../../src/index.ts'
import { saidInHistory } from './approval-parts.ts'
import {
  type HostApprovalQuestion,
  type HostApprovalStatus,
  type HostCall,
  type HostTool,
  isMajor6,
  toolNamed,
} from './host.ts'
import { Passage, type Passing, type Surroundings } from './passage.ts'
import { present, renderAsQuestion } from './presentation.ts'
import { contextIn, contextOf, toolAsks } from './tool-asks.ts'

/** What the approval hook knows of a tool in the set that the host was given. */
export type HookEntry =
  | { readonly kind: 'gated'; readonly passage: Passage }
  | { readonly kind: 'ungated'; readonly tool: HostTool }

/**
 * How long the hook waits for a decision, ms. The host asks its hooks one after another, so waiting for a slow policy there
 * would queue the calls of a step; what is not decided by then is decided in `execute`, where calls run side by side.
 */
const HOOK_PATIENCE_MS = 20

/** Tools that came out of `guardTools`, so that one hook serves several guarded sets spread into one. */
const entries = new WeakMap<object, HookEntry>()

/** Remembers what a guarded tool object is. */
export function remember(tool: object, entry: HookEntry): void {
  entries.set(tool, entry)
}

/** Did this object come out of `guardTools`? */
export function isRemembered(tool: object): boolean {
  return entries.has(tool)
}

/**
 * Major 7's approval hook: the experience, not the enforcement. It answers `denied` with one human sentence, pauses for the
 * person where this chat can answer, and otherwise lets the call go on to the wrapped `execute`, which asks again.
 */
export function approvalHook(around: Surroundings): (question: HostApprovalQuestion) => Promise<HostApprovalStatus> {
  return async ({ toolCall, tools, toolsContext, messages }) => {
    // It has run on the provider's side already: a denial now would be false.
    if (toolCall.providerExecuted === true) return undefined
    const { toolName, toolCallId, input } = toolCall
    const call: HostCall = { callId: toolCallId, input, messages, context: contextOf(toolsContext, toolName) }
    const tool = toolNamed(tools, toolName)
    const entry = tool === undefined ? undefined : entries.get(tool)
    if (entry === undefined) {
      if (tool !== undefined) around.gate.cover('ai-sdk', [strayOf(toolName)])
      return await refuseStray(new Passage(toolName, tool ?? {}, around, undefined), call)
    }
    if (entry.kind === 'ungated') return (await toolAsks(entry.tool, call)) ? { type: 'user-approval' } : undefined
    return await answer(entry.passage, call)
  }
}

async function answer(passage: Passage, call: HostCall): Promise<HostApprovalStatus> {
  const wantsYes = await toolAsks(passage.tool, call)
  const started = passage.start(call, wantsYes)
  // Only a hook can pause, so it waits where a pause may be due.
  const passing = passage.asksInChat || wantsYes ? await started : await withinPatience(started)
  if (passing === undefined) return undefined
  present(passing.record, passage.around, 7)
  const { admission } = passing
  const isResumed = saidInHistory(call.messages, call.callId) !== undefined
  if (passage.mayPause(admission, wantsYes) && !isResumed) {
    await passage.drop(call, passing)
    return {
      type: 'user-approval',
      ...(admission.outcome === 'refused' ? { reason: renderAsQuestion(admission.refusal) } : {}),
    }
  }
  if (admission.outcome === 'permitted') return undefined
  if (passage.around.refusalAs === 'error' || passage.around.refusalAs === 'result') return undefined
  // The host keeps the person's yes beside a denial of its own, and such a message fails its validation: `execute` refuses.
  if (isResumed) return undefined
  await passage.drop(call, passing)
  return { type: 'denied', reason: renderAsReason(admission.refusal) }
}

/** It does not run under our hook, and would under none: whoever calls its `execute` asks nobody. */
function strayOf(tool: string): ToolSeen {
  return { tool, standing: 'unknown', because: 'was not passed to guardTools' }
}

/** A tool that never went through `guardTools` does not run under our hook. */
async function refuseStray(passage: Passage, call: HostCall): Promise<HostApprovalStatus> {
  const passing = await passage.start(call, false)
  await passage.drop(call, passing)
  const { admission } = passing
  if (admission.outcome === 'refused') return { type: 'denied', reason: renderAsReason(admission.refusal) }
  return {
    type: 'denied',
    reason: `The tool ${passage.name} was not passed to guardTools, so it did not run. (ungated_tool)`,
  }
}

/**
 * The tool's own `needsApproval`, with ours before it: what major 6 asks, and major 7 where an app left the hook out. Pauses
 * where this chat can answer. On the resuming request it says yes again, since major 6 asks whether the approval was wanted at
 * all; `execute` then decides.
 */
export function needsApprovalFor(
  passage: Passage,
): (
  input: unknown,
  options: { readonly toolCallId: string; readonly messages: readonly object[] },
) => Promise<boolean> {
  return async (input, options) => {
    const { toolCallId, messages } = options
    const call: HostCall = { callId: toolCallId, input, messages: messages ?? [], context: contextIn(options) }
    const major = isMajor6(options) ? 6 : 7
    const wantsYes = await toolAsks(passage.tool, call)
    if (!wantsYes && (major === 7 || !passage.asksInChat)) return false
    if (saidInHistory(call.messages, call.callId) !== undefined) return true
    const passing = await passage.start(call, wantsYes)
    present(passing.record, passage.around, major)
    if (!passage.mayPause(passing.admission, wantsYes)) return false
    await passage.drop(call, passing)
    return true
  }
}

async function withinPatience(passing: Promise<Passing>): Promise<Passing | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const patience = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, HOOK_PATIENCE_MS, undefined)
  })
  try {
    return await Promise.race([passing, patience])
  } finally {
    clearTimeout(timer)
  }
}
