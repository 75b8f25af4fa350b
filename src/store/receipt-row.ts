import type { Receipt, ReceiptKind } from '../types.ts'

/** The receipt in a row of `receipts`, whichever database it comes from. */
export function receiptOf(row: Readonly<Record<string, unknown>>): Receipt {
  const prev = row['prev']
  return {
    id: String(row['ref']),
    hash: String(row['hash']),
    kind: String(row['kind']) as ReceiptKind,
    stream: String(row['stream']),
    seq: Number(row['seq']),
    ...(typeof prev === 'string' ? { prev } : {}),
    jws: String(row['jws']),
  }
}
