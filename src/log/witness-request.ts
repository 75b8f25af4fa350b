/** What a log sends to a witness (C2SP tlog-witness): a checkpoint, and the proof that it continues the last one. */
import { encodeBase64, malformed, readHash, textOf } from './encoding.ts'
import { MOST_NOTE_BYTES } from './note.ts'
import type { Hash } from './ports.ts'
import { MOST_PROOF_HASHES, readSize } from './size.ts'

/** The body of `POST <submission prefix>/add-checkpoint`. */
export interface AddCheckpoint {
  /** Size of the last checkpoint that the witness cosigned, as far as the log knows; 0 for none. */
  readonly oldSize: number
  /** From the old size to the checkpoint's. Empty when the old size is 0. */
  readonly proof: readonly Hash[]
  /** The signed note, verbatim. */
  readonly checkpoint: string
}

const MOST_REQUEST_BYTES = MOST_NOTE_BYTES + 4_096

/**
 * UNTRUSTED: reads a request, so strictly that it writes back to the same bytes. The checkpoint in it is not looked at yet.
 *
 * @throws HoldpointError ERR_FORMAT
 */
export function readAddCheckpoint(input: string | Uint8Array): AddCheckpoint {
  const whole = textOf(input, 'the request', MOST_REQUEST_BYTES)
  const gap = whole.indexOf('\n\n')
  if (gap === -1) throw malformed('the request', 'has no empty line before its checkpoint')
  const [first = '', ...lines] = whole.slice(0, gap).split('\n')
  const oldSize = first.startsWith('old ') ? readSize(first.slice('old '.length)) : undefined
  if (oldSize === undefined) throw malformed('the request', 'does not begin with "old" and a number from 0 to 2^53 - 1')
  if (lines.length > MOST_PROOF_HASHES) throw malformed('the request', `has more than ${MOST_PROOF_HASHES} hashes`)
  const proof = lines.map(readHash).filter((hash) => hash !== undefined)
  if (proof.length !== lines.length) throw malformed('the request', 'has a line in its proof that is no SHA-256 hash')
  return { oldSize, proof, checkpoint: whole.slice(gap + 2) }
}

/** @throws HoldpointError ERR_FORMAT for what would not read back */
export function writeAddCheckpoint({ oldSize, proof, checkpoint }: AddCheckpoint): string {
  const body = `${[`old ${oldSize}`, ...proof.map(encodeBase64)].join('\n')}\n\n${checkpoint}`
  readAddCheckpoint(body)
  return body
}
