import type { Evidence, ToolAnnotations } from '../types.ts'

/**
 * What a server says about its own tool.
 *
 * INVARIANT I8: raises only. A server that warns is believed, one that praises itself is not: `readOnlyHint: true` and
 * `destructiveHint: false` say nothing here.
 */
export function fromHints(annotations: ToolAnnotations | undefined): readonly Evidence[] {
  const evidence: Evidence[] = []
  if (annotations?.destructiveHint === true) {
    evidence.push({
      source: 'annotations',
      argues: 'high',
      at: 'destructiveHint',
      because: 'its server calls it destructive',
    })
  }
  if (annotations?.readOnlyHint === false) {
    evidence.push({
      source: 'annotations',
      argues: 'medium',
      at: 'readOnlyHint',
      because: 'its server says that it writes',
    })
  }
  return evidence
}
