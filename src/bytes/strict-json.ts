import { HoldpointError } from '../errors.ts'
import type { Json } from '../types.ts'
import { DEFAULT_LIMITS, isForbiddenKey, type Limits, utf8Length } from './canonical.ts'
import { jsonPointer } from './pointer.ts'

/**
 * Reads JSON text (RFC 8259) that means the same to every reader, as I-JSON (RFC 7493) asks.
 *
 * Refused beside bad syntax: a member name given twice (however it is escaped), lone surrogates, invalid UTF-8, a byte
 * order mark, integers beyond 2^53 - 1, numbers beyond a double, names that reach prototypes, and anything after the
 * value. After `JSON.parse` it would be too late: it keeps the last of two members and rounds without a word.
 *
 * @throws HoldpointError `ERR_FORMAT`; `at` is the JSON Pointer of the value under way.
 */
export function parseStrict(text: string | Uint8Array, limits: Limits = DEFAULT_LIMITS): Json {
  return new Reader(decoded(text, limits), limits, 'safe').document()
}

/**
 * The same for text that is passed on as it stands and whose values are nobody's arguments yet: integers beyond 2^53 - 1 are
 * kept, as `bigint`, which no canonical form takes in later.
 *
 * @throws HoldpointError `ERR_FORMAT`
 */
export function parseStrictWithBigints(text: string | Uint8Array, limits: Limits): unknown {
  return new Reader(decoded(text, limits), limits, 'any').document()
}

/** UNTRUSTED: bytes or text as they came over a wire. */
function decoded(text: string | Uint8Array, limits: Limits): string {
  const size = typeof text === 'string' && text.length * 3 > limits.maxBytes ? utf8Length(text) : text.length
  if (size > limits.maxBytes) throw refusal(`is ${size} bytes, and the limit is ${limits.maxBytes}`, [])
  if (typeof text === 'string') return text
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(text)
  } catch (cause) {
    throw refusal('is not valid UTF-8', [], cause)
  }
}

function refusal(found: string, path: readonly (string | number)[], cause?: unknown): HoldpointError {
  const at = jsonPointer(path)
  return new HoldpointError('ERR_FORMAT', `${at === '' ? 'the JSON text' : at} ${found}`, { at, because: found, cause })
}

const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y
const PLAIN = /[ !#-[\]-\uffff]*/y
const BLANK = /[ \t\n\r]*/y
const HEX4 = /[0-9a-fA-F]{4}/y

class Reader {
  readonly #text: string
  readonly #limits: Limits
  readonly #integers: 'safe' | 'any'
  readonly #path: (string | number)[] = []
  #next = 0
  #nodes = 0

  constructor(text: string, limits: Limits, integers: 'safe' | 'any') {
    this.#text = text
    this.#limits = limits
    this.#integers = integers
  }

  document(): Json {
    if (this.#text.startsWith('\ufeff')) throw this.#refusal('starts with a byte order mark')
    this.#blank()
    const value = this.#value()
    this.#blank()
    if (this.#next !== this.#text.length) throw this.#refusal(`goes on after its value, at offset ${this.#next}`)
    return value
  }

  #value(): Json {
    this.#nodes += 1
    if (this.#nodes > this.#limits.maxNodes) throw this.#refusal(`is more than ${this.#limits.maxNodes} values`)
    switch (this.#text.charAt(this.#next)) {
      case '{':
        return this.#object()
      case '[':
        return this.#array()
      case '"':
        return this.#string()
      case 't':
        return this.#word('true', true)
      case 'f':
        return this.#word('false', false)
      case 'n':
        return this.#word('null', null)
      default:
        return this.#number()
    }
  }

  #object(): Json {
    this.#enter()
    const members: { [member: string]: Json } = {}
    if (this.#takes('}')) return members
    do {
      this.#blank()
      if (this.#text.charAt(this.#next) !== '"') throw this.#syntax('a member name in double quotes')
      const name = this.#string()
      this.#path.push(name)
      if (isForbiddenKey(name)) throw this.#refusal('has a name that reaches prototypes')
      if (Object.hasOwn(members, name)) throw this.#refusal('is given twice')
      if (!this.#takes(':')) throw this.#syntax('a colon')
      this.#blank()
      members[name] = this.#value()
      this.#path.pop()
    } while (this.#takes(','))
    if (!this.#takes('}')) throw this.#syntax('a comma or the end of the object')
    return members
  }

  #array(): Json {
    this.#enter()
    const elements: Json[] = []
    if (this.#takes(']')) return elements
    do {
      this.#path.push(elements.length)
      this.#blank()
      elements.push(this.#value())
      this.#path.pop()
    } while (this.#takes(','))
    if (!this.#takes(']')) throw this.#syntax('a comma or the end of the array')
    return elements
  }

  /** Steps over an opening bracket. Each open container holds one step of the path. */
  #enter(): void {
    if (this.#path.length >= this.#limits.maxDepth) {
      throw this.#refusal(`is nested deeper than ${this.#limits.maxDepth} levels`)
    }
    this.#next += 1
  }

  #string(): string {
    this.#next += 1
    let value = this.#match(PLAIN) ?? ''
    while (this.#text.charAt(this.#next) === '\\') {
      value += this.#escape()
      value += this.#match(PLAIN) ?? ''
    }
    if (this.#text.charAt(this.#next) !== '"') throw this.#syntax('the end of a string')
    this.#next += 1
    if (!value.isWellFormed()) throw this.#refusal('holds a lone surrogate')
    return value
  }

  #escape(): string {
    const letter = this.#text.charAt(this.#next + 1)
    this.#next += 2
    switch (letter) {
      case '"':
      case '\\':
      case '/':
        return letter
      case 'b':
        return '\b'
      case 'f':
        return '\f'
      case 'n':
        return '\n'
      case 'r':
        return '\r'
      case 't':
        return '\t'
      case 'u': {
        const unit = this.#match(HEX4)
        if (unit === undefined) throw this.#syntax('four hexadecimal digits')
        return String.fromCharCode(Number.parseInt(unit, 16))
      }
      default:
        throw this.#syntax('an escape that JSON knows')
    }
  }

  #number(): Json {
    const token = this.#match(NUMBER)
    if (token === undefined) throw this.#syntax('a JSON value')
    const value = Number(token)
    if (!Number.isFinite(value)) throw this.#refusal('is a number beyond a double')
    if (!Number.isInteger(value) || Number.isSafeInteger(value)) return value
    if (this.#integers === 'safe') throw this.#refusal('is an integer beyond 2^53 - 1')
    return BigInt(/[.eE]/.test(token) ? value : token) as unknown as Json
  }

  #word(word: string, value: Json): Json {
    if (!this.#text.startsWith(word, this.#next)) throw this.#syntax('a JSON value')
    this.#next += word.length
    return value
  }

  #takes(mark: string): boolean {
    this.#blank()
    if (this.#text.charAt(this.#next) !== mark) return false
    this.#next += 1
    return true
  }

  #blank(): void {
    this.#match(BLANK)
  }

  /** What a sticky pattern finds here, stepped over. */
  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#next
    const found = pattern.exec(this.#text)?.[0]
    if (found !== undefined) this.#next += found.length
    return found
  }

  #syntax(expected: string): HoldpointError {
    return this.#refusal(`should have ${expected} at offset ${this.#next}`)
  }

  #refusal(found: string): HoldpointError {
    return refusal(found, this.#path)
  }
}
