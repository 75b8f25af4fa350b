import { isObject } from '../bytes/json.ts'
import type { Json } from '../types.ts'
import { patternCost } from './pattern-cost.ts'

/*
 * Work is counted in units of about 10 ns. A schema says beforehand what a visit of each of its parts costs, the arguments
 * how much there is to visit, and the library is stopped when the sum is used up: what one list of alternatives asks of each
 * of ten thousand elements is harmless by itself on either side.
 */

/** One visit of a schema object, with the misses that it may have to write down. */
const VISIT = 256
/** One name in a list, of which each may be a miss of its own. */
const LISTED = 64
/** One member or element of the arguments, where the schema object may look at each. */
const LOOKED_AT = 256
/** One member of an object, whose names are listed anew on each visit. */
const MEMBER = 32

/** Words whose value is data, compared as a whole. */
const DATA = new Set(['const', 'enum'])
/** Words whose members have names of the author's, all of which are gone through. */
const NAMED = new Set([
  'properties',
  'patternProperties',
  'dependentSchemas',
  'dependentRequired',
  'dependencies',
  '$defs',
  'definitions',
])

/** How deep `$id`s may stand in each other: for the library, each level doubles the work of reading the schema. */
const MOST_IDS_DEEP = 4
/** The library keeps the whole path of each schema object. Characters of all of them together. */
const MOST_PATHS = 4 * 1_048_576

type SchemaObject = { readonly [word: string]: Json }

interface Cost {
  visit: number
  /** For each character of text. */
  readonly text: number
  /** For each member of an object. */
  readonly member: number
  /** For each element of an array. */
  readonly element: number
}

/** A schema object under the meter. */
interface Part {
  readonly schema: SchemaObject
  readonly within: Part | undefined
  readonly cost: Cost
  /** In how many ways a check can come to one place of the arguments here; endless where references go round. */
  ways: number
  /** What was paid in the check of this number, of what grows with the arguments. */
  paid: number
  check: number
}

/** What the arguments hold, in all and at most in one place. */
interface Extent {
  text: number
  longestText: number
  members: number
  mostMembers: number
  elements: number
  mostElements: number
}

/** Stops the checks of one schema that would take too long. */
export class SchemaMeter {
  #left = Number.POSITIVE_INFINITY
  #check = 0
  #extent: Extent = extentOf(null)
  readonly #parts: Part[] = []

  /**
   * Puts the meter into a schema, on the word that the library reads once on each visit and that hardly any schema has.
   *
   * @throws Error when the schema cannot even be read in bounded time and memory.
   */
  constructor(schema: Json) {
    let paths = 0
    const walk = (value: Json, path: number, ids: number, within?: Part): number => {
      if (typeof value === 'string') return value.length
      if (Array.isArray(value))
        return value.reduce<number>((sum, each) => sum + LISTED + walk(each, path + 5, ids, within), 0)
      if (!isObject(value)) return 8
      const deep = ids + (isNamed(value) ? 1 : 0)
      paths += path
      if (deep > MOST_IDS_DEEP || paths > MOST_PATHS) throw new Error('a schema without end')
      const part = this.#add(value, within)
      let own = 0
      for (const [word, said] of Object.entries(value)) {
        const inside = path + word.length + 1
        own += word.length
        if (DATA.has(word)) own += JSON.stringify(said).length
        else if (NAMED.has(word) && isObject(said)) {
          // A reference may reach what holds the names, as if it were a schema.
          const names = this.#add(said, part)
          for (const [name, each] of Object.entries(said)) {
            own += name.length + walk(each, inside + name.length + 1, deep, names)
          }
          names.cost.visit += own
        } else own += walk(said, inside, deep, part) * (word === 'required' && typeof said === 'string' ? LISTED : 1)
      }
      part.cost.visit += own
      return LISTED
    }
    walk(schema, 0, 0)
  }

  /** Learns where the references lead, from what the library made of the schema. */
  resolve(known: { readonly [uri: string]: unknown }): void {
    const sites = new Map<unknown, Part[]>()
    for (const part of this.#parts) {
      const uri = '$ref' in part.schema ? part.schema['__absolute_ref__'] : undefined
      const target = typeof uri === 'string' ? known[uri] : undefined
      if (target !== undefined) sites.set(target, [...(sites.get(target) ?? []), part])
    }
    const isRound = this.#parts.some(({ schema }) => '$recursiveRef' in schema)
    const found = new Map<Part, number>()
    const waysTo = (part: Part): number => {
      const before = found.get(part)
      if (before !== undefined) return before
      // Whoever is met again on the way to itself.
      found.set(part, Number.POSITIVE_INFINITY)
      const above = part.within === undefined ? 1 : waysTo(part.within)
      const ways = (sites.get(part.schema) ?? []).reduce((sum, site) => sum + waysTo(site), above)
      found.set(part, ways)
      return ways
    }
    for (const part of this.#parts) part.ways = isRound ? Number.POSITIVE_INFINITY : waysTo(part)
  }

  /** Before each check: what is checked, and how much work that may be. */
  begin(input: Json, most: number): void {
    this.#check += 1
    this.#left = most
    this.#extent = extentOf(input)
  }

  #add(schema: SchemaObject, within: Part | undefined): Part {
    const part: Part = { schema, within, cost: costOf(schema), ways: Number.POSITIVE_INFINITY, paid: 0, check: 0 }
    this.#parts.push(part)
    const value = schema['$recursiveAnchor']
    Object.defineProperty(schema, '$recursiveAnchor', {
      get: () => {
        this.#pay(part)
        return value
      },
      configurable: true,
    })
    return part
  }

  #pay(part: Part): void {
    const { cost } = part
    const { text, longestText, members, mostMembers, elements, mostElements } = this.#extent
    if (part.check !== this.#check) {
      part.check = this.#check
      part.paid = 0
    }
    // A part of the schema meets each part of the arguments once at most on each of its ways.
    const whole = cost.text * text + cost.member * members + cost.element * elements
    const largest = cost.text * longestText + cost.member * mostMembers + cost.element * mostElements
    const due = whole === 0 ? 0 : Math.min(largest, part.ways * whole - part.paid)
    part.paid += due
    this.#left -= cost.visit + due
    if (this.#left < 0) throw new Error('too much work')
  }
}

function costOf(schema: SchemaObject): Cost {
  const has = (...words: readonly string[]): number => (words.some((word) => Object.hasOwn(schema, word)) ? 1 : 0)
  const named = schema['patternProperties']
  const patterns = isObject(named) ? Object.keys(named) : []
  const looks = has('additionalProperties', 'unevaluatedProperties', 'propertyNames') + patterns.length
  const pattern = schema['pattern']
  const costs = [...patterns, ...(typeof pattern === 'string' ? [pattern] : [])].map(
    // Only an own tool has others, and its checks may take as long as they do.
    (each) => patternCost(each) ?? { once: 0, perCharacter: 0 },
  )
  return {
    visit: VISIT + costs.reduce((sum, { once }) => sum + VISIT + once, 0),
    text: costs.reduce(
      (sum, { perCharacter }) => sum + perCharacter,
      has('minLength', 'maxLength') + has('format') + looks,
    ),
    member: MEMBER + LOOKED_AT * looks,
    element: has('items', 'prefixItems', 'additionalItems') + LOOKED_AT * has('contains', 'unevaluatedItems'),
  }
}

function extentOf(input: Json): Extent {
  const extent: Extent = { text: 0, longestText: 0, members: 0, mostMembers: 0, elements: 0, mostElements: 0 }
  const addText = ({ length }: string): void => {
    extent.text += length
    extent.longestText = Math.max(extent.longestText, length)
  }
  const walk = (value: Json): void => {
    if (typeof value === 'string') addText(value)
    else if (Array.isArray(value)) {
      extent.elements += value.length
      extent.mostElements = Math.max(extent.mostElements, value.length)
      for (const each of value) walk(each)
    } else if (isObject(value)) {
      const members = Object.entries(value)
      extent.members += members.length
      extent.mostMembers = Math.max(extent.mostMembers, members.length)
      for (const [name, each] of members) {
        addText(name)
        walk(each)
      }
    }
  }
  walk(input)
  return extent
}

function isNamed(schema: SchemaObject): boolean {
  return Object.hasOwn(schema, '$id') || Object.hasOwn(schema, 'id')
}
