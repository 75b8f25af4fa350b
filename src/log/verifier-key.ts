/** Verifier keys (C2SP signed-note, "vkeys"): whom to believe, in one line of text. */
import { HoldpointError } from '../errors.ts'
import { decodeBase64, encodeBase64, joined, utf8 } from './encoding.ts'
import { isKeyName } from './note.ts'
import type { Sha256 } from './ports.ts'

/** `ed25519` signs a note's text; `cosignature` is a witness's, over a checkpoint and a time. One key is for one of them. */
export type KeyKind = 'ed25519' | 'cosignature'

/** The public half of a key that signs notes. */
export interface VerifierKey {
  readonly name: string
  /** SHA-256(name ‖ newline ‖ type ‖ public key), its first four bytes. */
  readonly id: number
  readonly kind: KeyKind
  /** 32 bytes (RFC 8032 §5.1.5). */
  readonly publicKey: Uint8Array<ArrayBuffer>
}

const PUBLIC_KEY_BYTES = 32
/** The signature types of C2SP signed-note that we take. */
const TYPE_OF: { readonly [kind in KeyKind]: number } = { ed25519: 0x01, cosignature: 0x04 }
const KIND_OF: ReadonlyMap<number, KeyKind> = new Map([
  [TYPE_OF.ed25519, 'ed25519'],
  [TYPE_OF.cosignature, 'cosignature'],
])
const VERIFIER_KEY = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/

/** @throws HoldpointError ERR_KEY when the name or the length of the key is impossible */
export function verifierKey(
  sha256: Sha256,
  { name, kind, publicKey }: Pick<VerifierKey, 'name' | 'kind' | 'publicKey'>,
): VerifierKey {
  if (!isKeyName(name)) throw unusable('its name is empty, or holds white space or a plus')
  if (publicKey.length !== PUBLIC_KEY_BYTES) throw unusable(`its public key has ${publicKey.length} bytes, not 32`)
  const digest = sha256(joined(utf8(`${name}\n`), Uint8Array.of(TYPE_OF[kind]), publicKey))
  return { name, id: new DataView(digest.buffer, digest.byteOffset).getUint32(0), kind, publicKey }
}

/**
 * Reads `name+id+base64(type ‖ public key)`, as somebody configured it. The id has to be the key's own.
 *
 * @throws HoldpointError ERR_KEY
 */
export function readVerifierKey(sha256: Sha256, text: string): VerifierKey {
  const [, name, id, encoded = ''] = VERIFIER_KEY.exec(text) ?? []
  const bytes = decodeBase64(encoded)
  if (name === undefined || bytes === undefined) throw unusable('it is not "name+id+base64"')
  const kind = KIND_OF.get(bytes[0] ?? 0)
  if (kind === undefined) throw unusable('only Ed25519 keys (types 0x01 and 0x04) are known here')
  const key = verifierKey(sha256, { name, kind, publicKey: bytes.slice(1) })
  if (hex(key.id) !== id) throw unusable(`its id should be ${hex(key.id)}: the name or the key was changed`)
  return key
}

export function writeVerifierKey({ name, id, kind, publicKey }: VerifierKey): string {
  return `${name}+${hex(id)}+${encodeBase64(joined(Uint8Array.of(TYPE_OF[kind]), publicKey))}`
}

function hex(id: number): string {
  return id.toString(16).padStart(8, '0')
}

function unusable(why: string): HoldpointError {
  return new HoldpointError('ERR_KEY', `not a verifier key: ${why}`)
}
