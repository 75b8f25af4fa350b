import type { Passage } from './passage.ts'

/** What became of a tool object: `agent` is one that a guarded agent made of itself. */
export type Guarded = { readonly kind: 'gated' | 'agent'; readonly passage: Passage } | { readonly kind: 'ungated' }

const guarded = new WeakMap<object, Guarded>()

/** Remembers that a tool came out of `guardTools`, or is a guarded agent's. */
export function remember(tool: object, how: Guarded): void {
  guarded.set(tool, how)
}

/** What is remembered of a tool; `undefined` for one that nobody guarded. */
export function remembered(tool: object): Guarded | undefined {
  return guarded.get(tool)
}

/** Did this tool come out of `guardTools`, or out of a guarded agent? */
export function isRemembered(tool: object): boolean {
  return guarded.has(tool)
}
