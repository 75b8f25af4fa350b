/** Transparency log proofs (C2SP tlog-proof): one file that shows offline that an entry is in a log. */
import { decodeBase64, encodeBase64, malformed, readHash, textOf } from './encoding.ts'
import { verifyInclusion } from './merkle.ts'
import { MOST_NOTE_BYTES } from './note.ts'
import type { Hash, LogCrypto } from './ports.ts'
import { MOST_PROOF_HASHES, readSize } from './size.ts'
import { type CheckpointVerdict, judgeCheckpoint } from './trusted-checkpoint.ts'
import type { WitnessPolicy } from './witness-policy.ts'

export interface LogProof {
  /** Of the entry, zero-based. */
  readonly index: number
  /** From the leaf's sibling up to a child of the root. */
  readonly hashes: readonly Hash[]
  /** The signed note, verbatim. */
  readonly checkpoint: string
  /** UNTRUSTED: nothing in the proof covers it. Not empty. */
  readonly extra?: Uint8Array
}

export type ProofVerdict =
  | CheckpointVerdict
  /** The checkpoint is to be believed, and this entry is not at this index of its tree. */
  | { readonly kind: 'not-included'; readonly index: number; readonly size: number }

const FIRST_LINE = 'c2sp.org/tlog-proof@v1'
const MOST_PROOF_BYTES = MOST_NOTE_BYTES + 131_072

/**
 * Reads a proof, so strictly that it writes back to the same bytes. The checkpoint in it is not looked at yet.
 *
 * @throws HoldpointError ERR_FORMAT
 */
export function readLogProof(input: string | Uint8Array): LogProof {
  const whole = textOf(input, 'the log proof', MOST_PROOF_BYTES)
  const gap = whole.indexOf('\n\n')
  if (gap === -1) throw malformed('the log proof', 'has no empty line before its checkpoint')
  const [first, ...rest] = whole.slice(0, gap).split('\n')
  if (first !== FIRST_LINE) throw malformed('the log proof', `does not begin with "${FIRST_LINE}"`)
  const extra = rest[0]?.startsWith('extra ') === true ? readExtra(rest.shift() ?? '') : undefined
  const [indexLine = '', ...hashLines] = rest
  const index = indexLine.startsWith('index ') ? readSize(indexLine.slice('index '.length)) : undefined
  if (index === undefined) throw malformed('the log proof', 'has no "index" line with a number from 0 to 2^53 - 1')
  if (hashLines.length > MOST_PROOF_HASHES) {
    throw malformed('the log proof', `has more than ${MOST_PROOF_HASHES} hashes`)
  }
  return {
    index,
    hashes: hashLines.map(readHashLine),
    checkpoint: whole.slice(gap + 2),
    ...(extra === undefined ? {} : { extra }),
  }
}

/** @throws HoldpointError ERR_FORMAT for what would not read back */
export function writeLogProof({ index, hashes, checkpoint, extra }: LogProof): string {
  const lines = [
    FIRST_LINE,
    ...(extra === undefined ? [] : [`extra ${encodeBase64(extra)}`]),
    `index ${index}`,
    ...hashes.map(encodeBase64),
  ]
  const whole = `${lines.join('\n')}\n\n${checkpoint}`
  readLogProof(whole)
  return whole
}

/**
 * Is the entry in a log that the policy trusts?
 *
 * @param leaf worked out by the caller from the entry itself, never taken from the proof
 * @throws HoldpointError ERR_FORMAT when the proof's checkpoint is none
 */
export async function judgeLogProof(
  crypto: LogCrypto,
  policy: WitnessPolicy,
  { leaf, proof }: { readonly leaf: Hash; readonly proof: LogProof },
): Promise<ProofVerdict> {
  const verdict = await judgeCheckpoint(crypto, policy, proof.checkpoint)
  if (verdict.kind !== 'trusted') return verdict
  const { size, root } = verdict.checkpoint
  const { index, hashes } = proof
  const isIncluded = verifyInclusion(crypto.sha256, { index, leaf, size, root, proof: hashes })
  return isIncluded ? verdict : { kind: 'not-included', index, size }
}

function readExtra(line: string): Uint8Array {
  const bytes = decodeBase64(line.slice('extra '.length))
  if (bytes === undefined || bytes.length === 0) throw malformed('the log proof', 'has an "extra" line without base64')
  return bytes
}

function readHashLine(line: string, index: number): Hash {
  const hash = readHash(line)
  if (hash === undefined) throw malformed('the log proof', `has no SHA-256 hash in line ${index + 1} of its path`)
  return hash
}
