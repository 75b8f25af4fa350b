import type { EvaluationRequest, Json, JsonObject, JsonSchema } from '../types.ts'
import type { SplitPolicy } from './atoms.ts'
import { type Edit, editsFor } from './edits.ts'
import type { LoadedPolicy } from './load.ts'
import { createProber, type Probed, wantsTrue } from './probe.ts'

/** One argument with another value. */
export interface ArgumentChange {
  /** JSON Pointer into the arguments. */
  readonly path: string
  /** Absent where the argument was not given. */
  readonly from?: Json
  readonly to: Json
}

/** Arguments are tried so often at most. */
const MOST_TRIES = 256
/** Ways out of one rule that are looked at. */
const MOST_WAYS = 8

/** Some changes, made together. */
type Way = readonly Edit[]

/** Finds, for a refused request, the fewest changes of arguments with which it would be permitted. */
export type ChangeFinder = (
  request: EvaluationRequest,
  schema: JsonSchema | undefined,
  isPermitted: (input: Json) => boolean,
) => readonly ArgumentChange[] | undefined

/**
 * For the person, never for the model: what the arguments would have to be. Candidates are the boundary values of the
 * conditions that failed (the limit itself, the first of a list, the same name in the right folder); each is put to the policies
 * by `isPermitted`, and only one that they permit is told.
 */
export function createChangeFinder(digest: string, policies: readonly LoadedPolicy[]): ChangeFinder {
  const probe = createProber(digest, policies)
  return (request, schema, isPermitted) => {
    const probed = probe(request, schema)
    if (probed === undefined) return undefined
    const ways = waysOut(probed, request, schema)
    const byCount = ways
      .map(merged)
      .filter(isChange)
      .sort((one, other) => one.length - other.length)
    for (const way of byCount.slice(0, MOST_TRIES)) {
      const input = way.reduce<Json>(
        (changed, { path, value }) => withValue(changed, path, value),
        request.context.arguments,
      )
      if (isPermitted(input)) return way.map(({ pointer, from, value }) => ({ path: pointer, ...from, to: value }))
    }
    return undefined
  }
}

/** Every forbid that stands must be lifted, and then a permit must apply: one that does already, or one that is brought to. */
function waysOut(probed: Probed, request: EvaluationRequest, schema: JsonSchema | undefined): readonly Way[] {
  const { split, holds } = probed
  const inScope = split.filter(({ scope }) => scope.every(({ key }) => holds(key) === true))
  const waysOf = (one: SplitPolicy): readonly Way[] => waysOfPolicy(one, holds, request, schema)
  const forbids = inScope.filter(({ policy, whole }) => policy.effect === 'forbid' && holds(whole) !== false)
  const permits = inScope.filter(({ policy, whole }) => policy.effect === 'permit' && holds(whole) !== true)
  const lifting = forbids.reduce<readonly Way[]>((ways, forbid) => combined(ways, waysOf(forbid)), [[]])
  const applying: readonly Way[] = [[], ...permits.flatMap(waysOf)]
  return combined(lifting, applying)
}

/** A permit applies when all its clauses are as they should be; a forbid is lifted by any of them. */
function waysOfPolicy(
  { policy, clauses }: SplitPolicy,
  holds: Probed['holds'],
  request: EvaluationRequest,
  schema: JsonSchema | undefined,
): readonly Way[] {
  const ofClauses = clauses.map((clause): readonly Way[] => {
    const wanted = wantsTrue(clause, policy)
    const each = (clause.join === 'all') === wanted
    const atoms = clause.atoms.filter(({ key }) => holds(key) !== wanted)
    const ofAtoms = atoms.map((atom) =>
      atom.term === undefined ? [] : editsFor(atom.term, wanted, request, schema).map((edit): Way => [edit]),
    )
    // Conditions that no value settles are left to the policies' answer: another change may settle them as well.
    const settling = ofAtoms.filter((ways) => ways.length > 0)
    return each ? settling.reduce<readonly Way[]>(combined, [[]]) : settling.flat()
  })
  return policy.effect === 'permit'
    ? ofClauses.reduce<readonly Way[]>(combined, [[]])
    : ofClauses.flat().slice(0, MOST_WAYS)
}

function combined(some: readonly Way[], others: readonly Way[]): readonly Way[] {
  return some.flatMap((one) => others.map((other) => [...one, ...other])).slice(0, MOST_TRIES)
}

/** One change for each argument: of two values for the same one, the later is meant to satisfy both. */
function merged(way: Way): Way {
  const byPointer = new Map<string, Edit>()
  for (const edit of way) {
    const before = byPointer.get(edit.pointer)
    byPointer.set(edit.pointer, before === undefined ? edit : tighter(before, edit))
  }
  return [...byPointer.values()]
}

/** Of two limits on one number, the one that is further from what it was. */
function tighter(one: Edit, other: Edit): Edit {
  const was = Number(one.from?.from)
  const isFurther = Math.abs(Number(one.value) - was) >= Math.abs(Number(other.value) - was)
  return isFurther ? one : other
}

function isChange(way: Way): boolean {
  return way.length > 0
}

/** The same arguments with another value at a path; records on the way are made where there are none. */
function withValue(input: Json, path: readonly string[], value: Json): Json {
  const [name, ...rest] = path
  if (name === undefined) return value
  if (Array.isArray(input)) {
    return input.map((element: Json, index) => (String(index) === name ? withValue(element, rest, value) : element))
  }
  const record: JsonObject = typeof input === 'object' && input !== null ? (input as JsonObject) : {}
  const before = Object.hasOwn(record, name) ? record[name] : undefined
  return { ...record, [name]: withValue(before ?? {}, rest, value) }
}
