import { decodeBase64url } from '../bytes/base64url.ts'
import { HoldpointError } from '../errors.ts'
import { type Checkpoint, readCheckpoint } from '../log/checkpoint.ts'
import { sameBytes, utf8 } from '../log/encoding.ts'
import { readNote } from '../log/note.ts'
import { readWitnessPolicy, type WitnessPolicy } from '../log/witness-policy.ts'
import { importTrustedKeys, type Jwk, type TrustedKey } from '../receipt/keys.ts'
import { importPasskeys, type PasskeyRing } from '../receipt/passkey-ring.ts'
import type { Passkey } from '../types.ts'
import { sha256Bytes } from './ports.ts'

/** What a verification believes, all of it given by who verifies. Nothing in a bundle adds to it but a `key` receipt. */
export interface BundleTrust {
  /** Public keys of gates. */
  readonly keys: readonly Jwk[]
  /** The text of a C2SP tlog-policy: the log's key, the witnesses, the quorum. */
  readonly log?: string
  /** Checkpoints that the caller holds from before, as signed notes. They are believed as they are. */
  readonly checkpoints?: readonly string[]
  /** Public keys of people who may sign overrides. */
  readonly override?: readonly Jwk[]
  /** Public keys that gates sign people's answers with. */
  readonly approval?: readonly Jwk[]
  /** Passkeys of people, as operators register them: whose signatures the caller knows. */
  readonly passkeys?: readonly Passkey[]
  /** Digests of policies that the caller knows, as receipts name them. */
  readonly policies?: readonly string[]
  /** Digests of tool definitions that the caller knows. */
  readonly definitions?: readonly string[]
}

/** The same, read. */
export interface Anchors {
  readonly keys: ReadonlyMap<string, TrustedKey>
  readonly policy: WitnessPolicy | undefined
  readonly held: readonly Checkpoint[]
  /** RFC 7638 thumbprints. */
  readonly override: ReadonlySet<string> | undefined
  readonly approval: ReadonlyMap<string, TrustedKey> | undefined
  readonly passkeys: PasskeyRing | undefined
  readonly policies: ReadonlySet<string> | undefined
  readonly definitions: ReadonlySet<string> | undefined
  /** Says which of these keys has another role too, among those that are believed for receipts. */
  twoRoles(added: ReadonlyMap<string, Jwk>): string | undefined
}

/**
 * @throws HoldpointError ERR_KEY for an unusable key, ERR_CONFIG for an unusable log policy, ERR_FORMAT for a checkpoint that is
 * none
 */
export async function readAnchors(trust: BundleTrust): Promise<Anchors> {
  const keys = await importTrustedKeys(trust.keys)
  const policy = trust.log === undefined ? undefined : readWitnessPolicy(sha256Bytes, utf8(trust.log))
  const override = trust.override === undefined ? undefined : new Set((await importTrustedKeys(trust.override)).keys())
  const approval = trust.approval === undefined ? undefined : await importTrustedKeys(trust.approval)
  const passkeys = trust.passkeys === undefined ? undefined : await importPasskeys(trust.passkeys)
  const others = [
    { role: 'overrides', kids: override },
    { role: 'approvals', kids: approval },
    { role: 'a person’s passkey', kids: new Set([...(passkeys?.values() ?? [])].map(({ key }) => key.kid)) },
  ] as const
  return {
    keys,
    policy,
    held: (trust.checkpoints ?? []).map(heldCheckpoint),
    override,
    approval,
    passkeys,
    policies: trust.policies === undefined ? undefined : new Set(trust.policies),
    definitions: trust.definitions === undefined ? undefined : new Set(trust.definitions),
    twoRoles: (added) =>
      inTwoRoles([...trust.keys, ...added.values()], [...keys.keys(), ...added.keys()], policy, others),
  }
}

function heldCheckpoint(note: string, index: number): Checkpoint {
  try {
    return readCheckpoint(sha256Bytes, readNote(note).text)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : 'it cannot be read'
    throw new HoldpointError('ERR_FORMAT', `checkpoint ${index + 1} of those that you hold is none: ${why}`, { cause })
  }
}

/**
 * INVARIANT I6: one key, one role, whoever brought it in: the caller, or a receipt that adds it. Who runs a log or is a witness
 * to it must not be able to sign receipts with that key.
 */
function inTwoRoles(
  jwks: readonly Jwk[],
  kids: readonly string[],
  policy: WitnessPolicy | undefined,
  others: readonly { readonly role: string; readonly kids: Pick<ReadonlySet<string>, 'has'> | undefined }[],
): string | undefined {
  for (const { role, kids: theirs } of others) {
    const shared = kids.find((kid) => theirs?.has(kid) === true)
    if (shared !== undefined) return `the key ${shared} is trusted for receipts and for ${role}`
  }
  const parties = [...(policy?.logs ?? []), ...(policy?.witnesses ?? [])]
  for (const { crv, x } of jwks) {
    if (crv !== 'Ed25519' || typeof x !== 'string') continue
    const bytes = decodeBase64url(x)
    const party = parties.find(({ key }) => sameBytes(key.publicKey, bytes))
    if (party !== undefined) return `one key is trusted for receipts and as ${party.key.name}, for the log`
  }
  return undefined
}
