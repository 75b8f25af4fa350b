/** Who signs receipts. */
import type { JsonObject } from './json.ts'

/** A key that this process holds. `sign` is synchronous: receipts are signed in chain order on the caller's turn. */
export interface Signer {
  readonly alg: 'Ed25519' | 'ES256'
  /** RFC 7638 thumbprint of the public key. */
  readonly kid: string
  /** The public key as a JWK. */
  readonly publicJwk: JsonObject
  sign(bytes: Uint8Array): Uint8Array
  /** Keyed hash for values that may be guessed (call keys, conversation ids); stable for this key. */
  blind(label: string, value: string): string
}

/**
 * A receipt key whose private part is elsewhere: in a KMS, an HSM, another process. What it answers is verified under `publicJwk`
 * before it is believed, and waited for no longer than `receipts.deadlineMs`.
 */
export interface RemoteSigner {
  /** The public key (RFC 7517): Ed25519 or P-256. Whoever verifies the receipts trusts this one. */
  readonly publicJwk: JsonObject
  /** Checked against the key where it is said: `Ed25519` or `ES256`. */
  readonly alg?: 'Ed25519' | 'ES256'
  /** Checked against the key where it is said: its RFC 7638 thumbprint. A provider's own name of a key is none. */
  readonly kid?: string
  /**
   * Signs these bytes: Ed25519 (RFC 8032, not prehashed), or ECDSA over their SHA-256 as r ‖ s, 64 bytes (RFC 7518 §3.4), not DER.
   *
   * @param options `signal` is aborted when nobody waits any more
   */
  sign(bytes: Uint8Array, options: { readonly signal: AbortSignal }): Promise<Uint8Array>
}

/** The key of a gate, wherever it is. */
export interface ReceiptSigner extends Omit<Signer, 'sign'> {
  /** @throws HoldpointError ERR_SIGNER (as a rejection) when there is no signature that verifies in time */
  sign(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>
}
