import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { SlotBook } from '../../src/store/sqlite-slot.ts'
import type { Receipt } from '../../src/types.ts'
import { claim } from '../support/receipt-drafts.ts'
import { temporaryFolders } from '../support/temporary-folder.ts'

const temporary = temporaryFolders()

/** A store writes receipts down as they are, so any will do here. */
const receipt: Receipt = { id: 'r_1', hash: 'hash', kind: 'decision', stream: 'stream', seq: 0, jws: 'jws' }

/** What stands in a file, as another process sees it. */
function others(folder: string, file: string, sql: string): unknown {
  const db = new DatabaseSync(join(folder, file), { readOnly: true })
  try {
    return db.prepare(sql).get()
  } finally {
    db.close()
  }
}

// The book is asked in this thread: between its answer and our look nothing else runs, so no timing decides.
describe('the writing side of the embedded store', () => {
  it('I6: says that a permit is stored when others can see its receipt and its claim, and not before', () => {
    const folder = temporary()
    const book = new SlotBook(folder, 100)
    book.run([{ id: 0, work: { do: 'open', now: Date.now() } }])
    const replies = book.run([{ id: 1, work: { do: 'commit', receipt, claim: claim('key'), now: 0 } }])
    expect(replies).toEqual([{ id: 1, ok: true, answer: { outcome: 'claimed' } }])
    expect(others(folder, 'receipts-0.db', 'SELECT hash FROM receipts')).toEqual({ hash: 'hash' })
    expect(others(folder, 'claims.db', 'SELECT call_key, status FROM claims')).toEqual({
      call_key: 'key',
      status: 'claimed',
    })
    book.run([{ id: 2, work: { do: 'close' } }])
  })

  it('I6: says that a receipt is stored when others can see it, and not before', () => {
    const folder = temporary()
    const book = new SlotBook(folder, 100)
    book.run([{ id: 0, work: { do: 'open', now: Date.now() } }])
    expect(book.run([{ id: 1, work: { do: 'append', receipt } }])).toEqual([
      { id: 1, ok: true, answer: { outcome: 'stored' } },
    ])
    expect(others(folder, 'receipts-0.db', 'SELECT hash FROM receipts')).toEqual({ hash: 'hash' })
    book.run([{ id: 2, work: { do: 'close' } }])
  })
})
