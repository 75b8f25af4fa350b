import { sha256 } from '@noble/hashes/sha2.js'
import { verifyEd25519 } from '../bytes/ed25519.ts'
import type { Hash, LogCrypto } from '../log/ports.ts'

/** SHA-256 wherever this runs: proofs are many tiny hashes in a row, and WebCrypto makes each of them wait. */
export function sha256Bytes(bytes: Uint8Array): Hash {
  return sha256(bytes)
}

/** What the log's formats and proofs need, by means that browsers have too. */
export const logCrypto: LogCrypto = { sha256: sha256Bytes, verifyEd25519 }
