import { HoldpointError, type ToolDefinition } from '../../src/index.ts'
import { cloneWith } from '../shared/clone.ts'
import { type HostDeclaration, type HostTool, member } from './host.ts'
import { ask } from './passage.ts'
import { standingIn, take } from './pending.ts'
import { definitionOf, type Surroundings } from './surroundings.ts'

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
    const { callId, step, rejected } = take(around.gate, definition.name, JSON.stringify(args))
    return await ask(around, {
      tool: rejected?.tool ?? definition.name,
      definition: rejected?.definition ?? definition,
      said: rejected === undefined ? { input: args } : { inputText: rejected.text },
      callId,
      step,
      signal: options?.signal,
      execute: (decided) => {
        const input = rejected === undefined ? decided : standingIn(rejected, decided)
        if (typeof input !== 'object' || input === null || Array.isArray(input))
          throw new TypeError('Function arguments must be an object.')
        return execute.call(fn, input, options)
      },
    })
  }
  return { tool: cloneWith(fn, new Map([['execute', gated]])), definition }
}

/** `{ tool: { name… }, execute }`. */
export function isRunnerFunction(tool: HostTool): boolean {
  return typeof tool.execute === 'function' && typeof member(tool, 'tool') === 'object'
}
