import { type Checkpoint, readCheckpoint } from './checkpoint.ts'
import { readNote } from './note.ts'
import { openNote } from './open-note.ts'
import type { LogCrypto } from './ports.ts'
import type { VerifierKey } from './verifier-key.ts'
import { isQuorum, type WitnessPolicy } from './witness-policy.ts'

/** A witness's word on a checkpoint. */
export interface Cosignature {
  readonly witness: VerifierKey
  /** When, in seconds since the epoch, as the witness says. */
  readonly seconds: number
}

/** Whether a checkpoint is to be believed, and if not, what is missing. */
export type CheckpointVerdict =
  | {
      readonly kind: 'trusted'
      readonly checkpoint: Checkpoint
      readonly log: VerifierKey
      readonly cosignatures: readonly Cosignature[]
    }
  /** The policy has no log of this origin. */
  | { readonly kind: 'unknown-log'; readonly origin: string }
  /** A line in the name of a known log or witness is not by its key. */
  | { readonly kind: 'forged'; readonly name: string }
  /** No known key of this log signed it. */
  | { readonly kind: 'unsigned'; readonly origin: string; readonly names: readonly string[] }
  /** The log signed it, and too few of the policy's witnesses did. */
  | { readonly kind: 'unwitnessed'; readonly checkpoint: Checkpoint; readonly cosignatures: readonly Cosignature[] }

/**
 * Judges a checkpoint by a trust policy: signed by a log that the policy names, for that log's own origin, and cosigned by a
 * quorum.
 *
 * @param input the signed note, from anywhere
 * @throws HoldpointError ERR_FORMAT when the input is no checkpoint
 */
export async function judgeCheckpoint(
  crypto: LogCrypto,
  policy: WitnessPolicy,
  input: string | Uint8Array,
): Promise<CheckpointVerdict> {
  const note = readNote(input)
  const checkpoint = readCheckpoint(crypto.sha256, note.text)
  const { origin } = checkpoint
  // INVARIANT I6: a key speaks for its own log alone, or one log's operator could speak for all the others.
  const logs = policy.logs.map(({ key }) => key).filter(({ name }) => name === origin)
  if (logs.length === 0) return { kind: 'unknown-log', origin }
  const witnesses = policy.witnesses.map(({ key }) => key)
  const opened = await openNote(note, [...logs, ...witnesses], crypto.verifyEd25519)
  if (opened.kind === 'forged') return opened
  const signed = opened.kind === 'verified' ? opened.by : []
  const log = signed.find(({ key }) => logs.includes(key))?.key
  if (log === undefined) return { kind: 'unsigned', origin, names: note.signatures.map(({ name }) => name) }
  const cosignatures = signed.flatMap(({ key, seconds }) => (seconds === undefined ? [] : [{ witness: key, seconds }]))
  const hasCosigned = (key: VerifierKey): boolean => cosignatures.some(({ witness }) => witness === key)
  if (!isQuorum(policy.quorum, hasCosigned)) return { kind: 'unwitnessed', checkpoint, cosignatures }
  return { kind: 'trusted', checkpoint, log, cosignatures }
}
