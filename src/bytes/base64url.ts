import { HoldpointError } from '../errors.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const NO_VALUE = 0xff
/** By character code: a table is read ten times as fast as a map. */
const VALUE_OF = new Uint8Array(128).fill(NO_VALUE)
for (const [value, letter] of [...ALPHABET].entries()) VALUE_OF[letter.charCodeAt(0)] = value

/** Base64url without padding (RFC 4648 §5). Runs in browsers too. */
export function encodeBase64url(bytes: Uint8Array): string {
  let text = ''
  let held = 0
  let bits = 0
  for (const byte of bytes) {
    held = ((held & 0x3f) << 8) | byte
    bits += 8
    while (bits >= 6) {
      bits -= 6
      text += ALPHABET.charAt((held >> bits) & 0x3f)
    }
  }
  return bits === 0 ? text : text + ALPHABET.charAt((held << (6 - bits)) & 0x3f)
}

/**
 * Reads base64url in its one canonical spelling (RFC 4648 §3.5, §5).
 *
 * INVARIANT I6: two texts never stand for the same bytes, so padding, whitespace, other alphabets and set slack bits
 * are refused: otherwise one signature would have several valid spellings.
 *
 * @throws HoldpointError `ERR_FORMAT`
 */
export function decodeBase64url(text: string): Uint8Array<ArrayBuffer> {
  const slack = text.length % 4
  if (slack === 1) throw misspelt('its length is impossible')
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4))
  let held = 0
  let bits = 0
  let written = 0
  for (let i = 0; i < text.length; i += 1) {
    const value = VALUE_OF[text.charCodeAt(i)] ?? NO_VALUE
    if (value === NO_VALUE) throw misspelt(`character ${i + 1} is not of its alphabet`)
    held = ((held & 0x3f) << 6) | value
    bits += 6
    if (bits < 8) continue
    bits -= 8
    bytes[written] = (held >> bits) & 0xff
    written += 1
  }
  if ((held & ((1 << bits) - 1)) !== 0) throw misspelt('bits beyond the last byte are set')
  return bytes
}

function misspelt(found: string): HoldpointError {
  return new HoldpointError('ERR_FORMAT', `not canonical base64url: ${found}`)
}
