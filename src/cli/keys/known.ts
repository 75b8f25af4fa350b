/** What a store's receipts say of keys. They are the store's own: nothing here is verified. */
import type { KeyClaims, OpenClaims } from '../../receipt/claims.ts'
import { RECEIPT_TYP, readEnvelope } from '../../receipt/envelope.ts'
import { readClaims } from '../../receipt/read.ts'
import { hasStore } from '../../store/sqlite-reader.ts'
import { readerOf, type StoreAt } from '../receipts.ts'

/** What is known of keys, by their thumbprints. */
export interface KnownKeys {
  /** The receipt that ended a key's time. */
  readonly retiredBy: ReadonlyMap<string, string>
  /** Streams without an end: by no seal, nor by a later stream that says how far they came. Gates may still write them. */
  readonly openStreams: readonly { readonly stream: string; readonly kid: string }[]
}

/** Reads all receipts of a store; where there is no store, nothing is known. */
export async function knownKeys(at: StoreAt): Promise<KnownKeys> {
  const retiredBy = new Map<string, string>()
  const kidOf = new Map<string, string>()
  if (typeof at === 'string' && !hasStore(at)) return { retiredBy, openStreams: [] }
  const reader = readerOf(at)
  const ended = new Set<string>()
  try {
    for await (const { kind, id, stream, jws } of reader.receipts()) {
      if (kind === 'seal') ended.add(stream)
      if (kind !== 'open' && kind !== 'key') continue
      const claims = readClaims(readEnvelope(jws, RECEIPT_TYP).payload) as OpenClaims | KeyClaims
      if (claims.kind === 'open') {
        kidOf.set(stream, claims.kid)
        if (claims.last !== undefined) ended.add(claims.last.stream)
      } else if (claims.act === 'retire' && !retiredBy.has(claims.kid)) retiredBy.set(claims.kid, id)
    }
  } finally {
    await reader.close()
  }
  return { retiredBy, openStreams: [...kidOf].flatMap(([stream, kid]) => (ended.has(stream) ? [] : [{ stream, kid }])) }
}
