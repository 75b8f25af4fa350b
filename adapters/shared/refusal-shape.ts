import type { Refusal } from '../../src/index.ts'

/**
 * Is this value a refusal of ours?
 *
 * By shape, not identity: hosts store results as JSON and hand them back later. A tool that forges the shape only makes its
 * own result read as a refusal; nothing is permitted by it.
 */
export function isRefusal(value: unknown): value is Refusal {
  if (typeof value !== 'object' || value === null) return false
  const candidate = value as {
    readonly holdpoint?: unknown
    readonly code?: unknown
    readonly message?: unknown
    readonly executed?: unknown
  }
  return (
    candidate.holdpoint === 'refusal/v1' &&
    candidate.executed === false &&
    typeof candidate.code === 'string' &&
    typeof candidate.message === 'string'
  )
}
