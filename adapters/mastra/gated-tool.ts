import type { ApprovalRecord } from '../../src/index.ts'
import { cloneWith } from '../shared/clone.ts'
import type { Crossed } from '../shared/cross.ts'
import { member } from '../shared/declared.ts'
import { type HostExecute, originOf } from './host.ts'
import { type Passage, Suspended } from './passage.ts'
import { modelOutputFor, refusedResult, StepRefused, withNote } from './refusal.ts'

/** Tools that came out of a guard. */
const passages = new WeakMap<object, Passage>()

/** The tool behind the gate: the same class, the same members. */
export function gatedTool(passage: Passage): object {
  const { tool } = passage
  const guarded = cloneWith(
    tool,
    new Map<string, unknown>([
      ['execute', guardedExecute(passage, tool.execute as HostExecute)],
      ['toModelOutput', modelOutputFor(tool.toModelOutput)],
    ]),
  )
  passages.set(guarded, passage)
  return guarded
}

export function isGuarded(tool: object): boolean {
  return passages.has(tool)
}

/**
 * Mastra's `requireToolApproval`: suspends the run over calls for which policy wants the person of this chat to say yes. It asks, and
 * grants nothing: whether the yes was given, `execute` learns from the gate's own store.
 *
 * @param tools the agent's tools; those that are not guarded are not asked about
 * @example
 * await agent.generate(text, { requireToolApproval: approvalFor(tools) })
 */
export function approvalFor(
  tools: Readonly<Record<string, object>>,
): (asked: { readonly toolName: string; readonly args: unknown }) => Promise<boolean> {
  const known = new Map(Object.entries(tools).map(([name, tool]) => [name, passages.get(tool)]))
  return async ({ toolName, args }) => (await known.get(toolName)?.wantsYes(args)) === true
}

/**
 * The open request for a call that an agent has suspended: what the person is asked, and the reference that `gate.answer` takes.
 *
 * @param tool the guarded tool
 * @param args as the host's payload of the suspension has them. UNTRUSTED: they find the request, and decide nothing
 */
export async function requestOf(tool: object, args: unknown): Promise<ApprovalRecord | undefined> {
  return await passages.get(tool)?.request(args)
}

/**
 * The outer `execute` behind the gate: outside, a refusal does not meet the tool's output schema. It is returned, never thrown, and
 * the run goes on; a workflow's step fails by it.
 */
function guardedExecute(passage: Passage, execute: HostExecute): HostExecute {
  const { tool } = passage
  return async (input, context) => {
    const origin = originOf(context)
    const suspension = watchSuspension(context)
    let crossed: Crossed
    try {
      crossed = await passage.take({
        input,
        origin,
        execute: async (decided, reveal) => {
          await passage.checkRereading(decided, origin)
          revealPreviews(context, reveal)
          // Mastra knows by this very object that it has read the arguments already.
          const result = await execute.call(tool, decided, context)
          if (suspension.happened && result === undefined) throw new Suspended()
          return result
        },
      })
    } catch (error) {
      if (!(error instanceof Suspended)) throw error
      if (!passage.pausesItself) passage.warnOfOwnPause()
      return undefined
    }
    if (crossed.outcome === 'ran') return withNote(crossed.result, crossed.note)
    if (origin.kind === 'workflow') throw new StepRefused(crossed.refusal)
    return refusedResult(crossed.refusal)
  }
}

/** Notices when the tool suspends its run. The context's own functions are wrapped in place: the object has to stay the same. */
function watchSuspension(context: unknown): { readonly happened: boolean } {
  const seen = { happened: false }
  for (const place of [context, member(context, 'agent'), member(context, 'workflow')]) {
    const suspend = member(place, 'suspend')
    if (typeof suspend !== 'function') continue
    Reflect.set(Object(place), 'suspend', (...given: readonly unknown[]) => {
      seen.happened = true
      return Reflect.apply(suspend, place, given)
    })
  }
  return seen
}

/** What the tool shows while it is at work passes the gate as its result does. */
function revealPreviews(context: unknown, reveal: (preview: unknown) => unknown): void {
  const writer = member(context, 'writer')
  if (typeof writer !== 'object' || writer === null) return
  const told = new Proxy(writer, {
    get(target, name) {
      const found: unknown = Reflect.get(target, name, target)
      if (typeof found !== 'function') return found
      if (name !== 'write' && name !== 'custom') return found.bind(target)
      return (chunk: unknown, ...more: readonly unknown[]) => Reflect.apply(found, target, [reveal(chunk), ...more])
    },
  })
  Reflect.set(Object(context), 'writer', told)
}
