/**
 * Ed25519 (RFC 8032 §5.1.7) in one strict profile: cofactorless, S below the group's order, A and R in their canonical
 * encodings and not of small order. WebCrypto decides the equation; what its implementations disagree about is refused
 * here before, by the bytes alone, so that "it verifies" means the same in Node and in every browser.
 */
const PRIME = 2n ** 255n - 19n
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n
const SIGN = 1n << 255n
const KEY_BYTES = 32
const SIGNATURE_BYTES = 64

/** The y of the eight points whose order divides 8. Under such a key one signature can hold for many messages. */
const SMALL_ORDER_Y: ReadonlySet<bigint> = new Set([
  0n,
  1n,
  PRIME - 1n,
  0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n,
  0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n,
])

/** Could this be somebody's public key: a canonical encoding, and not of a point of small order? */
export function isStrictPublicKey(bytes: Uint8Array): boolean {
  return bytes.length === KEY_BYTES && isStrictPoint(bytes)
}

/** Has the signature its one encoding: R canonical and no point of small order, which nobody hits by chance; S below the order? */
export function isStrictSignature(bytes: Uint8Array): boolean {
  if (bytes.length !== SIGNATURE_BYTES) return false
  return isStrictPoint(bytes.subarray(0, KEY_BYTES)) && number(bytes.subarray(KEY_BYTES)) < ORDER
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
  const y = number(bytes) & ~SIGN
  return y < PRIME && !SMALL_ORDER_Y.has(y)
}

/** Little-endian. */
function number(bytes: Uint8Array): bigint {
  return bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
}
