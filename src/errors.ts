/** Errors are for the programmer; a refusal is a value for the model. */

/** Every code, one line each in `docs/codes.md`. */
export type HoldpointErrorCode =
  /** `holdpoint.yaml` or `createGate` options are unusable; `at` names file and line. */
  | 'ERR_CONFIG'
  /** A policy file does not load; `at` names file and line. */
  | 'ERR_POLICY'
  /** A tool cannot be registered: bad name, case-fold twin, unusable schema. */
  | 'ERR_TOOL'
  /** A tool that cannot be gated was not named in `ungated`. */
  | 'ERR_UNGATED'
  /** A host's tool or agent is not built as the versions are that the adapter knows; `at` names the package. */
  | 'ERR_HOST'
  /** The receipt key is missing, unreadable or of the wrong kind. */
  | 'ERR_KEY'
  /** The key that signs receipts is elsewhere, and gave no signature that verifies in time. */
  | 'ERR_SIGNER'
  /** The store cannot be opened or is not durable. */
  | 'ERR_STORE'
  /** What was pinned of a third party's tools cannot be relied on; `at` names the file. */
  | 'ERR_PINS'
  /** The log's files, its index and its witnesses do not agree: nothing was signed that contradicts what was signed before. */
  | 'ERR_LOG'
  /** Arguments have no canonical form; `at` is a JSON Pointer. */
  | 'ERR_ARGUMENTS'
  /** Bytes are not what the format says: strict JSON, base64url, JWS. */
  | 'ERR_FORMAT'
  /** The gate was closed. */
  | 'ERR_CLOSED'

/** A mistake of the program or the operator: what happened, where, and what to do. */
export class HoldpointError extends Error {
  override readonly name = 'HoldpointError'
  readonly code: HoldpointErrorCode
  /** `file:line`, a JSON Pointer, or a path. */
  readonly at: string | undefined
  /** Of a value that cannot be read: what is wrong with it, to be said after its place. */
  readonly because: string | undefined

  constructor(
    code: HoldpointErrorCode,
    message: string,
    details: { readonly at?: string; readonly because?: string | undefined; readonly cause?: unknown } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.at = details.at
    this.because = details.because
  }
}
