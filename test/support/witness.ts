import { sha256Bytes } from '../../src/bytes/digest.ts'
import { HoldpointError } from '../../src/errors.ts'
import { type Checkpoint, readCheckpoint } from '../../src/log/checkpoint.ts'
import { sameBytes } from '../../src/log/encoding.ts'
import { verifyConsistency } from '../../src/log/merkle.ts'
import { type Note, readNote, writeSignature } from '../../src/log/note.ts'
import { openNote } from '../../src/log/open-note.ts'
import type { VerifierKey } from '../../src/log/verifier-key.ts'
import { readAddCheckpoint } from '../../src/log/witness-request.ts'
import { logCrypto, type NoteSigner } from './log-keys.ts'

/** What a witness answers over HTTP. */
export interface WitnessAnswer {
  readonly status: 200 | 400 | 403 | 404 | 409 | 422
  readonly body: string
}

/** The rules of C2SP tlog-witness for `add-checkpoint`, with what it has seen in memory: one witness of any number of logs. */
export class Witness {
  readonly #signer: NoteSigner
  readonly #logs: ReadonlyMap<string, readonly VerifierKey[]>
  readonly #seen = new Map<string, Checkpoint>()

  /** @param logs the keys of each origin that is witnessed */
  constructor(signer: NoteSigner, logs: ReadonlyMap<string, readonly VerifierKey[]>) {
    this.#signer = signer
    this.#logs = logs
  }

  async add(input: string | Uint8Array, seconds: number): Promise<WitnessAnswer> {
    try {
      return await this.#judged(input, seconds)
    } catch (error) {
      if (error instanceof HoldpointError) return { status: 400, body: error.message }
      throw error
    }
  }

  async #judged(input: string | Uint8Array, seconds: number): Promise<WitnessAnswer> {
    const { oldSize, proof, checkpoint } = readAddCheckpoint(input)
    const note = noteOf(checkpoint)
    if (note === undefined) return { status: 403, body: 'invalid signature: not a signed note' }
    const next = checkpointOf(note)
    if (next === undefined) return { status: 422, body: 'not the checkpoint of any tree' }
    const keys = this.#logs.get(next.origin)
    if (keys === undefined) return { status: 404, body: 'unknown log' }
    const opened = await openNote(note, keys, logCrypto.verifyEd25519)
    if (opened.kind !== 'verified') return { status: 403, body: 'invalid signature' }
    if (oldSize > next.size) return { status: 400, body: 'old size above the checkpoint' }
    // Nothing is awaited from here on: what was looked up is what is replaced.
    const last = this.#seen.get(next.origin)
    if (oldSize !== (last?.size ?? 0)) return { status: 409, body: `${last?.size ?? 0}\n` }
    if (!continues(last, next, proof)) return { status: 422, body: 'invalid consistency proof' }
    this.#seen.set(next.origin, next)
    return { status: 200, body: writeSignature(this.#signer.sign(note.text, seconds)) }
  }
}

/** A note whose signatures cannot be read has none of a key that we know. */
function noteOf(checkpoint: string): Note | undefined {
  try {
    return readNote(checkpoint)
  } catch {
    return undefined
  }
}

function checkpointOf({ text }: Note): Checkpoint | undefined {
  try {
    return readCheckpoint(sha256Bytes, text)
  } catch {
    return undefined
  }
}

function continues(last: Checkpoint | undefined, next: Checkpoint, proof: readonly Uint8Array[]): boolean {
  if (last === undefined || last.size === 0) return proof.length === 0
  if (last.size === next.size) return proof.length === 0 && sameBytes(last.root, next.root)
  return verifyConsistency(sha256Bytes, { from: last, to: next, proof })
}
