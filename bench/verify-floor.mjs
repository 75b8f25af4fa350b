/**
 * What checking a receipt cannot do without, in the plainest code: the token in three parts, header and payload parsed, and one
 * Ed25519 signature verified, synchronously. Nothing of the project is in here, and nothing is checked but the signature.
 */
import { createPublicKey, verify } from 'node:crypto'

/** @param {object} jwk The one key that signed. @returns a function from a JWS to what it says; throws where it is not signed. */
export function createVerifyFloor(jwk) {
  const key = createPublicKey({ key: jwk, format: 'jwk' })
  return (jws) => {
    const [header, payload, signature] = jws.split('.')
    const { alg } = JSON.parse(Buffer.from(header, 'base64url').toString('utf8'))
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
    const isSigned = verify(null, Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, 'base64url'))
    if (alg !== 'Ed25519' || !isSigned) throw new Error('the signature does not hold')
    return claims
  }
}
