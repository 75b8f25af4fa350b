import { decodeBase64url, encodeBase64url } from '../bytes/base64url.ts'
import { utf8Length } from '../bytes/canonical.ts'
import { HoldpointError } from '../errors.ts'
import type { Hash } from './ports.ts'

/** Bytes of a SHA-256 hash. */
export const HASH_BYTES = 32
const CONTROL = /[^\n\u0020-\uffff]/
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/

/** Base64 with padding (RFC 4648 §4), as C2SP writes it. */
export function encodeBase64(bytes: Uint8Array): string {
  const text = encodeBase64url(bytes).replaceAll('-', '+').replaceAll('_', '/')
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=')
}

/** Reads base64 in its one spelling: padded, and no bit set beyond the last byte. `undefined` for every other text. */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (text.length % 4 !== 0 || !BASE64.test(text)) return undefined
  const bare = text.replace(/=+$/, '').replaceAll('+', '-').replaceAll('/', '_')
  try {
    return decodeBase64url(bare)
  } catch {
    return undefined
  }
}

/** A hash in base64; `undefined` for every other text. */
export function readHash(text: string): Hash | undefined {
  const bytes = text.length === 44 ? decodeBase64(text) : undefined
  return bytes?.length === HASH_BYTES ? bytes : undefined
}

export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text)
}

/**
 * UNTRUSTED: bytes or text from outside as text that writes back to the very same bytes, so that what is read is what was
 * signed.
 *
 * @param what names it in the error: `the note`
 * @param most bytes
 * @throws HoldpointError ERR_FORMAT
 */
export function textOf(input: string | Uint8Array, what: string, most: number): string {
  const text = typeof input === 'string' ? input : decoded(input, what, most)
  if (text.length > most || utf8Length(text) > most) throw malformed(what, `is larger than ${most} bytes`)
  if (!text.isWellFormed()) throw malformed(what, 'holds a lone surrogate')
  return text
}

/** Characters below U+0020 other than newline: a note has none. */
export function holdsControls(text: string): boolean {
  return CONTROL.test(text)
}

function decoded(bytes: Uint8Array, what: string, most: number): string {
  if (bytes.length > most) throw malformed(what, `is larger than ${most} bytes`)
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw malformed(what, 'is not UTF-8')
  }
}

export function malformed(what: string, found: string, at?: string): HoldpointError {
  return new HoldpointError('ERR_FORMAT', `${what} ${found}`, at === undefined ? {} : { at })
}

export function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index])
}

export function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
