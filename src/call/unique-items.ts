import { canonicalText } from '../bytes/canonical.ts'
import { isObject } from '../bytes/json.ts'
import { pointerToken } from '../bytes/pointer.ts'
import type { Json, SchemaMiss } from '../types.ts'

/** So many comparisons of elements the library may make; beyond, lists are looked through here. About 10 ms. */
const MOST_PAIRS = 100_000

/** Under which names of arguments each element may stand once; `'*'` where the schema says it elsewhere. */
export type UniqueLists = ReadonlySet<string> | '*'

/**
 * Where a schema asks for `uniqueItems`: the library compares each element with each other one, which a model can make slow.
 *
 * @returns `undefined` where it asks for it nowhere
 */
export function uniqueLists(schema: Json): UniqueLists | undefined {
  const names = new Set<string>()
  let isElsewhere = false
  const walk = (value: Json, name: string | undefined): void => {
    if (Array.isArray(value)) for (const each of value) walk(each, undefined)
    if (!isObject(value)) return
    if (value['uniqueItems'] !== undefined && value['uniqueItems'] !== false) {
      if (name === undefined) isElsewhere = true
      else names.add(name)
    }
    for (const [word, said] of Object.entries(value)) {
      if (word === 'properties' && isObject(said)) for (const [member, each] of Object.entries(said)) walk(each, member)
      else walk(said, undefined)
    }
  }
  walk(schema, undefined)
  if (isElsewhere) return '*'
  return names.size === 0 ? undefined : names
}

/** May the library compare the elements of each list with each other? */
export function isCheapToCompare(input: Json): boolean {
  let pairs = 0
  const walk = (value: Json): void => {
    if (Array.isArray(value)) pairs += value.length ** 2
    if (typeof value === 'object' && value !== null) for (const each of Object.values(value)) walk(each)
  }
  walk(input)
  return pairs <= MOST_PAIRS
}

/**
 * The first list that holds an element twice and may not, in time linear in the arguments. Stricter than the schema where it
 * says `uniqueItems` below alternatives, or two arguments have one name: then all of them count.
 */
export function repeatIn(input: Json, lists: UniqueLists): SchemaMiss | undefined {
  const find = (value: Json, name: string, path: string): SchemaMiss | undefined => {
    if (typeof value !== 'object' || value === null) return undefined
    if (Array.isArray(value) && (lists === '*' || lists.has(name)) && hasRepeat(value))
      return { path, requires: 'must hold each element once' }
    for (const [member, each] of Object.entries(value)) {
      // The elements of a list have no name.
      const inside = find(each, Array.isArray(value) ? '' : member, `${path}/${pointerToken(member)}`)
      if (inside !== undefined) return inside
    }
    return undefined
  }
  return find(input, '', '')
}

function hasRepeat(values: readonly Json[]): boolean {
  return new Set(values.map((value) => canonicalText(value))).size < values.length
}
