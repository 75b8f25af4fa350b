import type { ToolDefinition } from '../../src/index.ts'
import { definitionOf, type Origin } from './definition.ts'
import { type Message, textOf, twinOf } from './message.ts'

/** One page of a listing, as every reader reads it. */
export interface Page {
  readonly entries: readonly Entry[]
  /** What the next page is asked for with; none on the last. */
  readonly next: string | undefined
}

/** One tool of a page. */
export interface Entry {
  /** The very value that the server sent. */
  readonly listed: unknown
  /** What the gate makes of it; none where it could be read in two ways. */
  readonly definition: ToolDefinition | undefined
}

/**
 * Reads the result of `tools/list`. UNTRUSTED.
 *
 * @returns `undefined` where it has no list of tools, or where a reader that does not look at case finds another one
 */
export function readPage(result: Message, origin: Origin): Page | undefined {
  const { tools } = result
  if (!Array.isArray(tools) || twinOf(result, ['tools', 'nextCursor']) !== undefined) return undefined
  const entries = tools.map((listed: unknown) => ({ listed, definition: definitionOf(listed, origin) }))
  return { entries, next: textOf(result['nextCursor']) }
}

/** Is this all that there is? A listing in several pages is read by the gate itself, from the first to the last. */
export function isWhole(asked: Message, { next }: Page): boolean {
  return asked['cursor'] === undefined && next === undefined
}
