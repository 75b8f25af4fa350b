import { cosignedMessage, readTimestamped, SIGNATURE_BYTES } from './cosignature.ts'
import { utf8 } from './encoding.ts'
import type { Note, NoteSignature } from './note.ts'
import type { VerifyEd25519 } from './ports.ts'
import type { VerifierKey } from './verifier-key.ts'

/** A known key that signed the note. */
export interface Signed {
  readonly key: VerifierKey
  /** Of a cosignature: when, in seconds since the epoch, as the witness says. */
  readonly seconds?: number
}

/** What became of a note's signatures. */
export type OpenedNote =
  | { readonly kind: 'verified'; readonly by: readonly Signed[] }
  /** No signature is by a key that we know: the text is anybody's. */
  | { readonly kind: 'strangers'; readonly names: readonly string[] }
  /** A line names a key that we know, and its signature is not that key's. */
  | { readonly kind: 'forged'; readonly name: string }

/**
 * Verifies a note's signatures under the keys that the caller trusts. Lines of other keys are ignored, even where they share a
 * name or an id with one of ours. One false line in a known name spoils the whole note.
 */
export async function openNote(
  { text, signatures }: Note,
  keys: readonly VerifierKey[],
  verifyEd25519: VerifyEd25519,
): Promise<OpenedNote> {
  const by: Signed[] = []
  for (const line of signatures) {
    for (const key of keys.filter(({ name, id }) => name === line.name && id === line.id)) {
      const signed = await verified(text, line, key, verifyEd25519)
      if (signed === undefined) return { kind: 'forged', name: line.name }
      by.push(signed)
    }
  }
  if (by.length === 0) return { kind: 'strangers', names: signatures.map(({ name }) => name) }
  return { kind: 'verified', by }
}

async function verified(
  text: string,
  line: NoteSignature,
  key: VerifierKey,
  verifyEd25519: VerifyEd25519,
): Promise<Signed | undefined> {
  switch (key.kind) {
    case 'ed25519': {
      if (line.signature.length !== SIGNATURE_BYTES) return undefined
      const holds = await verifyEd25519(key.publicKey, utf8(text), line.signature)
      return holds === true ? { key } : undefined
    }
    case 'cosignature': {
      const stamped = readTimestamped(line.signature)
      if (stamped === undefined) return undefined
      const holds = await verifyEd25519(key.publicKey, cosignedMessage(text, stamped.seconds), stamped.signature)
      return holds === true ? { key, seconds: stamped.seconds } : undefined
    }
  }
}
