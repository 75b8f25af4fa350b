import { isObject } from '../bytes/json.ts'
import { pointerToken } from '../bytes/pointer.ts'
import type { Evidence, Json, JsonObject, JsonSchema, Materiality } from '../types.ts'
import { argumentRole, type Reading } from './argument-names.ts'
import { actChosen } from './choice.ts'
import { outranks } from './rank.ts'

/** Keywords that hold further schemas of the same value, or of a member or item without a name. */
const COMBINES = [
  'allOf',
  'anyOf',
  'oneOf',
  'then',
  'else',
  'prefixItems',
  'items',
  'additionalProperties',
  'dependentSchemas',
]
/** Where the values of an argument that chooses may be listed. */
const LISTED_IN = ['items', 'anyOf', 'oneOf', 'allOf']
const DEEPEST_LIST = 4
const DEEPEST = 24
/** Parts of a schema, and hundreds of characters in it, that are read. Real ones have a few hundred. */
const MOST_PARTS = 10_000
const MOST_PIECES = 8

/** What a schema says about its tool. */
export interface SchemaFindings {
  readonly evidence: readonly Evidence[]
  /** It speaks of SQL: statements may stand in its arguments. */
  readonly speaksOfSql: boolean
}

/**
 * What a tool's schema argues: by the names of its arguments, by what they let a caller choose, and by what cannot be
 * read. Raises only: a schema that shows nothing has said nothing, and the names that a call then gives are read too.
 *
 * UNTRUSTED: read as data, each part once, up to a bounded number; what is longer, deeper or endless is `high`.
 *
 * @param named the tier that the tool's name argues: what insists, insists on something
 */
export function fromSchema(schema: JsonSchema | undefined, named: Materiality, reads: boolean): SchemaFindings {
  const walk = new Walk(schema, named, reads)
  walk.visit(schema, '', 0)
  return { evidence: [...walk.found.values()], speaksOfSql: walk.speaksOfSql }
}

class Walk {
  readonly #root: JsonSchema | undefined
  readonly #named: Materiality
  readonly #reads: boolean
  /** References that are being followed, from the outermost. */
  readonly #open = new Set<string>()
  #left = MOST_PARTS
  readonly found = new Map<string, Evidence>()
  speaksOfSql = false

  constructor(root: JsonSchema | undefined, named: Materiality, reads: boolean) {
    this.#root = root
    this.#named = named
    this.#reads = reads
  }

  visit(value: Json | undefined, pointer: string, depth: number): void {
    if (!isObject(value)) return
    if (depth > DEEPEST) this.#unread(pointer, 'deeper than is read')
    if (depth > DEEPEST || !this.#spend(1, pointer)) return
    this.#texts(value, pointer)
    this.#reference(value['$ref'], pointer, depth)
    this.#members(value['properties'], pointer, depth)
    for (const word of COMBINES) {
      const parts = value[word]
      if (parts === undefined) continue
      for (const part of Array.isArray(parts) ? parts : [parts]) this.visit(part, pointer, depth + 1)
    }
  }

  #members(properties: Json | undefined, pointer: string, depth: number): void {
    if (!isObject(properties)) return
    for (const name of Object.keys(properties)) {
      const at = `${pointer}/${pointerToken(name)}`
      if (!this.#spend(1 + name.length / 100, at)) return
      const member = properties[name]
      this.#argument(name, member, at)
      this.visit(member, at, depth + 1)
    }
  }

  #argument(name: string, member: Json | undefined, at: string): void {
    const role = argumentRole(name)
    if (role.speaksOfSql) this.speaksOfSql = true
    if (role.reading !== undefined) this.#piece(at, role.reading, 'the tool takes')
    if (!isObject(member)) return
    if (role.chooses && !this.#reads) this.#choices(member, role.tells, at)
    if (role.insists && member['type'] === 'boolean') this.#insists(role.takesAway, at)
  }

  /** What a caller may choose, the tool may be told to do; where nothing says what that is, it may be anything. */
  #choices(member: JsonObject, tells: boolean, at: string): void {
    const choices = [...this.#listed(member, at, 0)]
    if (choices.length === 0 && tells)
      this.#piece(at, ['high', 'unknown', 'an action that it does not list'], 'the tool takes')
    for (const choice of choices) {
      const act = typeof choice === 'string' ? actChosen(choice) : undefined
      if (act === undefined) continue
      this.#piece(at, [act.argues, act.surface ?? 'unknown', `"${act.at}"`], 'the tool can be told to')
    }
  }

  /** The values that an argument may have, as far as they are listed. */
  *#listed(value: Json | undefined, at: string, depth: number): Generator<Json> {
    if (!isObject(value) || depth > DEEPEST_LIST) return
    const { enum: choices, const: only, $ref: reference } = value
    for (const choice of Array.isArray(choices) ? choices : only === undefined ? [] : [only]) {
      if (!this.#spend(1, at)) return
      yield choice
    }
    if (typeof reference === 'string') yield* this.#listed(this.#resolve(reference), at, depth + 1)
    for (const word of LISTED_IN) {
      const parts = value[word]
      for (const part of Array.isArray(parts) ? parts : [parts]) {
        if (!this.#spend(1, at)) return
        yield* this.#listed(part, at, depth + 1)
      }
    }
  }

  #insists(takesAway: boolean, at: string): void {
    if (this.#named === 'low' && !takesAway) return
    this.#piece(
      at,
      [this.#named === 'low' ? 'medium' : 'high', 'internal-write', 'a switch that insists'],
      'the tool takes',
    )
  }

  #reference(reference: Json | undefined, pointer: string, depth: number): void {
    if (typeof reference !== 'string') return
    const target = this.#open.has(reference) ? undefined : this.#resolve(reference)
    if (target === undefined) {
      this.#unread(pointer, this.#open.has(reference) ? 'without an end' : 'not all here')
      return
    }
    this.#open.add(reference)
    this.visit(target, pointer, depth + 1)
    this.#open.delete(reference)
  }

  #resolve(reference: string): Json | undefined {
    if (!reference.startsWith('#/')) return undefined
    let at: Json | undefined = this.#root
    for (const token of reference.slice(2).split('/')) {
      const name = token.replaceAll('~1', '/').replaceAll('~0', '~')
      at = isObject(at) && Object.hasOwn(at, name) ? at[name] : undefined
    }
    return at
  }

  #texts(value: JsonObject, pointer: string): void {
    for (const word of ['description', 'title']) {
      const text = value[word]
      if (typeof text !== 'string' || !this.#spend(text.length / 100, pointer)) continue
      if (!this.speaksOfSql) this.speaksOfSql = /sql/i.test(text)
    }
  }

  #piece(at: string, [argues, surface, what]: Reading, says: string): void {
    if (this.found.size >= MOST_PIECES && !this.#isNews(argues)) return
    this.found.set(`${at} ${what}`, { source: 'schema', argues, surface, at, because: `${says} ${what}` })
  }

  #isNews(argues: Materiality): boolean {
    return [...this.found.values()].every((piece) => outranks(argues, piece.argues))
  }

  #unread(pointer: string, how: string): void {
    this.#piece(pointer, ['high', 'unknown', how], 'its schema is')
  }

  #spend(parts: number, pointer: string): boolean {
    if (this.#left < 0) return false
    this.#left -= parts
    if (this.#left >= 0) return true
    this.#unread(pointer, 'longer than is read')
    return false
  }
}
