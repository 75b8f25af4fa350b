import { createPublicKey, verify } from 'node:crypto'
import { encodeBase64url } from '../bytes/base64url.ts'
import type { VerifyEd25519 } from '../log/ports.ts'

/** Ed25519 by Node's own OpenSSL; from version 3.5 on it keeps the profile that the port asks for. */
export const verifyEd25519: VerifyEd25519 = (publicKey, message, signature) => {
  const key = { kty: 'OKP', crv: 'Ed25519', x: encodeBase64url(publicKey) }
  try {
    return verify(null, message, createPublicKey({ format: 'jwk', key }), signature)
  } catch {
    return false
  }
}
