import { expect } from 'vitest'
import { sha256Bytes } from '../../src/bytes/digest.ts'
import { findFault } from '../../src/log/fsck.ts'
import { consistencyIn } from '../../src/log/tiles.ts'
import type { LogParts, WatchedSigner } from './log-parts.ts'

/** Every leaf once, every file as it should be, every head that was signed a beginning of the next. */
export async function expectWhole({ ledger, files }: LogParts, signer: WatchedSigner, count: number): Promise<void> {
  const head = ledger.headNow()
  expect(head?.size).toBe(count)
  if (head === undefined) return
  const log = { storage: files, sha256: sha256Bytes }
  expect(await findFault(log, head)).toBeUndefined()
  expect(signer.forks).toBe(0)
  for (const from of ledger.checkpoints()) await consistencyIn(log, from, head)
  for (const [size, hex] of signer.roots) {
    await consistencyIn(log, { size, root: new Uint8Array(Buffer.from(hex, 'hex')) }, head)
  }
  const published = await files.read('checkpoint')
  expect(Buffer.from(published ?? []).toString()).toBe(head.note)
}
