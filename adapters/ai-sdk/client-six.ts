/**
 * What a server of major 7 says to a client of major 6, which ends its stream over the first chunk that it does not know.
 */

/** Chunks of major 7 that major 6 has no word for. */
const UNKNOWN: ReadonlySet<string> = new Set([
  'tool-approval-response',
  'custom',
  'reasoning-file',
  'steering-message',
  'reset-step',
])

/** The chunk as major 6 takes it; nothing where it has no place for it. What the gate did is never lost with one. */
export function forMajor6<CHUNK extends { readonly type: string }>(chunk: CHUNK): readonly CHUNK[] {
  if (UNKNOWN.has(chunk.type)) return []
  const wasInterrupted = chunk.type === 'finish' && Reflect.get(chunk, 'finishReason') === 'interrupted'
  return [wasInterrupted ? { ...chunk, finishReason: 'other' } : chunk]
}
