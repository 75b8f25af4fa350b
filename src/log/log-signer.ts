import { decodeBase64url } from '../bytes/base64url.ts'
import { HoldpointError } from '../errors.ts'
import type { Signer } from '../types.ts'
import { utf8 } from './encoding.ts'
import type { NoteSignature } from './note.ts'
import type { Sha256 } from './ports.ts'
import { type VerifierKey, verifierKey } from './verifier-key.ts'

/** Who signs a log's checkpoints. */
export interface LogSigner {
  /** Its name is the log's origin: the key speaks for this log alone. */
  readonly key: VerifierKey
  /** @param text of a note, with its final newline */
  sign(text: string): NoteSignature
}

/**
 * Makes a log's signer of an Ed25519 key. Witnesses take no other kind.
 *
 * @throws HoldpointError ERR_KEY for another kind of key, or an origin that no key can be named after
 */
export function logSigner(sha256: Sha256, signer: Signer, origin: string): LogSigner {
  const { x } = signer.publicJwk
  if (signer.alg !== 'Ed25519' || typeof x !== 'string') {
    throw new HoldpointError('ERR_KEY', `a log is signed with an Ed25519 key, and this one is for ${signer.alg}`)
  }
  const key = verifierKey(sha256, { name: origin, kind: 'ed25519', publicKey: decodeBase64url(x) })
  return {
    key,
    sign: (text) => ({ name: origin, id: key.id, signature: new Uint8Array(signer.sign(utf8(text))) }),
  }
}
