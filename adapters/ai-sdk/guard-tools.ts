import { type Gate, HoldpointError, type ToolDefinition, type ToolSeen } from '../../src/index.ts'
import { cloneWith } from '../shared/clone.ts'
import { journalOf } from '../shared/journal.ts'
import { definitionOf, isThirdParty } from './definition.ts'
import { guardedExecute, type HostExecute } from './execute.ts'
import { approvalHook, isRemembered, needsApprovalFor, remember } from './hook.ts'
import type { HostApprovalQuestion, HostApprovalStatus, HostTool } from './host.ts'
import { modelOutputFor } from './model-output.ts'
import { type Definition, Passage, type Surroundings } from './passage.ts'
import type { Major, RefusalAs } from './presentation.ts'

/** What `guardTools` may be told. */
export interface GuardOptions {
  /** Tools that run where no gate can stand (on the provider's side, in the browser) and are accepted as such. */
  readonly ungated?: readonly string[]
  /** Our own name of the server that these tools come from. Default: the gate's; tools of a third party need one. */
  readonly server?: string
  /** How refusals look in the chat. Default: `denied` on major 7, `error` on major 6. */
  readonly refusalAs?: RefusalAs
  /** The major of the client that reads the UI stream, where it differs from the server's. */
  readonly client?: Major
  /** What a medium or high call does while no policy answers. `hold` waits for the policy point to heal. Default `refuse`. */
  readonly onSilence?: 'refuse' | 'hold'
  /** The longest that a held call waits, ms, at most 10 minutes. Default 60000. */
  readonly holdMs?: number
}

/** Spread it into `generateText`, `streamText` or `ToolLoopAgent`. */
export interface GuardedTools<T> {
  /** The same tools, same types, each behind the gate. */
  readonly tools: T
  /** Major 7's approval hook; major 6 ignores it. */
  readonly toolApproval: (question: HostApprovalQuestion) => Promise<HostApprovalStatus>
}

/**
 * Puts a gate in front of every tool. The wrapped `execute` is the enforcement; the hook only makes refusals look native.
 *
 * @throws HoldpointError ERR_UNGATED naming tools that no gate can stand in front of and that `ungated` does not list;
 * ERR_TOOL for a name no tool may have, a case-fold twin, tools that are guarded already, or a third party's without `server`.
 * @example
 * const me = gate.as({ user: 'alice', agent: 'support' }, { conversation: 'c1' })
 * const result = streamText({ model, messages, ...guardTools(tools, me) })
 */
export function guardTools<const T extends Readonly<Record<string, object>>>(
  tools: T,
  gate: Gate,
  options: GuardOptions = {},
): GuardedTools<T> {
  const listed: readonly (readonly [string, HostTool])[] = Object.entries(tools)
  refuseUngateable(listed, options.ungated ?? [])
  if (options.server === undefined) refuseThirdParties(listed)
  const gated = listed.filter(([, tool]) => typeof tool.execute === 'function')
  const definitions = new Map(gated.map(([name, tool]) => [name, definitionOf(name, tool)]))
  const around: Surroundings = {
    gate,
    server: options.server,
    refusalAs: options.refusalAs,
    client: options.client,
    onSilence: options.onSilence ?? 'refuse',
    holdMs: options.holdMs,
    registered: register([...definitions.values()], gate, options.server),
  }
  gate.cover('ai-sdk', listed.map(seenAs), options.server === undefined ? {} : { server: options.server })
  const guarded = new Map(listed.map(([name, tool]) => [name, guardTool(name, tool, around, definitions.get(name))]))
  return { tools: cloneWith(tools, guarded) as T, toolApproval: approvalHook(around) }
}

function guardTool(name: string, tool: HostTool, around: Surroundings, definition: Definition): object {
  return typeof tool.execute === 'function'
    ? gatedTool(new Passage(name, tool, around, definition), tool.execute as HostExecute, definition)
    : ungatedTool(name, tool, around)
}

function gatedTool(passage: Passage, execute: HostExecute, definition: Definition): object {
  const { tool, around } = passage
  const caller = tool.experimental_toolCaller
  const guarded = cloneWith(
    tool,
    new Map<string, unknown>([
      ['execute', guardedExecute(passage, execute)],
      ['toModelOutput', modelOutputFor(tool, around.gate)],
      ['needsApproval', needsApprovalFor(passage)],
      ...(isLocalCaller(caller)
        ? ([['experimental_toolCaller', guardedCaller(passage, caller, definition)]] as const)
        : []),
    ]),
  )
  remember(guarded, { kind: 'gated', passage })
  return guarded
}

/** Runs elsewhere, by the operator's leave: each use leaves a receipt that says so. */
function ungatedTool(name: string, tool: HostTool, around: Surroundings): object {
  const { gate, server } = around
  const because = whereItRuns(tool)
  const own = tool.onInputAvailable
  const marked = async (options: { readonly toolCallId: string }) => {
    const call = { tool: name, callId: options.toolCallId, ...(server === undefined ? {} : { server }) }
    const receipt = await gate.markUngated(call, because)
    journalOf(gate).noteUngated(options.toolCallId, name, receipt)
    if (typeof own === 'function') await own.call(tool, options)
  }
  const guarded = cloneWith(tool, new Map([['onInputAvailable', marked]]))
  remember(guarded, { kind: 'ungated', tool })
  return guarded
}

function seenAs([tool, host]: readonly [string, HostTool]): ToolSeen {
  return typeof host.execute === 'function'
    ? { tool, standing: 'gated' }
    : { tool, standing: 'ungated', because: whereItRuns(host) }
}

function whereItRuns({ type }: HostTool): string {
  return type === 'provider' ? 'runs on the provider' : 'runs in the client'
}

/** Code mode builds the tool that really runs from the tools it may call: that one goes through the gate as well. */
function guardedCaller({ name, around }: Passage, caller: LocalCaller, definition: Definition): LocalCaller {
  return { ...caller, bind: (callable) => guardTool(name, caller.bind(callable), around, definition) }
}

interface LocalCaller {
  readonly type: 'local'
  readonly bind: (tools: object) => HostTool
}

function isLocalCaller(caller: unknown): caller is LocalCaller {
  return (
    typeof caller === 'object' &&
    caller !== null &&
    Reflect.get(caller, 'type') === 'local' &&
    typeof Reflect.get(caller, 'bind') === 'function'
  )
}

function refuseUngateable(listed: readonly (readonly [string, HostTool])[], ungated: readonly string[]): void {
  const twice = listed.filter(([, tool]) => isRemembered(tool)).map(([name]) => name)
  if (twice.length > 0) {
    throw new HoldpointError(
      'ERR_TOOL',
      `These tools are guarded already: ${twice.join(', ')}. Pass the original tools to guardTools, once.`,
    )
  }
  const missing = listed
    .filter(([name, tool]) => typeof tool.execute !== 'function' && !ungated.includes(name))
    .map(([name]) => name)
  if (missing.length === 0) return
  throw new HoldpointError(
    'ERR_UNGATED',
    `No gate can stand in front of ${missing.join(', ')}: ${missing.length === 1 ? 'it has' : 'they have'} no execute here, so the provider or the client runs them. Leave them out, or accept it with guardTools(tools, gate, { ungated: [${missing.map((name) => `'${name}'`).join(', ')}] }).`,
  )
}

/** INVARIANT I8: a third party may name its tool like one of ours, and must not get our words and permits by that. */
function refuseThirdParties(listed: readonly (readonly [string, HostTool])[]): void {
  const theirs = listed
    .filter(([, tool]) => typeof tool.execute === 'function' && isThirdParty(tool))
    .map(([name]) => name)
  if (theirs.length === 0) return
  throw new HoldpointError(
    'ERR_TOOL',
    `These tools come from elsewhere, over MCP or as dynamic tools: ${theirs.join(', ')}. What you say of your own tools must not hold for them, so guard them apart and name their server: guardTools(tools, gate, { server: 'files' }).`,
  )
}

/** Tells the gate of the tools before the first call; with a promised schema, the first call waits. */
function register(
  definitions: readonly (ToolDefinition | Promise<ToolDefinition>)[],
  gate: Gate,
  server: string | undefined,
): Promise<void> | undefined {
  const where = server === undefined ? {} : { server }
  if (!definitions.some((definition) => definition instanceof Promise)) {
    gate.register(definitions as readonly ToolDefinition[], where)
    return undefined
  }
  const registered = Promise.all(definitions).then((all) => {
    gate.register(all, where)
  })
  // Too late to throw where the programmer is looking, and every call will meet it: say it once where they hear it.
  registered.catch((cause: unknown) => {
    gate.warn('registration_failed', cause instanceof Error ? cause.message : String(cause))
  })
  return registered
}
