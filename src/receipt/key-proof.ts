import { canonicalText } from '../bytes/canonical.ts'
import { HoldpointError } from '../errors.ts'
import type { KeyClaims } from './claims.ts'
import { readEnvelope } from './envelope.ts'
import { importTrustedKey, type TrustedKey } from './keys.ts'

/** `typ` of a new key's own word (RFC 8725 §3.11): a receipt is never taken for one, nor one for a receipt. */
export const KEY_TYP = 'holdpoint-key+jwt'

/** Where in which chain a key takes over from which. */
export interface Succession {
  readonly iss: string
  /** RFC 7638 thumbprints. */
  readonly old: string
  readonly new: string
  /** The place of the `key` receipt. */
  readonly stream: string
  readonly seq: number
}

/** What the new key signs: canonical JSON, bound to one place of one stream, so that it cannot be put anywhere else. */
export function keyProofPayload({ iss, old, new: fresh, stream, seq }: Succession): string {
  return canonicalText({ v: 1, iss, old, new: fresh, stream, seq })
}

/**
 * The key that an `add` receipt brings, once its own word for it holds.
 *
 * @param old thumbprint of the key that signed the receipt
 * @throws HoldpointError ERR_FORMAT or ERR_KEY saying what is wrong
 */
export async function provenKey(claims: Extract<KeyClaims, { act: 'add' }>, old: string): Promise<TrustedKey> {
  const key = await importTrustedKey(claims.key, 0)
  if (key.kid !== claims.kid) throw wrong('names another thumbprint than its key has')
  if (key.kid === old) throw wrong('adds the key that signed it')
  const proof = readEnvelope(claims.proof, KEY_TYP)
  if (proof.kid !== key.kid || proof.alg !== key.alg) throw wrong('has a proof by another key than the one it adds')
  const payload = keyProofPayload({ ...claims, old, new: key.kid })
  if (new TextDecoder().decode(proof.payload) !== payload)
    throw wrong('has a proof for another place or another pair of keys')
  if ((await key.verify(proof.signature, proof.signed)) !== true)
    throw wrong('has a proof that the new key did not sign')
  return key
}

function wrong(what: string): HoldpointError {
  return new HoldpointError('ERR_FORMAT', `the key receipt ${what}`)
}
