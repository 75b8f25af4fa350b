import { canonicalText } from '../bytes/canonical.ts'
import { isObject } from '../bytes/json.ts'
import type { DryRun, Limit } from '../bytes/obligation.ts'
import { pathOf } from '../bytes/pointer.ts'
import type { Json } from '../types.ts'

/** An obligation that is met by other arguments. */
export type ArgumentObligation = Limit | DryRun

/** Other arguments, and what is other about them; `from` and `to` are canonical JSON. */
export interface Amended {
  readonly input: Json
  readonly changes: readonly {
    readonly kind: ArgumentObligation['kind']
    readonly path: string
    readonly from?: string
    readonly to: string
  }[]
}

/**
 * The arguments as obligations want them. `undefined` where that cannot be: a limit on what is no number, a path that leads
 * nowhere, two obligations that want different things of one place. Nothing changes where all is as it should be.
 */
export function amend(input: Json, owed: readonly ArgumentObligation[]): Amended | undefined {
  let amended = input
  for (const one of owed) {
    if (isMet(amended, one)) continue
    if (one.kind === 'limit' && typeof valueAt(amended, pathOf(one.path)) !== 'number') return undefined
    const next = put(amended, pathOf(one.path), one.kind === 'limit' ? one.max : one.value)
    if (next === undefined) return undefined
    amended = next
  }
  // INVARIANT I4: one obligation may have undone what another did; then neither of them is met.
  if (!owed.every((one) => isMet(amended, one))) return undefined
  return { input: amended, changes: changesBetween(input, amended, owed) }
}

/** What obligations have made other, place by place. */
export function changesBetween(before: Json, after: Json, owed: readonly ArgumentObligation[]): Amended['changes'] {
  const byPath = new Map(owed.map((one) => [one.path, one]))
  return [...byPath.values()].flatMap(({ kind, path }) => {
    const from = textAt(before, path)
    const to = textAt(after, path) ?? 'null'
    return from === to ? [] : [{ kind, path, ...(from === undefined ? {} : { from }), to }]
  })
}

function isMet(input: Json, owed: ArgumentObligation): boolean {
  const value = valueAt(input, pathOf(owed.path))
  if (owed.kind === 'limit') return typeof value === 'number' && value <= owed.max
  return value !== undefined && canonicalText(value) === canonicalText(owed.value)
}

function textAt(input: Json, path: string): string | undefined {
  const value = valueAt(input, pathOf(path))
  return value === undefined ? undefined : canonicalText(value)
}

/** Own members and elements alone. */
function valueAt(value: Json | undefined, path: readonly string[]): Json | undefined {
  const [step, ...rest] = path
  if (step === undefined) return value
  if (Array.isArray(value)) return isIndex(step, value) ? valueAt(value[Number(step)], rest) : undefined
  if (!isObject(value) || !Object.hasOwn(value, step)) return undefined
  return valueAt(value[step], rest)
}

/** A copy with another value there. A last member that is missing is added; whatever leads to it must exist. */
function put(value: Json | undefined, path: readonly string[], instead: Json): Json | undefined {
  const [step, ...rest] = path
  if (step === undefined) return instead
  if (Array.isArray(value)) {
    if (!isIndex(step, value)) return undefined
    const inside = put(value[Number(step)], rest, instead)
    return inside === undefined ? undefined : value.with(Number(step), inside)
  }
  if (!isObject(value)) return undefined
  if (rest.length > 0 && !Object.hasOwn(value, step)) return undefined
  const inside = put(value[step], rest, instead)
  return inside === undefined ? undefined : { ...value, [step]: inside }
}

function isIndex(step: string, list: readonly Json[]): boolean {
  return /^(?:0|[1-9][0-9]*)$/.test(step) && Number(step) < list.length
}
