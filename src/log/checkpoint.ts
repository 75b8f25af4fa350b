/** Checkpoints (C2SP tlog-checkpoint): the text that a log signs about its tree. */
import { encodeBase64, holdsControls, malformed, readHash, sameBytes } from './encoding.ts'
import { emptyRoot } from './merkle.ts'
import type { Hash, Sha256 } from './ports.ts'
import { readSize } from './size.ts'

export interface Checkpoint {
  /** Which log: a name, not an address. */
  readonly origin: string
  /** Leaves in the tree. */
  readonly size: number
  readonly root: Hash
  /** Further lines, opaque. Witnesses say nothing about them; ours are never written. */
  readonly extensions: readonly string[]
}

/**
 * Reads a note's text as a checkpoint, so strictly that it writes back to the same text.
 *
 * UNTRUSTED: nothing of it holds before the note's signatures have been verified.
 *
 * @throws HoldpointError ERR_FORMAT
 */
export function readCheckpoint(sha256: Sha256, text: string): Checkpoint {
  const lines = text.split('\n')
  if (lines.pop() !== '') throw malformed('the checkpoint', 'does not end with a newline: it was cut')
  const [origin, sizeLine, rootLine, ...extensions] = lines
  if (origin === undefined || sizeLine === undefined || rootLine === undefined) {
    throw malformed('the checkpoint', 'has fewer than three lines')
  }
  if (lines.includes('')) throw malformed('the checkpoint', 'has an empty line')
  if (holdsControls(text)) throw malformed('the checkpoint', 'holds a control character')
  const size = readSize(sizeLine)
  if (size === undefined) throw malformed('the checkpoint', 'has no size from 0 to 2^53 - 1 in its second line')
  const root = readHash(rootLine)
  if (root === undefined) throw malformed('the checkpoint', 'has no SHA-256 hash in its third line')
  // Two checkpoints of size 0 with different roots would be a fork that no consistency proof could show.
  if (size === 0 && !sameBytes(root, emptyRoot(sha256))) {
    throw malformed('the checkpoint', 'is of the empty tree and has another root')
  }
  return { origin, size, root, extensions }
}

/** @throws HoldpointError ERR_FORMAT for what would not read back */
export function writeCheckpoint(sha256: Sha256, { origin, size, root, extensions }: Checkpoint): string {
  const text = [origin, String(size), encodeBase64(root), ...extensions].map((line) => `${line}\n`).join('')
  const again = readCheckpoint(sha256, text)
  if (again.origin !== origin || again.extensions.length !== extensions.length) {
    throw malformed('the checkpoint', 'has a line break within a line')
  }
  return text
}
