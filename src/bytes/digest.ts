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

/** Bytes from the operating system's generator. */
export const randomBytes: RandomBytes = (length) => nodeRandomBytes(length)
