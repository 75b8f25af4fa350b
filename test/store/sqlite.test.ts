import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, it } from 'vitest'
import { createSqliteStore } from '../../src/store/sqlite.ts'
import { requestWith } from '../support/approvals.ts'
import { describeStore } from '../support/store-conformance.ts'

let folder = ''

describeStore('sqlite', {
  make: (now) => {
    folder = mkdtempSync(join(tmpdir(), 'holdpoint-store-'))
    return createSqliteStore({ folder, now })
  },
  reopen: (now) => createSqliteStore({ folder, now }),
  clean: () => rmSync(folder, { recursive: true, force: true }),
})

it('keeps a bounded number of requests for a yes, in a folder of any age', async () => {
  const path = mkdtempSync(join(tmpdir(), 'holdpoint-store-'))
  const store = createSqliteStore({ folder: path })
  try {
    await store.open()
    const ask = (ref: string) =>
      store.request(
        requestWith({
          ref,
          requestDigest: `digest of ${ref}`,
          requires: 'confirmation',
          tool: 'shop/refund',
          materiality: 'high',
          principal: { type: 'user', id: 'alice' },
          argumentsText: '{}',
          because: '',
          createdAt: Date.now(),
          expiresAt: Date.now() + 600_000,
        }),
      )
    await ask('hp_first')
    const claims = new DatabaseSync(join(path, 'claims.db'))
    claims.exec(`
      WITH RECURSIVE more (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM more WHERE n < 10500)
      INSERT INTO requests (ref, digest, subject, state, expires_at, request)
      SELECT 'hp_' || n, 'digest ' || n, subject, state, expires_at, request FROM more, requests WHERE ref = 'hp_first'`)
    claims.close()
    expect(await store.pending()).toHaveLength(10_000)
    await ask('hp_last')
    expect((await store.pending()).map(({ ref }) => ref).at(-1)).toBe('hp_last')
    expect(await store.pending()).toHaveLength(10_000)
    expect(await store.get('hp_first')).toBeUndefined()
    expect(await store.get('hp_501')).toBeUndefined()
    expect(await store.get('hp_502')).toBeDefined()
  } finally {
    await store.close()
    rmSync(path, { recursive: true, force: true })
  }
})

it('takes no slot again for work that comes after it was closed, until it is opened again', async () => {
  const path = mkdtempSync(join(tmpdir(), 'holdpoint-store-'))
  const store = createSqliteStore({ folder: path })
  try {
    await store.open()
    await store.close()
    await expect(store.holder('any key')).rejects.toMatchObject({ code: 'ERR_STORE', message: 'the store was closed' })
    await store.open()
    expect(await store.holder('any key')).toBeUndefined()
  } finally {
    await store.close()
    rmSync(path, { recursive: true, force: true })
  }
})
