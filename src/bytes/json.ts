import type { Json, JsonObject } from '../types.ts'

/** Is this JSON an object, and neither a list nor `null`? */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
