import { type Gate, HoldpointError, type ToolDefinition } from '../../src/index.ts'
import { type Surroundings, where } from '../shared/surroundings.ts'
import { type HostTool, member } from './host.ts'
import { acceptHosted, type UngatedOption } from './hosted.ts'
import { guardedFunction, isRunnerFunction } from './runner-function.ts'
import { around, HOST, type ServerOption } from './surroundings.ts'
import { isTyped, runnableTool, typedTool } from './typed-tool.ts'

/** What `guardTools` may be told. */
export interface GuardOptions extends ServerOption, UngatedOption {}

interface Guarded {
  readonly tool: object
  readonly definition?: ToolDefinition
}

/** Tools that came out of `guardTools`. */
const guarded = new WeakSet<object>()

/**
 * Puts a gate in front of every tool: those of `runTools` (`zodFunction`, `standardFunction`, plain runnable ones), those of the
 * Responses runner (`{ tool, execute }`), and typed ones of the Responses API before `runnerFunction` takes them.
 *
 * @throws HoldpointError ERR_UNGATED naming tools that no gate can stand in front of and that `ungated` does not list; ERR_TOOL for a
 * tool without a name or callback, a case-fold twin, or tools that are guarded already.
 * @example
 * const me = gate.as({ user: 'alice', agent: 'support' }, { conversation: 'c1' })
 * const runner = client.chat.completions.runTools({ model, messages, tools: guardTools([order, refund], me) })
 */
export function guardTools<T extends readonly object[] | []>(tools: T, gate: Gate, options: GuardOptions = {}): T {
  const given: readonly HostTool[] = tools
  refuseTwice(given)
  acceptHosted(given, gate, options)
  const surroundings = around(gate, options)
  const all = given.map((tool) => guard(tool, surroundings))
  const definitions = all.flatMap(({ definition }) => (definition === undefined ? [] : [definition]))
  gate.register(definitions, where(surroundings))
  gate.cover(
    HOST,
    definitions.map(({ name }) => ({ tool: name, standing: 'gated' })),
    where(surroundings),
  )
  for (const { tool, definition } of all) if (definition !== undefined) guarded.add(tool)
  return all.map(({ tool }) => tool) as unknown as T
}

function guard(tool: HostTool, surroundings: Surroundings): Guarded {
  if (isRunnerFunction(tool)) return guardedFunction(tool, surroundings)
  if (isTyped(tool)) {
    if (typeof tool.$callback !== 'function') throw withoutCode(tool)
    return typedTool(tool, surroundings)
  }
  if (tool.type !== 'function') return { tool }
  if (typeof member(tool.function, 'function') !== 'function') throw withoutCode(tool)
  return runnableTool(tool, surroundings)
}

function withoutCode(tool: HostTool): HoldpointError {
  const name = member(tool.function, 'name') ?? tool.name ?? 'a tool'
  return new HoldpointError(
    'ERR_TOOL',
    `${String(name)} has no function of its own, so there is nothing to put the gate in front of. Give it one, or carry its calls out with runToolCalls or runFunctionCalls.`,
  )
}

function refuseTwice(tools: readonly HostTool[]): void {
  const twice = tools.filter((tool) => guarded.has(tool))
  if (twice.length === 0) return
  const names = twice.map((tool) => String(member(tool.function, 'name') ?? member(tool.tool, 'name') ?? tool.name))
  throw new HoldpointError(
    'ERR_TOOL',
    `These tools are guarded already: ${names.join(', ')}. Pass the original tools to guardTools, once.`,
  )
}
