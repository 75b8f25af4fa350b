/**
 * A second verifier, written from docs/receipts.md alone and sharing no line with the first: what both say of a bundle is
 * what the page says. Slow, plain, and for tests.
 */
import { createHash } from 'node:crypto'

export class Wrong extends Error {}

export function sha256(...parts: readonly (string | Uint8Array)[]): Buffer {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** Base64url or base64 in its one spelling. */
export function unbase(text: unknown, encoding: 'base64' | 'base64url'): Buffer {
  if (typeof text !== 'string') throw new Wrong('no base64')
  const bytes = Buffer.from(text, encoding)
  if (bytes.toString(encoding) !== text) throw new Wrong('another spelling of base64')
  return bytes
}

export function hashesIn(list: unknown): Buffer[] {
  if (!Array.isArray(list) || list.length > 63) throw new Wrong('no proof')
  return list.map((one) => {
    const bytes = unbase(one, 'base64')
    if (bytes.length !== 32) throw new Wrong('no hash')
    return bytes
  })
}

export function crockford(bytes: Uint8Array): string {
  const digits = '0123456789abcdefghjkmnpqrstvwxyz'
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  const groups = bits.padEnd(Math.ceil(bits.length / 5) * 5, '0').match(/.{5}/g) ?? []
  return groups.map((group) => digits[Number.parseInt(group, 2)]).join('')
}

export type Value = null | boolean | number | string | Value[] | Map<string, Value>

/** JSON that means the same to everybody: no name twice, none that reaches a prototype, no lone surrogate, no lost digit. */
export function strict(text: string, deepest: number): Value {
  let at = 0
  const fail = (): never => {
    throw new Wrong(`no strict JSON at ${at}`)
  }
  const blank = (): void => {
    while (at < text.length && ' \t\n\r'.includes(text.charAt(at))) at += 1
  }
  const take = (what: string): boolean => {
    blank()
    if (!text.startsWith(what, at)) return false
    at += what.length
    return true
  }
  const string = (): string => {
    const start = at
    for (at += 1; text[at] !== '"'; at += 1) {
      if (at >= text.length || text.charAt(at) < ' ') fail()
      if (text[at] === '\\') at += 1
    }
    at += 1
    const found = text.slice(start, at)
    try {
      const value: string = JSON.parse(found)
      return value.isWellFormed() ? value : fail()
    } catch {
      return fail()
    }
  }
  const value = (depth: number): Value => {
    blank()
    if (text[at] === '"') return string()
    if (take('{')) {
      if (depth === deepest) fail()
      const members = new Map<string, Value>()
      if (take('}')) return members
      do {
        blank()
        if (text[at] !== '"') fail()
        const name = string()
        if (members.has(name) || ['__proto__', 'constructor', 'prototype'].includes(name)) fail()
        if (!take(':')) fail()
        members.set(name, value(depth + 1))
      } while (take(','))
      return take('}') ? members : fail()
    }
    if (take('[')) {
      if (depth === deepest) fail()
      const items: Value[] = []
      if (take(']')) return items
      do items.push(value(depth + 1))
      while (take(','))
      return take(']') ? items : fail()
    }
    for (const [word, meant] of [
      ['true', true],
      ['false', false],
      ['null', null],
    ] as const)
      if (take(word)) return meant
    const match = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
    match.lastIndex = at
    const [found] = match.exec(text) ?? fail()
    at += found.length
    const number = Number(found)
    if (!Number.isFinite(number) || (Number.isInteger(number) && !Number.isSafeInteger(number))) fail()
    return number
  }
  const whole = value(0)
  blank()
  return at === text.length ? whole : fail()
}

/** RFC 8785. */
export function canonical(value: Value | undefined): string {
  if (value instanceof Map) {
    const names = [...value.keys()].sort()
    return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value.get(name))}`).join(',')}}`
  }
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  return JSON.stringify(Object.is(value, -0) ? 0 : value)
}

export function canonicalObject(bytes: Uint8Array): Map<string, Value> {
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  const value = strict(text, 8)
  if (!(value instanceof Map) || canonical(value) !== text) throw new Wrong('not canonical')
  return value
}
