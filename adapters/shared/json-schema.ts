import { z } from 'zod'
import type { JsonSchema } from '../../src/index.ts'

/** A schema, later where the tool's author hands over a promise; `undefined` where none can be had. */
export type FoundSchema = JsonSchema | undefined | Promise<JsonSchema | undefined>

/**
 * The JSON Schema of what a tool's `execute` receives, out of whatever its author gave the host: zod 4, a Standard Schema
 * that can describe itself, an AI SDK `jsonSchema(…)`, or a function that returns one of these.
 *
 * Parsers that transform are described by their *output*: the gate sees arguments after the host has parsed them.
 */
export function jsonSchemaOf(schema: unknown): FoundSchema {
  if (schema === undefined || schema === null) return undefined
  try {
    return read(schema)
  } catch {
    // A schema that cannot be described leaves the contract without one; the classifier then knows less, never more.
    return undefined
  }
}

function read(schema: unknown): FoundSchema {
  if (typeof schema !== 'object' && typeof schema !== 'function') return undefined
  const found = schema as { readonly _zod?: unknown; readonly '~standard'?: unknown; readonly jsonSchema?: unknown }
  if (found._zod !== undefined) return zodSchema(schema)
  if (found['~standard'] !== undefined) return standardSchema(found['~standard'])
  if (typeof schema === 'function') return jsonSchemaOf((schema as () => unknown)())
  const described = found.jsonSchema
  if (described instanceof Promise) return described.then(plain, () => undefined)
  return plain(described)
}

function zodSchema(schema: unknown): JsonSchema | undefined {
  return plain(z.toJSONSchema(schema as z.ZodType, { io: 'output', unrepresentable: 'any' }))
}

function standardSchema(standard: unknown): JsonSchema | undefined {
  const { jsonSchema } = standard as {
    readonly jsonSchema?: { readonly output?: (options: { readonly target: string }) => unknown }
  }
  return typeof jsonSchema?.output === 'function' ? plain(jsonSchema.output({ target: 'draft-2020-12' })) : undefined
}

/** Only plain JSON reaches the contract: hidden members (zod keeps a `~standard` of its own) stay behind. */
function plain(value: unknown): JsonSchema | undefined {
  if (typeof value === 'boolean') return value
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return JSON.parse(JSON.stringify(value)) as JsonSchema
}
