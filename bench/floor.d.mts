import type { KeyObject } from 'node:crypto'
import type { RefundInput } from './refund.mjs'

/** A receipt of the floor: its canonical text, SHA-256 of it (base64url) and the Ed25519 signature over it. */
export interface FloorReceipt {
  readonly payload: string
  readonly hash: string
  readonly signature: Buffer
}

export function createFloor(toCedar?: (input: RefundInput) => object): {
  readonly publicKey: KeyObject
  permits(input: RefundInput): boolean
  call(
    input: RefundInput,
    callId: string,
  ):
    | { readonly permitted: true; readonly result: unknown; readonly receipts: readonly [FloorReceipt, FloorReceipt] }
    | { readonly permitted: false; readonly receipts?: undefined }
}
