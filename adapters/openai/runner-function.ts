import { HoldpointError, type ToolDefinition } from '../../src/index.ts'
import { cloneWith } from '../shared/clone.ts'
import type { Surroundings } from '../shared/surroundings.ts'
import { type HostDeclaration, type HostTool, member } from './host.ts'
import { ask } from './passage.ts'
import { take } from './pending.ts'
import { definitionOf } from './surroundings.ts'

/** Where `runnerFunction` leaves the parser of a typed tool: what it makes of the arguments, nobody outside ever sees. */
const STAGES = Symbol.for('openai.responses.runnerFunctionStages')

/** A function of the Responses runner, `{ tool, execute }`, behind the gate. */
export function guardedFunction(
  fn: HostTool,
  around: Surroundings,
): { readonly tool: object; readonly definition: ToolDefinition } {
  const declared = fn.tool as HostDeclaration
  const definition = definitionOf(declared)
  const execute = fn.execute as (args: unknown, options?: { readonly signal?: AbortSignal }) => unknown
  // INVARIANT I3: its schema would change the arguments after they were decided.
  if (typeof Reflect.get(execute, STAGES) === 'function')
    throw new HoldpointError(
      'ERR_TOOL',
      `Guard the typed tool "${definition.name}" before runnerFunction hides its parser: const [guarded] = guardTools([tool], gate), and then { functions: [runnerFunction(guarded)] }.`,
    )
  const gated = async (args: unknown, options?: { readonly signal?: AbortSignal }): Promise<unknown> => {
    const { rejected, ...identity } = take(around.gate, definition.name, JSON.stringify(args))
    return await ask(around, {
      tool: rejected?.tool ?? definition.name,
      definition: rejected?.definition ?? definition,
      said: rejected === undefined ? { input: args } : { inputText: rejected.text },
      identity,
      signal: options?.signal,
      // INVARIANT I4: a function never runs in the place of one that is not there.
      execute:
        rejected?.definition === undefined ? (decided) => execute.call(fn, anObject(decided), options) : undefined,
      reads: (text) => anObject(JSON.parse(text)),
    })
  }
  return { tool: cloneWith(fn, new Map([['execute', gated]])), definition }
}

/** The runner takes nothing else for arguments. */
function anObject(read: unknown): object {
  if (typeof read === 'object' && read !== null && !Array.isArray(read)) return read
  throw new TypeError('Function arguments must be an object.')
}

/** `{ tool: { name… }, execute }`. */
export function isRunnerFunction(tool: HostTool): boolean {
  return typeof tool.execute === 'function' && typeof member(tool, 'tool') === 'object'
}
