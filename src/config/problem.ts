/** Turns what the schema found into one sentence with the nearest name. */

import type { z } from 'zod'
import { nearest } from '../bytes/nearest.ts'
import { configSchema } from './schema.ts'

type Issue = z.core.$ZodIssue
type Path = readonly PropertyKey[]

/** One mistake: where it stands, and a sentence about it. */
export interface Problem {
  /** Path of the offending key itself. */
  readonly path: readonly string[]
  /** True when the key is at fault rather than its value. */
  readonly aboutKey: boolean
  readonly sentence: string
}

/**
 * Describes the first issue that a person should fix.
 *
 * @param schema what the value was checked against: where the known keys are looked up
 */
export function problemOf(issues: readonly Issue[], schema: unknown = configSchema): Problem {
  const inside = issues.map(opened)
  const issue = inside.find((candidate) => candidate.code === 'unrecognized_keys') ?? inside[0]
  if (issue === undefined) return { path: [], aboutKey: false, sentence: 'the file is unusable' }
  const path = issue.path.map(String)
  if (issue.code === 'unrecognized_keys') return unknownKey(path, issue.keys[0] ?? '', schema)
  if (issue.code === 'invalid_key') {
    return { path, aboutKey: true, sentence: `${named(path)} ${issue.issues[0]?.message ?? 'is not a usable key'}` }
  }
  return { path, aboutKey: false, sentence: `${named(path)} ${issue.message}` }
}

/** Where several shapes are possible and the value is clearly meant to be one of them, what is wrong inside that one. */
function opened(issue: Issue): Issue {
  if (issue.code !== 'invalid_union') return issue
  const meant = issue.errors.filter((branch) => branch.some(isInside))
  const [first] = meant[0]?.filter(isInside) ?? []
  if (meant.length !== 1 || first === undefined) return issue
  return opened({ ...first, path: [...issue.path, ...first.path] })
}

function isInside({ path, code }: Issue): boolean {
  return path.length > 0 || code === 'unrecognized_keys' || code === 'custom'
}

function unknownKey(parent: readonly string[], key: string, schema: unknown): Problem {
  const path = [...parent, key]
  const at = (sentence: string): Problem => ({ path, aboutKey: true, sentence })
  if (schema === configSchema && parent.length === 0 && (key === 'mode' || key === 'observe' || key === 'until')) {
    return at(
      `"${key}" cannot be set here: observe mode is set in code alone (createGate({ observe: { until } })), so that an edited file never switches the gate off`,
    )
  }
  if (parent[0] === 'tools' && parent.length === 2 && key === 'deny') {
    return at(`"${path.join('.')}" is written without a mapping: "${parent[1]}: deny"`)
  }
  if (parent[0] === 'trust' && key === 'd') {
    return at(
      `"${parent.join('.')}" holds a private key: a gate only ever learns public ones (remove "d", and treat that key as disclosed)`,
    )
  }
  const known = keysAt(schema, parent)
  const guess = nearest(key, known)
  const hint =
    guess !== undefined ? `did you mean "${guess}"?` : known.length > 0 ? `known keys: ${known.join(', ')}` : ''
  return at(`unknown key "${path.join('.')}"${hint === '' ? '' : `; ${hint}`}`)
}

/** The keys that the schema knows at a path. */
function keysAt(root: unknown, path: Path): readonly string[] {
  let schema = root
  for (const step of path) schema = child(schema, String(step))
  return shapeKeys(schema)
}

interface Def {
  readonly type?: string
  readonly innerType?: unknown
  readonly shape?: Readonly<Record<string, unknown>>
  readonly valueType?: unknown
  readonly element?: unknown
  readonly options?: readonly unknown[]
}

function defOf(schema: unknown): Def {
  return (schema as { readonly def?: Def } | undefined)?.def ?? {}
}

function unwrapped(schema: unknown): unknown {
  let inner = schema
  while (defOf(inner).innerType !== undefined) inner = defOf(inner).innerType
  return inner
}

function child(schema: unknown, step: string): unknown {
  const def = defOf(unwrapped(schema))
  if (def.shape !== undefined) return Object.hasOwn(def.shape, step) ? def.shape[step] : undefined
  if (def.options !== undefined) {
    return def.options.map((option) => child(option, step)).find((found) => found !== undefined)
  }
  return def.valueType ?? def.element
}

function shapeKeys(schema: unknown): readonly string[] {
  const def = defOf(unwrapped(schema))
  if (def.shape !== undefined) return Object.keys(def.shape)
  return [...new Set((def.options ?? []).flatMap((option) => shapeKeys(option)))]
}

function named(path: readonly string[]): string {
  return path.length === 0 ? 'the file' : `"${path.join('.')}"`
}
