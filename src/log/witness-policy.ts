/** Trust policies (C2SP tlog-policy): which logs, which witnesses, and how many of these have to have seen a checkpoint. */
import { HoldpointError } from '../errors.ts'
import { PolicyReader } from './policy-reader.ts'
import type { Sha256 } from './ports.ts'
import type { VerifierKey } from './verifier-key.ts'

/** A log or a witness that the policy names. */
export interface KnownParty {
  readonly key: VerifierKey
  /** Where it answers, if the policy says so; octets beyond ASCII are percent-encoded. */
  readonly url?: string
}

/** Who must have cosigned. */
export type Quorum =
  | { readonly kind: 'none' }
  | { readonly kind: 'witness'; readonly key: VerifierKey }
  | { readonly kind: 'group'; readonly threshold: number; readonly members: readonly Quorum[] }

export interface WitnessPolicy {
  /** Any of them may have issued the checkpoint, each under the origin that its key's name is. May be empty. */
  readonly logs: readonly KnownParty[]
  readonly witnesses: readonly KnownParty[]
  readonly quorum: Quorum
}

const MOST_POLICY_BYTES = 262_144

/** Have enough of the policy's witnesses cosigned? */
export function isQuorum(quorum: Quorum, hasCosigned: (witness: VerifierKey) => boolean): boolean {
  switch (quorum.kind) {
    case 'none':
      return true
    case 'witness':
      return hasCosigned(quorum.key)
    case 'group':
      return quorum.members.filter((member) => isQuorum(member, hasCosigned)).length >= quorum.threshold
  }
}

/**
 * Reads a policy file.
 *
 * @throws HoldpointError ERR_CONFIG; `at` is the line
 */
export function readWitnessPolicy(sha256: Sha256, file: Uint8Array): WitnessPolicy {
  if (file.length > MOST_POLICY_BYTES) throw unusable(`is larger than ${MOST_POLICY_BYTES} bytes`)
  // Names are octets to this format, so each octet is one character until somebody needs more of it.
  const lines = Array.from(file, (octet) => String.fromCharCode(octet))
    .join('')
    .split('\n')
  if (lines.pop() !== '') throw unusable('does not end with a newline: it was cut')
  const reader = new PolicyReader(sha256)
  for (const [index, line] of lines.entries()) reader.line(line, index + 1)
  const policy = reader.policy()
  if (policy === undefined) throw unusable('has no quorum line; write "quorum none" to ask for no witness')
  return policy
}

function unusable(found: string): HoldpointError {
  return new HoldpointError('ERR_CONFIG', `the witness policy ${found}`)
}
