import { isObject } from '../bytes/json.ts'
import type { Json, JsonObject, JsonSchema } from '../types.ts'

/** How a number is written for Cedar: as the tool's schema says, or, where it says nothing, by whether it is whole. */
export type NumberKind = 'long' | 'decimal' | 'by-value'

/** Subschemas that one value may be looked at through; beyond this a schema says nothing more about it. */
const MOST_NODES = 256

/**
 * What a tool's schema says about one value, looked at through local references and combinators. Children are worked out
 * when asked for, so that a recursive schema is as good as any. UNTRUSTED: the schema may be a third party's; nothing in
 * it is compiled, no pattern runs, nothing is fetched, and every walk is bounded.
 */
export class Shape {
  readonly nodes: readonly JsonObject[]
  readonly numbers: NumberKind
  readonly #document: Document
  readonly #members = new Map<string, Shape>()
  #others: Shape | undefined
  #items: Shape | undefined

  constructor(document: Document, schemas: readonly Json[]) {
    this.#document = document
    this.nodes = document.flatten(schemas)
    this.numbers = numberKind(this.nodes)
  }

  /** The shape of a member. Members that the schema does not name share one shape, whatever the model calls them. */
  member(name: string): Shape {
    const known = this.#members.get(name)
    if (known !== undefined) return known
    const named = this.nodes.flatMap((node) => own(objectAt(node, 'properties'), name))
    if (named.length === 0) return this.#otherMembers()
    const shape = this.#document.shape([...named, ...this.nodes.flatMap((node) => patternSchemas(node))])
    this.#members.set(name, shape)
    return shape
  }

  /** Does the schema know this member by its name? One that merely may be there is not known. */
  names(name: string): boolean {
    return this.nodes.some((node) => own(objectAt(node, 'properties'), name).length > 0)
  }

  /** The shape of every element: positions are not told apart, since Cedar's sets have none. */
  get items(): Shape {
    this.#items ??= this.#document.shape(this.nodes.flatMap((node) => itemSchemas(node)))
    return this.#items
  }

  #otherMembers(): Shape {
    this.#others ??= this.#document.shape(
      this.nodes.flatMap((node) => [...patternSchemas(node), ...own(node, 'additionalProperties')]),
    )
    return this.#others
  }
}

/** One schema document: resolves its local references and shares shapes between equal places. */
class Document {
  readonly #root: Json
  readonly #numbers = new Map<JsonObject, number>()
  readonly #shapes = new Map<string, Shape>()

  constructor(root: Json) {
    this.#root = root
  }

  shape(schemas: readonly Json[]): Shape {
    const objects = schemas.filter(isObject)
    const key = objects.map((node) => this.#numberOf(node)).join(' ')
    const known = this.#shapes.get(key)
    if (known !== undefined) return known
    const shape = new Shape(this, objects)
    this.#shapes.set(key, shape)
    return shape
  }

  /** The schemas and everything that they refer to or combine, each once. */
  flatten(schemas: readonly Json[]): readonly JsonObject[] {
    const found = new Set<JsonObject>()
    const waiting = schemas.filter(isObject)
    for (let node = waiting.shift(); node !== undefined && found.size < MOST_NODES; node = waiting.shift()) {
      if (found.has(node)) continue
      found.add(node)
      waiting.push(...this.#combined(node))
    }
    return [...found]
  }

  #combined(node: JsonObject): readonly JsonObject[] {
    const lists = ['allOf', 'anyOf', 'oneOf'].flatMap((name) => own(node, name)).flatMap((list) => elements(list))
    const branches = ['then', 'else'].flatMap((name) => own(node, name))
    const referred = own(node, '$ref').map((reference) => this.#resolve(reference))
    return [...lists, ...branches, ...referred].filter(isObject)
  }

  /** A local JSON Pointer reference; anything else says nothing. */
  #resolve(reference: Json): Json {
    if (typeof reference !== 'string' || !reference.startsWith('#')) return null
    let at: Json = this.#root
    for (const token of reference.slice(1).split('/').slice(1)) {
      const name = unescapeToken(token)
      const [next]: readonly Json[] = Array.isArray(at) ? at.slice(Number(name), Number(name) + 1) : own(at, name)
      if (next === undefined) return null
      at = next
    }
    return at
  }

  #numberOf(node: JsonObject): number {
    const known = this.#numbers.get(node)
    if (known !== undefined) return known
    this.#numbers.set(node, this.#numbers.size)
    return this.#numbers.size - 1
  }
}

const shapes = new WeakMap<JsonObject, Shape>()
const SHAPELESS = new Document(true).shape([])

/** The shape that a schema gives to the arguments; worked out once for each schema object. */
export function shapeOf(schema: JsonSchema | undefined): Shape {
  if (schema === undefined || typeof schema === 'boolean') return SHAPELESS
  const known = shapes.get(schema)
  if (known !== undefined) return known
  const shape = new Document(schema).shape([schema])
  shapes.set(schema, shape)
  return shape
}

/** Does a schema know the place at this path: each member by its name, and elements as those of a list that it knows? */
export function knowsPlace(schema: JsonSchema | undefined, path: readonly string[]): boolean {
  let shape = shapeOf(schema)
  for (const step of path) {
    const isElement = !shape.names(step) && /^(?:0|[1-9][0-9]*)$/.test(step)
    if (isElement ? shape.items.nodes.length === 0 : !shape.names(step)) return false
    shape = isElement ? shape.items : shape.member(step)
  }
  return true
}

/** `number` anywhere in a union wins: a rule on it is then written with decimals, whatever the value happens to be. */
function numberKind(nodes: readonly JsonObject[]): NumberKind {
  const types = new Set(nodes.flatMap((node) => own(node, 'type')).flatMap((type) => (isArray(type) ? type : [type])))
  if (types.has('number')) return 'decimal'
  if (types.has('integer')) return 'long'
  const listed = nodes.flatMap((node) => [
    ...own(node, 'const'),
    ...own(node, 'enum').flatMap((list) => elements(list)),
  ])
  return listed.some((value) => typeof value === 'number' && !Number.isInteger(value)) ? 'decimal' : 'by-value'
}

function patternSchemas(node: JsonObject): readonly Json[] {
  return Object.values(objectAt(node, 'patternProperties'))
}

function itemSchemas(node: JsonObject): readonly Json[] {
  const positioned = [...own(node, 'prefixItems'), ...own(node, 'items')].flatMap((list) => elements(list))
  return [...positioned, ...own(node, 'items'), ...own(node, 'additionalItems')]
}

function objectAt(node: JsonObject, name: string): JsonObject {
  const [value] = own(node, name)
  return value !== undefined && isObject(value) ? value : {}
}

/** The own member of that name, as a list of none or one. */
export function own(value: Json, name: string): readonly Json[] {
  if (!isObject(value) || !Object.hasOwn(value, name)) return []
  const member = value[name]
  return member === undefined ? [] : [member]
}

/** The value at a path, through own members and elements alone. */
export function valueAt(value: Json, path: readonly string[]): Json | undefined {
  let at: Json | undefined = value
  for (const name of path) {
    if (at === undefined) return undefined
    at = isArray(at) ? at[Number(name)] : own(at, name)[0]
  }
  return at
}

function elements(value: Json): readonly Json[] {
  return isArray(value) ? value : []
}

function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}

function unescapeToken(token: string): string {
  let decoded = token
  try {
    decoded = decodeURIComponent(token)
  } catch {
    // A reference that is not valid URI text refers to whatever it spells.
  }
  return decoded.replaceAll('~1', '/').replaceAll('~0', '~')
}
