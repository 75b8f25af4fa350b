import { renderAsReason } from '../../src/index.ts'
import { giveBack } from '../shared/carry-out.ts'
import { saidInHistory } from './approval-parts.ts'
import { type HostApprovalQuestion, type HostApprovalStatus, type HostTool, isMajor6, toolNamed } from './host.ts'
import { type HostCall, Passage, type Passing, type Surroundings } from './passage.ts'
import { present } from './presentation.ts'

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
  return async (question) => {
    const { toolCall, tools, messages } = question
    // It has run on the provider's side already: a denial now would be false.
    if (toolCall.providerExecuted === true) return undefined
    const call: HostCall = { callId: toolCall.toolCallId, input: toolCall.input, messages }
    const tool = toolNamed(tools, toolCall.toolName)
    const entry = tool === undefined ? undefined : entries.get(tool)
    if (entry === undefined) return await refuseUnlisted(new Passage(toolCall.toolName, tool ?? {}, around), call)
    if (entry.kind === 'ungated')
      return (await asksItself(entry.tool, call, question)) ? { type: 'user-approval' } : undefined
    return await answer(entry.passage, call, question)
  }
}

async function answer(passage: Passage, call: HostCall, question: HostApprovalQuestion): Promise<HostApprovalStatus> {
  const started = passage.start(call)
  const patient = passage.asksInChat || passage.tool.needsApproval !== undefined
  const passing = patient ? await started : await withinPatience(started)
  if (passing === undefined) return undefined
  present(passing.record, passage.around, 7)
  const { admission } = passing
  if (admission.outcome === 'permitted') {
    if (!(await asksItself(passage.tool, call, question)) || saidInHistory(call.messages, call.callId) !== undefined)
      return undefined
    // The tool's author wants a person as well: the permit goes back, and the resumed call is decided anew.
    passage.drop(call)
    await giveBack(admission)
    return { type: 'user-approval' }
  }
  const { refusal } = admission
  if (passage.mayPause(admission) && saidInHistory(call.messages, call.callId) === undefined) {
    passage.drop(call)
    return { type: 'user-approval', reason: renderAsReason(refusal) }
  }
  if (passage.around.refusalAs === 'error' || passage.around.refusalAs === 'result') return undefined
  passage.drop(call)
  return { type: 'denied', reason: renderAsReason(refusal) }
}

/** A tool that never went through `guardTools` does not run under our hook. */
async function refuseUnlisted(passage: Passage, call: HostCall): Promise<HostApprovalStatus> {
  const { admission } = await passage.fetch(call, undefined)
  if (admission.outcome === 'refused') return { type: 'denied', reason: renderAsReason(admission.refusal) }
  await giveBack(admission)
  return {
    type: 'denied',
    reason: `The tool ${passage.name} was not passed to guardTools, so it did not run. (ungated_tool)`,
  }
}

/**
 * Major 6's `needsApproval`: pauses where this chat can answer. On the resuming request it says yes again, since that major
 * asks whether the approval was wanted at all; `execute` then decides.
 */
export function needsApprovalFor(
  passage: Passage,
): (
  input: unknown,
  options: { readonly toolCallId: string; readonly messages: readonly object[] },
) => Promise<boolean> {
  return async (input, options) => {
    const call: HostCall = { callId: options.toolCallId, input, messages: options.messages ?? [] }
    const wanted = await asksItself(passage.tool, call, options)
    if (!isMajor6(options) || !passage.asksInChat || wanted) return wanted
    if (saidInHistory(call.messages, call.callId) !== undefined) return true
    const passing = await passage.start(call)
    present(passing.record, passage.around, 6)
    if (!passage.mayPause(passing.admission)) return false
    passage.drop(call)
    return true
  }
}

/** The tool's own `needsApproval`, which a hook of ours would otherwise silence. */
async function asksItself(tool: HostTool, call: HostCall, question: object): Promise<boolean> {
  const { needsApproval } = tool
  if (typeof needsApproval !== 'function') return needsApproval === true
  const contexts: unknown = Reflect.get(question, 'toolsContext')
  const named = 'toolCall' in question ? Reflect.get(question.toolCall as object, 'toolName') : undefined
  const context: unknown =
    typeof contexts === 'object' && contexts !== null && typeof named === 'string' && Object.hasOwn(contexts, named)
      ? Reflect.get(contexts, named)
      : undefined
  return (
    (await needsApproval.call(tool, call.input, {
      ...question,
      context,
      toolCallId: call.callId,
      messages: call.messages,
    })) === true
  )
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
