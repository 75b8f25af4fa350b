import { hash, randomBytes as nodeRandomBytes } from 'node:crypto'
import type { RandomBytes } from '../types.ts'

/** SHA-256 (FIPS 180-4), base64url without padding: 43 characters. Text is hashed as UTF-8. */
export function sha256(data: string | Uint8Array): string {
  return hash('sha256', data, 'base64url')
}

/** SHA-256 (FIPS 180-4), 32 bytes. Text is hashed as UTF-8. */
export function sha256Bytes(data: string | Uint8Array): Uint8Array {
  return hash('sha256', data, 'buffer')
}

const POOL_BYTES = 4_096
let pool = new Uint8Array(0)
let given = 0

/** Bytes from the operating system's generator, fetched for many salts at once. Each byte is given out once, then erased. */
export const randomBytes: RandomBytes = (length) => {
  if (length > POOL_BYTES) return nodeRandomBytes(length)
  if (given + length > pool.length) {
    pool = new Uint8Array(nodeRandomBytes(POOL_BYTES))
    given = 0
  }
  const bytes = pool.slice(given, given + length)
  pool.fill(0, given, given + length)
  given += length
  return bytes
}
