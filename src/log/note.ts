/** Signed notes (C2SP signed-note): a text, and lines of signatures below it. Reading one says nothing about who signed it. */
import { HoldpointError } from '../errors.ts'
import { decodeBase64, encodeBase64, holdsControls, joined, malformed, textOf } from './encoding.ts'

/** One signature line, not verified. */
export interface NoteSignature {
  readonly name: string
  /** The key's id, 32 bits: it finds a key and proves nothing. */
  readonly id: number
  /** What the kind of key makes of it; for Ed25519, 64 bytes. */
  readonly signature: Uint8Array<ArrayBuffer>
}

export interface Note {
  /** With its final newline: what is signed. */
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

/** C2SP asks for 16 signatures at least, and post-quantum ones take 5 kB each. */
export const MOST_NOTE_BYTES = 262_144
const MOST_SIGNATURES = 64
const ID_BYTES = 4
const SIGNATURE_LINE = /^\u2014 ([^ ]+) ([^ ]+)$/
const UNUSABLE_IN_NAME = /[\p{White_Space}+]/u

/**
 * Reads a note, so strictly that it writes back to the same bytes. Other readers forgive set bits behind the last byte of a
 * signature, and so have several spellings of one checkpoint.
 *
 * UNTRUSTED: the text means nothing before a trusted key's signature has been verified (`openNote`).
 *
 * @throws HoldpointError ERR_FORMAT
 */
export function readNote(input: string | Uint8Array): Note {
  const whole = textOf(input, 'the note', MOST_NOTE_BYTES)
  if (holdsControls(whole)) throw malformed('the note', 'holds a control character')
  // The last empty line: the text may have others, the signatures have none.
  const gap = whole.lastIndexOf('\n\n')
  if (gap === -1) throw malformed('the note', 'has no empty line before its signatures')
  const lines = whole.slice(gap + 2).split('\n')
  if (lines.pop() !== '') throw malformed('the note', 'does not end with a newline: it was cut')
  if (lines.length === 0) throw malformed('the note', 'has no signature')
  if (lines.length > MOST_SIGNATURES) throw malformed('the note', `has more than ${MOST_SIGNATURES} signatures`)
  return { text: whole.slice(0, gap + 1), signatures: lines.map(readSignature) }
}

/** @throws HoldpointError ERR_FORMAT for what would not read back as it is */
export function writeNote({ text, signatures }: Note): string {
  const whole = `${text}\n${signatures.map(writeSignature).join('')}`
  const { text: again, signatures: lines } = readNote(whole)
  if (again !== text || lines.length !== signatures.length) throw malformed('the note', 'would not read back as it is')
  return whole
}

/** A signature as a line of its own with its newline: what a witness answers. */
export function writeSignature({ name, id, signature }: NoteSignature): string {
  const idBytes = new Uint8Array(ID_BYTES)
  new DataView(idBytes.buffer).setUint32(0, id)
  return `\u2014 ${name} ${encodeBase64(joined(idBytes, signature))}\n`
}

/** Not empty, no white space as Unicode has it, no plus. */
export function isKeyName(name: string): boolean {
  return name !== '' && !UNUSABLE_IN_NAME.test(name)
}

function readSignature(line: string, index: number): NoteSignature {
  const [, name = '', encoded = ''] = SIGNATURE_LINE.exec(line) ?? []
  const bytes = decodeBase64(encoded)
  if (!isKeyName(name) || bytes === undefined || bytes.length <= ID_BYTES) {
    throw new HoldpointError('ERR_FORMAT', `signature line ${index + 1} of the note is not "\u2014 name base64"`)
  }
  return { name, id: new DataView(bytes.buffer).getUint32(0), signature: bytes.slice(ID_BYTES) }
}
