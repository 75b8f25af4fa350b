import { ToolMessage } from '@langchain/core/messages'
import { RunnableLambda } from '@langchain/core/runnables'
import { cloneWith } from '../shared/clone.ts'
import type { Crossed } from '../shared/cross.ts'
import { member } from '../shared/declared.ts'
import { methodOf } from '../shared/host-shape.ts'
import { journalOf } from '../shared/journal.ts'
import type { HostCall, HostConfig, HostRunManager, HostTool, HostToolCall } from './host.ts'
import { isToolMessage, refusalMessage, withData, withNote } from './message.ts'
import type { Passage } from './passage.ts'

/** What this adapter was built for. */
const HOST = { name: '@langchain/core', range: '^1.4.0' }

type Invoke = (this: object, input: unknown, config?: unknown) => Promise<unknown>

/** Can the gate stand in front of this tool's own code? */
export function isGateable(tool: HostTool): boolean {
  return typeof tool._call === 'function' || isRunnableTool(tool)
}

/** The tool behind the gate: the same class, the same members, and no way to its code but through the gate. */
export function gatedTool(passage: Passage): object {
  return isRunnableTool(passage.tool) ? gatedRunnable(passage) : gatedStructured(passage)
}

function gatedStructured(passage: Passage): object {
  const { tool } = passage
  const call = guardedCall(passage, tool._call as HostCall)
  return cloneWith(
    tool,
    new Map<string, unknown>([
      ['_call', call],
      // What `_call` of the host's own tools runs: nobody shall find it unguarded beside it.
      ...(typeof tool.func === 'function' ? ([['func', call]] as const) : []),
      ['invoke', toldInvoke(passage)],
    ]),
  )
}

/**
 * `_call` behind the gate: the innermost code, after the schema. A refusal is returned, never thrown: the run goes on, and whoever
 * wraps or runs the tool sees what it shows for any tool that failed.
 */
function guardedCall(passage: Passage, original: HostCall): HostCall {
  const { tool } = passage
  return async (arg, runManager, given) => {
    const config = given ?? {}
    const crossed = await passage.take({
      arg,
      config,
      execute: async (decided, reveal) =>
        await finished(await original.call(tool, decided, runManager, revealing(config, reveal)), (preview) =>
          tell(runManager, reveal(preview)),
        ),
    })
    return outputOf(passage, crossed, passage.callIdOf(config))
  }
}

/** What the host is given back. With `content_and_artifact` it wants two things, and a refusal is the first. */
function outputOf(passage: Passage, crossed: Crossed, callId: string | undefined): unknown {
  const isPair = passage.tool.responseFormat === 'content_and_artifact'
  if (crossed.outcome === 'refused') {
    const message = refusalMessage(passage.name, callId, crossed.refusal, crossed.record)
    return isPair ? [message, undefined] : message
  }
  const { result, note } = crossed
  if (!isPair || note === undefined) return withNote(result, note, callId)
  // What policy kept back may be one text in the place of both.
  const [content, artifact] = Array.isArray(result) ? result : [result, undefined]
  return [withNote(content, note, callId), artifact]
}

/** The host's own `invoke`, and beside its message what became of the call. */
function toldInvoke(passage: Passage): Invoke {
  const { tool, around, name } = passage
  const invoke = methodOf(HOST, tool, `The tool "${name}"`, 'invoke') as Invoke
  return async function (input, config) {
    const output = await invoke.call(this, input, config)
    const callId = idOf(input)
    if (!isToolMessage(output) || callId === undefined) return output
    const record = journalOf(around.gate).find(callId)
    if (output.status !== 'error') report(passage, callId, name)
    return record === undefined || 'holdpoint' in output.additional_kwargs ? output : withData(output, record)
  }
}

/** The tripwire: a class with an `invoke` of its own may never come to `_call`. */
function report({ around: { gate, server } }: Passage, callId: string, tool: string): void {
  gate.reportRun('langchain', { tool, callId, ...(server === undefined ? {} : { server }) })
}

/** A runnable that was turned into a tool: its `bound` reads the call and runs it. */
function gatedRunnable(passage: Passage): object {
  const bound = passage.tool.bound as { invoke(input: unknown, config?: unknown): Promise<unknown> }
  const guarded = new RunnableLambda<unknown, unknown>({
    func: async (input: unknown, config: unknown) => {
      const call = isToolCall(input) ? input : undefined
      const asked = call === undefined ? input : call.args
      const read = await readArguments(passage.tool, asked)
      // The host says what is wrong with the arguments of a call, as without us: it reads them before it runs anything. INVARIANT I4:
      // what is no call it does not read at all.
      if (read === undefined && call !== undefined) return await bound.invoke(input, config)
      const arg = read === undefined ? asked : read.value
      const given: HostConfig = { ...(config as HostConfig), ...(call === undefined ? {} : { toolCall: call }) }
      const execute = (decided: unknown, reveal: Reveal) => {
        // INVARIANT I3: the host would take such arguments for a call, and run what is inside.
        if (isToolCall(decided)) throw new TypeError('The arguments of this call are a call themselves.')
        return bound.invoke(decided, revealing(config as HostConfig, reveal))
      }
      const crossed = await passage.take({ arg, config: given, execute })
      const output = outputOf(passage, crossed, call?.id)
      return call === undefined || isToolMessage(output) ? output : asMessage(passage, call, output, crossed)
    },
  })
  return cloneWith(passage.tool, new Map([['bound', guarded]]))
}

/** The message that the host would make of this output. */
function asMessage({ name }: Passage, call: HostToolCall, output: unknown, { record }: Crossed): unknown {
  if (typeof output === 'object' && output !== null && 'lg_name' in output) return output
  const content = typeof output === 'string' ? output : (JSON.stringify(output) ?? '')
  return withData(new ToolMessage({ name, content, tool_call_id: call.id ?? '' }), record)
}

/** Arguments as the tool's own schema makes them; undefined where it rejects them. */
async function readArguments({ schema }: HostTool, value: unknown): Promise<{ readonly value: unknown } | undefined> {
  const standard = Reflect.get(Object(schema), '~standard') as StandardReader | undefined
  if (typeof standard?.validate !== 'function') return { value }
  const read = await standard.validate(value)
  return read.issues === undefined ? { value: read.value } : undefined
}

interface StandardReader {
  readonly validate: (value: unknown) => Promise<StandardResult> | StandardResult
}

interface StandardResult {
  readonly value?: unknown
  readonly issues?: readonly unknown[] | undefined
}

/** Runs a tool that yields previews to its end, as the host does: what it returns is the result. */
async function finished(output: unknown, preview: (value: unknown) => Promise<void>): Promise<unknown> {
  if (!isGenerator(output)) return output
  try {
    for (;;) {
      const next = await output.next()
      if (next.done === true) return next.value
      await preview(next.value)
    }
  } finally {
    await output.return?.(undefined)
  }
}

type Reveal = (preview: unknown) => unknown

/** What the tool streams through its graph's writer passes the gate as its result does. The host hands its config over twice. */
function revealing(config: HostConfig | undefined, reveal: Reveal): HostConfig {
  const told = withWriter(config ?? {}, reveal)
  const inner: unknown = member(config, 'config')
  return typeof inner === 'object' && inner !== null ? { ...told, ...{ config: withWriter(inner, reveal) } } : told
}

function withWriter<C extends object>(config: C, reveal: Reveal): C {
  const writer: unknown = member(config, 'writer')
  if (typeof writer !== 'function') return config
  return { ...config, writer: (chunk: unknown) => Reflect.apply(writer, config, [reveal(chunk)]) }
}

async function tell(runManager: HostRunManager | undefined, preview: unknown): Promise<void> {
  try {
    await runManager?.handleToolEvent?.(preview)
  } catch (error) {
    // The host's own way: who listens badly does not end the tool.
    await runManager?.handleToolError?.(error)
  }
}

function isGenerator(value: unknown): value is AsyncGenerator<unknown, unknown> {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'next') === 'function'
}

function isRunnableTool(tool: HostTool): boolean {
  return Reflect.get(tool, 'lc_runnable') === true && typeof Reflect.get(Object(tool.bound), 'invoke') === 'function'
}

function isToolCall(input: unknown): input is HostToolCall {
  return typeof input === 'object' && input !== null && Reflect.get(input, 'type') === 'tool_call'
}

function idOf(input: unknown): string | undefined {
  return isToolCall(input) && typeof input.id === 'string' ? input.id : undefined
}
