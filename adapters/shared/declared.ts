import type { Materiality, Surface, ToolAnnotations, ToolDefinition } from '../../src/index.ts'

const MATERIALITIES: readonly string[] = ['low', 'medium', 'high'] satisfies readonly Materiality[]
const HINTS = ['readOnlyHint', 'destructiveHint', 'idempotentHint', 'openWorldHint'] as const

/** `metadata: { holdpoint: { materiality, surface } }`: the operator's word on a tool of their own. */
export function declaredIn(metadata: unknown): ToolDefinition['declared'] {
  const said = member(metadata, 'holdpoint')
  const materiality = member(said, 'materiality')
  const surface = member(said, 'surface')
  if (typeof materiality !== 'string' || !MATERIALITIES.includes(materiality)) return undefined
  return {
    materiality: materiality as Materiality,
    ...(typeof surface === 'string' ? { surface: surface as Surface } : {}),
  }
}

/** The hints of MCP, out of wherever a host keeps them. UNTRUSTED: what a server says of its own tool. */
export function annotationsIn(said: unknown): ToolAnnotations | undefined {
  if (typeof said !== 'object' || said === null) return undefined
  const hints = HINTS.flatMap((hint) => {
    const value = member(said, hint)
    return typeof value === 'boolean' ? [[hint, value]] : []
  })
  return Object.fromEntries(hints) as ToolAnnotations
}

/** An own member of whatever this is. */
export function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined
}
