/**
 * Ed25519 (RFC 8032 §5.1.7) in one strict profile: cofactorless, S below the group's order, A and R in their canonical
 * encodings and not of small order. WebCrypto decides the equation; what its implementations disagree about is refused here
 * before, by the bytes alone, so that "it verifies" means the same in Node and in every browser.
 */
const KEY_BYTES = 32
const SIGNATURE_BYTES = 64

/** 2^255 - 19, little-endian, as everything below. */
const PRIME = bytesOf('edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f')
/** 2^252 + 27742317777372353535851937790883648493. */
const ORDER = bytesOf('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010')

/** The y of the eight points whose order divides 8. Under such a key one signature can hold for many messages. */
const SMALL_ORDER: readonly Uint8Array[] = [
  bytesOf('0000000000000000000000000000000000000000000000000000000000000000'),
  bytesOf('0100000000000000000000000000000000000000000000000000000000000000'),
  bytesOf('ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'),
  bytesOf('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'),
  bytesOf('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'),
]

/** Could this be somebody's public key: a canonical encoding, and not of a point of small order? */
export function isStrictPublicKey(bytes: Uint8Array): boolean {
  return bytes.length === KEY_BYTES && isStrictPoint(bytes)
}

/** Has the signature its one encoding: R canonical and no point of small order, which nobody hits by chance; S below the order? */
export function isStrictSignature(bytes: Uint8Array): boolean {
  if (bytes.length !== SIGNATURE_BYTES) return false
  return isStrictPoint(bytes.subarray(0, KEY_BYTES)) && compared(bytes.subarray(KEY_BYTES), ORDER) < 0
}

/** Does the signature hold, in the strict profile? @throws where this platform's WebCrypto has no Ed25519 */
export async function verifyEd25519(
  publicKey: Uint8Array<ArrayBuffer>,
  message: Uint8Array<ArrayBuffer>,
  signature: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  if (!isStrictPublicKey(publicKey) || !isStrictSignature(signature)) return false
  const key = await crypto.subtle.importKey('raw', publicKey, 'Ed25519', false, ['verify'])
  return await crypto.subtle.verify('Ed25519', key, signature, message)
}

/** y below the prime, and not of the eight points of small order; with those, the two without a second x go too. */
function isStrictPoint(bytes: Uint8Array): boolean {
  const y = new Uint8Array(bytes)
  // The highest bit is the sign of x.
  y[KEY_BYTES - 1] = (y[KEY_BYTES - 1] ?? 0) & 0x7f
  return compared(y, PRIME) < 0 && SMALL_ORDER.every((small) => compared(y, small) !== 0)
}

/** Below 0 where the first number is the smaller one, 0 where they are equal. */
function compared(one: Uint8Array, other: Uint8Array): number {
  for (let at = KEY_BYTES - 1; at >= 0; at -= 1) {
    const difference = (one[at] ?? 0) - (other[at] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from({ length: hex.length / 2 }, (_, at) => Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16))
}
