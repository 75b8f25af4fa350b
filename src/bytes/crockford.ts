// No i, l, o or u: what is read aloud or typed off a screen stays what it was.
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'

/** Crockford's base32, lower case, most significant bit first, without check symbol: 16 bytes are 26 characters. */
export function crockford(bytes: Uint8Array): string {
  let text = ''
  let held = 0
  let bits = 0
  for (const byte of bytes) {
    held = ((held & 0x1f) << 8) | byte
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += ALPHABET.charAt((held >> bits) & 0x1f)
    }
  }
  return bits === 0 ? text : text + ALPHABET.charAt((held << (5 - bits)) & 0x1f)
}
