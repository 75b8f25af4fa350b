/** Which receipts of a store somebody wants. */
import { readReceipt } from '../../receipt/read.ts'
import type { Receipt } from '../../types.ts'

/** What they belong to: one trace, or a time. */
export type Wanting = { readonly trace: string } | { readonly since: number }

/**
 * The hashes of what is wanted, and of what it cannot be judged without: the `open` receipts of its streams, and every change of
 * keys.
 *
 * @param receipts those of one stream in sequence
 */
export async function wantedOf(receipts: AsyncIterable<Receipt>, wanting: Wanting): Promise<ReadonlySet<string>> {
  const wanted = new Set<string>()
  const openings = new Map<string, string>()
  for await (const receipt of receipts) {
    const { hash, kind, stream } = receipt
    if (kind === 'key') wanted.add(hash)
    if (kind === 'open') openings.set(stream, hash)
    if (!isWanted(receipt, wanting, wanted)) continue
    wanted.add(hash)
    const opening = openings.get(stream)
    if (opening !== undefined) wanted.add(opening)
  }
  return wanted
}

function isWanted({ jws, kind }: Receipt, wanting: Wanting, wanted: ReadonlySet<string>): boolean {
  if (kind !== 'decision' && kind !== 'outcome' && 'trace' in wanting) return false
  const claims = readReceipt(jws)
  if ('since' in wanting) return claims.ts >= wanting.since
  // An outcome that was written after a crash names its decision and no trace.
  return claims.trace === wanting.trace || (claims.kind === 'outcome' && wanted.has(claims.decision))
}
