import { HoldpointError, type ToolDefinition } from '../../src/index.ts'

/** An app's code for one tool. */
type Handler = (...given: never[]) => unknown

/**
 * An app's handlers by name. UNTRUSTED: a model chooses the names that are looked up. A handler that is `undefined` is none.
 *
 * @throws HoldpointError ERR_TOOL for what is no function
 */
export function handlersOf<H extends Handler>(
  handlers: Readonly<Record<string, H | undefined>>,
): ReadonlyMap<string, H> {
  const found = new Map<string, H>()
  for (const [name, handler] of Object.entries(handlers)) {
    if (handler === undefined) continue
    if (typeof handler !== 'function')
      throw new HoldpointError(
        'ERR_TOOL',
        `The handler of "${name}" is no function, so nothing could carry out its calls.`,
      )
    found.set(name, handler)
  }
  return found
}

/** A tool that has no handler. INVARIANT I4: nobody registers such a definition, so the gate refuses it, whatever else has that name. */
export function nobodys(name: string): ToolDefinition {
  return { name, origin: 'own', description: 'Nobody carries this tool out.' }
}
