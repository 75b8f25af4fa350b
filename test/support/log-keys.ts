import { createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto'
import { sha256Bytes } from '../../src/bytes/digest.ts'
import { type Checkpoint, writeCheckpoint } from '../../src/log/checkpoint.ts'
import { cosignedMessage, writeTimestamped } from '../../src/log/cosignature.ts'
import type { NoteSignature } from '../../src/log/note.ts'
import type { LogCrypto, TileStorage } from '../../src/log/ports.ts'
import { type KeyKind, type VerifierKey, verifierKey } from '../../src/log/verifier-key.ts'

/** The ports of the log's room, by Node's own cryptography. */
export const logCrypto: LogCrypto = {
  sha256: sha256Bytes,
  verifyEd25519: (publicKey, message, signature) => {
    const x = Buffer.from(publicKey).toString('base64url')
    return verify(null, message, createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x } }), signature)
  },
}

/** Somebody who signs notes: a log, or a witness. */
export interface NoteSigner {
  readonly key: VerifierKey
  /** Signs a note's text; a witness signs it at a time in seconds. */
  sign(text: string, seconds?: number): NoteSignature
}

export function noteSigner(
  name: string,
  kind: KeyKind,
  privateKey: KeyObject = generateKeyPairSync('ed25519').privateKey,
): NoteSigner {
  const x = Buffer.from(createPublicKey(privateKey).export({ format: 'jwk' }).x ?? '', 'base64url')
  const key = verifierKey(sha256Bytes, { name, kind, publicKey: new Uint8Array(x) })
  return {
    key,
    sign: (text, seconds = 1_750_000_000) => {
      const message = kind === 'ed25519' ? Buffer.from(text) : cosignedMessage(text, seconds)
      const signature = new Uint8Array(sign(null, message, privateKey))
      const bytes = kind === 'ed25519' ? signature : writeTimestamped({ seconds, signature })
      return { name, id: key.id, signature: bytes }
    },
  }
}

export function checkpointText(origin: string, { size, root }: Pick<Checkpoint, 'size' | 'root'>): string {
  return writeCheckpoint(sha256Bytes, { origin, size, root, extensions: [] })
}

/** Files in memory. */
export function memoryTiles(): TileStorage & { readonly files: Map<string, Uint8Array> } {
  const files = new Map<string, Uint8Array>()
  return {
    files,
    read: async (path) => files.get(path),
    write: async (path, bytes) => {
      files.set(path, new Uint8Array(bytes))
    },
  }
}

const encoder = new TextEncoder()

export function ascii(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text)
}

/** The same bytes with one bit turned. */
export function flipped(bytes: Uint8Array, bit: number): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(bytes)
  const at = Math.floor(bit / 8) % copy.length
  copy[at] = (copy[at] ?? 0) ^ (1 << (bit % 8))
  return copy
}
