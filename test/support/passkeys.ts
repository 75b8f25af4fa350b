import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { passkeyChallenge } from '../../src/receipt/passkey.ts'
import type { ApprovalRecord, Passkey, PasskeyAssertion } from '../../src/types.ts'

/** What a test changes of a ceremony: each of them is an attack, or a fault of an authenticator. */
export interface Ceremony {
  readonly challenge?: string
  readonly type?: string
  readonly origin?: string
  readonly rpId?: string
  readonly flags?: number
  readonly signCount?: number
  /** Members that the client adds. */
  readonly client?: object
  /** Behind the counter. */
  readonly extensions?: Uint8Array
  readonly credentialId?: string
}

export const [UP, UV, BE, BS, AT, ED] = [0x01, 0x04, 0x08, 0x10, 0x40, 0x80] as const

/** An authenticator in software, with one credential (Web Authentication Level 3 §6). */
export interface Authenticator {
  readonly passkey: Passkey
  sign(challenge: string, ceremony?: Ceremony): PasskeyAssertion
}

export function authenticator(
  user: string,
  terms: Partial<Passkey> & { alg?: 'ES256' | 'Ed25519' } = {},
): Authenticator {
  const { alg = 'ES256', ...more } = terms
  const { publicKey, privateKey } =
    alg === 'ES256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519')
  const passkey: Passkey = {
    user,
    credentialId: randomBytes(16).toString('base64url'),
    publicKey: { ...publicKey.export({ format: 'jwk' }) },
    rpId: 'shop.example.com',
    origin: 'https://shop.example.com',
    ...more,
  }
  return {
    passkey,
    sign(challenge, { credentialId = passkey.credentialId, ...ceremony } = {}) {
      const client = clientData(passkey, challenge, ceremony)
      const data = authenticatorData(passkey, ceremony)
      return {
        credentialId,
        authenticatorData: data.toString('base64url'),
        clientDataJSON: client.toString('base64url'),
        signature: signed(privateKey, alg, Buffer.concat([data, sha256(client)])).toString('base64url'),
      }
    },
  }
}

/** What a person's passkey signs to give this answer. */
export function challengeOf(
  { ref, requestDigest: req, shown }: ApprovalRecord,
  answer: 'approved' | 'declined' = 'approved',
  reason?: string,
): string {
  return passkeyChallenge({ ref, req, shown, answer, reason })
}

function clientData({ origin }: Passkey, challenge: string, ceremony: Ceremony): Buffer {
  const { type = 'webauthn.get' } = ceremony
  const data = {
    type,
    challenge: ceremony.challenge ?? challenge,
    origin: ceremony.origin ?? origin,
    crossOrigin: false,
  }
  return Buffer.from(JSON.stringify({ ...data, ...ceremony.client }))
}

function authenticatorData({ rpId }: Passkey, ceremony: Ceremony): Buffer {
  const { flags = UP | UV, signCount = 0, extensions = new Uint8Array() } = ceremony
  const counter = Buffer.alloc(4)
  counter.writeUInt32BE(signCount)
  return Buffer.concat([sha256(Buffer.from(ceremony.rpId ?? rpId)), Buffer.from([flags]), counter, extensions])
}

function signed(key: KeyObject, alg: 'ES256' | 'Ed25519', bytes: Buffer): Buffer {
  return sign(alg === 'ES256' ? 'sha256' : null, bytes, key)
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest()
}
