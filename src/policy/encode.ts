import type { CedarValueJson } from '@cedar-policy/cedar-wasm/nodejs'
import { decimalText } from '../bytes/decimal.ts'
import { pointerToken } from '../bytes/pointer.ts'
import { HoldpointError } from '../errors.ts'
import type { Json, JsonObject } from '../types.ts'
import { type Reads, readsInside } from './reads.ts'
import type { NumberKind, Shape } from './shape.ts'

/** The member that stands for a value which Cedar cannot hold: any typed operation on it errs. */
export const UNREPRESENTABLE = 'holdpoint:unrepresentable'

/** Keys that Cedar's JSON reader takes as escapes: under them a model's record would become an entity or a decimal. */
const RESERVED: ReadonlySet<string> = new Set(['__entity', '__extn', '__expr'])

/** JSON Pointer of the first key, at any depth, that Cedar would read as an escape. */
export function findReservedKey(input: Json): string | undefined {
  if (typeof input !== 'object' || input === null) return undefined
  if (Array.isArray(input)) {
    for (const [index, item] of input.entries()) {
      const inside = findReservedKey(item)
      if (inside !== undefined) return `/${index}${inside}`
    }
    return undefined
  }
  for (const [name, member] of Object.entries(input)) {
    if (RESERVED.has(name)) return `/${pointerToken(name)}`
    const inside = findReservedKey(member)
    if (inside !== undefined) return `/${pointerToken(name)}${inside}`
  }
  return undefined
}

/**
 * Writes a call's arguments, or the parts of them that policies read, as a Cedar value (DESIGN §8): JSON `integer` → Long,
 * `number` → decimal, as the schema says; where the schema says nothing, whole numbers → Long and fractions → decimal. A null
 * member is absent. What Cedar cannot hold becomes `{"holdpoint:unrepresentable": "<json>"}`.
 *
 * UNTRUSTED: `value` is the model's, `shape` may be of a third party's schema.
 *
 * @throws HoldpointError ERR_ARGUMENTS with the JSON Pointer of a key that Cedar would read as an escape
 */
export function encodeRead(value: Json, shape: Shape, reads: Reads): CedarValueJson {
  try {
    return encode(value, shape, reads)
  } catch (cause) {
    if (!(cause instanceof ReservedKey)) throw cause
    throw new HoldpointError(
      'ERR_ARGUMENTS',
      'a key with a special meaning to the policy engine (__entity, __extn, __expr)',
      {
        at: findReservedKey(value) ?? '',
      },
    )
  }
}

/** Stops an encoding; the pointer is worked out afterwards, so that the common case builds none. */
class ReservedKey extends Error {}

function encode(value: Json, shape: Shape, reads: Reads): CedarValueJson {
  if (value === null) return unrepresentable(value)
  if (typeof value === 'number') return encodeNumber(value, shape.numbers)
  if (typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map((item) => encode(item, shape.items, 'all'))
  return encodeObject(value as JsonObject, shape, reads)
}

function encodeObject(value: JsonObject, shape: Shape, reads: Reads): CedarValueJson {
  const record: Record<string, CedarValueJson> = {}
  const names = reads === 'all' ? Object.keys(value) : reads.keys()
  for (const name of names) {
    if (reads !== 'all' && !Object.hasOwn(value, name)) continue
    const member = value[name]
    // INVARIANT I4: a model's record stays a record; it never becomes an entity, a decimal or an expression.
    if (RESERVED.has(name) || name === '__proto__') throw new ReservedKey()
    if (member === undefined || member === null) continue
    record[name] = encode(member, shape.member(name), readsInside(reads, name) ?? 'all')
  }
  return record
}

function encodeNumber(number: number, kind: NumberKind): CedarValueJson {
  if (kind === 'decimal' || (kind === 'by-value' && !Number.isInteger(number))) {
    const text = decimalText(number)
    return text === undefined ? unrepresentable(number) : decimal(text)
  }
  return Number.isSafeInteger(number) ? number : unrepresentable(number)
}

/** A Cedar decimal of text that {@link decimalText} made. */
export function decimal(text: string): CedarValueJson {
  return { __extn: { fn: 'decimal', arg: text } }
}

/** Stands for what Cedar cannot hold. */
export function unrepresentable(value: Json): CedarValueJson {
  return { [UNREPRESENTABLE]: JSON.stringify(value) }
}
