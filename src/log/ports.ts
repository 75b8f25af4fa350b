/** What the log's formats and proofs need from outside. Everything else in this room is arithmetic and text. */

/** 32 bytes of SHA-256. */
export type Hash = Uint8Array

/**
 * SHA-256 (FIPS 180-4) of bytes.
 *
 * Synchronous, because a proof is many tiny hashes in a row, each needing the one before: to await WebCrypto for each costs
 * ten times the hash. In Node it is `sha256Bytes`; in a browser, any SHA-256 written in JavaScript.
 */
export type Sha256 = (bytes: Uint8Array) => Hash

/**
 * Does an Ed25519 signature (RFC 8032 §5.1.7) hold? Only a literal `true` counts. May be a promise: WebCrypto's is.
 *
 * Verifiers disagree about odd keys and signatures, so "anybody can check it" needs one profile: cofactorless, S below the
 * group's order, A and R in their canonical encodings and not of small order (under such a key, a signature can hold for many
 * messages). That is what OpenSSL 3.5 does; who brings another library has to refuse the rest first (`bytes/ed25519.ts`).
 */
export type VerifyEd25519 = (
  publicKey: Uint8Array<ArrayBuffer>,
  message: Uint8Array<ArrayBuffer>,
  signature: Uint8Array<ArrayBuffer>,
) => boolean | Promise<boolean>

/** What checking a signed statement of a log takes. */
export interface LogCrypto {
  readonly sha256: Sha256
  readonly verifyEd25519: VerifyEd25519
}

/** Where a log's static files are, by path below the log's prefix. */
export interface TileStorage {
  /** The whole file, or `undefined` where there is none. */
  read(path: string): Promise<Uint8Array | undefined>
  /** Replaces a file as a whole, and resolves when it is durable. */
  write(path: string, bytes: Uint8Array): Promise<void>
}
