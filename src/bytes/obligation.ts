import type { Json, JsonObject, Obligation } from '../types.ts'
import { isObject } from './json.ts'
import { pathOf } from './pointer.ts'

/** The obligations that a gate meets by itself; every other type is met by the operator's code, or by nobody. */
export const OWN_OBLIGATIONS = ['limit', 'dry_run', 'redact_output'] as const

/** A number in the arguments is to be at most `max`. */
export interface Limit {
  readonly kind: 'limit'
  /** JSON Pointer into the arguments. */
  readonly path: string
  readonly max: number
}

/** A member of the arguments is to be `value`: the tool's own switch for trying things out. */
export interface DryRun {
  readonly kind: 'dry_run'
  readonly path: string
  readonly value: Json
}

/** What nobody may see of the result. */
export interface RedactOutput {
  readonly kind: 'redact_output'
  /** JSON Pointers into the result; `*` is every index or member. */
  readonly paths: readonly string[]
  /** What stands in its place. */
  readonly with: Json
}

/** An obligation as it was read: one of ours, one for the operator's code, or one that cannot be met as it is written. */
export type ReadObligation =
  | Limit
  | DryRun
  | RedactOutput
  | { readonly kind: 'operator' }
  | { readonly kind: 'unusable'; readonly because: string }

const REDACTED = '[redacted]'
const POINTER = /^(?:\/(?:[^~/]|~[01])*)+$/
const LONGEST_POINTER = 512
const MOST_PATHS = 32
/** What no JSON of ours has as a member, so that no pointer leads into a prototype. */
const PROTOTYPE_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

/** Reads an obligation's properties. UNTRUSTED where a policy service sent them. Never throws. */
export function readObligation({ type, properties }: Pick<Obligation, 'type' | 'properties'>): ReadObligation {
  switch (type) {
    case 'limit':
      return readLimit(properties)
    case 'dry_run':
      return readDryRun(properties)
    case 'redact_output':
      return readRedaction(properties)
    case 'notify': {
      const { to } = properties
      return to === undefined || (typeof to === 'string' && to !== '')
        ? { kind: 'operator' }
        : unusable('"to" must be a text')
    }
    default:
      return { kind: 'operator' }
  }
}

function readLimit(properties: JsonObject): ReadObligation {
  const { path, max } = properties
  const stray = strayIn(properties, ['path', 'max'])
  if (stray !== undefined) return stray
  if (!isPointer(path)) return unusable(`"path" ${POINTER_RULE}`)
  if (typeof max !== 'number' || !Number.isFinite(max)) return unusable('"max" must be a number')
  return { kind: 'limit', path, max }
}

function readDryRun(properties: JsonObject): ReadObligation {
  const { path, value = true } = properties
  const stray = strayIn(properties, ['path', 'value'])
  if (stray !== undefined) return stray
  return isPointer(path) ? { kind: 'dry_run', path, value } : unusable(`"path" ${POINTER_RULE}`)
}

function readRedaction(properties: JsonObject): ReadObligation {
  const { paths, with: instead = REDACTED } = properties
  const stray = strayIn(properties, ['paths', 'with'])
  if (stray !== undefined) return stray
  if (!Array.isArray(paths) || paths.length === 0 || paths.length > MOST_PATHS)
    return unusable(`"paths" must be a list of 1 to ${MOST_PATHS} JSON Pointers into the result`)
  const pointers = paths.filter((path) => path === '' || isPointer(path))
  if (pointers.length < paths.length) return unusable(`each of "paths" ${POINTER_RULE}`)
  return { kind: 'redact_output', paths: pointers, with: instead }
}

const POINTER_RULE = 'must be a JSON Pointer such as "/amount", and none into a prototype'

function isPointer(value: Json | undefined): value is string {
  if (typeof value !== 'string' || value.length > LONGEST_POINTER || !POINTER.test(value)) return false
  return pathOf(value).every((step) => !PROTOTYPE_KEYS.has(step))
}

function strayIn(properties: JsonObject, known: readonly string[]): ReadObligation | undefined {
  if (!isObject(properties)) return unusable('its properties must be an object')
  const stray = Object.keys(properties).find((name) => !known.includes(name))
  return stray === undefined ? undefined : unusable(`has no "${stray}"; it has ${known.join(', ')}`)
}

function unusable(because: string): ReadObligation {
  return { kind: 'unusable', because }
}
