import { HoldpointError } from '../errors.ts'
import { jsonPointer } from './pointer.ts'

/** How much of a value is read before it is refused. */
export interface Limits {
  /** Containers inside one another. */
  readonly maxDepth: number
  /** Values of every kind, containers included. */
  readonly maxNodes: number
  /** UTF-8 bytes of the canonical text. */
  readonly maxBytes: number
}

/** DESIGN §6: depth 64, 10 000 nodes, 1 MiB. */
export const DEFAULT_LIMITS: Limits = { maxDepth: 64, maxNodes: 10_000, maxBytes: 1_048_576 }

/**
 * The RFC 8785 (JCS) text of a value, read strictly and in one pass.
 *
 * Every property is read once, through its descriptor: no getter and no `toJSON` runs, and a Proxy that answers twice
 * differently is asked only once. What JSON cannot hold exactly is refused instead of rounded, renamed or dropped;
 * members that are `undefined` are the exception, since to leave one out is how JavaScript says "not given".
 *
 * @throws HoldpointError `ERR_ARGUMENTS`; `at` is the JSON Pointer (RFC 6901) of the first value without an exact form.
 */
export function canonicalText(value: unknown, limits: Limits = DEFAULT_LIMITS): string {
  const writer = new Writer(limits)
  let text: string
  try {
    text = writer.write(value, 0)
  } catch (error) {
    if (error instanceof HoldpointError) throw error
    throw writer.refusal('cannot be read (a Proxy trap threw, or it is nested too deeply)', 'pass plain data', error)
  }
  if (text.length * 3 > limits.maxBytes && utf8Length(text) > limits.maxBytes) {
    throw new Writer(limits).refusal(`is larger than ${limits.maxBytes} bytes`, 'pass less, or raise the limit')
  }
  return text
}

/** How many bytes a well-formed string takes in UTF-8. */
export function utf8Length(text: string): number {
  let bytes = text.length
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) continue
    // Each half of a surrogate pair stands for two of the pair's four bytes.
    bytes += unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 1 : 2
  }
  return bytes
}

/** Member names through which later code could reach a prototype. */
export function isForbiddenKey(key: string): boolean {
  return key === '__proto__' || key === 'constructor' || key === 'prototype'
}

// Anything but printable ASCII without quote and backslash: it may need escapes, or hold a lone surrogate.
const NEEDS_CARE = /[^ !#-[\]-~]/

class Writer {
  readonly #limits: Limits
  /** The member or index under way at each depth: only a refusal turns it into a pointer. */
  readonly #trail: (string | number)[] = []
  #depth = 0
  #nodes = 0
  #units = 0

  constructor(limits: Limits) {
    this.#limits = limits
  }

  write(value: unknown, depth: number): string {
    this.#depth = depth
    this.#nodes += 1
    if (this.#nodes > this.#limits.maxNodes) {
      throw this.refusal(
        `is value number ${this.#nodes}, and the limit is ${this.#limits.maxNodes}`,
        'pass fewer values',
      )
    }
    switch (typeof value) {
      case 'string':
        return this.#string(value)
      case 'number':
        return this.#number(value)
      case 'boolean':
        return value ? 'true' : 'false'
      case 'object':
        if (value === null) return 'null'
        if (depth >= this.#limits.maxDepth) {
          throw this.refusal(`is nested deeper than ${this.#limits.maxDepth} levels, or in a cycle`, 'flatten it')
        }
        return Array.isArray(value) ? this.#array(value, depth) : this.#object(value, depth)
      case 'undefined':
        throw this.refusal('is undefined', 'leave it out or pass null')
      case 'bigint':
        throw this.refusal('is a BigInt', 'pass a string of digits')
      default:
        throw this.refusal(`is a ${typeof value}`, 'pass plain data')
    }
  }

  refusal(found: string, advice: string, cause?: unknown): HoldpointError {
    const at = jsonPointer(this.#trail.slice(0, this.#depth))
    const because = `${found}: ${advice}`
    return new HoldpointError('ERR_ARGUMENTS', `${at === '' ? 'the value' : at} ${because}`, { at, because, cause })
  }

  #object(value: object, depth: number): string {
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype !== Object.prototype && prototype !== null) {
      throw this.refusal(`is ${kindOf(value)}, not a plain object`, 'convert it to plain data')
    }
    if (Object.getOwnPropertySymbols(value).length > 0) throw this.refusal('has symbol keys', 'pass plain data')
    // RFC 8785 §3.2.3 orders by UTF-16 code units, which is what a plain sort does.
    const keys = sorted(Object.getOwnPropertyNames(value))
    let text = ''
    for (const key of keys) {
      this.#trail[depth] = key
      this.#depth = depth + 1
      if (isForbiddenKey(key)) throw this.refusal('has a name that reaches prototypes', 'rename the member')
      const member = this.#read(value, key)
      if (member === undefined) continue
      const name = this.#string(key)
      text += `${text === '' ? '' : ','}${name}:${this.write(member, depth + 1)}`
    }
    return `{${text}}`
  }

  #array(value: readonly unknown[], depth: number): string {
    if (Object.getPrototypeOf(value) !== Array.prototype) {
      throw this.refusal('is an array of a class of its own', 'convert it to a plain array')
    }
    const length = value.length
    if (length > this.#limits.maxNodes) throw this.refusal(`has ${length} elements`, 'pass fewer values')
    // Names come as indices first, then `length`, then whatever else hangs on the array.
    const names = Object.getOwnPropertyNames(value)
    if (names.length !== length + 1 || names[length] !== 'length' || Object.getOwnPropertySymbols(value).length > 0) {
      throw this.refusal('has holes or properties of its own', 'pass a dense plain array')
    }
    let text = ''
    for (let index = 0; index < length; index += 1) {
      this.#trail[depth] = index
      this.#depth = depth + 1
      text += `${index === 0 ? '' : ','}${this.write(this.#read(value, index), depth + 1)}`
    }
    return `[${text}]`
  }

  /** UNTRUSTED: the one read of a property. */
  #read(holder: object, key: string | number): unknown {
    const property = Object.getOwnPropertyDescriptor(holder, key)
    if (property === undefined) throw this.refusal('is listed but not there', 'pass plain data')
    if (property.get !== undefined || property.set !== undefined) {
      throw this.refusal('is computed by an accessor', 'pass the value itself')
    }
    if (property.enumerable !== true) throw this.refusal('is not enumerable', 'pass plain data')
    return property.value
  }

  #number(value: number): string {
    if (!Number.isFinite(value)) throw this.refusal(`is ${value}`, 'pass a finite number')
    if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
      throw this.refusal('is an integer beyond 2^53 - 1, which a double cannot hold exactly', 'pass a string of digits')
    }
    // ECMAScript's own number text is what RFC 8785 §3.2.2.3 asks for; it writes -0 as 0.
    return `${value}`
  }

  #string(value: string): string {
    this.#units += value.length
    if (this.#units > this.#limits.maxBytes) {
      throw this.refusal(`brings the whole above ${this.#limits.maxBytes} bytes`, 'pass less, or raise the limit')
    }
    if (!NEEDS_CARE.test(value)) return `"${value}"`
    if (!value.isWellFormed()) throw this.refusal('holds a lone surrogate', 'pass well-formed Unicode')
    return JSON.stringify(value)
  }
}

/** Most objects arrive in order already, and then sorting is one comparison a key. */
function sorted(keys: string[]): readonly string[] {
  let previous = ''
  for (const key of keys) {
    if (key < previous) return keys.sort()
    previous = key
  }
  return keys
}

function kindOf(value: object): string {
  const tag = Object.prototype.toString.call(value).slice(8, -1)
  return tag === 'Object' ? 'an instance of a class' : `a ${tag}`
}
