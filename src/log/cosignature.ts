/** Timestamped Ed25519 cosignatures of checkpoints (C2SP tlog-cosignature, `cosignature/v1`): what a witness says. */
import { HoldpointError } from '../errors.ts'
import { joined, utf8 } from './encoding.ts'

/** An Ed25519 signature, with the second in which a witness made it. */
export interface TimestampedSignature {
  /** Seconds since the epoch. From 1: a witness that leaves the time out says nothing about the largest tree it has seen. */
  readonly seconds: number
  readonly signature: Uint8Array<ArrayBuffer>
}

const TIME_BYTES = 8
/** Bytes of an Ed25519 signature. */
export const SIGNATURE_BYTES = 64

/**
 * What a witness signs: that at this time this was the largest tree of this log that it had seen, and that it had followed it
 * there.
 *
 * @param text the checkpoint's text, with its final newline
 */
export function cosignedMessage(text: string, seconds: number): Uint8Array<ArrayBuffer> {
  return utf8(`cosignature/v1\ntime ${seconds}\n${text}`)
}

/** Reads the bytes after a key's id; `undefined` unless they are a time that we can hold (2^53 - 1) and 64 bytes. */
export function readTimestamped(bytes: Uint8Array<ArrayBuffer>): TimestampedSignature | undefined {
  if (bytes.length !== TIME_BYTES + SIGNATURE_BYTES) return undefined
  const seconds = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0)
  if (seconds === 0n || seconds > Number.MAX_SAFE_INTEGER) return undefined
  return { seconds: Number(seconds), signature: bytes.slice(TIME_BYTES) }
}

/** @throws HoldpointError ERR_FORMAT for what would not read back */
export function writeTimestamped({ seconds, signature }: TimestampedSignature): Uint8Array<ArrayBuffer> {
  const time = new Uint8Array(TIME_BYTES)
  new DataView(time.buffer).setBigUint64(0, BigInt(seconds))
  const bytes = joined(time, signature)
  if (readTimestamped(bytes) === undefined)
    throw new HoldpointError('ERR_FORMAT', 'not a time and an Ed25519 signature')
  return bytes
}
