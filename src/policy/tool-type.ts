import { pathOf, pointerToken } from '../bytes/pointer.ts'
import type { Json, JsonSchema } from '../types.ts'
import {
  type Attributes,
  BOOLEAN,
  type CedarType,
  DECIMAL,
  LONG,
  optional,
  recordOf,
  STRING,
  setOf,
} from './cedar-type.ts'
import { sessionType } from './session-type.ts'
import { own, type Shape, shapeOf } from './shape.ts'
import { typeOfUse, type Use, useOf } from './uses.ts'

/** How deep facts about arguments are declared; policies that reach deeper are taken at their word. */
const MOST_DEPTH = 4
const MOST_NAMES = 1_024
/** So many elements of a list may be named by a policy. */
const MOST_ELEMENTS = 4

/** Facts of a text argument. All are declared: which of them a value has depends on the value. */
const TEXT_FACTS = recordOf({
  bytes: LONG,
  path: STRING,
  ancestors: setOf(STRING),
  absolute: BOOLEAN,
  scheme: STRING,
  host: STRING,
  port: LONG,
  domain: STRING,
  domains: setOf(STRING),
  amount: DECIMAL,
})
const NUMBER_FACTS = recordOf({ amount: DECIMAL })
const ANY_FACTS: CedarType = { type: 'TextFacts' }

/** The types that {@link contextType} names, the same for every tool. */
export function commonTypes(context: Use): Attributes {
  return { TextFacts: TEXT_FACTS, SessionFacts: sessionType(useOf(context, 'session')) }
}

/**
 * The type of `context` for calls of one tool: arguments as its schema says and as `encode.ts` writes them, facts about
 * them, and what policies suppose of the environment. Members of `context` that no policy reads are left out.
 */
export function contextType(schema: JsonSchema | undefined, context: Use): CedarType {
  const shape = shapeOf(schema)
  const room = (member: 'derived' | 'lengths', type: CedarType): Attributes => ({
    ...factsOf(shape)[member],
    ...unnamedFacts(shape, useOf(context, member), type),
  })
  const members: { readonly [member: string]: () => Attributes[string] } = {
    arguments: () => recordType(shape, useOf(context, 'arguments')),
    derived: () => recordOf({ ...room('derived', ANY_FACTS), '': optional(recordOf({ truncated: BOOLEAN })) }),
    lengths: () => recordOf(room('lengths', LONG)),
    environment: () => recordType(undefined, useOf(context, 'environment')),
    session: () => ({ type: 'SessionFacts' }),
    approval: () => recordOf({ confirmed: BOOLEAN, roles: setOf(STRING) }),
    agent: () => optional(STRING),
  }
  const read = Object.entries(members).filter(([member]) => useOf(context, member) !== undefined)
  return recordOf(Object.fromEntries(read.map(([member, type]) => [member, type()])))
}

/** The type of one argument. Where the schema allows several, the policies' use decides which they mean. */
function typeOf(shape: Shape, use: Use | undefined, depth: number): CedarType {
  const kinds = kindsOf(shape)
  const [kind] = kinds
  if (kinds.size !== 1 || kind === undefined) return typeOfUse(use)
  switch (kind) {
    case 'string':
      return STRING
    case 'boolean':
      return BOOLEAN
    case 'number':
      return shape.numbers === 'decimal' ? DECIMAL : LONG
    case 'array': {
      const items = shape.items
      const guessed = use?.guess?.type === 'Set' ? use.guess : setOf(STRING)
      return kindsOf(items).size === 1 && depth < MOST_DEPTH ? setOf(typeOf(items, undefined, depth + 1)) : guessed
    }
    default:
      // Only along what policies read: a third party's schema may nest without end.
      return use === undefined && depth > 0 ? recordOf({}) : recordType(shape, use, depth)
  }
}

/** Declared members, and, where a schema leaves room for others, those that policies read. */
function recordType(shape: Shape | undefined, use: Use | undefined, depth = 0): CedarType {
  const attributes: Attributes = {}
  const names = shape === undefined ? [] : namesOf(shape)
  if (shape === undefined || leavesRoom(shape)) {
    for (const [name, member] of use?.members ?? []) {
      const type = typeOfUse(member)
      attributes[name] = shape === undefined ? type : optional(type)
    }
  }
  for (const name of names) {
    if (shape === undefined) continue
    const type = typeOf(shape.member(name), useOf(use, name), depth + 1)
    attributes[name] = isGiven(shape, name) ? type : optional(type)
  }
  return recordOf(attributes)
}

/** May a value have members that the schema does not name? One that names some is taken to name all, unless it says otherwise. */
function leavesRoom(shape: Shape): boolean {
  const isOpen = shape.nodes.some((node) => own(node, 'additionalProperties').some((extra) => extra !== false))
  return isOpen || namesOf(shape).length === 0
}

interface Facts {
  readonly derived: Attributes
  readonly lengths: Attributes
}

/** Pointers of the arguments that facts may be about, as far as a schema names them; first elements stand for lists. */
function factsOf(root: Shape): Facts {
  const facts: Facts = { derived: {}, lengths: {} }
  let room = MOST_NAMES
  const visit = (shape: Shape, pointer: string, given: boolean, depth: number): void => {
    if (depth > MOST_DEPTH || room === 0) return
    room -= 1
    const kinds = kindsOf(shape)
    const mark = (type: CedarType): CedarType & { readonly required?: boolean } =>
      given && kinds.size === 1 ? type : optional(type)
    if (pointer !== '' && (kinds.has('string') || kinds.size === 0)) facts.derived[pointer] = mark(ANY_FACTS)
    else if (kinds.has('number')) facts.derived[pointer] = mark(NUMBER_FACTS)
    if (kinds.has('array')) {
      facts.lengths[pointer] = mark(LONG)
      for (let index = 0; index < MOST_ELEMENTS; index += 1) visit(shape.items, `${pointer}/${index}`, false, depth + 1)
    }
    for (const name of namesOf(shape)) {
      visit(shape.member(name), `${pointer}/${pointerToken(name)}`, given && isGiven(shape, name), depth + 1)
    }
  }
  visit(root, '', true, 0)
  return facts
}

/** Facts that policies ask about, of arguments that the schema leaves room for without naming them. */
function unnamedFacts(root: Shape, asked: Use | undefined, type: CedarType): Attributes {
  const pointers = [...(asked?.members.keys() ?? [])].filter(
    (pointer) => placeOf(root, pathOf(pointer)).kind === 'open',
  )
  return Object.fromEntries(pointers.map((pointer) => [pointer, optional(type)]))
}

/** What a schema says of an argument: its shape; that there may be one; or that there is none beyond so many steps. */
export type Place =
  | { readonly kind: 'named'; readonly shape: Shape }
  | { readonly kind: 'open' }
  | { readonly kind: 'absent'; readonly steps: number; readonly names: readonly string[] }

export function placeOf(root: Shape, path: readonly string[]): Place {
  let shape = root
  for (const [steps, step] of path.entries()) {
    const names = namesOf(shape)
    const isElement = /^\d+$/.test(step) && kindsOf(shape).has('array')
    if (!isElement && !names.includes(step)) {
      return leavesRoom(shape) ? { kind: 'open' } : { kind: 'absent', steps, names }
    }
    shape = isElement ? shape.items : shape.member(step)
  }
  return { kind: 'named', shape }
}

export type Kind = 'string' | 'boolean' | 'number' | 'array' | 'object'

/** The kinds of value that a schema allows, null aside; none when it does not say. */
export function kindsOf(shape: Shape): ReadonlySet<Kind> {
  const kinds = new Set<Kind>()
  const add = (kind: Json): void => {
    if (kind === 'integer' || kind === 'number') kinds.add('number')
    else if (kind === 'string' || kind === 'boolean' || kind === 'array' || kind === 'object') kinds.add(kind)
  }
  for (const node of shape.nodes) {
    const [type] = own(node, 'type')
    if (Array.isArray(type)) for (const kind of type as readonly Json[]) add(kind)
    else if (type !== undefined) add(type)
    else if (own(node, 'properties').length > 0) add('object')
    else if (own(node, 'items').length > 0) add('array')
    else for (const value of listedIn(node)) add(Array.isArray(value) ? 'array' : typeof value)
  }
  return kinds
}

function listedIn(node: Json): readonly Json[] {
  const [listed] = own(node, 'enum')
  return [...own(node, 'const'), ...(Array.isArray(listed) ? (listed as readonly Json[]) : [])]
}

/** The members that a schema names. */
function namesOf(shape: Shape): readonly string[] {
  const names = shape.nodes.flatMap((node) => own(node, 'properties')).flatMap((members) => Object.keys(members ?? {}))
  return [...new Set(names)].slice(0, MOST_NAMES)
}

/** A member that every valid value has: required, in a schema without alternatives, and not null. */
function isGiven(shape: Shape, name: string): boolean {
  const hasAlternatives = shape.nodes.some((node) => own(node, 'anyOf').length > 0 || own(node, 'oneOf').length > 0)
  const required = shape.nodes.some((node) =>
    own(node, 'required').some((list) => Array.isArray(list) && list.includes(name)),
  )
  const mayBeNull = shape
    .member(name)
    .nodes.some((node) =>
      own(node, 'type').some((type) => type === 'null' || (Array.isArray(type) && type.includes('null'))),
    )
  return required && !hasAlternatives && !mayBeNull
}
