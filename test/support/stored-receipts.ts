import { generateSigner } from '../../src/receipt/sign.ts'
import { createSqliteStore } from '../../src/store/sqlite.ts'
import type { Signer, Store } from '../../src/types.ts'
import { openedChain, refusedDraft } from './receipt-drafts.ts'

/** A process of a store, as its log sees it: one slot, and receipts in it. */
export interface Writer {
  readonly store: Store
  /** Writes so many receipts, and gives their hashes. */
  write(count: number): Promise<readonly string[]>
  close(): Promise<void>
}

/** Opens a slot of a store's folder; its stream begins with one receipt more. */
export async function writerOf(folder: string, signer: Signer = generateSigner()): Promise<Writer> {
  const store = createSqliteStore({ folder })
  await store.open()
  const chain = await openedChain(store, { signer })
  return {
    store,
    write: async (count) => {
      const written = await Promise.all(Array.from({ length: count }, () => chain.append(refusedDraft())))
      return written.map(({ hash }) => hash)
    },
    close: () => store.close(),
  }
}
