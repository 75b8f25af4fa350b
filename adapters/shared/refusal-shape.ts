import type { Refusal } from '../../src/index.ts'

/**
 * Is this value a refusal of ours?
 *
 * By shape, not identity: hosts store results as JSON and hand them back later. UNTRUSTED: a tool or a client may forge the
 * shape, which makes its own words read as a refusal and permits nothing. The whole shape is checked, since what passes here
 * is rendered.
 */
export function isRefusal(value: unknown): value is Refusal {
  const [holdpoint, executed, retryable, remedy, constraints] = [
    'holdpoint',
    'executed',
    'retryable',
    'remedy',
    'constraints',
  ].map((name) => member(value, name))
  if (holdpoint !== 'refusal/v1' || executed !== false || typeof retryable !== 'boolean') return false
  if (!['code', 'message', 'tool'].every((name) => isText(member(value, name)))) return false
  if (!isText(member(remedy, 'kind'))) return false
  return (
    Array.isArray(constraints) &&
    constraints.every((each) => isText(member(each, 'path')) && isText(member(each, 'requires')))
  )
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}
